/* The report of perseus compare that people read. */
#include "cli/compare.h"
#include "cli/quantity.h"
#include "cli/table.h"
#include "format/frontier_sample.h"
#include "format/plan_document.h"

#include <math.h>

struct report {
	const struct perseus__planners *planners;
	double scale;
	struct perseus_outcome highest; /* of the highest clocks where nobody waits */
	struct perseus__column_unit time;
	struct perseus__column_unit energy;
	struct perseus__column_unit power;
};

static double
seconds(int64_t time_ns)
{
	return (double)time_ns / 1e9;
}

static double
joules(const struct report *report, int64_t energy_nj)
{
	return (double)energy_nj * report->scale / 1e9;
}

static double
percent(double fraction)
{
	return fabs(fraction) < 5e-5 ? 0 : 100 * fraction; /* never "-0.00" */
}

static void
add_quantity(struct perseus__table *table, double value, struct perseus__column_unit unit)
{
	perseus__table_add(table, "%.*f %s", unit.decimals, value / unit.divisor, unit.name);
}

static void
add_blanks(int n, struct perseus__table *table)
{
	for (int i = 0; i < n; i++)
		perseus__table_add(table, "%s", "");
}

/* Where a baseline's knob stands. */
static void
add_knob(enum perseus_baseline baseline, double knob, struct perseus__table *table)
{
	struct perseus__column_unit unit;
	switch (baseline) {
	case PERSEUS_BASELINE_SINGLE_CLOCK:
		perseus__table_add(table, "%.0f MHz", knob);
		return;
	case PERSEUS_BASELINE_BALANCED_STAGES:
		unit = perseus__time_column(knob);
		perseus__table_add(table, "forward %.*f %s", unit.decimals, knob / unit.divisor, unit.name);
		return;
	case PERSEUS_BASELINE_POWER_LIMIT:
		perseus__table_add(table, "%.1f W", knob);
		return;
	case PERSEUS_BASELINE_MAX_CLOCK:
	case PERSEUS_BASELINE_ENVPIPE:
	case PERSEUS_N_BASELINES:
		break;
	}
	add_blanks(1, table);
}

static void
add_numbers(const struct report *report, const struct perseus_plan *plan, struct perseus__table *table)
{
	const int64_t deadline_ns = report->planners->deadline_ns;
	add_quantity(table, seconds(plan->outcome.iteration_time_ns), report->time);
	add_quantity(table, joules(report, plan->outcome.energy_nj), report->energy);
	perseus__table_add(table, "%.2f %%", percent(plan->saving));
	add_quantity(table, perseus__average_power_w(plan) * report->scale, report->power);
	perseus__table_add(table, "%+.2f %%", percent(plan->gap));
	perseus__table_add(table, "%lld", (long long)perseus__clock_changes(plan));
	if (plan->outcome.iteration_time_ns > deadline_ns)
		perseus__table_add(
				table, "late by %.2g %%", 100 * (seconds(plan->outcome.iteration_time_ns) / seconds(deadline_ns) - 1));
	else
		add_blanks(1, table);
}

static void
add_row(const struct report *report, const struct perseus__compared *row, struct perseus__table *table)
{
	perseus__table_add(table, "%s", perseus__compared_name(row));
	if (!row->plan) {
		add_blanks(7, table);
		perseus__table_add(table, "%s", "no answer");
		return;
	}
	if (row->is_baseline)
		add_knob(row->baseline, row->knob, table);
	else
		add_blanks(1, table);
	add_numbers(report, row->plan, table);
}

static void
add_bound(const struct report *report, struct perseus__table *table)
{
	const struct perseus__planners *planners = report->planners;
	perseus__table_add(table, "%s", "lower bound");
	add_blanks(1, table);
	add_quantity(table, seconds(planners->deadline_ns), report->time);
	add_quantity(table, planners->lower_bound_j * report->scale, report->energy);
	const double highest_j = (double)planners->rows[0].plan->outcome.energy_nj / 1e9;
	const bool is_comparable = perseus__compared_keeps(planners, &planners->rows[0]);
	if (is_comparable)
		perseus__table_add(table, "%.2f %%", percent(highest_j > 0 ? 1 - planners->lower_bound_j / highest_j : 0));
	else
		add_blanks(1, table);
	add_quantity(table, planners->lower_bound_j / seconds(planners->deadline_ns) * report->scale, report->power);
	add_blanks(3, table);
}

static void
write_answers(const struct report *report, struct perseus__text *text)
{
	static const char *const headings[] = {
		"", "at", "iteration time", "energy", "saving", "average power", "over bound", "clock changes", ""};
	struct perseus__table table = perseus__table_init("llrrrrrrl");
	for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
		perseus__table_add(&table, "%s", headings[i]);
	for (int32_t i = 0; i < report->planners->n_rows; i++)
		add_row(report, &report->planners->rows[i], &table);
	add_bound(report, &table);
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
}

/* A point of a frontier: how it compares with all at the highest clocks, and with ours at its time. */
static void
add_point(const struct report *report, int64_t time_ns, double energy_j, struct perseus__table *table)
{
	const struct perseus_outcome highest = report->highest;
	const double least_j = perseus_frontier_energy_j(report->planners->frontier, time_ns) * report->scale;
	add_quantity(table, seconds(time_ns), report->time);
	perseus__table_add(table, "%+.2f %%", perseus__percent_change((double)highest.iteration_time_ns, (double)time_ns));
	add_quantity(table, energy_j, report->energy);
	perseus__table_add(table, "%+.2f %%", perseus__percent_change(joules(report, highest.energy_nj), energy_j));
	perseus__table_add(table, "%+.2f %%", perseus__percent_change(least_j, energy_j));
}

static void
add_frontiers(const struct report *report, struct perseus__table *table)
{
	const struct perseus__planners *planners = report->planners;
	for (int b = 0; b < PERSEUS_N_BASELINES; b++) {
		const struct perseus_baseline_family *family = planners->families[b];
		for (int32_t k = 0; family && k < family->n_members; k++) {
			const struct perseus_outcome outcome = family->members[k].plan->outcome;
			perseus__table_add(table, "%s", k == 0 ? perseus_baseline_name(family->baseline) : "");
			add_knob(family->baseline, family->members[k].knob, table);
			add_point(report, outcome.iteration_time_ns, joules(report, outcome.energy_nj), table);
		}
	}
	for (int32_t i = 0; i < planners->n_samples; i++) {
		const struct perseus__frontier_sample sample =
				perseus__frontier_sample(planners->frontier, planners->n_samples, i, report->scale);
		perseus__table_add(table, "%s", i == 0 ? "perseus, optimum" : "");
		add_blanks(1, table);
		add_point(report, sample.time_ns, sample.energy_j, table);
	}
}

static void
write_frontiers(const struct report *report, struct perseus__text *text)
{
	static const char *const headings[] = {"frontiers", "at", "iteration time", "", "energy", "", "over optimum"};
	struct perseus__table table = perseus__table_init("llrrrrr");
	for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
		perseus__table_add(&table, "%s", headings[i]);
	add_frontiers(report, &table);
	perseus__text_addf(text, "\n");
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
}

static void
write_notes(const struct report *report, struct perseus__text *text)
{
	const struct perseus__planners *planners = report->planners;
	bool is_any_late = false;
	for (int32_t i = 0; i < planners->n_rows; i++) {
		const struct perseus__compared *row = &planners->rows[i];
		is_any_late = is_any_late || (row->plan && !perseus__compared_keeps(planners, row));
		if (!row->plan)
			perseus__text_addf(text, "\n%s: %s\n", perseus__compared_name(row), row->why.message);
	}
	if (is_any_late)
		perseus__text_addf(
				text, "\nWhat is late is shown at the shortest it can do, with saving and bound at that time.\n");
	const double loss = perseus_frontier_info(planners->frontier).loss_bound;
	if (loss > 0)
		perseus__text_addf(text,
				"\nPrices were rounded (--slope-quantum): the bound is proven, the optimum's frontier may lie above it "
				"by %.2g of its energy at most.\n",
				loss);
}

void
perseus__compare_report(const struct perseus__job *job, const struct perseus__planners *planners, bool with_frontiers,
		struct perseus__text *text)
{
	const struct perseus_plan *highest = planners->rows[0].plan;
	const double scale = perseus__planners_scale(planners);
	const struct report report = {
		.planners = planners,
		.scale = scale,
		.highest = planners->families[PERSEUS_BASELINE_MAX_CLOCK]->members[0].plan->outcome,
		.time = perseus__time_column(seconds(highest->outcome.iteration_time_ns)),
		.energy = perseus__energy_column((double)highest->outcome.energy_nj * scale / 1e9),
		.power = perseus__power_column(perseus__average_power_w(highest) * scale),
	};
	perseus__job_describe(job, text);
	perseus__text_addf(text, "; deadline ");
	perseus__quantity_add(text, seconds(planners->deadline_ns), report.time);
	if (planners->switch_latency_ns > 0)
		perseus__text_addf(text, "; a change of clock takes %g ms", (double)planners->switch_latency_ns / 1e6);
	perseus__text_addf(text, "\n\n");
	write_answers(&report, text);
	if (with_frontiers)
		write_frontiers(&report, text);
	write_notes(&report, text);
}
