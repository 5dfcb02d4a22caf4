/* perseus runs export */
#include "cli/command.h"
#include "cli/option_value.h"
#include "cli/runs.h"

enum { KEY_FORMAT = 'f', KEY_OUTPUT = 'o' };

/* Formats by word; the first is the default. */
static const struct {
	const char *word;
	void (*write)(const struct perseus__run_list *list, struct perseus__text *text);
} formats[] = {
	{"codecarbon", perseus__runs_codecarbon},
	{"csv", perseus__runs_csv},
	{"json", perseus__runs_json},
};

enum { N_FORMATS = sizeof formats / sizeof *formats };

struct options {
	const char *ledger;
	const char *output; /* NULL: standard output */
	int format;
	char **names; /* of runs; borrowed from argv */
	int n_names;  /* 0: all */
};

static const struct argp_option option_table[] = {
	{"format", KEY_FORMAT, "codecarbon|csv|json", 0,
		"The columns of CodeCarbon's emissions.csv, those of 'runs list --csv', or JSON (default codecarbon)", 0},
	{"output", KEY_OUTPUT, "FILE", 0, "Write to FILE (default: standard output)", 0},
	{0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	const char *words[N_FORMATS + 1] = {NULL};
	for (int i = 0; i < N_FORMATS; i++)
		words[i] = formats[i].word;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->ledger;
		return 0;
	case KEY_FORMAT:
		options->format = perseus__option_word(state, "--format", arg, words);
		return 0;
	case KEY_OUTPUT:
		options->output = arg;
		return 0;
	case ARGP_KEY_ARGS:
		options->names = state->argv + state->next;
		options->n_names = state->argc - state->next;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static int
write(const struct options *options, const struct perseus__run_list *list)
{
	struct perseus_error err;
	struct perseus__text text = perseus__result_text();
	formats[options->format].write(list, &text);
	int exit_code = 0;
	if (!options->output)
		exit_code = perseus__print_result(&text);
	else if (perseus__write_document(options->output, &text, &err) != PERSEUS_OK)
		exit_code = perseus__print_error(&err);
	perseus__text_fini(&text);
	return exit_code;
}

int
perseus__run_runs_export(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__ledger_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "[RUN...]",
		.doc = "Writes runs, or all of the ledger, for other programs. What is not known is left empty.",
		.children = children,
	};
	struct options options = {.ledger = NULL};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	static const struct perseus__ledger_filter all = {0};
	struct perseus_error err;
	struct perseus__run_list list = {0};
	const enum perseus_status status = options.n_names > 0
			? perseus__run_list_find(options.ledger, options.names, (size_t)options.n_names, &list, &err)
			: perseus__run_list_filter(options.ledger, &all, &list, &err);
	if (status == PERSEUS_OK)
		perseus__runs_note_missing(&list);
	const int exit_code = status == PERSEUS_OK ? write(&options, &list) : perseus__print_error(&err);
	perseus__run_list_fini(&list);
	return exit_code;
}
