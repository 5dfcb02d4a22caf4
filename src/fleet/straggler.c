/*
 * Causes of stragglers, and events drawn from them. Each pipeline and cause alternates between a time without and one
 * with the cause, both geometric.
 */
#include "base/error.h"
#include "base/memory.h"
#include "fleet/random.h"

#include <perseus/simulate.h>

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* Degrees are drawn in whole millionths: finer than anyone measures, and short in a file. */
static const double millionths = 1e6;

const char *
perseus_straggler_cause_name(enum perseus_straggler_cause cause)
{
	switch (cause) {
#define X(name, text)              \
	case PERSEUS_STRAGGLER_##name: \
		return text;
		PERSEUS_STRAGGLER_CAUSE_MAP(X)
#undef X
	case PERSEUS_N_STRAGGLER_CAUSES:
		break;
	}
	return "unknown";
}

struct perseus_straggler_process
perseus_straggler_process_default(enum perseus_straggler_cause cause)
{
	/* The header says what is published and what is assumed. */
	static const struct perseus_straggler_process defaults[PERSEUS_N_STRAGGLER_CAUSES] = {
		[PERSEUS_STRAGGLER_THERMAL] = {PERSEUS_STRAGGLER_THERMAL, 5000, 60, 1.1, 1.5},
		[PERSEUS_STRAGGLER_INPUT_STALL] = {PERSEUS_STRAGGLER_INPUT_STALL, 2000, 1, 1, 4},
		[PERSEUS_STRAGGLER_FAIL_SLOW] = {PERSEUS_STRAGGLER_FAIL_SLOW, 20000, 400, 1.1, 1.5},
	};
	return defaults[cause];
}

void
perseus_straggler_events_free(struct perseus_straggler_event *events)
{
	perseus__free(events);
}

/* A cause as it is drawn from. */
struct source {
	enum perseus_straggler_cause cause;
	struct perseus__geometric between;
	struct perseus__geometric duration;
	int64_t least_millionths;
	int64_t greatest_millionths;
};

/* A cause at one pipeline. */
struct strike {
	struct perseus__random random;
	int64_t turn; /* iteration at which it next begins or ends */
	double degree;
	bool is_on;
};

struct drawing {
	struct source sources[PERSEUS_N_STRAGGLER_CAUSES];
	struct strike strikes[PERSEUS_N_STRAGGLER_CAUSES]; /* of the pipeline at hand */
	int32_t n_sources;
	int64_t n_iterations;
	uint64_t seed;
	struct perseus_straggler_event *events;
	size_t n_events;
	size_t capacity;
};

static enum perseus_status
check_mean(double mean, const char *field, int32_t index, enum perseus_straggler_cause cause, struct perseus_error *err)
{
	if (mean >= 1 && isfinite(mean))
		return PERSEUS_OK;
	return perseus__fail(err, PERSEUS_INVALID, "process %d (%s): %s is %g, expected a number of at least 1", (int)index,
			perseus_straggler_cause_name(cause), field, mean);
}

static enum perseus_status
check_process(const struct perseus_straggler_process *process, int32_t index, struct perseus_error *err)
{
	if ((unsigned)process->cause >= PERSEUS_N_STRAGGLER_CAUSES)
		return perseus__fail(
				err, PERSEUS_INVALID, "process %d: no cause has number %d", (int)index, (int)process->cause);
	enum perseus_status status =
			check_mean(process->mean_between_iterations, "mean_between_iterations", index, process->cause, err);
	if (status == PERSEUS_OK)
		status = check_mean(process->mean_duration_iterations, "mean_duration_iterations", index, process->cause, err);
	if (status != PERSEUS_OK)
		return status;
	const char *name = perseus_straggler_cause_name(process->cause);
	if (process->cause == PERSEUS_STRAGGLER_INPUT_STALL && process->mean_duration_iterations > 1)
		return perseus__fail(err, PERSEUS_INVALID,
				"process %d (%s): mean_duration_iterations is %g, but a stall takes one iteration", (int)index, name,
				process->mean_duration_iterations);
	if (!(process->least_degree >= 1 && process->greatest_degree >= process->least_degree
				&& process->greatest_degree <= PERSEUS_MAX_DEGREE))
		return perseus__fail(err, PERSEUS_INVALID,
				"process %d (%s): degrees from %g to %g, expected 1 <= least <= greatest <= %g", (int)index, name,
				process->least_degree, process->greatest_degree, PERSEUS_MAX_DEGREE);
	return PERSEUS_OK;
}

static enum perseus_status
check_processes(const struct perseus_straggler_process *processes, int32_t n_processes, struct perseus_error *err)
{
	bool is_given[PERSEUS_N_STRAGGLER_CAUSES] = {false};
	double greatest = 1;
	for (int32_t k = 0; k < n_processes; k++) {
		const enum perseus_status status = check_process(&processes[k], k, err);
		if (status != PERSEUS_OK)
			return status;
		if (is_given[processes[k].cause])
			return perseus__fail(err, PERSEUS_INVALID, "process %d: cause %s is given twice", (int)k,
					perseus_straggler_cause_name(processes[k].cause));
		is_given[processes[k].cause] = true;
		greatest *= processes[k].greatest_degree;
	}
	if (greatest > PERSEUS_MAX_DEGREE)
		return perseus__fail(err, PERSEUS_INVALID,
				"the processes together slow a pipeline down by up to %g, expected at most %g", greatest,
				PERSEUS_MAX_DEGREE);
	return PERSEUS_OK;
}

static struct source
source_of(const struct perseus_straggler_process *process)
{
	return (struct source){
		.cause = process->cause,
		.between = perseus__geometric_of_mean(process->mean_between_iterations),
		.duration = perseus__geometric_of_mean(process->mean_duration_iterations),
		.least_millionths = llround(process->least_degree * millionths),
		.greatest_millionths = llround(process->greatest_degree * millionths),
	};
}

static int64_t
later(int64_t iteration, int64_t by)
{
	return by < INT64_MAX - iteration ? iteration + by : INT64_MAX;
}

/* Begins or ends a cause at the pipeline at hand. */
static void
take_turn(struct strike *strike, const struct source *source)
{
	strike->is_on = !strike->is_on;
	strike->degree = strike->is_on
			? (double)perseus__random_between(&strike->random, source->least_millionths, source->greatest_millionths)
					/ millionths
			: 1;
	const struct perseus__geometric *length = strike->is_on ? &source->duration : &source->between;
	strike->turn = later(strike->turn, perseus__geometric_draw(length, &strike->random));
}

static void
begin_pipeline(struct drawing *drawing, int32_t pipeline)
{
	for (int32_t k = 0; k < drawing->n_sources; k++) {
		const struct source *source = &drawing->sources[k];
		struct strike *strike = &drawing->strikes[source->cause];
		*strike = (struct strike){.degree = 1};
		strike->random = perseus__random_stream(drawing->seed, (uint64_t)source->cause, (uint64_t)pipeline);
		strike->turn = perseus__geometric_draw(&source->between, &strike->random);
	}
}

static int64_t
next_turn(const struct drawing *drawing)
{
	int64_t turn = INT64_MAX;
	for (int32_t k = 0; k < drawing->n_sources; k++) {
		const struct strike *strike = &drawing->strikes[drawing->sources[k].cause];
		if (strike->turn < turn)
			turn = strike->turn;
	}
	return turn;
}

/* All that changes at `iteration`; the degree that comes of it. Causes multiply in their own order. */
static double
turn_all(struct drawing *drawing, int64_t iteration)
{
	for (int32_t k = 0; k < drawing->n_sources; k++) {
		struct strike *strike = &drawing->strikes[drawing->sources[k].cause];
		if (strike->turn == iteration)
			take_turn(strike, &drawing->sources[k]);
	}
	double degree = 1;
	for (int32_t cause = 0; cause < PERSEUS_N_STRAGGLER_CAUSES; cause++)
		degree *= drawing->strikes[cause].degree;
	/* The product of the bounds is checked, but rounding to millionths may pass it. */
	return degree < PERSEUS_MAX_DEGREE ? degree : PERSEUS_MAX_DEGREE;
}

static enum perseus_status
draw_pipeline(struct drawing *drawing, int32_t pipeline, struct perseus_error *err)
{
	begin_pipeline(drawing, pipeline);
	double before = 1;
	for (int64_t at = next_turn(drawing); at < drawing->n_iterations; at = next_turn(drawing)) {
		const double degree = turn_all(drawing, at);
		if (degree == before)
			continue;
		if (!perseus__reserve(&drawing->events, &drawing->capacity, drawing->n_events + 1, sizeof *drawing->events))
			return perseus__no_memory(err);
		drawing->events[drawing->n_events++] =
				(struct perseus_straggler_event){.iteration = at, .pipeline = pipeline, .degree = degree};
		before = degree;
	}
	return PERSEUS_OK;
}

/* A pipeline changes once an iteration at most: no two events are equal. */
static int
by_iteration_then_pipeline(const void *left, const void *right)
{
	const struct perseus_straggler_event *a = left;
	const struct perseus_straggler_event *b = right;
	if (a->iteration != b->iteration)
		return a->iteration < b->iteration ? -1 : 1;
	return (a->pipeline > b->pipeline) - (a->pipeline < b->pipeline);
}

enum perseus_status
perseus_straggler_events_draw(const struct perseus_straggler_settings *settings, struct perseus_straggler_event **out,
		int64_t *n_events, struct perseus_error *err)
{
	const int32_t n_processes = settings->n_processes;
	if (n_processes < 0 || settings->n_pipelines < 0 || settings->n_iterations < 0)
		return perseus__fail(err, PERSEUS_INVALID,
				"%d processes, %d pipelines, %" PRId64 " iterations: none may be below 0", (int)n_processes,
				(int)settings->n_pipelines, settings->n_iterations);
	enum perseus_status status = check_processes(settings->processes, n_processes, err);
	if (status != PERSEUS_OK)
		return status;
	struct drawing drawing = {.n_sources = n_processes, .n_iterations = settings->n_iterations, .seed = settings->seed};
	for (int32_t cause = 0; cause < PERSEUS_N_STRAGGLER_CAUSES; cause++)
		drawing.strikes[cause].degree = 1;
	for (int32_t k = 0; k < n_processes; k++)
		drawing.sources[k] = source_of(&settings->processes[k]);
	for (int32_t pipeline = 0; pipeline < settings->n_pipelines && status == PERSEUS_OK; pipeline++)
		status = draw_pipeline(&drawing, pipeline, err);
	if (status != PERSEUS_OK) {
		perseus__free(drawing.events);
		return status;
	}
	if (drawing.n_events > 0)
		qsort(drawing.events, drawing.n_events, sizeof *drawing.events, by_iteration_then_pipeline);
	*out = drawing.events;
	*n_events = (int64_t)drawing.n_events;
	return PERSEUS_OK;
}
