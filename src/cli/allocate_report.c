/* The report of perseus allocate. */
#include "cli/allocate.h"
#include "cli/quantity.h"
#include "cli/table.h"

#include <math.h>

static void
write_head(const struct perseus__allocation_document *document, struct perseus__column_unit power,
		struct perseus__text *text)
{
	const struct perseus_allocation *allocation = document->allocation;
	perseus__text_addf(
			text, "%d job%s; at full speed they take ", (int)allocation->n_jobs, allocation->n_jobs == 1 ? "" : "s");
	perseus__quantity_add(text, allocation->full_power_w, power);
	perseus__text_addf(text, ", at their slowest ");
	perseus__quantity_add(text, document->least_power_w, power);
	perseus__text_addf(text, "\n\nlimit           ");
	perseus__quantity_add(text, allocation->limit_w, power);
	perseus__text_addf(text, ", of which ");
	perseus__quantity_add(text, allocation->power_w, power);
	perseus__text_addf(text, " are taken\n");
}

static void
write_work(const struct perseus__allocation_document *document, struct perseus__text *text)
{
	const struct perseus_allocation *allocation = document->allocation;
	const struct perseus_allocation *even = document->even;
	const double full = allocation->full_work;
	perseus__text_addf(text, "work            %.4g of %.4g (%.2f %% of full speed), ", allocation->work, full,
			100 * allocation->work / full);
	if (allocation->rule == PERSEUS_ALLOCATION_FAIR && allocation->price_per_w > 0)
		perseus__text_addf(text, "the slowest as fast as can be: %.2f %%; at most %.2f %% can be had, proven\n",
				100 * allocation->level, 100 * allocation->bound / full);
	else
		perseus__text_addf(text, "the most there can be, proven\n");
	if (allocation->price_per_w <= 0) {
		perseus__text_addf(text, "                the limit is above what all take at full speed\n");
		return;
	}
	const double more = fmin(allocation->price_per_w * 1e3, full - allocation->work); /* of a small site, all */
	perseus__text_addf(text, "a kW more       %.4g more (%+.2f %%) at most\n", more, 100 * more / allocation->work);
	perseus__text_addf(text,
			"even share      %.4g (%.2f %%): every job cut to %.2f %% of its full power; this is %+.2f %%\n",
			even->work, 100 * even->work / full, 100 * even->level,
			perseus__percent_change(even->work, allocation->work));
}

static void
add_job(const struct perseus__allocation_document *document, int32_t j, struct perseus__column_unit power,
		struct perseus__table *table)
{
	const struct perseus_allotment *allotment = &document->allocation->jobs[j];
	const struct perseus_allotment *even = &document->even->jobs[j];
	const struct perseus_operating_curve *curve = document->jobs[j].curve;
	const struct perseus_operating_point fastest = curve->points[curve->n_points - 1];
	const struct perseus__column_unit time = perseus__time_column(1 / fastest.rate_hz);
	perseus__table_add(table, "%s", document->rows->items[j].name);
	perseus__table_add(table, "%g", document->jobs[j].weight);
	perseus__table_add(table, "%.*f %s", time.decimals, 1 / allotment->rate_hz / time.divisor, time.name);
	perseus__table_add(table, "%+.2f %%", perseus__percent_change(allotment->rate_hz, fastest.rate_hz));
	perseus__table_add(table, "%.*f %s", power.decimals, allotment->power_w / power.divisor, power.name);
	perseus__table_add(table, "%.2f %%", perseus__percent_of(allotment->power_w, fastest.power_w));
	perseus__table_add(table, "%.2f %%", perseus__percent_of(allotment->power_w, document->allocation->power_w));
	perseus__table_add(table, "%.*f %s", time.decimals, 1 / even->rate_hz / time.divisor, time.name);
}

void
perseus__allocation_print(const struct perseus__allocation_document *document, struct perseus__text *text)
{
	static const char *const headings[] = {
		"job", "weight", "iteration", "slower", "power", "of its full", "of the site", "even share"};
	const struct perseus_allocation *allocation = document->allocation;
	const struct perseus__column_unit power = perseus__power_column(
			fmax(allocation->full_power_w, fmin(allocation->limit_w, 2 * allocation->full_power_w)));
	struct perseus__table table = perseus__table_init("lrrrrrrr");
	for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
		perseus__table_add(&table, "%s", headings[i]);
	for (int32_t j = 0; j < allocation->n_jobs; j++)
		add_job(document, j, power, &table);
	write_head(document, power, text);
	write_work(document, text);
	perseus__text_addf(text, "\n");
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
}
