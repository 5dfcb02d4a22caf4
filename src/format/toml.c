/* A subset of TOML: a recursive descent without recursion, a character at a time. */
#include "format/toml.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

enum { MAX_NAME_BYTES = 64, MAX_STRING_BYTES = 4096, MAX_STRINGS = 64, MAX_ENTRIES = 256 };

/* "table" and "table.key" as they were met, to refuse a second one. */
struct name {
	char text[2 * MAX_NAME_BYTES + 2];
};

struct parser {
	const char *at;
	const char *end;
	const char *line_start;
	int64_t line;
	const char *label;
	char table[MAX_NAME_BYTES];
	struct name *names;
	size_t n_names;
	size_t cap_names;
	struct perseus__text strings[MAX_STRINGS]; /* of the value in the making */
	const char *pointers[MAX_STRINGS];
	size_t n_strings;
	perseus__toml_take *take;
	void *user;
	struct perseus_error *err;
};

static enum perseus_status
refuse(const struct parser *parser, const char *problem)
{
	return perseus__fail(parser->err, PERSEUS_INVALID, "%s:%lld:%lld: %s", parser->label, (long long)parser->line,
			(long long)(parser->at - parser->line_start) + 1, problem);
}

static bool
is_at(const struct parser *parser, char byte)
{
	return parser->at < parser->end && *parser->at == byte;
}

static void
skip_blanks(struct parser *parser)
{
	while (is_at(parser, ' ') || is_at(parser, '\t'))
		parser->at++;
}

static void
skip_comment(struct parser *parser)
{
	if (is_at(parser, '#'))
		while (parser->at < parser->end && *parser->at != '\n')
			parser->at++;
}

/* Goes beyond a line's end, LF or CRLF; false where there is none. */
static bool
skip_newline(struct parser *parser)
{
	if (is_at(parser, '\r') && parser->at + 1 < parser->end && parser->at[1] == '\n')
		parser->at++;
	if (!is_at(parser, '\n'))
		return false;
	parser->at++;
	parser->line++;
	parser->line_start = parser->at;
	return true;
}

/* Blanks, comments and ends of lines. */
static void
skip_space(struct parser *parser)
{
	do {
		skip_blanks(parser);
		skip_comment(parser);
	} while (skip_newline(parser));
}

static enum perseus_status
end_line(struct parser *parser)
{
	skip_blanks(parser);
	skip_comment(parser);
	if (parser->at < parser->end && !skip_newline(parser))
		return refuse(parser, "the line should end here");
	return PERSEUS_OK;
}

static bool
is_name_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') || byte == '_'
			|| byte == '-';
}

static enum perseus_status
read_name(struct parser *parser, char name[MAX_NAME_BYTES])
{
	size_t length = 0;
	for (; parser->at < parser->end && is_name_byte(*parser->at); parser->at++) {
		if (length + 1 == MAX_NAME_BYTES)
			return refuse(parser, "the name is too long");
		name[length++] = *parser->at;
	}
	name[length] = '\0';
	return length > 0 ? PERSEUS_OK : refuse(parser, "a name of letters, digits, _ and - should be here");
}

/* Notes a name, as table or as key of the table; refuses one that was met before. */
static enum perseus_status
note_name(struct parser *parser, const char *key)
{
	struct name name;
	/* Fits: both are shorter than MAX_NAME_BYTES. */
	(void)snprintf(name.text, sizeof name.text, "%s%s%s", parser->table, key ? "." : "", key ? key : "");
	for (size_t i = 0; i < parser->n_names; i++)
		if (strcmp(parser->names[i].text, name.text) == 0)
			return refuse(parser, key ? "this key was given before" : "this table was given before");
	if (parser->n_names == MAX_ENTRIES)
		return refuse(parser, "there are too many entries");
	if (!perseus__reserve(&parser->names, &parser->cap_names, parser->n_names + 1, sizeof *parser->names))
		return perseus__no_memory(parser->err);
	parser->names[parser->n_names++] = name;
	return PERSEUS_OK;
}

/* The byte that an escape in a basic string stands for; 0 where it is none of ours. */
static char
unescape(char byte)
{
	static const char from[] = "\"\\ntr";
	static const char to[] = "\"\\\n\t\r";
	const char *found = byte ? strchr(from, byte) : NULL;
	return found ? to[found - from] : '\0';
}

/* One byte of a string, behind its quote. */
static enum perseus_status
read_string_byte(struct parser *parser, char quote, struct perseus__text *string)
{
	char byte = *parser->at;
	if ((unsigned char)byte < ' ' && byte != '\t')
		return refuse(parser, "a string ends on its line, and holds no control characters");
	if (byte == '\\' && quote == '"') {
		parser->at++;
		byte = parser->at < parser->end ? unescape(*parser->at) : '\0';
		if (!byte)
			return refuse(parser, "this escape is not known; \\\" \\\\ \\n \\t and \\r are");
	}
	if (string->length == MAX_STRING_BYTES)
		return refuse(parser, "the string is too long");
	perseus__text_add(string, &byte, 1);
	parser->at++;
	return string->failed ? perseus__no_memory(parser->err) : PERSEUS_OK;
}

/* A string in "quotes", with escapes, or in 'quotes', without. */
static enum perseus_status
read_string(struct parser *parser)
{
	if (parser->n_strings == MAX_STRINGS)
		return refuse(parser, "there are too many strings");
	struct perseus__text *string = &parser->strings[parser->n_strings++];
	*string = perseus__text_init(MAX_STRING_BYTES);
	perseus__text_add(string, "", 0);
	if (string->failed)
		return perseus__no_memory(parser->err);
	const char quote = *parser->at++;
	while (!is_at(parser, quote)) {
		if (parser->at == parser->end)
			return refuse(parser, "the string is not closed");
		const enum perseus_status status = read_string_byte(parser, quote, string);
		if (status != PERSEUS_OK)
			return status;
	}
	parser->at++;
	if (string->length == 0 && is_at(parser, quote))
		return refuse(parser, "strings of several lines are not read here");
	return PERSEUS_OK;
}

static enum perseus_status
read_strings(struct parser *parser)
{
	for (parser->at++;;) {
		skip_space(parser);
		if (is_at(parser, ']'))
			break;
		if (!is_at(parser, '"') && !is_at(parser, '\''))
			return refuse(parser, "an array holds strings here");
		const enum perseus_status status = read_string(parser);
		if (status != PERSEUS_OK)
			return status;
		skip_space(parser);
		if (is_at(parser, ','))
			parser->at++;
		else if (!is_at(parser, ']'))
			return refuse(parser, "a comma or ] should be here");
	}
	parser->at++;
	return PERSEUS_OK;
}

static enum perseus_status
read_integer(struct parser *parser, int64_t *integer)
{
	int64_t value = 0;
	const char *start = parser->at;
	for (; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++)
		if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *parser->at - '0', &value))
			return refuse(parser, "the number is too large");
	*integer = value;
	return parser->at > start ? PERSEUS_OK : refuse(parser, "a string, a whole number or an array should be here");
}

static enum perseus_status
read_value(struct parser *parser, struct perseus__toml_entry *entry)
{
	if (is_at(parser, '[')) {
		entry->type = PERSEUS__TOML_STRINGS;
		return read_strings(parser);
	}
	if (is_at(parser, '"') || is_at(parser, '\'')) {
		entry->type = PERSEUS__TOML_STRING;
		return read_string(parser);
	}
	entry->type = PERSEUS__TOML_INTEGER;
	return read_integer(parser, &entry->integer);
}

static enum perseus_status
hand_over(struct parser *parser, struct perseus__toml_entry *entry)
{
	for (size_t i = 0; i < parser->n_strings; i++)
		parser->pointers[i] = parser->strings[i].bytes;
	entry->strings = parser->pointers;
	entry->n_strings = parser->n_strings;
	struct perseus_error why = {.message = ""};
	const enum perseus_status status = parser->take(parser->user, entry, &why);
	return status == PERSEUS_OK
			? PERSEUS_OK
			: perseus__fail(parser->err, status, "%s:%lld: %s", parser->label, (long long)entry->line, why.message);
}

static enum perseus_status
read_table(struct parser *parser)
{
	struct perseus__toml_entry entry = {
		.type = PERSEUS__TOML_TABLE, .table = parser->table, .key = "", .line = parser->line};
	parser->at++;
	skip_blanks(parser);
	enum perseus_status status = read_name(parser, parser->table);
	skip_blanks(parser);
	if (status == PERSEUS_OK && !is_at(parser, ']'))
		status = refuse(parser, "] should be here; tables have one level");
	if (status == PERSEUS_OK)
		status = note_name(parser, NULL);
	if (status != PERSEUS_OK)
		return status;
	parser->at++;
	status = end_line(parser);
	return status == PERSEUS_OK ? hand_over(parser, &entry) : status;
}

static enum perseus_status
read_pair(struct parser *parser)
{
	char key[MAX_NAME_BYTES];
	struct perseus__toml_entry entry = {.table = parser->table, .key = key, .line = parser->line};
	enum perseus_status status = read_name(parser, key);
	if (status == PERSEUS_OK)
		status = note_name(parser, key);
	skip_blanks(parser);
	if (status == PERSEUS_OK && !is_at(parser, '='))
		status = refuse(parser, "= should be here");
	if (status != PERSEUS_OK)
		return status;
	parser->at++;
	skip_blanks(parser);
	status = read_value(parser, &entry);
	if (status == PERSEUS_OK)
		status = end_line(parser);
	return status == PERSEUS_OK ? hand_over(parser, &entry) : status;
}

static void
drop_strings(struct parser *parser)
{
	while (parser->n_strings > 0)
		perseus__text_fini(&parser->strings[--parser->n_strings]);
}

enum perseus_status
perseus__toml_parse(const char *text, size_t length, const char *label, perseus__toml_take *take, void *user,
		struct perseus_error *err)
{
	struct parser parser = {.at = text,
		.end = text + length,
		.line_start = text,
		.line = 1,
		.label = label,
		.take = take,
		.user = user,
		.err = err};
	enum perseus_status status = PERSEUS_OK;
	for (skip_space(&parser); status == PERSEUS_OK && parser.at < parser.end; skip_space(&parser)) {
		status = is_at(&parser, '[') ? read_table(&parser) : read_pair(&parser);
		drop_strings(&parser);
	}
	perseus__free(parser.names);
	return status;
}
