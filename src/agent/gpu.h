/*
 * One GPU as the executor has it: its leases, what was found of it, and the commands that change it. No socket, no
 * thread: its worker calls, one at a time, and tells the time.
 *
 * What always holds: a setting that anyone holds is saved, in memory and on disk, since before it was first written;
 * and a setting that is saved but held by nobody is put back, at once or, where the device fails, by and by.
 */
#ifndef PERSEUS_AGENT_GPU_H
#define PERSEUS_AGENT_GPU_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "agent/executor.h"
#include "agent/lease.h"
#include "agent/saved.h"

struct perseus__gpu {
	const struct perseus_node *node;
	int32_t device;
	const struct perseus_device_info *info;
	const struct perseus__executor_settings *settings;
	int directory;                /* of the saved settings */
	atomic_ullong *last_lease_id; /* of all GPUs of the executor */
	pthread_mutex_t lock;         /* of `book`: it changes under it, and others read under it */
	struct perseus__lease_book book;
	struct perseus__saved saved;
	uint32_t to_restore; /* bit set of saved settings that nobody holds and that did not go back yet */
	int n_tries;         /* of putting them back */
	int64_t retry_ns;    /* when to try again; INT64_MAX: not before something else happens */
};

/*
 * What a GPU borrows: the node and the settings, until perseus__gpu_fini. Loads what is still saved of it, to be put
 * back by perseus__gpu_tend. Errors: INVALID for a damaged file, INTERNAL where `device` is no GPU, IO, NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__gpu_init(struct perseus__gpu *gpu, const struct perseus_node *node,
		int32_t device, const struct perseus__executor_settings *settings, int directory, atomic_ullong *last_lease_id,
		struct perseus_error *err);

/* Does what a command that passed perseus__check_shape asks for, or refuses it; fills in the whole answer. */
void perseus__gpu_serve(struct perseus__gpu *gpu, const struct perseus__command *command, int64_t now_ns,
		struct perseus__answer *answer);

/* Ends the leases that are over, puts back what they had written, and tries again what did not go back. */
void perseus__gpu_tend(struct perseus__gpu *gpu, int64_t now_ns);

/* When perseus__gpu_tend has something to do; INT64_MAX: never, as it looks now. */
int64_t perseus__gpu_next_ns(const struct perseus__gpu *gpu);

/* The lease of the lowest id above `lease_id`; false where there is none. From any thread. */
bool perseus__gpu_lease_after(struct perseus__gpu *gpu, uint64_t lease_id, struct perseus__lease *lease);

/* Ends all leases and puts everything back, once. IO where something did not go: its file is kept. */
PERSEUS_MUST_USE enum perseus_status perseus__gpu_end_all(struct perseus__gpu *gpu, struct perseus_error *err);

void perseus__gpu_fini(struct perseus__gpu *gpu);

#endif
