/* Bisection over the time of a transfer; each try is one longest path. */
#include "server/lag.h"

#include "base/error.h"
#include "base/memory.h"
#include "dag/dag.h"

struct calibration {
	const struct perseus_schedule *schedule;
	const int64_t *duration_ns;
	struct perseus__dag dag;
	int64_t *lag_ns;   /* length n_edges */
	int64_t *start_ns; /* length n_instructions */
};

/* The longest span of any rank where transfers take this long. */
static int64_t
longest_span_ns(struct calibration *c, int64_t transfer_ns)
{
	const struct perseus_schedule *schedule = c->schedule;
	for (int32_t i = 0; i < schedule->n_edges; i++)
		c->lag_ns[i] = schedule->edges[i].is_transfer ? transfer_ns : 0;
	(void)perseus__dag_earliest(&c->dag, c->duration_ns, c->lag_ns, c->start_ns);
	int64_t longest_ns = 0;
	for (int32_t rank = 0; rank < schedule->n_ranks; rank++) {
		const int32_t first = schedule->rank_begin[rank];
		const int32_t last = schedule->rank_begin[rank + 1] - 1;
		if (last < first)
			continue;
		const int64_t span_ns = c->start_ns[last] + c->duration_ns[last] - c->start_ns[first];
		if (span_ns > longest_ns)
			longest_ns = span_ns;
	}
	return longest_ns;
}

/* The longest time with which the span is not exceeded; 0 where there is none, or where transfers do not matter. */
static int64_t
bisect(struct calibration *c, int64_t span_ns)
{
	int64_t low_ns = 0;
	int64_t high_ns = span_ns;
	if (longest_span_ns(c, high_ns) <= span_ns)
		return 0;
	while (high_ns - low_ns > 1) {
		const int64_t middle_ns = low_ns + (high_ns - low_ns) / 2;
		if (longest_span_ns(c, middle_ns) <= span_ns)
			low_ns = middle_ns;
		else
			high_ns = middle_ns;
	}
	return low_ns;
}

/* No path is longer than all instructions, and a transfer of the whole span before each. */
static enum perseus_status
check_sums(
		const struct perseus_schedule *schedule, const int64_t *duration_ns, int64_t span_ns, struct perseus_error *err)
{
	if (span_ns < 1)
		return perseus__fail(err, PERSEUS_INVALID, "a span of %lld ns: must be above 0", (long long)span_ns);
	int64_t sum_ns;
	if (__builtin_mul_overflow(span_ns, (int64_t)schedule->n_instructions, &sum_ns))
		return perseus__fail(err, PERSEUS_INVALID, "a span of %lld ns is too long", (long long)span_ns);
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		if (duration_ns[i] < 0 || __builtin_add_overflow(sum_ns, duration_ns[i], &sum_ns))
			return perseus__fail(err, PERSEUS_INVALID, "instruction %d takes %lld ns: out of range", (int)i,
					(long long)duration_ns[i]);
	return PERSEUS_OK;
}

enum perseus_status
perseus__lag_calibrate(const struct perseus_schedule *schedule, const int64_t *duration_ns, int64_t span_ns,
		int64_t *transfer_ns, int64_t *predicted_ns, struct perseus_error *err)
{
	enum perseus_status status = check_sums(schedule, duration_ns, span_ns, err);
	if (status)
		return status;
	struct calibration c = {.schedule = schedule, .duration_ns = duration_ns};
	status = perseus__dag_init(&c.dag, schedule->n_instructions, schedule->edges, schedule->n_edges, err);
	if (status)
		return status;
	c.lag_ns = perseus__new_array((size_t)schedule->n_edges, sizeof *c.lag_ns);
	c.start_ns = perseus__new_array((size_t)schedule->n_instructions, sizeof *c.start_ns);
	if (!c.lag_ns || !c.start_ns) {
		status = perseus__no_memory(err);
	} else if (c.dag.n_ordered < c.dag.n_nodes) {
		status = perseus__fail(err, PERSEUS_INVALID, "the schedule has a cycle");
	} else {
		*transfer_ns = bisect(&c, span_ns);
		*predicted_ns = longest_span_ns(&c, *transfer_ns);
	}
	perseus__free(c.lag_ns);
	perseus__free(c.start_ns);
	perseus__dag_fini(&c.dag);
	return status;
}
