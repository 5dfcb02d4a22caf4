/* perseus frontier */
#include "chart/frontier_chart.h"
#include "cli/command.h"
#include "cli/job.h"
#include "cli/option_value.h"
#include "cli/quantity.h"
#include "cli/table.h"
#include "format/frontier_csv.h"
#include "format/frontier_json.h"
#include "format/frontier_sample.h"

#include <argp.h>
#include <stdbool.h>

enum { KEY_JSON = 'j', KEY_POINTS = 'n', KEY_CSV = 500, KEY_CHART };

struct options {
	struct perseus__job job;
	int32_t n_points; /* 0: all breakpoints */
	bool as_json;
	const char *csv; /* these are borrowed from argv; NULL: not wanted */
	const char *chart;
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Results", 6},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{"points", KEY_POINTS, "N", 0, "So many points, evenly spread in time (default: all breakpoints in JSON and CSV)",
		0},
	{"csv", KEY_CSV, "FILE", 0, "Write the points as CSV", 0},
	{"chart", KEY_CHART, "FILE", 0, "Draw the frontier (.svg, .png or .pdf)", 0},
	{0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->job;
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_POINTS:
		options->n_points = perseus__option_count(state, "--points", arg, 1, 10000000);
		return 0;
	case KEY_CSV:
		options->csv = arg;
		return 0;
	case KEY_CHART:
		options->chart = arg;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static double
job_scale(const struct perseus__job *job)
{
	return (double)job->gpus_per_stage * (double)job->n_pipelines;
}

static enum perseus_status
write_outputs(const struct options *options, struct perseus_error *err)
{
	const struct perseus__job *job = &options->job;
	enum perseus_status status = PERSEUS_OK;
	if (options->csv) {
		struct perseus__text text = perseus__result_text();
		perseus__frontier_csv(&text, job->frontier, options->n_points, job_scale(job));
		status = perseus__write_document(options->csv, &text, err);
		perseus__text_fini(&text);
	}
	if (status == PERSEUS_OK && options->chart) {
		const struct perseus__chart_options chart = {.energy_scale = job_scale(job)};
		status = perseus__chart_frontier(options->chart, job->frontier, NULL, &chart, err);
	}
	return status;
}

/* A row of the table: a time, and how it compares with T_min. */
static void
add_row(const struct options *options, const char *name, int64_t time_ns, struct perseus__table *table)
{
	const struct perseus_frontier *frontier = options->job.frontier;
	const double scale = job_scale(&options->job);
	const int64_t t_min_ns = perseus_frontier_info(frontier).t_min_ns;
	const double fastest_j = perseus_frontier_energy_j(frontier, t_min_ns) * scale;
	const double energy_j = perseus_frontier_energy_j(frontier, time_ns) * scale;
	const double effective_j = perseus_frontier_effective_energy_j(frontier, time_ns) * scale;
	const struct perseus__column_unit time = perseus__time_column((double)t_min_ns / 1e9);
	const struct perseus__column_unit energy = perseus__energy_column(fastest_j);
	perseus__table_add(table, "%s", name);
	perseus__table_add(table, "%.*f %s", time.decimals, (double)time_ns / 1e9 / time.divisor, time.name);
	perseus__table_add(table, "%+.2f %%", perseus__percent_change((double)t_min_ns, (double)time_ns));
	perseus__table_add(table, "%.*f %s", energy.decimals, energy_j / energy.divisor, energy.name);
	perseus__table_add(table, "%+.2f %%", perseus__percent_change(fastest_j, energy_j));
	perseus__table_add(table, "%.*f %s", energy.decimals, effective_j / energy.divisor, energy.name);
}

static void
write_summary(const struct options *options, struct perseus__text *text)
{
	const struct perseus__job *job = &options->job;
	const struct perseus_frontier_info info = perseus_frontier_info(job->frontier);
	static const char *const headings[] = {"", "iteration time", "", "energy", "", "over waiting"};
	struct perseus__table table = perseus__table_init("lrrrrr");
	for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
		perseus__table_add(&table, "%s", headings[i]);
	add_row(options, "shortest (T_min)", info.t_min_ns, &table);
	add_row(options, "least energy", info.t_min_energy_ns, &table);
	add_row(options, "longest useful (T*)", info.t_star_ns, &table);
	for (int32_t i = 0; i < options->n_points; i++)
		add_row(options, "", perseus__frontier_sample(job->frontier, options->n_points, i, 1).time_ns, &table);
	perseus__job_describe(job, text);
	perseus__text_addf(text, "\n\n");
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
	perseus__text_addf(text, "\n%d breakpoints in %.3f s, ", (int)info.n_breakpoints, job->solve_s);
	if (info.loss_bound > 0)
		perseus__text_addf(text, "at most %.2g of the energy above the optimum\n", info.loss_bound);
	else
		perseus__text_addf(text, "exact\n");
	if (info.used_fallback)
		perseus__text_addf(text, "Some instructions were not measured: they were composed of others that were.\n");
}

static int
print_frontier(const struct options *options)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json) {
		const struct perseus__frontier_document document = {
			.frontier = options->job.frontier,
			.n_samples = options->n_points,
			.gpus_per_stage = options->job.gpus_per_stage,
			.n_pipelines = options->job.n_pipelines,
			.solve_s = &options->job.solve_s,
		};
		perseus__frontier_json(&text, &document);
	} else {
		write_summary(options, &text);
	}
	return perseus__print_result(&text);
}

static int
run(struct options *options)
{
	struct perseus_error err;
	enum perseus_status status = options->chart ? perseus__chart_path_check(options->chart, &err) : PERSEUS_OK;
	if (status == PERSEUS_OK)
		status = perseus__job_load(&options->job, &err);
	if (status == PERSEUS_OK)
		status = perseus__job_solve(&options->job, &err);
	if (status == PERSEUS_OK)
		status = write_outputs(options, &err);
	return status == PERSEUS_OK ? print_frontier(options) : perseus__print_error(&err);
}

int
perseus__run_frontier(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__job_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "PROFILE.csv",
		.doc = "Computes the least energy an iteration can take at every iteration time, exactly.",
		.children = children,
	};
	struct options options = {.job = perseus__job_init()};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	const int exit_code = run(&options);
	perseus__job_fini(&options.job);
	return exit_code;
}
