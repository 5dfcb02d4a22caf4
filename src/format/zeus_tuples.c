/* Parses the tuples that Zeus keeps its clocks in; writing them is in zeus_write.c. */
#include "format/zeus_tuples.h"

#include "base/error.h"
#include "base/memory.h"

#include <perseus/profile.h>

#include <stdbool.h>
#include <string.h>

struct parser {
	const char *at;
	const char *end;
	const char *line_begin;
	int64_t line;
	struct perseus__zeus_solution *solution;
	size_t cap_ranks; /* of rank_begin */
	size_t cap_entries;
	size_t cap_names;
	struct perseus_error *err;
};

/* A quoted string without its quotes. */
struct name {
	char bytes[PERSEUS__ZEUS_MAX_NAME_BYTES + 1];
	size_t length;
};

/* What stands at the parser, in words: one printable byte, or its value. */
static void
describe(const struct parser *parser, char *text, size_t size)
{
	struct perseus_error found;
	if (parser->at == parser->end)
		(void)perseus__fail(&found, PERSEUS_INVALID, "the end of the text");
	else if (*parser->at == '\n')
		(void)perseus__fail(&found, PERSEUS_INVALID, "the end of the line");
	else if (*parser->at > ' ' && *parser->at <= '~')
		(void)perseus__fail(&found, PERSEUS_INVALID, "'%c'", *parser->at);
	else
		(void)perseus__fail(&found, PERSEUS_INVALID, "byte 0x%02x", (unsigned char)*parser->at);
	const size_t length = strlen(found.message);
	const size_t kept = length < size ? length : size - 1;
	memcpy(text, found.message, kept);
	text[kept] = '\0';
}

static enum perseus_status
fail_at(const struct parser *parser, const char *at, const char *what)
{
	return perseus__fail(parser->err, PERSEUS_INVALID, "line %lld, column %lld: %s", (long long)parser->line,
			(long long)(at - parser->line_begin + 1), what);
}

static enum perseus_status
fail_expected(const struct parser *parser, const char *expected)
{
	char found[32];
	describe(parser, found, sizeof found);
	return perseus__fail(parser->err, PERSEUS_INVALID, "line %lld, column %lld: expected %s, found %s",
			(long long)parser->line, (long long)(parser->at - parser->line_begin + 1), expected, found);
}

/* Skips white space and comments. */
static void
skip(struct parser *parser)
{
	bool in_comment = false;
	for (; parser->at < parser->end; parser->at++) {
		const char c = *parser->at;
		if (c == '\n') {
			parser->line++;
			parser->line_begin = parser->at + 1;
			in_comment = false;
		} else if (c == '#') {
			in_comment = true;
		} else if (!in_comment && c != ' ' && c != '\t' && c != '\r' && c != '\f') {
			return;
		}
	}
}

static bool
accept(struct parser *parser, char c)
{
	skip(parser);
	if (parser->at == parser->end || *parser->at != c)
		return false;
	parser->at++;
	return true;
}

/* An opening bracket of either kind; its closing counterpart, or 0 where there is none. */
static char
open_sequence(struct parser *parser)
{
	if (accept(parser, '['))
		return ']';
	return accept(parser, '(') ? ')' : '\0';
}

static enum perseus_status
parse_string(struct parser *parser, struct name *name)
{
	const char *begin = parser->at;
	const char quote = *parser->at++;
	name->length = 0;
	for (;;) {
		if (parser->at == parser->end || *parser->at == '\n')
			return fail_at(parser, begin, "this string does not end on its line");
		char c = *parser->at++;
		if (c == quote)
			break;
		if (c == '\\') {
			c = parser->at < parser->end ? *parser->at : '\0';
			if (c != '\\' && c != '\'' && c != '"')
				return fail_at(parser, parser->at - 1, "only \\\\, \\' and \\\" are understood after a backslash");
			parser->at++;
		}
		if (c == '\0')
			return fail_at(parser, parser->at - 1, "a name cannot hold a zero byte");
		if (name->length == PERSEUS__ZEUS_MAX_NAME_BYTES)
			return fail_at(parser, begin, "this name is longer than 255 bytes");
		name->bytes[name->length++] = c;
	}
	name->bytes[name->length] = '\0';
	return PERSEUS_OK;
}

/* The one copy of a name in the solution. */
static enum perseus_status
intern(struct parser *parser, const struct name *name, const char **out)
{
	struct perseus__zeus_solution *solution = parser->solution;
	for (int32_t i = 0; i < solution->n_names; i++) {
		if (strcmp(solution->names[i], name->bytes) == 0) {
			*out = solution->names[i];
			return PERSEUS_OK;
		}
	}
	if (solution->n_names == PERSEUS__ZEUS_MAX_NAMES)
		return fail_at(parser, parser->at, "there are more than 1024 different names");
	if (!perseus__reserve(&solution->names, &parser->cap_names, (size_t)solution->n_names + 1, sizeof *solution->names))
		return perseus__no_memory(parser->err);
	char *copy = perseus__copy_string(name->bytes);
	if (!copy)
		return perseus__no_memory(parser->err);
	solution->names[solution->n_names++] = copy;
	*out = copy;
	return PERSEUS_OK;
}

/* Digits from `at` to `end`; -1 where it is not a number up to the limit. */
static int32_t
parse_digits(const char *at, const char *end)
{
	int32_t value = at == end ? -1 : 0;
	for (; at < end && value >= 0; at++) {
		if (*at < '0' || *at > '9')
			return -1;
		value = value * 10 + (*at - '0');
		if (value > PERSEUS_MAX_FREQUENCY_MHZ)
			return -1;
	}
	return value;
}

static enum perseus_status
parse_frequency(struct parser *parser, int32_t *frequency_mhz)
{
	static const char expected[] = "a clock in MHz, an integer from 0 to 100000";
	skip(parser);
	const char *begin = parser->at;
	if (begin < parser->end && (*begin == '\'' || *begin == '"')) {
		struct name digits;
		const enum perseus_status status = parse_string(parser, &digits);
		if (status != PERSEUS_OK)
			return status;
		*frequency_mhz = parse_digits(digits.bytes, digits.bytes + digits.length);
	} else {
		const char *end = begin;
		while (end < parser->end && ((*end >= '0' && *end <= '9') || *end == '.'))
			end++;
		if (end == begin)
			return fail_expected(parser, expected);
		*frequency_mhz = parse_digits(begin, end);
		parser->at = end;
	}
	if (*frequency_mhz < 0)
		return fail_at(parser, begin, "the clock must be an integer from 0 to 100000 MHz");
	return PERSEUS_OK;
}

/* After an element: a comma, or the end of the sequence. */
static enum perseus_status
parse_separator(struct parser *parser, char closing, const char *expected, bool *has_comma)
{
	*has_comma = accept(parser, ',');
	skip(parser);
	const bool at_closing = parser->at < parser->end && *parser->at == closing;
	if (!*has_comma && !at_closing)
		return fail_expected(parser, expected);
	return PERSEUS_OK;
}

/* ('forward', 1410) */
static enum perseus_status
parse_entry(struct parser *parser, struct perseus__zeus_entry *entry)
{
	struct name name;
	const char closing = open_sequence(parser);
	if (!closing)
		return fail_expected(parser, "('instruction', MHz) or the end of the rank's list");
	skip(parser);
	if (parser->at == parser->end || (*parser->at != '\'' && *parser->at != '"'))
		return fail_expected(parser, "the name of an instruction in quotes");
	enum perseus_status status = parse_string(parser, &name);
	if (status == PERSEUS_OK)
		status = intern(parser, &name, &entry->name);
	if (status != PERSEUS_OK)
		return status;
	if (!accept(parser, ','))
		return fail_expected(parser, "',' after the name of the instruction");
	status = parse_frequency(parser, &entry->frequency_mhz);
	if (status != PERSEUS_OK)
		return status;
	(void)accept(parser, ',');
	if (!accept(parser, closing))
		return fail_expected(parser, closing == ')' ? "')' after the clock" : "']' after the clock");
	return PERSEUS_OK;
}

static enum perseus_status
parse_rank(struct parser *parser)
{
	struct perseus__zeus_solution *solution = parser->solution;
	size_t n = solution->rank_begin[solution->n_ranks];
	const char *begin = parser->at;
	const char closing = open_sequence(parser);
	if (!closing)
		return fail_expected(parser, "the list of a rank, '[' or '('");
	bool has_comma = true;
	while (!accept(parser, closing)) {
		if (!perseus__reserve(&solution->entries, &parser->cap_entries, n + 1, sizeof *solution->entries))
			return perseus__no_memory(parser->err);
		enum perseus_status status = parse_entry(parser, &solution->entries[n]);
		if (status == PERSEUS_OK)
			status = parse_separator(parser, closing, "',' or the end of the rank's list", &has_comma);
		if (status != PERSEUS_OK)
			return status;
		n++;
	}
	if (closing == ')' && !has_comma && n == solution->rank_begin[solution->n_ranks] + 1)
		return fail_at(parser, begin, "a tuple of one needs a comma: (x,)");
	if (!perseus__reserve(
				&solution->rank_begin, &parser->cap_ranks, (size_t)solution->n_ranks + 2, sizeof *solution->rank_begin))
		return perseus__no_memory(parser->err);
	solution->rank_begin[++solution->n_ranks] = n;
	return PERSEUS_OK;
}

static enum perseus_status
parse_solution(struct parser *parser)
{
	skip(parser);
	const char *begin = parser->at;
	const char closing = open_sequence(parser);
	if (!closing)
		return fail_expected(parser, "the list of ranks, '[' or '('");
	bool has_comma = true;
	while (!accept(parser, closing)) {
		if (parser->solution->n_ranks == PERSEUS__ZEUS_MAX_RANKS)
			return fail_at(parser, parser->at, "there are more than 65536 ranks");
		enum perseus_status status = parse_rank(parser);
		if (status == PERSEUS_OK)
			status = parse_separator(parser, closing, "',' or the end of the list of ranks", &has_comma);
		if (status != PERSEUS_OK)
			return status;
	}
	if (parser->solution->n_ranks == 0)
		return fail_at(parser, begin, "there is no rank in the list");
	if (closing == ')' && !has_comma && parser->solution->n_ranks == 1)
		return fail_at(parser, begin, "a tuple of one needs a comma: (x,)");
	skip(parser);
	return parser->at == parser->end ? PERSEUS_OK : fail_expected(parser, "nothing after the list of ranks");
}

enum perseus_status
perseus__zeus_parse(const char *text, size_t length, struct perseus__zeus_solution **out, struct perseus_error *err)
{
	struct parser parser = {.at = text, .end = text + length, .line_begin = text, .line = 1, .err = err};
	parser.solution = perseus__new_array(1, sizeof *parser.solution);
	if (!parser.solution)
		return perseus__no_memory(err);
	enum perseus_status status = PERSEUS_OK;
	if (!perseus__reserve(&parser.solution->rank_begin, &parser.cap_ranks, 1, sizeof *parser.solution->rank_begin)) {
		status = perseus__no_memory(err);
		goto fail;
	}
	parser.solution->rank_begin[0] = 0;
	status = parse_solution(&parser);
	if (status != PERSEUS_OK)
		goto fail;
	*out = parser.solution;
	return PERSEUS_OK;
fail:
	perseus__zeus_free(parser.solution);
	return status;
}

void
perseus__zeus_free(struct perseus__zeus_solution *solution)
{
	if (!solution)
		return;
	for (int32_t i = 0; i < solution->n_names; i++)
		perseus__free(solution->names[i]);
	perseus__free(solution->names);
	perseus__free(solution->entries);
	perseus__free(solution->rank_begin);
	perseus__free(solution);
}
