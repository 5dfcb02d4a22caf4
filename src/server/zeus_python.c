/* JSON in Python's style. */
#include "server/zeus_python.h"

#include "base/utf8.h"
#include "format/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* value = 0.d1d2d3… · 10^point, shortest digits. */
struct digits {
	char digits[PERSEUS__NUMBER_BYTES];
	int n;
	int point;
};

/* The digits of a finite number from its shortest text, whichever way that is laid out. */
static struct digits
find_digits(double magnitude)
{
	char shortest[PERSEUS__NUMBER_BYTES];
	struct digits found = {.n = 0};
	bool seen_point = false;
	perseus__double_text(magnitude, shortest);
	const char *at = shortest;
	for (; *at && *at != 'e'; at++) {
		if (*at == '.') {
			seen_point = true;
			continue;
		}
		found.point += !seen_point;
		if (found.n > 0 || *at != '0')
			found.digits[found.n++] = *at;
		else
			found.point--;
	}
	if (*at == 'e')
		found.point += (int)strtol(at + 1, NULL, 10);
	while (found.n > 1 && found.digits[found.n - 1] == '0')
		found.n--;
	if (found.n == 0)
		found = (struct digits){.digits = "0", .n = 1, .point = 1};
	return found;
}

static int
add_positional(char *text, const struct digits *found)
{
	static const char zeros[] = "0000000000000000";
	if (found->point <= 0)
		return snprintf(
				text, PERSEUS__PYTHON_NUMBER_BYTES, "0.%.*s%.*s", -found->point, zeros, found->n, found->digits);
	if (found->point >= found->n)
		return snprintf(text, PERSEUS__PYTHON_NUMBER_BYTES, "%.*s%.*s.0", found->n, found->digits,
				found->point - found->n, zeros);
	return snprintf(text, PERSEUS__PYTHON_NUMBER_BYTES, "%.*s.%.*s", found->point, found->digits,
			found->n - found->point, found->digits + found->point);
}

void
perseus__python_repr(double value, char text[PERSEUS__PYTHON_NUMBER_BYTES])
{
	if (!isfinite(value)) {
		const char *name = isnan(value) ? "nan" : value < 0 ? "-inf" : "inf";
		memcpy(text, name, strlen(name) + 1);
		return;
	}
	char body[PERSEUS__PYTHON_NUMBER_BYTES];
	const struct digits found = find_digits(fabs(value));
	if (found.point > -4 && found.point <= 16)
		(void)add_positional(body, &found);
	else
		(void)snprintf(body, sizeof body, "%c%s%.*se%c%02d", found.digits[0], found.n > 1 ? "." : "", found.n - 1,
				found.digits + 1, found.point - 1 < 0 ? '-' : '+', abs(found.point - 1));
	(void)snprintf(text, PERSEUS__PYTHON_NUMBER_BYTES, "%s%.38s", signbit(value) ? "-" : "", body);
}

/* json.dumps of a float: as repr, but NaN, Infinity and -Infinity. */
static void
add_double(struct perseus__text *text, double value)
{
	char number[PERSEUS__PYTHON_NUMBER_BYTES];
	if (isfinite(value))
		perseus__python_repr(value, number);
	const char *shown = isfinite(value) ? number : isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
	perseus__text_add(text, shown, strlen(shown));
}

/* The code point of a character of `length` bytes, which perseus__utf8_length has found good. */
static uint32_t
code_point(const char *at, size_t length)
{
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = (unsigned char)at[0] & masks[length];
	for (size_t i = 1; i < length; i++)
		code = code << 6 | ((unsigned char)at[i] & 0x3f);
	return code;
}

static void
add_escaped(struct perseus__text *text, uint32_t code)
{
	if (code < 0x10000) {
		perseus__text_addf(text, "\\u%04x", (unsigned)code);
		return;
	}
	const uint32_t above = code - 0x10000;
	perseus__text_addf(text, "\\u%04x\\u%04x", (unsigned)(0xd800 | above >> 10), (unsigned)(0xdc00 | (above & 0x3ff)));
}

void
perseus__python_add_string(struct perseus__text *text, const char *string)
{
	static const char plain[] = "\"\\\n\r\t\f\b";
	static const char letters[] = "\"\\nrtfb";
	perseus__text_add(text, "\"", 1);
	while (*string) {
		const char *named = strchr(plain, *string);
		const size_t length = perseus__utf8_length(string);
		if (named)
			perseus__text_addf(text, "\\%c", letters[named - plain]);
		else if (length == 1 && *string != 0x7f)
			perseus__text_add(text, string, 1);
		else if (length >= 1)
			add_escaped(text, code_point(string, length));
		else
			add_escaped(text, (unsigned char)*string < 0x20 ? (unsigned char)*string : 0xfffd);
		string += length ? length : 1;
	}
	perseus__text_add(text, "\"", 1);
}

void
perseus__python_add_doubles(struct perseus__text *text, const double *values, size_t n)
{
	perseus__text_add(text, "[", 1);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			perseus__text_add(text, ", ", 2);
		add_double(text, values[i]);
	}
	perseus__text_add(text, "]", 1);
}
