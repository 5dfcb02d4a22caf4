/*
 * Pulling: what is cut off moves earlier, rigidly, until residual arcs stop it piece by piece. Floors tell which few
 * events need a look, so the work beyond two passes over the moving part is proportional to the pieces.
 */
#include "flow/sweep_internal.h"

#include <assert.h>

static bool
is_moving(const struct perseus__sweep *sweep, int32_t v)
{
	return sweep->events[v].mark > N_MARKS * sweep->epoch;
}

static bool
has_stopped(const struct perseus__sweep *sweep, int32_t v)
{
	return !is_moving(sweep, v);
}

/* Takes into account the residual arc `a` of `length` from `tail`. */
static void
meet(struct perseus__sweep *sweep, const struct step *step, int32_t tail, int32_t a, int64_t length,
		struct obstacle *obstacle)
{
	struct perseus__event *event = &sweep->events[tail];
	const bool moves = is_moving(sweep, tail);
	const int64_t at = event->time_ns - (moves ? step->shift_ns : 0) + length;
	if (moves) {
		/* No obstacle before it stops; it tells when it does. */
		event->mark |= WATCHED;
		if (at > obstacle->moving_ns)
			obstacle->moving_ns = at;
	} else if (at > obstacle->resting_ns) {
		obstacle->resting_ns = at;
		obstacle->tail = tail;
		obstacle->arc = a;
	}
}

struct obstacle
perseus__sweep_look_around(struct perseus__sweep *sweep, const struct step *step, int32_t v)
{
	const struct perseus__network *network = sweep->network;
	const int32_t tree_arc = sweep->events[v].tree_arc;
	struct obstacle obstacle = {.resting_ns = NO_FLOOR, .moving_ns = NO_FLOOR, .tail = NONE, .arc = NONE};
	for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++) {
		const int32_t a = sweep->in_places[k];
		const struct perseus__residual *residual = &sweep->residuals[a];
		if (a != tree_arc && sweep->events[residual->tail].tree_arc != a)
			meet(sweep, step, residual->tail, a, residual->forward_ns, &obstacle);
	}
	for (int32_t a = network->out_begin[v]; a < network->out_begin[v + 1]; a++) {
		const struct perseus__residual *residual = &sweep->residuals[a];
		if (residual->backward_ns != PERSEUS__UNBOUNDED && a != tree_arc && sweep->events[residual->head].tree_arc != a)
			meet(sweep, step, residual->head, a, -residual->backward_ns, &obstacle);
	}
	return obstacle;
}

/* An event that moves on learns that `at_ns` is as far as a new residual arc lets it. */
static void
lower_bound_event(struct perseus__sweep *sweep, const struct step *step, int32_t v, int64_t at_ns)
{
	raise_floor(sweep, v, at_ns);
	const int64_t key = sweep->events[v].time_ns - at_ns;
	if (is_moving(sweep, v) && key < step->horizon_ns)
		(void)perseus__sweep_bring_forward(sweep, v, key > step->shift_ns ? key : step->shift_ns);
}

/* The arc between `child` and its former parent is no tree arc any more: it binds both like any other. */
static void
untie(struct perseus__sweep *sweep, const struct step *step, int32_t child, int32_t parent, int32_t a)
{
	const struct perseus__residual *residual = &sweep->residuals[a];
	const bool forward = residual->head == child;
	const int64_t there = forward ? residual->forward_ns : -residual->backward_ns;
	const int64_t back = forward ? residual->backward_ns : -residual->forward_ns;
	const int64_t child_ns = sweep->events[child].time_ns - (is_moving(sweep, child) ? step->shift_ns : 0);
	const int64_t parent_ns = sweep->events[parent].time_ns - (is_moving(sweep, parent) ? step->shift_ns : 0);
	if (there != -PERSEUS__UNBOUNDED)
		lower_bound_event(sweep, step, child, parent_ns + there);
	if (back != PERSEUS__UNBOUNDED)
		lower_bound_event(sweep, step, parent, child_ns - back);
}

/* `v` has stopped and others were counting on its moving on: they learn how far they can still go. */
static void
tell_watchers(struct perseus__sweep *sweep, const struct step *step, int32_t v)
{
	const struct perseus__network *network = sweep->network;
	const int64_t time_ns = sweep->events[v].time_ns;
	for (int32_t a = network->out_begin[v]; a < network->out_begin[v + 1]; a++) {
		const struct perseus__residual *residual = &sweep->residuals[a];
		const int32_t head = residual->head;
		if (is_moving(sweep, head) && sweep->events[head].tree_arc != a)
			lower_bound_event(sweep, step, head, time_ns + residual->forward_ns);
	}
	for (int32_t k = network->in_begin[v]; k < network->in_begin[v + 1]; k++) {
		const int32_t a = sweep->in_places[k];
		const struct perseus__residual *residual = &sweep->residuals[a];
		const int32_t tail = residual->tail;
		if (residual->backward_ns != PERSEUS__UNBOUNDED && is_moving(sweep, tail) && sweep->events[tail].tree_arc != a)
			lower_bound_event(sweep, step, tail, time_ns - residual->backward_ns);
	}
}

/* The event stops where it is. What moved along with it keeps its distance or has gone further. */
static void
stop_event(struct perseus__sweep *sweep, struct step *step, int32_t v)
{
	struct perseus__event *event = &sweep->events[v];
	const int32_t mark = event->mark;
	event->time_ns -= step->shift_ns;
	event->mark = N_MARKS * sweep->epoch;
	step->n_left--;
	if ((mark & LOOKED) && event->time_ns - sweep->margin_ns[v] > event->floor_ns)
		event->floor_ns = event->time_ns - sweep->margin_ns[v];
	if (mark & WATCHED)
		tell_watchers(sweep, step, v);
}

/* Stops `top` and all that hangs below it, parents before children. */
static void
stop_subtree(struct perseus__sweep *sweep, struct step *step, int32_t top)
{
	int32_t *queue = sweep->near; /* what was near has been surveyed by now */
	int32_t n = 0;
	queue[n++] = top;
	for (int32_t i = 0; i < n; i++) {
		const int32_t v = queue[i];
		for (int32_t child = sweep->events[v].first_child; child != NONE; child = sweep->events[child].next_sibling)
			queue[n++] = child;
		stop_event(sweep, step, v);
	}
}

/* `v` has reached what stops it: it hangs there from now on. */
static void
attach(struct perseus__sweep *sweep, struct step *step, int32_t v, const struct obstacle *obstacle)
{
	const int32_t old_parent = sweep->tree[v].parent;
	const int32_t old_arc = sweep->events[v].tree_arc;
	if (old_parent != NONE)
		perseus__sweep_unlink(sweep, v);
	stop_subtree(sweep, step, v);
	perseus__sweep_link(sweep, v, obstacle->tail, obstacle->arc);
	if (old_parent != NONE)
		untie(sweep, step, v, old_parent, old_arc);
}

/* Learns the obstacles of a moving event: exactly from what rests, as a margin from what moves along. */
static struct obstacle
survey_event(struct perseus__sweep *sweep, const struct step *step, int32_t v)
{
	struct perseus__event *event = &sweep->events[v];
	const struct obstacle obstacle = perseus__sweep_look_around(sweep, step, v);
	event->floor_ns = obstacle.resting_ns;
	event->mark |= LOOKED;
	sweep->margin_ns[v] = event->time_ns - step->shift_ns - obstacle.moving_ns;
	return obstacle;
}

/* Puts an event into the heap if something at rest stops it within the horizon. */
static void
survey_if_near(struct perseus__sweep *sweep, const struct step *step, int32_t v)
{
	const struct perseus__event *event = &sweep->events[v];
	if (event->time_ns - event->floor_ns >= step->horizon_ns)
		return;
	if (!(event->mark & LOOKED))
		(void)survey_event(sweep, step, v);
	const int64_t key = event->time_ns - event->floor_ns;
	if (key < step->horizon_ns)
		(void)perseus__sweep_bring_forward(sweep, v, key > step->shift_ns ? key : step->shift_ns);
}

/* Surveys what still moves, further ahead. */
static void
survey_further(struct perseus__sweep *sweep, struct step *step)
{
	step->horizon_ns = step->horizon_ns < PERSEUS__UNBOUNDED / 4 ? step->horizon_ns * 4 : INT64_MAX;
	for (int32_t i = 0; i < step->n_moving; i++)
		if (is_moving(sweep, sweep->moving[i]))
			survey_if_near(sweep, step, sweep->moving[i]);
}

/* The sink's piece stops, and with it all that still moves: what hangs on the path does not get past it. */
static void
stop_all(struct perseus__sweep *sweep, struct step *step, int32_t v, const struct obstacle *obstacle)
{
	if (sweep->tree[v].parent != NONE)
		perseus__sweep_unlink(sweep, v);
	perseus__sweep_link(sweep, v, obstacle->tail, obstacle->arc);
	perseus__sweep_turn_path(sweep, step, v, has_stopped);
	for (int32_t i = 0; i < step->n_moving; i++) {
		const int32_t left = sweep->moving[i];
		if (!is_moving(sweep, left))
			continue;
		sweep->events[left].mark &= ~WATCHED;
		stop_event(sweep, step, left);
	}
}

/* Everything cut off is on its way; then those that have something near are surveyed. */
static void
set_moving(struct perseus__sweep *sweep, struct step *step)
{
	int32_t n_near = 0;
	step->n_left = step->n_moving;
	for (int32_t i = 0; i < step->n_moving; i++) {
		struct perseus__event *event = &sweep->events[sweep->moving[i]];
		event->mark = N_MARKS * sweep->epoch + MOVING;
		if (event->time_ns - event->floor_ns < step->horizon_ns)
			sweep->near[n_near++] = sweep->moving[i];
	}
	for (int32_t i = 0; i < n_near; i++)
		survey_if_near(sweep, step, sweep->near[i]);
}

void
perseus__sweep_pull(struct perseus__sweep *sweep, struct step *step)
{
	for (int32_t i = 0; i < step->n_untied; i++)
		untie(sweep, step, sweep->untied[i].child, sweep->untied[i].parent, sweep->untied[i].arc);
	set_moving(sweep, step);
	while (step->n_left > 0) {
		if (sweep->heap_size == 0) {
			survey_further(sweep, step);
			continue;
		}
		const struct perseus__heap_entry top = perseus__sweep_pop(sweep);
		if (!is_moving(sweep, top.event))
			continue;
		step->shift_ns = top.key;
		const struct obstacle obstacle = survey_event(sweep, step, top.event);
		assert(obstacle.resting_ns == sweep->events[top.event].time_ns - step->shift_ns);
		if (is_lowest(sweep, top.event))
			stop_all(sweep, step, top.event, &obstacle);
		else
			attach(sweep, step, top.event, &obstacle);
	}
	perseus__sweep_clear_heap(sweep);
}
