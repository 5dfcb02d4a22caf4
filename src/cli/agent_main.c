/*
 * The program `perseus-agent`: the commands of the agent and of zeusd, for which `perseus` becomes it.
 */
#include "cli/command.h"
#include "cli/zeusd.h"

#include <perseus/version.h>

#include <argp.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

/* `shown`: what messages call it. */
static const struct {
	const char *name;
	const char *shown;
	int (*run)(int argc, char **argv);
} commands[] = {
	{"agent", "perseus agent", perseus__run_agent},
	{"token", "perseus token", perseus__run_token},
	{"zeusd", "zeusd", perseus__run_zeusd},
};

int
main(int argc, char **argv)
{
	argp_program_version = "perseus " PERSEUS_VERSION;
	argp_err_exit_status = EXIT_USAGE;
	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
		char shown[32];
		if (strcmp(commands[i].name, argv[1]) != 0)
			continue;
		(void)snprintf(shown, sizeof shown, "%s", commands[i].shown);
		argv[1] = shown;
		return commands[i].run(argc - 1, argv + 1);
	}
	(void)fputs("perseus-agent: run 'perseus agent' or 'perseus token' instead\n", stderr);
	return EXIT_USAGE;
}
