/* Status texts and error messages. */
#include "base/error.h"

#include <perseus/version.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *
perseus_status_text(enum perseus_status status)
{
	switch (status) {
#define X(name, exit_code, text) \
	case PERSEUS_##name:         \
		return text;
		PERSEUS_STATUS_MAP(X)
#undef X
	}
	return "unknown status";
}

int
perseus_status_exit_code(enum perseus_status status)
{
	switch (status) {
#define X(name, exit_code, text) \
	case PERSEUS_##name:         \
		return exit_code;
		PERSEUS_STATUS_MAP(X)
#undef X
	}
	return 70;
}

const char *
perseus_version(void)
{
	return PERSEUS_VERSION;
}

int
perseus_version_number(void)
{
	return PERSEUS_VERSION_NUMBER;
}

enum perseus_status
perseus__fail(struct perseus_error *err, enum perseus_status status, const char *format, ...)
{
	if (!err)
		return status;
	va_list args;
	va_start(args, format);
	const int length = vsnprintf(err->message, sizeof err->message, format, args);
	va_end(args);
	if (length >= (int)sizeof err->message)
		memcpy(err->message + sizeof err->message - 4, "...", 4);
	err->status = status;
	return status;
}
