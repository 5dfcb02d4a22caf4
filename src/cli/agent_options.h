/* Options of the agent: those of `zeusd serve`, which `zeusd` takes alone, and ours beside them. */
#ifndef PERSEUS_CLI_AGENT_OPTIONS_H
#define PERSEUS_CLI_AGENT_OPTIONS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/agent.h"
#include "cli/node_options.h"
#include "service/log.h"

enum { PERSEUS__MAX_ALLOW = 64 };

enum perseus__agent_mode { PERSEUS__MODE_UDS, PERSEUS__MODE_TCP, PERSEUS__MODE_BOTH };

struct perseus__agent_options {
	struct perseus__node_options node; /* input of perseus__node_argp */
	struct perseus__agent_settings settings;
	struct perseus__allow allow[PERSEUS__MAX_ALLOW];
	bool is_zeusd;
	bool wants_amdsmi;
	bool has_mode;
	enum perseus__agent_mode mode;
	const char *socket_path;
	const char *tcp_address;
	bool has_tcp_address;
	const char *key_path;
	bool wants_restore;
	enum perseus__log_level log_level;
};

/* Defaults; `as_zeusd`: those of zeusd. */
void perseus__agent_options_init(struct perseus__agent_options *options, bool as_zeusd);

/* Both take a struct perseus__agent_options as input. */
extern const struct argp perseus__serve_argp;
extern const struct argp perseus__agent_argp;

/*
 * What can be put together only when all options are read: sockets, and the signing key, whose bytes are the caller's
 * to free (settings.front.key). Errors: IO, INVALID.
 */
PERSEUS_MUST_USE enum perseus_status perseus__agent_options_finish(
		struct perseus__agent_options *options, struct perseus_error *err);

/* "alice", "1000", "@gpu", each with ":0,3" where it is about some GPUs only. Ends the program with a usage message. */
void perseus__allow_parse(const struct argp_state *state, const char *arg, struct perseus__allow *allow);

/* The groups of a list "gpu-control,gpu-read". Ends the program with a usage message. */
uint32_t perseus__groups_parse(const struct argp_state *state, const char *option, const char *arg);

#endif
