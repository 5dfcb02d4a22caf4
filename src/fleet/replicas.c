/* Checks how many GPUs do the same. */
#include "fleet/replicas.h"

#include "base/error.h"

enum perseus_status
perseus__check_replicas(int32_t n_pipelines, int32_t gpus_per_stage, struct perseus_error *err)
{
	if (n_pipelines >= 1 && gpus_per_stage >= 1)
		return PERSEUS_OK;
	return perseus__fail(err, PERSEUS_INVALID, "pipelines and GPUs per stage must be at least 1, not %d and %d",
			(int)n_pipelines, (int)gpus_per_stage);
}
