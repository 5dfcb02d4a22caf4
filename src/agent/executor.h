/*
 * The privileged half of the agent: the only process that writes to hardware. It parses nothing but struct
 * perseus__command, keeps the leases, saves the settings found before a lease's first write, and puts them back when
 * the lease ends, by release, expiry, death of the holder, end of the front, SIGTERM, or at its next start.
 */
#ifndef PERSEUS_AGENT_EXECUTOR_H
#define PERSEUS_AGENT_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/protocol.h"

/* Values that a range allows; both 0: whatever the device takes. */
struct perseus__range {
	int64_t low;
	int64_t high;
};

struct perseus__executor_settings {
	const char *state_dir; /* where settings found are saved, e.g. /run/perseus/saved; made where missing, mode 0700 */
	struct perseus__range ranges[PERSEUS_N_SETTINGS]; /* in the setting's unit */
	int64_t lease_ttl_ns;                             /* of TOKEN and PEER leases that name none */
	int64_t max_lease_ttl_ns;
	/* Clocks that hold where no lease does, for each GPU or all the same; NVML has no call that tells. Both 0: free. */
	struct perseus__range standing_sm_clocks;
	bool is_lenient_memory_clocks; /* MEMORY_CLOCKS that the device does not support: OK, as Zeus' client needs */
};

/*
 * Runs until SIGTERM, SIGINT or SIGHUP, or until the front is gone; then puts every setting back. `ends` stay the
 * caller's. First of all restores what a predecessor left in `state_dir`. `front` is the child process; told to end by
 * SIGTERM, and waited for.
 * The caller has dropped every capability but those that NVML needs. Before any thread: it blocks those signals and
 * ignores SIGPIPE, and leaves it so. Returns OK after an orderly end; else an error: INVALID for settings or a damaged
 * file of saved ones, BUSY where another agent has `state_dir`, DENIED where others could write into it, IO where the
 * front died or a setting could not be put back, INTERNAL where a message was malformed.
 */
PERSEUS_MUST_USE enum perseus_status perseus__executor_run(const struct perseus_node *node,
		const struct perseus__ends *ends, pid_t front, const struct perseus__executor_settings *settings,
		struct perseus_error *err);

/*
 * Puts back what the files of `state_dir` say was found, and removes them: what a start does, and `perseus agent
 * --restore`, the unit's last resort. `*n_restored` counts settings. A device that is not there keeps its file; IO
 * then, or where a device refuses, naming each.
 */
PERSEUS_MUST_USE enum perseus_status perseus__executor_restore(
		const struct perseus_node *node, const char *state_dir, int32_t *n_restored, struct perseus_error *err);

#endif
