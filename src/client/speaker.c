/* Lines for people. */
#include "client/speaker.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_LINE = 4 * PERSEUS_CLIENT_TEXT_BYTES };

void
perseus__say(struct perseus__speaker *speaker, const char *format, ...)
{
	char line[PERSEUS_CLIENT_TEXT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	/* What a server said is in it, perhaps. */
	struct perseus__text shown = perseus__text_init(MAX_LINE);
	perseus__text_add_shown(&shown, line);
	(void)snprintf(speaker->last, sizeof speaker->last, "%s", shown.bytes && !shown.failed ? shown.bytes : "");
	perseus__text_fini(&shown);
	if (speaker->log)
		speaker->log(speaker->user, speaker->last);
}
