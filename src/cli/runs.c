/* perseus runs: the table of its commands, and what they share. */
#include "cli/runs.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/ledger_path.h"
#include "cli/subcommand.h"

enum { KEY_LEDGER = 600 };

static const struct argp_option option_table[] = {
	{"ledger", KEY_LEDGER, "FILE", 0, "The ledger (default: $PERSEUS_LEDGER, or the user's own)", 0},
	{0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state) /* NOLINT(readability-non-const-parameter): argp's */
{
	const char **ledger = state->input;
	if (key != KEY_LEDGER)
		return ARGP_ERR_UNKNOWN;
	*ledger = arg;
	return 0;
}

const struct argp perseus__ledger_argp = {.options = option_table, .parser = parse_option};

enum perseus_status
perseus__runs_open(
		const char *option, enum perseus__ledger_mode mode, struct perseus__ledger **out, struct perseus_error *err)
{
	char *path = NULL;
	enum perseus_status status = perseus__ledger_path(option, &path, err);
	if (status == PERSEUS_OK)
		status = perseus__ledger_open(path, mode, out, err);
	perseus__free(path);
	return status;
}

static enum perseus_status
read_runs(struct perseus__ledger *ledger, const int64_t *ids, size_t n, struct perseus__run_list *list,
		struct perseus_error *err)
{
	struct perseus__run_list found = {.runs = perseus__new_array(n + 1, sizeof *found.runs)};
	if (!found.runs)
		return perseus__no_memory(err);
	enum perseus_status status = PERSEUS_OK;
	while (status == PERSEUS_OK && found.n_runs < n) {
		status = perseus__ledger_get(ledger, ids[found.n_runs], &found.runs[found.n_runs], err);
		found.n_runs += status == PERSEUS_OK;
	}
	if (status == PERSEUS_OK)
		*list = found;
	else
		perseus__run_list_fini(&found);
	return status;
}

enum perseus_status
perseus__run_list_filter(const char *option, const struct perseus__ledger_filter *filter,
		struct perseus__run_list *list, struct perseus_error *err)
{
	struct perseus__ledger *ledger = NULL;
	int64_t *ids = NULL;
	size_t n = 0;
	enum perseus_status status = perseus__runs_open(option, PERSEUS__LEDGER_READ, &ledger, err);
	if (status == PERSEUS_OK)
		status = perseus__ledger_list(ledger, filter, &ids, &n, err);
	if (status == PERSEUS_OK)
		status = read_runs(ledger, ids, n, list, err);
	perseus__free(ids);
	perseus__ledger_close(ledger);
	return status;
}

enum perseus_status
perseus__run_list_find(
		const char *option, char *const *names, size_t n, struct perseus__run_list *list, struct perseus_error *err)
{
	struct perseus__ledger *ledger = NULL;
	int64_t *ids = perseus__new_array(n + 1, sizeof *ids);
	if (!ids)
		return perseus__no_memory(err);
	enum perseus_status status = perseus__runs_open(option, PERSEUS__LEDGER_READ, &ledger, err);
	for (size_t i = 0; i < n && status == PERSEUS_OK; i++)
		status = perseus__ledger_find(ledger, names[i], &ids[i], err);
	if (status == PERSEUS_OK)
		status = read_runs(ledger, ids, n, list, err);
	perseus__free(ids);
	perseus__ledger_close(ledger);
	return status;
}

void
perseus__run_list_fini(struct perseus__run_list *list)
{
	for (size_t i = 0; i < list->n_runs; i++)
		perseus__run_fini(&list->runs[i]);
	perseus__free(list->runs);
	*list = (struct perseus__run_list){0};
}

bool
perseus__run_is_complete(const struct perseus__run *run)
{
	const struct perseus__energy *energy = &run->footprint.energy;
	return energy->n_devices > 0 && energy->n_measured == energy->n_devices;
}

void
perseus__runs_note_missing(const struct perseus__run_list *list)
{
	for (size_t i = 0; i < list->n_runs; i++) {
		const struct perseus__run *run = &list->runs[i];
		const struct perseus__energy *energy = &run->footprint.energy;
		if (run->state != PERSEUS__RUN_DONE || perseus__run_is_complete(run))
			continue;
		struct perseus__text missing = perseus__text_init(1000);
		perseus__run_add_missing(run, &missing);
		if (energy->n_devices == 0)
			perseus__print_note("run %lld: no device was measured", (long long)run->id);
		else
			perseus__print_note("run %lld: %d of %d devices were not measured%s%s; its sums are of the others",
					(long long)run->id, (int)(energy->n_devices - energy->n_measured), (int)energy->n_devices,
					missing.failed ? "" : ": ", missing.failed ? "" : missing.bytes);
		perseus__text_fini(&missing);
	}
}

void
perseus__run_end_text(const struct perseus__run *run, struct perseus__text *text)
{
	if (run->state != PERSEUS__RUN_DONE)
		perseus__text_addf(text, "%s", perseus__run_state_name(run->state));
	else if (run->signal > 0)
		perseus__text_addf(text, "signal %d", (int)run->signal);
	else
		perseus__text_addf(text, "exit %d", (int)run->exit_status);
}

void
perseus__run_measured_text(const struct perseus__run *run, struct perseus__text *text)
{
	if (run->state == PERSEUS__RUN_DONE)
		perseus__text_addf(text, "%d/%d%s", (int)run->footprint.energy.n_measured, (int)run->footprint.energy.n_devices,
				perseus__run_is_simulated(run) ? " sim" : "");
}

int
perseus__run_runs(int argc, char **argv)
{
	static const struct perseus__subcommand commands[] = {
		{"list", "the runs of the ledger, newest last", perseus__run_runs_list},
		{"show", "all that is known of a run", perseus__run_runs_show},
		{"compare", "judge runs by energy beside their quality", perseus__run_runs_compare},
		{"export", "write runs as CodeCarbon's emissions.csv, CSV or JSON", perseus__run_runs_export},
		{"add-result", "add results to a run", perseus__run_runs_add_result},
		{"note", "write a note to a run", perseus__run_runs_note},
	};
	static const struct perseus__subcommands runs = {
		.program = "perseus runs",
		.doc = "The ledger of measured runs: what 'perseus measure' keeps."
			   "\vA run is named by its number, or by how its UUID begins.",
		.rows = commands,
		.n_rows = sizeof commands / sizeof *commands,
	};
	return perseus__subcommands_run(&runs, argc, argv);
}
