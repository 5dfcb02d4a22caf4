/* zeusd's command line. */
#include "cli/zeusd.h"

#include "cli/command.h"

#include <perseus/version.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The release whose API and options these are. */
#define ZEUSD_VERSION "0.5.0"

enum { EXIT_FAILED = 1, EXIT_WRONG_USAGE = 2 };

const char *
perseus__zeusd_rapl_root(void)
{
	static const char root[] = "/zeus_sys/class/powercap";
	return access(root, F_OK) == 0 ? root : NULL;
}

static int
print_help(void)
{
	(void)puts("Usage: zeusd serve [OPTION...]\n"
			   "  or:  zeusd token issue [OPTION...]\n"
			   "\n"
			   "This is perseus " PERSEUS_VERSION " with zeusd's command line; 'perseus agent --help' has more.");
	return 0;
}

static int
zeusd_exit_code(int exit_code)
{
	return exit_code == 0 || exit_code == EXIT_WRONG_USAGE ? exit_code : EXIT_FAILED;
}

int
perseus__run_zeusd(int argc, char **argv)
{
	static char serve[] = "zeusd serve";
	static char token[] = "zeusd token";
	const char *verb = argc > 1 ? argv[1] : "";
	if (strcmp(verb, "serve") == 0) {
		argv[1] = serve;
		return zeusd_exit_code(perseus__run_zeusd_serve(argc - 1, argv + 1));
	}
	if (strcmp(verb, "token") == 0) {
		argv[1] = token;
		return zeusd_exit_code(perseus__run_token(argc - 1, argv + 1));
	}
	if (strcmp(verb, "--help") == 0 || strcmp(verb, "-h") == 0 || strcmp(verb, "help") == 0)
		return print_help();
	if (strcmp(verb, "--version") == 0 || strcmp(verb, "-V") == 0) {
		(void)puts("zeusd " ZEUSD_VERSION " (perseus " PERSEUS_VERSION ")");
		return 0;
	}
	(void)fprintf(stderr, "zeusd: '%s' is no command: serve, token\n", verb);
	return EXIT_WRONG_USAGE;
}
