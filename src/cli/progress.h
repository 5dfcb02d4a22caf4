/* How far a long computation is, on standard error where that is a terminal; quiet in a pipe. */
#ifndef PERSEUS_CLI_PROGRESS_H
#define PERSEUS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct perseus__progress {
	const char *what;
	bool is_terminal;
	bool is_shown; /* something is on the line */
	int64_t next_ns;
};

/* `what` is shown before the percentage and borrowed. */
struct perseus__progress perseus__progress_init(const char *what);

/* Shows a fraction, 0..1; `user` is a struct perseus__progress. Shows nothing in the first half second. */
void perseus__progress_show(double fraction, void *user);

/* Clears the line. */
void perseus__progress_fini(struct perseus__progress *progress);

#endif
