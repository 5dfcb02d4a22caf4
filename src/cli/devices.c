/* perseus devices */
#include "cli/devices.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/node_options.h"

#include <argp.h>

enum { KEY_JSON = 'j' };

struct options {
	struct perseus__node_options node;
	bool as_json;
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Results", 2},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state) /* NOLINT(readability-non-const-parameter): argp's */
{
	struct options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->node;
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "'%s' is one argument too many", arg);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static void
report(const struct perseus_node *node, int32_t device, struct perseus__device_report *report)
{
	for (int i = 0; i < PERSEUS_N_QUANTITIES; i++)
		report->not_read[i].status =
				perseus_device_read(node, device, (enum perseus_quantity)i, &report->values[i], &report->not_read[i]);
	for (int i = 0; i < PERSEUS_N_SETTINGS; i++)
		report->not_set[i].status = perseus_device_check(node, device, (enum perseus_setting)i, &report->not_set[i]);
	for (int i = 0; i < PERSEUS__N_CLOCK_SETTINGS; i++)
		if (perseus_device_clocks(node, device, (enum perseus_setting)i, report->mhz[i], &report->n_mhz[i], NULL))
			report->n_mhz[i] = 0;
}

/* Reads every device of `node` once; `reports`, a report each, is freed with perseus__free. Errors: NO_MEMORY. */
static enum perseus_status
read_devices(const struct perseus_node *node, struct perseus__device_report **reports, struct perseus_error *err)
{
	const int32_t n = perseus_node_n_devices(node);
	struct perseus__device_report *all = perseus__new_array((size_t)n, sizeof *all);
	if (!all)
		return perseus__no_memory(err);
	for (int32_t device = 0; device < n; device++)
		report(node, device, &all[device]);
	*reports = all;
	return PERSEUS_OK;
}

/* Says that there is no device, with the reasons that the backends gave. */
static int
print_nothing(const struct perseus_node *node)
{
	struct perseus__text text = perseus__text_init(PERSEUS_ERROR_MESSAGE_BYTES);
	for (int32_t i = 0; i < perseus_node_n_notes(node); i++)
		perseus__text_addf(&text, "%s%s", i ? "; " : ": ", perseus_node_note(node, i));
	struct perseus_error err;
	(void)perseus__fail(&err, PERSEUS_UNSUPPORTED, "no device was found%s", text.length > 0 ? text.bytes : "");
	perseus__text_fini(&text);
	return perseus__print_error(&err);
}

static int
print_report(
		const struct options *options, const struct perseus_node *node, const struct perseus__device_report *reports)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__devices_json(&text, node, reports);
	else
		perseus__devices_text(&text, node, reports);
	return perseus__print_result(&text);
}

int
perseus__run_devices(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__node_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.doc = "Lists the devices of this machine: what they read now, what can be set, and why not.",
		.children = children,
	};
	struct options options = {.as_json = false};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	struct perseus_error err;
	struct perseus_node *node = NULL;
	struct perseus__device_report *reports = NULL;
	if (perseus__node_options_open(&options.node, &node, &err) != PERSEUS_OK)
		return perseus__print_error(&err);
	const bool is_empty = perseus_node_n_devices(node) == 0;
	int exit_code = 0;
	if (read_devices(node, &reports, &err) != PERSEUS_OK)
		exit_code = perseus__print_error(&err);
	else if (!is_empty || options.as_json)
		exit_code = print_report(&options, node, reports);
	if (exit_code == 0 && is_empty)
		exit_code = print_nothing(node);
	perseus__free(reports);
	perseus_node_close(node);
	return exit_code;
}
