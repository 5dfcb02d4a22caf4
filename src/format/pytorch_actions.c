/*
 * Cells of a PyTorch pipeline CSV to actions. Unlike torch, which matches a beginning, the whole cell must be right:
 * "0F1xyz" is no forward.
 */
#include "format/pytorch_actions.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/csv.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *text;
	enum perseus__word word;
	bool has_microbatch;
} words[] = {
	{"F", PERSEUS__WORD_F, true},
	{"I", PERSEUS__WORD_I, true},
	{"B", PERSEUS__WORD_B, true},
	{"W", PERSEUS__WORD_W, true},
	{"UNSHARD", PERSEUS__WORD_UNSHARD, false},
	{"RESHARD", PERSEUS__WORD_RESHARD, false},
	{"REDUCE_GRAD", PERSEUS__WORD_REDUCE_GRAD, false},
	{"SEND_F", PERSEUS__WORD_SEND_F, true},
	{"RECV_F", PERSEUS__WORD_RECV_F, true},
	{"SEND_B", PERSEUS__WORD_SEND_B, true},
	{"RECV_B", PERSEUS__WORD_RECV_B, true},
};

/* Text of a cell that is yet to be read. */
struct span {
	const char *at;
	const char *end;
};

static bool
skip_char(struct span *span, char c)
{
	if (span->at == span->end || *span->at != c)
		return false;
	span->at++;
	return true;
}

static bool
skip_text(struct span *span, const char *text)
{
	const size_t length = strlen(text);
	if ((size_t)(span->end - span->at) < length || memcmp(span->at, text, length) != 0)
		return false;
	span->at += length;
	return true;
}

/* Nine digits at most: every such number fits, and no stage or microbatch needs more. */
static bool
read_number(struct span *span, int32_t *number)
{
	const char *begin = span->at;
	int32_t value = 0;
	while (span->at < span->end && *span->at >= '0' && *span->at <= '9' && span->at - begin < 9)
		value = value * 10 + (*span->at++ - '0');
	*number = value;
	return span->at > begin && (span->at == span->end || *span->at < '0' || *span->at > '9');
}

/* NULL, or what is wrong. */
static const char *
read_action(struct span *span, struct perseus__action *action)
{
	if (!read_number(span, &action->stage))
		return "expected a stage number of at most nine digits first";
	const char *word = span->at;
	while (span->at < span->end && ((*span->at >= 'A' && *span->at <= 'Z') || *span->at == '_'))
		span->at++;
	const size_t length = (size_t)(span->at - word);
	action->microbatch = -1;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strlen(words[i].text) != length || memcmp(words[i].text, word, length) != 0)
			continue;
		action->word = words[i].word;
		if (words[i].has_microbatch && !read_number(span, &action->microbatch))
			return "expected a microbatch number of at most nine digits behind the action";
		return NULL;
	}
	return "expected F, I, B, W, UNSHARD, RESHARD, REDUCE_GRAD, SEND_F, RECV_F, SEND_B or RECV_B behind the stage";
}

static const char *
read_pair(struct span *span, struct perseus__cell *cell)
{
	for (int32_t i = 0; i < 2; i++) {
		const char *problem = read_action(span, &cell->actions[i]);
		if (problem)
			return problem;
		if (cell->actions[i].word > PERSEUS__WORD_W)
			return "only F, I, B and W can overlap";
		if (!skip_char(span, i == 0 ? ';' : ')'))
			return i == 0 ? "expected \";\" between two overlapped actions"
						  : "expected \")\" behind two overlapped actions";
	}
	cell->n_actions = 2;
	return skip_text(span, "OVERLAP_F_B") ? NULL : "expected \"OVERLAP_F_B\" behind the overlapped actions";
}

static const char *
read_cell(struct span span, struct perseus__cell *cell)
{
	cell->n_actions = 1;
	const char *problem = skip_char(&span, '(') ? read_pair(&span, cell) : read_action(&span, &cell->actions[0]);
	if (problem)
		return problem;
	return span.at == span.end ? NULL : "unexpected text at the end";
}

static enum perseus_status
fail_cell(const struct perseus__cells *cells, const struct perseus__cell *cell, struct span span, const char *problem,
		struct perseus_error *err)
{
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	return perseus__fail(err, PERSEUS_INVALID, "%s:%d: rank %d, column %d: \"%s\": %s", cells->label, cell->line,
			cell->rank, cell->column, perseus__csv_shown(span.at, (size_t)(span.end - span.at), shown), problem);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum perseus_status
take_cell(struct perseus__cells *cells, struct perseus__cell cell, struct span span, struct perseus_error *err)
{
	while (span.at < span.end && is_blank(span.at[0]))
		span.at++;
	while (span.at < span.end && is_blank(span.end[-1]))
		span.end--;
	if (span.at == span.end || (span.end - span.at == 2 && memcmp(span.at, "\"\"", 2) == 0))
		return PERSEUS_OK;
	const char *problem = read_cell(span, &cell);
	if (problem)
		return fail_cell(cells, &cell, span, problem, err);
	if (!perseus__reserve(&cells->cells, &cells->capacity, cells->n_cells + 1, sizeof *cells->cells))
		return perseus__no_memory(err);
	cells->cells[cells->n_cells++] = cell;
	return PERSEUS_OK;
}

static enum perseus_status
take_row(struct perseus__cells *cells, struct span row, int32_t line, struct perseus_error *err)
{
	struct perseus__cell cell = {.rank = cells->n_ranks, .line = line};
	for (bool is_last = false; !is_last;) {
		const char *comma = memchr(row.at, ',', (size_t)(row.end - row.at));
		is_last = !comma;
		cell.column++;
		const struct span span = {row.at, comma ? comma : row.end};
		const enum perseus_status status = take_cell(cells, cell, span, err);
		if (status != PERSEUS_OK)
			return status;
		row.at = comma ? comma + 1 : row.end;
	}
	cells->n_ranks++;
	return PERSEUS_OK;
}

/* Empty lines are ranks without actions but for those at the end, which no one writes on purpose. */
static size_t
without_empty_end(const char *bytes, size_t length)
{
	while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r' || is_blank(bytes[length - 1])))
		length--;
	return length;
}

enum perseus_status
perseus__cells_parse(
		struct perseus__cells *cells, const char *label, const char *bytes, size_t length, struct perseus_error *err)
{
	enum { MAX_BYTES = 1 << 30 }; /* keeps lines and columns inside 32 bits */
	struct perseus__cells made = {.label = label};
	static const char mark[] = "\xef\xbb\xbf";
	const size_t mark_length = length >= 3 && memcmp(bytes, mark, 3) == 0 ? 3 : 0;
	struct span rest = {bytes + mark_length, bytes + mark_length};
	rest.end += without_empty_end(rest.at, length - mark_length);
	enum perseus_status status = PERSEUS_OK;
	if (length > MAX_BYTES)
		status = perseus__fail(err, PERSEUS_INVALID, "%s: %zu bytes: expected %d at most", label, length, MAX_BYTES);
	else if (rest.at == rest.end)
		status = perseus__fail(err, PERSEUS_INVALID, "%s: empty: expected one row per pipeline rank", label);
	for (int32_t line = 1; status == PERSEUS_OK && rest.at < rest.end; line++) {
		const char *newline = memchr(rest.at, '\n', (size_t)(rest.end - rest.at));
		struct span row = {rest.at, newline ? newline : rest.end};
		rest.at = newline ? newline + 1 : rest.end;
		if (row.at < row.end && row.end[-1] == '\r')
			row.end--;
		status = take_row(&made, row, line, err);
	}
	if (status != PERSEUS_OK) {
		perseus__cells_fini(&made);
		return status;
	}
	*cells = made;
	return PERSEUS_OK;
}

void
perseus__cells_fini(struct perseus__cells *cells)
{
	perseus__free(cells->cells);
	*cells = (struct perseus__cells){0};
}
