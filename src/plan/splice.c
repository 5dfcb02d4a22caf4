/*
 * Where a piece of the frontier is long, time is traded for energy at one price all along it, and at both its ends the
 * relaxed optimum needs hardly any time that the GPU does not have. Between them any mixture in time of the plans for
 * the two ends is relaxed-optimal, and loses less to rounding than the even mixture that the relaxed optimum itself is.
 */
#include "plan/splice.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"

#include <stdbool.h>
#include <string.h>

enum {
	/* Plans on each side of the deadline, and how many pairs of them are spliced. */
	MAX_SIDE = 10,
	MAX_PAIRS = 6,
	/* A piece of the frontier is long from deadline / 800. */
	LONG_PIECE_SHARE = 800,
};

/* A plan to splice with another. */
struct part {
	int64_t time_ns; /* makespan, or the deadline it was made for if that is longer */
	int64_t energy_nj;
	int32_t *point; /* length n_instructions */
};

struct splice {
	const struct perseus_frontier *frontier;
	int64_t deadline_ns;
	const int32_t *order;
	struct perseus__rounding *rounding;
	struct part shorter[MAX_SIDE];
	struct part longer[MAX_SIDE];
	int32_t n_shorter;
	int32_t n_longer;
	bool is_used[MAX_SIDE][MAX_SIDE];
	int32_t *point; /* length n_instructions: scratch */
	struct perseus__incumbent *incumbent;
};

/* A plan for about `time_ns`: rounding may make it a little longer. */
static enum perseus_status
add_part(struct splice *splice, int64_t time_ns, struct part *part, struct perseus_error *err)
{
	struct perseus_certificate *certificate = NULL;
	part->point = perseus__new_array((size_t)splice->rounding->workload->schedule->n_instructions, sizeof *part->point);
	if (!part->point)
		return perseus__no_memory(err);
	const enum perseus_status status = perseus_frontier_certificate(splice->frontier, time_ns, &certificate, err);
	if (status != PERSEUS_OK)
		return status;
	perseus__rounding_relax(splice->rounding, certificate);
	perseus_certificate_free(certificate);
	const int64_t makespan_ns = perseus__rounding_makespan_ns(splice->rounding);
	part->time_ns = makespan_ns > time_ns ? makespan_ns : time_ns;
	perseus__rounding_reclaim(splice->rounding, part->time_ns);
	part->energy_nj = perseus__rounding_energy_nj(splice->rounding);
	memcpy(part->point, splice->rounding->point,
			(size_t)splice->rounding->workload->schedule->n_instructions * sizeof *part->point);
	return PERSEUS_OK;
}

static bool
is_long(const struct splice *splice, int32_t index)
{
	const int32_t n = perseus_frontier_info(splice->frontier).n_breakpoints;
	if (index < 0 || index + 1 >= n)
		return false;
	const int64_t begin_ns = perseus_frontier_point(splice->frontier, index).time_ns;
	const int64_t end_ns = perseus_frontier_point(splice->frontier, index + 1).time_ns;
	return end_ns - begin_ns >= splice->deadline_ns / LONG_PIECE_SHARE;
}

/* Plans at the ends of the long pieces, and of the frontier, nearest to the deadline on either side. */
static enum perseus_status
add_parts(struct splice *splice, struct perseus_error *err)
{
	const int32_t n = perseus_frontier_info(splice->frontier).n_breakpoints;
	enum perseus_status status = PERSEUS_OK;
	int32_t above = 0;
	while (above < n && perseus_frontier_point(splice->frontier, above).time_ns <= splice->deadline_ns)
		above++;
	for (int32_t k = above; k < n && splice->n_longer < MAX_SIDE && status == PERSEUS_OK; k++)
		if (is_long(splice, k - 1) || is_long(splice, k) || k == n - 1)
			status = add_part(splice, perseus_frontier_point(splice->frontier, k).time_ns,
					&splice->longer[splice->n_longer++], err);
	for (int32_t k = above - 1; k >= 0 && splice->n_shorter < MAX_SIDE && status == PERSEUS_OK; k--)
		if (is_long(splice, k - 1) || is_long(splice, k) || k == 0)
			status = add_part(splice, perseus_frontier_point(splice->frontier, k).time_ns,
					&splice->shorter[splice->n_shorter++], err);
	return status;
}

/* The first `n_first` in the order, the last where `is_reversed`, from the shorter part, the rest from the longer. */
static void
mix(struct splice *splice, const struct part *shorter, const struct part *longer, bool is_reversed, int32_t n_first)
{
	const int32_t n = splice->rounding->workload->schedule->n_instructions;
	for (int32_t k = 0; k < n; k++) {
		const int32_t i = splice->order[is_reversed ? n - 1 - k : k];
		splice->point[i] = k < n_first ? shorter->point[i] : longer->point[i];
	}
	perseus__rounding_set(splice->rounding, splice->point);
}

/* As little as possible of the shorter part. */
static void
try_pair(struct splice *splice, const struct part *shorter, const struct part *longer, bool is_reversed)
{
	int32_t low = 0;
	int32_t high = splice->rounding->workload->schedule->n_instructions;
	while (low < high) {
		const int32_t middle = low + (high - low) / 2;
		mix(splice, shorter, longer, is_reversed, middle);
		if (perseus__rounding_makespan_ns(splice->rounding) <= splice->deadline_ns)
			high = middle;
		else
			low = middle + 1;
	}
	mix(splice, shorter, longer, is_reversed, high);
	perseus__rounding_offer(splice->rounding, splice->incumbent);
}

/* Energy where the parts mix in proportion to time. */
static int64_t
expected_nj(const struct splice *splice, const struct part *shorter, const struct part *longer)
{
	const perseus__wide more_nj = (perseus__wide)longer->energy_nj - shorter->energy_nj;
	return shorter->energy_nj
			+ (int64_t)(more_nj * (splice->deadline_ns - shorter->time_ns) / (longer->time_ns - shorter->time_ns));
}

/* The pair of least expected energy that was not used yet; false where none is left. */
static bool
find_pair(struct splice *splice, struct part **shorter, struct part **longer)
{
	int64_t least_nj = INT64_MAX;
	int32_t best_a = -1;
	int32_t best_b = -1;
	for (int32_t a = 0; a < splice->n_shorter; a++)
		for (int32_t b = 0; b < splice->n_longer; b++) {
			const struct part *first = &splice->shorter[a];
			const struct part *second = &splice->longer[b];
			if (splice->is_used[a][b] || first->time_ns >= splice->deadline_ns
					|| second->time_ns <= splice->deadline_ns)
				continue;
			const int64_t nj = expected_nj(splice, first, second);
			if (nj < least_nj) {
				least_nj = nj;
				best_a = a;
				best_b = b;
			}
		}
	if (best_a < 0)
		return false;
	splice->is_used[best_a][best_b] = true;
	*shorter = &splice->shorter[best_a];
	*longer = &splice->longer[best_b];
	return true;
}

static void
try_pairs(struct splice *splice)
{
	struct part *shorter = NULL;
	struct part *longer = NULL;
	for (int k = 0; k < MAX_PAIRS && find_pair(splice, &shorter, &longer); k++) {
		try_pair(splice, shorter, longer, false);
		try_pair(splice, shorter, longer, true);
	}
}

static void
splice_fini(struct splice *splice)
{
	for (int32_t k = 0; k < splice->n_shorter; k++)
		perseus__free(splice->shorter[k].point);
	for (int32_t k = 0; k < splice->n_longer; k++)
		perseus__free(splice->longer[k].point);
	perseus__free(splice->point);
}

enum perseus_status
perseus__splice(const struct perseus_frontier *frontier, const int32_t *order, struct perseus__rounding *rounding,
		struct perseus__incumbent *incumbent, struct perseus_error *err)
{
	struct splice splice = {.frontier = frontier,
		.deadline_ns = incumbent->deadline_ns,
		.order = order,
		.rounding = rounding,
		.incumbent = incumbent};
	splice.point = perseus__new_array((size_t)rounding->workload->schedule->n_instructions, sizeof *splice.point);
	if (!splice.point)
		return perseus__no_memory(err);
	enum perseus_status status = add_parts(&splice, err);
	if (status == PERSEUS_OK)
		try_pairs(&splice);
	splice_fini(&splice);
	return status;
}
