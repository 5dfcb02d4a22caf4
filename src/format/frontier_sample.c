/* Points of a frontier. */
#include "format/frontier_sample.h"

__extension__ typedef __int128 wide;

static int64_t
sample_time(const struct perseus_frontier *frontier, int32_t n_samples, int32_t index)
{
	if (n_samples == 0)
		return perseus_frontier_point(frontier, index).time_ns;
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	if (n_samples == 1)
		return info.t_min_ns;
	return info.t_min_ns + (int64_t)((wide)(info.t_star_ns - info.t_min_ns) * index / (n_samples - 1));
}

/* The last vertex that is not after `time_ns`: the frontier is linear from there to the next. */
static struct perseus_frontier_point
vertex_below(const struct perseus_frontier *frontier, int64_t time_ns)
{
	int32_t low = 0;
	int32_t high = perseus_frontier_info(frontier).n_breakpoints;
	while (high - low > 1) {
		const int32_t middle = low + (high - low) / 2;
		if (perseus_frontier_point(frontier, middle).time_ns <= time_ns)
			low = middle;
		else
			high = middle;
	}
	return perseus_frontier_point(frontier, low);
}

struct perseus__frontier_sample
perseus__frontier_sample(const struct perseus_frontier *frontier, int32_t n_samples, int32_t index, double scale)
{
	const int64_t time_ns = sample_time(frontier, n_samples, index);
	return (struct perseus__frontier_sample){
		.time_ns = time_ns,
		.energy_j = perseus_frontier_energy_j(frontier, time_ns) * scale,
		.effective_energy_j = perseus_frontier_effective_energy_j(frontier, time_ns) * scale,
		.marginal_power_w = (double)vertex_below(frontier, time_ns).marginal_power_uw * scale / 1e6,
	};
}
