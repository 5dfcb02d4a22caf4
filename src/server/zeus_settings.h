/*
 * What is to be done for Zeus's clients, and how the environment of Zeus's own server says it: ZEUS_PFO_SCHEDULER,
 * ZEUS_PFO_SCHEDULER_ARGS, ZEUS_PFO_LOG_LEVEL, ZEUS_PFO_DUMP_DATA, ZEUS_PFO_DUMP_DIR and ZEUS_PFO_MAX_JOB_IDLE_TIME, in
 * upper or lower case.
 */
#ifndef PERSEUS_SERVER_ZEUS_SETTINGS_H
#define PERSEUS_SERVER_ZEUS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/zeus_jobs.h"

struct perseus__zeus_settings {
	enum perseus__zeus_scheduler scheduler;
	char *solution_path; /* owned; NULL: none, and no job can be registered */
	char *dump_dir;      /* owned */
	bool has_dumps;
	int64_t max_idle_s; /* a job at which nothing happens for longer is dropped */
	char *log_level;    /* as it was given, owned; NULL: not given */
};

/* As Zeus's server has them: PointSolution without a file, dumps below ./dump, a week. NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_settings_init(
		struct perseus__zeus_settings *settings, struct perseus_error *err);

void perseus__zeus_settings_fini(struct perseus__zeus_settings *settings);

/*
 * Takes over what an environment (a NULL-terminated list of "NAME=value") says by ZEUS_PFO_*; other names are left
 * alone, and so are unknown ones of that prefix. INVALID with name and reason; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_settings_read(
		struct perseus__zeus_settings *settings, char *const *environment, struct perseus_error *err);

/* The same from one name without its prefix ("SCHEDULER", "dump_dir") and its value. INVALID, NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_settings_set(
		struct perseus__zeus_settings *settings, const char *name, const char *value, struct perseus_error *err);

/* Copies a path or a level into one of the owned texts. NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_settings_text(
		char **text, const char *value, struct perseus_error *err);

#endif
