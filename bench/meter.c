/*
 * What the meter costs: `bench_meter DEVICES OPEN SECONDS` prints a JSON object with the time of beginning and ending a
 * window over simulated GPUs while OPEN others are open, and of the readings alone that the two make; and one with the
 * processor time of the meter's thread over SECONDS at 10 Hz.
 */
#include "measure.h"

#include <perseus/meter.h>

#include <stdio.h>
#include <time.h>

enum { MAX_DEVICES = 64, MAX_OPEN = 100000, ROUNDS = 2000, RUNS = 101 };

static struct perseus_node *node;
static struct perseus_meter *meter;
static struct perseus_reading readings[MAX_DEVICES];

static void
window(void)
{
	struct perseus_error err;
	struct perseus_window_result result;
	int64_t id = 0;
	if (perseus_meter_begin(meter, "step", &id, &err) || perseus_meter_end(meter, id, &result, readings, &err))
		bench_die("window", &err);
}

/* The readings that window() makes of the devices: power, twice. */
static void
read_devices(void)
{
	struct perseus_error err;
	int64_t power_mw = 0;
	const int32_t n = perseus_node_n_devices(node);
	for (int32_t i = 0; i < 2 * n; i++)
		if (perseus_device_read(node, i % n, PERSEUS_QUANTITY_POWER, &power_mw, &err))
			bench_die("power", &err);
}

/* Processor time of one call, in us: the median of means. */
static double
call_us(void (*call)(void))
{
	double times_us[RUNS];
	for (int run = 0; run < RUNS; run++) {
		const double begin_s = bench_processor_s();
		for (int i = 0; i < ROUNDS; i++)
			call();
		times_us[run] = (bench_processor_s() - begin_s) / ROUNDS * 1e6;
	}
	return bench_median(times_us, RUNS);
}

static void
measure_windows(int32_t n_open)
{
	struct perseus_error err;
	for (int32_t i = 0; i < n_open; i++) {
		int64_t id = 0;
		if (perseus_meter_begin(meter, "open", &id, &err))
			bench_die("window", &err);
	}
	const double window_us = call_us(window);
	const double readings_us = call_us(read_devices);
	printf("{\"what\": \"window\", \"devices\": %d, \"open\": %d, \"window_us\": %.4f, \"readings_us\": %.4f, "
		   "\"runs\": %d}\n",
			(int)perseus_node_n_devices(node), (int)n_open, window_us, readings_us, RUNS);
}

static void
measure_thread(int32_t seconds)
{
	const double begin_s = bench_processor_s();
	const struct timespec time = {.tv_sec = seconds};
	(void)nanosleep(&time, NULL);
	const double processor_s = bench_processor_s() - begin_s;
	printf("{\"what\": \"meter_thread\", \"devices\": %d, \"seconds\": %d, \"share\": %.6f, \"peak_rss_mib\": %.1f}\n",
			(int)perseus_node_n_devices(node), (int)seconds, processor_s / seconds, bench_peak_rss_mib());
}

int
main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: bench_meter DEVICES OPEN SECONDS\n");
		return 2;
	}
	const int32_t n_devices = bench_integer(argv[1], "devices", 1, MAX_DEVICES);
	const int32_t n_open = bench_integer(argv[2], "open", 0, MAX_OPEN);
	const int32_t seconds = bench_integer(argv[3], "seconds", 1, 3600);
	struct perseus_error err;
	char spec[32];
	(void)snprintf(spec, sizeof spec, "sim:a100x%d", (int)n_devices);
	if (perseus_node_open(spec, NULL, &node, &err) || perseus_meter_new(node, NULL, &meter, &err))
		bench_die("meter", &err);
	measure_thread(seconds);
	measure_windows(n_open);
	perseus_meter_free(meter);
	perseus_node_close(node);
	return 0;
}
