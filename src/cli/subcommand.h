/* Commands that are chosen by a word: of the program, and of commands that have commands of their own. */
#ifndef PERSEUS_CLI_SUBCOMMAND_H
#define PERSEUS_CLI_SUBCOMMAND_H

#include "cli/command.h"

/* A table of commands and what is said of them together. */
struct perseus__subcommands {
	const char *program; /* what is ahead of their names: "perseus" */
	const char *doc;     /* as argp's: what stands ahead of the options in --help, and behind '\v' what follows */
	const struct perseus__subcommand *rows;
	int n_rows;
};

/*
 * Finds the command that argv names and runs it, with "PROGRAM NAME" in the place of its name; the exit code. Does not
 * return where argp finds a usage error or --help.
 */
int perseus__subcommands_run(const struct perseus__subcommands *commands, int argc, char **argv);

#endif
