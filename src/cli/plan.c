/* perseus plan */
#include "cli/plan.h"

#include "base/clock.h"
#include "chart/canvas.h"
#include "cli/command.h"
#include "cli/deadline_options.h"
#include "cli/option_value.h"
#include "cli/plan_power.h"
#include "format/output_file.h"
#include "format/plan_json.h"
#include "format/plan_power.h"
#include "plan/highest.h"

#include <perseus/plan.h>

#include <argp.h>

enum {
	KEY_GRANULARITY = 'g',
	KEY_JSON = 'j',
	KEY_OUTPUT = 'o',
	KEY_SWITCH_LATENCY = 500,
	KEY_CHART,
	KEY_FRONTIER_CHART,
	KEY_POWER_CAP,
	KEY_POWER_CSV,
};

struct options {
	struct perseus__job job;
	struct perseus__deadline_options deadline;
	enum perseus_granularity granularity;
	int64_t switch_latency_ns;
	double power_cap_w; /* 0: none */
	bool as_json;
	const char *output; /* these are borrowed from argv; NULL: not wanted */
	const char *chart;
	const char *frontier_chart;
	const char *power_csv;
};

static const struct argp_option option_table[] = {
	{"power-cap", KEY_POWER_CAP, "W", 0,
		"The fastest plan whose average power, of all GPUs of the job, is at most this; with one of the above, that "
		"plan if it keeps the cap",
		4},
	{NULL, 0, NULL, 0, "Clocks", 5},
	{"granularity", KEY_GRANULARITY, "WORD", 0,
		"Which instructions share a clock: instruction (none), kind, ends (first forward and last backward of a "
		"stage, and the rest), stage, job, or auto (the best, default)",
		0},
	{"switch-latency", KEY_SWITCH_LATENCY, "MS", 0, "Time until a change of clock takes effect (default 0)", 0},
	{NULL, 0, NULL, 0, "Results", 6},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{"output", KEY_OUTPUT, "DIR", 0,
		"Write plan.json, freqs_pipeline_00000.py, frontier.csv, trace.json, timeline.svg, timeline.png and "
		"frontier.svg there",
		0},
	{"chart", KEY_CHART, "FILE", 0, "Draw the timeline, before and after (.svg, .png or .pdf)", 0},
	{"frontier-chart", KEY_FRONTIER_CHART, "FILE", 0, "Draw the frontier with the plan on it", 0},
	{"power-csv", KEY_POWER_CSV, "FILE", 0, "Write the power of the job over an iteration as CSV", 0},
	{0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->job;
		state->child_inputs[1] = &options->deadline;
		return 0;
	case KEY_GRANULARITY:
		options->granularity = perseus__option_granularity(state, arg);
		return 0;
	case KEY_SWITCH_LATENCY:
		options->switch_latency_ns = perseus__option_scaled(state, "--switch-latency", arg, 1000000);
		return 0;
	case KEY_POWER_CAP:
		options->power_cap_w = perseus__option_number(state, "--power-cap", arg, 1e15);
		if (options->power_cap_w <= 0)
			argp_error(state, "--power-cap is %s, expected watts above 0", arg);
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_OUTPUT:
		options->output = arg;
		return 0;
	case KEY_CHART:
		options->chart = arg;
		return 0;
	case KEY_FRONTIER_CHART:
		options->frontier_chart = arg;
		return 0;
	case KEY_POWER_CSV:
		options->power_csv = arg;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

/* What can be refused before the long work begins. */
static enum perseus_status
check_outputs(const struct options *options, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	if (options->chart)
		status = perseus__chart_path_check(options->chart, err);
	if (status == PERSEUS_OK && options->frontier_chart)
		status = perseus__chart_path_check(options->frontier_chart, err);
	if (status == PERSEUS_OK && options->output)
		status = perseus__output_directory(options->output, err);
	return status;
}

static enum perseus_status
make_plans(struct options *options, struct perseus_plan **plan, struct perseus_plan **baseline,
		struct perseus__power *power, struct perseus_error *err)
{
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	enum perseus_status status =
			perseus__deadline_find(&options->deadline, options->job.frontier, &settings.deadline_ns, err);
	if (status != PERSEUS_OK)
		return status;
	settings.granularity = options->granularity;
	settings.switch_latency_ns = options->switch_latency_ns;
	const int64_t begin_ns = perseus__clock_mono_ns();
	status = perseus__power_plan(
			power, &options->job, &settings, options->deadline.option, options->power_cap_w, plan, err);
	if (status != PERSEUS_OK)
		return status;
	options->job.solve_s += (double)(perseus__clock_mono_ns() - begin_ns) / 1e9;
	settings.deadline_ns = (*plan)->deadline_ns;
	settings.switch_latency_ns = 0; /* as the baseline of the plan: nobody asks for a clock */
	status = perseus__plan_highest(options->job.frontier, &settings, baseline, err);
	return status == PERSEUS_OK ? perseus__power_trace(power, &options->job, *plan, *baseline, err) : status;
}

static int
print_plan(const struct options *options, const struct perseus__plan_document *document)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__plan_json(&text, document, &options->job.solve_s);
	else
		perseus__print_plan(&options->job, document, &text);
	return perseus__print_result(&text);
}

static enum perseus_status
write_outputs(const struct options *options, const struct perseus__plan_document *document, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	if (options->output)
		status = perseus__plan_output(options->output, document, err);
	if (status == PERSEUS_OK && options->chart)
		status = perseus__plan_timeline(options->chart, document, err);
	if (status == PERSEUS_OK && options->frontier_chart)
		status = perseus__plan_frontier_chart(options->frontier_chart, document, err);
	if (status == PERSEUS_OK && options->power_csv) {
		struct perseus__text text = perseus__result_text();
		perseus__power_csv(&text, document->power->plan);
		status = perseus__write_document(options->power_csv, &text, err);
		perseus__text_fini(&text);
	}
	return status;
}

/* Everything between options and exit code. */
static int
run(struct options *options)
{
	struct perseus_error err;
	struct perseus_plan *plan = NULL;
	struct perseus_plan *baseline = NULL;
	struct perseus__power power = {0};
	enum perseus_status status = perseus__job_load(&options->job, &err);
	if (status == PERSEUS_OK)
		status = check_outputs(options, &err);
	if (status == PERSEUS_OK)
		status = perseus__job_solve(&options->job, &err);
	if (status == PERSEUS_OK)
		status = make_plans(options, &plan, &baseline, &power, &err);
	const struct perseus__plan_document document = {
		.frontier = options->job.frontier,
		.plan = plan,
		.baseline = baseline,
		.gpus_per_stage = options->job.gpus_per_stage,
		.n_pipelines = options->job.n_pipelines,
		.power = &power.document,
	};
	if (status == PERSEUS_OK)
		status = write_outputs(options, &document, &err);
	const int exit_code = status == PERSEUS_OK ? print_plan(options, &document) : perseus__print_error(&err);
	perseus__power_fini(&power);
	perseus_plan_free(baseline);
	perseus_plan_free(plan);
	return exit_code;
}

int
perseus__run_plan(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&perseus__job_argp, 0, NULL, 0}, {&perseus__deadline_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "PROFILE.csv",
		.doc = "Chooses a clock for every instruction of a training pipeline so that an iteration takes the least "
			   "energy and no longer than asked."
			   "\vExit codes: 0 done, 2 usage or bad input, 3 the deadline or the power cap cannot be kept, "
			   "4 not permitted, 5 input or output failed.",
		.children = children,
	};
	struct options options = {.job = perseus__job_init(), .granularity = PERSEUS_GRANULARITY_AUTO};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	const int exit_code = run(&options);
	perseus__job_fini(&options.job);
	return exit_code;
}
