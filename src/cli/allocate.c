/* perseus allocate */
#include "cli/allocate.h"

#include "base/error.h"
#include "chart/canvas.h"
#include "cli/command.h"
#include "cli/option_value.h"

#include <argp.h>
#include <stdbool.h>

enum { KEY_JSON = 'j', KEY_SITE_LIMIT = 900, KEY_FAIR, KEY_CHART };

/* What the proof of every answer must hold to, relative. */
static const double TOLERANCE = 1e-9;

struct options {
	const char *path; /* borrowed from argv */
	double limit_w;   /* 0: not given */
	bool is_fair;
	bool as_json;
	const char *chart; /* borrowed from argv; NULL: not wanted */
};

static const struct argp_option option_table[] = {
	{"site-limit", KEY_SITE_LIMIT, "W", 0, "Average power of all jobs together (needed)", 0},
	{"fair", KEY_FAIR, NULL, 0,
		"Make the slowest job as fast as can be, each against its own full speed, then the next (default: finish the "
		"most work)",
		0},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{"chart", KEY_CHART, "FILE", 0, "Draw the speeds of the jobs (.svg, .png or .pdf)", 0},
	{0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case KEY_SITE_LIMIT:
		options->limit_w = perseus__option_number(state, "--site-limit", arg, 1e15);
		if (options->limit_w <= 0)
			argp_error(state, "--site-limit is %s, expected watts above 0", arg);
		return 0;
	case KEY_FAIR:
		options->is_fair = true;
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_CHART:
		options->chart = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (options->path)
			argp_error(state, "one JOBS.csv only, not also '%s'", arg);
		options->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!options->path)
			argp_error(state, "JOBS.csv is missing");
		if (options->limit_w <= 0)
			argp_error(state, "--site-limit=W is needed");
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

/* An allocation and its proof. */
static enum perseus_status
allocate(const struct perseus__site *site, double limit_w, enum perseus_allocation_rule rule,
		struct perseus_allocation **allocation, struct perseus_error *err)
{
	enum perseus_status status = perseus_allocation_new(site->jobs, site->rows.n, limit_w, rule, allocation, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_error violated;
	status = perseus_allocation_check(*allocation, site->jobs, TOLERANCE, &violated);
	return status == PERSEUS_OK ? status : perseus__fail(err, PERSEUS_INTERNAL, "allocation: %s", violated.message);
}

static int
print_allocation(const struct options *options, const struct perseus__allocation_document *document)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__allocation_json(&text, document);
	else
		perseus__allocation_print(document, &text);
	return perseus__print_result(&text);
}

static int
run(const struct options *options, struct perseus__site *site)
{
	struct perseus_error err;
	struct perseus_allocation *allocation = NULL;
	struct perseus_allocation *even = NULL;
	enum perseus_status status = options->chart ? perseus__chart_path_check(options->chart, &err) : PERSEUS_OK;
	if (status == PERSEUS_OK)
		status = perseus__site_load(options->path, site, &err);
	if (status == PERSEUS_OK)
		status = allocate(site, options->limit_w, options->is_fair ? PERSEUS_ALLOCATION_FAIR : PERSEUS_ALLOCATION_WORK,
				&allocation, &err);
	if (status == PERSEUS_OK)
		status = allocate(site, options->limit_w, PERSEUS_ALLOCATION_EVEN, &even, &err);
	const struct perseus__allocation_document document = {
		.rows = &site->rows,
		.jobs = site->jobs,
		.allocation = allocation,
		.even = even,
		.least_power_w = site->least_power_w,
	};
	if (status == PERSEUS_OK && options->chart)
		status = perseus__allocation_chart(options->chart, &document, &err);
	const int exit_code = status == PERSEUS_OK ? print_allocation(options, &document) : perseus__print_error(&err);
	perseus_allocation_free(allocation);
	perseus_allocation_free(even);
	return exit_code;
}

int
perseus__run_allocate(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "JOBS.csv",
		.doc = "Shares the power of a site among jobs, so that they finish the most work under its limit."
			   "\vJOBS.csv has the columns job, profile, microbatches, blocking_power_w and, as wanted, schedule, "
			   "gpus_per_stage, pipelines, overhead_s and weight; paths are relative to it. Exit codes: 0 done, "
			   "2 usage or bad input, 3 the limit cannot be kept, 4 not permitted, 5 input or output failed.",
	};
	struct options options = {0};
	struct perseus__site site = {0};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	const int exit_code = run(&options, &site);
	perseus__site_fini(&site);
	return exit_code;
}
