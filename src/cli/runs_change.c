/* perseus runs note and add-result */
#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/runs.h"

/* A run and what is written to it: words behind its name. */
struct options {
	const char *ledger;
	char **words; /* the run's name first; borrowed from argv */
	int n_words;
	int min_words;
	int max_words;
	const char *complaint; /* where there are too few or too many */
};

static error_t
parse_option(int key, char *arg, struct argp_state *state) /* NOLINT(readability-non-const-parameter): argp's */
{
	struct options *options = state->input;
	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->ledger;
		return 0;
	case ARGP_KEY_ARGS:
		options->words = state->argv + state->next;
		options->n_words = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (options->n_words < options->min_words || options->n_words > options->max_words)
			argp_error(state, "%s", options->complaint);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&perseus__ledger_argp, 0, NULL, 0}, {0}};

/* Opens the ledger, finds the run, and lets `change` do what it does. */
static int
run_change(const struct options *options,
		enum perseus_status (*change)(
				struct perseus__ledger *ledger, int64_t id, const struct options *options, struct perseus_error *err))
{
	struct perseus_error err;
	struct perseus__ledger *ledger = NULL;
	int64_t id = 0;
	enum perseus_status status = perseus__runs_open(options->ledger, PERSEUS__LEDGER_CHANGE, &ledger, &err);
	if (status == PERSEUS_OK)
		status = perseus__ledger_find(ledger, options->words[0], &id, &err);
	if (status == PERSEUS_OK)
		status = change(ledger, id, options, &err);
	perseus__ledger_close(ledger);
	return status == PERSEUS_OK ? 0 : perseus__print_error(&err);
}

static enum perseus_status
set_note(struct perseus__ledger *ledger, int64_t id, const struct options *options, struct perseus_error *err)
{
	const char *note = options->words[1];
	return perseus__ledger_set_note(ledger, id, *note ? note : NULL, err);
}

/* All of them are understood before the first is written. */
static enum perseus_status
add_results(struct perseus__ledger *ledger, int64_t id, const struct options *options, struct perseus_error *err)
{
	const int n = options->n_words - 1;
	struct perseus__result *results = perseus__new_array((size_t)n, sizeof *results);
	if (!results)
		return perseus__no_memory(err);
	enum perseus_status status = PERSEUS_OK;
	for (int i = 0; i < n && status == PERSEUS_OK; i++)
		status = perseus__result_parse(options->words[i + 1], &results[i], err);
	for (int i = 0; i < n && status == PERSEUS_OK; i++)
		status = perseus__ledger_add_result(ledger, id, &results[i], err);
	perseus__free(results);
	return status;
}

int
perseus__run_runs_note(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_option,
		.args_doc = "RUN TEXT",
		.doc = "Replaces the note of a run. An empty TEXT takes it away.",
		.children = children,
	};
	struct options options = {.min_words = 2, .max_words = 2, .complaint = "takes a run and a text, in quotes"};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	return run_change(&options, set_note);
}

int
perseus__run_runs_add_result(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_option,
		.args_doc = "RUN KEY=VALUE...",
		.doc = "Adds results to a run, in the place of those of the same key.",
		.children = children,
	};
	struct options options = {.min_words = 2, .max_words = argc, .complaint = "takes a run and one KEY=VALUE or more"};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	return run_change(&options, add_results);
}
