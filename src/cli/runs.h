/* `perseus runs`: what its commands share. */
#ifndef PERSEUS_CLI_RUNS_H
#define PERSEUS_CLI_RUNS_H

#include "base/text.h"
#include "meter/ledger.h"
#include "meter/run.h"

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>

#include <perseus/status.h>

int perseus__run_runs_list(int argc, char **argv);
int perseus__run_runs_show(int argc, char **argv);
int perseus__run_runs_compare(int argc, char **argv);
int perseus__run_runs_export(int argc, char **argv);
int perseus__run_runs_note(int argc, char **argv);
int perseus__run_runs_add_result(int argc, char **argv);

/* What --ledger was given: NULL where it was not; borrowed from argv. Input of perseus__ledger_argp. */
extern const struct argp perseus__ledger_argp;

/* Opens that ledger, or the user's own. Errors: as perseus__ledger_path and perseus__ledger_open. */
PERSEUS_MUST_USE enum perseus_status perseus__runs_open(
		const char *option, enum perseus__ledger_mode mode, struct perseus__ledger **out, struct perseus_error *err);

/* Runs of a ledger. Zero before; free with perseus__run_list_fini. */
struct perseus__run_list {
	struct perseus__run *runs; /* length n_runs; owned */
	size_t n_runs;
};

/* Reads the runs of a ledger, see perseus__runs_open, that a filter lets through, newest last. */
PERSEUS_MUST_USE enum perseus_status perseus__run_list_filter(const char *option,
		const struct perseus__ledger_filter *filter, struct perseus__run_list *list, struct perseus_error *err);

/* Reads those that `names`, length `n`, name, in their order. Both leave `*list` untouched on failure. */
PERSEUS_MUST_USE enum perseus_status perseus__run_list_find(
		const char *option, char *const *names, size_t n, struct perseus__run_list *list, struct perseus_error *err);

void perseus__run_list_fini(struct perseus__run_list *list);

/* The numbers of runs that people may want to compute with: a row a run, a column for the key of every result. */
void perseus__runs_csv(const struct perseus__run_list *list, struct perseus__text *text);

/* The same as a JSON document. */
void perseus__runs_json(const struct perseus__run_list *list, struct perseus__text *text);

/* The columns of CodeCarbon's emissions.csv. A run that is not done has no row. */
void perseus__runs_codecarbon(const struct perseus__run_list *list, struct perseus__text *text);

/* Whether every device of a run was measured. False for a run without devices. */
bool perseus__run_is_complete(const struct perseus__run *run);

/* Notes, on standard error, which runs were measured in part, and what they lack. */
void perseus__runs_note_missing(const struct perseus__run_list *list);

/* How a run stands, in a word or two: "exit 0", "signal 9", "running", "lost". */
void perseus__run_end_text(const struct perseus__run *run, struct perseus__text *text);

/* How much of a run was measured: "3/4", "8/8 sim". */
void perseus__run_measured_text(const struct perseus__run *run, struct perseus__text *text);

#endif
