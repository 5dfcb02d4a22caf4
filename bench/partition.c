/*
 * How fast layers are cut into stages: `bench_partition LAYERS STAGES RUNS` prints a JSON object for each objective.
 * Layers are all a little different, as measured ones are: then few partitions tie, and few runs of layers are alike.
 */
#include "measure.h"

#include "base/memory.h"

#include <perseus/partition.h>

#include <math.h>
#include <stdio.h>

enum { N_CLOCKS = 61, LOWEST_MHZ = 510, STEP_MHZ = 15 };

/* Between -1 and 1; the same every time (Park and Miller 1988). */
static double
noise(uint64_t *state)
{
	*state = *state * 48271 % 2147483647;
	return (double)*state / 1073741823.5 - 1;
}

static struct perseus_layers *
make_layers(int32_t n_layers)
{
	const size_t n_rows = (size_t)n_layers * 2 * N_CLOCKS;
	struct perseus_measurement *rows = perseus__new_array(n_rows, sizeof *rows);
	if (!rows)
		bench_die("out of memory", NULL);
	uint64_t state = 1;
	size_t n = 0;
	for (int32_t layer = 0; layer < n_layers; layer++) {
		const double weight = (1 + 0.02 * noise(&state)) * (layer == n_layers - 1 ? 1.3 : 1);
		for (int class_ = 0; class_ < 2; class_++)
			for (int k = 0; k < N_CLOCKS; k++) {
				const int32_t mhz = LOWEST_MHZ + STEP_MHZ * k;
				const double speed = (double)mhz / (LOWEST_MHZ + STEP_MHZ * (N_CLOCKS - 1));
				const double time_s = (class_ + 1) * 2e-3 * weight * (0.15 + 0.85 / speed) * (1 + 2e-3 * noise(&state));
				rows[n++] = (struct perseus_measurement){
					.stage = layer,
					.instruction = class_ ? "backward" : "forward",
					.frequency_mhz = mhz,
					.time_s = time_s,
					.energy_j = time_s * (90 + 280 * pow(speed, 2.6)),
				};
			}
	}
	struct perseus_layers *layers = NULL;
	struct perseus_error err = {0};
	if (perseus_layers_new(rows, n_rows, PERSEUS_MERGE_MEAN, &layers, &err) != PERSEUS_OK)
		bench_die("layers", &err);
	perseus__free(rows);
	return layers;
}

static void
measure(const struct perseus_layers *layers, enum perseus_partition_objective objective, int32_t n_stages, int32_t runs)
{
	const double blocking_w = 80;
	struct perseus_partition_settings settings = perseus_partition_settings_default();
	settings.objective = objective;
	settings.n_stages = n_stages;
	settings.blocking_power_w = &blocking_w;
	settings.n_blocking_power = 1;
	struct perseus_partition *partition = NULL;
	struct perseus_error err = {0};
	double times_s[BENCH_MAX_RUNS];
	for (int32_t i = 0; i < runs; i++) {
		perseus_partition_free(partition);
		partition = NULL;
		const double begin_s = bench_processor_s();
		if (perseus_partition_new(layers, &settings, &partition, &err) != PERSEUS_OK)
			bench_die("partition", &err);
		times_s[i] = bench_processor_s() - begin_s;
	}
	if (!partition || perseus_partition_check(partition, layers, &settings, &err) != PERSEUS_OK)
		bench_die("check", &err);
	printf("{\"what\": \"partition\", \"objective\": \"%s\", \"layers\": %d, \"stages\": %d, \"clocks\": %d, "
		   "\"imbalance\": %.6f, \"processor_s\": %.6f, \"runs\": %d, \"peak_rss_mib\": %.1f}\n",
			perseus_partition_objective_name(objective), (int)perseus_layers_count(layers), (int)n_stages,
			(int)N_CLOCKS, partition->imbalance, bench_median(times_s, runs), (int)runs, bench_peak_rss_mib());
	perseus_partition_free(partition);
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: bench_partition LAYERS STAGES RUNS\n");
		return 2;
	}
	const int32_t n_layers = bench_integer(argv[1], "layers", 1, PERSEUS_MAX_LAYERS);
	const int32_t n_stages = bench_integer(argv[2], "stages", 1, n_layers);
	const int32_t runs = bench_integer(argv[3], "runs", 1, BENCH_MAX_RUNS);
	struct perseus_layers *layers = make_layers(n_layers);
	measure(layers, PERSEUS_PARTITION_LEAST_IMBALANCE, n_stages, runs);
	measure(layers, PERSEUS_PARTITION_LEAST_BOTTLENECK, n_stages, runs);
	measure(layers, PERSEUS_PARTITION_LEAST_ENERGY, n_stages, runs);
	perseus_layers_free(layers);
	return 0;
}
