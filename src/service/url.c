/* Text of URLs. */
#include "service/url.h"

#include <string.h>

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

size_t
perseus__url_decode(const char *text, size_t length, bool is_query, char *bytes, size_t max_bytes)
{
	size_t n = 0;
	for (size_t i = 0; i < length; i++) {
		char byte = text[i] == '+' && is_query ? ' ' : text[i];
		if (byte == '%' && length - i > 2 && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
			byte = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
			i += 2;
		}
		if (n < max_bytes)
			bytes[n] = byte;
		n++;
	}
	return n;
}

/* Takes the part of a path up to the next '/' as a value. */
static bool
take(const char *path, size_t length, struct perseus__path_parameters *parameters)
{
	if (parameters->n == PERSEUS__MAX_PATH_PARAMETERS)
		return false;
	char *value = parameters->values[parameters->n++];
	const size_t n = perseus__url_decode(path, length, false, value, PERSEUS__PATH_PARAMETER_BYTES);
	if (n == 0 || n >= PERSEUS__PATH_PARAMETER_BYTES)
		return false;
	value[n] = '\0';
	return strlen(value) == n;
}

bool
perseus__path_match(const char *pattern, const char *path, struct perseus__path_parameters *parameters)
{
	parameters->n = 0;
	while (*pattern) {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		const size_t length = strcspn(path, "/");
		if (!take(path, length, parameters))
			return false;
		path += length;
		pattern += strcspn(pattern, "}") + 1;
	}
	return *path == '\0';
}

bool
perseus__query_next(const char **at, struct perseus__query_pair *pair)
{
	if (!*at)
		return false;
	*at += strspn(*at, "&");
	const size_t length = strcspn(*at, "&");
	if (length == 0)
		return false;
	const char *equals = memchr(*at, '=', length);
	pair->key = *at;
	pair->key_length = equals ? (size_t)(equals - *at) : length;
	pair->value = equals ? equals + 1 : *at + length;
	pair->value_length = equals ? length - pair->key_length - 1 : 0;
	*at += length;
	return true;
}
