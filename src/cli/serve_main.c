/*
 * The program `perseus-server`: the command of the job server, for which `perseus` becomes it.
 */
#include "cli/command.h"

#include <perseus/version.h>

#include <argp.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

int
main(int argc, char **argv)
{
	static char shown[] = "perseus serve"; /* what messages call it */
	argp_program_version = "perseus " PERSEUS_VERSION;
	argp_err_exit_status = EXIT_USAGE;
	if (argc > 1 && strcmp(argv[1], "serve") == 0) {
		argv[1] = shown;
		return perseus__run_serve(argc - 1, argv + 1);
	}
	(void)fputs("perseus-server: run 'perseus serve' instead\n", stderr);
	return EXIT_USAGE;
}
