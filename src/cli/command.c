/* Messages, results and exit codes. */
#include "cli/command.h"

#include "base/error.h"
#include "format/output_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
perseus__print_error(const struct perseus_error *err)
{
	(void)fprintf(stderr, "perseus: %s\n", err->message);
	return perseus_status_exit_code(err->status);
}

void
perseus__print_note(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)fputs("perseus: note: ", stderr);
	(void)vfprintf(stderr, format, args);
	(void)fputc('\n', stderr);
	va_end(args);
}

static enum perseus_status
write_result(const struct perseus__text *text, struct perseus_error *err)
{
	if (text->failed)
		return perseus__no_memory(err);
	errno = 0;
	if (fwrite(text->bytes, 1, text->length, stdout) == text->length && fflush(stdout) == 0)
		return PERSEUS_OK;
	return perseus__fail(err, PERSEUS_IO, "cannot write to standard output: %s", strerror(errno));
}

int
perseus__print_result(struct perseus__text *text)
{
	struct perseus_error err;
	const enum perseus_status status = write_result(text, &err);
	perseus__text_fini(text);
	return status == PERSEUS_OK ? 0 : perseus__print_error(&err);
}

struct perseus__text
perseus__result_text(void)
{
	return perseus__text_init((size_t)1 << 31);
}

enum perseus_status
perseus__write_document(const char *path, const struct perseus__text *text, struct perseus_error *err)
{
	if (text->failed)
		return perseus__no_memory(err);
	return perseus__output_file(path, text->bytes, text->length, err);
}
