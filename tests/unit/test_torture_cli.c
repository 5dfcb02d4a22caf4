/*
 * The program runs out of memory at every allocation in turn: it says so and exits as the table of statuses has it, or
 * it did without and answers as ever. Each run is a process of its own.
 */
#include "example_runs.h"
#include "failing_alloc.h"
#include "meter/ledger.h"
#include "suite.h"

#include <perseus/status.h>

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* main() of the program, renamed by the build. */
int perseus_main(int argc, char **argv);

enum { MAX_ARGUMENTS = 16, MAX_OUTPUT_BYTES = 65536, SETTLED = 99 };

static const char small_csv[] = PERSEUS_SOURCE_ROOT "/tests/golden/small.csv";
static const char jobs_csv[] = PERSEUS_SOURCE_ROOT "/tests/golden/jobs.csv";
static const char hours_csv[] = PERSEUS_SOURCE_ROOT "/tests/golden/hours.csv";
static const char order_csv[] = PERSEUS_SOURCE_ROOT "/tests/golden/order_1f1b.csv";
static const char layers_csv[] = PERSEUS_SOURCE_ROOT "/tests/golden/layers.csv";
static const char times_csv[] = PERSEUS_SOURCE_ROOT "/tests/golden/layer_times.csv";

static char directory[64];
static char ledger_path[128];

static const char *const commands[][MAX_ARGUMENTS] = {
	{"perseus", "plan", small_csv, "-m", "2", "-b", "75,75,75,75", "--extra-warmup", "1,0,0,0", "--transfer",
		"0.001:2"},
	{"perseus", "plan", small_csv, "-b", "75", "--schedule", order_csv, "-g", "ends", "--slowdown", "1.1"},
	{"perseus", "plan", small_csv, "-m", "2", "-p", "2", "-b", "75", "--power-cap", "9e9", "--power-csv", "/dev/null",
		"--json"},
	{"perseus", "allocate", jobs_csv, "--site-limit", "110000", "--fair"},
	{"perseus", "allocate", jobs_csv, "--site-limit", "110000", "--json"},
	{"perseus", "frontier", small_csv, "-m", "2", "-b", "75", "--points", "3", "--csv", "/dev/null"},
	{"perseus", "simulate", small_csv, "-m", "2", "-b", "75", "--pipelines=2", "-n2", "--plans=2",
		"--straggler=1:1.5:1", "--random=input-stall:every=2", "--csv=/dev/null", "--events=/dev/null",
		"--compare=envpipe"},
	{"perseus", "compare", small_csv, "-m", "2", "-p", "2", "-b", "75", "--frontiers", "--points", "2", "--csv",
		"/dev/null"},
	{"perseus", "compare", small_csv, "-m", "2", "-p", "2", "-b", "75", "--json", "--switch-latency", "20",
		"--power-limit", "100"},
	{"perseus", "pace", small_csv, "-m", "2", "-b", "75", "--price", hours_csv, "--duration=2", "--deadline=4",
		"--idle-power=60", "--csv=/dev/null"},
	{"perseus", "pace", small_csv, "-m", "2", "-b", "75", "--carbon", hours_csv, "--zone=north", "--duration=2",
		"--deadline=4", "--json"},
	{"perseus", "profile", small_csv, "-b", "75", "--fit"},
	{"perseus", "profile", small_csv, "-b", "75", "--fit", "--json"},
	{"perseus", "devices", "--devices", "sim:a100x2,step_ms=60000,fault=lost:1"},
	{"perseus", "devices", "--devices", "sim:a100,step_ms=60000", "--json"},
	{"perseus", "runs", "list", "--ledger", ledger_path},
	{"perseus", "runs", "list", "--ledger", ledger_path, "--json"},
	{"perseus", "runs", "show", "--ledger", ledger_path, "1"},
	{"perseus", "runs", "show", "--ledger", ledger_path, "1", "--json"},
	{"perseus", "runs", "compare", "--ledger", ledger_path, "1", "2", "--quality", "loss:lower"},
	{"perseus", "runs", "compare", "--ledger", ledger_path, "1", "2", "--json"},
	{"perseus", "runs", "export", "--ledger", ledger_path},
	{"perseus", "runs", "export", "--ledger", ledger_path, "1", "--format", "csv"},
	{"perseus", "runs", "add-result", "--ledger", ledger_path, "1", "loss=2", "step=3"},
	{"perseus", "partition", layers_csv, "-m", "2", "-p", "3", "-b", "75", "--boundaries", "0,4,8,13", "-o",
		"/dev/null"},
	{"perseus", "partition", times_csv, "-m", "2", "-p", "2", "--json"},
	{"perseus", "version", "--json"},
	{"perseus", "measure", "--no-ledger", "--devices", "sim:a100x2,step_ms=1", "--result", "a=1", "--note", "n",
		"--csv", "/dev/null", "--output", "/dev/null", "true"},
	{"perseus", "measure", "--no-ledger", "--devices", "sim:a100,step_ms=1", "--json", "--output", "/dev/null", "echo",
		"out"},
};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

struct output {
	char bytes[MAX_OUTPUT_BYTES];
	size_t length;
};

/* In the child: does not return. */
static void
run_child(const char *const *command, int64_t n_good, int out)
{
	static char *owned[MAX_ARGUMENTS]; /* beside the program's own array, in which it may put others */
	char *arguments[MAX_ARGUMENTS + 1] = {NULL};
	int argc = 0;
	for (; argc < MAX_ARGUMENTS && command[argc]; argc++)
		arguments[argc] = owned[argc] = strdup(command[argc]);
	const int null = open("/dev/null", O_WRONLY);
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(1);
	failing_alloc_arm(n_good, FAILING_ALLOC_ONE);
	const int exit_code = perseus_main(argc, arguments);
	const int has_failed = failing_alloc_disarm();
	(void)fflush(stdout);
	_exit(exit_code == 0 && !has_failed ? SETTLED : exit_code);
}

/* Runs a command whose allocation number `n_good` fails; its wait status. */
static int
run(const char *const *command, int64_t n_good, struct output *output)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	(void)fflush(stdout);
	const pid_t child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		run_child(command, n_good, ends[1]);
	(void)close(ends[1]);
	output->length = 0;
	for (;;) {
		const ssize_t n = read(ends[0], output->bytes + output->length, sizeof output->bytes - output->length);
		if (n <= 0)
			break;
		output->length += (size_t)n;
	}
	(void)close(ends[0]);
	int status = 0;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

START_TEST(says_that_memory_ran_out)
{
	static struct output expected, found;
	const char *const *command = commands[_i];
	const int whole = run(command, INT64_MAX, &expected);
	ck_assert_msg(WIFEXITED(whole) && WEXITSTATUS(whole) == SETTLED, "%s does not run at all", command[1]);
	int64_t n_failed = 0;
	for (int64_t n = 0;; n++) {
		const int status = run(command, n, &found);
		ck_assert_msg(WIFEXITED(status), "%s, allocation %lld: ended by signal %d", command[1], (long long)n,
				WTERMSIG(status));
		const int exit_code = WEXITSTATUS(status);
		if (exit_code == SETTLED)
			break;
		const bool is_same = found.length == expected.length && memcmp(found.bytes, expected.bytes, found.length) == 0;
		ck_assert_msg(exit_code == perseus_status_exit_code(PERSEUS_NO_MEMORY) || (exit_code == 0 && is_same),
				"%s, allocation %lld: exit %d with %s output", command[1], (long long)n, exit_code,
				is_same ? "the same" : "another");
		n_failed += exit_code != 0;
	}
	ck_assert_int_gt(n_failed, 0);
	printf("# %s: %lld allocations\n", command[1], (long long)n_failed);
}
END_TEST

/* Two runs, for the commands that read a ledger. */
static void
make_ledger(void)
{
	(void)snprintf(directory, sizeof directory, "/tmp/test-torture-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(ledger_path, sizeof ledger_path, "%s/runs.db", directory);
	struct perseus__ledger *ledger = NULL;
	ck_assert_int_eq(perseus__ledger_open(ledger_path, PERSEUS__LEDGER_CREATE, &ledger, NULL), PERSEUS_OK);
	for (int i = 0; i < 2; i++) {
		struct perseus__run run = example_run(i);
		ck_assert_int_eq(perseus__ledger_begin_run(ledger, &run, NULL), PERSEUS_OK);
		ck_assert_int_eq(perseus__ledger_finish_run(ledger, &run, NULL), PERSEUS_OK);
		perseus__run_fini(&run);
	}
	perseus__ledger_close(ledger);
}

static void
remove_ledger(void)
{
	(void)unlink(ledger_path);
	(void)rmdir(directory);
}

int
main(void)
{
	Suite *suite = suite_create("torture_cli");
	TCase *tcase = tcase_create("torture_cli");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 240);
	tcase_add_checked_fixture(tcase, make_ledger, remove_ledger);
	tcase_add_loop_test(tcase, says_that_memory_ran_out, 0, N_COMMANDS);
	return run_suite(suite);
}
