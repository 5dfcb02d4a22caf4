/* perseus measure */
#include "cli/measure.h"

#include "base/error.h"
#include "chart/canvas.h"
#include "cli/command.h"
#include "cli/option_value.h"
#include "format/output_file.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	KEY_JSON = 'j',
	KEY_OUTPUT = 'o',
	KEY_QUIET = 'q',
	KEY_RESULT = 'r',
	KEY_RATE = 600,
	KEY_CSV,
	KEY_CHART,
	KEY_NOTE,
	KEY_LEDGER,
	KEY_NO_LEDGER
};

static const double DEFAULT_RATE_HZ = 10;
static const double MIN_RATE_HZ = 0.01;
static const double MAX_RATE_HZ = 1000;

/* What parsing fills in. */
struct input {
	struct perseus__measure_options options;
	struct perseus__run run;
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Results", 6},
	{"json", KEY_JSON, NULL, 0, "Report as JSON, on standard output behind all that the command writes there", 0},
	{"output", KEY_OUTPUT, "FILE", 0, "Write the report to FILE instead of standard error, or output", 0},
	{"csv", KEY_CSV, "FILE", 0, "Write power over time, row by row while the command runs", 0},
	{"chart", KEY_CHART, "FILE", 0, "Draw power over time (.svg, .png or .pdf)", 0},
	{"rate", KEY_RATE, "HZ", 0, "Sample power so often (default 10)", 0},
	{"quiet", KEY_QUIET, NULL, 0, "Show nothing on the terminal while the command runs", 0},
	{NULL, 0, NULL, 0, "Ledger of runs", 8},
	{"result", KEY_RESULT, "KEY=VALUE", 0, "What the run was good for, e.g. tokens=1e9; may be given several times", 0},
	{"note", KEY_NOTE, "TEXT", 0, "Keep a note with the run", 0},
	{"ledger", KEY_LEDGER, "FILE", 0, "Keep the run in FILE (default: $PERSEUS_LEDGER, or the user's own)", 0},
	{"no-ledger", KEY_NO_LEDGER, NULL, 0, "Do not keep the run", 0},
	{0},
};

static void
take_result(const struct argp_state *state, const char *arg, struct perseus__run *run)
{
	struct perseus__result result;
	struct perseus_error err;
	enum perseus_status status = perseus__result_parse(arg, &result, &err);
	if (status != PERSEUS_OK)
		argp_error(state, "--result: %s", err.message);
	else if (perseus__run_add_result(run, &result, NULL) != PERSEUS_OK)
		perseus__option_no_memory(state);
}

static void
take_rate(const struct argp_state *state, const char *arg, struct perseus__measure_options *options)
{
	options->rate_hz = perseus__decimal_value(perseus__option_decimal(state, "--rate", arg));
	if (!(options->rate_hz >= MIN_RATE_HZ && options->rate_hz <= MAX_RATE_HZ))
		argp_error(state, "--rate takes a number from %g to %g, not '%s'", MIN_RATE_HZ, MAX_RATE_HZ, arg);
}

/* The first argument that is no option begins the command, whose own options are not ours. */
static void
take_command(struct argp_state *state, struct perseus__measure_options *options)
{
	options->command = state->argv + state->next - 1;
	options->n_command = state->argc - (state->next - 1);
	state->next = state->argc;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct input *input = state->input;
	struct perseus__measure_options *options = &input->options;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->node;
		state->child_inputs[1] = &options->footprint;
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_OUTPUT:
		options->output = arg;
		return 0;
	case KEY_CSV:
		options->csv = arg;
		return 0;
	case KEY_CHART:
		options->chart = arg;
		return 0;
	case KEY_RATE:
		take_rate(state, arg, options);
		return 0;
	case KEY_QUIET:
		options->is_quiet = true;
		return 0;
	case KEY_RESULT:
		take_result(state, arg, &input->run);
		return 0;
	case KEY_NOTE:
		if (perseus__run_set_text(&input->run.note, arg, NULL) != PERSEUS_OK)
			perseus__option_no_memory(state);
		return 0;
	case KEY_LEDGER:
		options->ledger = arg;
		return 0;
	case KEY_NO_LEDGER:
		options->has_ledger = false;
		return 0;
	case ARGP_KEY_ARG:
		take_command(state, options);
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "the command to measure is missing");
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

/* What can be found wrong before the command starts, rather than after hours of it. */
static enum perseus_status
check(struct perseus__measure_options *options, struct perseus_error *err)
{
	enum perseus_status status = options->chart ? perseus__chart_path_check(options->chart, err) : PERSEUS_OK;
	if (status == PERSEUS_OK && options->chart)
		status = perseus__output_check(options->chart, err);
	if (status == PERSEUS_OK && options->output)
		status = perseus__output_check(options->output, err);
	return status == PERSEUS_OK ? perseus__footprint_options_load(&options->footprint, err) : status;
}

/* Whatever fails here is said and does not change the exit code, which is the command's. */
static void
write_report(const struct perseus__measurement *measurement)
{
	const struct perseus__measure_options *options = measurement->options;
	struct perseus__text text = perseus__result_text();
	struct perseus_error err;
	if (options->as_json)
		perseus__measurement_json(measurement, &text);
	else
		perseus__measurement_report(measurement, &text);
	const bool is_written = options->output && perseus__write_document(options->output, &text, &err) == PERSEUS_OK;
	if (options->output && !is_written)
		(void)perseus__print_error(&err);
	if (!is_written && options->as_json)
		(void)perseus__print_result(&text);
	else if (!is_written && !text.failed)
		(void)fwrite(text.bytes, 1, text.length, stderr);
	perseus__text_fini(&text);
	if (options->chart && perseus__measurement_chart(measurement, &err) != PERSEUS_OK)
		(void)perseus__print_error(&err);
}

/*
 * A shell that runs a loop ends it where a command dies of Ctrl-C, and goes on where one exits, with whatever code: so
 * must perseus die where its command did.
 */
static void
die_of_interrupt(void)
{
	(void)signal(SIGINT, SIG_DFL);
	(void)raise(SIGINT);
}

static int
run(struct input *input)
{
	struct perseus__measurement measurement;
	struct perseus__signals signals;
	struct perseus_error err;
	int exit_code = 0;
	enum perseus_status status = check(&input->options, &err);
	if (status != PERSEUS_OK)
		return perseus__print_error(&err);
	perseus__signals_hold(&signals);
	status = perseus__measurement_init(&measurement, &input->options, &input->run, &err);
	if (status != PERSEUS_OK) {
		perseus__signals_release(&signals);
		return perseus__print_error(&err);
	}
	status = perseus__measurement_run(&measurement, &signals, &exit_code, &err);
	/* From here on a signal may end the report: nobody waits for it. */
	perseus__signals_release(&signals);
	(void)signal(SIGPIPE, SIG_IGN);
	if (status == PERSEUS_OK)
		write_report(&measurement);
	else
		(void)perseus__print_error(&err);
	perseus__measurement_fini(&measurement);
	return exit_code;
}

int
perseus__run_measure(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{&perseus__node_argp, 0, NULL, 0}, {&perseus__footprint_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "[--] COMMAND [ARGUMENT...]",
		.doc = "Runs a command and reports what the devices of this machine take meanwhile."
			   "\vThe exit code is the command's: 128 + N where signal N ended it, 126 and 127 where it cannot be run.",
		.children = children,
	};
	struct input input = {
		.options = {.footprint = perseus__footprint_options_init(), .rate_hz = DEFAULT_RATE_HZ, .has_ledger = true},
		.run = perseus__run_init(),
	};
	(void)argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &input);
	const int exit_code = run(&input);
	const bool is_interrupted = input.run.signal == SIGINT;
	perseus__run_fini(&input.run);
	perseus__footprint_options_fini(&input.options.footprint);
	if (is_interrupted)
		die_of_interrupt();
	return exit_code;
}
