/*
 * Bytes → a small DAG of instructions with measured choices → frontier → certificates and plans. Every certificate must
 * be proven and every plan pass its checker, whatever the shape.
 */
#include "../require.h"

#include <perseus/perseus.h>

#include <stdint.h>

enum {
	MAX_RANKS = 4,
	MAX_PER_RANK = 6,
	MAX_INSTRUCTIONS = MAX_RANKS * MAX_PER_RANK,
	N_CLASSES = 4,
	MAX_CLOCKS = 4,
	MAX_EDGES = 24
};

/* What the frontier promises, relative to the total energy. */
static const double TOLERANCE = 1e-9;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct input {
	const uint8_t *bytes;
	size_t left;
};

static uint8_t
next_byte(struct input *input)
{
	if (input->left == 0)
		return 0;
	input->left--;
	return *input->bytes++;
}

static void
require_ok(enum perseus_status status, const struct perseus_error *err)
{
	require(status == PERSEUS_OK, perseus_status_text(status), err);
}

static struct perseus_profile *
read_profile(struct input *input)
{
	static const char *const names[N_CLASSES] = {"a", "b", "c", "d"};
	struct perseus_measurement rows[N_CLASSES * MAX_CLOCKS];
	size_t n = 0;
	for (int k = 0; k < N_CLASSES; k++) {
		const int n_clocks = 1 + next_byte(input) % MAX_CLOCKS;
		for (int clock = 1; clock <= n_clocks; clock++) {
			const double time_s = 1e-3 * (1 + next_byte(input));
			rows[n++] = (struct perseus_measurement){
				.instruction = names[k], .frequency_mhz = clock, .time_s = time_s, .energy_j = 1.0 + next_byte(input)};
		}
	}
	const double blocking_w = next_byte(input);
	const struct perseus_profile_settings settings = {.blocking_power_w = &blocking_w, .n_blocking_power = 1};
	struct perseus_error err = {.message = ""};
	struct perseus_profile *profile = NULL;
	require_ok(perseus_profile_new(rows, n, &settings, &profile, &err), &err);
	require_ok(perseus_profile_check(profile, &err), &err);
	return profile;
}

/* NULL where the edges close a circle or repeat. */
static const struct perseus_schedule *
read_schedule(struct input *input)
{
	static const char *const names[N_CLASSES] = {"a", "b", "c", "d"};
	struct perseus_instruction instructions[MAX_INSTRUCTIONS];
	struct perseus_edge edges[MAX_EDGES];
	int32_t rank_begin[MAX_RANKS + 1] = {0};
	struct perseus_order order = {.name = "fuzz",
		.n_ranks = 1 + next_byte(input) % MAX_RANKS,
		.rank_begin = rank_begin,
		.instructions = instructions,
		.extra_edges = edges,
		.explicit_edges_only = true};
	int32_t n = 0;
	for (int32_t rank = 0; rank < order.n_ranks; rank++) {
		for (int k = next_byte(input) % MAX_PER_RANK; k >= 0; k--, n++)
			instructions[n] = (struct perseus_instruction){.kind = PERSEUS_KIND_OTHER,
				.rank = rank,
				.microbatch = n,
				.class_name = names[next_byte(input) % N_CLASSES],
				.n_parts = 1};
		rank_begin[rank + 1] = n;
	}
	while (input->left > 1 && order.n_extra_edges < MAX_EDGES) {
		const int32_t from = next_byte(input) % n;
		const int32_t to = next_byte(input) % n;
		edges[order.n_extra_edges++] = (struct perseus_edge){.from = from, .to = to};
	}
	struct perseus_error err = {.message = ""};
	const struct perseus_schedule *schedule = NULL;
	if (perseus_schedule_import(&order, &schedule, &err) != PERSEUS_OK)
		return NULL;
	require_ok(perseus_schedule_check(schedule, &err), &err);
	return schedule;
}

static void
certify_and_plan(const struct perseus_frontier *frontier, int64_t time_ns, int64_t switch_latency_ns)
{
	struct perseus_error err = {.message = ""};
	struct perseus_certificate *certificate = NULL;
	require_ok(perseus_frontier_certificate(frontier, time_ns, &certificate, &err), &err);
	require_ok(perseus_certificate_check(certificate, perseus_frontier_profile(frontier),
					   perseus_frontier_schedule(frontier), TOLERANCE, NULL, NULL, &err),
			&err);
	perseus_certificate_free(certificate);
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = time_ns;
	settings.switch_latency_ns = switch_latency_ns;
	struct perseus_plan *plan = NULL;
	const enum perseus_status status = perseus_plan_new(frontier, &settings, &plan, &err);
	if (status == PERSEUS_INFEASIBLE && switch_latency_ns > 0)
		return;
	require_ok(status, &err);
	require_ok(perseus_plan_check(plan, frontier, &err), &err);
	perseus_plan_free(plan);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct input input = {.bytes = bytes, .left = length};
	const int64_t latency_ns = next_byte(&input) % 4 == 0 ? 1000000 * (int64_t)next_byte(&input) : 0;
	struct perseus_profile *profile = read_profile(&input);
	const struct perseus_schedule *schedule = read_schedule(&input);
	struct perseus_frontier *frontier = NULL;
	struct perseus_error err = {.message = ""};
	if (schedule) {
		require_ok(perseus_frontier_new(profile, schedule, NULL, &frontier, &err), &err);
		const struct perseus_frontier_info info = perseus_frontier_info(frontier);
		certify_and_plan(frontier, info.t_min_ns, latency_ns);
		certify_and_plan(frontier, info.t_min_ns + (info.t_star_ns - info.t_min_ns) / 3, 0);
		certify_and_plan(frontier, info.t_star_ns, latency_ns);
	}
	perseus_frontier_free(frontier);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
	return 0;
}
