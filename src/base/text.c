/* Growable text. */
#include "base/text.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct perseus__text
perseus__text_init(size_t max_length)
{
	return (struct perseus__text){.max_length = max_length};
}

static bool
make_room(struct perseus__text *text, size_t length)
{
	if (text->failed || length > text->max_length - text->length
			|| !perseus__reserve(&text->bytes, &text->capacity, text->length + length + 1, 1))
		text->failed = true;
	return !text->failed;
}

void
perseus__text_add(struct perseus__text *text, const char *bytes, size_t length)
{
	if (!make_room(text, length))
		return;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void
perseus__text_addf(struct perseus__text *text, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !make_room(text, (size_t)length)) {
		text->failed = true;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text->bytes + text->length, (size_t)length + 1, format, args); /* fits: measured above */
	va_end(args);
	text->length += (size_t)length;
}

void
perseus__text_add_shown(struct perseus__text *text, const char *string)
{
	while (*string) {
		const unsigned char first = (unsigned char)string[0];
		const size_t length = perseus__utf8_length(string);
		/* U+0080 to U+009F are control characters, too. */
		const bool is_control = length == 0 || first == 0x7f || (first == 0xc2 && (unsigned char)string[1] < 0xa0);
		if (first == '\n')
			perseus__text_add(text, "\\n", 2);
		else if (is_control)
			perseus__text_addf(text, "\\x%02x", first);
		else
			perseus__text_add(text, string, length);
		string += is_control ? 1 : length;
	}
}

void
perseus__text_fini(struct perseus__text *text)
{
	perseus__free(text->bytes);
	*text = perseus__text_init(text->max_length);
}
