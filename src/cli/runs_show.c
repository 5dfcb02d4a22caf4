/* perseus runs show */
#include "cli/command.h"
#include "cli/run_json.h"
#include "cli/run_report.h"
#include "cli/runs.h"

enum { KEY_JSON = 'j' };

struct options {
	const char *ledger;
	char *name; /* of the run; borrowed from argv */
	bool as_json;
};

static const struct argp_option option_table[] = {
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
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
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case ARGP_KEY_ARG:
		if (options->name)
			argp_error(state, "one run at a time: '%s' is too much", arg);
		options->name = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which run?");
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static void
write_json(const struct perseus__run *run, struct perseus__text *text)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	perseus__run_json(&json, run);
	perseus__json_close_object(&json);
}

static int
print(const struct options *options, const struct perseus__run *run)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		write_json(run, &text);
	else
		perseus__run_report(run, &text);
	return perseus__print_result(&text);
}

int
perseus__run_runs_show(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__ledger_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "RUN",
		.doc = "Shows all that the ledger has of a run.",
		.children = children,
	};
	struct options options = {.ledger = NULL};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	struct perseus_error err;
	struct perseus__run_list list = {0};
	const enum perseus_status status = perseus__run_list_find(options.ledger, &options.name, 1, &list, &err);
	const int exit_code = status == PERSEUS_OK ? print(&options, &list.runs[0]) : perseus__print_error(&err);
	perseus__run_list_fini(&list);
	return exit_code;
}
