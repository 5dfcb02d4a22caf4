/*
 * How others choose clocks, to compare with on equal terms: every answer is a perseus_plan, evaluated like ours.
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

/* X(name, text) */
#define PERSEUS_BASELINE_MAP(X)                                                                                  \
	X(MAX_CLOCK, "max-clock")             /* every instruction at its highest clock */                           \
	X(SINGLE_CLOCK, "single-clock")       /* one clock for all (SOSP'24, section 6.1: ZeusGlobal) */             \
	X(BALANCED_STAGES, "balanced-stages") /* one clock per stage so that forwards take alike (ZeusPerStage) */   \
	X(ENVPIPE, "envpipe")         /* EnvPipe's heuristic (ATC'23): the last stage is the slowest, others wait */ \
	X(POWER_LIMIT, "power-limit") /* one power limit for every GPU, as nvidia-smi -pl sets */

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

/* Every answer that a baseline can give, ascending in iteration time, none beaten in time and energy by another. */
struct perseus_baseline_family {
	enum perseus_baseline baseline;
	int32_t n_members; /* 1 at least */
	struct perseus_baseline_member *members;
};

/*
 * All members of a family: its frontier. Owned by the caller; free with perseus_baseline_family_free.
 * Errors: INVALID where the profile lacks what the baseline needs (the message says what); NO_MEMORY.
 * O(clocks · (instructions + edges)).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_baseline_family_new(const struct perseus_frontier *frontier,
		enum perseus_baseline baseline, struct perseus_baseline_family **out, struct perseus_error *err);

/* Frees a family and its plans; NULL is fine. */
PERSEUS_API void perseus_baseline_family_free(struct perseus_baseline_family *family);

/*
 * The member that takes the least energy of those that keep `deadline_ns`, evaluated with waiting up to the deadline.
 * Free with perseus_plan_free.
 * Errors: INFEASIBLE where none keeps it (the message says the shortest); those of perseus_baseline_family_new.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_baseline_plan(const struct perseus_frontier *frontier,
		enum perseus_baseline baseline, int64_t deadline_ns, struct perseus_plan **out, struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
