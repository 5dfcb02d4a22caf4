/* Commands that are chosen by a word. */
#include "cli/subcommand.h"

#include <argp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

/* The table, the command found in it, and the index of its name in argv. */
struct choice {
	const struct perseus__subcommands *commands;
	const struct perseus__subcommand *command;
	int index;
};

static const struct perseus__subcommand *
find_command(const struct perseus__subcommands *commands, const char *name)
{
	for (int i = 0; i < commands->n_rows; i++)
		if (strcmp(commands->rows[i].name, name) == 0)
			return &commands->rows[i];
	return NULL;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct choice *choice = state->input;
	if (key == ARGP_KEY_NO_ARGS)
		argp_error(state, "a command is missing");
	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	choice->command = find_command(choice->commands, arg);
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
	const struct choice *choice = input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	struct perseus__text list = perseus__text_init(4096);
	perseus__text_addf(&list, "Commands:\n");
	for (int i = 0; i < choice->commands->n_rows; i++)
		perseus__text_addf(&list, "  %-10s %s\n", choice->commands->rows[i].name, choice->commands->rows[i].summary);
	perseus__text_addf(&list, "\n%s", text);
	return list.bytes;
}

int
perseus__subcommands_run(const struct perseus__subcommands *commands, int argc, char **argv)
{
	const struct argp argp = {
		.parser = parse_option,
		.args_doc = "COMMAND [OPTION...]",
		.doc = commands->doc,
		.help_filter = describe_commands,
	};
	struct choice choice = {.commands = commands};
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &choice) != 0 || !choice.command)
		return EXIT_USAGE;
	char name[64];
	(void)snprintf(name, sizeof name, "%s %s", commands->program, choice.command->name);
	argv[choice.index] = name;
	return choice.command->run(argc - choice.index, argv + choice.index);
}
