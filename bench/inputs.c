/*
 * What it costs to read and to build the inputs: `bench_inputs ROWS STAGES MICROBATCHES RUNS` decodes a profile CSV of
 * ROWS rows, makes a profile of them, and generates every schedule; one JSON object each.
 */
#include "job.h"
#include "measure.h"

#include "format/profile_csv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PROFILE_STAGES = 64, ROW_BYTES = 80 };

/* A CSV of `n_rows` rows: the measurements of a synthetic profile over and over, as from several ranks. */
static char *
make_csv(int32_t n_rows, size_t *length)
{
	struct perseus_profile *profile = bench_profile_make(PROFILE_STAGES, "0.005");
	char *text = malloc(((size_t)n_rows + 1) * ROW_BYTES);
	if (!text)
		bench_die("no memory for the CSV", NULL);
	size_t at = (size_t)snprintf(text, ROW_BYTES, "stage,instruction,frequency,time,energy\n");
	const int32_t n_classes = perseus_profile_n_classes(profile);
	for (int32_t row = 0; row < n_rows;) {
		for (int32_t i = 0; i < n_classes && row < n_rows; i++) {
			const struct perseus_class *class_ = perseus_profile_class(profile, i);
			for (int32_t k = 0; k < class_->n_choices && row < n_rows; k++, row++) {
				const struct perseus_choice *choice = &class_->choices[k];
				at += (size_t)snprintf(text + at, ROW_BYTES, "%" PRId32 ",%s,%" PRId32 ",%.9f,%.9f\n", class_->stage,
						class_->name, choice->frequency_mhz, (double)choice->time_ns / 1e9,
						(double)choice->energy_nj / 1e9);
			}
		}
	}
	perseus_profile_free(profile);
	*length = at;
	return text;
}

static void
measure_profile(int32_t n_rows, int32_t runs)
{
	struct perseus_error err = {0};
	size_t length = 0;
	char *text = make_csv(n_rows, &length);
	double decode_s[BENCH_MAX_RUNS];
	double build_s[BENCH_MAX_RUNS];
	for (int32_t i = 0; i < runs; i++) {
		struct perseus__measurements rows = {0};
		struct perseus_profile *profile = NULL;
		const double begin_s = bench_processor_s();
		if (perseus__profile_csv_decode(text, length, "rows", &rows, &err) != PERSEUS_OK)
			bench_die("decode", &err);
		const double decoded_s = bench_processor_s();
		if (perseus_profile_new(rows.rows, rows.n_rows, NULL, &profile, &err) != PERSEUS_OK)
			bench_die("profile", &err);
		build_s[i] = bench_processor_s() - decoded_s;
		decode_s[i] = decoded_s - begin_s;
		perseus_profile_free(profile);
		perseus__measurements_fini(&rows);
	}
	free(text);
	printf("{\"what\": \"profile_csv\", \"rows\": %d, \"bytes\": %zu, \"decode_s\": %.6f, \"profile_s\": %.6f, "
		   "\"runs\": %d, \"peak_rss_mib\": %.1f}\n",
			(int)n_rows, length, bench_median(decode_s, runs), bench_median(build_s, runs), (int)runs,
			bench_peak_rss_mib());
}

static void
measure_schedule(const char *name, int32_t n_ranks, int32_t n_microbatches, int32_t runs)
{
	struct perseus_error err = {0};
	struct perseus_schedule_settings shape = perseus_schedule_settings_default();
	shape.name = name;
	shape.n_ranks = n_ranks;
	shape.n_microbatches = n_microbatches;
	double times_s[BENCH_MAX_RUNS];
	int32_t n_instructions = 0;
	for (int32_t i = 0; i < runs; i++) {
		const struct perseus_schedule *schedule = NULL;
		const double begin_s = bench_processor_s();
		if (perseus_schedule_generate(&shape, &schedule, &err) != PERSEUS_OK)
			bench_die(name, &err);
		times_s[i] = bench_processor_s() - begin_s;
		n_instructions = schedule->n_instructions;
		perseus_schedule_free(schedule);
	}
	printf("{\"what\": \"schedule\", \"schedule\": \"%s\", \"ranks\": %d, \"microbatches\": %d, \"instructions\": %d, "
		   "\"processor_s\": %.6f, \"runs\": %d}\n",
			name, (int)n_ranks, (int)n_microbatches, (int)n_instructions, bench_median(times_s, runs), (int)runs);
}

int
main(int argc, char **argv)
{
	if (argc != 5) {
		fprintf(stderr, "usage: bench_inputs ROWS STAGES MICROBATCHES RUNS\n");
		return 2;
	}
	const int32_t n_rows = bench_integer(argv[1], "rows", PROFILE_STAGES * 2 * 61, 8000000);
	const int32_t n_ranks = bench_integer(argv[2], "stages", 1, PERSEUS_MAX_STAGES);
	const int32_t n_microbatches = bench_integer(argv[3], "microbatches", 1, INT32_MAX);
	const int32_t runs = bench_integer(argv[4], "runs", 1, BENCH_MAX_RUNS);
	for (const char *const *name = perseus_schedule_names(); *name; name++)
		measure_schedule(*name, n_ranks, n_microbatches, runs);
	measure_profile(n_rows, runs);
	return 0;
}
