/*
 * The files in which Zeus's server leaves what it was told, and which its package reads again: below the dump
 * directory, for each job a directory of its id with ranks.json, and for each round n n.sched.json and n.prof.json.
 */
#ifndef PERSEUS_SERVER_ZEUS_DUMP_H
#define PERSEUS_SERVER_ZEUS_DUMP_H

#include "server/zeus_jobs.h"

/* The document ranks.json: a list of the infos of all ranks, by rank. NO_MEMORY shows in the text. */
void perseus__zeus_dump_ranks(struct perseus__text *text, const struct perseus__zeus_job *job);

/* The documents of a round: a list of all results, and of all schedules, by rank. */
void perseus__zeus_dump_results(struct perseus__text *text, const struct perseus__zeus_round *round);
void perseus__zeus_dump_schedules(struct perseus__text *text, const struct perseus__zeus_round *round);

/*
 * Writes a document as `directory`/`id`/`name`, and makes the directories where they are missing.
 * Errors: those of perseus__output_file; NO_MEMORY, also where the text has failed.
 */
PERSEUS_MUST_USE enum perseus_status perseus__zeus_dump_write(const char *directory, const char *id, const char *name,
		const struct perseus__text *text, struct perseus_error *err);

#endif
