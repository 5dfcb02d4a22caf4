/* Runs a command and measures what its devices take meanwhile. */
#include "cli/measure.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "cli/ledger_path.h"
#include "cli/live_line.h"
#include "cli/rank.h"
#include "cli/results_file.h"
#include "meter/ledger.h"

#include <perseus/meter.h>
#include <perseus/version.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NOTES_BYTES = 65536, MAX_PATH_BYTES = 4096 };

/* Adds a line to the notes. */
PERSEUS_PRINTF(2, 3)
static void
add_note(struct perseus__measurement *measurement, const char *format, ...)
{
	char line[PERSEUS_ERROR_MESSAGE_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(line, sizeof line, format, args); /* a longer note is cut */
	va_end(args);
	for (char *at = line; *at; at++)
		*at = *at == '\n' ? ' ' : *at;
	perseus__text_addf(&measurement->notes, "%s\n", line);
}

/* Which devices this process counts: all of them, unless it is one of several ranks of a job. */
static void
claim_devices(struct perseus__measurement *measurement)
{
	const struct perseus__rank rank = perseus__rank_of_environment();
	const int32_t n_devices = perseus_node_n_devices(measurement->node);
	struct perseus_error why = {.message = ""};
	for (int32_t i = 0; i < n_devices; i++)
		measurement->is_counted[i] = true;
	if (!rank.is_known)
		return;
	measurement->run->rank = rank.rank;
	enum perseus_status status = perseus__run_set_text(&measurement->run->job, rank.job, &why);
	if (status == PERSEUS_OK)
		status = perseus__claims_new(rank.directory, rank.job, rank.rank, &measurement->claims, &why);
	for (int32_t i = 0; i < n_devices && status == PERSEUS_OK; i++)
		status = perseus__claims_take(measurement->claims, perseus_node_device(measurement->node, i),
				&measurement->is_counted[i], &measurement->claimant[i], &why);
	if (status != PERSEUS_OK)
		add_note(measurement, "devices cannot be claimed, so that ranks of this job may count one twice: %s",
				why.message);
}

enum perseus_status
perseus__measurement_init(struct perseus__measurement *measurement, const struct perseus__measure_options *options,
		struct perseus__run *run, struct perseus_error *err)
{
	*measurement = (struct perseus__measurement){
		.options = options, .run = run, .trace = {.file = -1}, .notes = perseus__text_init(MAX_NOTES_BYTES)};
	enum perseus_status status = perseus__node_options_open(&options->node, &measurement->node, err);
	if (status != PERSEUS_OK)
		return status;
	const int32_t n_devices = perseus_node_n_devices(measurement->node);
	measurement->is_counted = perseus__new_array((size_t)n_devices + 1, sizeof *measurement->is_counted);
	measurement->claimant = perseus__new_array((size_t)n_devices + 1, sizeof *measurement->claimant);
	if (measurement->is_counted && measurement->claimant)
		status = perseus__power_watch_init(
				&measurement->watch, n_devices, measurement->is_counted, options->chart != NULL, err);
	else
		status = perseus__no_memory(err);
	if (status != PERSEUS_OK) {
		perseus__measurement_fini(measurement);
		return status;
	}
	for (int32_t i = 0; i < perseus_node_n_notes(measurement->node); i++)
		add_note(measurement, "%s", perseus_node_note(measurement->node, i));
	claim_devices(measurement);
	return PERSEUS_OK;
}

void
perseus__measurement_fini(struct perseus__measurement *measurement)
{
	perseus__power_watch_fini(&measurement->watch);
	perseus__trace_file_fini(&measurement->trace);
	perseus__claims_free(measurement->claims);
	perseus_node_close(measurement->node);
	perseus__free(measurement->is_counted);
	perseus__free(measurement->claimant);
	perseus__text_fini(&measurement->notes);
	*measurement = (struct perseus__measurement){0};
}

/* What a run is, as far as it is known before it begins. */
static enum perseus_status
describe_run(struct perseus__measurement *measurement, struct perseus_error *err)
{
	const struct perseus__measure_options *options = measurement->options;
	struct perseus__run *run = measurement->run;
	char cwd[MAX_PATH_BYTES];
	char host[256];
	char uid[24];
	const char *user = getenv("USER");
	(void)snprintf(uid, sizeof uid, "%" PRIu64, (uint64_t)geteuid());
	host[sizeof host - 1] = '\0';
	enum perseus_status status = perseus__run_set_command(run, options->n_command, options->command, err);
	if (status == PERSEUS_OK)
		status = perseus__run_set_text(&run->cwd, getcwd(cwd, sizeof cwd), err);
	if (status == PERSEUS_OK)
		status = perseus__run_set_text(&run->host, gethostname(host, sizeof host - 1) == 0 ? host : NULL, err);
	if (status == PERSEUS_OK)
		status = perseus__run_set_text(&run->user, user && *user ? user : uid, err);
	if (status == PERSEUS_OK)
		status = perseus__run_set_text(&run->version, perseus_version(), err);
	return status;
}

/* What is needed while the command runs. */
struct session {
	struct perseus__measurement *measurement;
	struct perseus_meter *meter;
	int64_t window;
	struct perseus_reading *readings; /* length n_devices of the node; owned */
	bool is_in_ledger;
	struct perseus__results_file results;
	struct perseus__live_line live;
};

/* Opens the ledger for one thing to `write`: a run may take weeks, and is not to hold it open. */
static enum perseus_status
write_ledger(struct perseus__measurement *measurement,
		enum perseus_status (*write)(
				struct perseus__ledger *ledger, struct perseus__run *run, struct perseus_error *err),
		struct perseus_error *err)
{
	struct perseus__ledger *ledger = NULL;
	char *path = NULL;
	enum perseus_status status = perseus__ledger_path(measurement->options->ledger, &path, err);
	if (status == PERSEUS_OK)
		status = perseus__ledger_open(path, PERSEUS__LEDGER_CREATE, &ledger, err);
	if (status == PERSEUS_OK)
		status = write(ledger, measurement->run, err);
	perseus__ledger_close(ledger);
	perseus__free(path);
	return status;
}

static enum perseus_status
finish_run(struct perseus__ledger *ledger, struct perseus__run *run, struct perseus_error *err)
{
	return perseus__ledger_finish_run(ledger, run, err);
}

/* A ledger that cannot be written is no reason not to train. */
static void
begin_in_ledger(struct session *session)
{
	struct perseus__measurement *measurement = session->measurement;
	struct perseus_error why;
	session->is_in_ledger = false;
	if (!measurement->options->has_ledger)
		return;
	session->is_in_ledger = write_ledger(measurement, perseus__ledger_begin_run, &why) == PERSEUS_OK;
	if (!session->is_in_ledger)
		add_note(measurement, "this run is not in the ledger: %s", why.message);
}

static void
finish_in_ledger(struct session *session)
{
	struct perseus_error why;
	if (session->is_in_ledger && write_ledger(session->measurement, finish_run, &why) != PERSEUS_OK)
		add_note(session->measurement, "this run is not complete in the ledger: %s", why.message);
}

static enum perseus_status
open_session(struct session *session, struct perseus__measurement *measurement, struct perseus_error *err)
{
	const struct perseus_meter_settings settings = {
		.sample_period_ns = (int64_t)(1e9 / measurement->options->rate_hz),
		.with_clocks = measurement->options->csv != NULL,
		.on_samples = perseus__power_watch_add,
		.user = &measurement->watch,
	};
	struct perseus_error why;
	*session = (struct session){
		.measurement = measurement,
		.live = perseus__live_line_init(measurement->options->is_quiet),
		.readings =
				perseus__new_array((size_t)perseus_node_n_devices(measurement->node) + 1, sizeof *session->readings),
	};
	if (!session->readings)
		return perseus__no_memory(err);
	if (perseus__results_file_init(&session->results, &why) != PERSEUS_OK)
		add_note(measurement, "the command cannot report results: %s", why.message);
	enum perseus_status status = describe_run(measurement, err);
	if (status == PERSEUS_OK && measurement->options->csv) {
		status = perseus__trace_file_open(&measurement->trace, measurement->options->csv, measurement->node, err);
		measurement->watch.trace = status == PERSEUS_OK ? &measurement->trace : NULL;
	}
	if (status == PERSEUS_OK)
		status = perseus_meter_new(measurement->node, &settings, &session->meter, err);
	measurement->run->begin_ms = perseus__clock_wall_ms();
	if (status == PERSEUS_OK)
		begin_in_ledger(session);
	if (status == PERSEUS_OK)
		status = perseus_meter_begin(session->meter, "run", &session->window, err);
	return status;
}

static void
close_session(struct session *session)
{
	perseus_meter_free(session->meter);
	perseus__results_file_fini(&session->results);
	perseus__free(session->readings);
}

/* Emissions so far, where there is an intensity for the time so far. */
static void
add_carbon(const struct perseus__measurement *measurement, struct perseus__live_values *values)
{
	struct perseus__factors factors;
	const struct perseus__energy energy = {.n_measured = values->has_energy, .energy_j = values->energy_j};
	if (perseus__footprint_options_resolve(
				&measurement->options->footprint, measurement->run->begin_ms, perseus__clock_wall_ms(), &factors, NULL)
			!= PERSEUS_OK)
		return;
	const struct perseus__footprint footprint = perseus__footprint_make(&energy, 0, &factors);
	values->has_carbon = footprint.has_operational;
	values->carbon_g = footprint.operational_gco2e;
}

/* What there is to see on a terminal at this moment. */
static void
show_live(struct session *session)
{
	struct perseus__measurement *measurement = session->measurement;
	struct perseus_window_result result;
	if (!session->live.is_on
			|| perseus_meter_peek(session->meter, session->window, &result, session->readings, NULL) != PERSEUS_OK)
		return;
	struct perseus__live_values values = {.time_ns = result.time_ns};
	values.has_power = perseus__power_watch_now(&measurement->watch, &values.power_w);
	for (int32_t i = 0; i < result.n_readings; i++) {
		const struct perseus_reading *reading = &session->readings[i];
		if (!measurement->is_counted[reading->device] || reading->method == PERSEUS_METHOD_NONE)
			continue;
		values.has_energy = true;
		values.energy_j += reading->energy_j;
		values.is_simulated |= perseus_node_device(measurement->node, reading->device)->is_simulated;
	}
	add_carbon(measurement, &values);
	perseus__live_line_show(&session->live, &values);
}

/* The devices that this process counts, and what they took. */
static enum perseus_status
take_readings(struct session *session, const struct perseus_window_result *result, struct perseus_error *err)
{
	const struct perseus__measurement *measurement = session->measurement;
	struct perseus__run *run = measurement->run;
	int32_t n = 0;
	for (int32_t i = 0; i < result->n_readings; i++)
		n += measurement->is_counted[session->readings[i].device];
	const enum perseus_status status = perseus__run_set_devices(run, n, err);
	if (status != PERSEUS_OK)
		return status;
	n = 0;
	for (int32_t i = 0; i < result->n_readings; i++) {
		const struct perseus_reading *reading = &session->readings[i];
		if (measurement->is_counted[reading->device])
			run->devices[n++] = (struct perseus__run_device){
				.info = *perseus_node_device(measurement->node, reading->device), .reading = *reading};
	}
	return PERSEUS_OK;
}

/* Why there is no intensity although one was asked for. */
static void
keep_reason(struct perseus__measurement *measurement, const char *reason)
{
	if (perseus__run_set_text(&measurement->run->no_intensity, reason, NULL) != PERSEUS_OK)
		add_note(measurement, "no carbon intensity: %s", reason);
}

/* Ends the window at once, then sees to the rest. */
static void
end_run(struct session *session)
{
	struct perseus__measurement *measurement = session->measurement;
	struct perseus__run *run = measurement->run;
	struct perseus_window_result result = {0};
	struct perseus_error why;
	enum perseus_status status = perseus_meter_end(session->meter, session->window, &result, session->readings, &why);
	run->end_ms = perseus__clock_wall_ms();
	run->state = PERSEUS__RUN_DONE;
	run->time_s = (double)result.time_ns / 1e9;
	measurement->begin_ns = result.begin_ns;
	perseus_meter_free(session->meter);
	session->meter = NULL;
	run->has_peak_power = measurement->watch.has_peak;
	run->peak_power_w = measurement->watch.peak_w;
	if (measurement->watch.trace && perseus__trace_file_close(&measurement->trace, &why) != PERSEUS_OK)
		add_note(measurement, "power over time is not complete: %s", why.message);
	if (status == PERSEUS_OK)
		status = take_readings(session, &result, &why);
	if (status != PERSEUS_OK)
		add_note(measurement, "the energy is not known: %s", why.message);
	if (perseus__results_file_read(&session->results, run, &why) != PERSEUS_OK)
		add_note(measurement, "results that the command reports: %s", why.message);
	if (perseus__footprint_options_resolve(
				&measurement->options->footprint, run->begin_ms, run->end_ms, &run->factors, &why)
			!= PERSEUS_OK)
		keep_reason(measurement, why.message);
	perseus__run_account(run);
	finish_in_ledger(session);
}

static void
clear_live(void *user)
{
	perseus__live_line_clear(user);
}

/* Starts the command, unless a signal has come that would have ended perseus by now. */
static enum perseus_status
start_command(struct session *session, const struct perseus__signals *signals, struct perseus__child *child,
		int *exit_code, struct perseus_error *err)
{
	const int signal = perseus__signals_end(signals);
	if (signal == 0)
		return perseus__child_start(child, session->measurement->options->command, signals, exit_code, err);
	session->measurement->run->signal = signal;
	*exit_code = 128 + signal;
	return perseus__fail(
			err, PERSEUS_CANCELLED, "ended by signal %d (%s) ahead of the command", signal, strsignal(signal));
}

enum perseus_status
perseus__measurement_run(struct perseus__measurement *measurement, const struct perseus__signals *signals,
		int *exit_code, struct perseus_error *err)
{
	struct session session;
	enum perseus_status status = open_session(&session, measurement, err);
	if (status != PERSEUS_OK) {
		*exit_code = perseus_status_exit_code(status);
		close_session(&session);
		return status;
	}
	struct perseus__run *run = measurement->run;
	struct perseus__child child = {.on_stop = clear_live, .user = &session.live};
	status = start_command(&session, signals, &child, exit_code, err);
	if (status == PERSEUS_OK) {
		while (!perseus__child_wait(&child, session.live.is_on ? PERSEUS__LIVE_PERIOD_NS : -1))
			show_live(&session);
		*exit_code = perseus__child_exit_code(&child);
		run->signal = perseus__child_signal(&child);
	}
	run->exit_status = run->signal ? -1 : *exit_code;
	end_run(&session);
	perseus__live_line_clear(&session.live);
	close_session(&session);
	return status;
}
