/* How long an iteration may take, as the command line says it: the options that plan and compare share. */
#ifndef PERSEUS_CLI_DEADLINE_OPTIONS_H
#define PERSEUS_CLI_DEADLINE_OPTIONS_H

#include "format/number.h"

#include <perseus/frontier.h>
#include <perseus/status.h>

#include <argp.h>
#include <stdint.h>

/* How the deadline is given. */
enum perseus__target {
	PERSEUS__TARGET_TMIN,
	PERSEUS__TARGET_MIN_ENERGY,
	PERSEUS__TARGET_TSTAR,
	PERSEUS__TARGET_SECONDS,
	PERSEUS__TARGET_FACTOR
};

/* Filled by perseus__deadline_argp, whose input it is; zeroed before. */
struct perseus__deadline_options {
	const char *option; /* that was given; NULL: none, which is T_min */
	enum perseus__target target;
	int64_t deadline_ns;              /* of TARGET_SECONDS */
	struct perseus__decimal slowdown; /* of TARGET_FACTOR */
};

/* --deadline, --slowdown and --point, of which one may be given. */
extern const struct argp perseus__deadline_argp;

/* The deadline on a frontier. Errors: INVALID for one that leaves 63 bits. */
PERSEUS_MUST_USE enum perseus_status perseus__deadline_find(const struct perseus__deadline_options *options,
		const struct perseus_frontier *frontier, int64_t *deadline_ns, struct perseus_error *err);

#endif
