/* A trace of power over time, see the header. */
#include "cli/trace_file.h"

#include "base/error.h"
#include "device/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ROWS_BYTES = 1 << 20 };

static enum perseus_status
fail(const char *path, int reason, struct perseus_error *err)
{
	const bool is_denied = reason == EACCES || reason == EPERM || reason == EROFS;
	return perseus__fail(err, is_denied ? PERSEUS_DENIED : PERSEUS_IO, "cannot write %s: %s", path, strerror(reason));
}

/* Writes the rows and empties them; the first failure is the last write. */
static void
put(struct perseus__trace_file *trace)
{
	size_t done = 0;
	while (trace->file >= 0 && !trace->rows.failed && done < trace->rows.length) {
		const ssize_t n = write(trace->file, trace->rows.bytes + done, trace->rows.length - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			(void)fail(trace->path, errno, &trace->error);
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (trace->rows.failed)
		(void)perseus__no_memory(&trace->error);
	if (trace->file >= 0 && trace->error.status != PERSEUS_OK) {
		(void)close(trace->file);
		trace->file = -1;
	}
	trace->rows.length = 0;
}

enum perseus_status
perseus__trace_file_open(
		struct perseus__trace_file *trace, const char *path, const struct perseus_node *node, struct perseus_error *err)
{
	*trace = (struct perseus__trace_file){
		.path = path,
		.node = node,
		.file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666),
		.rows = perseus__text_init(MAX_ROWS_BYTES),
	};
	if (trace->file < 0)
		return fail(path, errno, err);
	perseus__trace_write_header(&trace->rows);
	put(trace);
	if (trace->error.status == PERSEUS_OK)
		return PERSEUS_OK;
	*err = trace->error;
	perseus__trace_file_fini(trace);
	return trace->error.status;
}

/* The name, which says so where the device is simulated. */
static void
name_of(const struct perseus_device_info *info, char name[PERSEUS_DEVICE_TEXT_BYTES])
{
	static const char simulated[] = " (simulated)";
	const bool is_said = strstr(info->name, simulated) != NULL; /* a trace that is played again */
	(void)snprintf(name, PERSEUS_DEVICE_TEXT_BYTES, "%.*s%s", (int)(PERSEUS_DEVICE_TEXT_BYTES - sizeof simulated),
			info->name, info->is_simulated && !is_said ? simulated : "");
}

void
perseus__trace_file_add(struct perseus__trace_file *trace, int64_t time_ns, const struct perseus_sample *samples,
		int32_t n_samples, const bool *is_counted)
{
	if (trace->file < 0)
		return;
	if (!trace->has_begun)
		trace->begin_ns = time_ns;
	trace->has_begun = true;
	for (int32_t i = 0; i < n_samples; i++) {
		const struct perseus_sample *sample = &samples[i];
		const struct perseus_device_info *info = perseus_node_device(trace->node, sample->device);
		const struct perseus__trace_point point = {
			.time_ns = time_ns - trace->begin_ns,
			.has_power = sample->has_power,
			.has_sm_clock = sample->has_sm_clock,
			.sm_clock_mhz = (int32_t)sample->sm_clock_mhz,
			.power_mw = sample->power_mw,
		};
		char name[PERSEUS_DEVICE_TEXT_BYTES];
		if (!is_counted[sample->device] || !sample->has_power)
			continue;
		name_of(info, name);
		perseus__trace_write(&trace->rows, info->kind, info->index, name, &point);
	}
	put(trace);
}

enum perseus_status
perseus__trace_file_close(struct perseus__trace_file *trace, struct perseus_error *err)
{
	if (trace->file >= 0 && close(trace->file) != 0)
		(void)fail(trace->path, errno, &trace->error);
	trace->file = -1;
	if (trace->error.status != PERSEUS_OK)
		*err = trace->error;
	return trace->error.status;
}

void
perseus__trace_file_fini(struct perseus__trace_file *trace)
{
	if (trace->file >= 0)
		(void)close(trace->file);
	trace->file = -1;
	perseus__text_fini(&trace->rows);
}
