/*
 * What a job is to keep (its time, a slowdown, least energy, a power cap) and who straggles → the deadline of each
 * pipeline's plan. Pure.
 *
 * The target alone asks for a deadline, `base`. The slowest straggler needs T' = degree · T_min at its fastest, and all
 * wait for it: an iteration spans max(base, T'). Every pipeline may take that long at its own speed, one that is slowed
 * by d thus a plan of that time over d, but none longer than T*, beyond which nothing is saved:
 *
 *     deadline = min(T*, max(T_min, max(base, T') / d))
 *
 * So others get min(T*, T') and the slowest T_min, as in the paper (SOSP'24, section 3.2); a second, lesser straggler
 * lies between.
 */
#ifndef PERSEUS_SERVER_TARGET_H
#define PERSEUS_SERVER_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

#define PERSEUS__MAX_SLOWDOWN 100.0

/* X(name, text): the base deadline. */
#define PERSEUS__TARGET_MAP(X)                                                                               \
	X(TIME, "time")         /* T_min: no slower than it must be */                                           \
	X(SLOWDOWN, "slowdown") /* an iteration of at most `slowdown` times that, no longer than ENERGY would */ \
	X(ENERGY, "energy")     /* least total energy when nobody waits */                                       \
	X(POWER, "power")       /* the fastest whose average power is at most `power_w` */

enum perseus__target_kind {
#define X(name, text) PERSEUS__TARGET_##name,
	PERSEUS__TARGET_MAP(X)
#undef X
};

/* Text of a kind, e.g. "slowdown". */
const char *perseus__target_kind_name(enum perseus__target_kind kind);

/* The kind called `text`; false where there is none. */
bool perseus__target_kind_find(const char *text, enum perseus__target_kind *kind);

struct perseus__target {
	enum perseus__target_kind kind;
	double slowdown; /* of SLOWDOWN: 1..PERSEUS__MAX_SLOWDOWN */
	double power_w;  /* of POWER: average of all GPUs of the job; > 0, finite */
};

/* Errors: INVALID, naming the field as on the wire ("slowdown", "power_w"). Fields of other kinds are not looked at. */
PERSEUS_MUST_USE enum perseus_status perseus__target_check(
		const struct perseus__target *target, struct perseus_error *err);

/* What deadlines are made of: a job's frontier, or its table of plans, and its size. */
struct perseus__target_facts {
	int64_t t_min_ns; /* shortest deadline that has a plan */
	int64_t t_star_ns;
	int64_t t_min_energy_ns;   /* least total energy when nobody waits */
	int64_t overhead_ns;       /* of a step beyond its span: gradient reduction, optimizer, ... */
	int64_t blocking_power_uw; /* of all stages of a pipeline together, one GPU each */
	int32_t n_gpus_per_stage;  /* that run alike in one pipeline: tp · cp */
	/* Effective energy (J) of a pipeline, one GPU a stage, with the plan for a deadline; must not rise with it. */
	double (*effective_j)(const void *user, int64_t deadline_ns);
	const void *user;
};

/* The answer beside the deadlines. */
struct perseus__target_answer {
	bool is_feasible;     /* false: no plan stays under the power cap; the deadlines are those of least power */
	int64_t base_ns;      /* what the target asks for, stragglers aside */
	int64_t iteration_ns; /* span of an iteration: of the slowest pipeline, or the base */
	double power_w;       /* average of the job that is expected */
	double least_power_w; /* no deadline gets lower, stragglers being as they are */
};

/*
 * Deadlines for `n_pipelines` pipelines, `degree` (length n_pipelines) being 1 for one that does not straggle; values
 * below 1 count as 1. Writes `deadline_ns`, length n_pipelines. `target` must have passed its check.
 * O(pipelines), times 64 for a power cap.
 */
void perseus__target_deadlines(const struct perseus__target *target, const struct perseus__target_facts *facts,
		const double *degree, int32_t n_pipelines, int64_t *deadline_ns, struct perseus__target_answer *answer);

#endif
