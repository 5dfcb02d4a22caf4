/*
 * What the agent's processes may do, given up step by step. Where a process is not privileged to begin with, there is
 * less to give up; what could not be given up is in the log.
 */
#ifndef PERSEUS_AGENT_PRIVILEGE_H
#define PERSEUS_AGENT_PRIVILEGE_H

#include <stdbool.h>
#include <sys/types.h>

#include <perseus/status.h>

/* Whom the front becomes; found before the fork, as reading the user database may load code. */
struct perseus__user {
	char name[64];
	uid_t uid;
	gid_t gid;
};

/* `name` is a user; `group` a group, NULL for the user's own. INVALID where there is none of that name. */
PERSEUS_MUST_USE enum perseus_status perseus__user_find(
		const char *name, const char *group, struct perseus__user *user, struct perseus_error *err);

/*
 * For the executor, once its devices are open and the front has been forked: keeps CAP_SYS_ADMIN, which NVIDIA's driver
 * asks of whoever changes a clock or a power limit, and CAP_KILL, without which it could not end a front that runs as
 * another user; gives up every other capability, and cannot be traced. `runs_commands`: site commands stand in for the
 * driver (override.h), which may need to gain what the executor has not, as sudo does; else that is made impossible,
 * too. IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__privilege_executor(bool runs_commands, struct perseus_error *err);

/*
 * For the front, before it reads its first byte: becomes `user` (NULL: stays who it is) with the groups of that user,
 * gives up every capability for good, can gain none, and dies with `executor`, its parent (0: there is none). IO;
 * CANCELLED where the executor is dead already.
 */
PERSEUS_MUST_USE enum perseus_status perseus__privilege_front(
		const struct perseus__user *user, pid_t executor, struct perseus_error *err);

#endif
