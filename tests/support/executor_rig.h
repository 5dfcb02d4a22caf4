/*
 * An executor in a process of its own, on simulated GPUs whose state lies in a file, with the calling process in the
 * place of the front. What fails prints why and aborts: Check and the soak tell the rest.
 */
#ifndef PERSEUS_TESTS_EXECUTOR_RIG_H
#define PERSEUS_TESTS_EXECUTOR_RIG_H

#include "agent/executor.h"
#include "agent/link.h"

#include <stdatomic.h>

enum { RIG_GPUS = 2, RIG_LEAK = 99 };

/* The settings of one GPU as the simulation has them. */
struct rig_state {
	int64_t low[PERSEUS_N_SETTINGS];
	int64_t high[PERSEUS_N_SETTINGS];
};

struct rig {
	char home[64]; /* a directory of its own, in memory where there is such */
	char state_dir[96];
	char spec[160];
	struct perseus_node *node; /* of the calling process */
	struct perseus__executor_settings settings;
	pid_t front; /* does nothing; ends when it is told to */
	pid_t executor;
	int fds[RIG_GPUS + 1]; /* the front's ends, control last, where there is no link; else -1 */
	struct perseus__link *link;
	atomic_int n_gone; /* calls of on_gone */
	struct rig_state found[RIG_GPUS];
};

/* A node, and the settings that a test may change before the start. */
void rig_init(struct rig *rig);

/* Notes the settings of the GPUs, starts a front and an executor; with a link, waits until it serves. */
void rig_start(struct rig *rig, bool has_link);

/* Waits for the executor to end. What it returned, RIG_LEAK, or 1000 + the signal that ended it. */
int rig_wait(struct rig *rig);

/* Ends what still runs, without waiting for good manners, and removes all files. */
void rig_fini(struct rig *rig);

void rig_read(const struct rig *rig, int32_t gpu, struct rig_state *state);

/* Notes the settings of all GPUs as found. */
void rig_note_found(struct rig *rig);

/* Whether the settings of all GPUs are those found at the start; prints the first that is not. */
bool rig_is_as_found(const struct rig *rig);

/* The same, within that time. */
bool rig_becomes_as_found(const struct rig *rig, int64_t patience_ns);

/* Whether there is a file of saved settings for a GPU. */
bool rig_has_file(const struct rig *rig, int32_t gpu);

/* A process that does nothing but be a holder; `uid` is what the front says of it. */
struct perseus__holder rig_process(uint32_t uid);
struct perseus__holder rig_token(const char *name);

/* Kills it, and waits until it is dead. */
void rig_kill(pid_t pid);

/* One command, and its answer's status; `answer` and `err` may be NULL. */
enum perseus_status rig_set(struct rig *rig, int32_t gpu, const struct perseus__holder *holder,
		enum perseus_setting setting, int64_t low, int64_t high, struct perseus__answer *answer);
enum perseus_status rig_send(struct rig *rig, int32_t gpu, const struct perseus__holder *holder,
		enum perseus__command_kind kind, int64_t ttl_ns, struct perseus__answer *answer);

#endif
