/*
 * The commands of the agent and of the job server are programs of their own, perseus-agent and perseus-server, beside
 * this one: an HTTP server, cryptography and the service manager's library would double the memory of every other
 * command, and what can be in a process that writes to hardware is the less the better.
 */
#ifndef PERSEUS_CLI_OTHER_PROGRAM_H
#define PERSEUS_CLI_OTHER_PROGRAM_H

/*
 * Becomes `program` with `command` and the arguments behind argv[0], length argc with it; returns an exit code only
 * where that cannot be.
 */
int perseus__become(const char *program, const char *command, int argc, char **argv);

#endif
