/*
 * Writes runs to a ledger, for tests that kill it: says "begun UUID" once a run is begun, "noted UUID" once a result is
 * added to it, and "done UUID" once it is finished. Usage: ledger_writer PATH N; N = 0: until it is killed.
 */
#include "example_runs.h"
#include "meter/ledger.h"

#include <stdio.h>
#include <stdlib.h>

static void
require(enum perseus_status status, const struct perseus_error *err)
{
	if (status == PERSEUS_OK)
		return;
	(void)fprintf(stderr, "%s\n", err->message);
	exit(perseus_status_exit_code(status));
}

static void
say(const char *what, const struct perseus__run *run)
{
	(void)printf("%s %s\n", what, run->uuid);
	(void)fflush(stdout);
}

static void
write_run(struct perseus__ledger *ledger, int index)
{
	struct perseus_error err;
	struct perseus__run run = example_run(index % N_EXAMPLE_RUNS);
	struct perseus__result result;
	run.uuid[0] = '\0';
	require(perseus__ledger_begin_run(ledger, &run, &err), &err);
	say("begun", &run);
	require(perseus__result_parse("step=1", &result, &err), &err);
	require(perseus__ledger_add_result(ledger, run.id, &result, &err), &err);
	say("noted", &run);
	require(perseus__ledger_finish_run(ledger, &run, &err), &err);
	say("done", &run);
	perseus__run_fini(&run);
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s PATH N\n", argv[0]);
		return 2;
	}
	const long n = strtol(argv[2], NULL, 10);
	struct perseus__ledger *ledger = NULL;
	struct perseus_error err;
	require(perseus__ledger_open(argv[1], PERSEUS__LEDGER_CREATE, &ledger, &err), &err);
	for (long i = 0; n == 0 || i < n; i++)
		write_run(ledger, (int)(i % N_EXAMPLE_RUNS));
	perseus__ledger_close(ledger);
	return 0;
}
