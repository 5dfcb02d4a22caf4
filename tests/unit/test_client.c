/* The client's public functions: settings, hot path, life and death, without a server. */
#include "client/program.h"
#include "client/session.h"
#include "client/settings.h"
#include "suite.h"
#include "torture.h"

#include <perseus/client.h>
#include <perseus/device.h>

#include <check.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A sanitizer calls the system on its own. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
enum { HAS_SANITIZER = true };
#elif defined(__has_feature)
enum { HAS_SANITIZER = __has_feature(thread_sanitizer) || __has_feature(address_sanitizer) };
#else
enum { HAS_SANITIZER = false };
#endif

static struct perseus_client *
open_client(const struct perseus_client_settings *settings)
{
	struct perseus_client *client = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_client_open(settings, &client, &err) == PERSEUS_OK, "%s", err.message);
	return client;
}

static void
nap(void)
{
	const struct timespec pause = {.tv_nsec = 5000000};
	(void)nanosleep(&pause, NULL);
}

/* What is there once `n_steps` were begun; the thread needs some time for it, on a busy machine more. */
static struct perseus_client_info
info_after(struct perseus_client *client, int64_t n_steps)
{
	struct perseus_client_info info = {.n_steps = -1};
	for (int i = 0; i < 4000 && info.n_steps < n_steps; i++) {
		nap();
		perseus_client_info(client, &info);
	}
	ck_assert_int_eq(info.n_steps, n_steps);
	return info;
}

static void
run_step(struct perseus_client *client, int32_t n_microbatches)
{
	perseus_client_step_begin(client);
	for (int32_t i = 0; i < n_microbatches; i++) {
		perseus_client_begin(client, PERSEUS_KIND_FORWARD, 0, i);
		perseus_client_end(client);
	}
	perseus_client_step_end(client);
}

START_TEST(names_of_controls)
{
	static const char *const names[] = {"auto", "agent", "device", "dry-run", "none"};
	for (int i = 0; i < 5; i++) {
		enum perseus_control control = PERSEUS_CONTROL_NONE;
		ck_assert_str_eq(perseus_control_name((enum perseus_control)i), names[i]);
		ck_assert(perseus_control_find(names[i], &control));
		ck_assert_int_eq(control, i);
	}
	enum perseus_control control = PERSEUS_CONTROL_NONE;
	ck_assert(!perseus_control_find("", &control));
	ck_assert(!perseus_control_find("Agent", &control));
}
END_TEST

/* What each change of good settings is refused with. */
static const char *const order[] = {"0F0", "nonsense"};
static const struct {
	const char *message;
	struct perseus_client_settings settings;
} bad[] = {
	{"job_name: ", {.server_url = "http://localhost"}},
	{"server_url: 'ftp://x' does not begin with http:// or https://", {.server_url = "ftp://x", .job_name = "j"}},
	{"token: ", {.server_url = "http://localhost", .job_name = "j", .token = "a\r\nX: y"}},
	{"n_dp: ", {.n_dp = -1}},
	{"dp: expected 0 to 0, not 1", {.dp = 1}},
	{"tp: expected 0 to 1, not 2", {.n_tp = 2, .tp = 2}},
	{"rank: expected 0 to 3, not 4", {.n_dp = 2, .n_pp = 2, .rank = 4}},
	{"rank: expected 0 to 1, not 2", {.n_dp = 2, .n_ep = 2, .rank = 2}},
	{"the job has more than ", {.n_dp = 1 << 20, .n_pp = 1 << 20, .n_cp = 1 << 20}},
	{"job_key: a job of 2 ranks needs one", {.n_pp = 2, .server_url = "http://localhost", .job_name = "j"}},
	{"n_fingerprint: ", {.n_fingerprint = -1}},
	{"n_order: ", {.n_order = -1}},
	{"order[1]: 'nonsense' is no instruction", {.order = order, .n_order = 2}},
	{"gpu: ", {.gpu = -1}},
	{"first_step: ", {.first_step = -1}},
	{"devices: ", {.devices = "nonsense"}},
};

START_TEST(refuses_settings)
{
	struct perseus_client *client = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus_client_open(&bad[_i].settings, &client, &err), PERSEUS_INVALID);
	ck_assert_msg(strncmp(err.message, bad[_i].message, strlen(bad[_i].message)) == 0, "%s", err.message);
	ck_assert_ptr_null(client);
}
END_TEST

START_TEST(null_is_fine)
{
	run_step(NULL, 3);
	perseus_client_set_stream(NULL, NULL);
	perseus_client_close(NULL);
}
END_TEST

START_TEST(counts_and_follows)
{
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.control = PERSEUS_CONTROL_NONE;
	struct perseus_client *client = open_client(&settings);
	for (int i = 0; i < 5; i++)
		run_step(client, 3);
	const struct perseus_client_info info = info_after(client, 5);
	ck_assert_int_eq(info.control, PERSEUS_CONTROL_NONE);
	ck_assert(info.is_following && !info.is_registered);
	ck_assert_int_eq(info.revision, -1);
	ck_assert_int_eq(info.n_dropped, 0);
	perseus_client_close(client);
}
END_TEST

/* More than the queue takes: dropped, counted, and following goes on afterwards. */
START_TEST(overflows_without_waiting)
{
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.control = PERSEUS_CONTROL_NONE;
	struct perseus_client *client = open_client(&settings);
	run_step(client, 3);
	struct perseus_client_info info = info_after(client, 1);
	for (int i = 0; i < 100 && info.n_dropped == 0; i++) {
		perseus_client_step_begin(client);
		for (int j = 0; j < 200000; j++)
			perseus_client_end(client);
		perseus_client_step_end(client);
		perseus_client_info(client, &info);
	}
	ck_assert_int_gt(info.n_dropped, 0);
	for (int i = 0; i < 4000; i++) {
		nap();
		perseus_client_info(client, &info);
		const int64_t n_followed = info.n_followed;
		run_step(client, 3);
		nap();
		perseus_client_info(client, &info);
		if (info.is_following && info.n_followed > n_followed)
			break;
	}
	ck_assert(info.is_following);
	perseus_client_close(client);
}
END_TEST

/*
 * A thread that the kernel kills at any system call but the one that ends it. Not by the strict mode of seccomp, which
 * takes the time stamp counter away, too.
 */
static bool
confine(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_THREAD),
	};
	const struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

struct confined {
	struct perseus_client *client; /* NULL: only the clock is read */
	atomic_bool is_done;
};

static void *
run_confined(void *user)
{
	struct confined *confined = user;
	struct timespec now;
	if (!confine())
		return NULL;
	for (int i = 0; i < 1000; i++) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (confined->client)
			run_step(confined->client, 100); /* more than the queue takes: what happens then is seen, too */
	}
	atomic_store(&confined->is_done, true);
	(void)syscall(SYS_exit, 0);
	return NULL;
}

static bool
survives(struct perseus_client *client)
{
	struct confined confined = {.client = client};
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, run_confined, &confined), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	return atomic_load(&confined.is_done);
}

START_TEST(calls_no_system)
{
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.control = PERSEUS_CONTROL_NONE;
	struct perseus_client *client = open_client(&settings);
	/* Where there is no seccomp, or the clock itself is a system call, nothing can be told. */
	if (!HAS_SANITIZER && survives(NULL))
		ck_assert(survives(client));
	else
		(void)puts("# calls_no_system: skipped: a sanitizer or the clock calls the system, or there is no seccomp");
	perseus_client_close(client);
}
END_TEST

START_TEST(a_child_leaves_it_alone)
{
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.control = PERSEUS_CONTROL_NONE;
	struct perseus_client *client = open_client(&settings);
	run_step(client, 3);
	const pid_t child = fork();
	if (child == 0) {
		run_step(client, 100000);
		perseus_client_close(client);
		_exit(EXIT_SUCCESS);
	}
	int status = -1;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
	run_step(client, 3);
	const struct perseus_client_info info = info_after(client, 2);
	ck_assert_int_eq(info.n_dropped, 0);
	perseus_client_close(client);
}
END_TEST

struct lines {
	int n;
	char last[PERSEUS_CLIENT_TEXT_BYTES];
};

static void
take_line(void *user, const char *line)
{
	struct lines *lines = user;
	lines->n++;
	(void)snprintf(lines->last, sizeof lines->last, "%s", line);
}

/* Read once the client, whose thread writes them, is closed. */
START_TEST(goes_without_a_gpu)
{
	struct lines lines = {.n = 0};
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.devices = "sim:a100x2";
	settings.gpu = 2;
	settings.control = PERSEUS_CONTROL_DRY_RUN;
	settings.log = take_line;
	settings.user = &lines;
	struct perseus_client *client = open_client(&settings);
	run_step(client, 3);
	(void)info_after(client, 1);
	perseus_client_close(client);
	ck_assert_int_ge(lines.n, 1);
}
END_TEST

/* A recorded GPU, which can be looked at and not set. */
static void
write_trace(char *path)
{
	const int fd = mkstemp(path);
	FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
	ck_assert_ptr_nonnull(file);
	(void)fputs("time_s,device,index,name,power_w,energy_j\n0,gpu,0,A100,100,0\n9,gpu,0,A100,100,900\n", file);
	ck_assert_int_eq(fclose(file), 0);
}

/* Every control that needs nothing else: what `auto` comes to is what is allowed. */
START_TEST(controls_of_a_simulated_gpu)
{
	static const struct {
		enum perseus_control wanted, found;
		const char *devices;
	} controls[] = {
		{PERSEUS_CONTROL_AUTO, PERSEUS_CONTROL_DEVICE, "sim:a100"},
		{PERSEUS_CONTROL_DEVICE, PERSEUS_CONTROL_DEVICE, "sim:a100"},
		{PERSEUS_CONTROL_DRY_RUN, PERSEUS_CONTROL_DRY_RUN, "sim:a100"},
		{PERSEUS_CONTROL_AUTO, PERSEUS_CONTROL_DRY_RUN, NULL},
		{PERSEUS_CONTROL_DEVICE, PERSEUS_CONTROL_DRY_RUN, NULL},
		{PERSEUS_CONTROL_NONE, PERSEUS_CONTROL_NONE, "sim:a100"},
	};
	struct perseus_client_settings settings = perseus_client_settings_default();
	char trace[] = "/tmp/perseus-test-client-XXXXXX";
	char replay[64];
	write_trace(trace);
	(void)snprintf(replay, sizeof replay, "replay:%s", trace);
	settings.devices = controls[_i].devices ? controls[_i].devices : replay;
	settings.control = controls[_i].wanted;
	settings.agent_socket = "/nonexistent/agent.sock";
	struct perseus_client *client = open_client(&settings);
	struct perseus_client_info info = {.control = PERSEUS_CONTROL_AUTO};
	for (int i = 0; i < 4000 && info.control == PERSEUS_CONTROL_AUTO; i++) {
		nap();
		perseus_client_info(client, &info);
	}
	ck_assert_int_eq(info.control, controls[_i].found);
	perseus_client_close(client);
	ck_assert_int_eq(unlink(trace), 0);
}
END_TEST

/* A server that nobody has ever heard of: opening, telling and closing go on as ever. */
START_TEST(nobody_answers)
{
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.server_url = "http://127.0.0.1:9"; /* discard */
	settings.job_name = "j";
	settings.devices = "sim:a100";
	for (int i = 0; i < 3; i++) {
		struct perseus_client *client = open_client(&settings);
		for (int j = 0; j < 10; j++)
			run_step(client, 3);
		const struct perseus_client_info info = info_after(client, 10);
		ck_assert(!info.is_registered);
		perseus_client_close(client);
	}
}
END_TEST

static enum perseus_status
make_program(void **out, struct perseus_error *err)
{
	static const char text[] = "{\"revision\": 1, \"phase\": \"plan\", \"from_step\": 2, \"segments\": [{\"steps\": 1, "
							   "\"clocks_mhz\": [1, 2]}, {\"steps\": null, \"clocks_mhz\": [1, 2]}]}";
	struct perseus__program *program = NULL;
	const enum perseus_status status = perseus__program_decode(text, sizeof text - 1, &program, err);
	if (status == PERSEUS_OK)
		*out = program;
	return status;
}

static void
free_program(void *program)
{
	perseus__program_free(program);
}

static enum perseus_status
make_settings(void **out, struct perseus_error *err)
{
	static struct perseus_client_settings copy;
	static const char *const texts[] = {"a", "b", "c"};
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.server_url = "http://localhost";
	settings.job_name = "j";
	settings.job_key = "k";
	settings.fingerprint_keys = settings.fingerprint_values = texts;
	settings.n_fingerprint = 3;
	if (perseus__settings_copy(&copy, &settings)) {
		*out = &copy;
		return PERSEUS_OK;
	}
	perseus__settings_fini(&copy);
	err->status = PERSEUS_NO_MEMORY;
	return PERSEUS_NO_MEMORY;
}

static void
free_settings(void *settings)
{
	perseus__settings_fini(settings);
}

static struct perseus__curl *torture_link;

static enum perseus_status
make_session(void **out, struct perseus_error *err)
{
	static struct perseus__session session;
	static struct perseus__speaker speaker;
	static const struct perseus_client_settings settings = {
		.server_url = "http://localhost", .job_name = "j", .token = "secret"};
	const enum perseus_status status = perseus__session_init(&session, &settings, torture_link, &speaker, err);
	if (status == PERSEUS_OK)
		*out = &session;
	return status;
}

static void
free_session(void *session)
{
	perseus__session_fini(session);
}

static enum perseus_status
make_link(void **out, struct perseus_error *err)
{
	struct perseus__curl *link = NULL;
	const enum perseus_status status = perseus__curl_new(&link, err);
	if (status == PERSEUS_OK)
		*out = link;
	return status;
}

static void
free_link(void *link)
{
	perseus__curl_free(link);
}

START_TEST(out_of_memory)
{
	static const struct torture_scenario scenarios[] = {{"program", make_program, free_program},
		{"settings", make_settings, free_settings}, {"link", make_link, free_link},
		{"session", make_session, free_session}};
	ck_assert_int_eq(perseus__curl_new(&torture_link, NULL), PERSEUS_OK);
	for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
		torture_run(&scenarios[i], FAILING_ALLOC_ONE);
		torture_run(&scenarios[i], FAILING_ALLOC_REST);
	}
	perseus__curl_free(torture_link);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("client");
	TCase *tests = tcase_create("all");
	tcase_set_timeout(tests, 120);
	tcase_add_test(tests, names_of_controls);
	tcase_add_loop_test(tests, refuses_settings, 0, (int)(sizeof bad / sizeof *bad));
	tcase_add_test(tests, null_is_fine);
	tcase_add_test(tests, counts_and_follows);
	tcase_add_test(tests, overflows_without_waiting);
	tcase_add_test(tests, calls_no_system);
	tcase_add_test(tests, a_child_leaves_it_alone);
	tcase_add_test(tests, goes_without_a_gpu);
	tcase_add_loop_test(tests, controls_of_a_simulated_gpu, 0, 6);
	tcase_add_test(tests, nobody_answers);
	tcase_add_test(tests, out_of_memory);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
