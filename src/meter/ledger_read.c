/* Reads the ledger. */
#include "base/error.h"
#include "base/memory.h"
#include "format/csv.h"
#include "meter/ledger_internal.h"
#include "meter/process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HOST_BYTES = 256, MIN_PREFIX = 4 };

/* A text of the run from the next column. */
static enum perseus_status
take_owned(struct perseus__statement *statement, char **field, struct perseus_error *err)
{
	return perseus__run_set_text(field, perseus__take_text(statement), err);
}

static bool
was_here(const char *host)
{
	char here[HOST_BYTES] = "";
	return host && gethostname(here, sizeof here - 1) == 0 && strcmp(host, here) == 0;
}

static enum perseus_status
take_run(struct perseus__statement *statement, struct perseus__run *run, struct perseus_error *err)
{
	bool is_there;
	run->id = perseus__take_integer(statement, 0);
	perseus__take_word(statement, run->uuid, sizeof run->uuid);
	const bool is_done = perseus__take_integer(statement, 0) != 0;
	run->begin_ms = perseus__take_integer(statement, 0);
	run->end_ms = perseus__take_integer(statement, 0);
	run->time_s = perseus__take_real(statement, &is_there);
	run->exit_status = (int32_t)perseus__take_integer(statement, -1);
	run->signal = (int32_t)perseus__take_integer(statement, 0);
	run->rank = (int32_t)perseus__take_integer(statement, -1);
	run->peak_power_w = perseus__take_real(statement, &run->has_peak_power);
	char **const texts[] = {&run->cwd, &run->host, &run->user, &run->job, &run->version, &run->note};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (take_owned(statement, texts[i], err) != PERSEUS_OK)
			return PERSEUS_NO_MEMORY;
	struct perseus__process process = {.pid = perseus__take_integer(statement, 0)};
	process.start_ticks = perseus__take_integer(statement, 0);
	process.pid_namespace = perseus__take_integer(statement, 0);
	perseus__take_word(statement, process.boot_id, sizeof process.boot_id);
	if (is_done)
		run->state = PERSEUS__RUN_DONE;
	else
		run->state = perseus__process_is_gone(&process, was_here(run->host)) ? PERSEUS__RUN_LOST : PERSEUS__RUN_RUNNING;
	return PERSEUS_OK;
}

static enum perseus_status
read_run(const struct perseus__ledger *ledger, int64_t id, struct perseus__run *run, struct perseus_error *err)
{
	struct perseus__statement statement = perseus__statement_new(ledger,
			"SELECT id, uuid, state = 'done', begin_ms, end_ms, time_s, exit_status, signal, rank, peak_power_w, cwd,"
			" host, user, job, perseus_version, note, pid, start_ticks, pid_namespace, boot_id FROM runs WHERE id = ?");
	perseus__bind_integer(&statement, id);
	enum perseus_status status = PERSEUS_OK;
	const bool is_there = perseus__statement_step(&statement);
	if (is_there)
		status = take_run(&statement, run, err);
	const enum perseus_status end = perseus__statement_end(&statement, status == PERSEUS_OK ? err : NULL);
	if (status == PERSEUS_OK && end == PERSEUS_OK && !is_there)
		return perseus__fail(err, PERSEUS_INVALID, "the ledger %s: there is no run %lld", ledger->path, (long long)id);
	return status != PERSEUS_OK ? status : end;
}

/* Rows that `sql` finds for run `id`; each is taken by `take`. */
static enum perseus_status
read_rows(const struct perseus__ledger *ledger, const char *sql, struct perseus__run *run,
		enum perseus_status (*take)(
				struct perseus__statement *statement, struct perseus__run *run, struct perseus_error *err),
		struct perseus_error *err)
{
	struct perseus__statement statement = perseus__statement_new(ledger, sql);
	perseus__bind_integer(&statement, run->id);
	enum perseus_status status = PERSEUS_OK;
	while (status == PERSEUS_OK && perseus__statement_step(&statement))
		status = take(&statement, run, err);
	const enum perseus_status end = perseus__statement_end(&statement, status == PERSEUS_OK ? err : NULL);
	return status != PERSEUS_OK ? status : end;
}

/* Counted ahead in the row, so that there is room for all. */
static enum perseus_status
take_argument(struct perseus__statement *statement, struct perseus__run *run, struct perseus_error *err)
{
	const int64_t n = perseus__take_integer(statement, 0);
	if (!run->command)
		run->command = perseus__new_array((size_t)n + 1, sizeof *run->command);
	if (!run->command)
		return perseus__no_memory(err);
	const char *text = perseus__take_text(statement);
	run->command[run->n_command] = perseus__copy_string(text ? text : "");
	if (!run->command[run->n_command])
		return perseus__no_memory(err);
	run->n_command++;
	return PERSEUS_OK;
}

static enum perseus_status
fail_word(const struct perseus__statement *statement, const char *what, const char *word, struct perseus_error *err)
{
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	return perseus__fail(err, PERSEUS_INVALID, "the ledger %s is damaged: there is no %s \"%.40s\"",
			statement->ledger->path, what, perseus__csv_shown(word, strlen(word), shown));
}

static enum perseus_status
take_device(struct perseus__statement *statement, struct perseus__run *run, struct perseus_error *err)
{
	const int64_t n = perseus__take_integer(statement, 0);
	if (!run->devices) {
		const enum perseus_status status = perseus__run_set_devices(run, (int32_t)n, err);
		run->n_devices = 0;
		if (status != PERSEUS_OK)
			return status;
	}
	struct perseus_device_info *info = &run->devices[run->n_devices].info;
	struct perseus_reading *reading = &run->devices[run->n_devices].reading;
	bool is_there;
	char kind[32], method[32];
	perseus__take_word(statement, kind, sizeof kind);
	if (!perseus__run_kind_parse(kind, &info->kind))
		return fail_word(statement, "kind of device", kind, err);
	info->index = (int32_t)perseus__take_integer(statement, 0);
	perseus__take_word(statement, info->uuid, sizeof info->uuid);
	perseus__take_word(statement, info->pci_address, sizeof info->pci_address);
	perseus__take_word(statement, info->name, sizeof info->name);
	perseus__take_word(statement, info->architecture, sizeof info->architecture);
	perseus__take_word(statement, info->backend, sizeof info->backend);
	info->is_simulated = perseus__take_integer(statement, 0) != 0;
	info->is_mig = perseus__take_integer(statement, 0) != 0;
	info->is_module = perseus__take_integer(statement, 0) != 0;
	perseus__take_word(statement, method, sizeof method);
	if (!perseus__run_method_parse(method, &reading->method))
		return fail_word(statement, "method", method, err);
	reading->device = run->n_devices;
	reading->energy_j = perseus__take_real(statement, &is_there);
	reading->error_j = perseus__take_real(statement, &is_there);
	reading->average_power_w = perseus__take_real(statement, &reading->has_average_power);
	reading->peak_power_w = perseus__take_real(statement, &reading->has_peak_power);
	perseus__take_word(statement, reading->reason, sizeof reading->reason);
	perseus__take_word(statement, info->note, sizeof info->note);
	run->n_devices++;
	return PERSEUS_OK;
}

static enum perseus_status
take_factors(struct perseus__statement *statement, struct perseus__run *run, struct perseus_error *err)
{
	struct perseus__factors *factors = &run->factors;
	struct perseus__intensity *intensity = &factors->intensity;
	bool is_there;
	char type[32];
	factors->pue = perseus__take_real(statement, &is_there);
	intensity->gco2e_per_kwh = perseus__take_real(statement, &factors->has_intensity);
	perseus__take_word(statement, intensity->zone, sizeof intensity->zone);
	intensity->year = (int32_t)perseus__take_integer(statement, 0);
	intensity->n_hours = (int32_t)perseus__take_integer(statement, 0);
	perseus__take_word(statement, type, sizeof type);
	if (!perseus__intensity_type_parse(type, &intensity->type))
		return fail_word(statement, "type of intensity", type, err);
	perseus__take_word(statement, intensity->source, sizeof intensity->source);
	if (take_owned(statement, &run->no_intensity, err) != PERSEUS_OK)
		return PERSEUS_NO_MEMORY;
	factors->price_per_kwh = perseus__take_real(statement, &factors->has_price);
	perseus__take_word(statement, factors->currency, sizeof factors->currency);
	factors->embodied_kg = perseus__take_real(statement, &factors->has_embodied);
	factors->lifespan_years = perseus__take_real(statement, &is_there);
	factors->share = perseus__take_real(statement, &is_there);
	return PERSEUS_OK;
}

static enum perseus_status
take_footprint(struct perseus__statement *statement, struct perseus__run *run, struct perseus_error *err)
{
	struct perseus__footprint *footprint = &run->footprint;
	bool is_there;
	(void)err;
	footprint->energy.n_devices = (int32_t)perseus__take_integer(statement, 0);
	footprint->energy.n_measured = (int32_t)perseus__take_integer(statement, 0);
	footprint->energy.energy_j = perseus__take_real(statement, &is_there);
	footprint->energy.error_j = perseus__take_real(statement, &is_there);
	footprint->facility_kwh = perseus__take_real(statement, &footprint->has_facility);
	footprint->operational_gco2e = perseus__take_real(statement, &footprint->has_operational);
	footprint->embodied_gco2e = perseus__take_real(statement, &footprint->has_embodied);
	footprint->cost = perseus__take_real(statement, &footprint->has_cost);
	return PERSEUS_OK;
}

static enum perseus_status
take_result(struct perseus__statement *statement, struct perseus__run *run, struct perseus_error *err)
{
	struct perseus__result result = {.key = ""};
	perseus__take_word(statement, result.key, sizeof result.key);
	result.number = perseus__take_real(statement, &result.is_number);
	perseus__take_word(statement, result.text, sizeof result.text);
	return perseus__run_add_result(run, &result, err);
}

static enum perseus_status
read_parts(const struct perseus__ledger *ledger, int64_t id, struct perseus__run *run, struct perseus_error *err)
{
	static const struct {
		const char *sql;
		enum perseus_status (*take)(
				struct perseus__statement *statement, struct perseus__run *run, struct perseus_error *err);
	} parts[] = {
		{"SELECT json_array_length(command), value FROM runs, json_each(command) WHERE runs.id = ? ORDER BY key",
			take_argument},
		{"SELECT count(*) OVER (), kind, device_index, uuid, pci_address, name, architecture, backend, is_simulated,"
		 " is_mig, is_module, method, energy_j, error_j, average_power_w, peak_power_w, reason, note FROM devices"
		 " WHERE run = ? ORDER BY position",
			take_device},
		{"SELECT pue, gco2e_per_kwh, zone, year, n_hours, intensity_type, source, no_intensity, price_per_kwh,"
		 " currency, embodied_kg, lifespan_years, share FROM factors WHERE run = ?",
			take_factors},
		{"SELECT n_devices, n_measured, energy_j, error_j, facility_kwh, operational_gco2e, embodied_gco2e, cost"
		 " FROM footprints WHERE run = ?",
			take_footprint},
		{"SELECT key, number, text FROM results WHERE run = ?", take_result},
	};
	enum perseus_status status = read_run(ledger, id, run, err);
	for (size_t i = 0; i < sizeof parts / sizeof *parts && status == PERSEUS_OK; i++)
		status = read_rows(ledger, parts[i].sql, run, parts[i].take, err);
	return status;
}

/* In one transaction, so that all parts are of one moment. */
enum perseus_status
perseus__ledger_get(struct perseus__ledger *ledger, int64_t id, struct perseus__run *out, struct perseus_error *err)
{
	struct perseus__run run = perseus__run_init();
	enum perseus_status status = perseus__ledger_execute(ledger, "BEGIN", err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__ledger_end_transaction(ledger, read_parts(ledger, id, &run, err), err);
	if (status == PERSEUS_OK)
		*out = run;
	else
		perseus__run_fini(&run);
	return status;
}

enum perseus_status
perseus__ledger_list(struct perseus__ledger *ledger, const struct perseus__ledger_filter *filter, int64_t **ids,
		size_t *n_ids, struct perseus_error *err)
{
	struct perseus__statement statement = perseus__statement_new(ledger,
			"SELECT id FROM (SELECT id, begin_ms FROM runs WHERE begin_ms >= coalesce(?1, begin_ms)"
			" AND (?2 IS NULL OR host = ?2)"
			" AND (?3 IS NULL OR instr((SELECT group_concat(value, ' ') FROM json_each(command)), ?3) > 0)"
			" ORDER BY begin_ms DESC, id DESC LIMIT ?4) ORDER BY begin_ms, id");
	perseus__bind_integer_if(&statement, filter->has_since, filter->since_ms);
	perseus__bind_text(&statement, filter->host);
	perseus__bind_text(&statement, filter->command);
	perseus__bind_integer(&statement, filter->limit > 0 ? filter->limit : -1);
	int64_t *found = NULL;
	size_t n = 0, capacity = 0;
	enum perseus_status status = PERSEUS_OK;
	while (status == PERSEUS_OK && perseus__statement_step(&statement)) {
		if (perseus__reserve(&found, &capacity, n + 1, sizeof *found))
			found[n++] = perseus__take_integer(&statement, 0);
		else
			status = perseus__no_memory(err);
	}
	const enum perseus_status end = perseus__statement_end(&statement, status == PERSEUS_OK ? err : NULL);
	status = status != PERSEUS_OK ? status : end;
	if (status != PERSEUS_OK) {
		perseus__free(found);
		return status;
	}
	*ids = found;
	*n_ids = n;
	return PERSEUS_OK;
}

/* Up to two ids for which `sql` holds; how many there are. */
static enum perseus_status
find_ids(const struct perseus__ledger *ledger, const char *sql, const char *name, int64_t *id, int *n,
		struct perseus_error *err)
{
	struct perseus__statement statement = perseus__statement_new(ledger, sql);
	perseus__bind_text(&statement, name);
	for (*n = 0; perseus__statement_step(&statement); (*n)++)
		*id = perseus__take_integer(&statement, 0);
	return perseus__statement_end(&statement, err);
}

enum perseus_status
perseus__ledger_find(struct perseus__ledger *ledger, const char *name, int64_t *id, struct perseus_error *err)
{
	const size_t length = strlen(name);
	int64_t found = 0;
	int n = 0;
	enum perseus_status status = PERSEUS_OK;
	if (length > 0 && length <= 18 && strspn(name, "0123456789") == length)
		status = find_ids(ledger, "SELECT id FROM runs WHERE id = CAST(? AS INTEGER)", name, &found, &n, err);
	if (status == PERSEUS_OK && n == 0 && length >= MIN_PREFIX)
		status = find_ids(ledger, "SELECT id FROM runs WHERE substr(uuid, 1, length(?1)) = lower(?1) LIMIT 2", name,
				&found, &n, err);
	if (status == PERSEUS_OK && n == 1)
		*id = found;
	if (status != PERSEUS_OK || n == 1)
		return status;
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	return perseus__fail(err, PERSEUS_INVALID, "the ledger %s: %s \"%.60s\"", ledger->path,
			n == 0 ? "there is no run" : "several runs begin with", perseus__csv_shown(name, length, shown));
}
