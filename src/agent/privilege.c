/* What the agent's processes may do. */
#include "agent/privilege.h"

#include "base/error.h"
#include "base/memory.h"
#include "service/log.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { DATABASE_BYTES = 65536 };

static enum perseus_status
fail(struct perseus_error *err, const char *what)
{
	return perseus__fail(err, PERSEUS_IO, "cannot %s: %s", what, strerror(errno));
}

static enum perseus_status
find_user(const char *name, char *buffer, struct perseus__user *user, struct perseus_error *err)
{
	struct passwd entry;
	struct passwd *found = NULL;
	const int reason = getpwnam_r(name, &entry, buffer, DATABASE_BYTES, &found);
	if (!found && reason)
		return perseus__fail(err, PERSEUS_IO, "cannot look for user %s: %s", name, strerror(reason));
	if (!found)
		return perseus__fail(err, PERSEUS_INVALID, "there is no user %s", name);
	if (strlen(name) >= sizeof user->name)
		return perseus__fail(err, PERSEUS_INVALID, "the name of user %s is too long", name);
	(void)snprintf(user->name, sizeof user->name, "%s", name);
	user->uid = entry.pw_uid;
	user->gid = entry.pw_gid;
	return PERSEUS_OK;
}

static enum perseus_status
find_group(const char *name, char *buffer, gid_t *gid, struct perseus_error *err)
{
	struct group entry;
	struct group *found = NULL;
	const int reason = getgrnam_r(name, &entry, buffer, DATABASE_BYTES, &found);
	if (!found && reason)
		return perseus__fail(err, PERSEUS_IO, "cannot look for group %s: %s", name, strerror(reason));
	if (!found)
		return perseus__fail(err, PERSEUS_INVALID, "there is no group %s", name);
	*gid = entry.gr_gid;
	return PERSEUS_OK;
}

enum perseus_status
perseus__user_find(const char *name, const char *group, struct perseus__user *user, struct perseus_error *err)
{
	struct perseus__user wanted = {.name = ""};
	char *buffer = perseus__new_array(DATABASE_BYTES, 1);
	if (!buffer)
		return perseus__no_memory(err);
	enum perseus_status status = find_user(name, buffer, &wanted, err);
	if (status == PERSEUS_OK && group)
		status = find_group(group, buffer, &wanted.gid, err);
	perseus__free(buffer);
	if (status == PERSEUS_OK)
		*user = wanted;
	return status;
}

static bool
is_kept(cap_value_t capability, const cap_value_t *kept, int n_kept)
{
	for (int i = 0; i < n_kept; i++)
		if (kept[i] == capability)
			return true;
	return false;
}

/* Shrinks what an executed file could give back. Needs CAP_SETPCAP; without it no_new_privs has to do. */
static void
drop_bounding_set(const cap_value_t *kept, int n_kept)
{
	for (cap_value_t capability = 0; capability < cap_max_bits(); capability++)
		if (!is_kept(capability, kept, n_kept) && cap_get_bound(capability) == 1 && cap_drop_bound(capability) != 0) {
			perseus__log_message(PERSEUS__LOG_DEBUG, "privilege", "the bounding set stays: %s", strerror(errno));
			return;
		}
}

/* Of `kept` those that this process has; nothing inheritable. */
static bool
keep_only(const cap_value_t *kept, int n_kept)
{
	cap_t has = cap_get_proc();
	cap_t wants = cap_init();
	bool is_good = has && wants;
	for (int i = 0; is_good && i < n_kept; i++) {
		cap_flag_value_t is_permitted = CAP_CLEAR;
		is_good = cap_get_flag(has, kept[i], CAP_PERMITTED, &is_permitted) == 0
				&& cap_set_flag(wants, CAP_PERMITTED, 1, &kept[i], is_permitted) == 0
				&& cap_set_flag(wants, CAP_EFFECTIVE, 1, &kept[i], is_permitted) == 0;
	}
	is_good = is_good && cap_set_proc(wants) == 0;
	const int reason = errno;
	(void)cap_free(has);
	(void)cap_free(wants);
	errno = reason;
	return is_good;
}

/* Nobody of the same user shall look into this process, as a debugger does. */
static bool
hide(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* Nothing that is executed shall give more than there is. */
static bool
gain_nothing(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

enum perseus_status
perseus__privilege_executor(bool runs_commands, struct perseus_error *err)
{
	static const cap_value_t kept[] = {CAP_SYS_ADMIN, CAP_KILL};
	enum { N_KEPT = sizeof kept / sizeof *kept };
	if (!runs_commands)
		drop_bounding_set(kept, N_KEPT);
	(void)cap_reset_ambient(); /* an old kernel has none */
	if (!keep_only(kept, N_KEPT))
		return fail(err, "give up capabilities");
	if (!hide() || (!runs_commands && !gain_nothing()))
		return fail(err, "keep from gaining privileges");
	return PERSEUS_OK;
}

/* The last chance to do so is while this is still root. */
static enum perseus_status
become(const struct perseus__user *user, struct perseus_error *err)
{
	if (geteuid() != 0) {
		if (geteuid() != user->uid)
			perseus__log_message(PERSEUS__LOG_WARNING, "privilege", "the front stays user %u: only root can make it %s",
					(unsigned)geteuid(), user->name);
		return PERSEUS_OK;
	}
	if (initgroups(user->name, user->gid) != 0 || setresgid(user->gid, user->gid, user->gid) != 0
			|| setresuid(user->uid, user->uid, user->uid) != 0)
		return fail(err, "become the front's user");
	return PERSEUS_OK;
}

enum perseus_status
perseus__privilege_front(const struct perseus__user *user, pid_t executor, struct perseus_error *err)
{
	drop_bounding_set(NULL, 0);
	(void)cap_reset_ambient(); /* an old kernel has none */
	const enum perseus_status status = user ? become(user, err) : PERSEUS_OK;
	if (status != PERSEUS_OK)
		return status;
	if (geteuid() == 0)
		perseus__log_message(PERSEUS__LOG_WARNING, "privilege", "the front runs as root: give it a user of its own");
	if (!keep_only(NULL, 0))
		return fail(err, "give up capabilities");
	/* After the change of user, which takes the wish for a signal back. */
	if (!hide() || !gain_nothing() || (executor && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0))
		return fail(err, "keep from gaining privileges");
	if (executor && getppid() != executor)
		return perseus__fail(err, PERSEUS_CANCELLED, "the executor has ended");
	return PERSEUS_OK;
}
