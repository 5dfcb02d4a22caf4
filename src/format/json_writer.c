/* Writes JSON text. */
#include "format/json_writer.h"

#include "format/number.h"

#include <string.h>

struct perseus__json
perseus__json_init(struct perseus__text *text)
{
	return (struct perseus__json){.text = text};
}

static void
add(struct perseus__json *json, const char *string)
{
	perseus__text_add(json->text, string, strlen(string));
}

static void
new_line(struct perseus__json *json)
{
	add(json, "\n");
	for (int i = 0; i < json->depth; i++)
		add(json, "  ");
}

/* Length of the UTF-8 sequence at `at`, or 0 where the bytes are none (Unicode 15, table 3-7). */
static size_t
utf8_length(const unsigned char *at)
{
	static const struct {
		unsigned char first, last;   /* of byte 1 */
		unsigned char second, third; /* bounds of byte 2; the rest are 80..BF */
		size_t length;
	} forms[] = {
		{0x20, 0x7f, 0, 0, 1},
		{0xc2, 0xdf, 0x80, 0xbf, 2},
		{0xe0, 0xe0, 0xa0, 0xbf, 3},
		{0xe1, 0xec, 0x80, 0xbf, 3},
		{0xed, 0xed, 0x80, 0x9f, 3},
		{0xee, 0xef, 0x80, 0xbf, 3},
		{0xf0, 0xf0, 0x90, 0xbf, 4},
		{0xf1, 0xf3, 0x80, 0xbf, 4},
		{0xf4, 0xf4, 0x80, 0x8f, 4},
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (at[0] < forms[i].first || at[0] > forms[i].last)
			continue;
		if (forms[i].length > 1 && (at[1] < forms[i].second || at[1] > forms[i].third))
			return 0;
		for (size_t k = 2; k < forms[i].length; k++)
			if (at[k] < 0x80 || at[k] > 0xbf)
				return 0;
		return forms[i].length;
	}
	return 0;
}

static void
add_quoted(struct perseus__json *json, const char *string)
{
	add(json, "\"");
	for (const unsigned char *at = (const unsigned char *)string; *at;) {
		const size_t length = utf8_length(at);
		if (*at < 0x20) {
			perseus__text_addf(json->text, "\\u%04x", (unsigned)*at);
			at++;
		} else if (*at == '"' || *at == '\\') {
			perseus__text_addf(json->text, "\\%c", *at);
			at++;
		} else if (length == 0) {
			add(json, "\xef\xbf\xbd");
			at++;
		} else {
			perseus__text_add(json->text, (const char *)at, length);
			at += length;
		}
	}
	add(json, "\"");
}

/* What goes before a value: comma, line, key. */
static void
begin_value(struct perseus__json *json, const char *key)
{
	if (json->has_member)
		add(json, json->line_depth ? ", " : ",");
	if (json->depth > 0 && !json->line_depth)
		new_line(json);
	if (key) {
		add_quoted(json, key);
		add(json, ": ");
	}
	json->has_member = true;
}

static void
open_container(struct perseus__json *json, const char *key, bool one_line, const char *bracket)
{
	begin_value(json, key);
	add(json, bracket);
	json->depth++;
	if (one_line || json->line_depth)
		json->line_depth++;
	json->has_member = false;
}

static void
close_container(struct perseus__json *json, const char *bracket)
{
	json->depth--;
	if (json->line_depth)
		json->line_depth--;
	else if (json->has_member)
		new_line(json);
	add(json, bracket);
	json->has_member = true;
	if (json->depth == 0)
		add(json, "\n");
}

void
perseus__json_open_object(struct perseus__json *json, const char *key, bool one_line)
{
	open_container(json, key, one_line, "{");
}

void
perseus__json_open_array(struct perseus__json *json, const char *key, bool one_line)
{
	open_container(json, key, one_line, "[");
}

void
perseus__json_close_object(struct perseus__json *json)
{
	close_container(json, "}");
}

void
perseus__json_close_array(struct perseus__json *json)
{
	close_container(json, "]");
}

void
perseus__json_string(struct perseus__json *json, const char *key, const char *value)
{
	begin_value(json, key);
	add_quoted(json, value);
}

void
perseus__json_number(struct perseus__json *json, const char *key, double value)
{
	char text[PERSEUS__NUMBER_BYTES];
	perseus__double_text(value, text);
	begin_value(json, key);
	add(json, text);
}

void
perseus__json_integer(struct perseus__json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	perseus__text_addf(json->text, "%lld", (long long)value);
}

void
perseus__json_boolean(struct perseus__json *json, const char *key, bool value)
{
	begin_value(json, key);
	add(json, value ? "true" : "false");
}

void
perseus__json_null(struct perseus__json *json, const char *key)
{
	begin_value(json, key);
	add(json, "null");
}

void
perseus__json_nano(struct perseus__json *json, const char *key, int64_t value)
{
	perseus__json_number(json, key, (double)value / 1e9);
}
