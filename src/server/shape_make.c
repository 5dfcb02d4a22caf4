/* Making a shape, and filling its table of plans. */
#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "plan/highest.h"
#include "server/shape_internal.h"

#include <string.h>

/* A copy of `n` elements; NULL where there is no memory, or nothing to copy. */
static void *
copy_array(const void *from, size_t n, size_t size)
{
	void *copy = n > 0 ? perseus__new_array(n, size) : NULL;
	if (copy)
		memcpy(copy, from, n * size);
	return copy;
}

void
perseus__shape_free_request(struct perseus__shape *shape)
{
	for (size_t i = 0; i < shape->n_rows; i++)
		perseus__free(shape->rows[i].instruction);
	for (size_t i = 0; i < shape->n_class_names; i++)
		perseus__free(shape->class_names[i]);
	perseus__free(shape->rows);
	perseus__free(shape->class_names);
	perseus__free(shape->request.profile.blocking_power_w);
	perseus__free(shape->request.order.name);
	perseus__free(shape->request.order.rank_begin);
	perseus__free(shape->request.order.instructions);
	perseus__free(shape->request.order.extra_edges);
	shape->rows = NULL;
	shape->n_rows = 0;
	shape->class_names = NULL;
	shape->n_class_names = 0;
	shape->request.profile.blocking_power_w = NULL;
	shape->request.order = (struct perseus_order){0};
}

static int32_t
n_stages_of(const struct perseus__shape_request *request)
{
	int32_t n = 0;
	for (size_t i = 0; i < request->n_rows; i++)
		if (request->rows[i].stage >= n && request->rows[i].stage < PERSEUS_MAX_STAGES)
			n = request->rows[i].stage + 1;
	return n;
}

static bool
has_transfer(const struct perseus__shape_request *request, int32_t stage)
{
	for (size_t i = 0; i < request->n_rows; i++)
		if (request->rows[i].stage == stage && strcmp(request->rows[i].instruction, PERSEUS_TRANSFER_CLASS) == 0)
			return true;
	return false;
}

/* Adds a copy of the row; false where there is no memory. */
static bool
add_row(struct perseus__shape *shape, const struct perseus_measurement *row)
{
	struct perseus_measurement *copy = &shape->rows[shape->n_rows];
	*copy = *row;
	copy->instruction = perseus__copy_string(row->instruction);
	shape->n_rows += copy->instruction != NULL;
	return copy->instruction != NULL;
}

/* The rows, and transfers where they have none: those take time and no energy, as the GPU is blocked meanwhile. */
static bool
copy_rows(struct perseus__shape *shape, const struct perseus__shape_request *request)
{
	const int32_t n_stages = request->transfer_s > 0 ? n_stages_of(request) : 0;
	shape->rows = perseus__new_array(request->n_rows + (size_t)n_stages + 1, sizeof *shape->rows);
	if (!shape->rows)
		return false;
	for (size_t i = 0; i < request->n_rows; i++)
		if (!add_row(shape, &request->rows[i]))
			return false;
	for (int32_t stage = 0; stage < n_stages; stage++) {
		const struct perseus_measurement transfer = {
			.stage = stage, .instruction = PERSEUS_TRANSFER_CLASS, .time_s = request->transfer_s};
		if (!has_transfer(request, stage) && !add_row(shape, &transfer))
			return false;
	}
	return true;
}

/* The shape's own copy of a class name, of which there are few; NULL where there is no memory. */
static const char *
own_class_name(struct perseus__shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->n_class_names; i++)
		if (strcmp(shape->class_names[i], name) == 0)
			return shape->class_names[i];
	if (!perseus__reserve(&shape->class_names, &shape->class_names_capacity, shape->n_class_names + 1, sizeof(char *)))
		return NULL;
	char *copy = perseus__copy_string(name);
	if (copy)
		shape->class_names[shape->n_class_names++] = copy;
	return copy;
}

/* Makes the class names of a copied order the shape's own; false where there is no memory. */
static bool
own_class_names(struct perseus__shape *shape, struct perseus_instruction *instructions, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!instructions[i].class_name)
			continue;
		instructions[i].class_name = own_class_name(shape, instructions[i].class_name);
		if (!instructions[i].class_name)
			return false;
	}
	return true;
}

static bool
copy_order(struct perseus__shape *shape, const struct perseus_order *from)
{
	struct perseus_order *to = &shape->request.order;
	const size_t n_ranks = (size_t)from->n_ranks;
	const size_t n_instructions = (size_t)from->rank_begin[from->n_ranks];
	*to = (struct perseus_order){
		.name = from->name ? perseus__copy_string(from->name) : NULL,
		.n_ranks = from->n_ranks,
		.rank_begin = copy_array(from->rank_begin, n_ranks + 1, sizeof *from->rank_begin),
		.extra_edges = copy_array(from->extra_edges, (size_t)from->n_extra_edges, sizeof *from->extra_edges),
		.n_extra_edges = from->n_extra_edges,
		.explicit_edges_only = from->explicit_edges_only,
	};
	struct perseus_instruction *instructions = copy_array(from->instructions, n_instructions, sizeof *instructions);
	to->instructions = instructions;
	return to->rank_begin && (to->name || !from->name) && (instructions || n_instructions == 0)
			&& (to->extra_edges || from->n_extra_edges == 0)
			&& own_class_names(shape, instructions, instructions ? n_instructions : 0);
}

static bool
copy_request(struct perseus__shape *shape, const struct perseus__shape_request *request)
{
	shape->request = *request;
	shape->request.rows = NULL;
	shape->request.order = (struct perseus_order){0};
	const size_t n_powers = (size_t)request->profile.n_blocking_power;
	shape->request.profile.blocking_power_w =
			copy_array(request->profile.blocking_power_w, n_powers, sizeof *request->profile.blocking_power_w);
	return (shape->request.profile.blocking_power_w || n_powers == 0) && copy_order(shape, &request->order)
			&& copy_rows(shape, request);
}

/* From coarse to fine: the ends, the middle, the quarters, ... so that a deadline has a plan nearby early on. */
static void
order_deadlines(int32_t *order, int32_t n)
{
	int32_t n_ordered = 0;
	order[n_ordered++] = 0;
	if (n > 1)
		order[n_ordered++] = n - 1;
	int32_t stride = 1;
	while (stride < n)
		stride *= 2;
	for (; stride >= 1; stride /= 2)
		for (int32_t k = stride; k < n - 1; k += 2 * stride)
			order[n_ordered++] = k;
}

enum perseus_status
perseus__shape_new(const struct perseus__shape_request *request, int32_t n_deadlines, struct perseus__shape **out,
		struct perseus_error *err)
{
	struct perseus__shape *shape = perseus__new_array(1, sizeof *shape);
	if (!shape)
		return perseus__no_memory(err);
	atomic_init(&shape->n_owners, 1);
	shape->n_deadlines = n_deadlines;
	shape->slots = perseus__new_array((size_t)n_deadlines, sizeof *shape->slots);
	shape->order = perseus__new_array((size_t)n_deadlines, sizeof *shape->order);
	const bool is_good = shape->slots && shape->order && copy_request(shape, request);
	if (!is_good || perseus__shape_key_init(&shape->key, request, NULL) != PERSEUS_OK) {
		perseus__shape_unref(shape);
		return perseus__no_memory(err);
	}
	order_deadlines(shape->order, n_deadlines);
	*out = shape;
	return PERSEUS_OK;
}

static enum perseus_status
make_frontier(struct perseus__shape *shape, struct perseus_error *err)
{
	if (atomic_load_explicit(&shape->is_cancelled, memory_order_relaxed))
		return perseus__fail(err, PERSEUS_CANCELLED, "cancelled");
	enum perseus_status status =
			perseus_profile_new(shape->rows, shape->n_rows, &shape->request.profile, &shape->profile, err);
	if (status == PERSEUS_OK)
		status = perseus_schedule_import(&shape->request.order, &shape->schedule, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_frontier_settings settings = perseus_frontier_settings_default();
	settings.slope_quantum_uw = shape->request.slope_quantum_uw;
	settings.cancel = &shape->is_cancelled;
	return perseus_frontier_new(shape->profile, shape->schedule, &settings, &shape->frontier, err);
}

static struct perseus_plan_settings
settings_for(const struct perseus__shape *shape, int64_t deadline_ns)
{
	return (struct perseus_plan_settings){
		.deadline_ns = deadline_ns,
		.granularity = shape->request.granularity,
		.switch_latency_ns = shape->request.switch_latency_ns,
	};
}

/*
 * The plan for T_min; or, where granularity or latency do not allow it, for the time that the highest clocks take,
 * which every granularity with a common clock can keep.
 */
static enum perseus_status
make_first_plan(struct perseus__shape *shape, struct perseus_plan **plan, struct perseus_error *err)
{
	struct perseus_plan_settings settings = settings_for(shape, perseus_frontier_info(shape->frontier).t_min_ns);
	enum perseus_status status = perseus_plan_new(shape->frontier, &settings, plan, err);
	if (status != PERSEUS_INFEASIBLE)
		return status;
	struct perseus_plan *baseline = NULL;
	status = perseus__plan_highest(shape->frontier, &settings, &baseline, err);
	if (status != PERSEUS_OK)
		return status;
	settings.deadline_ns = baseline->outcome.iteration_time_ns;
	perseus_plan_free(baseline);
	return perseus_plan_new(shape->frontier, &settings, plan, err);
}

static void
set_deadlines(struct perseus__shape *shape)
{
	const int64_t t_star_ns = perseus_frontier_info(shape->frontier).t_star_ns;
	const int64_t range_ns = t_star_ns > shape->t_min_ns ? t_star_ns - shape->t_min_ns : 0;
	for (int32_t k = 0; k < shape->n_deadlines; k++)
		shape->slots[k].deadline_ns = shape->t_min_ns
				+ (shape->n_deadlines > 1 ? (int64_t)((perseus__wide)range_ns * k / (shape->n_deadlines - 1)) : 0);
}

/* Publishes the plan of a slot; its energy beyond blocking must be there before. */
static void
put(struct perseus__shape *shape, struct perseus__shape_slot *slot, struct perseus_plan *plan)
{
	const double blocking_w = 1e-6 * (double)perseus_frontier_info(shape->frontier).blocking_power_uw;
	const int64_t iteration_ns = plan->outcome.iteration_time_ns;
	const int64_t until_ns = plan->deadline_ns > iteration_ns ? plan->deadline_ns : iteration_ns;
	slot->effective_j = 1e-9 * ((double)plan->outcome.energy_nj - blocking_w * (double)until_ns);
	atomic_store_explicit(&slot->plan, plan, memory_order_release);
	(void)atomic_fetch_add_explicit(&shape->n_plans, 1, memory_order_relaxed);
}

enum perseus_status
perseus__shape_make(struct perseus__shape *shape, struct perseus_error *err)
{
	enum perseus_status status = make_frontier(shape, err);
	if (status != PERSEUS_OK)
		return status;
	if (atomic_load_explicit(&shape->is_cancelled, memory_order_relaxed))
		return perseus__fail(err, PERSEUS_CANCELLED, "cancelled");
	struct perseus_plan *plan = NULL;
	status = make_first_plan(shape, &plan, err);
	if (status != PERSEUS_OK)
		return status;
	shape->t_min_ns = plan->deadline_ns;
	shape->baseline = plan->baseline;
	perseus__shape_free_request(shape);
	set_deadlines(shape);
	put(shape, &shape->slots[0], plan);
	atomic_store_explicit(&shape->n_tried, 1, memory_order_relaxed);
	return PERSEUS_OK;
}

bool
perseus__shape_fill(struct perseus__shape *shape)
{
	const int32_t n_tried = atomic_load_explicit(&shape->n_tried, memory_order_relaxed);
	if (n_tried == shape->n_deadlines)
		return false;
	struct perseus__shape_slot *slot = &shape->slots[shape->order[n_tried]];
	/* A frontier of one point has one plan. */
	if (slot->deadline_ns > shape->t_min_ns) {
		const struct perseus_plan_settings settings = settings_for(shape, slot->deadline_ns);
		struct perseus_plan *plan = NULL;
		/* What cannot be kept, or finds no memory, leaves a gap: a plan with a shorter deadline serves it. */
		if (perseus_plan_new(shape->frontier, &settings, &plan, NULL) == PERSEUS_OK)
			put(shape, slot, plan);
	}
	atomic_store_explicit(&shape->n_tried, n_tried + 1, memory_order_relaxed);
	return n_tried + 1 < shape->n_deadlines;
}
