/*
 * What quantised slopes win and lose: `bench_quantised STAGES MICROBATCHES NOISE EXACT_RUNS RUNS QUANTUM_W...` prints a
 * JSON object for the exact frontier and one for each quantum. Losses are energy above the exact optimum at the same
 * time, relative to the optimum's total energy: that of the answers, whose durations come from certificates and whose
 * energies are read off the hulls here, and that of the points a frontier keeps, which are thinned and lie above.
 */
#include "job.h"
#include "measure.h"

#include <stdio.h>

/* How many times, evenly spread from T_min to T*, the losses are taken at. */
enum { POINT_TIMES = 2001, ANSWER_TIMES = 41 };

static int64_t
nth_time_ns(const struct perseus_frontier_info *info, int64_t k, int64_t n)
{
	return info->t_min_ns + (info->t_star_ns - info->t_min_ns) / (n - 1) * k;
}

/* Energy in J of a duration on the hull of a class. */
static double
hull_energy_j(const struct perseus_class *class_, double time_ns)
{
	const struct perseus_choice *hull = class_->hull;
	if (class_->n_hull == 1 || time_ns <= (double)hull[0].time_ns)
		return (double)hull[0].effective_nj / 1e9;
	int32_t k = 1;
	while (k < class_->n_hull - 1 && (double)hull[k].time_ns < time_ns)
		k++;
	const double step_ns = (double)(hull[k].time_ns - hull[k - 1].time_ns);
	const double step_nj = (double)(hull[k].effective_nj - hull[k - 1].effective_nj);
	const double fraction = (time_ns - (double)hull[k - 1].time_ns) / step_ns;
	return ((double)hull[k - 1].effective_nj + (fraction < 1.0 ? fraction : 1.0) * step_nj) / 1e9;
}

/* Effective energy in J of the durations that a frontier answers with at a time. */
static double
answered_energy_j(const struct perseus_frontier *frontier, int64_t time_ns)
{
	struct perseus_error err = {0};
	struct perseus_certificate *answer = NULL;
	if (perseus_frontier_certificate(frontier, time_ns, &answer, &err) != PERSEUS_OK)
		bench_die("certificate", &err);
	double sum_j = 0.0;
	for (int32_t i = 0; i < answer->n_instructions; i++)
		sum_j += hull_energy_j(perseus_frontier_class(frontier, i), answer->time_ns[i]);
	perseus_certificate_free(answer);
	return sum_j;
}

/* Solves `runs` times and keeps the last; the median processor time in s. */
static double
measure(const struct bench_job *job, int64_t quantum_uw, int32_t runs, struct perseus_frontier **out)
{
	struct perseus_error err = {0};
	struct perseus_frontier_settings settings = perseus_frontier_settings_default();
	settings.slope_quantum_uw = quantum_uw;
	double times_s[BENCH_MAX_RUNS];
	struct perseus_frontier *frontier = NULL;
	for (int32_t i = 0; i < runs; i++) {
		perseus_frontier_free(frontier);
		frontier = NULL;
		const double begin_s = bench_processor_s();
		if (perseus_frontier_new(job->profile, job->schedule, &settings, &frontier, &err) != PERSEUS_OK)
			bench_die("frontier", &err);
		times_s[i] = bench_processor_s() - begin_s;
	}
	*out = frontier;
	return bench_median(times_s, runs);
}

static void
print_frontier(const struct perseus_frontier *frontier, double quantum_w, double processor_s, int32_t runs)
{
	const struct perseus_schedule *schedule = perseus_frontier_schedule(frontier);
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	printf("{\"what\": \"quantised\", \"stages\": %d, \"microbatches\": %d, \"instructions\": %d, "
		   "\"slope_quantum_w\": %g, \"augmentations\": %lld, \"processor_s\": %.6f, \"runs\": %d",
			(int)schedule->n_stages, (int)schedule->n_microbatches, (int)schedule->n_instructions, quantum_w,
			(long long)info.n_augmentations, processor_s, (int)runs);
}

static double
loss_of_points(const struct perseus_frontier *exact, const struct perseus_frontier *quantised)
{
	const struct perseus_frontier_info info = perseus_frontier_info(exact);
	double worst = 0.0;
	for (int32_t k = 0; k < POINT_TIMES; k++) {
		const int64_t time_ns = nth_time_ns(&info, k, POINT_TIMES);
		const double optimum_j = perseus_frontier_energy_j(exact, time_ns);
		const double loss = perseus_frontier_energy_j(quantised, time_ns) / optimum_j - 1.0;
		worst = loss > worst ? loss : worst;
	}
	return worst;
}

static double
loss_of_answers(const struct perseus_frontier *exact, const struct perseus_frontier *quantised)
{
	const struct perseus_frontier_info info = perseus_frontier_info(exact);
	if (perseus_frontier_info(quantised).t_min_ns != info.t_min_ns)
		bench_die("quantised slopes changed the shortest iteration", NULL);
	double worst = 0.0;
	for (int32_t k = 0; k < ANSWER_TIMES; k++) {
		const int64_t time_ns = nth_time_ns(&info, k, ANSWER_TIMES);
		const double loss_j =
				answered_energy_j(quantised, time_ns) - perseus_frontier_effective_energy_j(exact, time_ns);
		const double loss = loss_j / perseus_frontier_energy_j(exact, time_ns);
		worst = loss > worst ? loss : worst;
	}
	return worst;
}

int
main(int argc, char **argv)
{
	if (argc < 6) {
		fprintf(stderr, "usage: bench_quantised STAGES MICROBATCHES NOISE EXACT_RUNS RUNS QUANTUM_W...\n");
		return 2;
	}
	struct bench_job job = bench_job_make(argv + 1);
	const int32_t exact_runs = bench_integer(argv[4], "exact runs", 1, BENCH_MAX_RUNS);
	struct perseus_frontier *exact = NULL;
	const double exact_s = measure(&job, 0, exact_runs, &exact);
	print_frontier(exact, 0.0, exact_s, exact_runs);
	printf(", \"peak_rss_mib\": %.1f}\n", bench_peak_rss_mib());
	fflush(stdout);

	const int32_t runs = bench_integer(argv[5], "runs", 1, BENCH_MAX_RUNS);
	for (int i = 6; i < argc; i++) {
		const double quantum_w = bench_number(argv[i], "quantum", 1e-6, PERSEUS_MAX_POWER_W);
		struct perseus_frontier *quantised = NULL;
		const double quantised_s = measure(&job, (int64_t)(quantum_w * 1e6), runs, &quantised);
		print_frontier(quantised, quantum_w, quantised_s, runs);
		printf(", \"loss_bound\": %.3g, \"loss_of_points\": %.3g, \"loss_of_answers\": %.3g}\n",
				perseus_frontier_info(quantised).loss_bound, loss_of_points(exact, quantised),
				loss_of_answers(exact, quantised));
		fflush(stdout);
		perseus_frontier_free(quantised);
	}
	perseus_frontier_free(exact);
	bench_job_fini(&job);
	return 0;
}
