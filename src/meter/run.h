/*
 * A measured run of a command: what it was, what each device took, what follows in carbon and money, and what it was
 * good for. `perseus measure` fills it, the ledger keeps it.
 */
#ifndef PERSEUS_METER_RUN_H
#define PERSEUS_METER_RUN_H

#include "base/text.h"
#include "meter/footprint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/meter.h>
#include <perseus/status.h>

enum { PERSEUS__UUID_BYTES = 37, PERSEUS__RESULT_KEY_BYTES = 65, PERSEUS__RESULT_TEXT_BYTES = 1025 };

/* X(name, text) */
#define PERSEUS__RUN_STATE_MAP(X)                        \
	X(RUNNING, "running") /* its end is not known yet */ \
	X(DONE, "done")                                      \
	X(LOST, "lost") /* running when the process that measured it went away */

enum perseus__run_state {
#define X(name, text) PERSEUS__RUN_##name,
	PERSEUS__RUN_STATE_MAP(X)
#undef X
};

/* A device and what it took. */
struct perseus__run_device {
	struct perseus_device_info info;
	struct perseus_reading reading;
};

/* What a run was good for, in words of the user: loss=2.91, tokens=1e9, dataset=c4. */
struct perseus__result {
	char key[PERSEUS__RESULT_KEY_BYTES]; /* letters, digits and _ . - / */
	bool is_number;
	double number;                         /* finite */
	char text[PERSEUS__RESULT_TEXT_BYTES]; /* as given, that of a number too */
};

/* perseus__run_init before; free with perseus__run_fini. Texts are owned, and NULL where not known. */
struct perseus__run {
	int64_t id;                     /* in its ledger; 0: in none */
	char uuid[PERSEUS__UUID_BYTES]; /* "" until the ledger has it */
	enum perseus__run_state state;
	int64_t begin_ms; /* Unix time */

	int64_t end_ms;      /* Unix time; these four once it is DONE */
	double time_s;       /* begin to end, by the monotonic clock */
	int32_t exit_status; /* of the command; -1: it has none */
	int32_t signal;      /* that ended the command; 0: none did */

	char **command; /* argv, length n_command; owned */
	int32_t n_command;
	char *cwd;
	char *host;
	char *user;
	char *job;     /* what names the job that this is a rank of */
	int32_t rank;  /* -1: not known */
	char *version; /* of perseus */
	char *note;

	struct perseus__run_device *devices; /* length n_devices; owned */
	int32_t n_devices;
	bool has_peak_power;
	double peak_power_w; /* of all devices that were measured, together */
	struct perseus__factors factors;
	char *no_intensity; /* why there is none though one was asked for */
	struct perseus__footprint footprint;
	struct perseus__result *results; /* length n_results, by key; owned */
	int32_t n_results;
	size_t cap_results;
};

/* A run of nothing, with default factors. */
struct perseus__run perseus__run_init(void);
void perseus__run_fini(struct perseus__run *run);

/* Copies `text` (may be NULL) into a text of the run, e.g. &run->host, whose old value is freed. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__run_set_text(char **field, const char *text, struct perseus_error *err);

/* Copies argv, length `n`. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__run_set_command(
		struct perseus__run *run, int32_t n, char *const *argv, struct perseus_error *err);

/* Makes room for `n` devices, zeroed, for the caller to fill in. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__run_set_devices(
		struct perseus__run *run, int32_t n, struct perseus_error *err);

/* Splits "key=value"; a value that is a finite decimal is a number, any other a text. INVALID with what is wrong. */
PERSEUS_MUST_USE enum perseus_status perseus__result_parse(
		const char *text, struct perseus__result *out, struct perseus_error *err);

/* Adds a copy of a result, in the place of one with the same key. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__run_add_result(
		struct perseus__run *run, const struct perseus__result *result, struct perseus_error *err);

/* The result of that key, or NULL. */
const struct perseus__result *perseus__run_result(const struct perseus__run *run, const char *key);

/* Sums the devices of a kind. */
struct perseus__energy perseus__run_energy_of(const struct perseus__run *run, enum perseus_device_kind kind);

/* Fills in the footprint, from devices, time and factors. */
void perseus__run_account(struct perseus__run *run);

/* Whether any device of it is simulated, which is said wherever its values are shown. */
bool perseus__run_is_simulated(const struct perseus__run *run);

/* Adds the devices not measured, and why: "gpu 3 (GPU is lost), dram 0 (not permitted)"; nothing where all were. */
void perseus__run_add_missing(const struct perseus__run *run, struct perseus__text *text);

/* "running", "done", "lost". */
const char *perseus__run_state_name(enum perseus__run_state state);

/* The kind of device, and the method, that `text` names; false where it names none. */
bool perseus__run_kind_parse(const char *text, enum perseus_device_kind *kind);
bool perseus__run_method_parse(const char *text, enum perseus_method *method);

#endif
