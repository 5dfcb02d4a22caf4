/*
 * The program `perseus`: one table of subcommands, each in a file of its own.
 */
#include "cli/command.h"
#include "cli/zeusd.h"

#include <perseus/version.h>

#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const struct perseus__subcommand commands[] = {
	{"plan", "choose a clock for every instruction", perseus__run_plan},
	{"frontier", "least energy for every iteration time", perseus__run_frontier},
	{"profile", "what a file of measurements holds", perseus__run_profile},
	{"devices", "what the devices of this machine read and take", perseus__run_devices},
	{"agent", "serve measurement and control of this machine's devices", perseus__run_agent},
	{"token", "issue and show tokens for the agent", perseus__run_token},
	{"version", "print the version", perseus__run_version},
};

enum { N_COMMANDS = sizeof commands / sizeof *commands, EXIT_USAGE = 2 };

static const struct perseus__subcommand *
find_command(const char *name)
{
	for (int i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* The subcommand found, and the index of its name in argv. */
struct choice {
	const struct perseus__subcommand *command;
	int index;
};

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;
	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "a command is missing");
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	choice->command = find_command(arg);
	if (!choice->command)
		argp_error(state, "there is no command '%s'", arg);
	choice->index = state->next - 1;
	state->next = state->argc; /* what follows is the command's own */
	return 0;
}

/* The list of commands, after the options. argp frees what is returned. */
static char *
describe_commands(int key, const char *text, void *input)
{
	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	struct perseus__text list = perseus__text_init(4096);
	perseus__text_addf(&list, "Commands:\n");
	for (int i = 0; i < N_COMMANDS; i++)
		perseus__text_addf(&list, "  %-10s %s\n", commands[i].name, commands[i].summary);
	perseus__text_addf(&list, "\n%s", text);
	return list.bytes;
}

int
main(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_option,
		.args_doc = "COMMAND [OPTION...]",
		.doc = "Energy-saving clock plans for pipeline-parallel training."
			   "\v'perseus COMMAND --help' says more about a command.",
		.help_filter = describe_commands,
	};
	argp_program_version = "perseus " PERSEUS_VERSION;
	argp_err_exit_status = EXIT_USAGE;
	if (argc > 0 && perseus__is_zeusd(argv[0]))
		return perseus__run_zeusd(argc, argv);
	struct choice choice = {0};
	static char program[] = "perseus";
	if (argc > 0)
		argv[0] = program;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice) != 0 || !choice.command)
		return EXIT_USAGE;
	char name[64];
	(void)snprintf(name, sizeof name, "perseus %s", choice.command->name);
	argv[choice.index] = name;
	return choice.command->run(argc - choice.index, argv + choice.index);
}
