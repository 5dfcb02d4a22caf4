/*
 * A policy over time.
 */
#include "fleet/policy_run.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

static const double ns_per_s = 1e9;

int64_t
perseus__held_ns(double degree, int64_t time_ns)
{
	return llround(degree * (double)time_ns);
}

static bool
add_news(struct perseus__news_queue *queue, struct perseus__news news)
{
	if (queue->begin > queue->end / 2) {
		queue->end -= queue->begin;
		memmove(queue->items, queue->items + queue->begin, queue->end * sizeof *queue->items);
		queue->begin = 0;
	}
	if (!perseus__reserve(&queue->items, &queue->capacity, queue->end + 1, sizeof *queue->items))
		return false;
	queue->items[queue->end++] = news;
	return true;
}

enum perseus_status
perseus__policy_run_init(struct perseus__policy_run *run, const struct perseus_simulation *simulation,
		const struct perseus__work *work, int32_t index, const double *degree, const int64_t *latest_event,
		struct perseus_error *err)
{
	const size_t n = (size_t)simulation->n_pipelines;
	struct perseus__policy_run made = {.simulation = simulation,
		.work = work,
		.policy = &simulation->policies[index],
		.degree = degree,
		.latest_event = latest_event,
		.is_stale = true,
		.iteration = {.policy = index}};
	made.known = perseus__new_array(n, sizeof *made.known);
	made.best_nj = perseus__new_array((size_t)made.policy->n_plans, sizeof *made.best_nj);
	made.odd.members = perseus__new_array(n, sizeof *made.odd.members);
	made.odd.place = perseus__new_array(n, sizeof *made.odd.place);
	made.odd.plan = perseus__new_array(n, sizeof *made.odd.plan);
	if (!made.known || !made.best_nj || !made.odd.members || !made.odd.place || !made.odd.plan) {
		perseus__policy_run_fini(&made);
		return perseus__no_memory(err);
	}
	for (size_t p = 0; p < n; p++) {
		made.known[p] = 1;
		made.odd.place[p] = -1;
	}
	for (int32_t k = 0; k < made.policy->n_plans; k++)
		made.best_nj[k] = perseus__work_best_nj(work, made.policy->plans[k].time_ns);
	*run = made;
	return PERSEUS_OK;
}

void
perseus__policy_run_fini(struct perseus__policy_run *run)
{
	perseus__free(run->known);
	perseus__free(run->best_nj);
	perseus__free(run->odd.members);
	perseus__free(run->odd.place);
	perseus__free(run->odd.plan);
	perseus__free(run->news.items);
	*run = (struct perseus__policy_run){0};
}

/* Puts a pipeline where it belongs after its degree, or what is known of it, has changed. */
static void
reconsider(struct perseus__policy_run *run, int32_t pipeline)
{
	struct perseus__odd_pipelines *odd = &run->odd;
	const bool is_odd = run->degree[pipeline] > 1 || run->known[pipeline] > 1;
	const int32_t place = odd->place[pipeline];
	if (is_odd && place < 0) {
		odd->place[pipeline] = odd->n;
		odd->members[odd->n++] = pipeline;
	} else if (!is_odd && place >= 0) {
		const int32_t last = odd->members[--odd->n];
		odd->members[place] = last;
		odd->place[last] = place;
		odd->place[pipeline] = -1;
	}
	run->is_stale = true;
}

enum perseus_status
perseus__policy_run_happen(struct perseus__policy_run *run, int64_t begin, int64_t end, struct perseus_error *err)
{
	for (int64_t e = begin; e < end; e++)
		reconsider(run, run->simulation->events[e].pipeline);
	if (!add_news(&run->news, (struct perseus__news){.since_ns = run->now_ns, .n_events = end}))
		return perseus__no_memory(err);
	return PERSEUS_OK;
}

/* What began long enough ago becomes known, where it is still so. */
static void
listen(struct perseus__policy_run *run)
{
	struct perseus__news_queue *news = &run->news;
	for (; news->begin < news->end; news->begin++) {
		const struct perseus__news *first = &news->items[news->begin];
		if (run->now_ns - first->since_ns < run->simulation->reaction_ns)
			return;
		for (; run->n_known < first->n_events; run->n_known++) {
			const struct perseus_straggler_event *event = &run->simulation->events[run->n_known];
			if (run->latest_event[event->pipeline] != run->n_known)
				continue;
			run->known[event->pipeline] = event->degree;
			reconsider(run, event->pipeline);
		}
	}
}

/* The slowest plan with which a pipeline known to be of `degree` ends within `limit_ns`, if need be the fastest. */
static int32_t
slowest_plan(const struct perseus_policy *policy, double degree, int64_t limit_ns)
{
	int32_t low = 0;
	int32_t high = policy->n_plans;
	while (high - low > 1) {
		const int32_t middle = low + (high - low) / 2;
		if (perseus__held_ns(degree, policy->plans[middle].time_ns) <= limit_ns)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* The plan of every odd pipeline into odd.plan, and of the others as result. */
static int32_t
choose(struct perseus__policy_run *run)
{
	const struct perseus__odd_pipelines *odd = &run->odd;
	double worst = 1;
	for (int32_t k = 0; k < odd->n; k++)
		worst = fmax(worst, run->known[odd->members[k]]);
	const int64_t limit_ns = perseus__held_ns(worst, run->policy->plans[0].time_ns);
	for (int32_t k = 0; k < odd->n; k++)
		odd->plan[k] = slowest_plan(run->policy, run->known[odd->members[k]], limit_ns);
	return slowest_plan(run->policy, 1, limit_ns);
}

/* Makes `pipeline` the slowest where it is; among equals the one that was hit hardest, then the first. */
static void
compare_to_slowest(struct perseus_simulated_iteration *iteration, int32_t pipeline, double degree, int64_t held_ns)
{
	const bool is_as_slow = held_ns == iteration->time_ns;
	const bool is_before = degree > iteration->degree || (degree == iteration->degree && pipeline < iteration->slowest);
	if (held_ns > iteration->time_ns || (is_as_slow && is_before)) {
		iteration->time_ns = held_ns;
		iteration->slowest = pipeline;
		iteration->degree = degree;
	}
}

/* Whom the others wait for and how long, without synchronisation, and whether what is known is so. */
static void
find_slowest(struct perseus__policy_run *run, int32_t usual_plan)
{
	const struct perseus__odd_pipelines *odd = &run->odd;
	const struct perseus_policy_plan *plans = run->policy->plans;
	struct perseus_simulated_iteration *iteration = &run->iteration;
	iteration->time_ns = -1;
	iteration->is_answered = true;
	if (odd->n < run->simulation->n_pipelines) {
		int32_t first = 0;
		while (odd->place[first] >= 0)
			first++;
		compare_to_slowest(iteration, first, 1, plans[usual_plan].time_ns);
	}
	for (int32_t k = 0; k < odd->n; k++) {
		const int32_t pipeline = odd->members[k];
		const double degree = run->degree[pipeline];
		compare_to_slowest(iteration, pipeline, degree, perseus__held_ns(degree, plans[odd->plan[k]].time_ns));
		iteration->is_answered = iteration->is_answered && run->known[pipeline] == degree;
	}
}

/* What a pipeline of this degree has to itself of `period_ns`; never below its plan's time, where rounding would go. */
static int64_t
left_ns(double degree, int64_t period_ns, int64_t plan_ns)
{
	const int64_t left = (int64_t)floor((double)period_ns / degree);
	return left > plan_ns ? left : plan_ns;
}

static void
split_up(struct perseus__policy_run *run, int32_t usual_plan, int64_t period_ns)
{
	const struct perseus_simulation *simulation = run->simulation;
	const struct perseus_policy_plan *plans = run->policy->plans;
	struct perseus__split split = {0};
	const int32_t n_usual = simulation->n_pipelines - run->odd.n;
	if (n_usual > 0)
		perseus__split_add(
				&split, run->work, &plans[usual_plan], run->best_nj[usual_plan], period_ns, period_ns, n_usual);
	for (int32_t k = 0; k < run->odd.n; k++) {
		const int32_t plan = run->odd.plan[k];
		const double degree = run->degree[run->odd.members[k]];
		perseus__split_add(&split, run->work, &plans[plan], run->best_nj[plan], period_ns,
				left_ns(degree, period_ns, plans[plan].time_ns), 1);
	}
	split.blocking_fj += (perseus__wide)run->work->blocking_uw * simulation->sync_ns * simulation->n_pipelines;
	perseus__split_scale(&split, simulation->gpus_per_stage);
	run->split = split;
}

void
perseus__policy_run_step(struct perseus__policy_run *run, int64_t iteration, int32_t n_stragglers)
{
	listen(run);
	if (run->is_stale) {
		const int32_t usual_plan = choose(run);
		find_slowest(run, usual_plan);
		split_up(run, usual_plan, run->iteration.time_ns);
		run->iteration.time_ns += run->simulation->sync_ns;
		run->iteration.energy = perseus__split_in_joules(&run->split);
		run->iteration.n_stragglers = n_stragglers;
		run->is_stale = false;
	}
	run->iteration.iteration = iteration;
	run->now_ns += run->iteration.time_ns;
	run->n_straggling += n_stragglers > 0;
	run->n_unanswered += !run->iteration.is_answered;
	perseus__split_accumulate(&run->total_split, &run->split);
}

struct perseus_simulated_total
perseus__policy_run_total(const struct perseus__policy_run *run)
{
	return (struct perseus_simulated_total){
		.n_iterations = run->simulation->n_iterations,
		.n_straggling = run->n_straggling,
		.n_unanswered = run->n_unanswered,
		.time_s = (double)run->now_ns / ns_per_s,
		.energy = perseus__split_in_joules(&run->total_split),
	};
}
