/* What partitions are made of, for those who make and those who check them. */
#ifndef PERSEUS_PARTITION_PARTITION_H
#define PERSEUS_PARTITION_PARTITION_H

#include <stdint.h>

#include "partition/layers.h"

#include <perseus/partition.h>

/*
 * Blocking powers of the stages in µW, into `out`, length n_stages. INVALID for a wrong number of them, one that is out
 * of range, or one that over the time of all layers is more than the energy of an instruction may be.
 */
PERSEUS_MUST_USE enum perseus_status perseus__partition_blocking(const struct perseus_layers *layers,
		const struct perseus_partition_settings *settings, int64_t *out, struct perseus_error *err);

#endif
