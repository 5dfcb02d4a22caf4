/* Options of stragglers. What events they make is in straggler_events.c. */
#include "cli/straggler_options.h"

#include "base/memory.h"
#include "cli/duration.h"
#include "cli/option_value.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_STRAGGLER = 600, KEY_RANDOM, KEY_SEED, KEY_TRACE };

static const struct argp_option options_table[] = {
	{NULL, 0, NULL, 0, "Stragglers: where several hold a pipeline up at once, their degrees multiply", 4},
	{"straggler", KEY_STRAGGLER, "PIPELINE:DEGREE[:FROM[-TO]]", 0,
		"That pipeline takes DEGREE times as long, in iterations FROM to TO (default: from 0 to the end); may be "
		"repeated",
		0},
	{"random", KEY_RANDOM, "CAUSE[:KEY=VALUE,...]", 0,
		"Stragglers at random: thermal, input-stall or fail-slow, with every= and lasts=, the mean number of "
		"iterations from one to the next of a pipeline and of each, or times like 12h and 10m, and "
		"degree=LEAST[-GREATEST]; may be repeated",
		0},
	{"seed", KEY_SEED, "N", 0, "Of the random stragglers: the same gives the same (default 0)", 0},
	{"trace", KEY_TRACE, "FILE.csv", 0, "Stragglers as a CSV: iteration (or time_s), pipeline, degree", 0},
	{0},
};

/* Cuts `text` at the first `mark`; what comes behind it, or NULL. */
static char *
cut_at(char *text, char mark)
{
	char *at = strchr(text, mark);
	if (!at)
		return NULL;
	*at = '\0';
	return at + 1;
}

static double
parse_degree(const struct argp_state *state, const char *option, const char *text)
{
	const double degree = perseus__option_number(state, option, text, PERSEUS_MAX_DEGREE);
	if (degree < 1)
		argp_error(state, "%s is 1 or more, not %s: a straggler takes longer, not less", option, text);
	return degree;
}

/* "FROM", "FROM-TO". */
static void
parse_span(const struct argp_state *state, char *text, struct perseus__given_straggler *straggler)
{
	const char *last = cut_at(text, '-');
	straggler->first = perseus__option_count(state, "--straggler: FROM", text, 0, INT32_MAX);
	if (!last)
		return;
	straggler->last = perseus__option_count(state, "--straggler: TO", last, 0, INT32_MAX);
	if (straggler->last < straggler->first)
		argp_error(state, "--straggler %s: it ends before it begins", straggler->text);
}

static void
take_straggler(const struct argp_state *state, struct perseus__straggler_options *options, const char *arg)
{
	char *copy = perseus__copy_string(arg);
	if (!copy
			|| !perseus__reserve(
					&options->given, &options->cap_given, (size_t)options->n_given + 1, sizeof *options->given)) {
		perseus__free(copy);
		perseus__option_no_memory(state);
		return;
	}
	struct perseus__given_straggler straggler = {.text = arg, .last = INT64_MAX};
	char *degree = cut_at(copy, ':');
	char *span = degree ? cut_at(degree, ':') : NULL;
	if (!degree)
		argp_error(state, "--straggler takes PIPELINE:DEGREE[:FROM[-TO]], not '%s'", arg);
	straggler.pipeline = perseus__option_count(state, "--straggler: PIPELINE", copy, 0, INT32_MAX);
	straggler.degree = parse_degree(state, "--straggler: DEGREE", degree ? degree : "");
	if (span)
		parse_span(state, span, &straggler);
	options->given[options->n_given++] = straggler;
	perseus__free(copy);
}

/* A mean number of iterations, or 0 and a length of time. */
static double
parse_mean(const struct argp_state *state, const char *option, const char *text, int64_t *seconds)
{
	static const double MAX_ITERATIONS = 1e12;
	*seconds = 0;
	if (perseus__duration_parse(text, seconds) && *seconds > 0)
		return 0;
	const double iterations = perseus__option_number(state, option, text, MAX_ITERATIONS);
	if (iterations < 1)
		argp_error(state, "%s takes a number of iterations, 1 at least, or a time like 10m, not '%s'", option, text);
	return iterations;
}

/* "LEAST", "LEAST-GREATEST". */
static void
parse_degrees(const struct argp_state *state, char *text, struct perseus_straggler_process *process)
{
	const char *greatest = cut_at(text, '-');
	process->least_degree = parse_degree(state, "--random: degree", text);
	process->greatest_degree = greatest ? parse_degree(state, "--random: degree", greatest) : process->least_degree;
	if (process->greatest_degree < process->least_degree)
		argp_error(state, "--random: degree=%g-%g: the least comes first", process->least_degree,
				process->greatest_degree);
}

static void
take_key(const struct argp_state *state, int32_t index, const char *piece, void *user)
{
	enum { EVERY, LASTS, DEGREE };
	static const char *const keys[] = {[EVERY] = "every", [LASTS] = "lasts", [DEGREE] = "degree", NULL};
	struct perseus__random_cause *cause = user;
	struct perseus_straggler_process *process = &cause->process;
	(void)index;
	char *key = perseus__copy_string(piece);
	if (!key) {
		perseus__option_no_memory(state);
		return;
	}
	char nothing[] = "";
	char *value = cut_at(key, '=');
	value = value ? value : nothing;
	const int which = perseus__option_word(state, "--random", key, keys);
	if (which == EVERY)
		process->mean_between_iterations = parse_mean(state, "--random: every", value, &cause->between_s);
	if (which == LASTS)
		process->mean_duration_iterations = parse_mean(state, "--random: lasts", value, &cause->duration_s);
	if (which == LASTS && process->cause == PERSEUS_STRAGGLER_INPUT_STALL)
		argp_error(state, "--random: an input-stall lasts one iteration, and takes no lasts=");
	if (which == DEGREE)
		parse_degrees(state, value, process);
	perseus__free(key);
}

static void
take_cause(const struct argp_state *state, struct perseus__straggler_options *options, const char *arg)
{
	static const char *const causes[] = {
#define X(name, text) text,
		PERSEUS_STRAGGLER_CAUSE_MAP(X)
#undef X
				NULL
	};
	char *copy = perseus__copy_string(arg);
	if (!copy) {
		perseus__option_no_memory(state);
		return;
	}
	const char *keys = cut_at(copy, ':');
	const int index = perseus__option_word(state, "--random", copy, causes);
	struct perseus__random_cause *cause = &options->causes[index];
	if (cause->is_given)
		argp_error(state, "--random %s is given twice", causes[index]);
	cause->is_given = true;
	cause->process = perseus_straggler_process_default((enum perseus_straggler_cause)index);
	if (keys)
		(void)perseus__option_list(state, keys, take_key, cause);
	perseus__free(copy);
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct perseus__straggler_options *options = state->input;
	switch (key) {
	case KEY_STRAGGLER:
		take_straggler(state, options, arg);
		return 0;
	case KEY_RANDOM:
		take_cause(state, options, arg);
		return 0;
	case KEY_SEED:
		options->seed = perseus__option_count(state, "--seed", arg, 0, INT32_MAX);
		return 0;
	case KEY_TRACE:
		options->trace = arg;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp perseus__straggler_argp = {.options = options_table, .parser = parse_option};

void
perseus__straggler_options_fini(struct perseus__straggler_options *options)
{
	perseus__free(options->given);
	*options = (struct perseus__straggler_options){0};
}
