/* The devices a command works on. */
#include "cli/node_options.h"

#include <stdlib.h>

enum { KEY_DEVICES = 'D', KEY_RAPL_ROOT = 400 };

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Devices", 10},
	{"devices", KEY_DEVICES, "SPEC", 0,
		"nvml, rapl, sim:MODEL[xN], replay:TRACE.csv, several joined by '+', or auto: nvml and rapl, each where it is "
		"there (default: $PERSEUS_DEVICES, or auto)",
		0},
	{"rapl-root", KEY_RAPL_ROOT, "DIR", 0, "Where the powercap zones lie (default /sys/class/powercap)", 0},
	{0},
};

/* Empty is as good as unset. */
static const char *
environment(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	return value && *value ? value : otherwise;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state) /* NOLINT(readability-non-const-parameter): argp's */
{
	struct perseus__node_options *node = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		*node = (struct perseus__node_options){.devices = environment("PERSEUS_DEVICES", "auto"),
			/* Set, and empty, it hides every GPU. */
			.visible_gpus = getenv("CUDA_VISIBLE_DEVICES")};
		return 0;
	case KEY_DEVICES:
		node->devices = arg;
		return 0;
	case KEY_RAPL_ROOT:
		node->rapl_root = arg;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp perseus__node_argp = {.options = options, .parser = parse_option};

enum perseus_status
perseus__node_options_open(
		const struct perseus__node_options *node, struct perseus_node **out, struct perseus_error *err)
{
	const struct perseus_node_settings settings = {.visible_gpus = node->visible_gpus, .rapl_root = node->rapl_root};
	return perseus_node_open(node->devices, &settings, out, err);
}
