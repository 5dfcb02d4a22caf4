/* When the GPU's energy counter moved, and how much energy was used up to a moment. */
#include "client/energy.h"

/* Readings lie that close together around an expected step. */
#define CLOSE_NS INT64_C(200000)
/*
 * Where a reading takes longer, as NVIDIA's driver for an H200 does with some 10 ms, they are too few to catch a step
 * and hold up what is more urgent: then they are placed as the meter places its, one or two for each step.
 */
#define SLOW_NS INT64_C(500000)
/* How far ahead of the expected step readings begin, beyond the doubt in it. */
#define AHEAD_NS INT64_C(1000000)
/* A counter that moves all the time, or nobody knows when, is read so often. */
#define PERIOD_NS INT64_C(100000000)
#define POWER_PERIOD_NS INT64_C(50000000)
static const double uj = 1e-6;

struct perseus__energy
perseus__energy_init(const struct perseus_node *node, int32_t device)
{
	struct perseus__energy energy = {.node = node, .device = device};
	if (!node)
		return energy;
	const struct perseus_device_info *info = perseus_node_device(node, device);
	energy.counter = perseus__counter_track_init(info->energy_step_ns);
	energy.power = perseus__power_track_init(info->power_step_ns);
	return energy;
}

bool
perseus__energy_is_slow(const struct perseus__energy *energy)
{
	return energy->counter.read_ns > SLOW_NS;
}

int64_t
perseus__energy_due_ns(const struct perseus__energy *energy)
{
	if (!energy->node)
		return INT64_MAX;
	const struct perseus__counter_track *counter = &energy->counter;
	if (!counter->was_read)
		return counter->lost_ns ? counter->lost_ns + PERIOD_NS : 0;
	if (!counter->is_known || counter->rhythm != PERSEUS__RHYTHM_REGULAR || perseus__energy_is_slow(energy))
		return perseus__counter_next(counter, PERIOD_NS);
	const int64_t first_ns = counter->next_ns - counter->doubt_ns - AHEAD_NS;
	const int64_t again_ns = counter->after_ns + CLOSE_NS;
	return first_ns > again_ns ? first_ns : again_ns;
}

static void
read_power(struct perseus__energy *energy, int64_t now_ns)
{
	if (now_ns < energy->asked_power_ns + POWER_PERIOD_NS)
		return;
	int64_t power_mw = 0;
	energy->asked_power_ns = now_ns;
	if (perseus_device_read(energy->node, energy->device, PERSEUS_QUANTITY_POWER, &power_mw, NULL) == PERSEUS_OK)
		perseus__power_add(&energy->power, now_ns, power_mw);
	else
		perseus__power_lose(&energy->power);
}

bool
perseus__energy_read(struct perseus__energy *energy)
{
	struct perseus__counter_track *counter = &energy->counter;
	int64_t value_uj = 0;
	const bool is_first = !counter->was_read;
	const int64_t before_ns = perseus_node_now_ns(energy->node);
	const bool is_read =
			perseus_device_read(energy->node, energy->device, PERSEUS_QUANTITY_ENERGY, &value_uj, NULL) == PERSEUS_OK;
	const int64_t after_ns = perseus_node_now_ns(energy->node);
	read_power(energy, after_ns);
	if (!is_read) {
		perseus__counter_lose(counter, after_ns);
		return false;
	}
	perseus__counter_add(counter, &energy->power, before_ns, after_ns, value_uj);
	if (counter->n_steps == energy->n_steps_seen)
		return false;
	energy->n_steps_seen = counter->n_steps;
	if (is_first) /* when that step was, nobody knows */
		return false;
	energy->anchors[energy->n_anchors++ % PERSEUS__ENERGY_ANCHORS] =
			(struct perseus__energy_anchor){.at_ns = counter->anchor.at_ns,
				.doubt_ns = counter->anchor.doubt_ns,
				.energy_j = (double)counter->anchor.counter_uj * uj,
				.era = counter->era};
	return true;
}

/* The anchor so many before the last; NULL where it is not kept. */
static const struct perseus__energy_anchor *
anchor_before(const struct perseus__energy *energy, int64_t n)
{
	if (n >= energy->n_anchors || n >= PERSEUS__ENERGY_ANCHORS)
		return NULL;
	return &energy->anchors[(energy->n_anchors - 1 - n) % PERSEUS__ENERGY_ANCHORS];
}

bool
perseus__energy_window(const struct perseus__energy *energy, struct perseus__energy_window *window)
{
	const struct perseus__energy_anchor *end = anchor_before(energy, 0);
	const struct perseus__energy_anchor *begin = anchor_before(energy, 1);
	if (!begin || begin->era != end->era || end->at_ns <= begin->at_ns)
		return false;
	const double energy_j = end->energy_j - begin->energy_j;
	const double mean_w = energy_j / (double)(end->at_ns - begin->at_ns);
	*window = (struct perseus__energy_window){.begin_ns = begin->at_ns,
		.end_ns = end->at_ns,
		.energy_j = energy_j,
		.error_j = mean_w * (double)(begin->doubt_ns + end->doubt_ns)};
	return true;
}

enum perseus__energy_knowledge
perseus__energy_at(const struct perseus__energy *energy, int64_t at_ns, double *energy_j, int64_t *era)
{
	const struct perseus__energy_anchor *after = anchor_before(energy, 0);
	if (!energy->node)
		return PERSEUS__ENERGY_NEVER;
	if (!after || after->at_ns < at_ns)
		return PERSEUS__ENERGY_NOT_YET;
	for (int64_t n = 1;; n++) {
		const struct perseus__energy_anchor *before = anchor_before(energy, n);
		if (!before)
			return PERSEUS__ENERGY_NEVER;
		if (before->at_ns <= at_ns) {
			if (before->era != after->era)
				return PERSEUS__ENERGY_NEVER;
			const double share = (double)(at_ns - before->at_ns) / (double)(after->at_ns - before->at_ns);
			*energy_j = before->energy_j + share * (after->energy_j - before->energy_j);
			*era = before->era;
			return PERSEUS__ENERGY_KNOWN;
		}
		after = before;
	}
}
