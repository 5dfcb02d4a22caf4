/*
 * Coarse plans: the search without latency first; where changes cost time, again for shorter deadlines until what
 * comes out keeps the true one, and then improved under the true model.
 */
#include "plan/planner.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/coarse.h"

#include <string.h>

/* Work allowed; about half a second for the first at 8 stages and 96 microbatches, less elsewhere. */
static const struct perseus__coarse_limits thorough = {.max_visits = 60000000, .max_nodes = 2000000};
static const struct perseus__coarse_limits quick = {.max_visits = 6000000, .max_nodes = 30000};

enum {
	BISECTIONS = 6,
	MAX_POLISH_VISITS = 12000000,
	PAIR_WINDOW = 3, /* clocks around the current one that a second group tries */
};

struct coarse_run {
	struct perseus__planner *planner;
	struct perseus__coarse coarse;
	int32_t *option; /* length n_groups: the candidate */
	int32_t *best;   /* length n_groups: the best that keeps the deadline under the latency */
	int32_t *seed;   /* length n_groups */
	int32_t n_seeds; /* 0 or 1 */
	bool has_best;
	int64_t best_nj;
};

static void
run_fini(struct coarse_run *run)
{
	perseus__coarse_fini(&run->coarse);
	perseus__free(run->option);
	perseus__free(run->best);
	perseus__free(run->seed);
}

static enum perseus_status
run_init(struct coarse_run *run, struct perseus__planner *planner, enum perseus_granularity granularity,
		struct perseus_error *err)
{
	*run = (struct coarse_run){.planner = planner};
	const enum perseus_status status = perseus__coarse_init(&run->coarse, planner->workload, granularity, err);
	if (status != PERSEUS_OK)
		return status;
	const size_t n = (size_t)run->coarse.n_groups;
	run->option = perseus__new_array(n, sizeof *run->option);
	run->best = perseus__new_array(n, sizeof *run->best);
	run->seed = perseus__new_array(n, sizeof *run->seed);
	if (run->option && run->best && run->seed)
		return PERSEUS_OK;
	run_fini(run);
	return perseus__no_memory(err);
}

/* Evaluates `option`; true where it became the best of the run. */
static bool
consider(struct coarse_run *run, struct perseus__evaluation *evaluation)
{
	perseus__coarse_spell(&run->coarse, run->option, run->planner->choice);
	*evaluation = perseus__planner_consider(run->planner, run->coarse.granularity);
	if (!evaluation->is_steady || evaluation->makespan_ns > run->planner->evaluator.deadline_ns
			|| (run->has_best && evaluation->energy_nj >= run->best_nj))
		return false;
	memcpy(run->best, run->option, (size_t)run->coarse.n_groups * sizeof *run->best);
	run->best_nj = evaluation->energy_nj;
	run->has_best = true;
	return true;
}

/* Spells the stages' clocks as options of the run's groups; false where a group lacks one. */
static bool
translate_seed(struct coarse_run *run, const struct coarse_run *stages)
{
	for (int32_t g = 0; g < run->coarse.n_groups; g++) {
		const int32_t stage = run->coarse.cells[run->coarse.cell_begin[g]].class_->stage;
		run->seed[g] = -1;
		for (int32_t s = 0; s < stages->coarse.n_groups && run->seed[g] < 0; s++)
			if (stages->coarse.cells[stages->coarse.cell_begin[s]].class_->stage == stage)
				run->seed[g] = perseus__coarse_option(
						&run->coarse, g, stages->coarse.option_mhz[stages->coarse.option_begin[s] + stages->option[s]]);
		if (run->seed[g] < 0)
			return false;
	}
	return true;
}

/* The plan of one clock per stage, in terms of the run's groups: a start that finer groups must not fall behind. */
static enum perseus_status
seed_from_stages(struct coarse_run *run, struct perseus_error *err)
{
	struct coarse_run stages;
	struct perseus_error own;
	enum perseus_status status = run_init(&stages, run->planner, PERSEUS_GRANULARITY_STAGE, &own);
	if (status == PERSEUS_INVALID)
		return PERSEUS_OK; /* no clock common to a stage */
	struct perseus__coarse_answer answer;
	if (status == PERSEUS_OK) {
		status = perseus__coarse_search(
				&stages.coarse, run->planner->evaluator.deadline_ns, NULL, &quick, stages.option, &answer, &own);
		run->n_seeds = status == PERSEUS_OK && translate_seed(run, &stages) ? 1 : 0;
		run_fini(&stages);
	}
	if (status != PERSEUS_OK && err)
		*err = own;
	return status;
}

static enum perseus_status
search(struct coarse_run *run, int64_t deadline_ns, const struct perseus__coarse_limits *limits,
		struct perseus__coarse_answer *answer, struct perseus_error *err)
{
	const struct perseus__coarse_seeds seeds = {.options = run->seed, .n = run->n_seeds};
	return perseus__coarse_search(&run->coarse, deadline_ns, &seeds, limits, run->option, answer, err);
}

/* Plans for deadlines between the shortest possible and the true one, closing in on the longest that still works. */
static enum perseus_status
shrink_deadline(struct coarse_run *run, struct perseus_error *err)
{
	int64_t low_ns = perseus_frontier_info(run->planner->frontier).t_min_ns;
	int64_t high_ns = run->planner->evaluator.deadline_ns;
	for (int k = 0; k < BISECTIONS; k++) {
		/* The lower end once, then halves. */
		const int64_t middle_ns = k == 0 ? low_ns : low_ns + (high_ns - low_ns) / 2;
		struct perseus__coarse_answer answer;
		struct perseus__evaluation evaluation;
		const enum perseus_status status = search(run, middle_ns, &quick, &answer, err);
		if (status != PERSEUS_OK)
			return status;
		(void)consider(run, &evaluation);
		if (k == 0)
			low_ns = answer.makespan_ns > low_ns ? answer.makespan_ns : low_ns;
		else if (evaluation.is_steady && evaluation.makespan_ns <= run->planner->evaluator.deadline_ns)
			low_ns = middle_ns;
		else
			high_ns = middle_ns;
		if (low_ns >= high_ns)
			break;
	}
	return PERSEUS_OK;
}

static int32_t
n_options(const struct coarse_run *run, int32_t group)
{
	return run->coarse.option_begin[group + 1] - run->coarse.option_begin[group];
}

static bool
has_work_left(const struct coarse_run *run, int64_t end_visits)
{
	return run->planner->evaluator.n_visits < end_visits;
}

/* Tries every option of every group, taking what is better at once; true where something was. */
static bool
polish_singles(struct coarse_run *run, int64_t end_visits)
{
	bool improved = false;
	struct perseus__evaluation evaluation;
	for (int32_t g = 0; g < run->coarse.n_groups; g++)
		for (int32_t o = 0; o < n_options(run, g) && has_work_left(run, end_visits); o++) {
			run->option[g] = o;
			if (o != run->best[g] && consider(run, &evaluation))
				improved = true;
			run->option[g] = run->best[g];
		}
	return improved;
}

/* One group saves, another pays: the change of energy without latency must be a gain. */
static bool
polish_pair(struct coarse_run *run, int32_t g, int32_t o, int64_t end_visits)
{
	const struct perseus__coarse *coarse = &run->coarse;
	const int64_t gain_nj =
			coarse->option_nj[coarse->option_begin[g] + run->best[g]] - coarse->option_nj[coarse->option_begin[g] + o];
	struct perseus__evaluation evaluation;
	for (int32_t h = 0; gain_nj > 0 && h < coarse->n_groups; h++) {
		const int32_t now = run->best[h];
		for (int32_t q = now > PAIR_WINDOW ? now - PAIR_WINDOW : 0; q < now && h != g; q++) {
			const int64_t more_nj =
					coarse->option_nj[coarse->option_begin[h] + q] - coarse->option_nj[coarse->option_begin[h] + now];
			if (more_nj >= gain_nj || !has_work_left(run, end_visits))
				continue;
			run->option[g] = o;
			run->option[h] = q;
			if (consider(run, &evaluation))
				return true;
			run->option[g] = run->best[g];
			run->option[h] = run->best[h];
		}
	}
	return false;
}

static bool
polish_pairs(struct coarse_run *run, int64_t end_visits)
{
	bool improved = false;
	for (int32_t g = 0; g < run->coarse.n_groups; g++)
		for (int32_t o = run->best[g] + 1; o < n_options(run, g) && o <= run->best[g] + PAIR_WINDOW; o++)
			if (polish_pair(run, g, o, end_visits)) {
				improved = true;
				break;
			}
	return improved;
}

static void
polish(struct coarse_run *run)
{
	const int64_t end_visits = run->planner->evaluator.n_visits + MAX_POLISH_VISITS;
	if (!run->has_best)
		return;
	memcpy(run->option, run->best, (size_t)run->coarse.n_groups * sizeof *run->option);
	do
		while (polish_singles(run, end_visits))
			;
	while (polish_pairs(run, end_visits));
}

/* Number of assignments; INT64_MAX where there are more than can be counted. */
static int64_t
n_assignments(const struct coarse_run *run)
{
	int64_t n = 1;
	for (int32_t g = 0; g < run->coarse.n_groups; g++)
		if (__builtin_mul_overflow(n, n_options(run, g), &n))
			return INT64_MAX;
	return n;
}

/* Evaluates every assignment there is. */
static void
enumerate(struct coarse_run *run)
{
	struct perseus__evaluation evaluation;
	for (int32_t g = 0; g < run->coarse.n_groups; g++)
		run->option[g] = 0;
	for (int32_t g = 0; g < run->coarse.n_groups;) {
		(void)consider(run, &evaluation);
		for (g = 0; g < run->coarse.n_groups && ++run->option[g] == n_options(run, g); g++)
			run->option[g] = 0;
	}
}

/* Whether the candidate's evaluation is the same as if changing clocks took no time. */
static bool
is_untouched(struct coarse_run *run, const struct perseus__evaluation *evaluation)
{
	if (run->planner->evaluator.latency_ns == 0)
		return true;
	const struct perseus__evaluation plain = perseus__evaluate_plain(&run->planner->evaluator, run->planner->choice);
	return evaluation->is_steady && plain.energy_nj == evaluation->energy_nj
			&& plain.makespan_ns == evaluation->makespan_ns;
}

static enum perseus_status
run_all_steps(struct coarse_run *run, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	if (run->coarse.granularity == PERSEUS_GRANULARITY_ENDS || run->coarse.granularity == PERSEUS_GRANULARITY_KIND)
		status = seed_from_stages(run, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__coarse_answer answer;
	struct perseus__evaluation evaluation;
	status = search(run, run->planner->evaluator.deadline_ns, &thorough, &answer, err);
	if (status != PERSEUS_OK)
		return status;
	(void)consider(run, &evaluation);
	if (is_untouched(run, &evaluation))
		return PERSEUS_OK;
	/* An iteration is followed two or three times until it is steady. */
	if (n_assignments(run) <= MAX_POLISH_VISITS / 3 / run->planner->workload->schedule->n_instructions) {
		enumerate(run);
		return PERSEUS_OK;
	}
	if (run->n_seeds > 0) {
		memcpy(run->option, run->seed, (size_t)run->coarse.n_groups * sizeof *run->option);
		(void)consider(run, &evaluation);
	}
	status = shrink_deadline(run, err);
	if (status == PERSEUS_OK)
		polish(run);
	return status;
}

enum perseus_status
perseus__planner_run_coarse(
		struct perseus__planner *planner, enum perseus_granularity granularity, struct perseus_error *err)
{
	struct coarse_run run;
	enum perseus_status status = run_init(&run, planner, granularity, err);
	if (status != PERSEUS_OK)
		return status;
	status = run_all_steps(&run, err);
	run_fini(&run);
	return status;
}
