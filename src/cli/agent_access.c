/* Options of the agent that say who may do what. */
#include "cli/agent_options.h"

#include "base/memory.h"
#include "cli/option_value.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

static bool
find_id(const char *name, struct perseus__allow *allow)
{
	allow->is_gid = name[0] == '@';
	const struct group *group = allow->is_gid ? getgrnam(name + 1) : NULL;
	const struct passwd *user = allow->is_gid ? NULL : getpwnam(name);
	if (group)
		allow->id = group->gr_gid;
	if (user)
		allow->id = user->pw_uid;
	return group || user;
}

static bool
is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static void
take_gpu(const struct argp_state *state, int32_t index, const char *piece, void *user)
{
	struct perseus__allow *allow = user;
	if (index >= PERSEUS__MAX_GPUS)
		argp_error(state, "--allow: more than %d GPUs", PERSEUS__MAX_GPUS);
	allow->gpu_ids[index] = perseus__option_count(state, "--allow", piece, 0, INT32_MAX);
	allow->n_gpus = index + 1;
}

void
perseus__allow_parse(const struct argp_state *state, const char *arg, struct perseus__allow *allow)
{
	char *name = perseus__copy_string(arg);
	if (!name) {
		perseus__option_no_memory(state);
		return;
	}
	char *colon = strchr(name, ':');
	if (colon) {
		*colon = '\0';
		(void)perseus__option_list(state, colon + 1, take_gpu, allow);
	}
	/* A name goes before a number, as with chown(1). */
	if (!find_id(name, allow)) {
		const bool is_id = is_number(name + allow->is_gid);
		if (!is_id)
			argp_error(state, "--allow: there is no %s '%s'", allow->is_gid ? "group" : "user", name + allow->is_gid);
		else
			allow->id = (uint32_t)perseus__option_count(state, "--allow", name + allow->is_gid, 0, INT32_MAX);
	}
	perseus__free(name);
}

struct groups {
	const char *option;
	uint32_t set;
};

static void
take_group(const struct argp_state *state, int32_t index, const char *piece, void *user)
{
	static const char *const names[] = {
#define X(name, text) text,
		PERSEUS__GROUP_MAP(X)
#undef X
				NULL
	};
	struct groups *groups = user;
	(void)index;
	groups->set |= 1U << perseus__option_word(state, groups->option, piece, names);
}

uint32_t
perseus__groups_parse(const struct argp_state *state, const char *option, const char *arg)
{
	struct groups groups = {.option = option};
	(void)perseus__option_list(state, arg, take_group, &groups);
	return groups.set;
}
