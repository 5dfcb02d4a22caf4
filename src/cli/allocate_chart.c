/* The chart of perseus allocate. */
#include "chart/allocation_chart.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/allocate.h"

#include <stdio.h>

enum perseus_status
perseus__allocation_chart(
		const char *path, const struct perseus__allocation_document *document, struct perseus_error *err)
{
	const struct perseus_allocation *allocation = document->allocation;
	struct perseus__allocation_bar *bars = perseus__new_array((size_t)allocation->n_jobs, sizeof *bars);
	if (!bars)
		return perseus__no_memory(err);
	for (int32_t j = 0; j < allocation->n_jobs; j++)
		bars[j] = (struct perseus__allocation_bar){
			.label = document->rows->items[j].name,
			.speed = allocation->jobs[j].speed,
			.even_speed = document->even->jobs[j].speed,
			.power_w = allocation->jobs[j].power_w,
		};
	char heading[160];
	(void)snprintf(heading, sizeof heading,
			"%d job%s under %.6g kW: %.2f %% of the work at full speed (%s), %.2f %% with an even share",
			(int)allocation->n_jobs, allocation->n_jobs == 1 ? "" : "s", allocation->limit_w / 1e3,
			100 * allocation->work / allocation->full_work,
			allocation->rule == PERSEUS_ALLOCATION_FAIR ? "max-min fair" : "the most there can be",
			100 * document->even->work / allocation->full_work);
	const struct perseus__allocation_picture picture = {.heading = heading, .bars = bars, .n_bars = allocation->n_jobs};
	const enum perseus_status status = perseus__chart_allocation(path, &picture, NULL, err);
	perseus__free(bars);
	return status;
}
