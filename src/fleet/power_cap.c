/* The fastest plan under a power cap: bound from the operating curve, then a search among real plans. */
#include <perseus/operating.h>
#include <perseus/power.h>

#include "base/error.h"
#include "base/memory.h"
#include "fleet/period.h"

#include <inttypes.h>
#include <math.h>

enum { MAX_REACHES = 8, N_LOOKS = 20, MAX_HALVINGS = 10, MAX_SETTLINGS = 8 };

/*
 * A bracket this narrow, relative, is not worth another plan. With a latency a plan takes a second, not milliseconds,
 * and power goes up and down by more than that from one deadline to the next.
 */
static const double NARROW = 1e-7;
static const double NARROW_WITH_LATENCY = 1e-4;
/* Rounding of a lookup in the curve, relative, by which a bound on time is kept below. */
static const double ROUNDING = 1e-12;

struct search {
	const struct perseus_frontier *frontier;
	struct perseus_plan_settings settings;
	int32_t n_pipelines;
	int32_t gpus_per_stage;
	double cap_w;
	struct perseus_operating_curve *curve;
	int64_t t_star_ns;
	struct perseus_plan *best; /* the fastest under the cap; NULL: none */
	double best_w;
	double least_w;  /* of all plans tried, infinite where none was found */
	bool is_binding; /* some plan took more than the cap */
	int n_tried;
};

/* Of all that are tried, `n_left` are not at most. */
static void
show_progress(const struct search *search, int n_left)
{
	if (search->settings.progress)
		search->settings.progress((double)search->n_tried / (search->n_tried + n_left), search->settings.user);
}

/* The plan's own clocks, without waiting for the deadline. With a latency, that may take another round or two. */
static enum perseus_status
settle(const struct search *search, struct perseus_plan **plan, struct perseus_error *err)
{
	int32_t *clocks = perseus__new_array((size_t)(*plan)->n_instructions, sizeof *clocks);
	if (!clocks)
		return perseus__no_memory(err);
	for (int32_t i = 0; i < (*plan)->n_instructions; i++)
		clocks[i] = (*plan)->steps[i].frequency_mhz;
	enum perseus_status status = PERSEUS_OK;
	for (int k = 0; k < MAX_SETTLINGS && (*plan)->outcome.iteration_time_ns != (*plan)->deadline_ns; k++) {
		struct perseus_plan_settings settings = search->settings;
		settings.deadline_ns = (*plan)->outcome.iteration_time_ns;
		struct perseus_plan *settled = NULL;
		status = perseus_plan_evaluate(search->frontier, clocks, &settings, &settled, err);
		if (status != PERSEUS_OK)
			break;
		settled->granularity = (*plan)->granularity;
		perseus_plan_free(*plan);
		*plan = settled;
	}
	perseus__free(clocks);
	return status;
}

/* Plans for a deadline and keeps what is best. `*power_w` is infinite where no plan keeps the deadline. */
static enum perseus_status
try_deadline(struct search *search, int64_t deadline_ns, double *power_w, struct perseus_error *err)
{
	struct perseus_plan *plan = NULL;
	search->n_tried++;
	search->settings.deadline_ns = deadline_ns;
	*power_w = INFINITY;
	enum perseus_status status = perseus_plan_new(search->frontier, &search->settings, &plan, err);
	if (status == PERSEUS_INFEASIBLE && deadline_ns < search->t_star_ns)
		return PERSEUS_OK;
	if (status == PERSEUS_OK)
		status = settle(search, &plan, err);
	if (status != PERSEUS_OK) {
		perseus_plan_free(plan);
		return status;
	}
	*power_w = perseus_plan_power_w(plan, search->n_pipelines, search->gpus_per_stage);
	search->least_w = fmin(search->least_w, *power_w);
	const bool is_under = *power_w <= search->cap_w;
	search->is_binding = search->is_binding || !is_under;
	if (is_under && (!search->best || perseus__plan_period_ns(plan) < perseus__plan_period_ns(search->best))) {
		perseus_plan_free(search->best);
		search->best = plan;
		search->best_w = *power_w;
	} else {
		perseus_plan_free(plan);
	}
	return PERSEUS_OK;
}

/*
 * Where to look next after a plan for `low_ns` took `power_w`, above the cap: where the relaxed power is as much below
 * the cap as the plan was above its own relaxed power, and beyond, the more often that has not sufficed.
 */
static int64_t
reach(const struct search *search, int64_t low_ns, double power_w, int n_before)
{
	const double low_rate_hz = fmin(1e9 / (double)low_ns, search->curve->points[search->curve->n_points - 1].rate_hz);
	const double relaxed_w = perseus_operating_power_w(search->curve, low_rate_hz);
	const double rate_hz = perseus_operating_rate_hz(search->curve, search->cap_w * relaxed_w / power_w);
	if (!(rate_hz > 0)) /* not on the curve, which may end before T* */
		return search->t_star_ns;
	const double next_ns = (double)low_ns + ldexp(fmax(1e9 / rate_hz - (double)low_ns, 0), n_before) + 1;
	return next_ns < (double)search->t_star_ns ? (int64_t)next_ns : search->t_star_ns;
}

/* Reaches for a first plan under the cap. `*low_ns` is the last deadline before it. */
static enum perseus_status
find_by_reaching(struct search *search, int64_t *low_ns, struct perseus_error *err)
{
	double power_w;
	enum perseus_status status = try_deadline(search, *low_ns, &power_w, err);
	for (int k = 0; k < MAX_REACHES && status == PERSEUS_OK && !search->best && *low_ns < search->t_star_ns; k++) {
		show_progress(search, MAX_HALVINGS);
		const int64_t next_ns = reach(search, *low_ns, power_w, k);
		status = try_deadline(search, next_ns, &power_w, err);
		if (!search->best)
			*low_ns = next_ns;
	}
	return status;
}

/*
 * The same by looking everywhere, before giving up. Real clocks make power fall unsteadily, and where a slower clock
 * draws more it rises again before T*.
 */
static enum perseus_status
find_by_looking(struct search *search, int64_t bound_ns, int64_t *low_ns, struct perseus_error *err)
{
	const int64_t width_ns = search->t_star_ns - bound_ns;
	enum perseus_status status = PERSEUS_OK;
	for (int k = 1; k <= N_LOOKS && status == PERSEUS_OK && !search->best; k++) {
		double power_w;
		show_progress(search, MAX_HALVINGS);
		*low_ns = bound_ns + width_ns / N_LOOKS * (k - 1);
		status = try_deadline(
				search, k < N_LOOKS ? bound_ns + width_ns / N_LOOKS * k : search->t_star_ns, &power_w, err);
	}
	return status;
}

/* Finds a faster one, between the slowest deadline known to be too short and the best plan. */
static enum perseus_status
find_faster(struct search *search, int64_t low_ns, struct perseus_error *err)
{
	const double narrow = search->settings.switch_latency_ns > 0 ? NARROW_WITH_LATENCY : NARROW;
	int64_t high_ns = perseus__plan_period_ns(search->best);
	enum perseus_status status = PERSEUS_OK;
	for (int k = 0; status == PERSEUS_OK && k < MAX_HALVINGS; k++) {
		const double width = (double)(high_ns - low_ns) / (double)low_ns;
		if (width <= narrow)
			break;
		show_progress(search, (int)fmin(ceil(log2(width / narrow)), MAX_HALVINGS - k));
		const int64_t middle_ns = low_ns + (high_ns - low_ns) / 2;
		double power_w;
		status = try_deadline(search, middle_ns, &power_w, err);
		if (power_w <= search->cap_w)
			high_ns = perseus__plan_period_ns(search->best);
		else
			low_ns = middle_ns;
	}
	return status;
}

/* The least in watts that can be asked for, so rounded up. */
static double
shown_least_w(double power_w)
{
	return ceil(power_w * 1e3) / 1e3;
}

/* A quantised frontier may lie above the optimum by its loss, which the bound must not. */
static enum perseus_status
find_bound(const struct perseus_frontier *frontier, const struct perseus_operating_curve *curve, double cap_w,
		int64_t *bound_ns, struct perseus_error *err)
{
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	const struct perseus_operating_point slowest = curve->points[0];
	if (!isfinite(cap_w) || cap_w <= 0)
		return perseus__fail(err, PERSEUS_INVALID, "a power cap must be above 0 W, not %g W", cap_w);
	const double rate_hz = perseus_operating_rate_hz(curve, cap_w * (1 + info.loss_bound));
	if (isnan(rate_hz))
		return perseus__fail(err, PERSEUS_INFEASIBLE,
				"a power cap of %.10g W cannot be kept: the least that this job takes while it trains is %.10g W, in "
				"iterations of %.9g s; slower clocks would only spend more energy an iteration",
				cap_w, shown_least_w(slowest.power_w), 1 / slowest.rate_hz);
	*bound_ns = (int64_t)fmax(floor(1e9 / rate_hz * (1 - ROUNDING)), (double)info.t_min_ns);
	return PERSEUS_OK;
}

enum perseus_status
perseus_power_cap_bound(const struct perseus_frontier *frontier, int32_t n_pipelines, int32_t gpus_per_stage,
		double cap_w, int64_t *bound_ns, struct perseus_error *err)
{
	struct perseus_operating_curve *curve = NULL;
	enum perseus_status status = perseus_operating_curve_new(frontier, n_pipelines, gpus_per_stage, 0, &curve, err);
	if (status == PERSEUS_OK)
		status = find_bound(frontier, curve, cap_w, bound_ns, err);
	perseus_operating_curve_free(curve);
	return status;
}

static enum perseus_status
search_plan(struct search *search, int64_t bound_ns, struct perseus_capped_plan *out, struct perseus_error *err)
{
	int64_t low_ns = bound_ns;
	enum perseus_status status = find_by_reaching(search, &low_ns, err);
	if (status == PERSEUS_OK && !search->best)
		status = find_by_looking(search, bound_ns, &low_ns, err);
	if (status == PERSEUS_OK && search->best)
		status = find_faster(search, low_ns, err);
	if (status != PERSEUS_OK)
		return status;
	if (!search->best)
		return perseus__fail(err, PERSEUS_INFEASIBLE,
				"no plan of granularity %s was found under a power cap of %.10g W: the least found takes %.10g W",
				perseus_granularity_name(search->settings.granularity), search->cap_w, shown_least_w(search->least_w));
	*out = (struct perseus_capped_plan){search->best, search->best_w, bound_ns, search->is_binding};
	search->best = NULL;
	return PERSEUS_OK;
}

enum perseus_status
perseus_plan_under_power(const struct perseus_frontier *frontier, const struct perseus_plan_settings *settings,
		int32_t n_pipelines, int32_t gpus_per_stage, double cap_w, struct perseus_capped_plan *out,
		struct perseus_error *err)
{
	struct search search = {
		.frontier = frontier,
		.settings = *settings,
		.n_pipelines = n_pipelines,
		.gpus_per_stage = gpus_per_stage,
		.cap_w = cap_w,
		.t_star_ns = perseus_frontier_info(frontier).t_star_ns,
		.least_w = INFINITY,
	};
	int64_t bound_ns = 0;
	enum perseus_status status =
			perseus_operating_curve_new(frontier, n_pipelines, gpus_per_stage, 0, &search.curve, err);
	if (status == PERSEUS_OK)
		status = find_bound(frontier, search.curve, cap_w, &bound_ns, err);
	if (status == PERSEUS_OK)
		status = search_plan(&search, bound_ns, out, err);
	perseus_operating_curve_free(search.curve);
	perseus_plan_free(search.best);
	return status;
}
