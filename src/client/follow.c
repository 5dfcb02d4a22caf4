/* Which instruction of the step is running. */
#include "client/follow.h"

struct perseus__follow
perseus__follow_init(void)
{
	return (struct perseus__follow){.n_begun = -1};
}

void
perseus__follow_fini(struct perseus__follow *follow)
{
	perseus__order_fini(&follow->order);
	perseus__order_fini(&follow->seen);
	perseus__order_fini(&follow->other);
}

static bool
is_following(const struct perseus__follow *follow)
{
	return follow->is_in_step && !follow->is_broken && follow->order.n > 0;
}

/* The step is not as it should be; true where that is new. */
static bool
break_step(struct perseus__follow *follow, const struct perseus_instruction *seen, enum perseus__mismatch_why why)
{
	const bool is_new = is_following(follow);
	const bool has_wanted = is_new && follow->position < follow->order.n;
	if (is_new) {
		follow->mismatch = (struct perseus__mismatch){
			.why = why, .position = follow->position, .has_wanted = has_wanted, .has_seen = seen != NULL};
		if (has_wanted)
			follow->mismatch.wanted = follow->order.instructions[follow->position];
		if (seen)
			follow->mismatch.seen = *seen;
	}
	follow->is_broken = true;
	follow->is_unreliable = follow->is_unreliable || why != PERSEUS__MISMATCH_ORDER;
	return is_new;
}

/* The n-th of its kind and stage in the step. */
static int32_t
count_microbatch(const struct perseus__follow *follow, enum perseus_kind kind, int32_t stage)
{
	int32_t n = 0;
	for (int32_t i = 0; i < follow->seen.n; i++) {
		const struct perseus_instruction *seen = &follow->seen.instructions[i];
		n += seen->kind == kind && seen->stage == stage;
	}
	return n;
}

/* What has no microbatch by its nature is not counted. */
static bool
has_microbatch(enum perseus_kind kind)
{
	switch (kind) {
	case PERSEUS_KIND_FORWARD:
	case PERSEUS_KIND_BACKWARD:
	case PERSEUS_KIND_INPUT:
	case PERSEUS_KIND_WEIGHT:
	case PERSEUS_KIND_RECOMPUTE:
	case PERSEUS_KIND_OVERLAP:
	case PERSEUS_KIND_DATA_LOAD:
		return true;
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_GRAD_REDUCE:
	case PERSEUS_KIND_OPTIMIZER_STEP:
	case PERSEUS_KIND_OTHER:
		return false;
	}
	return false;
}

static struct perseus_instruction
told(const struct perseus__follow *follow, const struct perseus__event *event)
{
	const enum perseus_kind kind = (enum perseus_kind)event->kind;
	/* The one instruction that has no stage in the order. */
	const int32_t stage = kind == PERSEUS_KIND_OPTIMIZER_STEP ? 0 : event->stage;
	int32_t microbatch = event->microbatch;
	if (microbatch < 0 && has_microbatch(kind))
		microbatch = count_microbatch(follow, kind, stage);
	return perseus__order_single(kind, stage, microbatch);
}

static bool
is_part(const struct perseus_instruction *told, const struct perseus_part *part)
{
	return told->kind == part->kind && told->stage == part->stage && told->microbatch == part->microbatch;
}

/* Whether what begins is what the order has next: all of it, or the next half of a pair. */
static bool
is_next(const struct perseus__follow *follow, const struct perseus_instruction *seen)
{
	if (follow->position >= follow->order.n)
		return false;
	const struct perseus_instruction *wanted = &follow->order.instructions[follow->position];
	if (wanted->n_parts < 2)
		return is_part(seen, &wanted->part[0]);
	if (seen->kind == PERSEUS_KIND_OVERLAP)
		return !follow->has_half && seen->stage == wanted->stage && seen->microbatch == wanted->microbatch;
	return is_part(seen, &wanted->part[follow->has_half ? 1 : 0]);
}

static struct perseus__followed
begin_step(struct perseus__follow *follow, const struct perseus__event *event)
{
	struct perseus__followed out = {.what = PERSEUS__FOLLOWED_STEP_BEGIN, .at_ns = event->at_ns, .position = -1};
	follow->n_begun = event->stage;
	follow->is_in_step = true;
	follow->is_broken = false;
	follow->is_unreliable = false;
	follow->is_running = false;
	follow->has_half = false;
	follow->position = 0;
	follow->step_ns = event->at_ns;
	follow->seen.n = 0;
	return out;
}

static struct perseus__followed
begin_instruction(struct perseus__follow *follow, const struct perseus__event *event)
{
	struct perseus__followed out = {.what = PERSEUS__FOLLOWED_BEGIN, .at_ns = event->at_ns, .position = -1};
	const struct perseus_instruction seen = told(follow, event);
	if (follow->is_running)
		out.breaks = break_step(follow, &seen, PERSEUS__MISMATCH_NESTED);
	if (perseus__order_add(&follow->seen, &seen, NULL) != PERSEUS_OK)
		out.breaks = break_step(follow, &seen, PERSEUS__MISMATCH_LOSS) || out.breaks;
	if (is_following(follow) && !is_next(follow, &seen))
		out.breaks = break_step(follow, &seen, PERSEUS__MISMATCH_ORDER);
	const bool is_second_half = is_following(follow) && follow->has_half;
	if (!is_second_half)
		follow->running_ns = event->at_ns;
	follow->is_running = true;
	follow->running = seen;
	out.kind = seen.kind;
	out.stage = seen.stage;
	if (is_following(follow)) {
		const struct perseus_instruction *wanted = &follow->order.instructions[follow->position];
		out.position = follow->position;
		out.kind = wanted->kind;
		out.stage = wanted->stage;
		if (is_second_half)
			out.what = PERSEUS__FOLLOWED_NOTHING;
	}
	return out;
}

static struct perseus__followed
end_instruction(struct perseus__follow *follow, const struct perseus__event *event)
{
	struct perseus__followed out = {.what = PERSEUS__FOLLOWED_NOTHING, .at_ns = event->at_ns, .position = -1};
	if (!follow->is_running)
		return out;
	out.what = PERSEUS__FOLLOWED_END;
	out.begin_ns = follow->running_ns;
	out.kind = follow->running.kind;
	out.stage = follow->running.stage;
	follow->is_running = false;
	if (!is_following(follow))
		return out;
	const struct perseus_instruction *wanted = &follow->order.instructions[follow->position];
	if (wanted->n_parts == 2 && follow->running.kind != PERSEUS_KIND_OVERLAP && !follow->has_half) {
		follow->has_half = true;
		out.what = PERSEUS__FOLLOWED_NOTHING;
		return out;
	}
	follow->has_half = false;
	out.position = follow->position++;
	out.kind = wanted->kind;
	out.stage = wanted->stage;
	return out;
}

/* A step of another order is over: the first makes the order where there was none, several alike a new one. */
static void
note_other(struct perseus__follow *follow)
{
	if (follow->n_alike > 0 && perseus__order_is_same(&follow->seen, &follow->other)) {
		follow->n_alike++;
	} else {
		const struct perseus__order spare = follow->other;
		follow->other = follow->seen;
		follow->seen = spare;
		follow->n_alike = 1;
	}
	follow->has_new_order = follow->order.n == 0 || follow->n_alike >= PERSEUS__ALIKE_STEPS;
}

static struct perseus__followed
end_step(struct perseus__follow *follow, const struct perseus__event *event)
{
	struct perseus__followed out = {.what = PERSEUS__FOLLOWED_STEP_END,
		.at_ns = event->at_ns,
		.begin_ns = follow->step_ns,
		.position = -1,
		.is_empty = follow->seen.n == 0};
	const bool is_whole = !follow->is_running && !follow->is_unreliable;
	if (is_following(follow) && !out.is_empty && (follow->position < follow->order.n || !is_whole))
		out.breaks = break_step(follow, NULL, PERSEUS__MISMATCH_ORDER);
	out.is_matched = is_following(follow) && !out.is_empty;
	if (out.is_matched)
		follow->n_alike = 0;
	else if (!out.is_empty && is_whole)
		note_other(follow);
	follow->is_in_step = false;
	follow->is_running = false;
	return out;
}

struct perseus__followed
perseus__follow_take(struct perseus__follow *follow, const struct perseus__event *event)
{
	bool breaks = false;
	if (event->is_after_loss && follow->is_in_step)
		breaks = break_step(follow, NULL, PERSEUS__MISMATCH_LOSS);
	struct perseus__followed out = {.what = PERSEUS__FOLLOWED_NOTHING, .at_ns = event->at_ns, .position = -1};
	const enum perseus__event_what what = (enum perseus__event_what)event->what;
	if (what == PERSEUS__EVENT_STEP_BEGIN) {
		out = begin_step(follow, event);
	} else if (follow->is_in_step) {
		switch (what) {
		case PERSEUS__EVENT_BEGIN:
			out = begin_instruction(follow, event);
			break;
		case PERSEUS__EVENT_END:
			out = end_instruction(follow, event);
			break;
		case PERSEUS__EVENT_STEP_END:
			out = end_step(follow, event);
			break;
		case PERSEUS__EVENT_STEP_BEGIN:
			break;
		}
	}
	out.breaks = out.breaks || breaks;
	return out;
}

void
perseus__follow_adopt(struct perseus__follow *follow)
{
	const struct perseus__order spare = follow->order;
	follow->order = follow->other;
	follow->other = spare;
	follow->other.n = 0;
	follow->n_alike = 0;
	follow->has_new_order = false;
}
