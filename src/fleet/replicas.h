/* How many GPUs do the same at the same time: those of a stage, and the pipelines. */
#ifndef PERSEUS_FLEET_REPLICAS_H
#define PERSEUS_FLEET_REPLICAS_H

#include <stdint.h>

#include <perseus/status.h>

/* INVALID where a count is below 1. */
PERSEUS_MUST_USE enum perseus_status perseus__check_replicas(
		int32_t n_pipelines, int32_t gpus_per_stage, struct perseus_error *err);

#endif
