/* Points of a frontier as reports show them: every breakpoint, or evenly spread in time. */
#ifndef PERSEUS_FORMAT_FRONTIER_SAMPLE_H
#define PERSEUS_FORMAT_FRONTIER_SAMPLE_H

#include <stdint.h>

#include <perseus/frontier.h>

struct perseus__frontier_sample {
	int64_t time_ns;
	double energy_j;           /* waiting of all ranks over the iteration included */
	double effective_energy_j; /* over waiting */
	double marginal_power_w;   /* effective energy saved per second more, just above this time */
};

/* Sample `index` of `n_samples` from T_min to T*; n_samples 0: breakpoint `index`. Energies are times `scale`. */
struct perseus__frontier_sample perseus__frontier_sample(
		const struct perseus_frontier *frontier, int32_t n_samples, int32_t index, double scale);

#endif
