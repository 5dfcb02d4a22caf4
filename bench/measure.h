/*
 * What the benchmark programs share: processor time, so that a busy machine does not change much, medians, peak memory,
 * reading arguments, and giving up with a message.
 */
#ifndef PERSEUS_BENCH_MEASURE_H
#define PERSEUS_BENCH_MEASURE_H

#include <stdint.h>

#include <perseus/status.h>

enum { BENCH_MAX_RUNS = 999 };

/* Processor time of this process so far, in s. */
double bench_processor_s(void);

/* Median of `values`, length `n` >= 1; sorts them. */
double bench_median(double *values, int n);

/* Largest resident memory so far, in MiB. */
double bench_peak_rss_mib(void);

/* Reads a whole number in [low, high], or ends the program with a message that says what `what` must be. */
int32_t bench_integer(const char *text, const char *what, int32_t low, int32_t high);

/* The same for a number with a point. */
double bench_number(const char *text, const char *what, double low, double high);

/* Prints what failed and why, and ends the program with the status's exit code. `err` may be NULL. */
_Noreturn void bench_die(const char *what, const struct perseus_error *err);

#endif
