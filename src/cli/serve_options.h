/* Options of the job server. */
#ifndef PERSEUS_CLI_SERVE_OPTIONS_H
#define PERSEUS_CLI_SERVE_OPTIONS_H

#include <argp.h>

#include "server/serve.h"
#include "service/log.h"

struct perseus__serve_options {
	struct perseus__serve_settings settings;
	const char *addresses[PERSEUS__SERVER_MAX_SOCKETS];
	const char *database; /* NULL: not given */
	char *database_path;  /* owned */
	const char *key_path;
	const char *zeus_solution; /* these NULL: not given */
	const char *zeus_scheduler;
	const char *zeus_dump_dir;
	bool has_no_zeus_dumps;
	int64_t max_idle_s; /* 0: not given */
	bool has_log_level;
	enum perseus__log_level log_level;
};

void perseus__serve_options_init(struct perseus__serve_options *options);

/* Takes a struct perseus__serve_options as input. */
extern const struct argp perseus__serve_argp;

/*
 * What can be put together only when all options are read: key, addresses, the file, and what the environment says for
 * Zeus's clients (`environment`: NULL-terminated). Errors: IO, INVALID, NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__serve_options_finish(
		struct perseus__serve_options *options, char *const *environment, struct perseus_error *err);

/* Also where finishing failed. */
void perseus__serve_options_fini(struct perseus__serve_options *options);

#endif
