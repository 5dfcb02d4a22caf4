/* Measurements: options, file and profile. */
#include "cli/input.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/option_value.h"
#include "format/profile_csv.h"

#include <perseus/schedule.h>

#include <string.h>

enum { KEY_BLOCKING_POWER = 'b', KEY_MERGE = 300 };

static const struct {
	const char *class_name;
	const char *option;
	bool first_stage_only;
	bool takes_energy; /* of the GPU, at blocking power unless told otherwise */
} constants[PERSEUS__N_CONSTANTS] = {
	{"data_load", "--data-load", true, true},
	{PERSEUS_TRANSFER_CLASS, "--transfer", false, false},
	{"grad_reduce", "--grad-reduce", false, true},
	{"optimizer_step", "--optimizer-step", false, true},
};

const char *
perseus__constant_class(int index)
{
	return constants[index].class_name;
}

const char *
perseus__constant_option(int index)
{
	return constants[index].option;
}

void
perseus__constant_parse(const struct argp_state *state, struct perseus__input *input, int index, const char *arg)
{
	struct perseus__constant *constant = &input->constants[index];
	const char *option = constants[index].option;
	char *copy = perseus__copy_string(arg);
	if (!copy) {
		perseus__option_no_memory(state);
		return;
	}
	char *colon = strchr(copy, ':');
	if (colon) {
		*colon = '\0';
		constant->has_power = true;
		constant->power_w = perseus__option_number(state, option, colon + 1, PERSEUS_MAX_POWER_W);
	}
	constant->is_given = true;
	constant->time_s = perseus__option_number(state, option, copy, PERSEUS_MAX_TIME_S);
	if (!(constant->time_s > 0))
		argp_error(state, "%s takes SECONDS above zero, not '%s'; leave it out where it takes no time", option, copy);
	perseus__free(copy);
}

static void
take_blocking_power(const struct argp_state *state, int32_t index, const char *piece, void *user)
{
	struct perseus__input *input = user;
	const double power_w = perseus__option_number(state, "--blocking-power", piece, PERSEUS_MAX_POWER_W);
	if (!perseus__reserve(&input->blocking_power_w, &input->cap_blocking_power, (size_t)index + 1, sizeof(double)))
		perseus__option_no_memory(state);
	else
		input->blocking_power_w[index] = power_w;
}

static const char *
argument_name(const struct perseus__input *input)
{
	return input->argument ? input->argument : "PROFILE.csv";
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	static const char *const merges[] = {"mean", "slowest", NULL};
	struct perseus__input *input = state->input;
	switch (key) {
	case KEY_BLOCKING_POWER:
		input->n_blocking_power = perseus__option_list(state, arg, take_blocking_power, input);
		return 0;
	case KEY_MERGE:
		input->merge = perseus__option_word(state, "--merge", arg, merges) ? PERSEUS_MERGE_SLOWEST : PERSEUS_MERGE_MEAN;
		return 0;
	case ARGP_KEY_ARG:
		if (input->path)
			argp_error(state, "'%s' is one argument too many: %s is '%s'", arg, argument_name(input), input->path);
		input->path = arg;
		return 0;
	case ARGP_KEY_END:
		if (!input->path)
			argp_error(state, "%s is missing", argument_name(input));
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Measurements", 1},
	{"blocking-power", KEY_BLOCKING_POWER, "W[,W...]", 0,
		"What a GPU draws while it waits; one value, or one per stage (default 0: waiting is free)", 0},
	{"merge", KEY_MERGE, "mean|slowest", 0,
		"How several rows of one stage, instruction and clock become one: mean time, or the slowest rank's "
		"(default mean); energy is averaged in both",
		0},
	{0},
};

const struct argp perseus__input_argp = {.options = options, .parser = parse_option};

/* Whether there are rows of a class. */
static bool
has_class(const struct perseus_measurement *rows, size_t n_rows, const char *class_name)
{
	for (size_t i = 0; i < n_rows; i++)
		if (strcmp(rows[i].instruction, class_name) == 0)
			return true;
	return false;
}

static double
constant_power(const struct perseus__input *input, int index, int32_t stage)
{
	if (input->constants[index].has_power)
		return input->constants[index].power_w;
	if (!constants[index].takes_energy || input->n_blocking_power == 0)
		return 0;
	/* a list of the wrong length is perseus_profile_new's to refuse */
	const int32_t last = input->n_blocking_power - 1;
	return input->blocking_power_w[stage < last ? stage : last];
}

/* Adds the rows of the constant instructions after the file's `n` rows; returns how many there are then. */
static size_t
add_constants(const struct perseus__input *input, struct perseus_measurement *rows, size_t n, int32_t n_stages)
{
	for (int i = 0; i < PERSEUS__N_CONSTANTS; i++) {
		if (!input->constants[i].is_given)
			continue;
		for (int32_t stage = 0; stage < (constants[i].first_stage_only ? 1 : n_stages); stage++) {
			const double time_s = input->constants[i].time_s;
			rows[n++] = (struct perseus_measurement){.stage = stage,
				.instruction = constants[i].class_name,
				.time_s = time_s,
				.energy_j = time_s * constant_power(input, i, stage)};
		}
	}
	return n;
}

static enum perseus_status
check_constants(const struct perseus__input *input, const struct perseus_measurement *rows, size_t n_rows,
		struct perseus_error *err)
{
	for (int i = 0; i < PERSEUS__N_CONSTANTS; i++)
		if (input->constants[i].is_given && has_class(rows, n_rows, constants[i].class_name))
			return perseus__fail(err, PERSEUS_INVALID,
					"%s is given, but %s has rows of '%s' already: leave one of them out", constants[i].option,
					input->path, constants[i].class_name);
	return PERSEUS_OK;
}

/* The rows given, those of the constant instructions behind them. */
static enum perseus_status
make_profile(const struct perseus__input *input, const struct perseus_measurement *given, size_t n_given,
		struct perseus_profile **out, struct perseus_error *err)
{
	int32_t n_stages = 0;
	for (size_t i = 0; i < n_given; i++)
		if (given[i].stage >= n_stages)
			n_stages = given[i].stage + 1;
	const size_t n_most = n_given + PERSEUS__N_CONSTANTS * (size_t)n_stages;
	struct perseus_measurement *rows = perseus__new_array(n_most, sizeof *rows);
	if (!rows)
		return perseus__no_memory(err);
	memcpy(rows, given, n_given * sizeof *rows);
	const size_t n_rows = add_constants(input, rows, n_given, n_stages);
	const struct perseus_profile_settings settings = {
		.merge = input->merge,
		.blocking_power_w = input->blocking_power_w,
		.n_blocking_power = input->n_blocking_power,
	};
	const enum perseus_status status = perseus_profile_new(rows, n_rows, &settings, out, err);
	perseus__free(rows);
	return status;
}

enum perseus_status
perseus__input_profile(const struct perseus__input *input, const struct perseus_measurement *rows, size_t n_rows,
		struct perseus_profile **out, struct perseus_error *err)
{
	const enum perseus_status status = check_constants(input, rows, n_rows, err);
	return status == PERSEUS_OK ? make_profile(input, rows, n_rows, out, err) : status;
}

enum perseus_status
perseus__input_load(const struct perseus__input *input, struct perseus_profile **out, struct perseus_error *err)
{
	struct perseus__measurements measurements = {0};
	enum perseus_status status = perseus__profile_csv_read(input->path, &measurements, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__input_profile(input, measurements.rows, measurements.n_rows, out, err);
	perseus__measurements_fini(&measurements);
	return status;
}

void
perseus__input_note(const struct perseus__input *input)
{
	if (input->n_blocking_power == 0)
		perseus__print_note("no --blocking-power: waiting was counted as free");
}

void
perseus__input_fini(struct perseus__input *input)
{
	perseus__free(input->blocking_power_w);
	*input = (struct perseus__input){0};
}
