/* perseus compare */
#include "cli/compare.h"

#include "chart/canvas.h"
#include "cli/command.h"
#include "cli/deadline_options.h"
#include "cli/option_value.h"
#include "format/planners_csv.h"
#include "format/planners_json.h"

#include <argp.h>
#include <stdbool.h>

enum {
	KEY_JSON = 'j',
	KEY_POINTS = 'n',
	KEY_SWITCH_LATENCY = 600,
	KEY_POWER_LIMIT,
	KEY_FRONTIERS,
	KEY_CSV,
	KEY_CHART,
};

enum { DEFAULT_POINTS = 20 };

struct options {
	struct perseus__job job;
	struct perseus__deadline_options deadline;
	int64_t switch_latency_ns;
	double power_limit_w; /* 0: not given */
	int32_t n_points;
	bool as_json;
	bool with_frontiers;
	const char *csv; /* these are borrowed from argv; NULL: not wanted */
	const char *chart;
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Planners", 5},
	{"switch-latency", KEY_SWITCH_LATENCY, "MS", 0,
		"Time until a change of clock takes effect (default 0); not for a power limit, which the GPU keeps itself", 0},
	{"power-limit", KEY_POWER_LIMIT, "W", 0, "Power limit of each GPU (default: that which does best)", 0},
	{NULL, 0, NULL, 0, "Results", 6},
	{"json", KEY_JSON, NULL, 0, "Print JSON, frontiers included", 0},
	{"frontiers", KEY_FRONTIERS, NULL, 0, "Print the frontier of every planner that has one, too", 0},
	{"points", KEY_POINTS, "N", 0, "So many points of the optimum's frontier, evenly spread in time (default 20)", 0},
	{"csv", KEY_CSV, "FILE", 0, "Write the frontiers as CSV", 0},
	{"chart", KEY_CHART, "FILE", 0, "Draw the frontiers, with the plans on them (.svg, .png or .pdf)", 0},
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
	case KEY_SWITCH_LATENCY:
		options->switch_latency_ns = perseus__option_scaled(state, "--switch-latency", arg, 1000000);
		return 0;
	case KEY_POWER_LIMIT:
		options->power_limit_w = perseus__option_number(state, "--power-limit", arg, PERSEUS_MAX_POWER_W);
		if (!(options->power_limit_w > 0))
			argp_error(state, "--power-limit: a limit of 0 W cannot be kept");
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_FRONTIERS:
		options->with_frontiers = true;
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

static enum perseus_status
write_outputs(const struct options *options, const struct perseus__planners *planners, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	if (options->csv) {
		struct perseus__text text = perseus__result_text();
		perseus__planners_csv(&text, planners);
		status = perseus__write_document(options->csv, &text, err);
		perseus__text_fini(&text);
	}
	if (status == PERSEUS_OK && options->chart)
		status = perseus__compare_chart(options->chart, planners, err);
	return status;
}

static int
print_planners(const struct options *options, const struct perseus__planners *planners)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__planners_json(&text, planners);
	else
		perseus__compare_report(&options->job, planners, options->with_frontiers, &text);
	return perseus__print_result(&text);
}

/* From the frontier on. */
static int
compare(const struct options *options)
{
	struct perseus_error err;
	struct perseus__compare_question question = {
		.frontier = options->job.frontier,
		.switch_latency_ns = options->switch_latency_ns,
		.power_limit_w = options->power_limit_w,
	};
	struct perseus__planners planners = {
		.frontier = options->job.frontier,
		.switch_latency_ns = options->switch_latency_ns,
		.gpus_per_stage = options->job.gpus_per_stage,
		.n_pipelines = options->job.n_pipelines,
		.n_samples = options->n_points,
	};
	enum perseus_status status =
			perseus__deadline_find(&options->deadline, question.frontier, &question.deadline_ns, &err);
	planners.deadline_ns = question.deadline_ns;
	if (status == PERSEUS_OK)
		status = perseus__compare_ask(&question, &planners, &err);
	if (status == PERSEUS_OK)
		status = write_outputs(options, &planners, &err);
	const int exit_code = status == PERSEUS_OK ? print_planners(options, &planners) : perseus__print_error(&err);
	perseus__compare_fini(&planners);
	return exit_code;
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
	return status == PERSEUS_OK ? compare(options) : perseus__print_error(&err);
}

int
perseus__run_compare(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&perseus__job_argp, 0, NULL, 0}, {&perseus__deadline_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "PROFILE.csv",
		.doc = "Shows what others' ways to choose clocks, and ours, make of one training pipeline and one deadline, "
			   "beside the least energy that any could take."
			   "\vExit codes: 0 done, 2 usage or bad input, 3 nothing can keep the deadline, 4 not permitted, "
			   "5 input or output failed.",
		.children = children,
	};
	struct options options = {.job = perseus__job_init(), .n_points = DEFAULT_POINTS};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	const int exit_code = run(&options);
	perseus__job_fini(&options.job);
	return exit_code;
}
