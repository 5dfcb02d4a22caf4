/* perseus runs compare */
#include "cli/runs_compare.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/option_value.h"

#include <string.h>

enum { KEY_PER = 'p', KEY_QUALITY = 'q', KEY_JSON = 'j' };

struct options {
	const char *ledger;
	const char *per;
	char *quality; /* a copy, cut at its colon; owned */
	bool is_higher_better;
	bool as_json;
	char **names; /* of runs; borrowed from argv */
	int n_names;
};

static const struct argp_option option_table[] = {
	{"quality", KEY_QUALITY, "KEY[:lower|higher]", 0,
		"The result to judge beside energy, and which of its values is better (default lower)", 0},
	{"per", KEY_PER, "KEY|run", 0,
		"The result that counts functional units (default tokens where a run has it, else run)", 0},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{0},
};

static void
take_quality(const struct argp_state *state, struct options *options, const char *arg)
{
	static const char *const words[] = {"lower", "higher", NULL};
	perseus__free(options->quality);
	options->quality = perseus__copy_string(arg);
	if (!options->quality) {
		perseus__option_no_memory(state);
		return;
	}
	char *colon = strchr(options->quality, ':');
	options->is_higher_better = colon && perseus__option_word(state, "--quality", colon + 1, words) == 1;
	if (colon)
		*colon = '\0';
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->ledger;
		return 0;
	case KEY_PER:
		options->per = arg;
		return 0;
	case KEY_QUALITY:
		take_quality(state, options, arg);
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case ARGP_KEY_ARGS:
		options->names = state->argv + state->next;
		options->n_names = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (options->n_names < 2)
			argp_error(state, "name two runs or more");
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

/* Whether a run has a result of that key that is a number. */
static bool
is_counted(const struct perseus__run_list *list, const char *key)
{
	for (size_t i = 0; i < list->n_runs; i++) {
		const struct perseus__result *result = perseus__run_result(&list->runs[i], key);
		if (result && result->is_number)
			return true;
	}
	return false;
}

static enum perseus_status
check_key(const struct perseus__run_list *list, const char *option, const char *key, struct perseus_error *err)
{
	if (is_counted(list, key))
		return PERSEUS_OK;
	return perseus__fail(
			err, PERSEUS_INVALID, "%s: none of these runs has a result \"%s\" that is a number", option, key);
}

static enum perseus_status
judge(const struct options *options, const struct perseus__run_list *list, struct perseus__comparison *comparison,
		struct perseus_error *err)
{
	*comparison = (struct perseus__comparison){
		.list = list, .quality = options->quality, .is_higher_better = options->is_higher_better};
	enum perseus_status status = PERSEUS_OK;
	if (options->per && strcmp(options->per, "run") != 0) {
		comparison->per = options->per;
		status = check_key(list, "--per", options->per, err);
	} else if (!options->per && is_counted(list, "tokens")) {
		comparison->per = "tokens";
	}
	if (status == PERSEUS_OK && options->quality)
		status = check_key(list, "--quality", options->quality, err);
	return status == PERSEUS_OK ? perseus__comparison_judge(comparison, err) : status;
}

static int
print(const struct options *options, const struct perseus__run_list *list)
{
	struct perseus_error err;
	struct perseus__comparison comparison;
	if (judge(options, list, &comparison, &err) != PERSEUS_OK)
		return perseus__print_error(&err);
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__comparison_json(&comparison, &text);
	else
		perseus__comparison_report(&comparison, &text);
	const int exit_code = perseus__print_result(&text);
	perseus__runs_note_missing(list);
	perseus__comparison_fini(&comparison);
	return exit_code;
}

int
perseus__run_runs_compare(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__ledger_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "RUN RUN...",
		.doc = "Judges runs by energy beside their quality.",
		.children = children,
	};
	struct options options = {.ledger = NULL};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	struct perseus_error err;
	struct perseus__run_list list = {0};
	const enum perseus_status status =
			perseus__run_list_find(options.ledger, options.names, (size_t)options.n_names, &list, &err);
	const int exit_code = status == PERSEUS_OK ? print(&options, &list) : perseus__print_error(&err);
	perseus__run_list_fini(&list);
	perseus__free(options.quality);
	return exit_code;
}
