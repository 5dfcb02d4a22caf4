/*
 * How others choose clocks, to compare with on equal terms: every answer is a perseus_plan, evaluated like ours, and
 * clocks change at once.
 */
#ifndef PERSEUS_BASELINE_H
#define PERSEUS_BASELINE_H

#include <stdint.h>

#include <perseus/frontier.h>
#include <perseus/plan.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * X(name, text)
 *
 * MAX_CLOCK        Every instruction at its highest clock: a GPU left alone.
 * SINGLE_CLOCK     One clock for the whole job, each that all classes were measured at. ZeusGlobal of the paper
 *                  (SOSP'24, section 6.1) is one power limit for all GPUs; this is its like by clock, POWER_LIMIT its
 *                  like by power.
 * BALANCED_STAGES  For each forward time: every stage runs at its lowest clock whose forward takes no longer, backward
 *                  and all else alike. ZeusPerStage of the paper, by clock. It looks at no critical path.
 * ENVPIPE          EnvPipe (Choi et al., ATC'23) on the schedule as it is: its outer envelope (the last stage, and of
 *                  every stage the first and the last instruction) at the highest clocks, all else at the clock of its
 *                  class's least energy; then, while a critical path has a clock left to raise, the lowest on it rise
 *                  by a step ("balanced" reconfiguration). Its rescheduling of forwards is what a schedule's
 *                  extra_warmup does.
 * POWER_LIMIT      One power limit for every GPU: each instruction at its highest clock whose average power, energy
 *                  over time, does not exceed the limit. Instructions without a clock are not looked at. A limit that
 *                  some class exceeds at every clock it was measured at is none that can be kept.
 */
#define PERSEUS_BASELINE_MAP(X)           \
	X(MAX_CLOCK, "max-clock")             \
	X(SINGLE_CLOCK, "single-clock")       \
	X(BALANCED_STAGES, "balanced-stages") \
	X(ENVPIPE, "envpipe")                 \
	X(POWER_LIMIT, "power-limit")

enum perseus_baseline {
#define X(name, text) PERSEUS_BASELINE_##name,
	PERSEUS_BASELINE_MAP(X)
#undef X
			PERSEUS_N_BASELINES
};

/* Text of a baseline, e.g. "envpipe". */
PERSEUS_API const char *perseus_baseline_name(enum perseus_baseline baseline);

/* A member of a baseline's family: what its knob stood at, and what came of it. */
struct perseus_baseline_member {
	double knob; /* SINGLE_CLOCK: MHz; BALANCED_STAGES: forward time asked for (s); POWER_LIMIT: W; else 0 */
	struct perseus_plan *plan; /* its deadline is its own iteration time */
};

/*
 * The frontier of a baseline: the answers it can give, strictly ascending in iteration time and strictly descending in
 * effective energy (over waiting). Those that another beats or equals in both are left out; of equals the one with the
 * lower knob stays. As on the frontier of a job, what saves only behind a straggler is there, too, so that total energy
 * need not descend.
 */
struct perseus_baseline_family {
	enum perseus_baseline baseline;
	int32_t n_members; /* 1 at least */
	struct perseus_baseline_member *members;
};

/*
 * All members of a family. Owned by the caller; free with perseus_baseline_family_free.
 * Errors: INVALID where the profile lacks what the baseline needs (a clock that its instructions share, a forward of
 * every stage; the message says which); NO_MEMORY.
 * O(settings · (instructions + edges)): settings are clocks, or clocks of all stages (BALANCED_STAGES) or of all
 * classes (POWER_LIMIT). ENVPIPE: a longest path for each rise of clocks, at most instructions · clocks of them.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_baseline_family_new(const struct perseus_frontier *frontier,
		enum perseus_baseline baseline, struct perseus_baseline_family **out, struct perseus_error *err);

/* Frees a family and its plans; NULL is fine. */
PERSEUS_API void perseus_baseline_family_free(struct perseus_baseline_family *family);

/*
 * The member that takes the least energy of those that keep `deadline_ns`, evaluated with waiting up to the deadline:
 * the slowest of them. Free with perseus_plan_free.
 * Errors: INFEASIBLE where none keeps it (the message says the shortest); those of perseus_baseline_family_new.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_baseline_plan(const struct perseus_frontier *frontier,
		enum perseus_baseline baseline, int64_t deadline_ns, struct perseus_plan **out, struct perseus_error *err);

/*
 * What comes of a knob as in perseus_baseline_member, be it a member or beaten by one; ignored where the baseline has
 * none. `deadline_ns` may be missed here: see outcome.iteration_time_ns. Free with perseus_plan_free.
 * Errors: INFEASIBLE for a forward time or a power limit that some class cannot keep (the message says the least that
 * all can); INVALID for a clock that some class was not measured at; those of perseus_baseline_family_new.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_baseline_plan_at(const struct perseus_frontier *frontier,
		enum perseus_baseline baseline, double knob, int64_t deadline_ns, struct perseus_plan **out,
		struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
