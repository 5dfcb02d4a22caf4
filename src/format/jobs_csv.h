/*
 * Jobs that share a site's power, as a CSV. Columns by name in any order, others ignored; an empty cell of an optional
 * column is its default:
 *
 *     job                name, each once
 *     profile            profile CSV, relative to this file
 *     microbatches       of an iteration; where the schedule is a file, empty or what it has
 *     blocking_power_w   what a GPU draws while it waits
 *     schedule           optional: name, or file relative to this one (default 1f1b)
 *     gpus_per_stage     optional (default 1)
 *     pipelines          optional (default 1)
 *     overhead_s         optional: of an iteration beside its pipeline, at blocking power (default 0)
 *     weight             optional: worth of the job at full speed (default 1)
 */
#ifndef PERSEUS_FORMAT_JOBS_CSV_H
#define PERSEUS_FORMAT_JOBS_CSV_H

#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

/* Larger files are refused. */
#define PERSEUS__JOBS_CSV_MAX_BYTES ((size_t)64 << 20)

struct perseus__job_row {
	int64_t line;
	char *name;
	char *profile;          /* as written */
	char *schedule;         /* as written */
	int32_t n_microbatches; /* 0: not given */
	int32_t gpus_per_stage;
	int32_t n_pipelines;
	double blocking_power_w;
	double overhead_s;
	double weight;
};

/* Zero before; free with perseus__job_rows_fini. */
struct perseus__job_rows {
	struct perseus__job_row *items; /* length n, 1 at least */
	int32_t n;
	size_t capacity;
};

/*
 * Decodes `bytes`, length `length`, which are not kept. `label` names the file in messages.
 * Errors: INVALID with file, line, column and text; NO_MEMORY. `*out` is untouched on failure. O(length + n log n).
 */
PERSEUS_MUST_USE enum perseus_status perseus__jobs_csv_decode(
		const char *bytes, size_t length, const char *label, struct perseus__job_rows *out, struct perseus_error *err);

/* The same for a file, of at most PERSEUS__JOBS_CSV_MAX_BYTES. IO with path and reason where it cannot be read. */
PERSEUS_MUST_USE enum perseus_status perseus__jobs_csv_read(
		const char *path, struct perseus__job_rows *out, struct perseus_error *err);

void perseus__job_rows_fini(struct perseus__job_rows *rows);

#endif
