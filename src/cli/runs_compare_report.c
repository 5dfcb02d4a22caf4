/* The comparison of runs as a table and as JSON. */
#include "cli/quantity.h"
#include "cli/run_json.h"
#include "cli/run_report.h"
#include "cli/runs_compare.h"
#include "cli/table.h"
#include "format/json_writer.h"

#include <math.h>
#include <string.h>

enum { MAX_RESULTS = 6 };

/* Columns of the table; those that no run has a value for are left out. */
struct columns {
	bool has_metric[PERSEUS__N_METRICS];
	struct perseus__column_unit time;
	struct perseus__column_unit energy;
	struct perseus__column_unit carbon;
	const char *unit; /* of function: "token", "run" */
	const char *results[MAX_RESULTS];
	int n_results;
	int n_left_out; /* results for which there is no room */
};

static double
largest(const struct perseus__comparison *comparison, enum perseus__run_metric metric)
{
	double value = 0;
	for (size_t i = 0; i < comparison->list->n_runs; i++)
		value = fmax(value, comparison->verdicts[i].metrics[metric].value);
	return value;
}

static void
add_key(struct columns *columns, const char *key)
{
	for (int i = 0; i < columns->n_results; i++)
		if (strcmp(columns->results[i], key) == 0)
			return;
	if (columns->n_results < MAX_RESULTS)
		columns->results[columns->n_results++] = key;
	else
		columns->n_left_out++;
}

/* The quality first, then what was counted, then the others. */
static void
choose_results(const struct perseus__comparison *comparison, struct columns *columns)
{
	if (comparison->quality)
		add_key(columns, comparison->quality);
	if (comparison->per)
		add_key(columns, comparison->per);
	for (size_t i = 0; i < comparison->list->n_runs; i++)
		for (int32_t k = 0; k < comparison->list->runs[i].n_results; k++)
			add_key(columns, comparison->list->runs[i].results[k].key);
}

/* What a unit of function is called: "tokens" are counted by the token. */
static const char *
unit_name(const struct perseus__comparison *comparison)
{
	if (!comparison->per)
		return "run";
	return strcmp(comparison->per, "tokens") == 0 ? "token" : comparison->per;
}

static struct columns
find_columns(const struct perseus__comparison *comparison)
{
	struct columns columns = {
		.time = perseus__time_column(largest(comparison, PERSEUS__METRIC_TIME)),
		.energy = perseus__energy_column(largest(comparison, PERSEUS__METRIC_ENERGY)),
		.carbon = perseus__carbon_column(largest(comparison, PERSEUS__METRIC_OPERATIONAL)),
		.unit = unit_name(comparison),
	};
	for (int metric = 0; metric < PERSEUS__N_METRICS; metric++)
		for (size_t i = 0; i < comparison->list->n_runs; i++)
			columns.has_metric[metric] = columns.has_metric[metric] || comparison->verdicts[i].metrics[metric].is_there;
	if (!comparison->per) /* the energy of a run is there already */
		columns.has_metric[PERSEUS__METRIC_ENERGY_PER_UNIT] = false;
	choose_results(comparison, &columns);
	return columns;
}

static void
add_metric_heading(const struct columns *columns, enum perseus__run_metric metric, struct perseus__table *table)
{
	/* a blank where the marks of the best stand */
	switch (metric) {
	case PERSEUS__METRIC_TIME:
		perseus__table_add(table, "time %s ", columns->time.name);
		break;
	case PERSEUS__METRIC_ENERGY:
		perseus__table_add(table, "energy %s ", columns->energy.name);
		break;
	case PERSEUS__METRIC_ENERGY_PER_UNIT:
		perseus__table_add(table, "J/%s ", columns->unit);
		break;
	case PERSEUS__METRIC_OPERATIONAL:
		perseus__table_add(table, "%s ", columns->carbon.name);
		break;
	case PERSEUS__METRIC_SCI:
		perseus__table_add(table, "SCI gCO2e/%s ", columns->unit);
		break;
	case PERSEUS__METRIC_COST:
		perseus__table_add(table, "cost ");
		break;
	}
}

static void
add_heading(const struct perseus__comparison *comparison, const struct columns *columns, struct perseus__table *table)
{
	perseus__table_add(table, "run");
	for (int metric = 0; metric < PERSEUS__N_METRICS; metric++)
		if (columns->has_metric[metric])
			add_metric_heading(columns, (enum perseus__run_metric)metric, table);
	for (int i = 0; i < columns->n_results; i++)
		perseus__table_add(table, "%s ", columns->results[i]);
	if (comparison->quality)
		perseus__table_add(table, "beaten by");
	perseus__table_add(table, "measured");
	perseus__table_add(table, "command");
}

static const char *
mark(const struct perseus__metric *metric)
{
	return metric->is_best ? "*" : " ";
}

static void
add_metric(const struct columns *columns, const struct perseus__run *run, enum perseus__run_metric which,
		const struct perseus__metric *metric, struct perseus__table *table)
{
	const struct perseus__column_unit *units[PERSEUS__N_METRICS] = {[PERSEUS__METRIC_TIME] = &columns->time,
		[PERSEUS__METRIC_ENERGY] = &columns->energy,
		[PERSEUS__METRIC_OPERATIONAL] = &columns->carbon};
	const struct perseus__column_unit *unit = units[which];
	char cost[PERSEUS__MONEY_BYTES];
	if (!metric->is_there) {
		perseus__table_add(table, which == PERSEUS__METRIC_ENERGY ? "not measured " : "- ");
	} else if (unit) {
		perseus__table_add(table, "%.*f%s", unit->decimals, metric->value / unit->divisor, mark(metric));
	} else if (which == PERSEUS__METRIC_COST) {
		perseus__money_text(metric->value, run->factors.currency, cost);
		perseus__table_add(table, "%s%s", cost, mark(metric));
	} else {
		perseus__table_add(table, "%.4g%s", metric->value, mark(metric));
	}
}

static void
add_result(const struct perseus__comparison *comparison, size_t index, const char *key, struct perseus__table *table)
{
	const struct perseus__result *result = perseus__run_result(&comparison->list->runs[index], key);
	const bool is_quality = comparison->quality && strcmp(comparison->quality, key) == 0;
	struct perseus__text text = perseus__text_init(2048);
	if (result)
		perseus__text_add_shown(&text, result->text);
	table->failed = table->failed || text.failed;
	perseus__table_add(table, "%s%s", result && !text.failed ? text.bytes : "-",
			is_quality ? mark(&comparison->verdicts[index].quality) : " ");
	perseus__text_fini(&text);
}

static void
add_verdict(const struct perseus__comparison *comparison, size_t index, struct perseus__table *table)
{
	const struct perseus__verdict *verdict = &comparison->verdicts[index];
	if (!verdict->metrics[PERSEUS__METRIC_ENERGY].is_there || !verdict->quality.is_there)
		perseus__table_add(table, "not judged");
	else if (verdict->beaten_by < 0)
		perseus__table_add(table, "none");
	else
		perseus__table_add(table, "%lld", (long long)comparison->list->runs[verdict->beaten_by].id);
}

static void
add_run(const struct perseus__comparison *comparison, const struct columns *columns, size_t index,
		struct perseus__table *table)
{
	const struct perseus__run *run = &comparison->list->runs[index];
	perseus__table_add(table, "%lld", (long long)run->id);
	for (int metric = 0; metric < PERSEUS__N_METRICS; metric++)
		if (columns->has_metric[metric])
			add_metric(columns, run, (enum perseus__run_metric)metric, &comparison->verdicts[index].metrics[metric],
					table);
	for (int i = 0; i < columns->n_results; i++)
		add_result(comparison, index, columns->results[i], table);
	if (comparison->quality)
		add_verdict(comparison, index, table);
	struct perseus__text text = perseus__text_init((size_t)1 << 24);
	perseus__run_measured_text(run, &text);
	perseus__table_add(table, "%s", text.length ? text.bytes : perseus__run_state_name(run->state));
	table->failed = table->failed || text.failed;
	perseus__text_fini(&text);
	perseus__command_line(run, &text);
	perseus__table_add(table, "%s", text.length ? text.bytes : "");
	table->failed = table->failed || text.failed;
	perseus__text_fini(&text);
}

/* What the marks mean. */
static void
add_marks_legend(const struct perseus__comparison *comparison, struct perseus__text *text)
{
	bool is_simulated = false, is_unmarked = false;
	for (size_t i = 0; i < comparison->list->n_runs; i++) {
		const struct perseus__verdict *verdict = &comparison->verdicts[i];
		is_simulated = is_simulated || perseus__run_is_simulated(&comparison->list->runs[i]);
		is_unmarked = is_unmarked || (verdict->metrics[PERSEUS__METRIC_ENERGY].is_there && !verdict->is_judged);
	}
	perseus__text_addf(
			text, "\n*: best of its column%s.\n", is_unmarked ? ", of the runs that were measured in full" : "");
	if (comparison->quality)
		perseus__text_addf(text,
				"beaten by: a run, as many devices of which were measured, that is no worse in energy and %s (%s is "
				"better), and better in one.\n",
				comparison->quality, comparison->is_higher_better ? "higher" : "lower");
	perseus__text_addf(text, "measured: of how many devices the energy is, of how many there were%s.\n",
			is_simulated ? "; sim: simulated ones are among them" : "");
}

/* What the reader must know of the numbers above. */
static void
add_legend(const struct perseus__comparison *comparison, const struct columns *columns, struct perseus__text *text)
{
	add_marks_legend(comparison, text);
	if (columns->has_metric[PERSEUS__METRIC_OPERATIONAL])
		perseus__text_addf(text, "%s: of the electricity alone; SCI is with the hardware (ISO/IEC 21031)%s.\n",
				columns->carbon.name,
				columns->has_metric[PERSEUS__METRIC_SCI] ? "" : ", and needs --embodied at the measurement");
	if (!comparison->has_one_currency)
		perseus__text_addf(text, "Costs are in several currencies, and were not compared.\n");
	if (columns->n_left_out > 0)
		perseus__text_addf(text, "There are more results than fit here: --json has them all.\n");
}

void
perseus__comparison_report(const struct perseus__comparison *comparison, struct perseus__text *text)
{
	const struct columns columns = find_columns(comparison);
	char alignment[PERSEUS__TABLE_MAX_COLUMNS + 1] = "r";
	size_t n = 1;
	for (int metric = 0; metric < PERSEUS__N_METRICS; metric++)
		if (columns.has_metric[metric])
			alignment[n++] = 'r';
	for (int i = 0; i < columns.n_results; i++)
		alignment[n++] = 'r';
	if (comparison->quality)
		alignment[n++] = 'r';
	alignment[n++] = 'l';
	alignment[n++] = 'l';
	alignment[n] = '\0';
	struct perseus__table table = perseus__table_init(alignment);
	add_heading(comparison, &columns, &table);
	for (size_t i = 0; i < comparison->list->n_runs; i++)
		add_run(comparison, &columns, i, &table);
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
	add_legend(comparison, &columns, text);
}

static void
write_optional(struct perseus__json *json, const char *key, bool is_there, double value)
{
	if (is_there)
		perseus__json_number(json, key, value);
	else
		perseus__json_null(json, key);
}

static void
write_verdict(struct perseus__json *json, const struct perseus__comparison *comparison, size_t index)
{
	const struct perseus__run *run = &comparison->list->runs[index];
	const struct perseus__verdict *verdict = &comparison->verdicts[index];
	perseus__json_open_object(json, NULL, false);
	perseus__json_integer(json, "id", run->id);
	perseus__json_string(json, "uuid", run->uuid);
	perseus__json_string(json, "state", perseus__run_state_name(run->state));
	perseus__json_boolean(json, "simulated", perseus__run_is_simulated(run));
	perseus__json_integer(json, "devices", run->footprint.energy.n_devices);
	perseus__json_integer(json, "measured", run->footprint.energy.n_measured);
	for (int metric = 0; metric < PERSEUS__N_METRICS; metric++)
		write_optional(json, perseus__metric_key((enum perseus__run_metric)metric), verdict->metrics[metric].is_there,
				verdict->metrics[metric].value);
	if (run->footprint.has_cost && *run->factors.currency)
		perseus__json_string(json, "currency", run->factors.currency);
	else
		perseus__json_null(json, "currency");
	perseus__results_json(json, run);
	perseus__json_open_array(json, "best_in", true);
	for (int metric = 0; metric < PERSEUS__N_METRICS; metric++)
		if (verdict->metrics[metric].is_best)
			perseus__json_string(json, NULL, perseus__metric_key((enum perseus__run_metric)metric));
	if (verdict->quality.is_best)
		perseus__json_string(json, NULL, comparison->quality);
	perseus__json_close_array(json);
	perseus__json_boolean(json, "judged", verdict->is_judged);
	if (verdict->beaten_by >= 0)
		perseus__json_integer(json, "beaten_by", comparison->list->runs[verdict->beaten_by].id);
	else
		perseus__json_null(json, "beaten_by");
	perseus__json_close_object(json);
}

void
perseus__comparison_json(const struct perseus__comparison *comparison, struct perseus__text *text)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_integer(&json, "version", 1);
	perseus__json_string(&json, "per", comparison->per ? comparison->per : "run");
	if (comparison->quality) {
		perseus__json_open_object(&json, "quality", true);
		perseus__json_string(&json, "result", comparison->quality);
		perseus__json_string(&json, "better", comparison->is_higher_better ? "higher" : "lower");
		perseus__json_close_object(&json);
	} else {
		perseus__json_null(&json, "quality");
	}
	perseus__json_open_array(&json, "runs", false);
	for (size_t i = 0; i < comparison->list->n_runs; i++)
		write_verdict(&json, comparison, i);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
