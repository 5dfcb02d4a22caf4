/*
 * Finds deadlocks with the topological order of the DAG and explains them by the blocked head of every rank.
 */
#include "pipeline/deadlock.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "dag/dag.h"

/* Room for "... and 4095 more ranks" behind the heads that fit. */
enum { TAIL_BYTES = 40, HEAD_BYTES = 160 };

static void
describe_head(struct perseus__text *text, const struct perseus_schedule *schedule, const struct perseus__dag *dag,
		const bool *runs, int32_t head)
{
	char waits[HEAD_BYTES / 2], for_what[HEAD_BYTES / 2];
	perseus_instruction_text(&schedule->instructions[head], waits, sizeof waits);
	for (int32_t k = dag->predecessor_begin[head]; k < dag->predecessor_begin[head + 1]; k++) {
		const int32_t blocker = dag->predecessors[k].node;
		if (runs[blocker])
			continue;
		perseus_instruction_text(&schedule->instructions[blocker], for_what, sizeof for_what);
		perseus__text_addf(text, "rank %d: %s waits for %s", schedule->instructions[head].rank, waits, for_what);
		return;
	}
}

static enum perseus_status
describe(const struct perseus_schedule *schedule, const struct perseus__dag *dag, struct perseus_error *err)
{
	bool *runs = perseus__new_array((size_t)dag->n_nodes, sizeof *runs);
	if (!runs)
		return perseus__no_memory(err);
	for (int32_t i = 0; i < dag->n_ordered; i++)
		runs[dag->order[i]] = true;
	struct perseus__text text = perseus__text_init(PERSEUS_ERROR_MESSAGE_BYTES - TAIL_BYTES);
	perseus__text_addf(&text, "schedule %.60s deadlocks: ", schedule->name);
	int32_t n_left_out = 0;
	const char *separator = "";
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		int32_t head = schedule->rank_begin[rank];
		while (head < schedule->rank_begin[rank + 1] && runs[head])
			head++;
		if (head == schedule->rank_begin[rank + 1])
			continue;
		if (n_left_out > 0 || text.length + HEAD_BYTES + 40 > text.max_length) {
			n_left_out++;
			continue;
		}
		perseus__text_addf(&text, "%s", separator);
		describe_head(&text, schedule, dag, runs, head);
		separator = "; ";
	}
	if (n_left_out > 0)
		text.max_length = PERSEUS_ERROR_MESSAGE_BYTES;
	if (n_left_out > 0)
		perseus__text_addf(&text, "; and %d more rank%s", n_left_out, n_left_out == 1 ? "" : "s");
	const enum perseus_status status =
			text.failed ? perseus__no_memory(err) : perseus__fail(err, PERSEUS_INVALID, "%s", text.bytes);
	perseus__text_fini(&text);
	perseus__free(runs);
	return status;
}

enum perseus_status
perseus__deadlock_check(const struct perseus_schedule *schedule, struct perseus_error *err)
{
	struct perseus__dag dag;
	enum perseus_status status =
			perseus__dag_init(&dag, schedule->n_instructions, schedule->edges, schedule->n_edges, err);
	if (status != PERSEUS_OK)
		return status;
	if (dag.n_ordered < dag.n_nodes)
		status = describe(schedule, &dag, err);
	perseus__dag_fini(&dag);
	return status;
}
