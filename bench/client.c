/*
 * What the client costs training: `bench_client ROUNDS` prints a JSON object with the time of a begin and an end
 * together, warm (one after the other) and cold (after so much else that nothing of it is in the nearer caches), and of
 * reading the clock twice, which is in it. Wall time of bursts, medians: what a busy machine adds is left out.
 */
#include "measure.h"

#include <perseus/client.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A burst fits into the queue; the thread has emptied it before the next. */
enum { PAIRS = 2000, COLD_PAIRS = 50, PAUSE_NS = 30000000, CACHE_BYTES = 8 << 20, LINE_BYTES = 64 };
static const double n_pairs = PAIRS;

static struct perseus_client *client;
static unsigned char *cache;

static double
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void
rest(void)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	(void)nanosleep(&pause, NULL);
}

static double
warm_ns(void)
{
	perseus_client_step_begin(client);
	const double begin_ns = now_ns();
	for (int i = 0; i < PAIRS; i++) {
		perseus_client_begin(client, PERSEUS_KIND_FORWARD, 0, i);
		perseus_client_end(client);
	}
	const double time_ns = now_ns() - begin_ns;
	perseus_client_step_end(client);
	rest();
	return time_ns / n_pairs;
}

static double
clock_ns(void)
{
	double sum = 0;
	const double begin_ns = now_ns();
	for (int i = 0; i < PAIRS; i++)
		sum += now_ns() + now_ns();
	const double time_ns = now_ns() - begin_ns;
	return sum > 0 ? time_ns / n_pairs : 0;
}

/* The median of pairs, each after other work; what reading the clock around it takes is taken off. */
static double
cold_ns(void)
{
	double times_ns[COLD_PAIRS];
	perseus_client_step_begin(client);
	for (int i = 0; i < COLD_PAIRS; i++) {
		for (int at = 0; at < CACHE_BYTES; at += LINE_BYTES)
			cache[at]++;
		const double first_ns = now_ns();
		const double begin_ns = now_ns();
		perseus_client_begin(client, PERSEUS_KIND_FORWARD, 0, i);
		perseus_client_end(client);
		times_ns[i] = now_ns() - begin_ns - (begin_ns - first_ns);
	}
	perseus_client_step_end(client);
	rest();
	return bench_median(times_ns, COLD_PAIRS);
}

int
main(int argc, char **argv)
{
	static double warm[BENCH_MAX_RUNS], cold[BENCH_MAX_RUNS], clocks[BENCH_MAX_RUNS];
	struct perseus_error err;
	if (argc != 2)
		bench_die("usage: bench_client ROUNDS", NULL);
	const int n = bench_integer(argv[1], "ROUNDS", 1, BENCH_MAX_RUNS);
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.control = PERSEUS_CONTROL_NONE;
	cache = calloc(CACHE_BYTES, 1);
	if (!cache || perseus_client_open(&settings, &client, &err) != PERSEUS_OK)
		bench_die("open", cache ? &err : NULL);
	for (int i = 0; i < n; i++) {
		warm[i] = warm_ns();
		clocks[i] = clock_ns();
		cold[i] = cold_ns();
	}
	struct perseus_client_info info;
	rest();
	perseus_client_info(client, &info);
	printf("{\"what\": \"client\", \"pair_ns\": %.1f, \"cold_pair_ns\": %.1f, \"clock_ns\": %.1f, \"runs\": %d, "
		   "\"dropped\": %lld}\n",
			bench_median(warm, n), bench_median(cold, n), bench_median(clocks, n), n, (long long)info.n_dropped);
	perseus_client_close(client);
	free(cache);
	return 0;
}
