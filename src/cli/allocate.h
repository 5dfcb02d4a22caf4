/* perseus allocate: what its parts share. */
#ifndef PERSEUS_CLI_ALLOCATE_H
#define PERSEUS_CLI_ALLOCATE_H

#include "base/text.h"
#include "format/allocation_json.h"

#include <perseus/allocate.h>
#include <perseus/status.h>

/* The jobs of a file. Zero before; free with perseus__site_fini. */
struct perseus__site {
	struct perseus__job_rows rows;
	struct perseus_operating_curve **curves; /* length rows.n; owned */
	struct perseus_allocation_job *jobs;     /* length rows.n */
	double least_power_w;                    /* all at their slowest */
};

/*
 * Reads the file, and profile and schedule of every job, and computes their curves. Errors name the line and the job.
 */
PERSEUS_MUST_USE enum perseus_status perseus__site_load(
		const char *path, struct perseus__site *site, struct perseus_error *err);

void perseus__site_fini(struct perseus__site *site);

/* Draws the speeds of the jobs; the extension decides the format. */
PERSEUS_MUST_USE enum perseus_status perseus__allocation_chart(
		const char *path, const struct perseus__allocation_document *document, struct perseus_error *err);

/* Adds the report that people read. */
void perseus__allocation_print(const struct perseus__allocation_document *document, struct perseus__text *text);

#endif
