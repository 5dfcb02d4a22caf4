/* What is kept of a simulation while it runs, and its picture. */
#include "base/error.h"
#include "chart/simulation_chart.h"
#include "cli/command.h"
#include "cli/policies.h"
#include "cli/quantity.h"
#include "cli/simulate.h"
#include "format/simulation_csv.h"

#include <stdio.h>

enum { DETAIL_BYTES = 64 };

enum perseus_status
perseus__simulation_watch_init(struct perseus__simulation_watch *watch, const struct perseus_simulation *simulation,
		int32_t chosen, bool has_rows, bool has_history, struct perseus_error *err)
{
	*watch = (struct perseus__simulation_watch){
		.simulation = simulation,
		.chosen = chosen,
		.has_rows = has_rows,
		.rows = perseus__result_text(),
		.progress = perseus__progress_init("simulating"),
	};
	if (has_rows)
		perseus__simulation_csv_header(&watch->rows);
	const enum perseus_status status =
			has_history ? perseus__history_init(&watch->history, PERSEUS__N_SIMULATION_SERIES, err) : PERSEUS_OK;
	watch->has_history = has_history && status == PERSEUS_OK;
	return status;
}

bool
perseus__simulation_watch_add(const struct perseus_simulated_iteration *iteration, void *user)
{
	enum { PROGRESS_STRIDE = 256 }; /* iterations; the clock need not be read for each */
	struct perseus__simulation_watch *watch = user;
	const struct perseus_simulation *simulation = watch->simulation;
	if (watch->has_rows)
		perseus__simulation_csv_row(&watch->rows, &simulation->policies[iteration->policy], iteration);
	if (watch->has_history && iteration->policy == watch->chosen) {
		const double values[PERSEUS__N_SIMULATION_SERIES] = {
			[PERSEUS__SIMULATION_TIME] = (double)iteration->time_ns / 1e9,
			[PERSEUS__SIMULATION_STRAGGLERS] = iteration->n_stragglers,
			[PERSEUS__SIMULATION_UNANSWERED] = !iteration->is_answered,
		};
		perseus__history_add(&watch->history, iteration->iteration, values);
	}
	if (iteration->policy == 0 && iteration->iteration % PROGRESS_STRIDE == 0)
		perseus__progress_show((double)iteration->iteration / (double)simulation->n_iterations, &watch->progress);
	return !watch->rows.failed;
}

void
perseus__simulation_watch_fini(struct perseus__simulation_watch *watch)
{
	perseus__text_fini(&watch->rows);
	perseus__history_fini(&watch->history);
	watch->has_history = false;
}

/* "412.3 GJ  -14.2 %"; the reference has nothing to be held against. */
static void
describe_bar(
		const struct perseus__simulation_document *document, int32_t index, double largest_j, char text[DETAIL_BYTES])
{
	const double energy_j = perseus__split_sum_j(&document->totals[index].energy);
	const double reference_j = perseus__split_sum_j(&document->totals[document->reference].energy);
	const struct perseus__column_unit unit = perseus__energy_column(largest_j);
	const int length = snprintf(text, DETAIL_BYTES, "%.*f %s", unit.decimals, energy_j / unit.divisor, unit.name);
	if (index != document->reference && length > 0 && length < DETAIL_BYTES)
		(void)snprintf(text + length, (size_t)(DETAIL_BYTES - length), "   %+.2f %%",
				perseus__percent_change(reference_j, energy_j));
}

enum perseus_status
perseus__simulation_draw(const char *path, const struct perseus__job *job,
		const struct perseus__simulation_document *document, const struct perseus__simulation_watch *watch,
		struct perseus_error *err)
{
	const struct perseus_simulation *simulation = document->simulation;
	struct perseus__simulation_bar bars[PERSEUS__N_POLICIES] = {0};
	char details[PERSEUS__N_POLICIES][DETAIL_BYTES];
	double largest_j = 0;
	for (int32_t i = 0; i < simulation->n_policies; i++) {
		const double energy_j = perseus__split_sum_j(&document->totals[i].energy);
		largest_j = energy_j > largest_j ? energy_j : largest_j;
	}
	for (int32_t i = 0; i < simulation->n_policies; i++) {
		describe_bar(document, i, largest_j, details[i]);
		bars[i] = (struct perseus__simulation_bar){
			simulation->policies[i].name, details[i], i == document->chosen, document->totals[i].energy};
	}
	struct perseus__text heading = perseus__result_text();
	perseus__job_describe(job, &heading);
	perseus__text_addf(&heading, "; %lld iterations", (long long)simulation->n_iterations);
	const struct perseus__simulation_picture picture = {
		.heading = heading.bytes,
		.bars = bars,
		.n_bars = simulation->n_policies,
		.history = &watch->history,
		.n_pipelines = simulation->n_pipelines,
		.fastest_s = (double)(simulation->policies[document->chosen].plans[0].time_ns + simulation->sync_ns) / 1e9,
		.has_reaction = simulation->reaction_ns > 0 && simulation->policies[document->chosen].n_plans > 1,
	};
	const enum perseus_status status =
			heading.failed ? perseus__no_memory(err) : perseus__chart_simulation(path, &picture, NULL, err);
	perseus__text_fini(&heading);
	return status;
}
