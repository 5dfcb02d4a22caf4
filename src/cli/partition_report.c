/* The report of perseus partition that people read. */
#include "cli/partition.h"
#include "cli/quantity.h"
#include "cli/table.h"

struct report {
	const struct perseus__partition_document *document;
	struct perseus__column_unit time;   /* of iterations */
	struct perseus__column_unit cycle;  /* of microbatches */
	struct perseus__column_unit energy; /* of iterations, all GPUs */
	double scale;                       /* from one GPU per stage to all, and from nJ to J */
};

static struct report
report_init(const struct perseus__partition_document *document)
{
	struct report report = {
		.document = document,
		.scale = (double)document->gpus_per_stage * (double)document->n_pipelines / 1e9,
	};
	double longest_s = 0;
	double slowest_s = 0;
	double largest_j = 0;
	for (int32_t i = 0; i < document->n_rows; i++) {
		const struct perseus__partition_row *row = &document->rows[i];
		const double time_s = (double)row->iteration_ns / 1e9;
		const double cycle_s = (double)row->partition->bottleneck_ns / 1e9;
		const double energy_j = (double)row->baseline.energy_nj * report.scale;
		longest_s = time_s > longest_s ? time_s : longest_s;
		slowest_s = cycle_s > slowest_s ? cycle_s : slowest_s;
		largest_j = energy_j > largest_j ? energy_j : largest_j;
	}
	report.time = perseus__time_column(longest_s);
	report.cycle = perseus__time_column(slowest_s);
	report.energy = perseus__energy_column(largest_j);
	return report;
}

static const char *
objective_name(const struct perseus__partition_row *row)
{
	return perseus_partition_objective_name(row->partition->objective);
}

static void
add_energy(const struct report *report, int64_t energy_nj, struct perseus__table *table)
{
	perseus__table_add(
			table, "%.*f", report->energy.decimals, (double)energy_nj * report->scale / report->energy.divisor);
}

/* Energies of a row: at its own pace, and at the common one. */
static void
add_energies(const struct report *report, const struct perseus__partition_row *row, struct perseus__table *table)
{
	add_energy(report, row->baseline.energy_nj, table);
	add_energy(report, row->energy_nj, table);
	perseus__table_add(
			table, "%+.2f %%", perseus__percent_change((double)row->baseline.energy_nj, (double)row->energy_nj));
	if (row->keeps_deadline) {
		add_energy(report, row->deadline_baseline_nj, table);
		add_energy(report, row->deadline_energy_nj, table);
	} else {
		perseus__table_add(table, "not kept");
		perseus__table_add(table, "not kept");
	}
}

static void
add_heading(const struct report *report, struct perseus__table *table)
{
	perseus__table_add(table, "partition");
	perseus__table_add(table, "imbalance");
	perseus__table_add(table, "bottleneck %s", report->cycle.name);
	perseus__table_add(table, "iteration %s", report->time.name);
	if (!report->document->has_energy)
		return;
	perseus__table_add(table, "before %s", report->energy.name);
	perseus__table_add(table, "after %s", report->energy.name);
	perseus__table_add(table, "saved");
	for (int i = 0; i < 2; i++)
		perseus__table_add(table, "%s in %.*f %s", i ? "after" : "before", report->time.decimals,
				(double)report->document->deadline_ns / 1e9 / report->time.divisor, report->time.name);
}

static void
write_table(const struct report *report, struct perseus__text *text)
{
	const struct perseus__partition_document *document = report->document;
	struct perseus__table table = perseus__table_init(document->has_energy ? "lrrrrrrrr" : "lrrr");
	add_heading(report, &table);
	for (int32_t i = 0; i < document->n_rows; i++) {
		const struct perseus__partition_row *row = &document->rows[i];
		perseus__table_add(&table, "%s", objective_name(row));
		perseus__table_add(&table, "%.3f", row->partition->imbalance);
		perseus__table_add(&table, "%.*f", report->cycle.decimals,
				(double)row->partition->bottleneck_ns / 1e9 / report->cycle.divisor);
		perseus__table_add(
				&table, "%.*f", report->time.decimals, (double)row->iteration_ns / 1e9 / report->time.divisor);
		if (document->has_energy)
			add_energies(report, row, &table);
	}
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
}

static void
write_boundaries(const struct perseus__partition_document *document, struct perseus__text *text)
{
	perseus__text_addf(text, "\nlayers at which stages begin, and the end\n");
	for (int32_t i = 0; i < document->n_rows; i++) {
		const struct perseus_partition *partition = document->rows[i].partition;
		perseus__text_addf(text, "  %-16s", objective_name(&document->rows[i]));
		for (int32_t s = 0; s <= partition->n_stages; s++)
			perseus__text_addf(text, "%s%d", s ? "," : "  ", (int)partition->boundaries[s]);
		perseus__text_addf(text, "\n");
	}
}

static void
write_worth(const struct report *report, struct perseus__text *text)
{
	const struct perseus__partition_document *document = report->document;
	const char *of = objective_name(&document->rows[document->written]);
	const char *against = objective_name(&document->rows[document->reference]);
	if (!document->has_energy) {
		perseus__text_addf(text, "\nEnergies were not measured.\n");
		return;
	}
	const struct perseus__partition_worth worth = perseus__partition_worth(document);
	if (!worth.is_known) {
		perseus__text_addf(
				text, "\n%s and %s do not both keep the deadline: their energies are not compared.\n", of, against);
		return;
	}
	perseus__text_addf(text, "\nagainst %s at the highest clocks, in ", against);
	perseus__quantity_add(text, (double)document->deadline_ns / 1e9, report->time);
	perseus__text_addf(text, " an iteration\n  %-16s  %+.2f %%\n", of, perseus__percent_change(1, 1 - worth.partition));
	perseus__text_addf(text, "  %-16s  %+.2f %%\n", "planned clocks", perseus__percent_change(1, 1 - worth.clocks));
	perseus__text_addf(text, "  %-16s  %+.2f %%\n", "both", perseus__percent_change(1, 1 - worth.both));
}

void
perseus__partition_report(struct perseus__text *text, const struct perseus__partition_compare *compare,
		const struct perseus__partition_document *document)
{
	const struct report report = report_init(document);
	perseus__text_addf(text, "%d layer%s; ", (int)document->n_layers, document->n_layers == 1 ? "" : "s");
	perseus__job_describe(&compare->job, text);
	perseus__text_addf(text, "\n\n");
	write_table(&report, text);
	write_boundaries(document, text);
	write_worth(&report, text);
}
