/* The picture of a paced job. */
#include "chart/pace_chart.h"
#include "cli/command.h"
#include "cli/pace.h"

#include <math.h>
#include <stdio.h>

enum { LABEL_BYTES = 128 };

/* "fastest: 31.02 kgCO2e, 4.1 % more", or less. */
static void
label_course(const struct perseus__pace_document *document, const char *name, const struct perseus_pace_course *course,
		char label[LABEL_BYTES])
{
	struct perseus__text text = perseus__text_init(LABEL_BYTES - 1);
	const double paced = perseus__pace_total_grams(&document->pace->course), grams = perseus__pace_total_grams(course);
	perseus__text_addf(&text, "%s: ", name);
	perseus__pace_amount(&text, document, grams, grams);
	if (course != &document->pace->course && paced > 0)
		perseus__text_addf(&text, " (+%.2f %%)", 100 * fmax(grams / paced - 1, 0));
	(void)snprintf(label, LABEL_BYTES, "%s", text.failed ? name : text.bytes);
	perseus__text_fini(&text);
}

/* Job, place and PUE. */
static void
add_heading(const struct perseus__job *job, const struct perseus__pace_document *document, struct perseus__text *text)
{
	perseus__job_describe(job, text);
	perseus__text_addf(text, ";  %s", document->is_price ? "prices of " : "carbon intensity of ");
	if (*document->hours->zone) {
		perseus__text_add_shown(text, document->hours->zone);
		perseus__text_addf(text, ", ");
	}
	perseus__text_add_shown(text, document->hours->source);
	perseus__text_addf(text, ";  PUE %.15g", document->problem->pue);
}

enum perseus_status
perseus__pace_draw(const char *path, const struct perseus__job *job, const struct perseus__pace_document *document,
		struct perseus_error *err)
{
	char labels[1 + PERSEUS_N_PACE_BASELINES][LABEL_BYTES], factor[64];
	struct perseus__pace_line lines[PERSEUS_N_PACE_BASELINES];
	struct perseus__text heading = perseus__result_text();
	int32_t n = 0;
	for (int i = 0; i < PERSEUS_N_PACE_BASELINES; i++) {
		if (!document->baselines[i])
			continue;
		label_course(
				document, perseus_pace_baseline_name((enum perseus_pace_baseline)i), document->baselines[i], labels[n]);
		lines[n] = (struct perseus__pace_line){document->baselines[i], labels[n]};
		n++;
	}
	label_course(document, "paced", &document->pace->course, labels[n]);
	add_heading(job, document, &heading);
	if (document->is_price)
		(void)snprintf(
				factor, sizeof factor, "price (%s%skWh)", document->hours->unit, *document->hours->unit ? "/" : "per ");
	else
		(void)snprintf(factor, sizeof factor, "carbon intensity (gCO2e/kWh)");
	const struct perseus__pace_picture picture = {
		.heading = heading.failed ? NULL : heading.bytes,
		.factor_name = factor,
		.problem = document->problem,
		.begin_ms = document->begin_ms,
		.paced = {&document->pace->course, labels[n]},
		.lines = lines,
		.n_lines = n,
	};
	const enum perseus_status status = perseus__chart_pace(path, &picture, NULL, err);
	perseus__text_fini(&heading);
	return status;
}
