/*
 * Makes a ledger of the example runs, and of one more that was begun only, by a process that is gone. For tests of
 * what reads a ledger. Usage: example_ledger PATH
 */
#include "example_runs.h"
#include "meter/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
require(enum perseus_status status, const struct perseus_error *err)
{
	if (status == PERSEUS_OK)
		return;
	(void)fprintf(stderr, "example_ledger: %s\n", err->message);
	exit(EXIT_FAILURE);
}

static struct perseus__ledger *
open_ledger(const char *path)
{
	struct perseus__ledger *ledger = NULL;
	struct perseus_error err;
	require(perseus__ledger_open(path, PERSEUS__LEDGER_CREATE, &ledger, &err), &err);
	return ledger;
}

static void
begin_and_die(const char *path)
{
	const pid_t child = fork();
	if (child == 0) {
		struct perseus_error err;
		struct perseus__run run = example_run(N_EXAMPLE_RUNS - 1);
		run.uuid[0] = 'f';
		run.begin_ms += 60000;
		require(perseus__ledger_begin_run(open_ledger(path), &run, &err), &err);
		_exit(0);
	}
	(void)waitpid(child, NULL, 0);
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s PATH\n", argv[0]);
		return 2;
	}
	struct perseus__ledger *ledger = open_ledger(argv[1]);
	struct perseus_error err;
	for (int i = 0; i < N_EXAMPLE_RUNS; i++) {
		struct perseus__run run = example_run(i);
		require(perseus__ledger_begin_run(ledger, &run, &err), &err);
		run.state = PERSEUS__RUN_DONE;
		require(perseus__ledger_finish_run(ledger, &run, &err), &err);
		perseus__run_fini(&run);
	}
	perseus__ledger_close(ledger);
	begin_and_die(argv[1]);
	return 0;
}
