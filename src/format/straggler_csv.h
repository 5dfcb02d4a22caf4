/*
 * Stragglers as a CSV. A row says from when on a pipeline takes how many times as long as planned; a degree of 1 ends
 * it. Columns by name in any order, others ignored; rows in any order:
 *
 *     iteration    from 0; or, where there is no such column,
 *     time_s       since the beginning of the run: the first iteration that begins then or later, each being taken as
 *                  long as the fastest
 *     pipeline     from 0
 *     degree       1 or more
 */
#ifndef PERSEUS_FORMAT_STRAGGLER_CSV_H
#define PERSEUS_FORMAT_STRAGGLER_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/simulate.h>
#include <perseus/status.h>

/* Larger files are refused. */
#define PERSEUS__STRAGGLER_CSV_MAX_BYTES ((size_t)256 << 20)

/* Rows by iteration, then pipeline. Zero before; free with perseus__straggler_trace_fini. */
struct perseus__straggler_trace {
	struct perseus_straggler_event *events; /* length n_events */
	int64_t n_events;
	/* With times, how many rows gave way to a later one of the same pipeline and iteration. */
	int64_t n_overtaken;
};

/* What rows are checked against, and times are turned into iterations with. */
struct perseus__straggler_scope {
	int32_t n_pipelines;
	int64_t iteration_ns; /* of the fastest; > 0 */
};

/*
 * Decodes `bytes`, length `length`, which are not kept. `label` names the file in messages. A header without rows is a
 * run without stragglers.
 * Errors: INVALID with file, line, column and text, also for two rows of one pipeline and the same iteration or time;
 * NO_MEMORY. `*out` is untouched on failure. O(length + rows · log rows).
 */
PERSEUS_MUST_USE enum perseus_status perseus__straggler_csv_decode(const char *bytes, size_t length, const char *label,
		const struct perseus__straggler_scope *scope, struct perseus__straggler_trace *out, struct perseus_error *err);

/* The same for a file, of at most PERSEUS__STRAGGLER_CSV_MAX_BYTES. IO with path and reason where it cannot be read. */
PERSEUS_MUST_USE enum perseus_status perseus__straggler_csv_read(const char *path,
		const struct perseus__straggler_scope *scope, struct perseus__straggler_trace *out, struct perseus_error *err);

void perseus__straggler_trace_fini(struct perseus__straggler_trace *trace);

/* Writes events, length `n_events`, so that they read back the same: iteration, pipeline, degree. */
void perseus__straggler_csv(struct perseus__text *text, const struct perseus_straggler_event *events, int64_t n_events);

#endif
