/* Numbers as text. */
#include "format/number.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

enum { MAX_DIGITS = 17 }; /* enough for any double */

/* Digits and exponent: value = 0.d1d2d3… · 10^point. */
struct shortest {
	char digits[MAX_DIGITS + 1];
	int n_digits;
	int point;
};

/*
 * snprintf and strtod follow the process's locale, which is not ours to choose. Both see the same one, so the round
 * trip is valid, and the separator is whatever is not a digit.
 */
static struct shortest
find_shortest(double magnitude)
{
	struct shortest shortest = {.n_digits = 0};
	char text[64];
	for (int precision = 0; precision < MAX_DIGITS; precision++) {
		(void)snprintf(text, sizeof text, "%.*e", precision, magnitude);
		if (strtod(text, NULL) >= magnitude && strtod(text, NULL) <= magnitude)
			break;
	}
	const char *at = text;
	for (; *at != 'e'; at++)
		if (isdigit((unsigned char)*at) && shortest.n_digits < MAX_DIGITS)
			shortest.digits[shortest.n_digits++] = *at;
	shortest.point = (int)strtol(at + 1, NULL, 10) + 1;
	while (shortest.n_digits > 1 && shortest.digits[shortest.n_digits - 1] == '0')
		shortest.n_digits--;
	return shortest;
}

static size_t
put(char *text, size_t length, const char *bytes, int n)
{
	memcpy(text + length, bytes, (size_t)n);
	return length + (size_t)n;
}

static size_t
put_zeros(char *text, size_t length, int n)
{
	for (int i = 0; i < n; i++)
		text[length++] = '0';
	return length;
}

static size_t
put_positional(char *text, size_t length, const struct shortest *shortest)
{
	const int n = shortest->n_digits;
	if (shortest->point <= 0) {
		length = put(text, length, "0.", 2);
		length = put_zeros(text, length, -shortest->point);
		return put(text, length, shortest->digits, n);
	}
	if (shortest->point >= n) {
		length = put(text, length, shortest->digits, n);
		length = put_zeros(text, length, shortest->point - n);
		return put(text, length, ".0", 2);
	}
	length = put(text, length, shortest->digits, shortest->point);
	length = put(text, length, ".", 1);
	return put(text, length, shortest->digits + shortest->point, n - shortest->point);
}

static size_t
put_scientific(char *text, size_t length, const struct shortest *shortest)
{
	length = put(text, length, shortest->digits, 1);
	if (shortest->n_digits > 1) {
		length = put(text, length, ".", 1);
		length = put(text, length, shortest->digits + 1, shortest->n_digits - 1);
	}
	return length + (size_t)snprintf(text + length, PERSEUS__NUMBER_BYTES - length, "e%d", shortest->point - 1);
}

void
perseus__double_text(double value, char text[PERSEUS__NUMBER_BYTES])
{
	if (!isfinite(value)) {
		memcpy(text, "null", 5);
		return;
	}
	size_t length = 0;
	if (signbit(value) && fpclassify(value) != FP_ZERO)
		text[length++] = '-';
	if (fpclassify(value) == FP_ZERO) {
		length = put(text, length, "0.0", 3);
	} else {
		const struct shortest shortest = find_shortest(fabs(value));
		const bool is_plain = shortest.point > -5 && shortest.point <= 16;
		length = is_plain ? put_positional(text, length, &shortest) : put_scientific(text, length, &shortest);
	}
	text[length] = '\0';
}

/* Reads digits with at most one '.'; returns the end, or NULL where there is no digit. */
static const char *
parse_mantissa(const char *at, struct perseus__decimal *decimal)
{
	const int64_t limit = 100000000000000000; /* 10^17: one more digit still fits 18 */
	bool seen_point = false;
	bool seen_digit = false;
	for (; isdigit((unsigned char)*at) || (*at == '.' && !seen_point); at++) {
		if (*at == '.') {
			seen_point = true;
			continue;
		}
		seen_digit = true;
		if (decimal->digits < limit) {
			decimal->digits = decimal->digits * 10 + (*at - '0');
			decimal->exponent -= seen_point;
		} else {
			decimal->exponent += !seen_point;
		}
	}
	return seen_digit ? at : NULL;
}

bool
perseus__decimal_parse(const char *text, struct perseus__decimal *decimal)
{
	if (strlen(text) > 400)
		return false;
	struct perseus__decimal parsed = {0};
	const char *at = parse_mantissa(text, &parsed);
	if (at && (*at == 'e' || *at == 'E')) {
		at++;
		const bool is_negative = *at == '-';
		at += *at == '-' || *at == '+';
		if (!isdigit((unsigned char)*at))
			return false;
		int32_t exponent = 0;
		for (; isdigit((unsigned char)*at); at++)
			exponent = exponent < 10000 ? exponent * 10 + (*at - '0') : exponent;
		parsed.exponent += is_negative ? -exponent : exponent;
	}
	if (!at || *at != '\0')
		return false;
	*decimal = parsed;
	return true;
}

double
perseus__decimal_value(struct perseus__decimal decimal)
{
	char text[PERSEUS__NUMBER_BYTES];
	(void)snprintf(text, sizeof text, "%llde%d", (long long)decimal.digits, decimal.exponent);
	return strtod(text, NULL); /* without a fraction there is no separator for a locale to change */
}

bool
perseus__decimal_times(struct perseus__decimal decimal, int64_t factor, int64_t *product)
{
	wide value = (wide)(uint64_t)decimal.digits * (uint64_t)factor;
	if (value == 0) {
		*product = 0;
		return true;
	}
	for (int32_t i = decimal.exponent; i < 0 && value > 0; i++)
		value /= 10; /* floor of floors is the floor */
	for (int32_t i = 0; i < decimal.exponent; i++) {
		if (value > INT64_MAX)
			return false;
		value *= 10;
	}
	if (value > INT64_MAX)
		return false;
	*product = (int64_t)value;
	return true;
}
