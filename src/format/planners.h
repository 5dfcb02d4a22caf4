/*
 * What the documents about planners are made from: what every planner makes of one deadline, and its frontier where it
 * has one. Energies inside are of one GPU per stage, as the profile's.
 */
#ifndef PERSEUS_FORMAT_PLANNERS_H
#define PERSEUS_FORMAT_PLANNERS_H

#include <perseus/baseline.h>
#include <perseus/frontier.h>
#include <perseus/plan.h>

#include <stdbool.h>
#include <stdint.h>

enum { PERSEUS__MAX_COMPARED = 16 };

/* What a planner makes of the deadline. */
struct perseus__compared {
	bool is_baseline; /* else a granularity of ours */
	enum perseus_baseline baseline;
	enum perseus_granularity granularity;
	double knob;               /* as in struct perseus_baseline_member */
	struct perseus_plan *plan; /* owned. NULL: it has none, see why; late: its shortest, with that as its deadline */
	struct perseus_error why;
};

/* Plans and families are owned, by who fills this in; all else is borrowed. */
struct perseus__planners {
	const struct perseus_frontier *frontier;
	int64_t deadline_ns;
	int64_t switch_latency_ns;
	double lower_bound_j; /* at the deadline */
	int32_t gpus_per_stage;
	int32_t n_pipelines;
	int32_t n_samples; /* of our frontier; 0: every breakpoint */
	struct perseus__compared rows[PERSEUS__MAX_COMPARED];
	int32_t n_rows;
	/* By baseline; NULL where it has no answer. Clocks change at once in these. */
	struct perseus_baseline_family *families[PERSEUS_N_BASELINES];
};

/* GPUs that one GPU per stage stands for. */
double perseus__planners_scale(const struct perseus__planners *planners);

/* "envpipe", "perseus-ends". */
const char *perseus__compared_name(const struct perseus__compared *row);

/* Whether there is a plan that keeps the deadline of the planners. */
bool perseus__compared_keeps(const struct perseus__planners *planners, const struct perseus__compared *row);

/* Average power (W) of a plan, of one GPU per stage: over its iteration, waiting up to its deadline included. */
double perseus__average_power_w(const struct perseus_plan *plan);

/* What a baseline's knob is called in documents, its unit at the end, e.g. "frequency_mhz"; NULL: it has none. */
const char *perseus__knob_key(enum perseus_baseline baseline);

#endif
