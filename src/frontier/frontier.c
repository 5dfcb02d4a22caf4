/* The frontier: binding, sweeping, and what can be read off without sweeping again. */
#include "frontier/frontier_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

enum {
	DEFAULT_CHECKPOINT_BYTES = 4 << 20,
	DEFAULT_MIN_CHECKPOINTS = 24, /* where a state is so large that the default bytes hold fewer */
	MAX_CHECKPOINTS = 1024,
	STEPS_PER_REPORT = 256,
	/* With quantised slopes: of instructions, over all points that are kept; but never fewer points than that. */
	MAX_EVALUATIONS = 1 << 22,
	MIN_EVALUATED_POINTS = 256,
};

static const double nj_per_j = 1e9;

struct perseus_frontier_settings
perseus_frontier_settings_default(void)
{
	return (struct perseus_frontier_settings){0};
}

/* One run of the sweep over a whole frontier. */
struct solve {
	struct perseus_frontier *frontier;
	const struct perseus_frontier_settings *settings;
	struct perseus__sweep sweep;
	int64_t point_stride; /* augmentations between two points; 1 where slopes are exact */
	int64_t fastest_ns;   /* T_min, from a longest path: how far there is to go */
};

static enum perseus_status
checkpoints_init(
		struct perseus__checkpoints *checkpoints, size_t state_bytes, size_t budget_bytes, struct perseus_error *err)
{
	size_t capacity = (budget_bytes ? budget_bytes : DEFAULT_CHECKPOINT_BYTES) / state_bytes;
	const size_t least = budget_bytes ? 2 : DEFAULT_MIN_CHECKPOINTS;
	if (capacity < least)
		capacity = least;
	if (capacity > MAX_CHECKPOINTS)
		capacity = MAX_CHECKPOINTS;
	*checkpoints =
			(struct perseus__checkpoints){.state_bytes = state_bytes, .capacity = (int32_t)capacity, .stride = 1};
	checkpoints->states = perseus__new_array(capacity, state_bytes);
	checkpoints->time_ns = perseus__new_array(capacity, sizeof *checkpoints->time_ns);
	return checkpoints->states && checkpoints->time_ns ? PERSEUS_OK : perseus__no_memory(err);
}

static void
save_checkpoint(struct perseus__checkpoints *checkpoints, const struct perseus__sweep *sweep)
{
	if (checkpoints->n == checkpoints->capacity) {
		int32_t kept = 0;
		for (int32_t i = 0; i < checkpoints->n; i += 2) {
			memmove(checkpoints->states + (size_t)kept * checkpoints->state_bytes,
					checkpoints->states + (size_t)i * checkpoints->state_bytes, checkpoints->state_bytes);
			checkpoints->time_ns[kept++] = checkpoints->time_ns[i];
		}
		checkpoints->n = kept;
		checkpoints->stride *= 2;
	}
	perseus__sweep_save(sweep, checkpoints->states + (size_t)checkpoints->n * checkpoints->state_bytes);
	checkpoints->time_ns[checkpoints->n++] = sweep->time_ns;
}

/* Effective energy of the state, on the hulls. */
static double
evaluate_nj(const struct perseus_frontier *frontier, const struct perseus__sweep *sweep)
{
	double sum_nj = 0.0;
	for (int32_t i = 0; i < frontier->network.n_activities; i++) {
		const struct perseus__arc *arc = &frontier->network.arcs[i];
		const int64_t span_ns = sweep->events[arc->head].time_ns - sweep->events[arc->tail].time_ns;
		sum_nj += perseus__hull_energy_nj(frontier->workload.class_of[i], (double)span_ns);
	}
	return sum_nj;
}

/* What the state's flow proves that nothing can be below, by weak duality. */
static double
dual_nj(const struct perseus_frontier *frontier, const struct perseus__sweep *sweep, int64_t time_ns)
{
	const struct perseus__network *network = &frontier->network;
	perseus__wide sum = 0;
	for (int32_t i = 0; i < network->n_activities; i++)
		sum += perseus__hull_dual(
				frontier->workload.class_of[i], frontier->units_per_watt, perseus__sweep_flow(sweep, i));
	for (int32_t a = network->n_activities; a < network->n_activities + network->n_lagged; a++)
		sum += (perseus__wide)perseus__sweep_flow(sweep, a) * network->length_ns[network->arcs[a].curve];
	sum -= (perseus__wide)sweep->flow * time_ns;
	return (double)sum / (double)frontier->units_per_watt;
}

static double
blocking_nj(const struct perseus_frontier *frontier, int64_t time_ns)
{
	/* µW · ns = fJ */
	return (double)frontier->workload.blocking_uw * (double)time_ns * 1e-6 + (double)frontier->workload.transfer_nj;
}

static void
thin_points(struct solve *solve)
{
	struct perseus__points *points = &solve->frontier->points;
	int32_t kept = 0;
	for (int32_t i = 0; i < points->n; i += 2) {
		points->items[kept] = points->items[i];
		points->proven_nj[kept++] = points->proven_nj[i];
	}
	points->n = kept;
	solve->point_stride *= 2;
}

/* With quantised slopes every point costs an evaluation and a proof: fewer of them for larger jobs. */
static int32_t
max_evaluated_points(const struct perseus_frontier *frontier)
{
	const int32_t n = MAX_EVALUATIONS / (frontier->network.n_activities + 1);
	return n < MIN_EVALUATED_POINTS ? MIN_EVALUATED_POINTS : n;
}

static enum perseus_status
append_point(struct perseus__points *points, struct perseus_frontier_point point, struct perseus_error *err)
{
	if (!perseus__reserve(&points->items, &points->capacity, (size_t)points->n + 1, sizeof *points->items))
		return perseus__no_memory(err);
	points->items[points->n++] = point;
	return PERSEUS_OK;
}

/* Between times that are nearly equal the power may be beyond any number of µW. */
static int64_t
flow_power_uw(const struct perseus_frontier *frontier, int64_t flow)
{
	const double power_uw = (double)flow / (double)frontier->units_per_watt * 1e6;
	return power_uw < (double)INT64_MAX ? llround(power_uw) : INT64_MAX;
}

static enum perseus_status
add_point(struct solve *solve, struct perseus_error *err)
{
	struct perseus_frontier *frontier = solve->frontier;
	struct perseus__points *points = &frontier->points;
	const struct perseus__sweep *sweep = &solve->sweep;
	if (points->n > 0 && points->items[points->n - 1].time_ns == sweep->time_ns)
		return PERSEUS_OK;
	struct perseus_frontier_point point = {.time_ns = sweep->time_ns,
		.effective_nj = frontier->slowest_nj + llround((double)sweep->saved / (double)frontier->units_per_watt),
		.marginal_power_uw = flow_power_uw(frontier, sweep->flow)};
	if (solve->settings->slope_quantum_uw == 0)
		return append_point(points, point, err);
	if (points->n == max_evaluated_points(frontier))
		thin_points(solve);
	if (!perseus__reserve(
				&points->proven_nj, &points->proven_capacity, (size_t)points->n + 1, sizeof *points->proven_nj))
		return perseus__no_memory(err);
	point.effective_nj = llround(evaluate_nj(frontier, sweep));
	points->proven_nj[points->n] = dual_nj(frontier, sweep, sweep->time_ns);
	return append_point(points, point, err);
}

/* How far the curve lies above what is proven, relative to the total energy proven, at one time. */
static double
loss_at(const struct perseus_frontier *frontier, double time_ns, double curve_nj, double proven_nj)
{
	return (curve_nj - proven_nj) / (proven_nj + blocking_nj(frontier, (int64_t)time_ns));
}

/*
 * The largest loss between points i and i + 1. The curve is straight there, and two proofs, of the slower and of the
 * faster point, are straight lines under it; it is furthest from the better of them at an end or where they cross.
 */
static double
loss_between(const struct perseus_frontier *frontier, int32_t i)
{
	const struct perseus_frontier_point *slow = &frontier->points.items[i];
	const struct perseus_frontier_point *fast = slow + 1;
	/* µW · ns = 1e-6 nJ; lines by the time saved since the slower point. */
	const double slow_w = (double)slow->marginal_power_uw * 1e-6;
	const double fast_w = (double)fast->marginal_power_uw * 1e-6;
	const double whole_ns = (double)(slow->time_ns - fast->time_ns);
	const double slow_nj = frontier->points.proven_nj[i];
	const double fast_nj = frontier->points.proven_nj[i + 1] - fast_w * whole_ns;
	const double rise = (double)(fast->effective_nj - slow->effective_nj) / whole_ns;
	double at_ns[3] = {0.0, whole_ns, whole_ns};
	if (fast_w > slow_w && (slow_nj - fast_nj) / (fast_w - slow_w) > 0.0
			&& (slow_nj - fast_nj) / (fast_w - slow_w) < whole_ns)
		at_ns[2] = (slow_nj - fast_nj) / (fast_w - slow_w);
	double largest = 0.0;
	for (int k = 0; k < 3; k++) {
		const double curve_nj = (double)slow->effective_nj + rise * at_ns[k];
		const double proven_nj = fmax(slow_nj + slow_w * at_ns[k], fast_nj + fast_w * at_ns[k]);
		largest = fmax(largest, loss_at(frontier, (double)slow->time_ns - at_ns[k], curve_nj, proven_nj));
	}
	return largest;
}

static double
find_loss_bound(const struct perseus_frontier *frontier)
{
	double largest = 0.0;
	for (int32_t i = 0; frontier->points.proven_nj && i + 1 < frontier->points.n; i++)
		largest = fmax(largest, loss_between(frontier, i));
	return largest;
}

static enum perseus_status
report(const struct solve *solve, struct perseus_error *err)
{
	if (solve->settings->cancel && atomic_load(solve->settings->cancel))
		return perseus__fail(err, PERSEUS_CANCELLED, "cancelled");
	if (solve->settings->progress) {
		const double total_ns = (double)(solve->frontier->info.t_star_ns - solve->fastest_ns);
		const double done_ns = (double)(solve->frontier->info.t_star_ns - solve->sweep.time_ns);
		solve->settings->progress(total_ns > 0.0 ? done_ns / total_ns : 1.0, solve->settings->user);
	}
	return PERSEUS_OK;
}

static enum perseus_status
sweep_all(struct solve *solve, struct perseus_error *err)
{
	struct perseus_frontier *frontier = solve->frontier;
	struct perseus__sweep *sweep = &solve->sweep;
	frontier->info.t_star_ns = sweep->time_ns;
	save_checkpoint(&frontier->checkpoints, sweep);
	enum perseus_status status = add_point(solve, err);
	while (status == PERSEUS_OK) {
		if (sweep->n_augmentations % STEPS_PER_REPORT == 0)
			status = report(solve, err);
		if (status != PERSEUS_OK || !perseus__sweep_step(sweep))
			break;
		if (sweep->n_augmentations % frontier->checkpoints.stride == 0)
			save_checkpoint(&frontier->checkpoints, sweep);
		if (sweep->n_augmentations % solve->point_stride == 0)
			status = add_point(solve, err);
	}
	if (status != PERSEUS_OK)
		return status;
	/* T_min is what is asked for most: it is always at hand. */
	save_checkpoint(&frontier->checkpoints, sweep);
	frontier->info.t_min_ns = sweep->time_ns;
	frontier->info.n_augmentations = sweep->n_augmentations;
	return add_point(solve, err);
}

static int64_t
fastest_iteration(const struct perseus__network *network, int64_t *time_ns)
{
	for (int32_t v = 0; v < network->n_nodes; v++)
		for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++) {
			const struct perseus__arc *arc = &network->arcs[network->in_arcs[k]];
			const int64_t at_ns = time_ns[arc->tail] + network->length_ns[arc->curve];
			if (at_ns > time_ns[v])
				time_ns[v] = at_ns;
		}
	return time_ns[network->n_nodes - 1];
}

/* The first point, from T_min up, above which a longer iteration costs more to wait through than it saves. */
static int64_t
least_energy_time(const struct perseus_frontier *frontier)
{
	const struct perseus__points *points = &frontier->points;
	for (int32_t i = points->n - 1; i > 0; i--)
		if (points->items[i].marginal_power_uw <= frontier->workload.blocking_uw)
			return points->items[i].time_ns;
	return points->items[0].time_ns;
}

static enum perseus_status
build_network(struct perseus_frontier *frontier, int64_t quantum_uw, struct perseus_error *err)
{
	struct perseus__price_lists lists;
	enum perseus_status status = perseus__price_lists_init(&lists, &frontier->workload, quantum_uw, err);
	if (status != PERSEUS_OK)
		return status;
	const struct perseus_schedule *schedule = frontier->workload.schedule;
	const struct perseus__activities activities = {.n_activities = schedule->n_instructions,
		.n_curves = lists.n_curves,
		.curves = lists.curves,
		.curve_of = lists.curve_of,
		.n_edges = schedule->n_edges,
		.edges = schedule->edges,
		.lag_ns = frontier->workload.lag_ns};
	frontier->units_per_watt = lists.units_per_watt;
	status = perseus__network_init(&frontier->network, &activities, err);
	perseus__price_lists_fini(&lists);
	return status;
}

/* Of all choices: what is evaluated need not be on the hull, nor be the slowest there. */
static int64_t
slowest_ns(const struct perseus_class *class_)
{
	int64_t time_ns = 0;
	for (int32_t k = 0; k < class_->n_choices; k++)
		if (class_->choices[k].time_ns > time_ns)
			time_ns = class_->choices[k].time_ns;
	return time_ns;
}

/* Sums of times and of energies must stay well inside 64 bits. */
static enum perseus_status
check_ranges(struct perseus_frontier *frontier, struct perseus_error *err)
{
	const struct perseus__workload *workload = &frontier->workload;
	perseus__wide time_ns = 0;
	perseus__wide energy_nj = 0;
	perseus__wide slowest_nj = 0;
	for (int32_t i = 0; i < workload->schedule->n_instructions; i++) {
		const struct perseus_class *class_ = workload->class_of[i];
		slowest_nj += class_->hull[class_->n_hull - 1].effective_nj;
		const int64_t fastest_nj = class_->hull[0].effective_nj;
		energy_nj += fastest_nj < 0 ? -fastest_nj : fastest_nj;
		time_ns += slowest_ns(class_);
	}
	for (int32_t e = 0; e < workload->schedule->n_edges; e++)
		time_ns += workload->lag_ns[e];
	energy_nj += (slowest_nj < 0 ? -slowest_nj : slowest_nj) + workload->transfer_nj;
	const perseus__wide limit = PERSEUS__UNBOUNDED / 2;
	if (time_ns > limit || energy_nj > limit || (perseus__wide)workload->blocking_uw * time_ns / 1000000 > limit)
		return perseus__fail(err, PERSEUS_INVALID,
				"the sum of all times or energies of one iteration leaves 64 bits; are the units right?");
	frontier->slowest_nj = (int64_t)slowest_nj;
	return PERSEUS_OK;
}

static enum perseus_status
solve_frontier(
		struct perseus_frontier *frontier, const struct perseus_frontier_settings *settings, struct perseus_error *err)
{
	struct solve solve = {.frontier = frontier, .settings = settings, .point_stride = 1};
	int64_t *time_ns = perseus__new_array((size_t)frontier->network.n_nodes, sizeof *time_ns);
	if (!time_ns)
		return perseus__no_memory(err);
	solve.fastest_ns = fastest_iteration(&frontier->network, time_ns);
	perseus__free(time_ns);
	enum perseus_status status = perseus__sweep_init(&solve.sweep, &frontier->network, err);
	if (status == PERSEUS_OK)
		status = sweep_all(&solve, err);
	if (status == PERSEUS_OK && frontier->info.t_min_ns != solve.fastest_ns)
		status = perseus__fail(err, PERSEUS_INTERNAL, "the sweep ended before the shortest iteration");
	perseus__sweep_fini(&solve.sweep);
	return status;
}

static void
fill_info(struct perseus_frontier *frontier)
{
	struct perseus_frontier_info *info = &frontier->info;
	info->t_min_energy_ns = least_energy_time(frontier);
	info->blocking_power_uw = frontier->workload.blocking_uw;
	info->n_breakpoints = frontier->points.n;
	info->n_nodes = frontier->network.n_nodes;
	info->n_arcs = frontier->network.n_arcs;
	info->loss_bound = find_loss_bound(frontier);
	for (int32_t i = 0; i < frontier->workload.n_composed; i++)
		info->used_fallback |= frontier->workload.composed[i].first != NULL;
}

enum perseus_status
perseus_frontier_new(const struct perseus_profile *profile, const struct perseus_schedule *schedule,
		const struct perseus_frontier_settings *settings, struct perseus_frontier **out, struct perseus_error *err)
{
	const struct perseus_frontier_settings defaults = perseus_frontier_settings_default();
	if (!settings)
		settings = &defaults;
	if (settings->slope_quantum_uw < 0 || settings->slope_quantum_uw > (int64_t)(PERSEUS_MAX_POWER_W * 1e6))
		return perseus__fail(err, PERSEUS_INVALID, "slope quantum must be between 0 and %g W, not %g W",
				PERSEUS_MAX_POWER_W, (double)settings->slope_quantum_uw / 1e6);
	struct perseus_frontier *frontier = perseus__new_array(1, sizeof *frontier);
	if (!frontier)
		return perseus__no_memory(err);
	enum perseus_status status = perseus__workload_init(&frontier->workload, profile, schedule, err);
	if (status == PERSEUS_OK)
		status = check_ranges(frontier, err);
	if (status == PERSEUS_OK)
		status = build_network(frontier, settings->slope_quantum_uw, err);
	if (status == PERSEUS_OK)
		status = checkpoints_init(&frontier->checkpoints, perseus__sweep_state_bytes(&frontier->network),
				settings->checkpoint_bytes, err);
	if (status == PERSEUS_OK)
		status = solve_frontier(frontier, settings, err);
	if (status != PERSEUS_OK) {
		perseus_frontier_free(frontier);
		return status;
	}
	fill_info(frontier);
	*out = frontier;
	return PERSEUS_OK;
}

void
perseus_frontier_free(struct perseus_frontier *frontier)
{
	if (!frontier)
		return;
	perseus__workload_fini(&frontier->workload);
	perseus__network_fini(&frontier->network);
	perseus__free(frontier->points.items);
	perseus__free(frontier->points.proven_nj);
	perseus__free(frontier->checkpoints.states);
	perseus__free(frontier->checkpoints.time_ns);
	perseus__free(frontier);
}

struct perseus_frontier_info
perseus_frontier_info(const struct perseus_frontier *frontier)
{
	return frontier->info;
}

const struct perseus_profile *
perseus_frontier_profile(const struct perseus_frontier *frontier)
{
	return frontier->workload.profile;
}

const struct perseus_schedule *
perseus_frontier_schedule(const struct perseus_frontier *frontier)
{
	return frontier->workload.schedule;
}

const struct perseus_class *
perseus_frontier_class(const struct perseus_frontier *frontier, int32_t index)
{
	return frontier->workload.class_of[index];
}

const struct perseus__workload *
perseus__frontier_workload(const struct perseus_frontier *frontier)
{
	return &frontier->workload;
}

struct perseus_frontier_point
perseus_frontier_point(const struct perseus_frontier *frontier, int32_t index)
{
	return frontier->points.items[frontier->points.n - 1 - index];
}

double
perseus_frontier_effective_energy_j(const struct perseus_frontier *frontier, int64_t time_ns)
{
	const struct perseus_frontier_point *items = frontier->points.items;
	if (time_ns < frontier->info.t_min_ns)
		return NAN;
	if (time_ns >= items[0].time_ns)
		return (double)items[0].effective_nj / nj_per_j;
	/* items[low].time_ns > time_ns >= items[high].time_ns */
	int32_t low = 0;
	int32_t high = frontier->points.n - 1;
	while (high - low > 1) {
		const int32_t middle = low + (high - low) / 2;
		if (items[middle].time_ns > time_ns)
			low = middle;
		else
			high = middle;
	}
	const double fraction =
			(double)(time_ns - items[high].time_ns) / (double)(items[low].time_ns - items[high].time_ns);
	return ((double)items[high].effective_nj + fraction * (double)(items[low].effective_nj - items[high].effective_nj))
			/ nj_per_j;
}

double
perseus_frontier_energy_j(const struct perseus_frontier *frontier, int64_t time_ns)
{
	return perseus_frontier_effective_energy_j(frontier, time_ns) + blocking_nj(frontier, time_ns) / nj_per_j;
}
