/* perseus plan: what its parts share. */
#ifndef PERSEUS_CLI_PLAN_H
#define PERSEUS_CLI_PLAN_H

#include "base/text.h"
#include "cli/job.h"
#include "format/plan_document.h"

#include <perseus/status.h>

/* Adds the report that people read. */
void perseus__print_plan(
		const struct perseus__job *job, const struct perseus__plan_document *document, struct perseus__text *text);

/* Writes every file of --output into `directory`, which is there. */
PERSEUS_MUST_USE enum perseus_status perseus__plan_output(
		const char *directory, const struct perseus__plan_document *document, struct perseus_error *err);

/* Draws the timeline, baseline above plan, and the frontier with both on it; the extension decides the format. */
PERSEUS_MUST_USE enum perseus_status perseus__plan_timeline(
		const char *path, const struct perseus__plan_document *document, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__plan_frontier_chart(
		const char *path, const struct perseus__plan_document *document, struct perseus_error *err);

#endif
