/* Writes JSON text. */
#include "format/json_writer.h"

#include "base/utf8.h"
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

static void
add_quoted(struct perseus__json *json, const char *string)
{
	add(json, "\"");
	for (const unsigned char *at = (const unsigned char *)string; *at;) {
		const size_t length = perseus__utf8_length((const char *)at);
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
