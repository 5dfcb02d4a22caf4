/* Measuring, see the header. */
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

double
bench_processor_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int
ascending(const void *left, const void *right)
{
	const double a = *(const double *)left;
	const double b = *(const double *)right;
	return (a > b) - (a < b);
}

double
bench_median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof *values, ascending);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2.0;
}

double
bench_peak_rss_mib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_maxrss / 1024.0; /* Linux counts in KiB */
}

double
bench_number(const char *text, const char *what, double low, double high)
{
	char *end = NULL;
	const double number = strtod(text, &end);
	if (end == text || *end || !(number >= low && number <= high)) {
		fprintf(stderr, "%s: '%s' is no number from %g to %g\n", what, text, low, high);
		exit(perseus_status_exit_code(PERSEUS_INVALID));
	}
	return number;
}

int32_t
bench_integer(const char *text, const char *what, int32_t low, int32_t high)
{
	const double number = bench_number(text, what, low, high);
	if (number != (double)(int32_t)number) {
		fprintf(stderr, "%s: '%s' is no whole number\n", what, text);
		exit(perseus_status_exit_code(PERSEUS_INVALID));
	}
	return (int32_t)number;
}

_Noreturn void
bench_die(const char *what, const struct perseus_error *err)
{
	fprintf(stderr, "%s: %s\n", what, err ? err->message : "failed");
	exit(perseus_status_exit_code(err && err->status != PERSEUS_OK ? err->status : PERSEUS_INTERNAL));
}
