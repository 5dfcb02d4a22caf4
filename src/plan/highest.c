/* The plan of highest clocks. */
#include "plan/highest.h"

#include "base/error.h"
#include "base/memory.h"

enum perseus_status
perseus__plan_highest(const struct perseus_frontier *frontier, const struct perseus_plan_settings *settings,
		struct perseus_plan **out, struct perseus_error *err)
{
	const size_t n = (size_t)perseus_frontier_schedule(frontier)->n_instructions;
	int32_t *highest = perseus__new_array(n, sizeof *highest); /* 0: the highest there is */
	if (!highest)
		return perseus__no_memory(err);
	const enum perseus_status status = perseus_plan_evaluate(frontier, highest, settings, out, err);
	perseus__free(highest);
	return status;
}
