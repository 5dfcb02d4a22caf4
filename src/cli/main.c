/*
 * The program `perseus`: one table of subcommands, each in a file of its own.
 */
#include "cli/command.h"
#include "cli/other_program.h"
#include "cli/subcommand.h"

#include <perseus/version.h>

#include <argp.h>
#include <stdbool.h>
#include <string.h>

static const struct perseus__subcommand commands[] = {
	{"plan", "choose a clock for every instruction", perseus__run_plan},
	{"frontier", "least energy for every iteration time", perseus__run_frontier},
	{"simulate", "a whole job with stragglers, iteration by iteration", perseus__run_simulate},
	{"compare", "other ways to choose clocks, and ours, side by side", perseus__run_compare},
	{"partition", "cut the layers of a model into stages", perseus__run_partition},
	{"allocate", "share the power of a site among jobs", perseus__run_allocate},
	{"pace", "run a job by the grid's carbon or price", perseus__run_pace},
	{"profile", "what a file of measurements holds", perseus__run_profile},
	{"devices", "what the devices of this machine read and take", perseus__run_devices},
	{"measure", "measure what a command takes", perseus__run_measure},
	{"runs", "the ledger of measured runs", perseus__run_runs},
	{"agent", "serve measurement and control of this machine's devices", perseus__run_agent},
	{"serve", "plan the clocks of training jobs while they train", perseus__run_serve},
	{"token", "issue and show tokens for the agent and the job server", perseus__run_token},
	{"version", "print the version", perseus__run_version},
};

enum { EXIT_USAGE = 2 };

/* Whether the program was started as zeusd, whose command line the agent has as well. */
static bool
is_zeusd(const char *program)
{
	const char *slash = strrchr(program, '/');
	return strcmp(slash ? slash + 1 : program, "zeusd") == 0;
}

int
main(int argc, char **argv)
{
	static const struct perseus__subcommands program = {
		.program = "perseus",
		.doc = "Energy-saving clock plans for pipeline-parallel training."
			   "\v'perseus COMMAND --help' says more about a command.",
		.rows = commands,
		.n_rows = sizeof commands / sizeof *commands,
	};
	argp_program_version = "perseus " PERSEUS_VERSION;
	argp_err_exit_status = EXIT_USAGE;
	if (argc > 0 && is_zeusd(argv[0]))
		return perseus__become("perseus-agent", "zeusd", argc, argv);
	static char name[] = "perseus";
	if (argc > 0)
		argv[0] = name;
	return perseus__subcommands_run(&program, argc, argv);
}
