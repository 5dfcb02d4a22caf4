/* perseus partition */
#include "cli/partition.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/option_value.h"
#include "format/profile_csv.h"

#include <argp.h>

enum { KEY_BOUNDARIES = 'k', KEY_DEADLINE = 'd', KEY_JSON = 'j', KEY_OUTPUT = 'o', KEY_OBJECTIVE = 500 };

struct options {
	struct perseus__partition_compare compare;
	bool has_objective;
	enum perseus_partition_objective objective;
	bool as_json;
	const char *output; /* borrowed from argv; NULL: not wanted */
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Stages", 4},
	{"boundaries", KEY_BOUNDARIES, "0,N,...,L", 0,
		"Compare this partition as well: the layers at which stages begin, and the number of layers", 0},
	{"deadline", KEY_DEADLINE, "SECONDS", 0,
		"Iteration time at which partitions are compared, and for which least-energy is searched (default: the "
		"shortest that all the others keep)",
		0},
	{NULL, 0, NULL, 0, "Results", 6},
	{"objective", KEY_OBJECTIVE, "WORD", 0,
		"Which partition to write: equal-layers, given, least-imbalance, least-bottleneck or least-energy (default: "
		"the one that takes the least planned energy at the deadline)",
		0},
	{"output", KEY_OUTPUT, "FILE.csv", 0, "Write the profile of its stages, for perseus plan", 0},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{0},
};

static void
take_boundary(const struct argp_state *state, int32_t index, const char *piece, void *user)
{
	struct perseus__partition_compare *compare = user;
	const int32_t layer = perseus__option_count(state, "--boundaries", piece, 0, INT32_MAX);
	if (!perseus__reserve(&compare->boundaries, &compare->cap_boundaries, (size_t)index + 1, sizeof layer))
		perseus__option_no_memory(state);
	else
		compare->boundaries[index] = layer;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	static const char *const objectives[] = {
#define X(name, text) text,
		PERSEUS_PARTITION_MAP(X)
#undef X
				NULL
	};
	struct options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->compare.job;
		return 0;
	case KEY_BOUNDARIES:
		options->compare.n_boundaries = perseus__option_list(state, arg, take_boundary, &options->compare);
		return 0;
	case KEY_DEADLINE:
		options->compare.deadline_ns = perseus__option_scaled(state, "--deadline", arg, 1000000000);
		options->compare.has_deadline = true;
		return 0;
	case KEY_OBJECTIVE:
		options->has_objective = true;
		options->objective =
				(enum perseus_partition_objective)perseus__option_word(state, "--objective", arg, objectives);
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_OUTPUT:
		options->output = arg;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

/*
 * The best of those that keep the deadline: the least planned energy, or without energies the shortest iteration. Of
 * equal ones the last, as what was searched for stands there. One keeps it, or the comparison would have failed.
 */
static int32_t
best_row(const struct perseus__partition_compare *compare)
{
	const bool has_energy = perseus_layers_have_energy(compare->layers);
	int32_t best = -1;
	for (int32_t i = 0; i < compare->n_rows; i++) {
		const struct perseus__partition_row *row = &compare->rows[i];
		if (!row->keeps_deadline)
			continue;
		const bool is_better = best < 0
				|| (has_energy ? row->deadline_energy_nj <= compare->rows[best].deadline_energy_nj
							   : row->iteration_ns <= compare->rows[best].iteration_ns);
		best = is_better ? i : best;
	}
	return best;
}

/* The row to write and to say the worth of. */
static enum perseus_status
find_written(const struct options *options, int32_t *index, struct perseus_error *err)
{
	*index = options->has_objective ? perseus__partition_find(&options->compare, options->objective)
									: best_row(&options->compare);
	if (*index >= 0)
		return PERSEUS_OK;
	if (options->objective == PERSEUS_PARTITION_GIVEN)
		return perseus__fail(err, PERSEUS_INVALID, "--objective given: there are no --boundaries");
	return perseus__fail(err, PERSEUS_INVALID, "--objective %s: %s has no energies",
			perseus_partition_objective_name(options->objective), options->compare.job.input.path);
}

static enum perseus_status
write_profile(const struct options *options, int32_t index, struct perseus_error *err)
{
	if (!options->output)
		return PERSEUS_OK;
	const struct perseus_partition *partition = options->compare.rows[index].partition;
	struct perseus__text text = perseus__result_text();
	perseus__profile_csv_write(&text, partition->rows, partition->n_rows);
	const enum perseus_status status = perseus__write_document(options->output, &text, err);
	perseus__text_fini(&text);
	return status;
}

static int
print_result(const struct options *options, int32_t written)
{
	const struct perseus__partition_compare *compare = &options->compare;
	const int32_t given = perseus__partition_find(compare, PERSEUS_PARTITION_GIVEN);
	const struct perseus__partition_document document = {
		.schedule = compare->job.schedule,
		.rows = compare->rows,
		.n_rows = compare->n_rows,
		.n_layers = perseus_layers_count(compare->layers),
		.has_energy = perseus_layers_have_energy(compare->layers),
		.deadline_ns = compare->deadline_ns,
		.written = written,
		.reference = given >= 0 ? given : perseus__partition_find(compare, PERSEUS_PARTITION_EQUAL_LAYERS),
		.gpus_per_stage = compare->job.gpus_per_stage,
		.n_pipelines = compare->job.n_pipelines,
	};
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__partition_json(&text, &document);
	else
		perseus__partition_report(&text, compare, &document);
	return perseus__print_result(&text);
}

static int
run(struct options *options)
{
	struct perseus_error err;
	int32_t written = -1;
	enum perseus_status status = perseus__partition_compare(&options->compare, &err);
	if (status == PERSEUS_OK)
		status = find_written(options, &written, &err);
	if (status == PERSEUS_OK)
		status = write_profile(options, written, &err);
	return status == PERSEUS_OK ? print_result(options, written) : perseus__print_error(&err);
}

int
perseus__run_partition(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__job_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "LAYERS.csv",
		.doc = "Cuts the layers of a model into pipeline stages: with the least imbalance, the least bottleneck, or "
			   "the least energy at the same iteration time; and says what that is worth beside planned clocks."
			   "\vLAYERS.csv has the columns layer, instruction, frequency, time and, unless times alone were "
			   "measured, energy.",
		.children = children,
	};
	struct options options = {.compare = {.job = perseus__job_init()}};
	options.compare.job.input.argument = "LAYERS.csv";
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	const int exit_code = run(&options);
	perseus__partition_compare_fini(&options.compare);
	return exit_code;
}
