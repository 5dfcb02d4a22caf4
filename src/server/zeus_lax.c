/* JSON values as pydantic 1 and Python take them. */
#include "server/zeus_lax.h"

#include "base/memory.h"
#include "server/zeus_python.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Doubles from here on, below it negatively, are beyond 63 bits. */
static const double INT64_EDGE = 9223372036854775808.0;

enum { MAX_NUMBER_BYTES = 400, MAX_SAFE_DIGITS = 18, MAX_SAFE_EXPONENT = 300 };

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* A piece of the text that is copied as it is, or as a string. */
struct token {
	size_t length;
	bool is_quoted;
	const char *written; /* in its place, within the quotes; NULL: itself */
};

/* A string with its quotes, up to the end of the text where it does not end. */
static struct token
scan_string(const char *at, const char *end)
{
	const char *begin = at++;
	while (at < end && *at != '"')
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return (struct token){.length = (size_t)(at < end ? at + 1 - begin : end - begin)};
}

/* A number, or what begins as one: is quoted where it may be beyond what a reader of 64 bits takes. */
static struct token
scan_number(const char *at, const char *end)
{
	const char *begin = at;
	int n_digits = 0, exponent = 0;
	bool is_plain = true, in_exponent = false;
	for (; at < end && (is_digit(*at) || is_one_of(*at, "+-.eE")); at++) {
		in_exponent |= is_one_of(*at, "eE");
		is_plain &= is_digit(*at) || at == begin;
		if (is_digit(*at) && in_exponent)
			exponent = exponent < MAX_SAFE_EXPONENT ? exponent * 10 + (*at - '0') : exponent;
		else if (is_digit(*at))
			n_digits = n_digits < MAX_NUMBER_BYTES ? n_digits + 1 : n_digits;
	}
	const bool is_far = is_plain ? n_digits > MAX_SAFE_DIGITS && begin[*begin == '-'] != '0'
								 : n_digits + exponent > MAX_SAFE_EXPONENT;
	return (struct token){.length = (size_t)(at - begin), .is_quoted = is_far};
}

static struct token
scan_token(const char *at, const char *end)
{
	/* As Python's str() of them. */
	static const struct {
		const char *literal, *written;
	} names[] = {{"NaN", "nan"}, {"Infinity", "inf"}, {"-Infinity", "-inf"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const size_t length = strlen(names[i].literal);
		if ((size_t)(end - at) >= length && memcmp(at, names[i].literal, length) == 0)
			return (struct token){.length = length, .is_quoted = true, .written = names[i].written};
	}
	if (*at == '"')
		return scan_string(at, end);
	if (is_digit(*at) || *at == '-')
		return scan_number(at, end);
	const char *begin = at++;
	/* Letters stay together, so that no literal is found within a word. */
	while (at < end && is_letter(*begin) && is_letter(*at))
		at++;
	return (struct token){.length = (size_t)(at - begin)};
}

/* The text with quotes where they are wanted. `*origin`: where what is at `position` of it came from. */
static struct perseus__text
quote(const char *bytes, size_t length, size_t position, size_t *origin)
{
	struct perseus__text text = perseus__text_init(3 * length + 3);
	const char *end = bytes + length;
	for (const char *at = bytes; at < end;) {
		const struct token token = scan_token(at, end);
		const char *written = token.written ? token.written : at;
		const size_t n = token.written ? strlen(token.written) : token.length;
		if (text.length <= position) {
			const size_t within = position - text.length;
			*origin = (size_t)(at - bytes) + (within < token.length ? within : token.length);
		}
		if (token.is_quoted)
			perseus__text_addf(&text, "\"%.*s\"", (int)n, written);
		else
			perseus__text_add(&text, written, n);
		at += token.length;
	}
	return text;
}

/* Where in the user's text an error is; counted in characters, as Python does. */
static void
locate(const char *bytes, size_t length, size_t quoted_position, struct perseus__lax_error *error)
{
	size_t end = 0;
	struct perseus__text again = quote(bytes, length, quoted_position, &end);
	error->is_memory |= again.failed;
	perseus__text_fini(&again);
	error->line = 1;
	error->column = 1;
	error->position = 0;
	for (size_t i = 0; i < end; i++) {
		const bool is_inside = ((unsigned char)bytes[i] & 0xc0) == 0x80;
		error->position += !is_inside;
		error->column = bytes[i] == '\n' ? 1 : error->column + !is_inside;
		error->line += bytes[i] == '\n';
	}
}

json_t *
perseus__lax_parse(const char *bytes, size_t length, struct perseus__lax_error *error)
{
	json_error_t found;
	size_t origin;
	struct perseus__text text = quote(bytes, length, 0, &origin);
	*error = (struct perseus__lax_error){.is_memory = text.failed};
	if (text.failed) {
		perseus__text_fini(&text);
		return NULL;
	}
	json_t *value = json_loadb(text.length ? text.bytes : "", text.length, JSON_DECODE_ANY, &found);
	perseus__text_fini(&text);
	if (value)
		return value;
	error->is_memory = json_error_code(&found) == json_error_out_of_memory;
	(void)snprintf(error->message, sizeof error->message, "%s", found.text);
	locate(bytes, length, found.position > 0 ? (size_t)found.position : 0, error);
	return NULL;
}

/* Without Python's white space around it. */
static void
strip(const char **begin, const char **end)
{
	static const char space[] = " \t\n\r\v\f\x1c\x1d\x1e\x1f";
	while (*begin < *end && is_one_of(**begin, space))
		++*begin;
	while (*end > *begin && is_one_of((*end)[-1], space))
		--*end;
}

/* Digits with single underscores between them; the end, or NULL where there is no digit or an underscore too many. */
static const char *
skip_digits(const char *at, const char *end)
{
	if (at == end || !is_digit(*at))
		return NULL;
	while (at < end && (is_digit(*at) || (*at == '_' && at + 1 < end && is_digit(at[1]))))
		at++;
	return at < end && *at == '_' ? NULL : at;
}

bool
perseus__lax_integer_text(const char *text, int64_t *number)
{
	const char *at = text, *end = text + strlen(text);
	strip(&at, &end);
	const bool is_negative = at < end && *at == '-';
	at += at < end && is_one_of(*at, "+-");
	if (skip_digits(at, end) != end || at == end)
		return false;
	int64_t value = 0;
	for (; at < end; at++) {
		if (*at == '_')
			continue;
		const int digit = *at - '0';
		if (__builtin_mul_overflow(value, 10, &value)
				|| __builtin_add_overflow(value, is_negative ? -digit : digit, &value)) {
			*number = is_negative ? INT64_MIN : INT64_MAX;
			return true;
		}
	}
	*number = value;
	return true;
}

bool
perseus__lax_integer(const json_t *value, int64_t *number)
{
	if (json_is_integer(value))
		*number = json_integer_value(value);
	else if (json_is_boolean(value))
		*number = json_is_true(value);
	else if (json_is_real(value) && json_real_value(value) >= INT64_EDGE)
		*number = INT64_MAX;
	else if (json_is_real(value) && json_real_value(value) < -INT64_EDGE)
		*number = INT64_MIN;
	else if (json_is_real(value))
		*number = (int64_t)json_real_value(value);
	else
		return json_is_string(value) && perseus__lax_integer_text(json_string_value(value), number);
	return true;
}

/* The text of a float as JSON would have it, read by jansson, which is exact in every locale. */
static bool
read_decimal(const char *begin, const char *end, double *number)
{
	char text[MAX_NUMBER_BYTES + 8];
	size_t length = 0;
	if (end - begin > MAX_NUMBER_BYTES)
		return false;
	if (*begin == '.')
		text[length++] = '0';
	for (const char *at = begin; at < end; at++) {
		const bool is_leading_zero = length == 0 && *at == '0' && at + 1 < end && (is_digit(at[1]) || at[1] == '_');
		const bool is_bare_point = *at == '.' && (at + 1 == end || !is_digit(at[1]));
		if (*at == '_' || is_leading_zero || is_bare_point)
			continue;
		text[length++] = *at;
	}
	json_error_t error;
	json_t *value = json_loadb(text, length, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &error);
	const bool is_beyond = !value && json_error_code(&error) == json_error_numeric_overflow;
	if (value || is_beyond)
		*number = value ? json_real_value(value) : (double)INFINITY;
	json_decref(value);
	return value || is_beyond;
}

/* Whether the text is digits with a point and an exponent as Python's float() wants them. */
static bool
is_decimal(const char *at, const char *end)
{
	const char *whole = skip_digits(at, end);
	const char *fraction = NULL;
	at = whole ? whole : at;
	if (at < end && *at == '.') {
		fraction = skip_digits(++at, end);
		at = fraction ? fraction : at;
	}
	if (!whole && !fraction)
		return false;
	if (at < end && is_one_of(*at, "eE")) {
		at++;
		at += at < end && is_one_of(*at, "+-");
		at = skip_digits(at, end);
	}
	return at == end;
}

static bool
is_word(const char *begin, const char *end, const char *word)
{
	const size_t length = strlen(word);
	return (size_t)(end - begin) == length && strncasecmp(begin, word, length) == 0;
}

static bool
parse_double(const char *text, double *number)
{
	const char *at = text, *end = text + strlen(text);
	strip(&at, &end);
	const bool is_negative = at < end && *at == '-';
	at += at < end && is_one_of(*at, "+-");
	double value;
	if (is_word(at, end, "nan"))
		value = (double)NAN;
	else if (is_word(at, end, "inf") || is_word(at, end, "infinity"))
		value = (double)INFINITY;
	else if (!is_decimal(at, end) || !read_decimal(at, end, &value))
		return false;
	*number = is_negative ? -value : value;
	return true;
}

bool
perseus__lax_double(const json_t *value, double *number)
{
	if (json_is_string(value))
		return parse_double(json_string_value(value), number);
	if (!json_is_number(value) && !json_is_boolean(value))
		return false;
	*number = json_is_boolean(value) ? (double)json_is_true(value) : json_number_value(value);
	return true;
}

bool
perseus__lax_string(const json_t *value, char **copy, bool *is_memory)
{
	char number[PERSEUS__PYTHON_NUMBER_BYTES];
	const char *text = json_string_value(value);
	if (json_is_integer(value))
		(void)snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		perseus__python_repr(json_real_value(value), number);
	else if (json_is_boolean(value))
		(void)snprintf(number, sizeof number, "%s", json_is_true(value) ? "True" : "False");
	else if (!text)
		return false;
	*copy = perseus__copy_string(text ? text : number);
	*is_memory = !*copy;
	return *copy != NULL;
}

static bool
add_pair(json_t *object, const json_t *pair)
{
	char *key;
	bool is_memory = false;
	if (json_array_size(pair) != 2 || !perseus__lax_string(json_array_get(pair, 0), &key, &is_memory))
		return false;
	const int status = json_object_set(object, key, json_array_get(pair, 1));
	perseus__free(key);
	return status == 0;
}

json_t *
perseus__lax_object(json_t *value)
{
	size_t i;
	const json_t *pair;
	if (json_is_object(value))
		return json_incref(value);
	if (!json_is_array(value))
		return NULL;
	json_t *object = json_object();
	json_array_foreach(value, i, pair)
	{
		if (!add_pair(object, pair)) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}
