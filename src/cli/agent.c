/* perseus agent, and zeusd serve */
#include "cli/agent_options.h"
#include "cli/command.h"
#include "cli/zeusd.h"

#include "base/memory.h"

#include <unistd.h>

static int
restore(const struct perseus__agent_settings *settings)
{
	struct perseus_error err;
	struct perseus_node *node = NULL;
	int32_t n_restored = 0;
	enum perseus_status status = perseus_node_open(settings->devices, &settings->node, &node, &err);
	if (status == PERSEUS_OK)
		status = perseus__executor_restore(node, settings->executor.state_dir, &n_restored, &err);
	perseus_node_close(node);
	if (status != PERSEUS_OK)
		return perseus__print_error(&err);
	perseus__print_note("%d settings put back", (int)n_restored);
	return 0;
}

static int
run(struct perseus__agent_options *options)
{
	struct perseus_error err;
	perseus__log_open(STDERR_FILENO, options->log_level);
	enum perseus_status status = perseus__agent_options_finish(options, &err);
	if (status == PERSEUS_OK && options->wants_restore)
		return restore(&options->settings);
	if (status == PERSEUS_OK)
		status = perseus__agent_run(&options->settings, &err);
	perseus__free(options->settings.front.key.bytes);
	return status == PERSEUS_OK ? 0 : perseus__print_error(&err);
}

int
perseus__run_agent(int argc, char **argv)
{
	struct perseus__agent_options options;
	perseus__agent_options_init(&options, false);
	(void)argp_parse(&perseus__agent_argp, argc, argv, 0, NULL, &options);
	return run(&options);
}

int
perseus__run_zeusd_serve(int argc, char **argv)
{
	struct perseus__agent_options options;
	perseus__agent_options_init(&options, true);
	options.node.devices = "auto";
	options.node.rapl_root = perseus__zeusd_rapl_root();
	(void)argp_parse(&perseus__serve_argp, argc, argv, 0, NULL, &options);
	return run(&options);
}
