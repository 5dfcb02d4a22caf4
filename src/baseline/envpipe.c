/*
 * EnvPipe's choice of clocks, after its paper (Choi, Koo, Ahn, Jeon and Kwon, "EnvPipe: Performance-preserving DNN
 * Training Framework for Saving Energy", USENIX ATC 2023). What it does on line, over many iterations, is done here at
 * once, on the profile: it ends where a critical path has no clock left to raise.
 */
#include "baseline/rules.h"

#include "base/error.h"
#include "base/memory.h"
#include "dag/dag.h"

#include <string.h>

struct envpipe {
	const struct perseus__uses *uses;
	const struct perseus__workload *workload;
	int32_t *choice;   /* these of length n_instructions */
	int64_t *time_ns;  /* of each at its choice */
	int64_t *start_ns; /* earliest */
	int64_t *tail_ns;  /* longest path from its start */
	int32_t *path;     /* critical, from the start of the iteration to its end */
	int32_t n_path;
};

static int32_t
choice_of_least_energy(const struct perseus_class *class_)
{
	int32_t best = 0;
	for (int32_t k = 1; k < class_->n_choices; k++)
		if (class_->choices[k].energy_nj < class_->choices[best].energy_nj)
			best = k;
	return best;
}

/* Whether a rank has no clocked instruction of the same stage beyond `i` in the direction of `step`. */
static bool
is_outermost(const struct envpipe *envpipe, int32_t i, int32_t step)
{
	const struct perseus_schedule *schedule = envpipe->workload->schedule;
	const struct perseus_instruction *instruction = &schedule->instructions[i];
	const int32_t begin = schedule->rank_begin[instruction->rank];
	const int32_t end = schedule->rank_begin[instruction->rank + 1];
	for (int32_t k = i + step; k >= begin && k < end; k += step)
		if (schedule->instructions[k].stage == instruction->stage && envpipe->uses->of[k] >= 0)
			return false;
	return true;
}

/* The outer envelope: all of the last stage; of the others what fills and what drains the pipeline. */
static bool
is_in_envelope(const struct envpipe *envpipe, int32_t i)
{
	const struct perseus_schedule *schedule = envpipe->workload->schedule;
	return schedule->instructions[i].stage == schedule->n_stages - 1 || is_outermost(envpipe, i, -1)
			|| is_outermost(envpipe, i, 1);
}

static void
choose_first(struct envpipe *envpipe)
{
	for (int32_t i = 0; i < envpipe->workload->schedule->n_instructions; i++)
		envpipe->choice[i] = envpipe->uses->of[i] < 0 || is_in_envelope(envpipe, i)
				? 0
				: choice_of_least_energy(envpipe->workload->class_of[i]);
}

static bool
is_critical(const struct envpipe *envpipe, int32_t i, int64_t makespan_ns)
{
	return envpipe->start_ns[i] + envpipe->tail_ns[i] == makespan_ns;
}

/* What follows `i` on a critical path; where there is a choice, what another rank waits for. -1 at the end. */
static int32_t
next_on_path(const struct envpipe *envpipe, int32_t i, int64_t makespan_ns)
{
	const struct perseus__dag *dag = &envpipe->workload->dag;
	const struct perseus_instruction *instructions = envpipe->workload->schedule->instructions;
	int32_t next = -1;
	for (int32_t k = dag->successor_begin[i]; k < dag->successor_begin[i + 1]; k++) {
		const struct perseus__link link = dag->successors[k];
		const int64_t ready_ns = envpipe->start_ns[i] + envpipe->time_ns[i] + envpipe->workload->lag_ns[link.edge];
		if (envpipe->start_ns[link.node] != ready_ns || !is_critical(envpipe, link.node, makespan_ns))
			continue;
		if (next < 0 || instructions[next].rank == instructions[i].rank)
			next = link.node;
	}
	return next;
}

static void
find_path(struct envpipe *envpipe)
{
	const struct perseus__workload *workload = envpipe->workload;
	for (int32_t i = 0; i < workload->schedule->n_instructions; i++)
		envpipe->time_ns[i] = workload->class_of[i]->choices[envpipe->choice[i]].time_ns;
	(void)perseus__dag_earliest(&workload->dag, envpipe->time_ns, workload->lag_ns, envpipe->start_ns);
	const int64_t makespan_ns =
			perseus__dag_tails(&workload->dag, envpipe->time_ns, workload->lag_ns, envpipe->tail_ns);
	int32_t at = 0;
	while (envpipe->start_ns[at] != 0 || envpipe->tail_ns[at] != makespan_ns)
		at++;
	for (envpipe->n_path = 0; at >= 0; at = next_on_path(envpipe, at, makespan_ns))
		envpipe->path[envpipe->n_path++] = at;
}

static int32_t
clock_mhz(const struct envpipe *envpipe, int32_t i)
{
	return envpipe->workload->class_of[i]->choices[envpipe->choice[i]].frequency_mhz;
}

/* Raises all that runs at the lowest clock of the path by a step; false where all are at their highest. */
static bool
raise_lowest(struct envpipe *envpipe)
{
	int32_t lowest_mhz = INT32_MAX;
	for (int32_t k = 0; k < envpipe->n_path; k++) {
		const int32_t i = envpipe->path[k];
		if (envpipe->choice[i] > 0 && clock_mhz(envpipe, i) < lowest_mhz)
			lowest_mhz = clock_mhz(envpipe, i);
	}
	for (int32_t k = 0; k < envpipe->n_path; k++) {
		const int32_t i = envpipe->path[k];
		if (envpipe->choice[i] > 0 && clock_mhz(envpipe, i) == lowest_mhz)
			envpipe->choice[i]--;
	}
	return lowest_mhz < INT32_MAX;
}

enum perseus_status
perseus__envpipe_choose(const struct perseus__uses *uses, double knob, int32_t *choice, struct perseus_error *err)
{
	(void)knob;
	const size_t n = (size_t)uses->workload->schedule->n_instructions;
	struct envpipe envpipe = {.uses = uses, .workload = uses->workload, .choice = choice};
	envpipe.time_ns = perseus__new_array(n, sizeof *envpipe.time_ns);
	envpipe.start_ns = perseus__new_array(n, sizeof *envpipe.start_ns);
	envpipe.tail_ns = perseus__new_array(n, sizeof *envpipe.tail_ns);
	envpipe.path = perseus__new_array(n, sizeof *envpipe.path);
	enum perseus_status status = PERSEUS_OK;
	if (envpipe.time_ns && envpipe.start_ns && envpipe.tail_ns && envpipe.path) {
		choose_first(&envpipe);
		do
			find_path(&envpipe);
		while (raise_lowest(&envpipe));
	} else {
		status = perseus__no_memory(err);
	}
	perseus__free(envpipe.time_ns);
	perseus__free(envpipe.start_ns);
	perseus__free(envpipe.tail_ns);
	perseus__free(envpipe.path);
	return status;
}
