/* Criticality and one critical path, from earliest starts and tails. */
#include "chart/critical.h"

#include "base/error.h"
#include "base/memory.h"
#include "dag/dag.h"

/*
 * The predecessor that instruction `at` starts right after, on its own rank if there is a choice, else the first;
 * -1 where it starts with the iteration.
 */
static int32_t
tight_predecessor(
		const struct perseus__workload *workload, const int64_t *duration_ns, const int64_t *start_ns, int32_t at)
{
	const struct perseus__dag *dag = &workload->dag;
	const struct perseus_instruction *instructions = workload->schedule->instructions;
	int32_t found = -1;
	for (int32_t k = dag->predecessor_begin[at]; k < dag->predecessor_begin[at + 1]; k++) {
		const struct perseus__link link = dag->predecessors[k];
		if (start_ns[link.node] + duration_ns[link.node] + workload->lag_ns[link.edge] != start_ns[at])
			continue;
		if (found < 0 || instructions[link.node].rank == instructions[at].rank)
			found = link.node;
	}
	return found;
}

/* Follows tight predecessors back from the first instruction that ends last. */
static void
trace_path(struct perseus__critical *critical, const struct perseus__workload *workload, const int64_t *duration_ns,
		const int64_t *start_ns, int64_t makespan_ns)
{
	const int32_t n = workload->schedule->n_instructions;
	int32_t at = -1;
	for (int32_t i = 0; i < n && at < 0; i++)
		if (start_ns[i] + duration_ns[i] == makespan_ns)
			at = i;
	int32_t begin = n;
	while (at >= 0) {
		critical->path[--begin] = at;
		at = tight_predecessor(workload, duration_ns, start_ns, at);
	}
	critical->n_path = n - begin;
	for (int32_t i = 0; i < critical->n_path; i++)
		critical->path[i] = critical->path[begin + i];
}

enum perseus_status
perseus__critical_init(struct perseus__critical *critical, const struct perseus__workload *workload,
		const int64_t *duration_ns, struct perseus_error *err)
{
	const size_t n = (size_t)workload->schedule->n_instructions;
	struct perseus__critical found = {
		.is_critical = perseus__new_array(n, sizeof *found.is_critical),
		.path = perseus__new_array(n, sizeof *found.path),
	};
	int64_t *start_ns = perseus__new_array(n, sizeof *start_ns);
	int64_t *tail_ns = perseus__new_array(n, sizeof *tail_ns);
	enum perseus_status status = PERSEUS_OK;
	if (!found.is_critical || !found.path || !start_ns || !tail_ns) {
		status = perseus__no_memory(err);
		goto fail;
	}
	const int64_t makespan_ns = perseus__dag_earliest(&workload->dag, duration_ns, workload->lag_ns, start_ns);
	(void)perseus__dag_tails(&workload->dag, duration_ns, workload->lag_ns, tail_ns); /* the same makespan */
	for (size_t i = 0; i < n; i++)
		found.is_critical[i] = start_ns[i] + tail_ns[i] == makespan_ns;
	trace_path(&found, workload, duration_ns, start_ns, makespan_ns);
	*critical = found;
	found = (struct perseus__critical){0};
fail:
	perseus__critical_fini(&found);
	perseus__free(start_ns);
	perseus__free(tail_ns);
	return status;
}

void
perseus__critical_fini(struct perseus__critical *critical)
{
	perseus__free(critical->is_critical);
	perseus__free(critical->path);
	*critical = (struct perseus__critical){0};
}
