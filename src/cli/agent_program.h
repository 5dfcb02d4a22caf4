/*
 * The agent's commands are a program of their own, perseus-agent, beside this one: an HTTP server, cryptography and the
 * service manager's library would double the memory of every other command, and what can be in a process that writes to
 * hardware is the less the better.
 */
#ifndef PERSEUS_CLI_AGENT_PROGRAM_H
#define PERSEUS_CLI_AGENT_PROGRAM_H

/*
 * Becomes perseus-agent with `command` and the arguments behind argv[0], length argc with it; returns an exit code only
 * where that cannot be.
 */
int perseus__become_agent(const char *command, int argc, char **argv);

#endif
