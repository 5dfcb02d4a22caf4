/*
 * `perseus measure`: what it is asked for, and what it finds out. measure.c parses and decides, measure_run.c measures,
 * measure_output.c reports.
 */
#ifndef PERSEUS_CLI_MEASURE_H
#define PERSEUS_CLI_MEASURE_H

#include "base/text.h"
#include "cli/child.h"
#include "cli/footprint_options.h"
#include "cli/node_options.h"
#include "cli/power_watch.h"
#include "meter/claims.h"
#include "meter/run.h"

#include <stdbool.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

/* Texts are borrowed from argv; NULL: not wanted. */
struct perseus__measure_options {
	struct perseus__node_options node;
	struct perseus__footprint_options footprint;
	char **command; /* ends in NULL */
	int32_t n_command;
	double rate_hz; /* samples a second */
	bool as_json;
	bool is_quiet;
	const char *output;
	const char *csv;
	const char *chart;
	bool has_ledger;
	const char *ledger; /* NULL: the user's own */
};

/* perseus__measurement_init before, perseus__measurement_fini after. */
struct perseus__measurement {
	const struct perseus__measure_options *options;
	struct perseus__run *run; /* borrowed; results and note are in it from the beginning */
	struct perseus_node *node;
	struct perseus__claims *claims;     /* NULL: this process counts every device */
	bool *is_counted;                   /* length n_devices of the node; owned */
	struct perseus__claimant *claimant; /* length n_devices of the node: who counts the others; owned */
	struct perseus__power_watch watch;
	struct perseus__trace_file trace;
	int64_t begin_ns;           /* of the node's clock */
	struct perseus__text notes; /* what else there is to say, a line each */
};

/*
 * Opens the devices and claims those that this process counts. Errors: what keeps the command from being measured as
 * asked for, which is said before it starts.
 */
PERSEUS_MUST_USE enum perseus_status perseus__measurement_init(struct perseus__measurement *measurement,
		const struct perseus__measure_options *options, struct perseus__run *run, struct perseus_error *err);

/*
 * Runs the command and fills in the run. `*exit_code` is the command's, or why it could not be run, which is the only
 * error; whatever else goes wrong becomes a note.
 */
PERSEUS_MUST_USE enum perseus_status perseus__measurement_run(struct perseus__measurement *measurement,
		const struct perseus__signals *signals, int *exit_code, struct perseus_error *err);

void perseus__measurement_fini(struct perseus__measurement *measurement);

/* The report in words, and as the run document with what only `measure` knows. */
void perseus__measurement_report(const struct perseus__measurement *measurement, struct perseus__text *text);
void perseus__measurement_json(const struct perseus__measurement *measurement, struct perseus__text *text);

/* Draws power over time. Errors: as perseus__chart_power. */
PERSEUS_MUST_USE enum perseus_status perseus__measurement_chart(
		const struct perseus__measurement *measurement, struct perseus_error *err);

#endif
