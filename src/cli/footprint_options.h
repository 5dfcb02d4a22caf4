/*
 * Where a run takes place, as the command line says it: carbon intensity, price, PUE, and what making the hardware
 * emitted. Shared by the commands that compute a footprint.
 */
#ifndef PERSEUS_CLI_FOOTPRINT_OPTIONS_H
#define PERSEUS_CLI_FOOTPRINT_OPTIONS_H

#include "format/intensity_file.h"
#include "meter/footprint.h"

#include <argp.h>
#include <stdint.h>

#include <perseus/status.h>

/* Filled by perseus__footprint_argp, whose input it is. perseus__footprint_options_init before, _fini after. */
struct perseus__footprint_options {
	const char *intensity_file; /* NULL: none was given; borrowed from argv, as is the zone */
	const char *zone;
	int32_t year;                           /* 0: the latest */
	struct perseus__factors factors;        /* those that are known without a file */
	struct perseus__intensity_table *table; /* by perseus__footprint_options_load */
};

/* --intensity, --zone, --intensity-year, --price, --pue and --embodied. */
extern const struct argp perseus__footprint_argp;

struct perseus__footprint_options perseus__footprint_options_init(void);

/*
 * Reads the file, if one was given, and looks for the zone, so that what is wrong is said before a run and not after.
 * Errors: as perseus__intensity_table_read and perseus__intensity_check.
 */
PERSEUS_MUST_USE enum perseus_status perseus__footprint_options_load(
		struct perseus__footprint_options *options, struct perseus_error *err);

/*
 * The factors of a run from `begin_ms` to `end_ms`, Unix time. Where hours of it are missing from an hourly series:
 * INVALID, and `*factors` has all but the intensity.
 */
PERSEUS_MUST_USE enum perseus_status perseus__footprint_options_resolve(
		const struct perseus__footprint_options *options, int64_t begin_ms, int64_t end_ms,
		struct perseus__factors *factors, struct perseus_error *err);

void perseus__footprint_options_fini(struct perseus__footprint_options *options);

#endif
