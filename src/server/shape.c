/* A shape as its users see it: owners, facts, and the lookup of plans. */
#include "server/shape.h"

#include "base/memory.h"
#include "server/shape_internal.h"

#include <math.h>

struct perseus__shape *
perseus__shape_ref(struct perseus__shape *shape)
{
	(void)atomic_fetch_add_explicit(&shape->n_owners, 1, memory_order_relaxed);
	return shape;
}

void
perseus__shape_unref(struct perseus__shape *shape)
{
	if (!shape || atomic_fetch_sub_explicit(&shape->n_owners, 1, memory_order_acq_rel) > 1)
		return;
	for (int32_t k = 0; shape->slots && k < shape->n_deadlines; k++)
		perseus_plan_free(atomic_load_explicit(&shape->slots[k].plan, memory_order_relaxed));
	perseus__free(shape->slots);
	perseus__free(shape->order);
	perseus_frontier_free(shape->frontier);
	perseus_schedule_free(shape->schedule);
	perseus_profile_free(shape->profile);
	perseus__shape_free_request(shape);
	perseus__shape_key_fini(&shape->key);
	perseus__free(shape);
}

struct perseus__shape_info
perseus__shape_info(const struct perseus__shape *shape)
{
	const struct perseus_frontier_info frontier = perseus_frontier_info(shape->frontier);
	return (struct perseus__shape_info){
		.frontier = frontier,
		.t_min_ns = shape->t_min_ns,
		.t_star_ns = shape->slots[shape->n_deadlines - 1].deadline_ns,
		.baseline = shape->baseline,
		.n_plans = atomic_load_explicit(&shape->n_plans, memory_order_relaxed),
		.n_deadlines = shape->n_deadlines,
		.is_complete = atomic_load_explicit(&shape->n_tried, memory_order_relaxed) == shape->n_deadlines,
	};
}

const struct perseus_frontier *
perseus__shape_frontier(const struct perseus__shape *shape)
{
	return shape->frontier;
}

/* The slot whose plan is the best for a deadline; NULL where none keeps it. */
static const struct perseus__shape_slot *
find(const struct perseus__shape *shape, int64_t deadline_ns, const struct perseus_plan **plan)
{
	const struct perseus__shape_slot *best = NULL;
	for (int32_t k = 0; k < shape->n_deadlines && shape->slots[k].deadline_ns <= deadline_ns; k++) {
		const struct perseus__shape_slot *slot = &shape->slots[k];
		const struct perseus_plan *found = atomic_load_explicit(&slot->plan, memory_order_acquire);
		if (!found || (best && best->effective_j <= slot->effective_j))
			continue;
		best = slot;
		*plan = found;
	}
	return best;
}

const struct perseus_plan *
perseus__shape_plan(const struct perseus__shape *shape, int64_t deadline_ns)
{
	const struct perseus_plan *plan = NULL;
	(void)find(shape, deadline_ns, &plan);
	return plan;
}

double
perseus__shape_effective_j(const void *shape, int64_t deadline_ns)
{
	const struct perseus_plan *plan = NULL;
	const struct perseus__shape_slot *slot = find(shape, deadline_ns, &plan);
	return slot ? slot->effective_j : (double)NAN;
}
