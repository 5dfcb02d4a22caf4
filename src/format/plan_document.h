/*
 * What the documents about a plan are made from, and the sums per rank that they share. Energies inside are of one GPU
 * per stage, as the profile's; perseus__plan_scale takes totals to the whole job.
 */
#ifndef PERSEUS_FORMAT_PLAN_DOCUMENT_H
#define PERSEUS_FORMAT_PLAN_DOCUMENT_H

#include <stdint.h>

#include "format/plan_power.h"

#include <perseus/frontier.h>
#include <perseus/plan.h>
#include <perseus/schedule.h>

/* Everything is borrowed. */
struct perseus__plan_document {
	const struct perseus_frontier *frontier;
	const struct perseus_plan *plan;
	const struct perseus_plan *baseline;     /* every instruction at its highest clock, same deadline, no latency */
	int32_t gpus_per_stage;                  /* >= 1 */
	int32_t n_pipelines;                     /* >= 1 */
	const struct perseus__plan_power *power; /* NULL: left out */
};

/* What a rank does in an iteration. */
struct perseus__rank_usage {
	int64_t busy_ns;
	int64_t idle_ns; /* waiting, up to the deadline or the end of the iteration, whichever is later */
	double energy_j; /* of one GPU, waiting included; transfers belong to no rank */
};

/* GPUs that one GPU per stage stands for. */
double perseus__plan_scale(const struct perseus__plan_document *document);

/* Usage of `rank` in the document's plan, or in its baseline. O(instructions of the rank). */
struct perseus__rank_usage perseus__rank_usage(
		const struct perseus_frontier *frontier, const struct perseus_plan *plan, int32_t rank);

/* Stage of rank `rank`'s instructions that comes next above `after` (-1: the first); -1 where there is none. */
int32_t perseus__rank_stage_after(const struct perseus_schedule *schedule, int32_t rank, int32_t after);

/* Name of an instruction's kind, or of its class where the kind is OTHER. */
const char *perseus__kind_text(const struct perseus_instruction *instruction);

/* Clock changes of all ranks in an iteration. */
int64_t perseus__clock_changes(const struct perseus_plan *plan);

#endif
