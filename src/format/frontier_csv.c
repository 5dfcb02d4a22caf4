/* A frontier as CSV. */
#include "format/frontier_csv.h"

#include "format/frontier_sample.h"
#include "format/number.h"

void
perseus__frontier_csv(
		struct perseus__text *text, const struct perseus_frontier *frontier, int32_t n_samples, double scale)
{
	const int32_t n_points = n_samples ? n_samples : perseus_frontier_info(frontier).n_breakpoints;
	perseus__text_addf(text, "iteration_time_s,energy_j,effective_energy_j,marginal_power_w\n");
	for (int32_t i = 0; i < n_points; i++) {
		const struct perseus__frontier_sample sample = perseus__frontier_sample(frontier, n_samples, i, scale);
		char columns[4][PERSEUS__NUMBER_BYTES];
		perseus__double_text((double)sample.time_ns / 1e9, columns[0]);
		perseus__double_text(sample.energy_j, columns[1]);
		perseus__double_text(sample.effective_energy_j, columns[2]);
		perseus__double_text(sample.marginal_power_w, columns[3]);
		perseus__text_addf(text, "%s,%s,%s,%s\n", columns[0], columns[1], columns[2], columns[3]);
	}
}
