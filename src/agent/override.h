/*
 * Site commands in the place of the driver's calls, for nodes where a job may not set clocks itself but may run, say,
 * `sudo nvidia-smi -lgc`. The file is zeusd's "GPU command overrides", TOML:
 *
 *     [set_gpu_locked_clocks]
 *     commands = ["sudo nvidia-smi -i {gpu_id} -lgc {min_clock_mhz},{max_clock_mhz}"]
 *     error_pattern = "denied|failed"    # optional: POSIX extended, on what the commands print; a match is a failure
 *     timeout_s = 10                     # optional: for each command; 60 where it is not given
 *
 * Tables are set_power_limit, set_persistence_mode, set_gpu_locked_clocks, reset_gpu_locked_clocks,
 * set_mem_locked_clocks, reset_mem_locked_clocks and reset_locked_clocks (for either reset that has no table itself).
 * Placeholders: {gpu_id}; {power_limit_mw} and {power_limit_w}; {min_clock_mhz} and {max_clock_mhz}; {enabled}.
 * Commands are cut into words as a shell does, but run without one, in order, until one fails.
 */
#ifndef PERSEUS_AGENT_OVERRIDE_H
#define PERSEUS_AGENT_OVERRIDE_H

#include <stddef.h>

#include <perseus/device.h>
#include <perseus/status.h>

struct perseus__overrides;

/*
 * Parses the text of a file; `label` names it in messages. Errors: INVALID for TOML that is malformed, an unknown table
 * or key, a placeholder that the operation has no value for, a stray brace, a quote that is not closed, a pattern that
 * is none; each with label and line. NO_MEMORY. Free with perseus__overrides_free.
 */
PERSEUS_MUST_USE enum perseus_status perseus__overrides_parse(
		const char *text, size_t length, const char *label, struct perseus__overrides **out, struct perseus_error *err);

/* Parses a file, which must belong to root or to this user, and which not everybody may write: DENIED otherwise. */
PERSEUS_MUST_USE enum perseus_status perseus__overrides_load(
		const char *path, struct perseus__overrides **out, struct perseus_error *err);

/*
 * From now on the GPUs of `node` set and reset by these commands what there are commands for. Takes `overrides` over:
 * it goes with the node, on failure too. A GPU whose driver cannot be written to at all is set by them as well.
 */
PERSEUS_MUST_USE enum perseus_status perseus__node_override(
		struct perseus_node *node, struct perseus__overrides *overrides, struct perseus_error *err);

void perseus__overrides_free(struct perseus__overrides *overrides);

#endif
