/*
 * perseus pace: what its parts share. Options in pace.c, from files to answers in pace_run.c, words in pace_report.c,
 * its picture in pace_output.c.
 */
#ifndef PERSEUS_CLI_PACE_H
#define PERSEUS_CLI_PACE_H

#include "base/text.h"
#include "cli/job.h"
#include "format/pace_document.h"

#include <stdbool.h>
#include <stdint.h>

#include <perseus/pace.h>
#include <perseus/status.h>

struct perseus__pace_options {
	struct perseus__job job;
	const char *carbon; /* these are borrowed from argv; NULL: not given */
	const char *price;
	const char *zone;
	const char *deadline; /* hours, a moment or a duration */
	int64_t from_ms;      /* negative: the first hour of the file */
	double n_iterations;  /* 0: not given */
	double duration_h;    /* at full speed; 0: not given */
	double overhead_s;
	double pue;
	double idle_power_w; /* these are of a GPU; negative: not given */
	double embodied_kg;
	double gpu_hour_price;
	double lifetime_years;
	bool as_json;
	const char *csv;
	const char *chart;
};

/* All that lies between options and results. Zero before; free with perseus__pace_run_fini. */
struct perseus__pace_run {
	struct perseus__hours hours;
	struct perseus_operating_curve *curve;
	struct perseus_pace_slot *slots; /* up to the deadline, and where the file has it an hour more behind it */
	struct perseus_pace_problem problem;
	struct perseus_pace *pace;
	struct perseus_pace_course *baselines[PERSEUS_N_PACE_BASELINES];
	struct perseus__pace_document document;
};

/*
 * From a job with its frontier to all that is reported. Errors: INVALID for files and moments, naming the first hour
 * that is missing; INFEASIBLE where there is too little time; NO_MEMORY; IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__pace_run(
		const struct perseus__pace_options *options, struct perseus__pace_run *run, struct perseus_error *err);

void perseus__pace_run_fini(struct perseus__pace_run *run);

/* Adds the report to `text`. */
void perseus__pace_report(
		const struct perseus__job *job, const struct perseus__pace_document *document, struct perseus__text *text);

/* Adds an amount of grams, or money, and its unit. `largest` is that of the column. */
void perseus__pace_amount(
		struct perseus__text *text, const struct perseus__pace_document *document, double largest, double grams);

/* Draws the chart to `path`. */
PERSEUS_MUST_USE enum perseus_status perseus__pace_draw(const char *path, const struct perseus__job *job,
		const struct perseus__pace_document *document, struct perseus_error *err);

#endif
