/*
 * A trace of power over time, written while it is measured: each sample goes to the file at once, so that whatever ends
 * this process leaves a file that can be read, short of its last row at most.
 */
#ifndef PERSEUS_CLI_TRACE_FILE_H
#define PERSEUS_CLI_TRACE_FILE_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/meter.h>
#include <perseus/status.h>

struct perseus__trace_file {
	const char *path; /* borrowed, as is the node */
	const struct perseus_node *node;
	int file; /* -1: none, or it has failed */
	bool has_begun;
	int64_t begin_ns; /* of the first sample */
	struct perseus__text rows;
	struct perseus_error error; /* of the first write that failed; status OK: none has */
};

/* Creates the file, or empties it, and writes the header. Errors: DENIED, IO, with path and reason; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__trace_file_open(struct perseus__trace_file *trace, const char *path,
		const struct perseus_node *node, struct perseus_error *err);

/* Adds a sample of the devices for which `is_counted`, by their index in the node, is true. */
void perseus__trace_file_add(struct perseus__trace_file *trace, int64_t time_ns, const struct perseus_sample *samples,
		int32_t n_samples, const bool *is_counted);

/* Ends the trace. Errors: that of the first write that failed, else of closing. */
PERSEUS_MUST_USE enum perseus_status perseus__trace_file_close(
		struct perseus__trace_file *trace, struct perseus_error *err);

/* Closes what is still open. */
void perseus__trace_file_fini(struct perseus__trace_file *trace);

#endif
