/* The report of perseus simulate that people read. */
#include "cli/quantity.h"
#include "cli/simulate.h"
#include "cli/table.h"

#include <math.h>

/* What every part of the report needs. */
struct report {
	const struct perseus__simulation_document *document;
	const struct perseus_simulated_total *reference;
	struct perseus__column_unit time; /* of the whole run */
	struct perseus__column_unit energy;
	struct perseus__column_unit power;
	struct perseus__text *text;
};

static double
energy_of(const struct perseus_simulated_total *total)
{
	return perseus__split_sum_j(&total->energy);
}

static void
set_units(struct report *report)
{
	double time_s = 0;
	double energy_j = 0;
	double power_w = 0;
	for (int32_t i = 0; i < report->document->simulation->n_policies; i++) {
		const struct perseus_simulated_total *total = &report->document->totals[i];
		time_s = fmax(time_s, total->time_s);
		energy_j = fmax(energy_j, energy_of(total));
		power_w = fmax(power_w, energy_of(total) / total->time_s);
	}
	report->time = perseus__elapsed_column(time_s);
	report->energy = perseus__energy_column(energy_j);
	report->power = perseus__power_column(power_w);
}

static void
write_random(const struct report *report)
{
	const struct perseus__simulation_document *document = report->document;
	for (int32_t i = 0; i < document->n_processes; i++) {
		const struct perseus_straggler_process *process = &document->processes[i];
		perseus__text_addf(report->text, "%s%s: %g iterations of a pipeline from one to the next, ",
				i ? "                " : "random          ", perseus_straggler_cause_name(process->cause),
				process->mean_between_iterations);
		perseus__text_addf(report->text, "%g long, degrees %g to %g\n", process->mean_duration_iterations,
				process->least_degree, process->greatest_degree);
	}
	if (document->n_processes > 0)
		perseus__text_addf(report->text, "seed            %d\n", (int)document->seed);
}

static void
write_head(const struct report *report, const struct perseus__job *job)
{
	const struct perseus_simulation *simulation = report->document->simulation;
	const struct perseus_simulated_total *first = &report->document->totals[0];
	perseus__job_describe(job, report->text);
	perseus__text_addf(report->text, "; %lld iteration%s\n\n", (long long)simulation->n_iterations,
			simulation->n_iterations == 1 ? "" : "s");
	perseus__text_addf(report->text, "stragglers      in %lld iteration%s (%.1f %%); degrees change %lld time%s\n",
			(long long)first->n_straggling, first->n_straggling == 1 ? "" : "s",
			100 * (double)first->n_straggling / (double)first->n_iterations, (long long)simulation->n_events,
			simulation->n_events == 1 ? "" : "s");
	write_random(report);
	perseus__text_addf(report->text, "answered        ");
	if (simulation->reaction_ns == 0)
		perseus__text_addf(report->text, "at once\n\n");
	else
		perseus__text_addf(report->text, "at the first iteration that begins %g s after a change\n\n",
				(double)simulation->reaction_ns / 1e9);
}

/* "-0.0" is none. */
static double
no_negative_zero(double value, int decimals)
{
	return fabs(value) * pow(10, decimals) < 0.5 ? 0 : value;
}

static void
add_total(const struct report *report, int32_t index, struct perseus__table *table)
{
	const struct perseus_simulated_total *total = &report->document->totals[index];
	const double energy_j = energy_of(total);
	const bool is_reference = total == report->reference;
	const double lost = (total->time_s - report->reference->time_s) / report->time.divisor;
	perseus__table_add(table, "%s", report->document->simulation->policies[index].name);
	perseus__table_add(table, "%.*f", report->time.decimals, total->time_s / report->time.divisor);
	if (is_reference)
		perseus__table_add(table, "%s", "");
	else
		perseus__table_add(table, "%+.*f", report->time.decimals, no_negative_zero(lost, report->time.decimals));
	perseus__table_add(table, "%.*f", report->energy.decimals, energy_j / report->energy.divisor);
	if (is_reference)
		perseus__table_add(table, "%s", "");
	else
		perseus__table_add(table, "%+.2f %%", perseus__percent_change(energy_of(report->reference), energy_j));
	perseus__table_add(table, "%.*f", report->power.decimals, energy_j / total->time_s / report->power.divisor);
	perseus__table_add(table, "%lld", (long long)perseus__unanswered(report->document, index));
}

static void
write_totals(const struct report *report)
{
	struct perseus__table table = perseus__table_init("lrrrrrr");
	perseus__table_add(&table, "%s", "");
	perseus__table_add(&table, "time %s", report->time.name);
	perseus__table_add(&table, "lost %s", report->time.name);
	perseus__table_add(&table, "energy %s", report->energy.name);
	perseus__table_add(&table, "%s", "");
	perseus__table_add(&table, "average %s", report->power.name);
	perseus__table_add(&table, "unanswered");
	for (int32_t i = 0; i < report->document->simulation->n_policies; i++)
		add_total(report, i, &table);
	perseus__table_print(&table, 0, report->text);
	perseus__table_fini(&table);
}

static void
add_part(const struct report *report, double part_j, double all_j, struct perseus__table *table)
{
	const int decimals = report->energy.decimals;
	perseus__table_add(table, "%.*f", decimals, no_negative_zero(part_j / report->energy.divisor, decimals));
	perseus__table_add(table, "%.2f %%", no_negative_zero(perseus__percent_of(part_j, all_j), 2));
}

/* Where the energy goes. */
static void
write_split(const struct report *report)
{
	static const char *const parts[] = {"useful", "intrinsic", "extrinsic", "blocking"};
	struct perseus__table table = perseus__table_init("lrrrrrrrr");
	perseus__table_add(&table, "%s", "");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		perseus__table_add(&table, "%s %s", parts[i], report->energy.name);
		perseus__table_add(&table, "%s", "");
	}
	for (int32_t i = 0; i < report->document->simulation->n_policies; i++) {
		const struct perseus_energy_split *energy = &report->document->totals[i].energy;
		const double all_j = perseus__split_sum_j(energy);
		perseus__table_add(&table, "%s", report->document->simulation->policies[i].name);
		add_part(report, energy->useful_j, all_j, &table);
		add_part(report, energy->intrinsic_j, all_j, &table);
		add_part(report, energy->extrinsic_j, all_j, &table);
		add_part(report, energy->blocking_j, all_j, &table);
	}
	perseus__text_addf(report->text, "\n");
	perseus__table_print(&table, 0, report->text);
	perseus__table_fini(&table);
}

void
perseus__simulation_report(
		const struct perseus__job *job, const struct perseus__simulation_document *document, struct perseus__text *text)
{
	struct report report = {.document = document, .reference = &document->totals[document->reference], .text = text};
	set_units(&report);
	write_head(&report, job);
	write_totals(&report);
	write_split(&report);
	perseus__text_addf(text, "\nlost, and the change of energy, are against %s on the same events\n",
			document->simulation->policies[document->reference].name);
}
