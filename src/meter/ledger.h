/*
 * The ledger of runs: one SQLite file, which any number of processes read and write at once, and which a process may
 * be killed over at any moment. What was acknowledged is on disk.
 */
#ifndef PERSEUS_METER_LEDGER_H
#define PERSEUS_METER_LEDGER_H

#include "meter/run.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

struct perseus__ledger;

/* What a ledger is opened for. */
enum perseus__ledger_mode {
	PERSEUS__LEDGER_READ,   /* it must be there; it may be read-only */
	PERSEUS__LEDGER_CHANGE, /* it must be there */
	PERSEUS__LEDGER_CREATE, /* it is made, and its directories, where it is not there */
};

/*
 * Opens the ledger in the file `path`, of this version or an earlier one, which is brought up to this unless it is only
 * read. Close with perseus__ledger_close.
 * Errors, all with the path: IO where it is not there, cannot be read or written, or its disk is full; DENIED where the
 * system forbids it; INVALID for a file that is no ledger, is damaged, or is of a later version; BUSY; NO_MEMORY.
 * Functions below fail in the same ways.
 */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_open(
		const char *path, enum perseus__ledger_mode mode, struct perseus__ledger **out, struct perseus_error *err);

void perseus__ledger_close(struct perseus__ledger *ledger);

/*
 * Notes that `run` begins, in state RUNNING, as a run of the calling process; fills in its id, and a uuid where it has
 * none. Of the run, begin_ms and what it is are kept; the rest is for perseus__ledger_finish_run.
 */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_begin_run(
		struct perseus__ledger *ledger, struct perseus__run *run, struct perseus_error *err);

/*
 * Keeps all of a run that perseus__ledger_begin_run noted, which is then DONE: end, devices, factors, footprint,
 * results, note. All of it or, on failure, nothing. INVALID where the run is not RUNNING in this ledger.
 */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_finish_run(
		struct perseus__ledger *ledger, const struct perseus__run *run, struct perseus_error *err);

/* The run that `name` names: its id, or at least four digits of how its uuid begins. INVALID for none or several. */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_find(
		struct perseus__ledger *ledger, const char *name, int64_t *id, struct perseus_error *err);

/*
 * Reads a run, all of it. A run still RUNNING of a process that is gone is LOST. INVALID where there is none. Free with
 * perseus__run_fini; `*out` is untouched on failure.
 */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_get(
		struct perseus__ledger *ledger, int64_t id, struct perseus__run *out, struct perseus_error *err);

/* Which runs. Zero: all. */
struct perseus__ledger_filter {
	bool has_since;
	int64_t since_ms;    /* begun then or later */
	const char *command; /* part of the command line, its arguments joined by blanks; NULL: any */
	const char *host;    /* NULL: any */
	int64_t limit;       /* so many of the latest; 0: all */
};

/* Their ids, by begin, newest last; `*ids` is freed with perseus__free, NULL where there is none. */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_list(struct perseus__ledger *ledger,
		const struct perseus__ledger_filter *filter, int64_t **ids, size_t *n_ids, struct perseus_error *err);

/* Adds a result to a run, in the place of one with the same key. INVALID where there is no such run. */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_add_result(
		struct perseus__ledger *ledger, int64_t id, const struct perseus__result *result, struct perseus_error *err);

/* Replaces the note of a run; NULL: none any more. INVALID where there is no such run. */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_set_note(
		struct perseus__ledger *ledger, int64_t id, const char *note, struct perseus_error *err);

#endif
