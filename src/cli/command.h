/* What a subcommand is, and what all of them share: messages, results and exit codes. */
#ifndef PERSEUS_CLI_COMMAND_H
#define PERSEUS_CLI_COMMAND_H

#include "base/text.h"

#include <perseus/status.h>

/* A row of the command table in main.c. */
struct perseus__subcommand {
	const char *name;
	const char *summary;
	/* argv[0] is "perseus NAME"; returns the exit code. Does not return where argp finds a usage error or --help. */
	int (*run)(int argc, char **argv);
};

int perseus__run_plan(int argc, char **argv);
int perseus__run_frontier(int argc, char **argv);
int perseus__run_allocate(int argc, char **argv);
int perseus__run_pace(int argc, char **argv);
int perseus__run_simulate(int argc, char **argv);
int perseus__run_compare(int argc, char **argv);
int perseus__run_partition(int argc, char **argv);
int perseus__run_profile(int argc, char **argv);
int perseus__run_devices(int argc, char **argv);
int perseus__run_measure(int argc, char **argv);
int perseus__run_runs(int argc, char **argv);
int perseus__run_agent(int argc, char **argv);
int perseus__run_serve(int argc, char **argv);
int perseus__run_token(int argc, char **argv);
int perseus__run_version(int argc, char **argv);

/* Prints an error and returns its exit code. */
int perseus__print_error(const struct perseus_error *err);

/* Prints a note: something to know that is no error. */
void perseus__print_note(const char *format, ...) PERSEUS_PRINTF(1, 2);

/* Writes a result to standard output and frees it; the exit code. A text that failed to grow is out of memory. */
int perseus__print_result(struct perseus__text *text);

/* An empty text with room for any result. */
struct perseus__text perseus__result_text(void);

/* Writes a document to a file; `text` may have failed to grow. */
PERSEUS_MUST_USE enum perseus_status perseus__write_document(
		const char *path, const struct perseus__text *text, struct perseus_error *err);

#endif
