/* perseus simulate: what its parts share. */
#ifndef PERSEUS_CLI_SIMULATE_H
#define PERSEUS_CLI_SIMULATE_H

#include "base/text.h"
#include "chart/history.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "format/simulation_json.h"

#include <stdbool.h>
#include <stdint.h>

#include <perseus/simulate.h>
#include <perseus/status.h>

/* What is kept of a run while it goes on; perseus__simulation_watch_init before. */
struct perseus__simulation_watch {
	const struct perseus_simulation *simulation;
	int32_t chosen; /* the policy whose iterations are kept in the history */
	bool has_rows;
	struct perseus__text rows; /* the CSV */
	bool has_history;
	struct perseus__history history; /* as a simulation's picture has it */
	struct perseus__progress progress;
};

/* Free with perseus__simulation_watch_fini. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__simulation_watch_init(struct perseus__simulation_watch *watch,
		const struct perseus_simulation *simulation, int32_t chosen, bool has_rows, bool has_history,
		struct perseus_error *err);

/* For perseus_simulate; `user` is the watch. False where there is no memory for more rows. */
bool perseus__simulation_watch_add(const struct perseus_simulated_iteration *iteration, void *user);

void perseus__simulation_watch_fini(struct perseus__simulation_watch *watch);

/* Adds the report that people read. */
void perseus__simulation_report(const struct perseus__job *job, const struct perseus__simulation_document *document,
		struct perseus__text *text);

/* Draws what was watched, with a history, and what came of it; the extension decides the format. */
PERSEUS_MUST_USE enum perseus_status perseus__simulation_draw(const char *path, const struct perseus__job *job,
		const struct perseus__simulation_document *document, const struct perseus__simulation_watch *watch,
		struct perseus_error *err);

#endif
