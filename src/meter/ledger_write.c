/* Writes to the ledger. */
#include "base/error.h"
#include "base/text.h"
#include "format/json_writer.h"
#include "meter/ledger_internal.h"
#include "meter/process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { MAX_COMMAND_BYTES = 8 << 20 }; /* Linux takes 2 MiB of arguments, and JSON may double them */

/* A random UUID: RFC 9562, version 4. */
static enum perseus_status
make_uuid(char uuid[PERSEUS__UUID_BYTES], struct perseus_error *err)
{
	unsigned char b[16];
	if (getrandom(b, sizeof b, 0) != (ssize_t)sizeof b)
		return perseus__fail(err, PERSEUS_IO, "no random number for a run's UUID: %s", strerror(errno));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	size_t length = 0;
	for (size_t i = 0; i < sizeof b; i++)
		length += (size_t)snprintf(uuid + length, PERSEUS__UUID_BYTES - length, "%s%02x",
				i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	return PERSEUS_OK;
}

/* argv as a JSON array, on one line. */
static struct perseus__text
command_text(const struct perseus__run *run)
{
	struct perseus__text text = perseus__text_init(MAX_COMMAND_BYTES);
	struct perseus__json json = perseus__json_init(&text);
	perseus__json_open_array(&json, NULL, true);
	for (int32_t i = 0; i < run->n_command; i++)
		perseus__json_string(&json, NULL, run->command[i]);
	perseus__json_close_array(&json);
	if (!text.failed)
		text.bytes[--text.length] = '\0'; /* the line end behind a document */
	return text;
}

static enum perseus_status
insert_run(const struct perseus__ledger *ledger, const struct perseus__run *run, const char *uuid, const char *command,
		struct perseus_error *err)
{
	const struct perseus__process self = perseus__process_self();
	struct perseus__statement statement = perseus__statement_new(ledger,
			"INSERT INTO runs (uuid, state, begin_ms, command, cwd, host, user, job, rank, perseus_version, note,"
			" pid, start_ticks, pid_namespace, boot_id)"
			" VALUES (?, 'running', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	perseus__bind_text(&statement, uuid);
	perseus__bind_integer(&statement, run->begin_ms);
	perseus__bind_text(&statement, command);
	perseus__bind_text(&statement, run->cwd);
	perseus__bind_text(&statement, run->host);
	perseus__bind_text(&statement, run->user);
	perseus__bind_text(&statement, run->job);
	perseus__bind_integer_if(&statement, run->rank >= 0, run->rank);
	perseus__bind_text(&statement, run->version);
	perseus__bind_text(&statement, run->note);
	perseus__bind_integer(&statement, self.pid);
	perseus__bind_integer_if(&statement, self.start_ticks != 0, self.start_ticks);
	perseus__bind_integer_if(&statement, self.pid_namespace != 0, self.pid_namespace);
	perseus__bind_word(&statement, self.boot_id);
	(void)perseus__statement_step(&statement);
	return perseus__statement_end(&statement, err);
}

enum perseus_status
perseus__ledger_begin_run(struct perseus__ledger *ledger, struct perseus__run *run, struct perseus_error *err)
{
	char uuid[PERSEUS__UUID_BYTES];
	memcpy(uuid, run->uuid, sizeof uuid);
	enum perseus_status status = *uuid ? PERSEUS_OK : make_uuid(uuid, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__text command = command_text(run);
	status = command.failed ? perseus__no_memory(err) : insert_run(ledger, run, uuid, command.bytes, err);
	perseus__text_fini(&command);
	if (status != PERSEUS_OK)
		return status;
	run->id = sqlite3_last_insert_rowid(ledger->database);
	run->state = PERSEUS__RUN_RUNNING;
	memcpy(run->uuid, uuid, sizeof uuid);
	return PERSEUS_OK;
}

/* A change of a run that must be there. */
static enum perseus_status
end_update(struct perseus__statement *statement, int64_t id, const char *problem, struct perseus_error *err)
{
	const struct perseus__ledger *ledger = statement->ledger;
	(void)perseus__statement_step(statement);
	const enum perseus_status status = perseus__statement_end(statement, err);
	if (status == PERSEUS_OK && sqlite3_changes(ledger->database) == 0)
		return perseus__fail(err, PERSEUS_INVALID, "the ledger %s: %s %lld", ledger->path, problem, (long long)id);
	return status;
}

static enum perseus_status
update_run(const struct perseus__ledger *ledger, const struct perseus__run *run, struct perseus_error *err)
{
	struct perseus__statement statement = perseus__statement_new(ledger,
			"UPDATE runs SET state = 'done', end_ms = ?, time_s = ?, exit_status = ?, signal = ?, is_simulated = ?,"
			" peak_power_w = ?, note = coalesce(?, note) WHERE id = ? AND uuid = ? AND state = 'running'");
	perseus__bind_integer(&statement, run->end_ms);
	perseus__bind_real(&statement, run->time_s);
	perseus__bind_integer_if(&statement, run->exit_status >= 0, run->exit_status);
	perseus__bind_integer_if(&statement, run->signal > 0, run->signal);
	perseus__bind_integer(&statement, perseus__run_is_simulated(run));
	perseus__bind_real_if(&statement, run->has_peak_power, run->peak_power_w);
	perseus__bind_text(&statement, run->note);
	perseus__bind_integer(&statement, run->id);
	perseus__bind_text(&statement, run->uuid);
	return end_update(&statement, run->id, "there is no unfinished run", err);
}

static enum perseus_status
insert_device(const struct perseus__ledger *ledger, int64_t id, int32_t position,
		const struct perseus__run_device *device, struct perseus_error *err)
{
	const struct perseus_device_info *info = &device->info;
	const struct perseus_reading *reading = &device->reading;
	const bool is_measured = reading->method != PERSEUS_METHOD_NONE;
	struct perseus__statement statement = perseus__statement_new(
			ledger, "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	perseus__bind_integer(&statement, id);
	perseus__bind_integer(&statement, position);
	perseus__bind_text(&statement, perseus_device_kind_name(info->kind));
	perseus__bind_integer(&statement, info->index);
	perseus__bind_word(&statement, info->uuid);
	perseus__bind_word(&statement, info->pci_address);
	perseus__bind_word(&statement, info->name);
	perseus__bind_word(&statement, info->architecture);
	perseus__bind_word(&statement, info->backend);
	perseus__bind_integer(&statement, info->is_simulated);
	perseus__bind_integer(&statement, info->is_mig);
	perseus__bind_integer(&statement, info->is_module);
	perseus__bind_text(&statement, perseus_method_name(reading->method));
	perseus__bind_real_if(&statement, is_measured, reading->energy_j);
	perseus__bind_real_if(&statement, is_measured, reading->error_j);
	perseus__bind_real_if(&statement, reading->has_average_power, reading->average_power_w);
	perseus__bind_real_if(&statement, reading->has_peak_power, reading->peak_power_w);
	perseus__bind_word(&statement, reading->reason);
	perseus__bind_word(&statement, info->note);
	(void)perseus__statement_step(&statement);
	return perseus__statement_end(&statement, err);
}

static enum perseus_status
insert_factors(const struct perseus__ledger *ledger, const struct perseus__run *run, struct perseus_error *err)
{
	const struct perseus__factors *factors = &run->factors;
	const struct perseus__intensity *intensity = &factors->intensity;
	const bool has_intensity = factors->has_intensity;
	struct perseus__statement statement =
			perseus__statement_new(ledger, "INSERT INTO factors VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	perseus__bind_integer(&statement, run->id);
	perseus__bind_real(&statement, factors->pue);
	perseus__bind_real_if(&statement, has_intensity, intensity->gco2e_per_kwh);
	perseus__bind_word(&statement, has_intensity ? intensity->zone : "");
	perseus__bind_integer_if(&statement, has_intensity && intensity->year > 0, intensity->year);
	perseus__bind_integer_if(&statement, has_intensity && intensity->n_hours > 0, intensity->n_hours);
	perseus__bind_word(&statement, has_intensity ? perseus__intensity_type_name(intensity->type) : "");
	perseus__bind_word(&statement, has_intensity ? intensity->source : "");
	perseus__bind_text(&statement, run->no_intensity);
	perseus__bind_real_if(&statement, factors->has_price, factors->price_per_kwh);
	perseus__bind_word(&statement, factors->has_price ? factors->currency : "");
	perseus__bind_real_if(&statement, factors->has_embodied, factors->embodied_kg);
	perseus__bind_real_if(&statement, factors->has_embodied, factors->lifespan_years);
	perseus__bind_real_if(&statement, factors->has_embodied, factors->share);
	(void)perseus__statement_step(&statement);
	return perseus__statement_end(&statement, err);
}

static enum perseus_status
insert_footprint(const struct perseus__ledger *ledger, int64_t id, const struct perseus__footprint *footprint,
		struct perseus_error *err)
{
	const bool has_energy = footprint->energy.n_measured > 0;
	struct perseus__statement statement =
			perseus__statement_new(ledger, "INSERT INTO footprints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
	perseus__bind_integer(&statement, id);
	perseus__bind_integer(&statement, footprint->energy.n_devices);
	perseus__bind_integer(&statement, footprint->energy.n_measured);
	perseus__bind_real_if(&statement, has_energy, footprint->energy.energy_j);
	perseus__bind_real_if(&statement, has_energy, footprint->energy.error_j);
	perseus__bind_real_if(&statement, footprint->has_facility, footprint->facility_kwh);
	perseus__bind_real_if(&statement, footprint->has_operational, footprint->operational_gco2e);
	perseus__bind_real_if(&statement, footprint->has_embodied, footprint->embodied_gco2e);
	perseus__bind_real_if(&statement, footprint->has_cost, footprint->cost);
	(void)perseus__statement_step(&statement);
	return perseus__statement_end(&statement, err);
}

/* A result of a run that is there, in the place of one with the same key. */
static enum perseus_status
put_result(const struct perseus__ledger *ledger, int64_t id, const struct perseus__result *result,
		struct perseus_error *err)
{
	struct perseus__statement statement =
			perseus__statement_new(ledger, "INSERT OR REPLACE INTO results SELECT id, ?, ?, ? FROM runs WHERE id = ?");
	perseus__bind_text(&statement, result->key);
	perseus__bind_real_if(&statement, result->is_number, result->number);
	perseus__bind_text(&statement, result->text);
	perseus__bind_integer(&statement, id);
	return end_update(&statement, id, "there is no run", err);
}

static enum perseus_status
finish_locked(const struct perseus__ledger *ledger, const struct perseus__run *run, struct perseus_error *err)
{
	enum perseus_status status = update_run(ledger, run, err);
	for (int32_t i = 0; i < run->n_devices && status == PERSEUS_OK; i++)
		status = insert_device(ledger, run->id, i, &run->devices[i], err);
	if (status == PERSEUS_OK)
		status = insert_factors(ledger, run, err);
	if (status == PERSEUS_OK)
		status = insert_footprint(ledger, run->id, &run->footprint, err);
	for (int32_t i = 0; i < run->n_results && status == PERSEUS_OK; i++)
		status = put_result(ledger, run->id, &run->results[i], err);
	return status;
}

enum perseus_status
perseus__ledger_finish_run(struct perseus__ledger *ledger, const struct perseus__run *run, struct perseus_error *err)
{
	const enum perseus_status status = perseus__ledger_execute(ledger, "BEGIN IMMEDIATE", err);
	if (status != PERSEUS_OK)
		return status;
	return perseus__ledger_end_transaction(ledger, finish_locked(ledger, run, err), err);
}

enum perseus_status
perseus__ledger_add_result(
		struct perseus__ledger *ledger, int64_t id, const struct perseus__result *result, struct perseus_error *err)
{
	return put_result(ledger, id, result, err);
}

enum perseus_status
perseus__ledger_set_note(struct perseus__ledger *ledger, int64_t id, const char *note, struct perseus_error *err)
{
	struct perseus__statement statement = perseus__statement_new(ledger, "UPDATE runs SET note = ? WHERE id = ?");
	perseus__bind_text(&statement, note);
	perseus__bind_integer(&statement, id);
	return end_update(&statement, id, "there is no run", err);
}
