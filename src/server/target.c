/* Target and stragglers → deadlines. */
#include "server/target.h"

#include "base/error.h"

#include <math.h>
#include <string.h>

static const char *const kind_names[] = {
#define X(name, text) [PERSEUS__TARGET_##name] = (text),
	PERSEUS__TARGET_MAP(X)
#undef X
};

enum { N_KINDS = sizeof kind_names / sizeof kind_names[0] };

const char *
perseus__target_kind_name(enum perseus__target_kind kind)
{
	return kind_names[kind];
}

bool
perseus__target_kind_find(const char *text, enum perseus__target_kind *kind)
{
	for (int k = 0; k < N_KINDS; k++)
		if (strcmp(kind_names[k], text) == 0) {
			*kind = (enum perseus__target_kind)k;
			return true;
		}
	return false;
}

enum perseus_status
perseus__target_check(const struct perseus__target *target, struct perseus_error *err)
{
	switch (target->kind) {
	case PERSEUS__TARGET_TIME:
	case PERSEUS__TARGET_ENERGY:
		return PERSEUS_OK;
	case PERSEUS__TARGET_SLOWDOWN:
		if (!(target->slowdown >= 1) || target->slowdown > PERSEUS__MAX_SLOWDOWN)
			return perseus__fail(err, PERSEUS_INVALID, "slowdown: %g is not between 1 and %g", target->slowdown,
					PERSEUS__MAX_SLOWDOWN);
		return PERSEUS_OK;
	case PERSEUS__TARGET_POWER:
		if (!(target->power_w > 0) || !isfinite(target->power_w))
			return perseus__fail(
					err, PERSEUS_INVALID, "power_w: %g is not a positive number of watts", target->power_w);
		return PERSEUS_OK;
	}
	return perseus__fail(err, PERSEUS_INTERNAL, "target %d is none", (int)target->kind);
}

/* What is asked about, while a power cap is looked for under different bases. */
struct question {
	const struct perseus__target_facts *facts;
	const double *degree;
	int32_t n_pipelines;
	int64_t slowest_ns; /* T': what the slowest straggler needs at its fastest; T_min where nobody straggles */
};

static double
degree_of(const struct question *question, int32_t pipeline)
{
	return fmax(question->degree[pipeline], 1);
}

static int64_t
iteration_ns(const struct question *question, int64_t base_ns)
{
	return base_ns > question->slowest_ns ? base_ns : question->slowest_ns;
}

static int64_t
deadline_ns(const struct question *question, int64_t base_ns, int32_t pipeline)
{
	const struct perseus__target_facts *facts = question->facts;
	const int64_t own_ns = (int64_t)floor((double)iteration_ns(question, base_ns) / degree_of(question, pipeline));
	if (own_ns <= facts->t_min_ns)
		return facts->t_min_ns;
	return own_ns < facts->t_star_ns ? own_ns : facts->t_star_ns;
}

/* Average power of the job, a straggler counted as if its clocks alone made it slow. */
static double
power_w(const struct question *question, int64_t base_ns)
{
	const struct perseus__target_facts *facts = question->facts;
	double effective_j = 0;
	for (int32_t p = 0; p < question->n_pipelines; p++)
		effective_j += facts->effective_j(facts->user, deadline_ns(question, base_ns, p));
	const double step_s = 1e-9 * (double)(iteration_ns(question, base_ns) + facts->overhead_ns);
	const double blocking_w = 1e-6 * (double)facts->blocking_power_uw * question->n_pipelines;
	return facts->n_gpus_per_stage * (effective_j / step_s + blocking_w);
}

/* The shortest base that keeps the cap, which that of T* does. */
static int64_t
shortest_under(const struct question *question, double cap_w)
{
	int64_t high = question->facts->t_star_ns;
	int64_t low = question->facts->t_min_ns;
	while (low < high) {
		const int64_t middle = low + (high - low) / 2;
		if (power_w(question, middle) <= cap_w)
			high = middle;
		else
			low = middle + 1;
	}
	return high;
}

/* The iteration of an allowed slowdown counts as a whole, what is not computing included. */
static int64_t
slowed_ns(const struct perseus__target_facts *facts, double slowdown)
{
	const double allowed_ns = floor((double)(facts->t_min_ns + facts->overhead_ns) * slowdown);
	const int64_t ns = (int64_t)allowed_ns - facts->overhead_ns;
	return ns > facts->t_min_ns ? ns : facts->t_min_ns;
}

static int64_t
base_ns(const struct perseus__target *target, const struct question *question, bool is_feasible)
{
	const struct perseus__target_facts *facts = question->facts;
	const int64_t least_ns = facts->t_min_energy_ns > facts->t_min_ns ? facts->t_min_energy_ns : facts->t_min_ns;
	switch (target->kind) {
	case PERSEUS__TARGET_TIME:
		return facts->t_min_ns;
	case PERSEUS__TARGET_SLOWDOWN: {
		const int64_t allowed_ns = slowed_ns(facts, target->slowdown);
		return allowed_ns < least_ns ? allowed_ns : least_ns;
	}
	case PERSEUS__TARGET_ENERGY:
		return least_ns;
	case PERSEUS__TARGET_POWER:
		return is_feasible ? shortest_under(question, target->power_w) : facts->t_star_ns;
	}
	return facts->t_min_ns;
}

void
perseus__target_deadlines(const struct perseus__target *target, const struct perseus__target_facts *facts,
		const double *degree, int32_t n_pipelines, int64_t *deadline, struct perseus__target_answer *answer)
{
	struct question question = {.facts = facts, .degree = degree, .n_pipelines = n_pipelines};
	for (int32_t p = 0; p < n_pipelines; p++) {
		const int64_t own_ns = (int64_t)ceil((double)facts->t_min_ns * degree_of(&question, p));
		if (own_ns > question.slowest_ns)
			question.slowest_ns = own_ns;
	}
	const double least_w = power_w(&question, facts->t_star_ns);
	const bool is_feasible = target->kind != PERSEUS__TARGET_POWER || least_w <= target->power_w;
	const int64_t base = base_ns(target, &question, is_feasible);
	for (int32_t p = 0; p < n_pipelines; p++)
		deadline[p] = deadline_ns(&question, base, p);
	*answer = (struct perseus__target_answer){
		.is_feasible = is_feasible,
		.base_ns = base,
		.iteration_ns = iteration_ns(&question, base),
		.power_w = power_w(&question, base),
		.least_power_w = least_w,
	};
}
