/* Partitions, each under the schedule: shortest iteration, energy at the highest clocks and planned. */
#include "cli/partition.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "format/profile_csv.h"

#include <perseus/plan.h>

#include <string.h>

static enum perseus_status
read_layers(struct perseus__partition_compare *compare, struct perseus_error *err)
{
	const struct perseus__input *input = &compare->job.input;
	struct perseus__measurements measurements = {0};
	enum perseus_status status = perseus__layer_csv_read(input->path, &measurements, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_error cause;
	status = perseus_layers_new(measurements.rows, measurements.n_rows, input->merge, &compare->layers, &cause);
	perseus__measurements_fini(&measurements);
	return status == PERSEUS_OK ? status : perseus__fail(err, status, "%s: %s", input->path, cause.message);
}

static enum perseus_status
find_stages(struct perseus__partition_compare *compare, struct perseus_error *err)
{
	const struct perseus__job *job = &compare->job;
	const int64_t from_ranks = (int64_t)job->n_ranks * perseus__job_stages_per_rank(job);
	const int32_t from_boundaries = compare->n_boundaries - 1;
	if (compare->n_boundaries == 0 && job->n_ranks == 0)
		return perseus__fail(err, PERSEUS_INVALID, "--ranks is missing: how many does the pipeline have?");
	if (compare->n_boundaries > 0 && from_boundaries < 1)
		return perseus__fail(err, PERSEUS_INVALID, "--boundaries has one number, which makes no stage");
	if (compare->n_boundaries > 0 && job->n_ranks > 0 && from_boundaries != from_ranks)
		return perseus__fail(err, PERSEUS_INVALID, "--boundaries makes %d stages, but the ranks have %lld",
				(int)from_boundaries, (long long)from_ranks);
	if (from_ranks > perseus_layers_count(compare->layers))
		return perseus__fail(err, PERSEUS_INVALID, "%s: %d layers are too few for %lld stages", job->input.path,
				(int)perseus_layers_count(compare->layers), (long long)from_ranks);
	compare->n_stages = compare->n_boundaries > 0 ? from_boundaries : (int32_t)from_ranks;
	return PERSEUS_OK;
}

/* The stages' profile. Without energies it is there for its times alone, and what it says of energy is not told. */
static enum perseus_status
make_profile(const struct perseus__partition_compare *compare, const struct perseus_partition *partition,
		struct perseus_profile **out, struct perseus_error *err)
{
	const struct perseus__input *input = &compare->job.input;
	if (perseus_layers_have_energy(compare->layers))
		return perseus__input_profile(input, partition->rows, partition->n_rows, out, err);
	struct perseus_measurement *rows = perseus__new_array(partition->n_rows, sizeof *rows);
	if (!rows)
		return perseus__no_memory(err);
	memcpy(rows, partition->rows, partition->n_rows * sizeof *rows);
	for (size_t i = 0; i < partition->n_rows; i++)
		rows[i].energy_j = 0;
	const enum perseus_status status = perseus__input_profile(input, rows, partition->n_rows, out, err);
	perseus__free(rows);
	return status;
}

/* The frontier of a partition. The first one makes the schedule: it depends on the number of stages alone. */
static enum perseus_status
solve(struct perseus__partition_compare *compare, struct perseus__partition_run *run, struct perseus_error *err)
{
	struct perseus__job *job = &compare->job;
	enum perseus_status status = make_profile(compare, run->partition, &run->profile, err);
	job->profile = run->profile;
	if (status == PERSEUS_OK && !job->schedule)
		status = perseus__job_schedule(job, err);
	if (status == PERSEUS_OK)
		status = perseus__job_solve(job, err);
	run->frontier = job->frontier;
	job->frontier = NULL; /* both are the run's */
	job->profile = NULL;
	return status;
}

static enum perseus_status
plan_at(const struct perseus_frontier *frontier, int64_t deadline_ns, struct perseus_outcome *baseline,
		int64_t *energy_nj, struct perseus_error *err)
{
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = deadline_ns;
	struct perseus_plan *plan = NULL;
	const enum perseus_status status = perseus_plan_new(frontier, &settings, &plan, err);
	if (status != PERSEUS_OK)
		return status;
	*baseline = plan->baseline;
	*energy_nj = plan->outcome.energy_nj;
	perseus_plan_free(plan);
	return PERSEUS_OK;
}

/* Index of the first row with the boundaries of row `index`, which may be itself. */
static int32_t
first_alike(const struct perseus__partition_compare *compare, int32_t index)
{
	const size_t bytes = ((size_t)compare->n_stages + 1) * sizeof(int32_t);
	const int32_t *boundaries = compare->runs[index].partition->boundaries;
	int32_t i = 0;
	while (memcmp(compare->runs[i].partition->boundaries, boundaries, bytes) != 0)
		i++;
	return i;
}

static enum perseus_status
add_row(struct perseus__partition_compare *compare, enum perseus_partition_objective objective, int64_t limit_ns,
		struct perseus_error *err)
{
	const struct perseus__input *input = &compare->job.input;
	const struct perseus_partition_settings settings = {
		.objective = objective,
		.n_stages = compare->n_stages,
		.limit_ns = limit_ns,
		.blocking_power_w = input->blocking_power_w,
		.n_blocking_power = input->n_blocking_power,
		.boundaries = compare->boundaries,
	};
	const int32_t index = compare->n_rows;
	struct perseus__partition_run *run = &compare->runs[index];
	enum perseus_status status = perseus_partition_new(compare->layers, &settings, &run->partition, err);
	if (status != PERSEUS_OK)
		return status;
	compare->n_rows++; /* what the run holds is freed from here on */
	struct perseus__partition_row *row = &compare->rows[index];
	const int32_t alike = first_alike(compare, index);
	*row = compare->rows[alike];
	row->partition = run->partition;
	if (alike < index)
		return PERSEUS_OK;
	status = solve(compare, run, err);
	if (status != PERSEUS_OK)
		return status;
	row->iteration_ns = perseus_frontier_info(run->frontier).t_min_ns;
	return plan_at(run->frontier, row->iteration_ns, &row->baseline, &row->energy_nj, err);
}

int32_t
perseus__partition_find(const struct perseus__partition_compare *compare, enum perseus_partition_objective objective)
{
	for (int32_t i = 0; i < compare->n_rows; i++)
		if (compare->rows[i].partition->objective == objective)
			return i;
	return -1;
}

/* The deadline, where none was given: the first that all partitions so far keep. */
static int64_t
common_deadline_ns(const struct perseus__partition_compare *compare)
{
	int64_t slowest_ns = 0;
	for (int32_t i = 0; i < compare->n_rows; i++)
		if (compare->rows[i].iteration_ns > slowest_ns)
			slowest_ns = compare->rows[i].iteration_ns;
	return slowest_ns;
}

/*
 * The limit of the cycle that goes with the deadline: the least bottleneck, as much longer as the deadline is longer
 * than that partition's shortest iteration. The least bottleneck itself for a shorter deadline.
 */
static int64_t
cycle_limit_ns(const struct perseus__partition_compare *compare)
{
	const struct perseus__partition_row *row =
			&compare->rows[perseus__partition_find(compare, PERSEUS_PARTITION_LEAST_BOTTLENECK)];
	const int64_t bottleneck_ns = row->partition->bottleneck_ns;
	if (compare->deadline_ns <= row->iteration_ns)
		return bottleneck_ns;
	const perseus__wide limit_ns = (perseus__wide)bottleneck_ns * compare->deadline_ns / row->iteration_ns;
	return limit_ns < INT64_MAX ? (int64_t)limit_ns : INT64_MAX;
}

static enum perseus_status
add_rows(struct perseus__partition_compare *compare, struct perseus_error *err)
{
	enum perseus_status status = add_row(compare, PERSEUS_PARTITION_EQUAL_LAYERS, 0, err);
	if (status == PERSEUS_OK && compare->n_boundaries > 0)
		status = add_row(compare, PERSEUS_PARTITION_GIVEN, 0, err);
	if (status == PERSEUS_OK)
		status = add_row(compare, PERSEUS_PARTITION_LEAST_IMBALANCE, 0, err);
	if (status == PERSEUS_OK)
		status = add_row(compare, PERSEUS_PARTITION_LEAST_BOTTLENECK, 0, err);
	if (!compare->has_deadline)
		compare->deadline_ns = common_deadline_ns(compare);
	if (status == PERSEUS_OK && perseus_layers_have_energy(compare->layers))
		status = add_row(compare, PERSEUS_PARTITION_LEAST_ENERGY, cycle_limit_ns(compare), err);
	return status;
}

static enum perseus_status
check_deadline(const struct perseus__partition_compare *compare, struct perseus_error *err)
{
	const struct perseus__partition_row *fastest = compare->rows;
	for (int32_t i = 1; i < compare->n_rows; i++)
		if (compare->rows[i].iteration_ns < fastest->iteration_ns)
			fastest = &compare->rows[i];
	if (compare->deadline_ns >= fastest->iteration_ns)
		return PERSEUS_OK;
	return perseus__fail(err, PERSEUS_INFEASIBLE, "none of the partitions keeps %.9f s: the fastest, %s, takes %.9f s",
			(double)compare->deadline_ns / 1e9, perseus_partition_objective_name(fastest->partition->objective),
			(double)fastest->iteration_ns / 1e9);
}

static enum perseus_status
plan_for_deadline(struct perseus__partition_compare *compare, struct perseus_error *err)
{
	for (int32_t i = 0; i < compare->n_rows; i++) {
		struct perseus__partition_row *row = &compare->rows[i];
		const struct perseus_frontier *frontier = compare->runs[first_alike(compare, i)].frontier;
		row->keeps_deadline = row->iteration_ns <= compare->deadline_ns;
		if (!row->keeps_deadline)
			continue;
		struct perseus_outcome baseline = {0};
		const enum perseus_status status =
				plan_at(frontier, compare->deadline_ns, &baseline, &row->deadline_energy_nj, err);
		if (status != PERSEUS_OK)
			return status;
		row->deadline_baseline_nj = baseline.energy_nj;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__partition_compare(struct perseus__partition_compare *compare, struct perseus_error *err)
{
	enum perseus_status status = read_layers(compare, err);
	if (status == PERSEUS_OK)
		status = find_stages(compare, err);
	if (status == PERSEUS_OK)
		status = add_rows(compare, err);
	if (status == PERSEUS_OK)
		status = check_deadline(compare, err);
	return status == PERSEUS_OK ? plan_for_deadline(compare, err) : status;
}

void
perseus__partition_compare_fini(struct perseus__partition_compare *compare)
{
	for (int32_t i = 0; i < compare->n_rows; i++) {
		perseus_frontier_free(compare->runs[i].frontier);
		perseus_profile_free(compare->runs[i].profile);
		perseus_partition_free(compare->runs[i].partition);
	}
	perseus_layers_free(compare->layers);
	perseus__free(compare->boundaries);
	perseus__job_fini(&compare->job);
}
