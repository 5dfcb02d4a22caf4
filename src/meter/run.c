/* A measured run of a command. */
#include "meter/run.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/number.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define X(name, text) text,
static const char *const state_names[] = {PERSEUS__RUN_STATE_MAP(X)};
static const char *const kind_names[] = {PERSEUS_DEVICE_KIND_MAP(X)};
static const char *const method_names[] = {PERSEUS_METHOD_MAP(X)};
#undef X

enum { N_KINDS = sizeof kind_names / sizeof *kind_names, N_METHODS = sizeof method_names / sizeof *method_names };

const char *
perseus__run_state_name(enum perseus__run_state state)
{
	return state_names[state];
}

/* Index of `text` among `names`, or -1. */
static int
find_name(const char *text, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	return -1;
}

bool
perseus__run_kind_parse(const char *text, enum perseus_device_kind *kind)
{
	const int i = find_name(text, kind_names, N_KINDS);
	if (i >= 0)
		*kind = (enum perseus_device_kind)i;
	return i >= 0;
}

bool
perseus__run_method_parse(const char *text, enum perseus_method *method)
{
	const int i = find_name(text, method_names, N_METHODS);
	if (i >= 0)
		*method = (enum perseus_method)i;
	return i >= 0;
}

struct perseus__run
perseus__run_init(void)
{
	return (struct perseus__run){.exit_status = -1, .rank = -1, .factors = perseus__factors_default()};
}

static void
free_command(char **command, int32_t n)
{
	for (int32_t i = 0; command && i < n; i++)
		perseus__free(command[i]);
	perseus__free(command);
}

void
perseus__run_fini(struct perseus__run *run)
{
	free_command(run->command, run->n_command);
	perseus__free(run->cwd);
	perseus__free(run->host);
	perseus__free(run->user);
	perseus__free(run->job);
	perseus__free(run->version);
	perseus__free(run->note);
	perseus__free(run->no_intensity);
	perseus__free(run->devices);
	perseus__free(run->results);
	*run = perseus__run_init();
}

enum perseus_status
perseus__run_set_text(char **field, const char *text, struct perseus_error *err)
{
	char *copy = text ? perseus__copy_string(text) : NULL;
	if (text && !copy)
		return perseus__no_memory(err);
	perseus__free(*field);
	*field = copy;
	return PERSEUS_OK;
}

enum perseus_status
perseus__run_set_command(struct perseus__run *run, int32_t n, char *const *argv, struct perseus_error *err)
{
	char **command = perseus__new_array((size_t)n + 1, sizeof *command);
	if (!command)
		return perseus__no_memory(err);
	for (int32_t i = 0; i < n; i++) {
		command[i] = perseus__copy_string(argv[i]);
		if (!command[i]) {
			free_command(command, n);
			return perseus__no_memory(err);
		}
	}
	free_command(run->command, run->n_command);
	run->command = command;
	run->n_command = n;
	return PERSEUS_OK;
}

enum perseus_status
perseus__run_set_devices(struct perseus__run *run, int32_t n, struct perseus_error *err)
{
	struct perseus__run_device *devices = perseus__new_array((size_t)n + 1, sizeof *devices);
	if (!devices)
		return perseus__no_memory(err);
	perseus__free(run->devices);
	run->devices = devices;
	run->n_devices = n;
	return PERSEUS_OK;
}

/* A decimal with or without a sign; what "nan" and "inf" say is kept as text. */
static bool
parse_number(const char *text, double *number)
{
	struct perseus__decimal decimal;
	const bool is_negative = *text == '-';
	if (!perseus__decimal_parse(text + (*text == '-' || *text == '+'), &decimal))
		return false;
	const double magnitude = perseus__decimal_value(decimal);
	if (!isfinite(magnitude))
		return false;
	*number = is_negative ? -magnitude : magnitude;
	return true;
}

static bool
is_key_byte(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9')
			|| (byte && strchr("_.-/", byte));
}

enum perseus_status
perseus__result_parse(const char *text, struct perseus__result *out, struct perseus_error *err)
{
	struct perseus__result result = {.key = ""};
	size_t length = 0;
	while (is_key_byte(text[length]))
		length++;
	if (length == 0 || text[length] != '=')
		return perseus__fail(
				err, PERSEUS_INVALID, "'%.100s' is no key=value with a key of letters, digits and _ . - /", text);
	if (length >= sizeof result.key)
		return perseus__fail(err, PERSEUS_INVALID, "the key of '%.100s' is longer than %d bytes", text,
				PERSEUS__RESULT_KEY_BYTES - 1);
	const char *value = text + length + 1;
	if (*value == '\0')
		return perseus__fail(err, PERSEUS_INVALID, "'%s' has no value", text);
	if (strlen(value) >= sizeof result.text)
		return perseus__fail(err, PERSEUS_INVALID, "the value of '%.*s' is longer than %d bytes", (int)length, text,
				PERSEUS__RESULT_TEXT_BYTES - 1);
	memcpy(result.key, text, length);
	memcpy(result.text, value, strlen(value));
	result.is_number = parse_number(value, &result.number);
	*out = result;
	return PERSEUS_OK;
}

enum perseus_status
perseus__run_add_result(struct perseus__run *run, const struct perseus__result *result, struct perseus_error *err)
{
	int32_t at = 0;
	while (at < run->n_results && strcmp(run->results[at].key, result->key) < 0)
		at++;
	if (at < run->n_results && strcmp(run->results[at].key, result->key) == 0) {
		run->results[at] = *result;
		return PERSEUS_OK;
	}
	if (!perseus__reserve(&run->results, &run->cap_results, (size_t)run->n_results + 1, sizeof *run->results))
		return perseus__no_memory(err);
	memmove(run->results + at + 1, run->results + at, (size_t)(run->n_results - at) * sizeof *run->results);
	run->results[at] = *result;
	run->n_results++;
	return PERSEUS_OK;
}

const struct perseus__result *
perseus__run_result(const struct perseus__run *run, const char *key)
{
	for (int32_t i = 0; i < run->n_results; i++)
		if (strcmp(run->results[i].key, key) == 0)
			return &run->results[i];
	return NULL;
}

static void
add_device(struct perseus__energy *energy, const struct perseus_reading *reading)
{
	energy->n_devices++;
	if (reading->method == PERSEUS_METHOD_NONE)
		return;
	energy->n_measured++;
	energy->energy_j += reading->energy_j;
	energy->error_j += reading->error_j;
}

struct perseus__energy
perseus__run_energy_of(const struct perseus__run *run, enum perseus_device_kind kind)
{
	struct perseus__energy energy = {0};
	for (int32_t i = 0; i < run->n_devices; i++)
		if (run->devices[i].info.kind == kind)
			add_device(&energy, &run->devices[i].reading);
	return energy;
}

void
perseus__run_account(struct perseus__run *run)
{
	struct perseus__energy energy = {0};
	for (int32_t i = 0; i < run->n_devices; i++)
		add_device(&energy, &run->devices[i].reading);
	run->footprint = perseus__footprint_make(&energy, run->time_s, &run->factors);
}

bool
perseus__run_is_simulated(const struct perseus__run *run)
{
	for (int32_t i = 0; i < run->n_devices; i++)
		if (run->devices[i].info.is_simulated)
			return true;
	return false;
}

void
perseus__run_add_missing(const struct perseus__run *run, struct perseus__text *text)
{
	bool is_first = true;
	for (int32_t i = 0; i < run->n_devices; i++) {
		const struct perseus__run_device *device = &run->devices[i];
		if (device->reading.method != PERSEUS_METHOD_NONE)
			continue;
		perseus__text_addf(text, "%s%s %d (%s)", is_first ? "" : ", ", perseus_device_kind_name(device->info.kind),
				(int)device->info.index, device->reading.reason);
		is_first = false;
	}
}
