/*
 * Options that say which pipelines of a job straggle and when: by themselves, at random, or as a trace has it. Where
 * several hold a pipeline up at once, their degrees multiply.
 */
#ifndef PERSEUS_CLI_STRAGGLER_OPTIONS_H
#define PERSEUS_CLI_STRAGGLER_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/simulate.h>
#include <perseus/status.h>

/* --straggler: a pipeline in iterations `first` to `last`, both included. */
struct perseus__given_straggler {
	const char *text; /* as given; borrowed from argv */
	int32_t pipeline;
	double degree;
	int64_t first;
	int64_t last; /* INT64_MAX: to the end */
};

/* --random: a process, of which times may be given in seconds. */
struct perseus__random_cause {
	bool is_given;
	struct perseus_straggler_process process;
	int64_t between_s; /* 0: in iterations, as in `process` */
	int64_t duration_s;
};

/* Filled by perseus__straggler_argp, whose input it is. Zero before; free with perseus__straggler_options_fini. */
struct perseus__straggler_options {
	struct perseus__given_straggler *given; /* length n_given */
	int32_t n_given;
	size_t cap_given;
	struct perseus__random_cause causes[PERSEUS_N_STRAGGLER_CAUSES];
	int32_t seed;
	const char *trace; /* a file; borrowed from argv; NULL: none */
};

extern const struct argp perseus__straggler_argp;

/* The run that they are for. */
struct perseus__straggler_run {
	int32_t n_pipelines;
	int64_t n_iterations;
	int64_t iteration_ns; /* of the fastest, which turns times into iterations */
};

/* How many causes there are, with times in iterations, into `processes`, of length PERSEUS_N_STRAGGLER_CAUSES. */
int32_t perseus__straggler_processes(const struct perseus__straggler_options *options,
		const struct perseus__straggler_run *run, struct perseus_straggler_process *processes);

/* Whether what --straggler says lies within the run, whose iteration time does not matter. INVALID where not. */
PERSEUS_MUST_USE enum perseus_status perseus__straggler_options_check(const struct perseus__straggler_options *options,
		const struct perseus__straggler_run *run, struct perseus_error *err);

/*
 * All of them together, by iteration, then pipeline; none after the end of the run. Notes what a trace has that plays
 * no part. Free with perseus__free.
 * Errors: INVALID, naming the option or the file's line; IO; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__straggler_events(const struct perseus__straggler_options *options,
		const struct perseus__straggler_run *run, struct perseus_straggler_event **out, int64_t *n_events,
		struct perseus_error *err);

void perseus__straggler_options_fini(struct perseus__straggler_options *options);

#endif
