/* Events of stragglers from everything that the options name. */
#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/straggler_options.h"
#include "format/straggler_csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/* From `event` on, this is the degree that one of several sources gives its pipeline. */
struct change {
	struct perseus_straggler_event event;
	int32_t source;
};

struct changes {
	struct change *rows; /* length n */
	size_t n;
	size_t capacity;
	int32_t n_sources;
};

int32_t
perseus__straggler_processes(const struct perseus__straggler_options *options, const struct perseus__straggler_run *run,
		struct perseus_straggler_process *processes)
{
	const double iteration_s = (double)run->iteration_ns / 1e9;
	int32_t n = 0;
	for (int i = 0; i < PERSEUS_N_STRAGGLER_CAUSES; i++) {
		const struct perseus__random_cause *cause = &options->causes[i];
		if (!cause->is_given)
			continue;
		processes[n] = cause->process;
		if (cause->between_s > 0)
			processes[n].mean_between_iterations = fmax(1, (double)cause->between_s / iteration_s);
		if (cause->duration_s > 0)
			processes[n].mean_duration_iterations = fmax(1, (double)cause->duration_s / iteration_s);
		n++;
	}
	return n;
}

static bool
add(struct changes *changes, int32_t source, struct perseus_straggler_event event)
{
	if (!perseus__reserve(&changes->rows, &changes->capacity, changes->n + 1, sizeof *changes->rows))
		return false;
	changes->rows[changes->n++] = (struct change){event, source};
	return true;
}

/* Adds a source; what comes after the end of the run is left out, and counted. */
static bool
add_all(struct changes *changes, const struct perseus_straggler_event *events, int64_t n_events, int64_t n_iterations,
		int64_t *n_late)
{
	const int32_t source = changes->n_sources++;
	for (int64_t i = 0; i < n_events; i++) {
		if (events[i].iteration >= n_iterations)
			++*n_late;
		else if (!add(changes, source, events[i]))
			return false;
	}
	return true;
}

static enum perseus_status
check_given(const struct perseus__given_straggler *straggler, const struct perseus__straggler_run *run,
		struct perseus_error *err)
{
	if (straggler->pipeline >= run->n_pipelines)
		return perseus__fail(err, PERSEUS_INVALID, "--straggler %s: there is no pipeline %d: --pipelines is %d",
				straggler->text, (int)straggler->pipeline, (int)run->n_pipelines);
	if (straggler->first >= run->n_iterations)
		return perseus__fail(err, PERSEUS_INVALID, "--straggler %s: it begins after the run, of %" PRId64 " iterations",
				straggler->text, run->n_iterations);
	return PERSEUS_OK;
}

enum perseus_status
perseus__straggler_options_check(const struct perseus__straggler_options *options,
		const struct perseus__straggler_run *run, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (int32_t i = 0; i < options->n_given && status == PERSEUS_OK; i++)
		status = check_given(&options->given[i], run, err);
	return status;
}

static enum perseus_status
add_given(struct changes *changes, const struct perseus__straggler_options *options,
		const struct perseus__straggler_run *run, struct perseus_error *err)
{
	for (int32_t i = 0; i < options->n_given; i++) {
		const struct perseus__given_straggler *straggler = &options->given[i];
		const bool has_end = straggler->last < run->n_iterations;
		const struct perseus_straggler_event events[] = {
			{straggler->first, straggler->pipeline, straggler->degree},
			{has_end ? straggler->last + 1 : 0, straggler->pipeline, 1},
		};
		int64_t n_late = 0;
		if (!add_all(changes, events, has_end ? 2 : 1, run->n_iterations, &n_late))
			return perseus__no_memory(err);
	}
	return PERSEUS_OK;
}

static enum perseus_status
add_trace(
		struct changes *changes, const char *path, const struct perseus__straggler_run *run, struct perseus_error *err)
{
	const struct perseus__straggler_scope scope = {run->n_pipelines, run->iteration_ns};
	struct perseus__straggler_trace trace = {0};
	enum perseus_status status = perseus__straggler_csv_read(path, &scope, &trace, err);
	if (status != PERSEUS_OK)
		return status;
	int64_t n_late = 0;
	if (!add_all(changes, trace.events, trace.n_events, run->n_iterations, &n_late))
		status = perseus__no_memory(err);
	if (n_late > 0)
		perseus__print_note(
				"%s: %" PRId64 " of %" PRId64 " changes come after the end of the run", path, n_late, trace.n_events);
	if (trace.n_overtaken > 0)
		perseus__print_note("%s: %" PRId64 " of %" PRId64 " changes have no effect: others of the same pipeline follow "
							"before an iteration begins",
				path, trace.n_overtaken, trace.n_events + trace.n_overtaken);
	perseus__straggler_trace_fini(&trace);
	return status;
}

static enum perseus_status
add_random(struct changes *changes, const struct perseus__straggler_options *options,
		const struct perseus__straggler_run *run, struct perseus_error *err)
{
	struct perseus_straggler_process processes[PERSEUS_N_STRAGGLER_CAUSES];
	const int32_t n_processes = perseus__straggler_processes(options, run, processes);
	if (n_processes == 0)
		return PERSEUS_OK;
	struct perseus_straggler_event *events = NULL;
	int64_t n_events = 0;
	const struct perseus_straggler_settings settings = {
		processes, n_processes, run->n_pipelines, run->n_iterations, (uint64_t)options->seed};
	enum perseus_status status = perseus_straggler_events_draw(&settings, &events, &n_events, err);
	if (status != PERSEUS_OK)
		return status;
	int64_t n_late = 0;
	if (!add_all(changes, events, n_events, run->n_iterations, &n_late))
		status = perseus__no_memory(err);
	perseus_straggler_events_free(events);
	return status;
}

static int
order_of(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int
by_pipeline(const void *left, const void *right)
{
	const struct change *a = left;
	const struct change *b = right;
	int order = order_of(a->event.pipeline, b->event.pipeline);
	if (order == 0)
		order = order_of(a->event.iteration, b->event.iteration);
	return order ? order : order_of(a->source, b->source);
}

static int
by_iteration(const void *left, const void *right)
{
	const struct perseus_straggler_event *a = left;
	const struct perseus_straggler_event *b = right;
	const int order = order_of(a->iteration, b->iteration);
	return order ? order : order_of(a->pipeline, b->pipeline);
}

/* Of the sources that are in force; in their order, so that the product is the same whenever they are. */
static double
product_of(const double *degrees, int32_t n)
{
	double product = 1;
	for (int32_t i = 0; i < n; i++)
		product *= degrees[i];
	return product;
}

/*
 * Goes through the sorted changes, pipeline by pipeline, with the degree of each source in `degrees`; into `events`,
 * with room for every change, where the product changes.
 */
static enum perseus_status
multiply(const struct changes *changes, double *degrees, struct perseus_straggler_event *events, int64_t *n_events,
		struct perseus_error *err)
{
	double current = 1;
	*n_events = 0;
	for (size_t i = 0; i < changes->n; i++) {
		const struct perseus_straggler_event *event = &changes->rows[i].event;
		if (i == 0 || event->pipeline != changes->rows[i - 1].event.pipeline) {
			current = 1;
			for (int32_t source = 0; source < changes->n_sources; source++)
				degrees[source] = 1;
		}
		degrees[changes->rows[i].source] = event->degree;
		const bool is_last = i + 1 == changes->n || changes->rows[i + 1].event.pipeline != event->pipeline
				|| changes->rows[i + 1].event.iteration != event->iteration;
		const double product = product_of(degrees, changes->n_sources);
		if (!is_last || !(product < current || product > current))
			continue;
		if (product > PERSEUS_MAX_DEGREE)
			return perseus__fail(err, PERSEUS_INVALID,
					"iteration %" PRId64 ": what holds pipeline %d up makes a degree of %g together; %g is the most",
					event->iteration, (int)event->pipeline, product, PERSEUS_MAX_DEGREE);
		current = product;
		events[(*n_events)++] = (struct perseus_straggler_event){event->iteration, event->pipeline, product};
	}
	return PERSEUS_OK;
}

static enum perseus_status
combine(struct changes *changes, struct perseus_straggler_event **out, int64_t *n_events, struct perseus_error *err)
{
	struct perseus_straggler_event *events = perseus__new_array(changes->n + 1, sizeof *events);
	double *degrees = perseus__new_array((size_t)changes->n_sources + 1, sizeof *degrees);
	enum perseus_status status = events && degrees ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK && changes->n > 1)
		qsort(changes->rows, changes->n, sizeof *changes->rows, by_pipeline);
	if (status == PERSEUS_OK)
		status = multiply(changes, degrees, events, n_events, err);
	perseus__free(degrees);
	if (status != PERSEUS_OK) {
		perseus__free(events);
		return status;
	}
	qsort(events, (size_t)*n_events, sizeof *events, by_iteration);
	*out = events;
	return PERSEUS_OK;
}

enum perseus_status
perseus__straggler_events(const struct perseus__straggler_options *options, const struct perseus__straggler_run *run,
		struct perseus_straggler_event **out, int64_t *n_events, struct perseus_error *err)
{
	struct changes changes = {0};
	enum perseus_status status = perseus__straggler_options_check(options, run, err);
	if (status == PERSEUS_OK)
		status = add_given(&changes, options, run, err);
	if (status == PERSEUS_OK && options->trace)
		status = add_trace(&changes, options->trace, run, err);
	if (status == PERSEUS_OK)
		status = add_random(&changes, options, run, err);
	if (status == PERSEUS_OK)
		status = combine(&changes, out, n_events, err);
	perseus__free(changes.rows);
	return status;
}
