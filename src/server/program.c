/* Programs, and how they are told to ranks and kept. */
#include "server/program.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/json_writer.h"
#include "server/body.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_TEXT_BYTES = 64 << 20, MAX_SEGMENTS = 4096, MAX_COLUMNS = 1 << 24 };

const char *
perseus__phase_name(enum perseus__phase phase)
{
	switch (phase) {
#define X(name, text)           \
	case PERSEUS__PHASE_##name: \
		return text;
		PERSEUS__PHASE_MAP(X)
#undef X
	}
	return "unknown";
}

struct perseus__program *
perseus__program_new(enum perseus__phase phase, bool is_by_class, int32_t n_segments, int32_t n_columns)
{
	struct perseus__program *program = perseus__new_array(1, sizeof *program);
	if (!program)
		return NULL;
	program->n_references = 1;
	program->phase = phase;
	program->is_by_class = is_by_class;
	program->n_columns = n_columns;
	program->n_segments = n_segments;
	program->n_steps = perseus__new_array((size_t)n_segments, sizeof *program->n_steps);
	program->mhz = perseus__new_array((size_t)n_segments * (size_t)n_columns, sizeof *program->mhz);
	if (!program->n_steps || !program->mhz) {
		perseus__program_unref(program);
		return NULL;
	}
	return program;
}

struct perseus__program *
perseus__program_ref(struct perseus__program *program)
{
	program->n_references++;
	return program;
}

void
perseus__program_unref(struct perseus__program *program)
{
	if (!program || --program->n_references > 0)
		return;
	for (int32_t pp = 0; pp < program->n_pp; pp++)
		perseus__free(program->texts[pp]);
	perseus__free(program->texts);
	perseus__free(program->n_steps);
	perseus__free(program->mhz);
	perseus__free(program);
}

bool
perseus__program_equals(const struct perseus__program *program, const struct perseus__program *other)
{
	if (program == other)
		return true;
	const size_t n_segments = (size_t)program->n_segments;
	return program->phase == other->phase && program->is_by_class == other->is_by_class
			&& program->n_columns == other->n_columns && program->n_segments == other->n_segments
			&& memcmp(program->n_steps, other->n_steps, n_segments * sizeof *program->n_steps) == 0
			&& memcmp(program->mhz, other->mhz, n_segments * (size_t)program->n_columns * sizeof *program->mhz) == 0;
}

static bool
make_texts(struct perseus__program *program, int32_t n_pp)
{
	if (program->texts)
		return true;
	program->texts = perseus__new_array((size_t)n_pp, sizeof *program->texts);
	program->n_pp = program->texts ? n_pp : 0;
	return program->texts != NULL;
}

/* Plain integers by hand: ten thousand ranks get theirs within a second. */
static void
add_integer(struct perseus__text *text, int32_t value)
{
	char digits[12];
	int n = (int)sizeof digits;
	int32_t rest = value;
	do
		digits[--n] = (char)('0' + rest % 10);
	while ((rest /= 10) > 0);
	perseus__text_add(text, digits + n, sizeof digits - (size_t)n);
}

const char *
perseus__program_text(
		struct perseus__program *program, const struct perseus_schedule *schedule, const int32_t *class_of, int32_t pp)
{
	if (!make_texts(program, schedule->n_ranks))
		return NULL;
	if (program->texts[pp])
		return program->texts[pp];
	struct perseus__text text = perseus__text_init(MAX_TEXT_BYTES);
	perseus__text_add(&text, "[", 1);
	for (int32_t s = 0; s < program->n_segments; s++) {
		const int32_t *mhz = program->mhz + (size_t)s * (size_t)program->n_columns;
		perseus__text_addf(&text, "%s{\"steps\":", s ? "," : "");
		if (program->n_steps[s] > 0)
			add_integer(&text, program->n_steps[s]);
		else
			perseus__text_add(&text, "null", 4);
		perseus__text_addf(&text, ",\"clocks_mhz\":");
		for (int32_t i = schedule->rank_begin[pp]; i < schedule->rank_begin[pp + 1]; i++) {
			perseus__text_add(&text, i == schedule->rank_begin[pp] ? "[" : ",", 1);
			add_integer(&text, mhz[program->is_by_class ? class_of[i] : i]);
		}
		perseus__text_add(&text, "]}", 2);
	}
	perseus__text_add(&text, "]", 1);
	if (text.failed)
		perseus__text_fini(&text);
	program->texts[pp] = text.bytes;
	return text.bytes;
}

void
perseus__program_write(const struct perseus__program *program, struct perseus__text *text)
{
	perseus__text_addf(text, "{\"by_class\":%s,\"columns\":%d,\"steps\":[", program->is_by_class ? "true" : "false",
			(int)program->n_columns);
	for (int32_t s = 0; s < program->n_segments; s++) {
		perseus__text_add(text, ",", s > 0);
		add_integer(text, program->n_steps[s]);
	}
	perseus__text_addf(text, "],\"mhz\":[");
	const size_t n = (size_t)program->n_segments * (size_t)program->n_columns;
	for (size_t i = 0; i < n; i++) {
		perseus__text_add(text, ",", i > 0);
		add_integer(text, program->mhz[i]);
	}
	perseus__text_add(text, "]}", 2);
}

void
perseus__promise_write(const struct perseus__promise *promise, struct perseus__text *text)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "deadline_ns", promise->deadline_ns);
	perseus__json_integer(&json, "time_ns", promise->time_ns);
	perseus__json_integer(&json, "energy_nj", promise->energy_nj);
	perseus__json_integer(&json, "baseline_time_ns", promise->baseline_time_ns);
	perseus__json_integer(&json, "baseline_energy_nj", promise->baseline_energy_nj);
	perseus__json_number(&json, "lower_bound_j", promise->lower_bound_j);
	perseus__json_integer(&json, "blocking_uw", promise->blocking_uw);
	perseus__json_close_object(&json);
}

static enum perseus_status
read_promise(const char *text, struct perseus__promise *promise, struct perseus_error *err)
{
#define FIELD(member)                                        \
	{.key = #member,                                         \
		.type = PERSEUS__FIELD_INT64,                        \
		.offset = offsetof(struct perseus__promise, member), \
		.least = -9e18,                                      \
		.most = 9e18,                                        \
		.is_required = true}
	static const struct perseus__field fields[] = {
		FIELD(deadline_ns),
		FIELD(time_ns),
		FIELD(energy_nj),
		FIELD(baseline_time_ns),
		FIELD(baseline_energy_nj),
		FIELD(blocking_uw),
		{.key = "lower_bound_j",
			.type = PERSEUS__FIELD_NUMBER,
			.offset = offsetof(struct perseus__promise, lower_bound_j),
			.least = -1e300,
			.most = 1e300,
			.may_be_null = true},
	};
#undef FIELD
	json_t *document = NULL;
	enum perseus_status status = perseus__body_parse(text, strlen(text), &document, err);
	promise->is_there = true;
	promise->lower_bound_j = NAN;
	if (status == PERSEUS_OK)
		status = perseus__body_read(document, "promise", fields, sizeof fields / sizeof *fields, promise, err);
	json_decref(document);
	return status;
}

struct program_text {
	bool is_by_class;
	int32_t n_columns;
	json_t *steps, *mhz;
};

static enum perseus_status
read_integers(const json_t *array, int32_t *out, struct perseus_error *err)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const json_int_t value = json_integer_value(json_array_get(array, i));
		if (value < 0 || value > INT32_MAX)
			return perseus__fail(err, PERSEUS_INVALID, "a program has a number out of range");
		out[i] = (int32_t)value;
	}
	return PERSEUS_OK;
}

static enum perseus_status
read_program(json_t *document, enum perseus__phase phase, struct perseus__program **out, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		{.key = "by_class", .type = PERSEUS__FIELD_FLAG, .offset = offsetof(struct program_text, is_by_class)},
		{.key = "columns",
			.type = PERSEUS__FIELD_INT32,
			.offset = offsetof(struct program_text, n_columns),
			.most = MAX_COLUMNS,
			.is_required = true},
		{.key = "steps",
			.type = PERSEUS__FIELD_ARRAY,
			.offset = offsetof(struct program_text, steps),
			.most = MAX_SEGMENTS,
			.is_required = true},
		{.key = "mhz",
			.type = PERSEUS__FIELD_ARRAY,
			.offset = offsetof(struct program_text, mhz),
			.most = MAX_COLUMNS,
			.is_required = true},
	};
	struct program_text text = {.steps = NULL};
	enum perseus_status status =
			perseus__body_read(document, "program", fields, sizeof fields / sizeof *fields, &text, err);
	if (status != PERSEUS_OK)
		return status;
	const size_t n_segments = json_array_size(text.steps);
	if (json_array_size(text.mhz) != n_segments * (size_t)text.n_columns)
		return perseus__fail(err, PERSEUS_INVALID, "a program lacks clocks");
	struct perseus__program *program =
			perseus__program_new(phase, text.is_by_class, (int32_t)n_segments, text.n_columns);
	if (!program)
		return perseus__no_memory(err);
	status = read_integers(text.steps, program->n_steps, err);
	if (status == PERSEUS_OK)
		status = read_integers(text.mhz, program->mhz, err);
	if (status == PERSEUS_OK)
		*out = program;
	else
		perseus__program_unref(program);
	return status;
}

enum perseus_status
perseus__program_read(enum perseus__phase phase, const char *text, const char *promise, struct perseus__program **out,
		struct perseus_error *err)
{
	json_t *document = NULL;
	struct perseus__program *program = NULL;
	enum perseus_status status = perseus__body_parse(text, strlen(text), &document, err);
	if (status == PERSEUS_OK)
		status = read_program(document, phase, &program, err);
	json_decref(document);
	if (status == PERSEUS_OK && promise)
		status = read_promise(promise, &program->promise, err);
	if (status == PERSEUS_OK)
		*out = program;
	else
		perseus__program_unref(program);
	return status;
}
