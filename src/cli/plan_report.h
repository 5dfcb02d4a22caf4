/* The report of perseus plan that people read: what its parts share. */
#ifndef PERSEUS_CLI_PLAN_REPORT_H
#define PERSEUS_CLI_PLAN_REPORT_H

#include "cli/plan.h"
#include "cli/quantity.h"

/* What every part of the report needs. */
struct perseus__plan_report {
	const struct perseus__job *job;
	const struct perseus__plan_document *document;
	const struct perseus_plan *plan;
	struct perseus_frontier_info info;
	double scale;                       /* GPUs that one GPU per stage stands for */
	struct perseus__column_unit time;   /* of an iteration */
	struct perseus__column_unit energy; /* of a job */
	struct perseus__text *text;
};

/* Adds what there is to say beside the numbers. */
void perseus__plan_notes(const struct perseus__plan_report *report);

#endif
