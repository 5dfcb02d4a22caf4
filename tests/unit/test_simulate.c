/*
 * Simulation of a job: iterations worked by hand, what a late answer costs, conservation of energy, messages.
 */
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define MS INT64_C(1000000)   /* in ns */
#define J INT64_C(1000000000) /* in nJ */
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/*
 * One GPU, which waits at 100 W and is always busy in its own pipeline:
 *
 *             1000 MHz       600 MHz       500 MHz
 *   forward   10 ms, 10 J                  20 ms,  6 J
 *   backward  20 ms, 24 J    28 ms, 16 J   30 ms, 15 J
 *
 * Effective energy by time: 31 J at 30 ms, then 1.1 J less per ms to 22.2 J at 38 ms, 0.6 J to 21 J at 40 ms, 0.5 J to
 * 16 J at 50 ms.
 */
static const struct perseus_measurement one_stage[] = {
	{.stage = 0, .instruction = "forward", .frequency_mhz = 1000, .time_s = 0.010, .energy_j = 10},
	{.stage = 0, .instruction = "forward", .frequency_mhz = 500, .time_s = 0.020, .energy_j = 6},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 1000, .time_s = 0.020, .energy_j = 24},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 600, .time_s = 0.028, .energy_j = 16},
	{.stage = 0, .instruction = "backward", .frequency_mhz = 500, .time_s = 0.030, .energy_j = 15},
};

static const struct perseus_policy_plan fastest[] = {{30 * MS, 34 * J, 31 * J}};
/* The forward slow and the backward fast: 5 J above the frontier at 40 ms. */
static const struct perseus_policy_plan clumsy[] = {{40 * MS, 30 * J, 26 * J}};
static const struct perseus_policy_plan frontier_plans[] = {
	{30 * MS, 34 * J, 31 * J}, {40 * MS, 25 * J, 21 * J}, {50 * MS, 21 * J, 16 * J}};

enum { FASTEST, CLUMSY, FRONTIER, N_POLICIES };
static const struct perseus_policy policies[N_POLICIES] = {
	[FASTEST] = {"fastest", fastest, 1},
	[CLUMSY] = {"clumsy", clumsy, 1},
	[FRONTIER] = {"frontier", frontier_plans, 3},
};

static struct perseus_profile *profile;
static const struct perseus_schedule *schedule;
static struct perseus_frontier *frontier;

static void
set_up(void)
{
	const double blocking_w = 100;
	struct perseus_error err = {.message = ""};
	struct perseus_profile_settings settings = perseus_profile_settings_default();
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.n_ranks = 1;
	shape.n_microbatches = 1;
	ck_assert_msg(perseus_profile_new(one_stage, LENGTH(one_stage), &settings, &profile, &err) == PERSEUS_OK, "%s",
			err.message);
	ck_assert_msg(perseus_schedule_generate(&shape, &schedule, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_frontier_new(profile, schedule, NULL, &frontier, &err) == PERSEUS_OK, "%s", err.message);
}

static void
tear_down(void)
{
	perseus_frontier_free(frontier);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}

/* Three pipelines of two GPUs; synchronisation takes 5 ms. */
static struct perseus_simulation
job(int64_t n_iterations, const struct perseus_straggler_event *events, int64_t n_events)
{
	return (struct perseus_simulation){
		.frontier = frontier,
		.n_pipelines = 3,
		.gpus_per_stage = 2,
		.n_iterations = n_iterations,
		.sync_ns = 5 * MS,
		.events = events,
		.n_events = n_events,
		.policies = policies,
		.n_policies = N_POLICIES,
	};
}

/* What `each` was told, in order. */
struct log {
	struct perseus_simulated_iteration items[64];
	int32_t n;
	int32_t stop_at; /* 0: never */
};

static bool
note(const struct perseus_simulated_iteration *iteration, void *user)
{
	struct log *log = user;
	ck_assert_int_lt(log->n, (int)LENGTH(log->items));
	log->items[log->n++] = *iteration;
	return log->n != log->stop_at;
}

static void
simulate(const struct perseus_simulation *simulation, struct log *log, struct perseus_simulated_total *totals)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_simulate(simulation, log ? note : NULL, log, totals, &err) == PERSEUS_OK, "%s", err.message);
}

static void
check_energy(const char *name, const struct perseus_energy_split *got, const struct perseus_energy_split *wanted)
{
	const double tolerance = 1e-12 * (wanted->useful_j + wanted->blocking_j);
	const bool is_same = fabs(got->useful_j - wanted->useful_j) <= tolerance
			&& fabs(got->intrinsic_j - wanted->intrinsic_j) <= tolerance
			&& fabs(got->extrinsic_j - wanted->extrinsic_j) <= tolerance
			&& fabs(got->blocking_j - wanted->blocking_j) <= tolerance;
	ck_assert_msg(is_same, "%s: %.17g useful, %.17g intrinsic, %.17g extrinsic, %.17g blocking", name, got->useful_j,
			got->intrinsic_j, got->extrinsic_j, got->blocking_j);
}

/* One iteration; pipelines at these degrees, known at once. Energies per GPU of the pipelines, then times two. */
static const struct {
	const char *name;
	double degree[3];
	int32_t policy;
	int64_t time_ns;
	int32_t slowest;
	struct perseus_energy_split energy;
} worked[] = {
	/* c = f(T) = f(T') = 31 J; 3 J are waiting power while busy: useful is all 34 J; 100 W for 5 ms. */
	{"nobody slow, fastest", {1, 1, 1}, FASTEST, 35 * MS, 0, {6 * 34, 0, 0, 6 * 0.5}},
	{"nobody slow, frontier", {1, 1, 1}, FRONTIER, 35 * MS, 0, {6 * 34, 0, 0, 6 * 0.5}},
	/* c = 26 J, f = 21 J, busy 4 J. */
	{"nobody slow, clumsy", {1, 1, 1}, CLUMSY, 45 * MS, 0, {6 * 25, 6 * 5, 0, 6 * 0.5}},
	/* 45 ms: f = 18.5 J, so 12.5 J too many in two pipelines; all three wait 15 ms. The straggler has no time left. */
	{"half slower, fastest", {1, 1.5, 1}, FASTEST, 50 * MS, 1, {2 * (2 * 21.5 + 34), 0, 4 * 12.5, 6 * (1.5 + 0.5)}},
	/* Others at 40 ms: c = f = 21 J, 2.5 J above f(45 ms); busy 4 J; they wait 5 ms. */
	{"half slower, frontier", {1, 1.5, 1}, FRONTIER, 50 * MS, 1,
		{2 * (2 * 22.5 + 34), 0, 4 * 2.5, 2 * (2 * 0.5 + 1.5) + 6 * 0.5}},
	/* 60 ms: f = 16 J; others 10 J above it, of which 5 J intrinsic; wait 20 ms. The straggler: 5 J intrinsic. */
	{"half slower, clumsy", {1, 1, 1.5}, CLUMSY, 65 * MS, 2, {2 * (2 * 20 + 25), 6 * 5, 4 * 5, 6 * (2 + 0.5)}},
	/*
	 * 60 ms, two stragglers. That of 1.5 has 40 ms: f = 21 J, and a plan of 40 ms, busy 4 J, waits 20 ms. The healthy
	 * one has 60 ms, a plan of 50 ms, c = f = 16 J, busy 5 J, waits 10 ms. The slowest waits 30 ms.
	 */
	{"two slow, frontier", {1.5, 1, 2}, FRONTIER, 65 * MS, 2, {2 * (25 + 21 + 34), 0, 0, 2 * (2 + 1 + 3) + 6 * 0.5}},
	/* The same at the fastest: f(40 ms) = 21 J, f(60 ms) = 16 J against 31 J, and 30 ms of waiting for all. */
	{"two slow, fastest", {1.5, 1, 2}, FASTEST, 65 * MS, 2, {2 * (24 + 19 + 34), 0, 2 * (10 + 15), 6 * (3 + 0.5)}},
	/* Equally slow: the first is named. */
	{"all slow, fastest", {2, 2, 2}, FASTEST, 65 * MS, 0, {6 * 34, 0, 0, 6 * (3 + 0.5)}},
	{"all slow, frontier", {2, 2, 2}, FRONTIER, 65 * MS, 0, {6 * 34, 0, 0, 6 * (3 + 0.5)}},
};

START_TEST(iterations_are_as_worked_by_hand)
{
	struct perseus_straggler_event events[3];
	int32_t n_stragglers = 0;
	for (int32_t p = 0; p < 3; p++) {
		events[p] = (struct perseus_straggler_event){0, p, worked[_i].degree[p]};
		n_stragglers += worked[_i].degree[p] > 1;
	}
	const struct perseus_simulation simulation = job(1, events, 3);
	struct log log = {.n = 0};
	struct perseus_simulated_total totals[N_POLICIES];
	simulate(&simulation, &log, totals);
	ck_assert_int_eq(log.n, N_POLICIES);
	const struct perseus_simulated_iteration *got = &log.items[worked[_i].policy];
	ck_assert_int_eq(got->policy, worked[_i].policy);
	ck_assert_int_eq(got->time_ns, worked[_i].time_ns);
	ck_assert_int_eq(got->slowest, worked[_i].slowest);
	ck_assert_double_eq(got->degree, worked[_i].degree[worked[_i].slowest]);
	ck_assert_int_eq(got->n_stragglers, n_stragglers);
	ck_assert(got->is_answered);
	check_energy(worked[_i].name, &got->energy, &worked[_i].energy);
	check_energy(worked[_i].name, &totals[worked[_i].policy].energy, &worked[_i].energy);
}
END_TEST

/* Pipeline 1 takes half as long again in iterations 1 and 2. */
static const struct perseus_straggler_event come_and_go[] = {{1, 1, 1.5}, {3, 1, 1}};

/*
 * What the policy of three plans does, with an answer 60 ms late: iteration 1 begins at 35 ms, so the straggler is
 * known from 95 ms on. Its recovery, at 135 ms, is known from 195 ms on: until then the others run at 40 ms for nobody.
 */
static const struct {
	int64_t time_ns;
	bool is_answered;
	int32_t slowest;
	double degree;
} late[] = {
	{35 * MS, true, 0, 1},    /* from 0 ms */
	{50 * MS, false, 1, 1.5}, /* 35 ms: all as fast as they can */
	{50 * MS, true, 1, 1.5},  /* 85 ms: known */
	{45 * MS, false, 0, 1},   /* 135 ms: over, but that is not known */
	{45 * MS, false, 0, 1},   /* 180 ms */
	{35 * MS, true, 0, 1},    /* 225 ms */
};

START_TEST(a_late_answer_costs_time)
{
	struct perseus_simulation simulation = job(LENGTH(late), come_and_go, LENGTH(come_and_go));
	simulation.reaction_ns = 50 * MS;
	struct log log = {.n = 0};
	struct perseus_simulated_total totals[N_POLICIES];
	simulate(&simulation, &log, totals);
	ck_assert_int_eq(log.n, (int)(N_POLICIES * LENGTH(late)));
	for (size_t i = 0; i < LENGTH(late); i++) {
		const struct perseus_simulated_iteration *got = &log.items[i * N_POLICIES + FRONTIER];
		ck_assert_int_eq(got->iteration, (int64_t)i);
		ck_assert_int_eq(got->time_ns, late[i].time_ns);
		ck_assert_msg(got->is_answered == late[i].is_answered, "iteration %zu", i);
		ck_assert_int_eq(got->slowest, late[i].slowest);
		ck_assert_double_eq(got->degree, late[i].degree);
		ck_assert_int_eq(log.items[i * N_POLICIES + FASTEST].time_ns, i == 1 || i == 2 ? 50 * MS : 35 * MS);
	}
	ck_assert_int_eq(totals[FRONTIER].n_iterations, (int)LENGTH(late));
	ck_assert_int_eq(totals[FRONTIER].n_straggling, 2);
	ck_assert_int_eq(totals[FRONTIER].n_unanswered, 3);
	ck_assert_double_eq(totals[FRONTIER].time_s, 0.260);
	ck_assert_double_eq(totals[FASTEST].time_s, 0.240);
}
END_TEST

/* With 60 ms it would be known as iteration 3 begins, in which it is over: nothing is ever answered. */
START_TEST(what_is_over_before_it_is_known_is_not_answered)
{
	struct perseus_simulation simulation = job(LENGTH(late), come_and_go, LENGTH(come_and_go));
	simulation.reaction_ns = 60 * MS;
	struct log log = {.n = 0};
	struct perseus_simulated_total totals[N_POLICIES];
	simulate(&simulation, &log, totals);
	for (size_t i = 0; i < LENGTH(late); i++) {
		const struct perseus_simulated_iteration *got = &log.items[i * N_POLICIES + FRONTIER];
		ck_assert_int_eq(got->time_ns, i == 1 || i == 2 ? 50 * MS : 35 * MS);
		ck_assert(got->is_answered == (i != 1 && i != 2));
	}
	ck_assert_int_eq(totals[FRONTIER].n_unanswered, 2);
}
END_TEST

/* At exactly 50 ms after it began, as iteration 2 begins, the straggler is known; 1 ns more, and it is not. */
START_TEST(the_reaction_ends_as_an_iteration_begins)
{
	struct perseus_simulation simulation = job(3, come_and_go, 1);
	for (int64_t more_ns = 0; more_ns < 2; more_ns++) {
		simulation.reaction_ns = 50 * MS + more_ns;
		struct log log = {.n = 0};
		struct perseus_simulated_total totals[N_POLICIES];
		simulate(&simulation, &log, totals);
		ck_assert(log.items[(size_t)2 * N_POLICIES + FRONTIER].is_answered == (more_ns == 0));
		ck_assert_int_eq(totals[FRONTIER].n_unanswered, more_ns == 0 ? 1 : 2);
	}
}
END_TEST

/* 30 ms at degree 1 + 10^-7 are 30,000,003 ns: whole ns, and T' of the straggler is not below its plan's time. */
START_TEST(degrees_are_rounded_to_whole_ns)
{
	const struct perseus_straggler_event events[] = {{0, 0, 1 + 1e-7}, {1, 0, 1 + 1.2e-8}, {2, 0, 1 + 2e-8}};
	const struct perseus_simulation simulation = job(3, events, LENGTH(events));
	struct log log = {.n = 0};
	struct perseus_simulated_total totals[N_POLICIES];
	simulate(&simulation, &log, totals);
	static const int64_t more_ns[] = {3, 0, 1};
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(log.items[(size_t)i * N_POLICIES].time_ns, 35 * MS + more_ns[i]);
		ck_assert_double_ge(log.items[(size_t)i * N_POLICIES].energy.extrinsic_j, 0);
	}
}
END_TEST

START_TEST(the_last_of_two_events_holds_and_later_ones_do_not_happen)
{
	const struct perseus_straggler_event events[] = {{0, 1, 3}, {0, 1, 1.5}, {5, 0, 2}};
	const struct perseus_simulation simulation = job(2, events, LENGTH(events));
	struct log log = {.n = 0};
	struct perseus_simulated_total totals[N_POLICIES];
	simulate(&simulation, &log, totals);
	ck_assert_int_eq(log.items[FASTEST].time_ns, 50 * MS);
	ck_assert_int_eq(log.items[FASTEST].n_stragglers, 1);
	ck_assert_double_eq(totals[FASTEST].time_s, 0.1);
}
END_TEST

/* A plan 1 nJ below the frontier, as rounding can make one, is the best there is: no bloat below 0. */
START_TEST(rounding_makes_no_negative_bloat)
{
	const struct perseus_policy_plan plans[] = {{30 * MS, 34 * J - 1, 31 * J - 1}};
	const struct perseus_policy policy = {"rounded", plans, 1};
	struct perseus_simulation simulation = job(1, NULL, 0);
	simulation.policies = &policy;
	simulation.n_policies = 1;
	struct perseus_simulated_total total;
	simulate(&simulation, NULL, &total);
	ck_assert_double_eq(total.energy.intrinsic_j, 0);
	ck_assert_double_eq(total.energy.extrinsic_j, 0);
	ck_assert_double_eq(total.energy.useful_j, 6 * 33.999999999);
}
END_TEST

START_TEST(stops_where_it_is_told)
{
	const struct perseus_simulation simulation = job(9, come_and_go, LENGTH(come_and_go));
	struct log log = {.stop_at = 7};
	struct perseus_simulated_total totals[N_POLICIES] = {{.n_iterations = -1}};
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_simulate(&simulation, note, &log, totals, &err), PERSEUS_CANCELLED);
	ck_assert_int_eq(err.status, PERSEUS_CANCELLED);
	ck_assert_int_eq(log.n, 7);
	ck_assert_int_eq(totals[0].n_iterations, -1);
}
END_TEST

START_TEST(a_plan_becomes_one_of_a_policy)
{
	struct perseus_plan *plan = NULL;
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = 40 * MS;
	ck_assert_int_eq(perseus_plan_new(frontier, &settings, &plan, NULL), PERSEUS_OK);
	const struct perseus_policy_plan got = perseus_policy_plan_of(frontier, plan);
	ck_assert_int_eq(got.time_ns, frontier_plans[1].time_ns);
	ck_assert_int_eq(got.energy_nj, frontier_plans[1].energy_nj);
	ck_assert_int_eq(got.effective_nj, frontier_plans[1].effective_nj);
	perseus_plan_free(plan);
}
END_TEST

/* What `spoil` does to a simulation of three pipelines with the events of come_and_go. */
static struct perseus_straggler_event bad_events[2];
static struct perseus_policy_plan bad_plans[2];
static struct perseus_policy bad_policy = {"bad", bad_plans, 2};

static void
no_pipelines(struct perseus_simulation *simulation)
{
	simulation->n_pipelines = 0;
}

static void
no_gpus(struct perseus_simulation *simulation)
{
	simulation->gpus_per_stage = 0;
}

static void
no_iterations(struct perseus_simulation *simulation)
{
	simulation->n_iterations = 0;
}

static void
no_policies(struct perseus_simulation *simulation)
{
	simulation->n_policies = 0;
}

static void
negative_reaction(struct perseus_simulation *simulation)
{
	simulation->reaction_ns = -1;
}

static void
negative_sync(struct perseus_simulation *simulation)
{
	simulation->sync_ns = -1;
}

static void
unsorted(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_events[1].iteration = 0;
}

static void
unknown_pipeline(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_events[1].pipeline = 3;
}

static void
fast_degree(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_events[0].degree = 0.5;
}

static void
no_degree(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_events[0].degree = NAN;
}

static void
huge_degree(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_events[0].degree = 1001;
}

static void
no_plans(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_policy.n_plans = 0;
}

static void
plans_descend(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_plans[0] = frontier_plans[2];
}

static void
plan_too_fast(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_plans[0].time_ns = 30 * MS - 1;
}

static void
plan_too_good(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_plans[1].energy_nj -= J;
	bad_plans[1].effective_nj -= J;
}

static void
plan_too_busy(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_plans[1].energy_nj += 1;
}

static void
plan_never_busy(struct perseus_simulation *simulation)
{
	(void)simulation;
	bad_plans[1].effective_nj = 26 * J;
}

static void
too_long(struct perseus_simulation *simulation)
{
	simulation->n_iterations = INT64_MAX / MS;
}

static void
sync_too_long(struct perseus_simulation *simulation)
{
	simulation->sync_ns = INT64_MAX;
}

static void
too_much_energy(struct perseus_simulation *simulation)
{
	simulation->n_pipelines = INT32_MAX;
	simulation->gpus_per_stage = INT32_MAX;
	simulation->n_iterations = INT64_MAX / (100 * MS);
}

static const struct {
	void (*spoil)(struct perseus_simulation *simulation);
	const char *message;
} bad_simulations[] = {
	{no_pipelines, "n_pipelines is 0, expected at least 1"},
	{no_gpus, "gpus_per_stage is 0, expected at least 1"},
	{no_iterations, "n_iterations is 0, expected at least 1"},
	{no_policies, "n_policies is 0, expected at least 1"},
	{negative_reaction, "reaction_ns is -1, expected at least 0"},
	{negative_sync, "sync_ns is -1, expected at least 0"},
	{unsorted, "event 1: iteration 0, expected 1 or later"},
	{unknown_pipeline, "event 1: pipeline 3, expected 0 to 2"},
	{fast_degree, "event 0: degree 0.5, expected 1 to 1000"},
	{no_degree, "event 0: degree nan, expected 1 to 1000"},
	{huge_degree, "event 0: degree 1001, expected 1 to 1000"},
	{no_plans, "policy bad has no plan"},
	{plans_descend, "policy bad: plan 1 is faster than the one before it"},
	{plan_too_fast, "policy bad: plan 0 takes 29999999 ns, less than the frontier's shortest, 30000000 ns"},
	{plan_too_good,
		"policy bad: plan 1 takes 20000000000 nJ of effective energy, less than any can in its time, 21000000000 "
		"nJ"},
	{plan_too_busy,
		"policy bad: plan 1 has 25000000001 nJ of energy and 21000000000 nJ of effective energy, which does not "
		"fit its time"},
	{plan_never_busy,
		"policy bad: plan 1 has 25000000000 nJ of energy and 26000000000 nJ of effective energy, which does not "
		"fit its time"},
	{too_long, "policy bad: 9223372036854 iterations may take more than 64 bits of ns, 292 years"},
	{sync_too_long, "policy bad: 6 iterations may take more than 64 bits of ns, 292 years"},
	{too_much_energy, "policy bad: the energy of 92233720368 iterations may take more than 128 bits of fJ"},
};

START_TEST(says_what_is_wrong)
{
	memcpy(bad_events, come_and_go, sizeof bad_events);
	memcpy(bad_plans, frontier_plans, sizeof bad_plans);
	struct perseus_simulation simulation = job(6, bad_events, LENGTH(bad_events));
	simulation.policies = &bad_policy;
	simulation.n_policies = 1;
	bad_simulations[_i].spoil(&simulation);
	struct perseus_simulated_total total;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_simulate(&simulation, NULL, NULL, &total, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_simulations[_i].message);
}
END_TEST

/* Some hundred stragglers at once, come and gone in thousands of iterations: parts against the whole, once more. */
START_TEST(the_parts_are_the_whole)
{
	enum { N_PIPELINES = 300, N_ITERATIONS = 2000 };
	const struct perseus_straggler_process processes[] = {
		{PERSEUS_STRAGGLER_THERMAL, 200, 60, 1.1, 1.5}, {PERSEUS_STRAGGLER_INPUT_STALL, 4000, 1, 1, 4}};
	const double n_iterations = N_ITERATIONS;
	struct perseus_straggler_event *events = NULL;
	int64_t n_events = 0;
	const struct perseus_straggler_settings settings = {processes, LENGTH(processes), N_PIPELINES, N_ITERATIONS, 9};
	ck_assert_int_eq(perseus_straggler_events_draw(&settings, &events, &n_events, NULL), PERSEUS_OK);
	struct perseus_simulation simulation = job(N_ITERATIONS, events, n_events);
	simulation.n_pipelines = N_PIPELINES;
	simulation.reaction_ns = 100 * MS;
	struct perseus_simulated_total totals[N_POLICIES];
	simulate(&simulation, NULL, totals);
	/* Policies of one plan compute the same energy in every iteration and wait the rest of the time. */
	for (int k = 0; k < FRONTIER; k++) {
		const struct perseus_policy_plan *plan = &policies[k].plans[0];
		const struct perseus_energy_split *energy = &totals[k].energy;
		const double computing_j = (double)plan->energy_nj / 1e9 * n_iterations;
		const double waiting_j = 100 * (totals[k].time_s - (double)plan->time_ns / 1e9 * n_iterations);
		const double whole_j = 2.0 * simulation.n_pipelines * (computing_j + waiting_j);
		const double parts_j = energy->useful_j + energy->intrinsic_j + energy->extrinsic_j + energy->blocking_j;
		ck_assert_msg(
				fabs(parts_j / whole_j - 1) < 1e-12, "%s: %.17g J of %.17g J", policies[k].name, parts_j, whole_j);
	}
	ck_assert_double_eq(totals[FASTEST].energy.intrinsic_j, 0);
	ck_assert_double_gt(totals[CLUMSY].energy.intrinsic_j, 0);
	ck_assert_double_lt(totals[FRONTIER].energy.extrinsic_j, totals[FASTEST].energy.extrinsic_j);
	ck_assert_double_gt(totals[FRONTIER].time_s, totals[FASTEST].time_s); /* for late answers */
	perseus_straggler_events_free(events);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("simulate");
	TCase *tcase = tcase_create("simulate");
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_loop_test(tcase, iterations_are_as_worked_by_hand, 0, LENGTH(worked));
	tcase_add_test(tcase, a_late_answer_costs_time);
	tcase_add_test(tcase, what_is_over_before_it_is_known_is_not_answered);
	tcase_add_test(tcase, the_reaction_ends_as_an_iteration_begins);
	tcase_add_test(tcase, degrees_are_rounded_to_whole_ns);
	tcase_add_test(tcase, the_last_of_two_events_holds_and_later_ones_do_not_happen);
	tcase_add_test(tcase, rounding_makes_no_negative_bloat);
	tcase_add_test(tcase, stops_where_it_is_told);
	tcase_add_test(tcase, a_plan_becomes_one_of_a_policy);
	tcase_add_loop_test(tcase, says_what_is_wrong, 0, LENGTH(bad_simulations));
	tcase_add_test(tcase, the_parts_are_the_whole);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
