/*
 * The partition document: JSON, one object.
 *
 *     version, schedule, job       as in the plan document
 *     layers                       how many there are
 *     deadline_s                   the iteration time at which all are compared
 *     written                      objective of the partition that --output writes, and that `worth` is about
 *     worth                        {of, against, partition, clocks, both}: shares of the energy at the deadline that
 *                                  the partition alone saves, the clocks alone, and both, against `against` at the
 *                                  highest clocks; null where one of the two does not keep the deadline
 *     partitions                   [{objective, boundaries, imbalance, bottleneck_s, forward_s, cycle_s, limit_s,
 *                                    effective_energy_j, iteration_time_s, baseline, energy_j, saving, at_deadline}]
 *
 * Stage s has the layers from boundaries[s] to boundaries[s + 1] - 1. `forward_s` and `cycle_s`, per stage, and
 * `bottleneck_s`, the longest cycle, are of one microbatch at the highest clocks. `effective_energy_j` is that of one
 * microbatch in the model, of one GPU per stage, within cycles of `limit_s`; both are null where there is no limit.
 * `iteration_time_s` is the shortest of the whole schedule, `baseline` ({iteration_time_s, energy_j}) with all at the
 * highest clocks, `energy_j` and `saving` of the plan that keeps `iteration_time_s`; `at_deadline` ({baseline_energy_j,
 * energy_j, saving}) includes waiting until the deadline, and is null where the partition does not keep it. These
 * energies are of all GPUs of the job. Energies are null where they were not measured.
 */
#ifndef PERSEUS_FORMAT_PARTITION_JSON_H
#define PERSEUS_FORMAT_PARTITION_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/partition.h>
#include <perseus/plan.h>

/* A partition and what became of it under the schedule; energies are of one GPU per stage. */
struct perseus__partition_row {
	const struct perseus_partition *partition;
	int64_t iteration_ns;            /* the shortest */
	struct perseus_outcome baseline; /* all at the highest clocks; energy until `iteration_ns` at least */
	int64_t energy_nj;               /* planned, in `iteration_ns` */
	bool keeps_deadline;             /* the rest is 0 where it does not */
	int64_t deadline_baseline_nj;    /* waiting until the deadline included, as the next */
	int64_t deadline_energy_nj;
};

struct perseus__partition_document {
	const struct perseus_schedule *schedule;
	const struct perseus__partition_row *rows; /* length n_rows */
	int32_t n_rows;
	int32_t n_layers;
	bool has_energy;
	int64_t deadline_ns;
	int32_t written;   /* index of the row that --output writes */
	int32_t reference; /* index of the row that it is compared with */
	int32_t gpus_per_stage;
	int32_t n_pipelines;
};

/* What the partition and the clocks save of the energy at the deadline, alone and together. */
struct perseus__partition_worth {
	bool is_known; /* energies were measured, and both rows keep the deadline */
	double partition;
	double clocks;
	double both;
};

struct perseus__partition_worth perseus__partition_worth(const struct perseus__partition_document *document);

/* Adds the document to `text`. */
void perseus__partition_json(struct perseus__text *text, const struct perseus__partition_document *document);

#endif
