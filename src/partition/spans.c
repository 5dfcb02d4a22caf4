/* Cutting layers into stages where the longest or the shortest counts; sums are in energy.c. */
#include "partition/spans.h"

#include "base/error.h"
#include "base/memory.h"

enum perseus_status
perseus__spans_init(
		struct perseus__spans *spans, const struct perseus_layers *layers, int32_t n_stages, struct perseus_error *err)
{
	const size_t row = (size_t)layers->n_layers + 1;
	*spans = (struct perseus__spans){.layers = layers, .n_layers = layers->n_layers, .n_stages = n_stages};
	spans->forward_ns = perseus__new_array(row * row, sizeof(int64_t));
	spans->cycle_ns = perseus__new_array(row * row, sizeof(int64_t));
	spans->begins = perseus__new_array(row * row, sizeof(int64_t));
	spans->best = perseus__new_array(2 * row, sizeof(int64_t));
	spans->can_end = perseus__new_array(((size_t)n_stages + 1) * row, sizeof(bool));
	if (!spans->forward_ns || !spans->cycle_ns || !spans->begins || !spans->best || !spans->can_end)
		return perseus__no_memory(err);
	for (int32_t first = 0; first < layers->n_layers; first++)
		for (int32_t end = first + 1; end <= layers->n_layers; end++) {
			const struct perseus__span span = {first, end};
			const size_t i = perseus__span_index(spans, first, end);
			spans->forward_ns[i] = perseus__span_time_ns(layers, layers->forward, span);
			spans->cycle_ns[i] = perseus__span_cycle_ns(layers, span);
		}
	return PERSEUS_OK;
}

void
perseus__spans_fini(struct perseus__spans *spans)
{
	perseus__free(spans->forward_ns);
	perseus__free(spans->cycle_ns);
	perseus__free(spans->begins);
	perseus__free(spans->best);
	perseus__free(spans->can_end);
	*spans = (struct perseus__spans){0};
}

struct perseus__bounds
perseus__no_bounds(void)
{
	return (struct perseus__bounds){
		.most_forward_ns = INT64_MAX, .most_cycle_ns = INT64_MAX, .last_slowest = INT32_MAX};
}

bool
perseus__is_within(const struct perseus__spans *spans, struct perseus__bounds bounds, int32_t first, int32_t end)
{
	const size_t i = perseus__span_index(spans, first, end);
	return spans->forward_ns[i] >= bounds.least_forward_ns && spans->forward_ns[i] <= bounds.most_forward_ns
			&& (spans->cycle_ns[i] < bounds.most_cycle_ns
					|| (spans->cycle_ns[i] == bounds.most_cycle_ns && first <= bounds.last_slowest));
}

static int64_t
larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* best[a]: the answer for the layers from `a` on, in as many stages as were done. */
int64_t
perseus__least_largest(struct perseus__spans *spans, const int64_t *values, struct perseus__bounds bounds)
{
	const int32_t n = spans->n_layers;
	int64_t *next = spans->best;
	int64_t *best = spans->best + n + 1;
	for (int32_t a = 0; a <= n; a++)
		next[a] = a == n ? 0 : PERSEUS__NO_WAY;
	for (int32_t s = 0; s < spans->n_stages; s++) {
		for (int32_t a = 0; a <= n; a++) {
			best[a] = PERSEUS__NO_WAY;
			for (int32_t b = a + 1; b <= n; b++)
				if (next[b] < best[a] && perseus__is_within(spans, bounds, a, b))
					best[a] = smaller(best[a], larger(next[b], values[perseus__span_index(spans, a, b)]));
		}
		int64_t *const swap = next;
		next = best;
		best = swap;
	}
	return next[0];
}

/* The mirror image: forwards are above 0, so 0 is no way. */
int64_t
perseus__largest_least_forward(struct perseus__spans *spans, struct perseus__bounds bounds)
{
	const int32_t n = spans->n_layers;
	int64_t *next = spans->best;
	int64_t *best = spans->best + n + 1;
	for (int32_t a = 0; a <= n; a++)
		next[a] = a == n ? INT64_MAX : 0;
	for (int32_t s = 0; s < spans->n_stages; s++) {
		for (int32_t a = 0; a <= n; a++) {
			best[a] = 0;
			for (int32_t b = a + 1; b <= n; b++)
				if (next[b] > best[a] && perseus__is_within(spans, bounds, a, b))
					best[a] = larger(best[a], smaller(next[b], spans->forward_ns[perseus__span_index(spans, a, b)]));
		}
		int64_t *const swap = next;
		next = best;
		best = swap;
	}
	return next[0];
}

void
perseus__narrow(struct perseus__spans *spans, struct perseus__bounds *bounds)
{
	bounds->most_cycle_ns = perseus__least_largest(spans, spans->cycle_ns, *bounds);
	for (int32_t first = 0; first < spans->n_layers; first++)
		for (int32_t end = first + 1; end <= spans->n_layers; end++) {
			const size_t i = perseus__span_index(spans, first, end);
			spans->begins[i] = spans->cycle_ns[i] == bounds->most_cycle_ns ? first : 0;
		}
	bounds->last_slowest = (int32_t)perseus__least_largest(spans, spans->begins, *bounds);
}

void
perseus__front_partition(struct perseus__spans *spans, struct perseus__bounds bounds, int32_t *boundaries)
{
	const int32_t n = spans->n_layers;
	const int32_t p = spans->n_stages;
	const size_t row = (size_t)n + 1;
	/* can_end, row s: whether stages s .. p-1 can cover the layers from there on */
	for (size_t i = 0; i < ((size_t)p + 1) * row; i++)
		spans->can_end[i] = i == (size_t)p * row + (size_t)n;
	for (int32_t s = p - 1; s >= 0; s--)
		for (int32_t a = 0; a < n; a++)
			for (int32_t b = a + 1; b <= n && !spans->can_end[(size_t)s * row + (size_t)a]; b++)
				spans->can_end[(size_t)s * row + (size_t)a] =
						spans->can_end[((size_t)s + 1) * row + (size_t)b] && perseus__is_within(spans, bounds, a, b);
	boundaries[0] = 0;
	for (int32_t s = 0; s < p; s++) {
		int32_t b = n;
		while (!spans->can_end[((size_t)s + 1) * row + (size_t)b]
				|| !perseus__is_within(spans, bounds, boundaries[s], b))
			b--;
		boundaries[s + 1] = b;
	}
}
