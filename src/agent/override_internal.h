/* Commands of overrides: what parsing, filling in and running share. */
#ifndef PERSEUS_AGENT_OVERRIDE_INTERNAL_H
#define PERSEUS_AGENT_OVERRIDE_INTERNAL_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/override.h"

/* X(table of the file, setting, it resets, placeholders beside {gpu_id}) */
#define PERSEUS__OVERRIDE_MAP(X)                                                  \
	X(set_power_limit, POWER_LIMIT, false, "power_limit_mw power_limit_w")        \
	X(set_persistence_mode, PERSISTENCE, false, "enabled")                        \
	X(set_gpu_locked_clocks, SM_CLOCKS, false, "min_clock_mhz max_clock_mhz")     \
	X(reset_gpu_locked_clocks, SM_CLOCKS, true, "")                               \
	X(set_mem_locked_clocks, MEMORY_CLOCKS, false, "min_clock_mhz max_clock_mhz") \
	X(reset_mem_locked_clocks, MEMORY_CLOCKS, true, "")                           \
	X(reset_locked_clocks, SM_CLOCKS, true, "")

enum perseus__override_kind {
#define X(table, setting, is_reset, placeholders) PERSEUS__OVERRIDE_##table,
	PERSEUS__OVERRIDE_MAP(X)
#undef X
			PERSEUS__N_OVERRIDES,
};

/* One command: its words, in which placeholders still stand. */
struct perseus__override_command {
	const char **words; /* owned, each and all */
	size_t n_words;
	size_t cap_words;
};

/* One table. */
struct perseus__override {
	struct perseus__override_command *commands;
	size_t n_commands;
	size_t cap_commands;
	bool has_pattern;
	regex_t pattern;
	int64_t timeout_s;
	int64_t line; /* of the table; 0: it is not in the file */
};

/* What placeholders stand for. */
struct perseus__override_values {
	int64_t gpu_id;
	int64_t low;
	int64_t high;
};

/*
 * Cuts `text` into words: blanks divide, 'quotes' and "quotes" hold together, a backslash takes the next byte as it is.
 * INVALID for a quote that is not closed, or no word.
 */
PERSEUS_MUST_USE enum perseus_status perseus__override_split(
		const char *text, struct perseus__override_command *command, struct perseus_error *err);

/* INVALID where `word` has a brace that is no placeholder of `kind`. */
PERSEUS_MUST_USE enum perseus_status perseus__override_check_word(
		enum perseus__override_kind kind, const char *word, struct perseus_error *err);

/* Runs the commands of an override, one after the other. IO where one fails, with what it printed. */
PERSEUS_MUST_USE enum perseus_status perseus__override_run(const struct perseus__override *override,
		const struct perseus__override_values *values, struct perseus_error *err);

/* `word` with its placeholders filled in, freed with perseus__free; NULL where there is no memory. */
char *perseus__override_fill(const char *word, const struct perseus__override_values *values);

#endif
