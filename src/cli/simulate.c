/* perseus simulate */
#include "cli/simulate.h"

#include "base/error.h"
#include "base/memory.h"
#include "chart/canvas.h"
#include "cli/command.h"
#include "cli/option_value.h"
#include "cli/policies.h"
#include "cli/straggler_options.h"
#include "format/output_file.h"
#include "format/straggler_csv.h"

#include <argp.h>
#include <string.h>

enum {
	KEY_GRANULARITY = 'g',
	KEY_JSON = 'j',
	KEY_ITERATIONS = 'n',
	KEY_SYNC = 700,
	KEY_REACTION,
	KEY_POLICY,
	KEY_COMPARE,
	KEY_PLANS,
	KEY_CSV,
	KEY_EVENTS,
	KEY_CHART,
};

struct options {
	struct perseus__job job;
	struct perseus__straggler_options stragglers;
	int32_t n_iterations;
	int64_t sync_ns;
	int64_t reaction_ns;
	enum perseus__policy policy;
	struct perseus__policies compared; /* kinds alone */
	enum perseus_granularity granularity;
	int32_t n_plans;
	bool as_json;
	const char *csv; /* these are borrowed from argv; NULL: not wanted */
	const char *events;
	const char *chart;
};

/* All that lies between options and results. */
struct run {
	struct perseus__policies policies;
	struct perseus_straggler_event *events;
	struct perseus_straggler_process processes[PERSEUS_N_STRAGGLER_CAUSES];
	struct perseus_simulation simulation;
	struct perseus_simulated_total totals[PERSEUS__N_POLICIES];
	struct perseus__simulation_document document;
	struct perseus__simulation_watch watch;
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Run", 5},
	{"iterations", KEY_ITERATIONS, "N", 0, "How many (default 1000)", 0},
	{"sync", KEY_SYNC, "SECONDS", 0, "Gradient synchronisation of the pipelines after each iteration (default 0)", 0},
	{"reaction", KEY_REACTION, "SECONDS", 0,
		"How long a pipeline must be slower or faster until that is answered, at the next iteration (default 0: known "
		"ahead)",
		0},
	{"policy", KEY_POLICY, "NAME", 0,
		"What decides the clocks: perseus (default), intrinsic-only (the same, but it does not answer stragglers), "
		"max-clock, single-clock, balanced-stages or envpipe (each at its fastest)",
		0},
	{"compare", KEY_COMPARE, "NAME,...", 0, "Policies to show beside it (default: all); max-clock is always one", 0},
	{"granularity", KEY_GRANULARITY, "WORD", 0,
		"Which instructions share a clock in perseus' plans: instruction, kind, ends, stage, job, or auto (default)",
		0},
	{"plans", KEY_PLANS, "N", 0, "Iteration times from T_min to T* that perseus has plans for (default 64)", 0},
	{NULL, 0, NULL, 0, "Results", 6},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{"csv", KEY_CSV, "FILE", 0, "Write every iteration of every policy as CSV", 0},
	{"events", KEY_EVENTS, "FILE", 0, "Write the stragglers as a CSV that --trace reads", 0},
	{"chart", KEY_CHART, "FILE", 0, "Draw where the energy goes and how long iterations take (.svg, .png or .pdf)", 0},
	{0},
};

static const char *const policy_names[] = {
#define X(name, text) text,
	PERSEUS__POLICY_MAP(X)
#undef X
			NULL};

static void
take_compared(const struct argp_state *state, int32_t index, const char *piece, void *user)
{
	(void)index;
	perseus__policies_add(user, (enum perseus__policy)perseus__option_word(state, "--compare", piece, policy_names));
}

static error_t
parse_result_option(int key, const char *arg, struct options *options)
{
	switch (key) {
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_CSV:
		options->csv = arg;
		return 0;
	case KEY_EVENTS:
		options->events = arg;
		return 0;
	case KEY_CHART:
		options->chart = arg;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->job;
		state->child_inputs[1] = &options->stragglers;
		return 0;
	case KEY_ITERATIONS:
		options->n_iterations = perseus__option_count(state, "--iterations", arg, 1, 1000000000);
		return 0;
	case KEY_SYNC:
		options->sync_ns = perseus__option_scaled(state, "--sync", arg, 1000000000);
		return 0;
	case KEY_REACTION:
		options->reaction_ns = perseus__option_scaled(state, "--reaction", arg, 1000000000);
		return 0;
	case KEY_POLICY:
		options->policy = (enum perseus__policy)perseus__option_word(state, "--policy", arg, policy_names);
		return 0;
	case KEY_COMPARE:
		(void)perseus__option_list(state, arg, take_compared, &options->compared);
		return 0;
	case KEY_GRANULARITY:
		options->granularity = perseus__option_granularity(state, arg);
		return 0;
	case KEY_PLANS:
		options->n_plans = perseus__option_count(state, "--plans", arg, 1, 100000);
		return 0;
	default:
		return parse_result_option(key, arg, options);
	}
}

/* What can be refused before the long work begins. */
static enum perseus_status
check(const struct options *options, struct perseus_error *err)
{
	const struct perseus__straggler_run run = {
		.n_pipelines = options->job.n_pipelines, .n_iterations = options->n_iterations};
	enum perseus_status status = perseus__straggler_options_check(&options->stragglers, &run, err);
	if (status == PERSEUS_OK && options->chart)
		status = perseus__chart_path_check(options->chart, err);
	if (status == PERSEUS_OK && options->csv)
		status = perseus__output_check(options->csv, err);
	if (status == PERSEUS_OK && options->events)
		status = perseus__output_check(options->events, err);
	return status;
}

/* The policy in question, those beside it, and the one that all are held against. */
static void
choose_policies(const struct options *options, struct perseus__policies *policies)
{
	perseus__policies_add(policies, options->policy);
	for (int32_t i = 0; i < options->compared.n; i++)
		perseus__policies_add(policies, options->compared.kinds[i]);
	for (int kind = 0; kind < PERSEUS__N_POLICIES && options->compared.n == 0; kind++)
		perseus__policies_add(policies, (enum perseus__policy)kind);
	perseus__policies_add(policies, PERSEUS__POLICY_MAX_CLOCK);
}

/* Policies and events, once the frontier is known. */
static enum perseus_status
prepare(const struct options *options, struct run *run, struct perseus_error *err)
{
	const struct perseus__job *job = &options->job;
	run->simulation = (struct perseus_simulation){
		.frontier = job->frontier,
		.n_pipelines = job->n_pipelines,
		.gpus_per_stage = job->gpus_per_stage,
		.n_iterations = options->n_iterations,
		.sync_ns = options->sync_ns,
		.reaction_ns = options->reaction_ns,
		.policies = run->policies.policies,
	};
	const struct perseus__straggler_run span = {
		.n_pipelines = job->n_pipelines,
		.n_iterations = options->n_iterations,
		.iteration_ns = perseus_frontier_info(job->frontier).t_min_ns + options->sync_ns,
	};
	run->document = (struct perseus__simulation_document){
		.simulation = &run->simulation,
		.totals = run->totals,
		.granularity = options->granularity,
		.processes = run->processes,
		.n_processes = perseus__straggler_processes(&options->stragglers, &span, run->processes),
		.seed = options->stragglers.seed,
	};
	enum perseus_status status =
			perseus__straggler_events(&options->stragglers, &span, &run->events, &run->simulation.n_events, err);
	if (status != PERSEUS_OK)
		return status;
	run->simulation.events = run->events;
	choose_policies(options, &run->policies);
	run->simulation.n_policies = run->policies.n;
	run->document.chosen = perseus__policies_find(&run->policies, options->policy);
	run->document.reference = perseus__policies_find(&run->policies, PERSEUS__POLICY_MAX_CLOCK);
	return perseus__policies_make(&run->policies, job->frontier, options->granularity, options->n_plans, err);
}

static enum perseus_status
simulate(const struct options *options, struct run *run, struct perseus_error *err)
{
	enum perseus_status status = perseus__simulation_watch_init(
			&run->watch, &run->simulation, run->document.chosen, options->csv != NULL, options->chart != NULL, err);
	if (status == PERSEUS_OK)
		status = perseus_simulate(&run->simulation, perseus__simulation_watch_add, &run->watch, run->totals, err);
	perseus__progress_fini(&run->watch.progress);
	return status == PERSEUS_CANCELLED ? perseus__no_memory(err) : status;
}

static enum perseus_status
write_outputs(const struct options *options, const struct run *run, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	if (options->csv)
		status = perseus__write_document(options->csv, &run->watch.rows, err);
	if (status == PERSEUS_OK && options->events) {
		struct perseus__text text = perseus__result_text();
		perseus__straggler_csv(&text, run->events, run->simulation.n_events);
		status = perseus__write_document(options->events, &text, err);
		perseus__text_fini(&text);
	}
	if (status == PERSEUS_OK && options->chart)
		status = perseus__simulation_draw(options->chart, &options->job, &run->document, &run->watch, err);
	return status;
}

static int
print_simulation(const struct options *options, const struct run *run)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__simulation_json(&text, &run->document);
	else
		perseus__simulation_report(&options->job, &run->document, &text);
	return perseus__print_result(&text);
}

/* Everything between options and exit code. */
static int
run_all(struct options *options, struct run *run)
{
	struct perseus_error err;
	enum perseus_status status = check(options, &err);
	if (status == PERSEUS_OK)
		status = perseus__job_load(&options->job, &err);
	if (status == PERSEUS_OK)
		status = perseus__job_solve(&options->job, &err);
	if (status == PERSEUS_OK)
		status = prepare(options, run, &err);
	if (status == PERSEUS_OK)
		status = simulate(options, run, &err);
	if (status == PERSEUS_OK)
		status = write_outputs(options, run, &err);
	return status == PERSEUS_OK ? print_simulation(options, run) : perseus__print_error(&err);
}

int
perseus__run_simulate(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&perseus__job_argp, 0, NULL, 0}, {&perseus__straggler_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "PROFILE.csv",
		.doc = "Runs a whole training job with stragglers, iteration by iteration, and shows where its time and energy "
			   "go under several policies.",
		.children = children,
	};
	struct options options = {
		.job = perseus__job_init(),
		.n_iterations = 1000,
		.granularity = PERSEUS_GRANULARITY_AUTO,
		.n_plans = 64,
	};
	struct run run = {0};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	const int exit_code = run_all(&options, &run);
	perseus__simulation_watch_fini(&run.watch);
	perseus__policies_fini(&run.policies);
	perseus__free(run.events);
	perseus__straggler_options_fini(&options.stragglers);
	perseus__job_fini(&options.job);
	return exit_code;
}
