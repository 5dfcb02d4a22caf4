/* perseus runs list */
#include "cli/command.h"
#include "cli/option_value.h"
#include "cli/quantity.h"
#include "cli/run_report.h"
#include "cli/runs.h"
#include "cli/table.h"
#include "format/utc_time.h"

#include <math.h>

enum { KEY_SINCE = 400, KEY_LIMIT = 'n', KEY_COMMAND = 'c', KEY_HOST = 401, KEY_JSON = 'j', KEY_CSV = 402 };

struct options {
	const char *ledger;
	struct perseus__ledger_filter filter;
	bool as_json;
	bool as_csv;
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Which runs", 1},
	{"since", KEY_SINCE, "MOMENT", 0, "Begun then or later: 2026-08-01, or 2026-08-01T12:00, UTC", 0},
	{"limit", KEY_LIMIT, "N", 0, "The N latest", 0},
	{"command", KEY_COMMAND, "TEXT", 0, "With TEXT somewhere in the command line", 0},
	{"host", KEY_HOST, "NAME", 0, "On that host", 0},
	{NULL, 0, NULL, 0, "Results", 2},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{"csv", KEY_CSV, NULL, 0, "Print CSV", 0},
	{0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->ledger;
		return 0;
	case KEY_SINCE:
		options->filter.has_since = true;
		if (!perseus__utc_parse(arg, &options->filter.since_ms))
			argp_error(state, "--since takes a moment such as 2026-08-01 or 2026-08-01T12:00, not '%s'", arg);
		return 0;
	case KEY_LIMIT:
		options->filter.limit = perseus__option_count(state, "--limit", arg, 1, INT32_MAX);
		return 0;
	case KEY_COMMAND:
		options->filter.command = arg;
		return 0;
	case KEY_HOST:
		options->filter.host = arg;
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_CSV:
		options->as_csv = true;
		return 0;
	case ARGP_KEY_END:
		if (options->as_json && options->as_csv)
			argp_error(state, "--json and --csv exclude each other");
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is too much: runs are chosen by options", arg);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

/* What the columns of the table need of all runs. */
struct columns {
	bool has_time;
	bool has_energy;
	bool has_carbon;
	bool has_cost;
	struct perseus__column_unit time;
	struct perseus__column_unit energy;
	struct perseus__column_unit carbon;
};

static struct columns
find_columns(const struct perseus__run_list *list)
{
	struct columns columns = {0};
	double time_s = 0, energy_j = 0, carbon_g = 0;
	for (size_t i = 0; i < list->n_runs; i++) {
		const struct perseus__footprint *footprint = &list->runs[i].footprint;
		columns.has_time = columns.has_time || list->runs[i].state == PERSEUS__RUN_DONE;
		columns.has_energy = columns.has_energy || footprint->energy.n_measured > 0;
		columns.has_carbon = columns.has_carbon || footprint->has_operational;
		columns.has_cost = columns.has_cost || footprint->has_cost;
		time_s = fmax(time_s, list->runs[i].time_s);
		energy_j = fmax(energy_j, footprint->energy.energy_j);
		carbon_g = fmax(carbon_g, footprint->operational_gco2e);
	}
	columns.time = perseus__time_column(time_s);
	columns.energy = perseus__energy_column(energy_j);
	columns.carbon = perseus__carbon_column(carbon_g);
	return columns;
}

static void
add_heading(const struct columns *columns, struct perseus__table *table)
{
	perseus__table_add(table, "run");
	perseus__table_add(table, "begin (UTC)");
	perseus__table_add(table, "time%s%s", columns->has_time ? " " : "", columns->has_time ? columns->time.name : "");
	perseus__table_add(
			table, "energy%s%s", columns->has_energy ? " " : "", columns->has_energy ? columns->energy.name : "");
	perseus__table_add(table, "measured");
	if (columns->has_carbon)
		perseus__table_add(table, "%s", columns->carbon.name);
	if (columns->has_cost)
		perseus__table_add(table, "cost");
	perseus__table_add(table, "end");
	perseus__table_add(table, "host");
	perseus__table_add(table, "command");
}

/* A value in the unit of its column, or what stands for one that is not there. */
static void
add_value(struct perseus__table *table, bool is_there, double value, struct perseus__column_unit unit,
		const char *otherwise)
{
	if (is_there)
		perseus__table_add(table, "%.*f", unit.decimals, value / unit.divisor);
	else
		perseus__table_add(table, "%s", otherwise);
}

/* Adds what `write` makes of a run. */
static void
add_words(struct perseus__table *table, const struct perseus__run *run,
		void (*write)(const struct perseus__run *run, struct perseus__text *text))
{
	struct perseus__text text = perseus__text_init((size_t)1 << 24);
	write(run, &text);
	table->failed = table->failed || text.failed;
	perseus__table_add(table, "%s", text.length > 0 ? text.bytes : "");
	perseus__text_fini(&text);
}

static void
add_run(const struct columns *columns, const struct perseus__run *run, struct perseus__table *table)
{
	const bool is_done = run->state == PERSEUS__RUN_DONE;
	const struct perseus__footprint *footprint = &run->footprint;
	char begin[PERSEUS__UTC_BYTES];
	perseus__utc_text(run->begin_ms, begin);
	perseus__table_add(table, "%lld", (long long)run->id);
	perseus__table_add(table, "%.10s %.5s", begin, begin + 11);
	add_value(table, is_done, run->time_s, columns->time, "");
	add_value(table, footprint->energy.n_measured > 0, footprint->energy.energy_j, columns->energy,
			is_done ? "not measured" : "");
	add_words(table, run, perseus__run_measured_text);
	if (columns->has_carbon)
		add_value(table, footprint->has_operational, footprint->operational_gco2e, columns->carbon, "");
	char cost[PERSEUS__MONEY_BYTES] = "";
	if (footprint->has_cost)
		perseus__money_text(footprint->cost, run->factors.currency, cost);
	if (columns->has_cost)
		perseus__table_add(table, "%s", cost);
	add_words(table, run, perseus__run_end_text);
	perseus__table_add(table, "%s", run->host ? run->host : "");
	add_words(table, run, perseus__command_line);
}

static void
write_report(const struct perseus__run_list *list, struct perseus__text *text)
{
	static const char *const alignments[2][2] = {{"rlrrllll", "rlrrlrlll"}, {"rlrrlrlll", "rlrrlrrlll"}};
	const struct columns columns = find_columns(list);
	if (list->n_runs == 0) {
		perseus__text_addf(text, "no runs\n");
		return;
	}
	struct perseus__table table = perseus__table_init(alignments[columns.has_carbon][columns.has_cost]);
	add_heading(&columns, &table);
	bool is_simulated = false;
	for (size_t i = 0; i < list->n_runs; i++) {
		add_run(&columns, &list->runs[i], &table);
		is_simulated = is_simulated || perseus__run_is_simulated(&list->runs[i]);
	}
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
	perseus__text_addf(text, "\nmeasured: of how many devices the energy is, of how many there were%s.\n",
			is_simulated ? "; sim: simulated ones are among them" : "");
}

static int
print(const struct options *options, const struct perseus__run_list *list)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__runs_json(list, &text);
	else if (options->as_csv)
		perseus__runs_csv(list, &text);
	else
		write_report(list, &text);
	return perseus__print_result(&text);
}

int
perseus__run_runs_list(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__ledger_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.doc = "Lists the runs of the ledger, newest last.",
		.children = children,
	};
	struct options options = {.ledger = NULL};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	struct perseus_error err;
	struct perseus__run_list list = {0};
	const enum perseus_status status = perseus__run_list_filter(options.ledger, &options.filter, &list, &err);
	const int exit_code = status == PERSEUS_OK ? print(&options, &list) : perseus__print_error(&err);
	perseus__run_list_fini(&list);
	return exit_code;
}
