/*
 * Flow and frontier: the worked example of docs/algorithm.md, every invariant after every step on random jobs of every
 * schedule, certificates and their tampering, checkpoints, quantised slopes, ranges, cancellation.
 */
#include "flow/sweep.h"
#include "frontier/frontier_internal.h"
#include "random.h"
#include "random_job.h"
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the frontier promises, relative to the total energy. */
static const double TOLERANCE = 1e-9;

static struct perseus_error err;

/* With constant-time instructions too where `is_whole`. */
static const struct perseus_schedule *
generate_whole(const char *name, int32_t n_ranks, int32_t n_microbatches, bool is_whole)
{
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.name = name;
	shape.n_ranks = n_ranks;
	shape.n_microbatches = n_microbatches;
	shape.data_load = shape.grad_reduce = shape.optimizer_step = is_whole;
	const struct perseus_schedule *schedule = NULL;
	return perseus_schedule_generate(&shape, &schedule, &err) == PERSEUS_OK ? schedule : NULL;
}

static const struct perseus_schedule *
generate(const char *name, int32_t n_ranks, int32_t n_microbatches)
{
	return generate_whole(name, n_ranks, n_microbatches, false);
}

static struct perseus_frontier *
solve(const struct perseus_profile *profile, const struct perseus_schedule *schedule,
		const struct perseus_frontier_settings *settings)
{
	struct perseus_frontier *frontier = NULL;
	const enum perseus_status status = perseus_frontier_new(profile, schedule, settings, &frontier, &err);
	ck_assert_msg(status == PERSEUS_OK, "%s", err.message);
	return frontier;
}

/*
 * Two instructions at once, a third after both: a 1 s 10 J or 3 s 4 J; b 2 s 12 J or 4 s 10 J; c 1 s 5 J or 2 s 3 J.
 * By hand: from 6 s b is shortened at 1 W until a is critical too (5 s), then c at 2 W to its end (4 s), then a and b
 * together at 3 W + 1 W until b is at its end (3 s).
 */
START_TEST(solves_the_worked_example)
{
	static const struct perseus_measurement rows[] = {{0, "a", 2, 1.0, 10.0, 0}, {0, "a", 1, 3.0, 4.0, 0},
		{0, "b", 2, 2.0, 12.0, 0}, {0, "b", 1, 4.0, 10.0, 0}, {0, "c", 2, 1.0, 5.0, 0}, {0, "c", 1, 2.0, 3.0, 0}};
	static const struct perseus_instruction instructions[] = {
		{.kind = PERSEUS_KIND_OTHER, .rank = 0, .microbatch = 0, .class_name = "a", .n_parts = 1},
		{.kind = PERSEUS_KIND_OTHER, .rank = 0, .microbatch = 0, .class_name = "c", .n_parts = 1},
		{.kind = PERSEUS_KIND_OTHER, .rank = 1, .microbatch = 0, .class_name = "b", .n_parts = 1}};
	static const int32_t rank_begin[] = {0, 2, 3};
	static const struct perseus_edge edges[] = {{2, 1, false}};
	const struct perseus_order order = {.name = "worked example",
		.n_ranks = 2,
		.rank_begin = rank_begin,
		.instructions = instructions,
		.extra_edges = edges,
		.n_extra_edges = 1,
		.explicit_edges_only = true};
	static const struct perseus_frontier_point expected[] = {{3000000000, 24000000000, 4000000},
		{4000000000, 20000000000, 2000000}, {5000000000, 18000000000, 1000000}, {6000000000, 17000000000, 0}};

	struct perseus_profile *profile = NULL;
	const struct perseus_schedule *schedule = NULL;
	ck_assert_int_eq(perseus_profile_new(rows, sizeof rows / sizeof *rows, NULL, &profile, &err), PERSEUS_OK);
	ck_assert_msg(perseus_schedule_import(&order, &schedule, &err) == PERSEUS_OK, "%s", err.message);
	struct perseus_frontier *frontier = solve(profile, schedule, NULL);
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	ck_assert_int_eq(info.n_breakpoints, 4);
	for (int32_t i = 0; i < info.n_breakpoints; i++) {
		const struct perseus_frontier_point point = perseus_frontier_point(frontier, i);
		ck_assert_int_eq(point.time_ns, expected[i].time_ns);
		ck_assert_int_eq(point.effective_nj, expected[i].effective_nj);
		ck_assert_int_eq(point.marginal_power_uw, expected[i].marginal_power_uw);
	}
	perseus_frontier_free(frontier);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

/* Sizes of the reduced graph of 1F1B that an independent implementation of the three rules found. */
START_TEST(reduces_the_event_graph)
{
	static const struct {
		int32_t n_ranks, n_microbatches, n_nodes, n_arcs;
	} sizes[] = {{4, 8, 50, 76}, {8, 32, 352, 596}, {8, 128, 1216, 2132}};
	uint64_t state = 1;
	struct perseus_profile *profile = random_profile(&state, 8, false, false);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		const struct perseus_schedule *schedule = generate("1f1b", sizes[i].n_ranks, sizes[i].n_microbatches);
		struct perseus_frontier *frontier = solve(profile, schedule, NULL);
		ck_assert_int_eq(perseus_frontier_info(frontier).n_nodes, sizes[i].n_nodes);
		ck_assert_int_eq(perseus_frontier_info(frontier).n_arcs, sizes[i].n_arcs);
		perseus_frontier_free(frontier);
		perseus_schedule_free(schedule);
	}
	perseus_profile_free(profile);
}
END_TEST

/* Every invariant of the sweep after every step, and a saved state goes on as the original did. */
static void
check_sweep(const struct perseus_frontier *frontier)
{
	struct perseus__sweep sweep = {0};
	struct perseus__sweep resumed = {0};
	ck_assert_int_eq(perseus__sweep_init(&sweep, &frontier->network, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__sweep_init(&resumed, &frontier->network, &err), PERSEUS_OK);
	void *state = calloc(1, perseus__sweep_state_bytes(&frontier->network));
	int64_t last_flow = 0;
	bool more = true;
	while (more) {
		ck_assert_msg(perseus__sweep_check(&sweep, &err) == PERSEUS_OK, "after %lld: %s",
				(long long)sweep.n_augmentations, err.message);
		perseus__sweep_save(&sweep, state);
		perseus__sweep_restore(&resumed, state);
		ck_assert_int_eq(perseus__sweep_check(&resumed, &err), PERSEUS_OK);
		more = perseus__sweep_step(&sweep);
		ck_assert_int_eq(perseus__sweep_step(&resumed), more);
		ck_assert_int_eq(resumed.time_ns, sweep.time_ns);
		ck_assert_int_eq(resumed.flow, sweep.flow);
		ck_assert(resumed.saved == sweep.saved);
		if (more)
			ck_assert_int_gt(sweep.flow, last_flow);
		last_flow = sweep.flow;
	}
	ck_assert_int_eq(sweep.time_ns, perseus_frontier_info(frontier).t_min_ns);
	free(state);
	perseus__sweep_fini(&sweep);
	perseus__sweep_fini(&resumed);
}

/* Convex and decreasing, and every certificate proves what the curve says. */
static void
check_frontier(const struct perseus_frontier *frontier)
{
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	for (int32_t i = 1; i < info.n_breakpoints; i++) {
		const struct perseus_frontier_point before = perseus_frontier_point(frontier, i - 1);
		const struct perseus_frontier_point point = perseus_frontier_point(frontier, i);
		ck_assert_int_gt(point.time_ns, before.time_ns);
		ck_assert_int_lt(point.effective_nj, before.effective_nj);
		ck_assert_int_le(point.marginal_power_uw, before.marginal_power_uw);
	}
	for (int i = 0; i <= 12; i++) {
		const int64_t time_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) * i / 12;
		struct perseus_certificate *certificate = NULL;
		double lower_j;
		double energy_j;
		ck_assert_int_eq(perseus_frontier_certificate(frontier, time_ns, &certificate, &err), PERSEUS_OK);
		ck_assert_msg(perseus_certificate_check(certificate, perseus_frontier_profile(frontier),
							  perseus_frontier_schedule(frontier), TOLERANCE, &lower_j, &energy_j, &err)
						== PERSEUS_OK,
				"%s", err.message);
		const double curve_j = perseus_frontier_effective_energy_j(frontier, time_ns);
		ck_assert_msg(fabs(curve_j - lower_j) <= TOLERANCE * fabs(perseus_frontier_energy_j(frontier, time_ns)) + 1e-9,
				"curve %.17g, proven %.17g", curve_j, lower_j);
		perseus_certificate_free(certificate);
	}
}

START_TEST(is_exact_on_random_jobs)
{
	/* Loop test: schedule times noisy or round numbers. */
	const char *const *names = perseus_schedule_names();
	int n_names = 0;
	while (names[n_names])
		n_names++;
	const char *name = names[_i % n_names];
	const bool is_round = _i >= n_names;
	uint64_t state = (uint64_t)_i + 77;
	int n_solved = 0;
	for (int i = 0; i < 12; i++) {
		const int32_t n_ranks = 1 + (int32_t)random_below(&state, 4);
		const int32_t n_microbatches = 1 + (int32_t)random_below(&state, 9);
		const struct perseus_schedule *schedule = generate_whole(name, n_ranks, n_microbatches, i % 2);
		if (!schedule)
			continue; /* a shape this schedule does not allow */
		struct perseus_profile *profile = random_profile(&state, schedule->n_stages, is_round, i % 2);
		struct perseus_frontier *frontier = NULL;
		if (perseus_frontier_new(profile, schedule, NULL, &frontier, &err) == PERSEUS_OK) {
			check_sweep(frontier);
			check_frontier(frontier);
			n_solved++;
		} else {
			/* Pairs are composed of clocks that both parts have; random classes may share none. */
			ck_assert_ptr_nonnull(strstr(err.message, "share no clock"));
		}
		perseus_frontier_free(frontier);
		perseus_profile_free(profile);
		perseus_schedule_free(schedule);
	}
	ck_assert_int_gt(n_solved, 0);
}
END_TEST

/* Identical stages with round numbers: many longest paths tie, and parts of them stop at the same moment. */
START_TEST(survives_ties)
{
	struct perseus_measurement rows[8 * 2 * 3];
	uint64_t state = (uint64_t)_i;
	size_t n = 0;
	for (int32_t k = 0; k < 2; k++) {
		int64_t time_ms = INT64_C(40) * (k + 1);
		int64_t energy_j = 60;
		for (int32_t clock = 3; clock > 0; clock--) {
			for (int32_t stage = 0; stage < 8; stage++)
				rows[n++] = (struct perseus_measurement){stage, k ? "backward" : "forward", clock,
					(double)(time_ms + (stage == 7 ? 3 : 0)) / 1e3, (double)energy_j, 0};
			time_ms += 1 + random_below(&state, 4);
			energy_j -= 1 + random_below(&state, 8);
		}
	}
	struct perseus_profile *profile = NULL;
	ck_assert_int_eq(perseus_profile_new(rows, n, NULL, &profile, &err), PERSEUS_OK);
	const struct perseus_schedule *schedule = generate(_i % 3 ? "1f1b" : "gpipe", 8, 4 + _i % 20);
	struct perseus_frontier *frontier = solve(profile, schedule, NULL);
	check_sweep(frontier);
	check_frontier(frontier);
	perseus_frontier_free(frontier);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

/* The job of the tests below; freed after each. */
static struct {
	struct perseus_profile *profile;
	const struct perseus_schedule *schedule;
	struct perseus_frontier *frontiers[2];
	int n_frontiers;
} job;

static void
make_job(uint64_t seed)
{
	job.profile = random_profile(&seed, 4, false, true);
	job.schedule = generate("1f1b", 4, 6);
}

static void
free_job(void)
{
	while (job.n_frontiers > 0)
		perseus_frontier_free(job.frontiers[--job.n_frontiers]);
	perseus_schedule_free(job.schedule);
	perseus_profile_free(job.profile);
	job.schedule = NULL;
	job.profile = NULL;
}

static struct perseus_frontier *
sample_of(uint64_t seed, const struct perseus_frontier_settings *settings)
{
	if (!job.profile)
		make_job(seed);
	return job.frontiers[job.n_frontiers++] = solve(job.profile, job.schedule, settings);
}

static struct perseus_frontier *
sample(const struct perseus_frontier_settings *settings)
{
	return sample_of(5, settings);
}

/* Each way to forge a certificate is noticed. */
static const struct {
	const char *name;
	const char *message;
} forgeries[] = {
	{"shorter than the hull", "duration outside the hull"},
	{"longer than the hull", "duration outside the hull"},
	{"not a number", "duration outside the hull"},
	{"before the iteration", "starts before the iteration"},
	{"too early", "starts before what it waits for"},
	{"too late", "ends after the deadline"},
	{"negative flow", "negative flow"},
	{"flow lost in an instruction", "flow not conserved"},
	{"flow lost on an edge", "flow not conserved"},
	{"negative flow on an edge", "negative or impossible"},
	{"overflowing flow on an edge", "negative or impossible"},
	{"flow out of nothing", "flow not conserved"},
	{"no flow at all", "differ by more than"},
	{"other deadline", "ends after the deadline"},
	{"more flow and time than fit", "impossible flow into the iteration"},
	{"other schedule", "not one of this schedule"},
};

static void
forge(struct perseus_certificate *certificate, int how)
{
	const int32_t last = certificate->n_instructions - 1;
	switch (how) {
	case 0:
		certificate->time_ns[0] = 0.5;
		break;
	case 1:
		certificate->time_ns[0] = 1e18;
		break;
	case 2:
		certificate->time_ns[0] = NAN;
		break;
	case 3:
		certificate->start_ns[0] = -1.0;
		break;
	case 4:
		certificate->start_ns[last] = 0.0;
		break;
	case 5:
		certificate->start_ns[last] = (double)certificate->deadline_ns;
		break;
	case 6:
		certificate->flow[0] = -1;
		break;
	case 7:
		certificate->flow[0] += 1;
		break;
	case 8:
		certificate->edge_flow[0] += 1;
		break;
	case 9:
		certificate->edge_flow[0] = -1;
		break;
	case 10:
		certificate->edge_flow[0] = INT64_MAX;
		break;
	case 11:
		certificate->start_flow[last] += 1;
		break;
	case 12:
		for (int32_t i = 0; i <= last; i++)
			certificate->flow[i] = certificate->start_flow[i] = certificate->end_flow[i] = 0;
		for (int32_t e = 0; e < certificate->n_edges; e++)
			certificate->edge_flow[e] = 0;
		break;
	case 13:
		certificate->deadline_ns /= 2;
		break;
	case 14:
		certificate->deadline_ns = INT64_MAX;
		for (int32_t i = 0; i <= last; i++)
			certificate->flow[i] = certificate->start_flow[i] = certificate->end_flow[i] = INT64_MAX;
		for (int32_t e = 0; e < certificate->n_edges; e++)
			certificate->edge_flow[e] = 0;
		break;
	default:
		certificate->n_instructions--;
		break;
	}
}

START_TEST(notices_a_forged_certificate)
{
	struct perseus_frontier *frontier = sample(NULL);
	struct perseus_certificate *certificate = NULL;
	const int64_t t_min_ns = perseus_frontier_info(frontier).t_min_ns;
	ck_assert_int_eq(perseus_frontier_certificate(frontier, t_min_ns, &certificate, &err), PERSEUS_OK);
	forge(certificate, _i);
	ck_assert_int_eq(perseus_certificate_check(certificate, perseus_frontier_profile(frontier),
							 perseus_frontier_schedule(frontier), TOLERANCE, NULL, NULL, &err),
			PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, forgeries[_i].message) != NULL, "%s: %s", forgeries[_i].name, err.message);
	perseus_certificate_free(certificate);
}
END_TEST

/* Quantised answers cost at most what is said more than the exact ones, which they never undercut. */
START_TEST(bounds_the_loss_of_quantised_slopes)
{
	struct perseus_frontier *exact = sample(NULL);
	const struct perseus_frontier_settings settings = {.slope_quantum_uw = 20000000};
	struct perseus_frontier *coarse = sample(&settings);
	const struct perseus_frontier_info info = perseus_frontier_info(coarse);
	ck_assert_int_le(info.n_breakpoints, perseus_frontier_info(exact).n_breakpoints);
	ck_assert(info.loss_bound > 0.0);
	ck_assert_int_eq(info.t_min_ns, perseus_frontier_info(exact).t_min_ns);
	for (int i = 0; i <= 1000; i++) {
		const int64_t time_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) / 1000 * i;
		const double exact_j = perseus_frontier_energy_j(exact, time_ns);
		const double loss = perseus_frontier_energy_j(coarse, time_ns) / exact_j - 1.0;
		ck_assert_msg(loss >= -TOLERANCE && loss <= info.loss_bound + TOLERANCE, "loss %.17g, bound %.17g", loss,
				info.loss_bound);
	}
}
END_TEST

/* Few checkpoints or many: the same certificate. */
START_TEST(answers_from_any_checkpoint)
{
	const struct perseus_frontier_settings tight = {.checkpoint_bytes = 1};
	struct perseus_frontier *few = sample(&tight);
	struct perseus_frontier *many = sample(NULL);
	const struct perseus_frontier_info info = perseus_frontier_info(many);
	for (int i = 0; i <= 10; i++) {
		const int64_t time_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) * i / 10;
		struct perseus_certificate *a = NULL;
		struct perseus_certificate *b = NULL;
		ck_assert_int_eq(perseus_frontier_certificate(few, time_ns, &a, &err), PERSEUS_OK);
		ck_assert_int_eq(perseus_frontier_certificate(many, time_ns, &b, &err), PERSEUS_OK);
		for (int32_t k = 0; k < a->n_instructions; k++) {
			ck_assert(a->time_ns[k] == b->time_ns[k]);
			ck_assert_int_eq(a->flow[k], b->flow[k]);
		}
		perseus_certificate_free(a);
		perseus_certificate_free(b);
	}
}
END_TEST

START_TEST(says_what_is_infeasible)
{
	struct perseus_frontier *frontier = sample(NULL);
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	struct perseus_certificate *certificate = NULL;
	ck_assert_int_eq(perseus_frontier_certificate(frontier, info.t_min_ns - 1, &certificate, &err), PERSEUS_INFEASIBLE);
	ck_assert_ptr_nonnull(strstr(err.message, "T_min"));
	ck_assert(isnan(perseus_frontier_energy_j(frontier, info.t_min_ns - 1)));
	const double slowest_j = perseus_frontier_effective_energy_j(frontier, info.t_star_ns);
	ck_assert(perseus_frontier_effective_energy_j(frontier, info.t_star_ns * 2) == slowest_j);
	ck_assert_ptr_null(certificate);
}
END_TEST

/* A single stage whose forward and backward have two choices each, the faster at the lower clock. */
static void
make_odd_job(double fast_s, double fast_j, double slow_s, double slow_j, int32_t n_microbatches)
{
	const struct perseus_measurement rows[] = {{0, "forward", 1000, slow_s, slow_j, 0},
		{0, "forward", 900, fast_s, fast_j, 0}, {0, "backward", 1000, slow_s, slow_j, 0},
		{0, "backward", 900, fast_s, fast_j, 0}};
	ck_assert_int_eq(perseus_profile_new(rows, 4, NULL, &job.profile, &err), PERSEUS_OK);
	job.schedule = generate("1f1b", 1, n_microbatches);
}

/* What is slower and costs more is never planned, but is what plans are compared with. */
START_TEST(refuses_times_beyond_64_bits_at_any_clock)
{
	make_odd_job(1.0, 10.0, 1e5, 100.0, 50000);
	struct perseus_frontier *frontier = NULL;
	ck_assert_int_eq(perseus_frontier_new(job.profile, job.schedule, NULL, &frontier, &err), PERSEUS_INVALID);
	ck_assert_str_eq(
			err.message, "the sum of all times or energies of one iteration leaves 64 bits; are the units right?");
}
END_TEST

/* 10 kJ for 1 ns: more than 2^63 µW. */
START_TEST(caps_marginal_powers_beyond_64_bits)
{
	make_odd_job(1e-9, 1e4, 2e-9, 0.0, 1);
	struct perseus_frontier *frontier = sample(NULL);
	ck_assert_int_eq(perseus_frontier_point(frontier, 0).marginal_power_uw, INT64_MAX);
	ck_assert_int_eq(perseus_frontier_info(frontier).t_min_energy_ns, 4);
}
END_TEST

/* Iterations of half a year: doubles hold their times to 2 ns. */
START_TEST(proves_iterations_beyond_the_precision_of_doubles)
{
	make_odd_job(50000.123456789, 3e5, 70000.987654321, 2e5, 150);
	struct perseus_frontier *frontier = sample(NULL);
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	for (int i = 0; i <= 7; i++) {
		struct perseus_certificate *certificate = NULL;
		const int64_t time_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) / 7 * i;
		ck_assert_int_eq(perseus_frontier_certificate(frontier, time_ns, &certificate, &err), PERSEUS_OK);
		ck_assert_msg(perseus_certificate_check(certificate, job.profile, job.schedule, TOLERANCE, NULL, NULL, &err)
						== PERSEUS_OK,
				"%s", err.message);
		perseus_certificate_free(certificate);
	}
}
END_TEST

/* No time of the frontier, in steps of a thousandth, has less total energy than the one said to have least. */
START_TEST(finds_the_least_total_energy)
{
	struct perseus_frontier *frontier = sample_of((uint64_t)_i, NULL);
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	const double least_j = perseus_frontier_energy_j(frontier, info.t_min_energy_ns);
	for (int i = 0; i <= 1000; i++) {
		const int64_t time_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) / 1000 * i;
		ck_assert(perseus_frontier_energy_j(frontier, time_ns) >= least_j * (1.0 - TOLERANCE));
	}
}
END_TEST

static void
count_call(double fraction, void *user)
{
	ck_assert(fraction >= 0.0 && fraction <= 1.0);
	++*(int *)user;
}

START_TEST(reports_and_can_be_cancelled)
{
	int n_calls = 0;
	struct perseus_frontier_settings settings = {.progress = count_call, .user = &n_calls};
	(void)sample(&settings);
	ck_assert_int_gt(n_calls, 0);

	perseus_flag cancel = true;
	settings.cancel = &cancel;
	struct perseus_frontier *frontier = NULL;
	ck_assert_int_eq(perseus_frontier_new(job.profile, job.schedule, &settings, &frontier, &err), PERSEUS_CANCELLED);
	ck_assert_ptr_null(frontier);
}
END_TEST

static void *
certify(void *argument)
{
	const struct perseus_frontier *frontier = argument;
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	for (int i = 0; i <= 20; i++) {
		struct perseus_certificate *certificate = NULL;
		const int64_t time_ns = info.t_min_ns + (info.t_star_ns - info.t_min_ns) * i / 20;
		if (perseus_frontier_certificate(frontier, time_ns, &certificate, NULL) != PERSEUS_OK)
			return NULL;
		const enum perseus_status status = perseus_certificate_check(certificate, perseus_frontier_profile(frontier),
				perseus_frontier_schedule(frontier), TOLERANCE, NULL, NULL, NULL);
		perseus_certificate_free(certificate);
		if (status != PERSEUS_OK)
			return NULL;
	}
	return argument;
}

START_TEST(serves_several_threads)
{
	struct perseus_frontier *frontier = sample(NULL);
	pthread_t threads[4];
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, certify, frontier), 0);
	for (int i = 0; i < 4; i++) {
		void *result = NULL;
		ck_assert_int_eq(pthread_join(threads[i], &result), 0);
		ck_assert_ptr_nonnull(result);
	}
}
END_TEST

static const struct {
	const char *schedule;
	const char *classes[3];
	const char *message;
} unbound[] = {
	{"1f1b", {"forward"}, "the profile has no 'backward' for stage"},
	{"zb-h1", {"forward", "backward"}, "the profile has no 'input' for stage"},
	{"dualpipev", {"forward", "input", "weight"}, "the profile has no"},
};

START_TEST(says_which_class_is_missing)
{
	struct perseus_measurement rows[12];
	size_t n = 0;
	for (int32_t stage = 0; stage < 4; stage++)
		for (int k = 0; k < 3 && unbound[_i].classes[k]; k++)
			rows[n++] = (struct perseus_measurement){stage, unbound[_i].classes[k], 1410, 0.1, 10.0, 0};
	struct perseus_profile *profile = NULL;
	ck_assert_int_eq(perseus_profile_new(rows, n, NULL, &profile, &err), PERSEUS_OK);
	const struct perseus_schedule *schedule = generate(unbound[_i].schedule, 2, 4);
	ck_assert_ptr_nonnull(schedule);
	struct perseus_frontier *frontier = NULL;
	ck_assert_int_eq(perseus_frontier_new(profile, schedule, NULL, &frontier, &err), PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, unbound[_i].message) != NULL, "%s", err.message);
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

START_TEST(refuses_more_stages_than_measured)
{
	uint64_t state = 3;
	struct perseus_profile *profile = random_profile(&state, 2, false, true);
	const struct perseus_schedule *schedule = generate("1f1b", 4, 4);
	struct perseus_frontier *frontier = NULL;
	ck_assert_int_eq(perseus_frontier_new(profile, schedule, NULL, &frontier, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "instruction 2F0: the schedule has 4 stages, the profile only 2");
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

/* Two stages of one rank cannot wait with different powers. */
START_TEST(refuses_two_blocking_powers_on_a_rank)
{
	static const double blocking_w[] = {70.0, 70.0, 80.0, 70.0};
	struct perseus_measurement rows[8];
	for (int32_t i = 0; i < 8; i++)
		rows[i] = (struct perseus_measurement){i / 2, i % 2 ? "backward" : "forward", 1410, 0.1, 10.0, 0};
	const struct perseus_profile_settings settings = {.blocking_power_w = blocking_w, .n_blocking_power = 4};
	struct perseus_profile *profile = NULL;
	ck_assert_int_eq(perseus_profile_new(rows, 8, &settings, &profile, &err), PERSEUS_OK);
	const struct perseus_schedule *schedule = NULL;
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.name = "interleaved";
	shape.n_ranks = 2;
	shape.stages_per_rank = 2;
	shape.n_microbatches = 4;
	ck_assert_int_eq(perseus_schedule_generate(&shape, &schedule, &err), PERSEUS_OK);
	struct perseus_frontier *frontier = NULL;
	ck_assert_int_eq(perseus_frontier_new(profile, schedule, NULL, &frontier, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "stages 0 and 2 share rank 0 but have different blocking powers");
	perseus_schedule_free(schedule);
	perseus_profile_free(profile);
}
END_TEST

int
main(void)
{
	int n_names = 0;
	while (perseus_schedule_names()[n_names])
		n_names++;
	Suite *suite = suite_create("frontier");
	TCase *tcase = tcase_create("frontier");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, NULL, free_job);
	tcase_add_test(tcase, solves_the_worked_example);
	tcase_add_test(tcase, reduces_the_event_graph);
	tcase_add_loop_test(tcase, is_exact_on_random_jobs, 0, 2 * n_names);
	tcase_add_loop_test(tcase, survives_ties, 0, 60);
	tcase_add_loop_test(tcase, notices_a_forged_certificate, 0, sizeof forgeries / sizeof *forgeries);
	tcase_add_test(tcase, bounds_the_loss_of_quantised_slopes);
	tcase_add_test(tcase, answers_from_any_checkpoint);
	tcase_add_test(tcase, says_what_is_infeasible);
	tcase_add_test(tcase, refuses_times_beyond_64_bits_at_any_clock);
	tcase_add_test(tcase, caps_marginal_powers_beyond_64_bits);
	tcase_add_test(tcase, proves_iterations_beyond_the_precision_of_doubles);
	tcase_add_loop_test(tcase, finds_the_least_total_energy, 0, 12);
	tcase_add_test(tcase, reports_and_can_be_cancelled);
	tcase_add_test(tcase, serves_several_threads);
	tcase_add_loop_test(tcase, says_which_class_is_missing, 0, sizeof unbound / sizeof *unbound);
	tcase_add_test(tcase, refuses_more_stages_than_measured);
	tcase_add_test(tcase, refuses_two_blocking_powers_on_a_rank);
	return run_suite(suite);
}
