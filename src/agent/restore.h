/* Settings as they are found, and back again. */
#ifndef PERSEUS_AGENT_RESTORE_H
#define PERSEUS_AGENT_RESTORE_H

#include <stdint.h>

#include "agent/executor.h"
#include "agent/saved.h"

/*
 * What `setting` is now, to be put back later. The power limit and persistence are read. Clocks cannot be: NVML tells
 * the clock of a moment, but has no call that tells the range that holds it. They are taken to be `standing_sm_clocks`,
 * or free. Errors: those of reading; UNSUPPORTED where the device does not take the setting at all.
 */
PERSEUS_MUST_USE enum perseus_status perseus__setting_find(const struct perseus_node *node, int32_t device,
		enum perseus_setting setting, const struct perseus__range *standing_sm_clocks, struct perseus__found *found,
		struct perseus_error *err);

/*
 * Puts back those of `wanted`, a bit set, that are saved, and forgets them, in memory and on disk; those that do not go
 * stay saved. `*n_restored` (may be NULL) grows by the settings put back. Errors: IO with the last reason.
 */
PERSEUS_MUST_USE enum perseus_status perseus__saved_put_back(const struct perseus_node *node, int32_t device,
		int directory, struct perseus__saved *saved, uint32_t wanted, int32_t *n_restored, struct perseus_error *err);

/* perseus__executor_restore in a directory that is open and locked. */
PERSEUS_MUST_USE enum perseus_status perseus__restore_directory(
		const struct perseus_node *node, int directory, int32_t *n_restored, struct perseus_error *err);

#endif
