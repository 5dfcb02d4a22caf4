/* The argument of a simulated node. */
#include "device/sim_spec.h"

#include "base/error.h"
#include "base/units.h"
#include "device/sim.h"
#include "format/number.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_STEP_NS = 100000000 };
/* "set takes about 10 ms": Perseus, SOSP'24, footnote 3. */
enum { DEFAULT_LATENCY_NS = 10000000 };
static const int64_t MAX_DURATION_NS = 60000000000;
static const int64_t MAX_MHZ = 100000;
static const int64_t MAX_POWER_UW = 1000000000000; /* 1 MW, as PERSEUS_MAX_POWER_W */

static const char *const fault_names[] = {
#define X(name, text) text,
	PERSEUS__SIM_FAULT_MAP(X)
#undef X
};
enum { N_FAULTS = sizeof fault_names / sizeof *fault_names };

/* A number times `units`, cut to a whole; false where it is none, or beyond `most`. */
static bool
read_units(const char *value, int64_t units, int64_t most, int64_t *out)
{
	struct perseus__decimal decimal;
	int64_t number;
	if (!perseus__decimal_parse(value, &decimal) || !perseus__decimal_times(decimal, units, &number) || number > most)
		return false;
	*out = number;
	return true;
}

static enum perseus_status
fail_value(const char *key, const char *value, const char *expected, struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_INVALID, "%s=%s: expected %s", key, value, expected);
}

static enum perseus_status
take_state(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	if (*value == '\0')
		return fail_value("state", value, "the path of a file", err);
	(void)snprintf(spec->state, sizeof spec->state, "%s", value); /* no longer than the argument */
	return PERSEUS_OK;
}

static enum perseus_status
take_load(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	int64_t load = PERSEUS__SIM_LOAD_BLOCKING;
	if (strcmp(value, "blocking") != 0 && !read_units(value, PERSEUS__SIM_LOAD_UNITS, PERSEUS__SIM_LOAD_UNITS, &load))
		return fail_value("load", value, "0 (idle) to 1, or blocking", err);
	spec->load = (int32_t)load;
	return PERSEUS_OK;
}

static enum perseus_status
take_latency(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	return read_units(value, PERSEUS__NS_PER_MS, MAX_DURATION_NS, &spec->latency_ns)
			? PERSEUS_OK
			: fail_value("latency_ms", value, "0 to 60000", err);
}

static enum perseus_status
take_step(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	return read_units(value, PERSEUS__NS_PER_MS, MAX_DURATION_NS, &spec->step_ns) && spec->step_ns > 0
			? PERSEUS_OK
			: fail_value("step_ms", value, "more than 0, at most 60000", err);
}

static enum perseus_status
take_min(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	return read_units(value, 1, MAX_MHZ, &spec->min_mhz) && spec->min_mhz > 0
			? PERSEUS_OK
			: fail_value("min_mhz", value, "1 to 100000", err);
}

static enum perseus_status
take_cap(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	return read_units(value, 1000, MAX_POWER_UW / 1000, &spec->cap_mw) && spec->cap_mw > 0
			? PERSEUS_OK
			: fail_value("cap_w", value, "watts", err);
}

static enum perseus_status
take_idle(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	return read_units(value, 1000000, MAX_POWER_UW, &spec->idle_uw) ? PERSEUS_OK
																	: fail_value("idle_w", value, "watts", err);
}

static enum perseus_status
take_blocking(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	return read_units(value, 1000000, MAX_POWER_UW, &spec->blocking_uw) ? PERSEUS_OK
																		: fail_value("blocking_w", value, "watts", err);
}

/* KIND[:GPU] */
static enum perseus_status
take_fault(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err)
{
	const size_t length = strcspn(value, ":");
	int fault = 0;
	while (fault < N_FAULTS
			&& (strlen(fault_names[fault]) != length || strncmp(value, fault_names[fault], length) != 0))
		fault++;
	if (fault == N_FAULTS)
		return fail_value("fault", value, "lost, denied, stuck, no-memory-clocks, no-power or no-counter", err);
	int64_t first = 0;
	int64_t last = spec->n_gpus - 1;
	if (value[length] == ':') {
		if (!isdigit((unsigned char)value[length + 1]) || !read_units(value + length + 1, 1, last, &first))
			return perseus__fail(err, PERSEUS_INVALID, "fault=%s: there is no GPU '%s', only %d of them", value,
					value + length + 1, spec->n_gpus);
		last = first;
	}
	for (int64_t gpu = first; gpu <= last; gpu++)
		spec->faults[gpu] |= 1U << fault;
	return PERSEUS_OK;
}

static const struct key {
	const char *name;
	enum perseus_status (*take)(struct perseus__sim_spec *spec, const char *value, struct perseus_error *err);
} keys[] = {
	{"state", take_state},
	{"load", take_load},
	{"latency_ms", take_latency},
	{"step_ms", take_step},
	{"min_mhz", take_min},
	{"cap_w", take_cap},
	{"idle_w", take_idle},
	{"blocking_w", take_blocking},
	{"fault", take_fault},
};

/* KEY=VALUE, NUL-terminated. */
static enum perseus_status
take_pair(struct perseus__sim_spec *spec, char *pair, struct perseus_error *err)
{
	char *equals = strchr(pair, '=');
	if (!equals)
		return perseus__fail(err, PERSEUS_INVALID, "'%s' is no KEY=VALUE", pair);
	*equals = '\0';
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(pair, keys[i].name) == 0)
			return keys[i].take(spec, equals + 1, err);
	return perseus__fail(err, PERSEUS_INVALID,
			"there is no key '%s': state, load, latency_ms, step_ms, min_mhz, cap_w, idle_w, blocking_w or fault",
			pair);
}

static bool
ends_in_csv(const char *text)
{
	const size_t length = strlen(text);
	return length > strlen(".csv") && strcmp(text + length - strlen(".csv"), ".csv") == 0;
}

bool
perseus__sim_spec_is_profile(const struct perseus__sim_spec *spec)
{
	return ends_in_csv(spec->model);
}

/* MODEL[xN], NUL-terminated. A path may have an x and digits in it, but ends in ".csv". */
static enum perseus_status
take_model(struct perseus__sim_spec *spec, char *text, struct perseus_error *err)
{
	int64_t n_gpus = 1;
	char *x = strrchr(text, 'x');
	if (x && !ends_in_csv(text)) {
		if (!isdigit((unsigned char)x[1]) || strspn(x + 1, "0123456789") != strlen(x + 1)
				|| !read_units(x + 1, 1, PERSEUS__SIM_MAX_GPUS, &n_gpus) || n_gpus == 0)
			return perseus__fail(err, PERSEUS_INVALID, "'%s': the number of GPUs behind the x is 1 to %d", text,
					PERSEUS__SIM_MAX_GPUS);
		*x = '\0';
	}
	if (*text == '\0')
		return perseus__fail(err, PERSEUS_INVALID, "no model: a100, a40, or the path of a profile that ends in .csv");
	spec->n_gpus = (int32_t)n_gpus;
	(void)snprintf(spec->model, sizeof spec->model, "%s", text); /* no longer than the argument */
	return PERSEUS_OK;
}

enum perseus_status
perseus__sim_spec_parse(const char *argument, struct perseus__sim_spec *spec, struct perseus_error *err)
{
	char parts[PERSEUS__SIM_SPEC_BYTES];
	if (snprintf(parts, sizeof parts, "%s", argument ? argument : "") >= (int)sizeof parts)
		return perseus__fail(err, PERSEUS_INVALID, "longer than %zu bytes", sizeof parts - 1);
	*spec = (struct perseus__sim_spec){
		.latency_ns = DEFAULT_LATENCY_NS, .step_ns = DEFAULT_STEP_NS, .idle_uw = -1, .blocking_uw = -1};
	char *rest = parts;
	enum perseus_status status = take_model(spec, strsep(&rest, ","), err);
	while (status == PERSEUS_OK && rest)
		status = take_pair(spec, strsep(&rest, ","), err);
	return status;
}
