/*
 * The devices a command works on: the options that choose them, their defaults from the environment, and the node.
 */
#ifndef PERSEUS_CLI_NODE_OPTIONS_H
#define PERSEUS_CLI_NODE_OPTIONS_H

#include <argp.h>

#include <perseus/device.h>
#include <perseus/status.h>

/* Filled by perseus__node_argp, whose input it is; defaults included. All is borrowed from argv and the environment. */
struct perseus__node_options {
	const char *devices;      /* --devices, else PERSEUS_DEVICES, else "auto" */
	const char *rapl_root;    /* --rapl-root; NULL: the system's */
	const char *visible_gpus; /* CUDA_VISIBLE_DEVICES; NULL: all. A command that serves every job sets it to NULL. */
};

/* --devices and --rapl-root. */
extern const struct argp perseus__node_argp;

/* Opens the devices. Errors: as perseus_node_open. */
PERSEUS_MUST_USE enum perseus_status perseus__node_options_open(
		const struct perseus__node_options *node, struct perseus_node **out, struct perseus_error *err);

#endif
