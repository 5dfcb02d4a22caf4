/*
 * `perseus partition`: what it is asked for and what it finds out. partition.c parses and writes, partition_compare.c
 * makes the partitions and runs each under the schedule, partition_report.c is what people read.
 */
#ifndef PERSEUS_CLI_PARTITION_H
#define PERSEUS_CLI_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "cli/job.h"
#include "format/partition_json.h"

#include <perseus/partition.h>
#include <perseus/status.h>

/* What a row of the comparison is made with. */
struct perseus__partition_run {
	struct perseus_partition *partition;
	struct perseus_profile *profile;   /* NULL where an earlier partition is the same */
	struct perseus_frontier *frontier; /* the same; of one GPU per stage */
};

struct perseus__partition_compare {
	struct perseus__job job; /* options, and the schedule of all */
	struct perseus_layers *layers;
	int32_t *boundaries; /* that were given, length n_boundaries; 0: none */
	int32_t n_boundaries;
	size_t cap_boundaries;
	bool has_deadline;   /* one was given */
	int64_t deadline_ns; /* that one, or later the common one */
	int32_t n_stages;
	struct perseus__partition_run runs[PERSEUS_N_PARTITION_OBJECTIVES];
	struct perseus__partition_row rows[PERSEUS_N_PARTITION_OBJECTIVES];
	int32_t n_rows;
};

/*
 * Reads the layers, makes every partition there is, and plans each. Errors: INVALID, as the parts; INFEASIBLE where no
 * partition keeps the deadline.
 */
PERSEUS_MUST_USE enum perseus_status perseus__partition_compare(
		struct perseus__partition_compare *compare, struct perseus_error *err);

/* Index of the row with an objective; -1 where there is none. */
int32_t perseus__partition_find(
		const struct perseus__partition_compare *compare, enum perseus_partition_objective objective);

void perseus__partition_compare_fini(struct perseus__partition_compare *compare);

/* Writes the tables. */
void perseus__partition_report(struct perseus__text *text, const struct perseus__partition_compare *compare,
		const struct perseus__partition_document *document);

#endif
