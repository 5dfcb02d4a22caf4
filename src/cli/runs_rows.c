/* Runs as rows: the same columns as CSV and as JSON. */
#include "base/memory.h"
#include "cli/run_json.h"
#include "cli/run_report.h"
#include "cli/runs.h"
#include "format/csv_writer.h"
#include "format/json_writer.h"
#include "format/utc_time.h"

#include <stdlib.h>
#include <string.h>

/* Where the columns of a run go: names of a CSV, cells of a CSV, or members of a JSON object. */
struct sink {
	struct perseus__csv_writer *csv; /* NULL: JSON */
	struct perseus__json *json;
	struct perseus__text *text; /* theirs */
	bool is_header;
};

static void
put_text(const struct sink *sink, const char *name, const char *value)
{
	const char *text = value && *value ? value : NULL;
	if (sink->csv)
		perseus__csv_put_text(sink->csv, sink->is_header ? name : text);
	else if (text)
		perseus__json_string(sink->json, name, text);
	else
		perseus__json_null(sink->json, name);
}

static void
put_number(const struct sink *sink, const char *name, bool is_there, double value)
{
	if (sink->csv && sink->is_header)
		perseus__csv_put_text(sink->csv, name);
	else if (sink->csv)
		perseus__csv_put_number(sink->csv, is_there, value);
	else if (is_there)
		perseus__json_number(sink->json, name, value);
	else
		perseus__json_null(sink->json, name);
}

static void
put_integer(const struct sink *sink, const char *name, bool is_there, int64_t value)
{
	if (sink->csv && sink->is_header)
		perseus__csv_put_text(sink->csv, name);
	else if (sink->csv)
		perseus__csv_put_integer(sink->csv, is_there, value);
	else if (is_there)
		perseus__json_integer(sink->json, name, value);
	else
		perseus__json_null(sink->json, name);
}

static void
put_flag(const struct sink *sink, const char *name, bool value)
{
	if (sink->csv)
		put_text(sink, name, value ? "true" : "false");
	else
		perseus__json_boolean(sink->json, name, value);
}

static void
put_moment(const struct sink *sink, const char *name, bool is_there, int64_t time_ms)
{
	char text[PERSEUS__UTC_BYTES];
	perseus__utc_text(time_ms, text);
	put_text(sink, name, is_there ? text : NULL);
}

static void
put_what(const struct sink *sink, const struct perseus__run *run)
{
	const bool is_done = run->state == PERSEUS__RUN_DONE;
	put_integer(sink, "id", true, run->id);
	put_text(sink, "uuid", run->uuid);
	put_text(sink, "state", perseus__run_state_name(run->state));
	put_moment(sink, "begin", true, run->begin_ms);
	put_moment(sink, "end", is_done, run->end_ms);
	put_number(sink, "time_s", is_done, run->time_s);
	put_integer(sink, "exit_code", is_done && run->exit_status >= 0, run->exit_status);
	put_integer(sink, "signal", is_done && run->signal > 0, run->signal);
	struct perseus__text command = perseus__text_init((size_t)1 << 24);
	perseus__command_line(run, &command);
	put_text(sink, "command", command.bytes);
	sink->text->failed = sink->text->failed || command.failed;
	perseus__text_fini(&command);
	put_text(sink, "host", run->host);
	put_text(sink, "user", run->user);
	put_text(sink, "job", run->job);
	put_integer(sink, "rank", run->rank >= 0, run->rank);
}

static void
put_footprint(const struct sink *sink, const struct perseus__run *run)
{
	const bool is_done = run->state == PERSEUS__RUN_DONE;
	const struct perseus__footprint *footprint = &run->footprint;
	const bool has_energy = footprint->energy.n_measured > 0;
	put_flag(sink, "simulated", perseus__run_is_simulated(run));
	put_integer(sink, "devices", is_done, footprint->energy.n_devices);
	put_integer(sink, "measured", is_done, footprint->energy.n_measured);
	put_number(sink, "energy_j", has_energy, footprint->energy.energy_j);
	put_number(sink, "error_j", has_energy, footprint->energy.error_j);
	put_number(sink, "pue", is_done, run->factors.pue);
	put_number(sink, "facility_energy_kwh", footprint->has_facility, footprint->facility_kwh);
	put_number(sink, "operational_gco2e", footprint->has_operational, footprint->operational_gco2e);
	put_number(sink, "embodied_gco2e", footprint->has_embodied, footprint->embodied_gco2e);
	put_number(sink, "cost", footprint->has_cost, footprint->cost);
	put_text(sink, "currency", footprint->has_cost ? run->factors.currency : NULL);
	put_text(sink, "note", run->note);
}

/* Keys of the results of all runs, each once, by name. */
struct keys {
	const char **names; /* borrowed from the runs */
	size_t n;
};

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* False where there is no memory. */
static bool
collect_keys(const struct perseus__run_list *list, struct keys *keys)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n_runs; i++)
		n += (size_t)list->runs[i].n_results;
	*keys = (struct keys){.names = perseus__new_array(n + 1, sizeof *keys->names)};
	if (!keys->names)
		return false;
	for (size_t i = 0, at = 0; i < list->n_runs; i++)
		for (int32_t k = 0; k < list->runs[i].n_results; k++)
			keys->names[at++] = list->runs[i].results[k].key;
	qsort(keys->names, n, sizeof *keys->names, compare_names);
	for (size_t i = 0; i < n; i++)
		if (keys->n == 0 || strcmp(keys->names[keys->n - 1], keys->names[i]) != 0)
			keys->names[keys->n++] = keys->names[i];
	return true;
}

static void
put_results(const struct sink *sink, const struct perseus__run *run, const struct keys *keys)
{
	for (size_t i = 0; i < keys->n; i++) {
		char name[PERSEUS__RESULT_KEY_BYTES + 8];
		(void)snprintf(name, sizeof name, "result.%s", keys->names[i]);
		const struct perseus__result *result = run ? perseus__run_result(run, keys->names[i]) : NULL;
		perseus__csv_put_text(sink->csv, sink->is_header ? name : result ? result->text : NULL);
	}
}

void
perseus__runs_csv(const struct perseus__run_list *list, struct perseus__text *text)
{
	static const struct perseus__run nothing = {.rank = -1};
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	struct keys keys;
	if (!collect_keys(list, &keys)) {
		text->failed = true;
		return;
	}
	for (size_t i = 0; i <= list->n_runs; i++) {
		const struct sink sink = {.csv = &csv, .text = text, .is_header = i == 0};
		const struct perseus__run *run = i == 0 ? &nothing : &list->runs[i - 1];
		put_what(&sink, run);
		put_footprint(&sink, run);
		put_results(&sink, run, &keys);
		perseus__csv_end_row(&csv);
	}
	perseus__free(keys.names);
}

void
perseus__runs_json(const struct perseus__run_list *list, struct perseus__text *text)
{
	struct perseus__json json = perseus__json_init(text);
	const struct sink sink = {.json = &json, .text = text};
	perseus__json_open_object(&json, NULL, false);
	perseus__json_integer(&json, "version", 1);
	perseus__json_open_array(&json, "runs", false);
	for (size_t i = 0; i < list->n_runs; i++) {
		perseus__json_open_object(&json, NULL, false);
		put_what(&sink, &list->runs[i]);
		put_footprint(&sink, &list->runs[i]);
		perseus__results_json(&json, &list->runs[i]);
		perseus__json_close_object(&json);
	}
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
