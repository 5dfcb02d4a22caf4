/* Claims of devices by the ranks of a job: one each in any order, given back at every end; ranks by variables. */
#include "cli/rank.h"
#include "meter/claims.h"
#include "suite.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { N_RANKS = 8, N_DEVICES = 10, N_ROUNDS = 20 };

static char base[64];
static char directory[96];

static void
setup(void)
{
	memcpy(base, "/tmp/perseus-test-XXXXXX", sizeof "/tmp/perseus-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	(void)snprintf(directory, sizeof directory, "%s/perseus", base);
}

static void
teardown(void)
{
	char command[128];
	(void)snprintf(command, sizeof command, "%s/claims", directory);
	(void)rmdir(command); /* fails where a claim was left over, and so does what follows */
	(void)rmdir(directory);
	ck_assert_int_eq(rmdir(base), 0);
}

static struct perseus_device_info
device_info(int32_t index)
{
	struct perseus_device_info info = {
		.kind = index < 8 ? PERSEUS_DEVICE_GPU : PERSEUS_DEVICE_CPU, .index = index % 8, .backend = "sim"};
	if (index < 8)
		(void)snprintf(info.uuid, sizeof info.uuid, "GPU-%d/../x", index);
	return info;
}

static struct perseus__claims *
new_claims(const char *job, int32_t rank)
{
	struct perseus__claims *claims = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__claims_new(directory, job, rank, &claims, &err) == PERSEUS_OK, "%s", err.message);
	return claims;
}

static bool
take(struct perseus__claims *claims, int32_t index, struct perseus__claimant *other)
{
	const struct perseus_device_info info = device_info(index);
	struct perseus_error err = {.message = ""};
	bool is_ours = false;
	ck_assert_msg(perseus__claims_take(claims, &info, &is_ours, other, &err) == PERSEUS_OK, "%s", err.message);
	return is_ours;
}

START_TEST(the_first_counts)
{
	struct perseus__claimant other = {0};
	struct perseus__claims *first = new_claims("slurm 7.0", 3);
	struct perseus__claims *second = new_claims("slurm 7.0", 4);
	struct perseus__claims *elsewhere = new_claims("slurm 8.0", 4);
	ck_assert(take(first, 0, &other));
	ck_assert(!take(second, 0, &other));
	ck_assert_int_eq(other.rank, 3);
	ck_assert_int_eq(other.pid, getpid());
	ck_assert(take(second, 8, &other)); /* no UUID: told apart by kind and index */
	ck_assert(take(second, 9, &other));
	ck_assert(take(elsewhere, 0, &other));
	perseus__claims_free(first);
	ck_assert(take(second, 0, &other)); /* given back */
	perseus__claims_free(second);
	perseus__claims_free(elsewhere);
	perseus__claims_free(NULL);
}
END_TEST

/* Names that differ only where they are long stay apart, as do odd ones. */
START_TEST(tells_jobs_apart)
{
	char long_a[600], long_b[600];
	memset(long_a, '/', sizeof long_a);
	long_a[599] = '\0';
	memcpy(long_b, long_a, sizeof long_b);
	long_b[598] = 'b';
	const char *const jobs[] = {"", ".", "..", "%2E", "a b", "a/b", "a_b", long_a, long_b};
	enum { N = sizeof jobs / sizeof *jobs };
	struct perseus__claims *claims[N];
	struct perseus__claimant other;
	for (int i = 0; i < N; i++) {
		claims[i] = new_claims(jobs[i], i);
		ck_assert_msg(take(claims[i], 0, &other), "job '%s' is taken for another", jobs[i]);
	}
	for (int i = 0; i < N; i++)
		perseus__claims_free(claims[i]);
}
END_TEST

/* A rank, as a process: writes which devices are its own, and keeps them until it is let go. */
static _Noreturn void
play_rank(int32_t rank, int ready, int go, int leave, int out)
{
	char byte;
	(void)!write(ready, "r", 1);
	(void)!read(go, &byte, 1); /* until all are there: end of file */
	struct perseus__claims *claims = new_claims("torchrun x", rank);
	char mine[N_DEVICES];
	struct perseus__claimant other;
	for (int32_t i = 0; i < N_DEVICES; i++) {
		mine[i] = (char)take(claims, (i + rank) % N_DEVICES, &other);
		/* -1: who has just taken it has not said so yet. */
		ck_assert(mine[i] || other.rank == -1
				|| (other.rank >= 0 && other.rank < N_RANKS && other.pid > 0 && other.rank != rank));
	}
	for (int32_t i = 0; i < N_DEVICES; i++)
		if (mine[i])
			(void)!write(out, &(char){(char)((i + rank) % N_DEVICES)}, 1);
	(void)!write(ready, "d", 1);
	(void)!read(leave, &byte, 1); /* nobody gives back before all have tried */
	perseus__claims_free(claims);
	_exit(0);
}

START_TEST(every_device_is_counted_once)
{
	for (int round = 0; round < N_ROUNDS; round++) {
		int ready[2], go[2], leave[2], out[2];
		pid_t ranks[N_RANKS];
		char byte;
		ck_assert(pipe(ready) == 0 && pipe(go) == 0 && pipe(leave) == 0 && pipe(out) == 0);
		for (int32_t rank = 0; rank < N_RANKS; rank++) {
			ranks[rank] = fork();
			ck_assert_int_ge(ranks[rank], 0);
			if (ranks[rank] == 0) {
				(void)close(go[1]);
				(void)close(leave[1]);
				play_rank(rank, ready[1], go[0], leave[0], out[1]);
			}
		}
		(void)close(ready[1]); /* so that a rank that fails is no wait without end */
		(void)close(out[1]);
		for (int i = 0; i < N_RANKS; i++)
			ck_assert_int_eq(read(ready[0], &byte, 1), 1);
		(void)close(go[1]);
		for (int i = 0; i < N_RANKS; i++)
			ck_assert_int_eq(read(ready[0], &byte, 1), 1);
		int counted[N_DEVICES] = {0};
		for (int i = 0; i < N_DEVICES; i++) {
			ck_assert_int_eq(read(out[0], &byte, 1), 1);
			counted[(int)byte]++;
		}
		for (int i = 0; i < N_DEVICES; i++)
			ck_assert_msg(counted[i] == 1, "round %d: device %d was counted %d times", round, i, counted[i]);
		for (int32_t rank = 1; rank < N_RANKS; rank += 2)
			(void)kill(ranks[rank], SIGKILL); /* some die with their claims */
		(void)close(leave[1]);
		for (int32_t rank = 0; rank < N_RANKS; rank++) {
			int status;
			ck_assert_int_eq(waitpid(ranks[rank], &status, 0), ranks[rank]);
			ck_assert(WIFEXITED(status) ? WEXITSTATUS(status) == 0 : rank % 2);
		}
		(void)close(go[0]);
		(void)close(leave[0]);
		(void)close(ready[0]);
		(void)close(out[0]);
	}
	/* What the killed have left: nobody's, and cleared by the next. */
	struct perseus__claims *claims = new_claims("torchrun x", 0);
	struct perseus__claimant other;
	for (int32_t i = 0; i < N_DEVICES; i++)
		ck_assert(take(claims, i, &other));
	perseus__claims_free(claims);
}
END_TEST

/* Ranks that come and go with one device: never two at a time. */
START_TEST(hands_over_without_overlap)
{
	char path[128];
	(void)snprintf(path, sizeof path, "%s/lock", base);
	pid_t ranks[4];
	for (int32_t rank = 0; rank < 4; rank++) {
		ranks[rank] = fork();
		ck_assert_int_ge(ranks[rank], 0);
		if (ranks[rank] > 0)
			continue;
		int n_held = 0;
		for (int i = 0; i < 2000; i++) {
			struct perseus__claims *claims = new_claims("master a:1", rank);
			struct perseus__claimant other;
			if (take(claims, 0, &other)) {
				const int file = open(path, O_CREAT | O_EXCL | O_RDWR, 0600);
				if (file < 0)
					_exit(9); /* somebody else is in here */
				(void)close(file);
				(void)unlink(path);
				n_held++;
			}
			perseus__claims_free(claims);
		}
		_exit(n_held > 0 ? 0 : 1);
	}
	for (int32_t rank = 0; rank < 4; rank++) {
		int status;
		ck_assert_int_eq(waitpid(ranks[rank], &status, 0), ranks[rank]);
		ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "rank %d: %x", (int)rank, (unsigned)status);
	}
}
END_TEST

/* What somebody else could have put into /tmp. */
START_TEST(trusts_no_directory_of_others)
{
	struct perseus__claims *claims = NULL;
	struct perseus_error err;
	ck_assert_int_eq(mkdir(directory, 0700), 0);
	ck_assert_int_eq(chmod(directory, 0770), 0);
	ck_assert_int_eq(perseus__claims_new(directory, "j", 0, &claims, &err), PERSEUS_DENIED);
	ck_assert_int_eq(rmdir(directory), 0);
	ck_assert_int_eq(symlink("/tmp", directory), 0);
	ck_assert_int_eq(perseus__claims_new(directory, "j", 0, &claims, &err), PERSEUS_IO);
	ck_assert_msg(strstr(err.message, directory) != NULL, "%s", err.message);
	ck_assert_int_eq(unlink(directory), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(mkdir(directory, 0700), 0);
		ck_assert_int_eq(chown(directory, 65534, 65534), 0);
		ck_assert_int_eq(perseus__claims_new(directory, "j", 0, &claims, &err), PERSEUS_DENIED);
		ck_assert_int_eq(rmdir(directory), 0);
	}
	ck_assert_int_eq(perseus__claims_new("/no/such/place", "j", 0, &claims, &err), PERSEUS_IO);
	ck_assert_ptr_null(claims);
}
END_TEST

static const struct {
	const char *environment[6]; /* NAME=VALUE */
	int32_t rank;               /* -1: none */
	const char *job;            /* NULL: by the parent */
} ranks[] = {
	{{"RANK=3"}, -1, NULL},
	{{"SLURM_JOB_ID=7", "SLURM_STEP_ID=0"}, -1, NULL},
	{{"LOCAL_RANK=x"}, -1, NULL},
	{{"LOCAL_RANK="}, -1, NULL},
	{{"LOCAL_RANK=-1"}, -1, NULL},
	{{"LOCAL_RANK=99999999999"}, -1, NULL},
	{{"LOCAL_RANK=2"}, 2, NULL},
	{{"LOCAL_RANK=2", "RANK=10", "TORCHELASTIC_RUN_ID=abc", "MASTER_ADDR=a", "MASTER_PORT=1"}, 10, "torchrun abc"},
	{{"LOCAL_RANK=2", "RANK=10", "TORCHELASTIC_RUN_ID=none", "MASTER_ADDR=a", "MASTER_PORT=1"}, 10, "master a:1"},
	{{"SLURM_LOCALID=1", "SLURM_PROCID=9", "SLURM_JOB_ID=7", "SLURM_STEP_ID=0"}, 9, "slurm 7.0"},
	{{"SLURM_LOCALID=0", "SLURM_PROCID=0", "SLURM_JOB_ID=7"}, 0, "slurm 7"},
	{{"OMPI_COMM_WORLD_LOCAL_RANK=1", "OMPI_COMM_WORLD_RANK=5"}, 5, NULL},
	{{"LOCAL_RANK=1", "SLURM_LOCALID=0", "SLURM_JOB_ID=7", "SLURM_STEP_ID=1"}, 1, "slurm 7.1"},
};

START_TEST(finds_the_rank)
{
	ck_assert_int_eq(clearenv(), 0);
	for (const char *const *pair = ranks[_i].environment; *pair; pair++)
		ck_assert_int_eq(putenv((char *)(uintptr_t)*pair), 0);
	const struct perseus__rank rank = perseus__rank_of_environment();
	char job[64];
	(void)snprintf(job, sizeof job, "process %d", (int)getppid());
	ck_assert_int_eq(rank.is_known, ranks[_i].rank >= 0);
	if (rank.is_known) {
		ck_assert_int_eq(rank.rank, ranks[_i].rank);
		ck_assert_str_eq(rank.job, ranks[_i].job ? ranks[_i].job : job);
		(void)snprintf(job, sizeof job, "/tmp/perseus-%d", (int)geteuid());
		ck_assert_str_eq(rank.directory, job);
		ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", "/run/user/9", 1), 0);
		ck_assert_str_eq(perseus__rank_of_environment().directory, "/run/user/9/perseus");
	}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("claims");
	TCase *tcase = tcase_create("claims");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, the_first_counts);
	tcase_add_test(tcase, tells_jobs_apart);
	tcase_add_test(tcase, every_device_is_counted_once);
	tcase_add_test(tcase, hands_over_without_overlap);
	tcase_add_test(tcase, trusts_no_directory_of_others);
	TCase *environment = tcase_create("environment");
	suite_add_tcase(suite, environment);
	tcase_add_loop_test(environment, finds_the_rank, 0, sizeof ranks / sizeof *ranks);
	return run_suite(suite);
}
