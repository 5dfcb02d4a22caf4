/*
 * The executor as its front sees it, in a process of its own on simulated GPUs: what it writes, for whom, and that all
 * is as found afterwards, whoever dies and whatever it is sent.
 */
#include "executor_rig.h"
#include "suite.h"

#include "agent/gpu.h"
#include "agent/saved.h"
#include "base/clock.h"
#include "device/sim.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	SM = PERSEUS_SETTING_SM_CLOCKS,
	MEMORY = PERSEUS_SETTING_MEMORY_CLOCKS,
	POWER = PERSEUS_SETTING_POWER_LIMIT,
	PERSISTENCE = PERSEUS_SETTING_PERSISTENCE
};

static const int64_t MS = 1000000;
static const int64_t PATIENCE_NS = 5000000000;

static struct rig rig;

static void
set_up(void)
{
	struct perseus_error err;
	rig_init(&rig);
	/* Found is not what a reset would give. */
	ck_assert_int_eq(perseus_device_set(rig.node, 1, PERSEUS_SETTING_POWER_LIMIT, 300000, 300000, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus_device_set(rig.node, 1, PERSEUS_SETTING_PERSISTENCE, 1, 1, &err), PERSEUS_OK);
}

static void
tear_down(void)
{
	rig_fini(&rig);
}

static void
start(void)
{
	rig_start(&rig, true);
}

static void
stop(void)
{
	ck_assert_int_eq(kill(rig.executor, SIGTERM), 0);
	ck_assert_int_eq(rig_wait(&rig), PERSEUS_OK);
	ck_assert(rig_is_as_found(&rig));
	ck_assert(!rig_has_file(&rig, 0) && !rig_has_file(&rig, 1));
}

static void
pause_ms(int64_t ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * MS};
	(void)nanosleep(&pause, NULL);
}

static void
check_setting(int32_t gpu, int setting, int64_t low, int64_t high)
{
	struct rig_state state;
	rig_read(&rig, gpu, &state);
	ck_assert_msg(state.low[setting] == low && state.high[setting] == high, "GPU %d, %s: %lld..%lld, not %lld..%lld",
			gpu, perseus_setting_name((enum perseus_setting)setting), (long long)state.low[setting],
			(long long)state.high[setting], (long long)low, (long long)high);
}

static void
set_fault(int32_t gpu, enum perseus__sim_fault fault, bool is_on)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__sim_fault(rig.node, gpu, fault, is_on, &err) == PERSEUS_OK, "%s", err.message);
}

static enum perseus_status
set(int32_t gpu, const struct perseus__holder *holder, int setting, int64_t low, int64_t high)
{
	return rig_set(&rig, gpu, holder, (enum perseus_setting)setting, low, high, NULL);
}

static enum perseus_status
release(int32_t gpu, const struct perseus__holder *holder)
{
	return rig_send(&rig, gpu, holder, PERSEUS__COMMAND_RELEASE, 0, NULL);
}

START_TEST(writes_within_a_lease_and_puts_back)
{
	start();
	struct perseus__holder holder = rig_process(1000);
	struct perseus__answer answer;
	const int64_t before_ns = perseus__clock_mono_ns();
	ck_assert_int_eq(rig_set(&rig, 1, &holder, PERSEUS_SETTING_SM_CLOCKS, 900, 1200, &answer), PERSEUS_OK);
	check_setting(1, SM, 900, 1200);
	ck_assert_int_gt(answer.time_ns, 0);
	ck_assert_uint_eq(answer.lease.lease_id, 1);
	ck_assert_int_eq(answer.lease.device, 1);
	ck_assert_uint_eq(answer.lease.settings, 1 << SM);
	ck_assert_uint_eq(answer.lease.n_writes, 1);
	ck_assert_int_eq(answer.lease.expires_ns, INT64_MAX);
	ck_assert_int_ge(answer.lease.begin_ns, before_ns);
	ck_assert_int_eq(memcmp(&answer.lease.holder, &holder, sizeof holder), 0);
	ck_assert(rig_has_file(&rig, 1) && !rig_has_file(&rig, 0));
	ck_assert_int_eq(set(1, &holder, MEMORY, 1593, 1593), PERSEUS_OK);
	ck_assert_int_eq(set(1, &holder, POWER, 200000, 200000), PERSEUS_OK);
	ck_assert_int_eq(set(1, &holder, PERSISTENCE, 0, 0), PERSEUS_OK);
	check_setting(1, MEMORY, 1593, 1593);
	check_setting(1, POWER, 200000, 200000);
	check_setting(1, PERSISTENCE, 0, 0);
	ck_assert_int_eq(rig_send(&rig, 1, &holder, PERSEUS__COMMAND_RELEASE, 0, &answer), PERSEUS_OK);
	ck_assert_uint_eq(answer.lease.lease_id, 0);
	ck_assert(rig_is_as_found(&rig));
	ck_assert(!rig_has_file(&rig, 1));
	ck_assert_int_eq(release(1, &holder), PERSEUS_OK);
	stop();
}
END_TEST

START_TEST(resets_within_a_lease_and_puts_back)
{
	start();
	const struct perseus__holder holder = rig_token("alice");
	struct perseus__answer answer;
	const struct perseus__command command = {
		.kind = PERSEUS__COMMAND_RESET, .device = 1, .setting = POWER, .holder = holder};
	ck_assert_int_eq(perseus__link_call(rig.link, &command, &answer, NULL), PERSEUS_OK);
	check_setting(1, POWER, 500000, 500000);
	ck_assert_uint_eq(answer.lease.settings, 1 << POWER);
	ck_assert(rig_has_file(&rig, 1));
	ck_assert_int_eq(release(1, &holder), PERSEUS_OK);
	check_setting(1, POWER, 300000, 300000);
	stop();
}
END_TEST

START_TEST(keeps_other_identities_away)
{
	start();
	const struct perseus__holder trainer = rig_process(1000);
	const struct perseus__holder controller = rig_process(1000);
	const struct perseus__holder stranger = rig_process(1001);
	const struct perseus__holder token = rig_token("alice");
	struct perseus__answer answer;
	ck_assert_int_eq(set(0, &trainer, POWER, 250000, 250000), PERSEUS_OK);
	ck_assert_int_eq(set(0, &controller, SM, 900, 900), PERSEUS_OK);
	ck_assert_int_eq(set(0, &controller, POWER, 260000, 260000), PERSEUS_OK);
	ck_assert_int_eq(rig_set(&rig, 0, &stranger, PERSEUS_SETTING_SM_CLOCKS, 210, 210, &answer), PERSEUS_BUSY);
	ck_assert_int_eq(strncmp(answer.message, "GPU 0 is held by process ", 25), 0);
	ck_assert_int_eq(rig_send(&rig, 0, &token, PERSEUS__COMMAND_LEASE, 0, NULL), PERSEUS_BUSY);
	check_setting(0, SM, 900, 900);
	/* Another GPU is another matter. */
	ck_assert_int_eq(set(1, &stranger, SM, 210, 210), PERSEUS_OK);
	rig_kill(controller.pid);
	while (rig_read(&rig, 0, &(struct rig_state){.low = {0}}), !rig_has_file(&rig, 0))
		pause_ms(1);
	for (int i = 0; i < 5000; i++) {
		struct rig_state state;
		rig_read(&rig, 0, &state);
		if (state.low[SM] == 0)
			break;
		pause_ms(1);
	}
	/* What it alone had written is back; the power limit is the trainer's too. */
	check_setting(0, SM, 0, 0);
	check_setting(0, POWER, 260000, 260000);
	ck_assert_int_eq(set(0, &token, SM, 900, 900), PERSEUS_BUSY);
	rig_kill(trainer.pid);
	for (int i = 0; i < 5000 && rig_has_file(&rig, 0); i++)
		pause_ms(1);
	check_setting(0, POWER, 500000, 500000);
	ck_assert_int_eq(set(0, &token, SM, 900, 900), PERSEUS_OK);
	stop();
}
END_TEST

/* Writes until the lease has outlived the time it had at first; false where one write may have come too late for it. */
static bool
outlives(const struct perseus__holder *holder, struct perseus__answer *answer)
{
	const uint64_t lease_id = answer->lease.lease_id;
	const int64_t first_ns = answer->lease.expires_ns;
	for (int i = 0; perseus__clock_mono_ns() <= first_ns; i++) {
		const int64_t before_ns = answer->lease.expires_ns;
		const int64_t clock_mhz = 900 + 15 * (i % 10);
		pause_ms(40);
		ck_assert_int_eq(rig_set(&rig, 0, holder, PERSEUS_SETTING_SM_CLOCKS, clock_mhz, clock_mhz, answer), PERSEUS_OK);
		const bool has_file = rig_has_file(&rig, 0);
		if (perseus__clock_mono_ns() >= before_ns)
			return false;
		ck_assert_uint_eq(answer->lease.lease_id, lease_id);
		ck_assert_int_gt(answer->lease.expires_ns, before_ns);
		ck_assert(has_file);
	}
	return true;
}

START_TEST(ends_leases_by_time)
{
	start();
	const struct perseus__holder token = rig_token("alice");
	struct perseus__answer answer;
	bool is_renewed = false;
	for (int i = 0; i < 20 && !is_renewed; i++) {
		ck_assert_int_eq(release(0, &token), PERSEUS_OK);
		ck_assert_int_eq(rig_send(&rig, 0, &token, PERSEUS__COMMAND_LEASE, 200 * MS, &answer), PERSEUS_OK);
		ck_assert_int_eq(answer.lease.expires_ns - answer.lease.begin_ns, 200 * MS);
		ck_assert_uint_eq(answer.lease.settings, 0);
		is_renewed = outlives(&token, &answer);
	}
	ck_assert(is_renewed);
	const uint64_t lease_id = answer.lease.lease_id;
	const int64_t expires_ns = answer.lease.expires_ns;
	ck_assert(rig_becomes_as_found(&rig, PATIENCE_NS));
	ck_assert_int_ge(perseus__clock_mono_ns(), expires_ns);
	/* Whoever writes next has a new lease. */
	ck_assert_int_eq(rig_set(&rig, 0, &token, PERSEUS_SETTING_SM_CLOCKS, 900, 900, &answer), PERSEUS_OK);
	ck_assert_uint_eq(answer.lease.lease_id, lease_id + 1);
	stop();
}
END_TEST

START_TEST(puts_back_when_the_holder_dies)
{
	start();
	const struct perseus__holder holder = rig_process(1000);
	for (int32_t gpu = 0; gpu < RIG_GPUS; gpu++) {
		ck_assert_int_eq(set(gpu, &holder, SM, 600, 600), PERSEUS_OK);
		ck_assert_int_eq(set(gpu, &holder, POWER, 200000, 200000), PERSEUS_OK);
	}
	rig_kill(holder.pid);
	ck_assert(rig_becomes_as_found(&rig, PATIENCE_NS));
	stop();
}
END_TEST

/* The executor stands still while the holder dies and its commands lie in the queue. */
START_TEST(applies_nothing_of_a_dead_holder)
{
	start();
	const struct perseus__holder holder = rig_process(1000);
	ck_assert_int_eq(set(0, &holder, SM, 600, 600), PERSEUS_OK);
	ck_assert_int_eq(kill(rig.executor, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(rig.executor, NULL, WUNTRACED), rig.executor); /* all its threads */
	const struct perseus__command command = {
		.kind = PERSEUS__COMMAND_SET, .setting = SM, .low = 900, .high = 900, .holder = holder};
	for (int i = 0; i < 50; i++)
		ck_assert_int_eq(perseus__link_send(rig.link, &command, NULL, NULL, NULL), PERSEUS_OK);
	rig_kill(holder.pid);
	ck_assert_int_eq(kill(rig.executor, SIGCONT), 0);
	struct perseus__answer answer;
	ck_assert_int_eq(perseus__link_call(rig.link, &command, &answer, NULL), PERSEUS_INVALID);
	ck_assert_int_eq(strncmp(answer.message, "the process is gone", 19), 0);
	ck_assert(rig_is_as_found(&rig));
	stop();
}
END_TEST

START_TEST(gives_no_lease_to_the_dead)
{
	start();
	struct perseus__holder holder = rig_process(1000);
	struct perseus__answer answer;
	holder.start_ticks++; /* the number is another process's by now */
	ck_assert_int_eq(rig_set(&rig, 0, &holder, PERSEUS_SETTING_SM_CLOCKS, 900, 900, &answer), PERSEUS_INVALID);
	ck_assert_int_eq(strncmp(answer.message, "the process is gone", 19), 0);
	ck_assert_uint_eq(answer.lease.lease_id, 0);
	holder.start_ticks--;
	rig_kill(holder.pid);
	ck_assert_int_eq(rig_send(&rig, 0, &holder, PERSEUS__COMMAND_LEASE, 0, NULL), PERSEUS_INVALID);
	ck_assert(!rig_has_file(&rig, 0));
	stop();
}
END_TEST

START_TEST(refuses_what_is_beyond_its_ranges)
{
	rig.settings.ranges[SM] = (struct perseus__range){600, 1200};
	rig.settings.ranges[POWER] = (struct perseus__range){100000, 300000};
	start();
	const struct perseus__holder token = rig_token("alice");
	struct perseus__answer answer;
	ck_assert_int_eq(rig_set(&rig, 0, &token, PERSEUS_SETTING_SM_CLOCKS, 600, 1215, &answer), PERSEUS_DENIED);
	ck_assert_str_eq(answer.message, "sm_clocks: 600 .. 1215 MHz is beyond what is allowed here, 600 .. 1200 MHz");
	ck_assert_int_eq(set(0, &token, SM, 585, 1200), PERSEUS_DENIED);
	ck_assert_int_eq(set(0, &token, POWER, 300001, 300001), PERSEUS_DENIED);
	/* The driver's own limit is 500 W, which is more than anybody may ask for here. */
	const struct perseus__command reset = {.kind = PERSEUS__COMMAND_RESET, .setting = POWER, .holder = token};
	ck_assert_int_eq(perseus__link_call(rig.link, &reset, &answer, NULL), PERSEUS_DENIED);
	ck_assert_uint_eq(answer.lease.lease_id, 0);
	ck_assert(rig_is_as_found(&rig));
	ck_assert(!rig_has_file(&rig, 0));
	ck_assert_int_eq(set(0, &token, SM, 600, 1200), PERSEUS_OK);
	/* Free clocks are not asked for by numbers: they are what holds without anybody. */
	const struct perseus__command free_clocks = {.kind = PERSEUS__COMMAND_RESET, .setting = SM, .holder = token};
	ck_assert_int_eq(perseus__link_call(rig.link, &free_clocks, &answer, NULL), PERSEUS_OK);
	stop();
}
END_TEST

START_TEST(begins_no_lease_for_what_the_device_refuses)
{
	start();
	const struct perseus__holder token = rig_token("alice");
	struct perseus__answer answer;
	ck_assert_int_eq(rig_set(&rig, 0, &token, PERSEUS_SETTING_SM_CLOCKS, 5000, 5000, &answer), PERSEUS_INVALID);
	ck_assert_uint_eq(answer.lease.lease_id, 0);
	set_fault(0, PERSEUS__SIM_FAULT_DENIED, true);
	ck_assert_int_eq(set(0, &token, SM, 900, 900), PERSEUS_DENIED);
	set_fault(0, PERSEUS__SIM_FAULT_DENIED, false);
	set_fault(0, PERSEUS__SIM_FAULT_NO_MEMORY_CLOCKS, true);
	ck_assert_int_eq(set(0, &token, MEMORY, 1593, 1593), PERSEUS_UNSUPPORTED);
	ck_assert(!rig_has_file(&rig, 0));
	ck_assert(rig_is_as_found(&rig));
	stop();
}
END_TEST

START_TEST(passes_over_memory_clocks_where_it_is_told_to)
{
	rig.settings.is_lenient_memory_clocks = true;
	set_fault(0, PERSEUS__SIM_FAULT_NO_MEMORY_CLOCKS, true);
	start();
	const struct perseus__holder token = rig_token("alice");
	struct perseus__answer answer;
	ck_assert_int_eq(rig_set(&rig, 0, &token, PERSEUS_SETTING_MEMORY_CLOCKS, 1593, 1593, &answer), PERSEUS_OK);
	ck_assert_str_eq(answer.message, "");
	ck_assert_uint_eq(answer.lease.lease_id, 0);
	const struct perseus__command reset = {.kind = PERSEUS__COMMAND_RESET, .setting = MEMORY, .holder = token};
	ck_assert_int_eq(perseus__link_call(rig.link, &reset, &answer, NULL), PERSEUS_OK);
	ck_assert_int_eq(set(1, &token, MEMORY, 5000, 5000), PERSEUS_INVALID);
	stop();
}
END_TEST

START_TEST(puts_the_standing_range_back)
{
	struct perseus_error err;
	rig.settings.standing_sm_clocks = (struct perseus__range){210, 1050};
	for (int32_t gpu = 0; gpu < RIG_GPUS; gpu++)
		ck_assert_int_eq(perseus_device_set(rig.node, gpu, PERSEUS_SETTING_SM_CLOCKS, 210, 1050, &err), PERSEUS_OK);
	start();
	const struct perseus__holder token = rig_token("alice");
	ck_assert_int_eq(set(0, &token, SM, 1410, 1410), PERSEUS_OK);
	check_setting(0, SM, 1410, 1410);
	const struct perseus__command reset = {.kind = PERSEUS__COMMAND_RESET, .setting = SM, .holder = token};
	struct perseus__answer answer;
	ck_assert_int_eq(perseus__link_call(rig.link, &reset, &answer, NULL), PERSEUS_OK);
	check_setting(0, SM, 210, 1050);
	ck_assert_int_eq(set(0, &token, SM, 1410, 1410), PERSEUS_OK);
	ck_assert_int_eq(release(0, &token), PERSEUS_OK);
	check_setting(0, SM, 210, 1050);
	stop();
}
END_TEST

/* Commands without an answer that anybody waits for, then one that is waited for: it comes after all of them. */
START_TEST(serves_first_in_first_out)
{
	start();
	const struct perseus__holder token = rig_token("alice");
	struct perseus__answer answer;
	for (int i = 0; i < 100; i++) {
		const struct perseus__command command = {
			.kind = PERSEUS__COMMAND_SET, .setting = SM, .low = 210 + 15 * (i % 60), .high = 1410, .holder = token};
		ck_assert_int_eq(perseus__link_send(rig.link, &command, NULL, NULL, NULL), PERSEUS_OK);
	}
	ck_assert_int_eq(rig_set(&rig, 0, &token, PERSEUS_SETTING_SM_CLOCKS, 225, 240, &answer), PERSEUS_OK);
	check_setting(0, SM, 225, 240);
	ck_assert_uint_eq(answer.lease.n_writes, 101);
	stop();
}
END_TEST

static enum perseus_status
list_after(uint64_t lease_id, struct perseus__answer *answer)
{
	const struct perseus__command command = {.kind = PERSEUS__COMMAND_LIST, .low = (int64_t)lease_id};
	return perseus__link_call(rig.link, &command, answer, NULL);
}

START_TEST(lists_leases_and_answers_pings)
{
	start();
	const struct perseus__holder alice = rig_token("alice");
	const struct perseus__holder process = rig_process(1000);
	struct perseus__answer answer;
	ck_assert_int_eq(list_after(0, &answer), PERSEUS_OK);
	ck_assert_uint_eq(answer.lease.lease_id, 0);
	ck_assert_int_eq(rig_send(&rig, 1, &process, PERSEUS__COMMAND_LEASE, 0, NULL), PERSEUS_OK);
	ck_assert_int_eq(set(0, &alice, SM, 900, 900), PERSEUS_OK);
	ck_assert_int_eq(list_after(0, &answer), PERSEUS_OK);
	ck_assert_uint_eq(answer.lease.lease_id, 1);
	ck_assert_int_eq(answer.lease.device, 1);
	ck_assert_int_eq(answer.lease.holder.pid, process.pid);
	ck_assert_int_eq(list_after(1, &answer), PERSEUS_OK);
	ck_assert_uint_eq(answer.lease.lease_id, 2);
	ck_assert_str_eq(answer.lease.holder.name, "alice");
	ck_assert_uint_eq(answer.lease.settings, 1 << SM);
	ck_assert_int_eq(list_after(2, &answer), PERSEUS_OK);
	ck_assert_uint_eq(answer.lease.lease_id, 0);
	const struct perseus__command ping = {.kind = PERSEUS__COMMAND_PING};
	ck_assert_int_eq(perseus__link_call(rig.link, &ping, &answer, NULL), PERSEUS_OK);
	stop();
}
END_TEST

static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

START_TEST(puts_back_when_it_is_told_to_stop)
{
	start();
	const struct perseus__holder token = rig_token("alice");
	ck_assert_int_eq(set(0, &token, SM, 900, 900), PERSEUS_OK);
	ck_assert_int_eq(set(1, &token, POWER, 200000, 200000), PERSEUS_OK);
	ck_assert_int_eq(kill(rig.executor, stop_signals[_i]), 0);
	ck_assert_int_eq(rig_wait(&rig), PERSEUS_OK);
	ck_assert(rig_is_as_found(&rig));
	ck_assert(!rig_has_file(&rig, 0) && !rig_has_file(&rig, 1));
}
END_TEST

/* It tells the front, and takes no more commands: what is still sent is answered with CANCELLED, or not at all. */
START_TEST(ends_the_front_when_it_stops)
{
	start();
	const struct perseus__holder token = rig_token("alice");
	ck_assert_int_eq(kill(rig.executor, SIGTERM), 0);
	enum perseus_status status;
	do
		status = set(0, &token, SM, 900, 900);
	while (status == PERSEUS_OK);
	ck_assert(status == PERSEUS_CANCELLED || status == PERSEUS_IO);
	ck_assert_int_eq(rig_wait(&rig), PERSEUS_OK);
	ck_assert(rig_is_as_found(&rig));
}
END_TEST

START_TEST(puts_back_when_the_front_is_gone)
{
	start();
	const struct perseus__holder process = rig_process(1000);
	ck_assert_int_eq(set(0, &process, SM, 900, 900), PERSEUS_OK);
	ck_assert_int_eq(set(1, &process, POWER, 200000, 200000), PERSEUS_OK);
	if (_i == 0)
		ck_assert_int_eq(kill(rig.front, SIGKILL), 0);
	else {
		perseus__link_free(rig.link);
		rig.link = NULL;
	}
	ck_assert_int_eq(rig_wait(&rig), PERSEUS_IO);
	ck_assert(rig_is_as_found(&rig));
	ck_assert(!rig_has_file(&rig, 0) && !rig_has_file(&rig, 1));
}
END_TEST

START_TEST(puts_back_what_a_killed_predecessor_left)
{
	start();
	const struct perseus__holder token = rig_token("alice");
	const struct rig_state found[RIG_GPUS] = {rig.found[0], rig.found[1]};
	ck_assert_int_eq(set(0, &token, SM, 900, 900), PERSEUS_OK);
	ck_assert_int_eq(set(1, &token, POWER, 200000, 200000), PERSEUS_OK);
	ck_assert_int_eq(set(1, &token, PERSISTENCE, 0, 0), PERSEUS_OK);
	ck_assert_int_eq(kill(rig.executor, SIGKILL), 0);
	ck_assert_int_eq(rig_wait(&rig), 1000 + SIGKILL);
	check_setting(0, SM, 900, 900);
	ck_assert(rig_has_file(&rig, 0) && rig_has_file(&rig, 1));
	if (_i == 0) { /* perseus agent --restore */
		int32_t n_restored = 0;
		struct perseus_error err = {.message = ""};
		memcpy(rig.found, found, sizeof found);
		ck_assert_msg(
				perseus__executor_restore(rig.node, rig.state_dir, &n_restored, &err) == PERSEUS_OK, "%s", err.message);
		ck_assert_int_eq(n_restored, 3);
		ck_assert(rig_is_as_found(&rig));
		ck_assert_int_eq(perseus__executor_restore(rig.node, rig.state_dir, &n_restored, &err), PERSEUS_OK);
		ck_assert_int_eq(n_restored, 0);
		return;
	}
	/* The next start: it serves once everything is back. */
	rig_start(&rig, true);
	memcpy(rig.found, found, sizeof found);
	ck_assert(rig_is_as_found(&rig));
	ck_assert(!rig_has_file(&rig, 0) && !rig_has_file(&rig, 1));
	stop();
}
END_TEST

START_TEST(leaves_files_of_absent_gpus_alone)
{
	struct perseus_error err = {.message = ""};
	int directory = -1;
	int32_t n_restored = 0;
	struct perseus__saved saved = {.uuid = "GPU-not-there", .settings = 1 << PERSISTENCE};
	ck_assert_int_eq(perseus__saved_open(rig.state_dir, &directory, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_OK);
	(void)snprintf(saved.uuid, sizeof saved.uuid, "%s", perseus_node_device(rig.node, 1)->uuid);
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__executor_restore(rig.node, rig.state_dir, &n_restored, &err), PERSEUS_BUSY);
	(void)close(directory);
	ck_assert_int_eq(perseus__executor_restore(rig.node, rig.state_dir, &n_restored, &err), PERSEUS_IO);
	ck_assert_str_eq(err.message, "GPU GPU-not-there is not there: its settings stay saved");
	ck_assert_int_eq(n_restored, 1);
	check_setting(1, PERSISTENCE, 0, 0);
	ck_assert(!rig_has_file(&rig, 1));
	start();
	stop();
	ck_assert_int_eq(perseus__executor_restore(rig.node, rig.state_dir, &n_restored, &err), PERSEUS_IO);
}
END_TEST

START_TEST(does_not_start_beside_a_damaged_file)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s.saved", rig.state_dir, perseus_node_device(rig.node, 0)->uuid);
	start();
	stop();
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fprintf(file, "perseus saved settings 1\n"), 0);
	ck_assert_int_eq(fclose(file), 0);
	start();
	ck_assert_int_eq(rig_wait(&rig), PERSEUS_INVALID);
	ck_assert(rig_has_file(&rig, 0));
}
END_TEST

/* A lost GPU: the lease ends, the file stays, and what was found is back once the GPU is. */
START_TEST(tries_again_on_a_gpu_that_fails)
{
	start();
	const struct perseus__holder token = rig_token("alice");
	ck_assert_int_eq(set(0, &token, SM, 900, 900), PERSEUS_OK);
	ck_assert_int_eq(set(0, &token, POWER, 200000, 200000), PERSEUS_OK);
	set_fault(0, PERSEUS__SIM_FAULT_LOST, true);
	ck_assert_int_eq(set(0, &token, SM, 1200, 1200), PERSEUS_IO);
	ck_assert_int_eq(release(0, &token), PERSEUS_IO);
	ck_assert(rig_has_file(&rig, 0));
	if (_i == 1) { /* told to stop: what is lost stays saved for the next start */
		ck_assert_int_eq(kill(rig.executor, SIGTERM), 0);
		const struct rig_state found = rig.found[0];
		ck_assert_int_eq(rig_wait(&rig), PERSEUS_IO);
		ck_assert(rig_has_file(&rig, 0));
		set_fault(0, PERSEUS__SIM_FAULT_LOST, false);
		start();
		rig.found[0] = found;
	} else
		set_fault(0, PERSEUS__SIM_FAULT_LOST, false);
	ck_assert(rig_becomes_as_found(&rig, PATIENCE_NS));
	for (int i = 0; i < 5000 && rig_has_file(&rig, 0); i++)
		pause_ms(1);
	stop();
}
END_TEST

/* Set again before its next try to go back, a setting is none to be tried any more: there is nothing to wake up for. */
START_TEST(tries_nothing_that_is_held_again)
{
	static struct perseus__gpu gpu;
	atomic_ullong last_lease_id = 0;
	struct perseus__answer answer;
	struct perseus__command command = {.kind = PERSEUS__COMMAND_SET, .low = 900, .high = 900, .holder = rig_process(7)};
	int directory = -1;
	int64_t now_ns = PATIENCE_NS;
	ck_assert_int_eq(perseus__saved_open(rig.state_dir, &directory, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__gpu_init(&gpu, rig.node, 0, &rig.settings, directory, &last_lease_id, NULL), PERSEUS_OK);
	perseus__gpu_serve(&gpu, &command, now_ns, &answer);
	ck_assert_int_eq(perseus__gpu_next_ns(&gpu), INT64_MAX);
	set_fault(0, PERSEUS__SIM_FAULT_LOST, true);
	command = (struct perseus__command){.kind = PERSEUS__COMMAND_RELEASE, .holder = command.holder};
	perseus__gpu_serve(&gpu, &command, now_ns, &answer);
	ck_assert_uint_eq(answer.status, PERSEUS_IO);
	ck_assert_int_gt(perseus__gpu_next_ns(&gpu), now_ns);
	ck_assert_int_lt(perseus__gpu_next_ns(&gpu), INT64_MAX);
	set_fault(0, PERSEUS__SIM_FAULT_LOST, false);
	command.kind = PERSEUS__COMMAND_SET;
	command.low = command.high = 1200;
	perseus__gpu_serve(&gpu, &command, now_ns + 1, &answer);
	ck_assert_uint_eq(answer.status, PERSEUS_OK);
	ck_assert_int_eq(perseus__gpu_next_ns(&gpu), INT64_MAX);
	ck_assert_int_eq(perseus__gpu_end_all(&gpu, NULL), PERSEUS_OK);
	perseus__gpu_fini(&gpu);
	(void)close(directory);
}
END_TEST

/* Somebody else takes the GPU before it has gone back: what was found first is what is put back in the end. */
START_TEST(keeps_what_was_found_first)
{
	start();
	const struct perseus__holder alice = rig_token("alice");
	const struct perseus__holder bob = rig_token("bob");
	ck_assert_int_eq(set(0, &alice, POWER, 200000, 200000), PERSEUS_OK);
	set_fault(0, PERSEUS__SIM_FAULT_DENIED, true);
	ck_assert_int_eq(release(0, &alice), PERSEUS_IO);
	set_fault(0, PERSEUS__SIM_FAULT_DENIED, false);
	ck_assert_int_eq(set(0, &bob, POWER, 250000, 250000), PERSEUS_OK);
	pause_ms(1200); /* longer than the time after which it tries again */
	check_setting(0, POWER, 250000, 250000);
	ck_assert_int_eq(release(0, &bob), PERSEUS_OK);
	ck_assert(rig_is_as_found(&rig));
	stop();
}
END_TEST

START_TEST(writes_nothing_that_it_cannot_save)
{
	start();
	const struct perseus__holder token = rig_token("alice");
	struct perseus__answer answer;
	ck_assert_int_eq(rmdir(rig.state_dir), 0);
	ck_assert_int_eq(rig_set(&rig, 0, &token, PERSEUS_SETTING_SM_CLOCKS, 900, 900, &answer), PERSEUS_IO);
	ck_assert_ptr_nonnull(strstr(answer.message, "cannot save settings in "));
	ck_assert_uint_eq(answer.lease.lease_id, 0);
	ck_assert(rig_is_as_found(&rig));
	stop();
}
END_TEST

/* Messages that no honest front sends, on a pair of their own beside a lease; each ends it all. */
static const struct {
	const char *name;
	int pair;
	size_t length;
	struct perseus__command command;
} odd_messages[] = {
	{"empty", 0, 0, {.kind = PERSEUS__COMMAND_SET}},
	{"one byte", 1, 1, {.kind = PERSEUS__COMMAND_SET}},
	{"a byte short", 0, sizeof(struct perseus__command) - 1,
		{.kind = PERSEUS__COMMAND_RELEASE, .holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "a"}}},
	{"a byte long", 0, sizeof(struct perseus__command) + 1,
		{.kind = PERSEUS__COMMAND_RELEASE, .holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "a"}}},
	{"unknown kind", 0, sizeof(struct perseus__command), {.kind = 77}},
	{"another GPU", 0, sizeof(struct perseus__command),
		{.kind = PERSEUS__COMMAND_RELEASE, .device = 1, .holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "a"}}},
	{"a write on the control pair", RIG_GPUS, sizeof(struct perseus__command),
		{.kind = PERSEUS__COMMAND_SET, .holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "alice"}}},
	{"a list on a GPU's pair", 1, sizeof(struct perseus__command), {.kind = PERSEUS__COMMAND_LIST, .device = 1}},
	{"a long one on the control pair", RIG_GPUS, 4096, {.kind = PERSEUS__COMMAND_PING}},
	{"a reserved field", 0, sizeof(struct perseus__command),
		{.kind = PERSEUS__COMMAND_RELEASE, .reserved = 1, .holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "a"}}},
};

/* A command and its answer by hand, where there is no link. */
static void
call_by_hand(int pair, const struct perseus__command *command)
{
	struct perseus__answer answer;
	ck_assert_int_eq(send(rig.fds[pair], command, sizeof *command, MSG_NOSIGNAL), sizeof *command);
	ck_assert_int_eq(recv(rig.fds[pair], &answer, sizeof answer, 0), sizeof answer);
	ck_assert_uint_eq(answer.status, PERSEUS_OK);
	ck_assert_uint_eq(answer.id, command->id);
}

START_TEST(ends_at_anything_odd)
{
	rig_start(&rig, false);
	for (int32_t gpu = 0; gpu < RIG_GPUS; gpu++) {
		const struct perseus__command command = {.id = 5,
			.kind = PERSEUS__COMMAND_SET,
			.device = gpu,
			.setting = SM,
			.low = 900,
			.high = 900,
			.holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "alice"}};
		call_by_hand(gpu, &command);
		check_setting(gpu, SM, 900, 900);
	}
	char bytes[4096] = "";
	memcpy(bytes, &odd_messages[_i].command, sizeof odd_messages[_i].command);
	const int fd = rig.fds[odd_messages[_i].pair];
	ck_assert_int_eq(send(fd, bytes, odd_messages[_i].length, MSG_NOSIGNAL), (ssize_t)odd_messages[_i].length);
	/* An empty message looks as the end of the pair does: the front is gone, then. */
	ck_assert_msg(rig_wait(&rig) == (odd_messages[_i].length == 0 ? PERSEUS_IO : PERSEUS_INTERNAL), "%s",
			odd_messages[_i].name);
	ck_assert(rig_is_as_found(&rig));
	ck_assert(!rig_has_file(&rig, 0) && !rig_has_file(&rig, 1));
}
END_TEST

/* A front that sends and sends and takes no answer: it is ended, too. */
START_TEST(ends_where_nobody_takes_its_answers)
{
	rig_start(&rig, false);
	const struct perseus__command command = {.kind = PERSEUS__COMMAND_SET,
		.setting = SM,
		.low = 900,
		.high = 900,
		.holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "alice"}};
	for (int i = 0; i < 1000; i++)
		if (send(rig.fds[0], &command, sizeof command, MSG_NOSIGNAL) != (ssize_t)sizeof command)
			break;
	ck_assert_int_eq(rig_wait(&rig), PERSEUS_IO);
	ck_assert(rig_is_as_found(&rig));
}
END_TEST

START_TEST(is_alone_with_its_files)
{
	struct rig second = rig;
	start();
	rig_start(&second, true);
	ck_assert_int_eq(rig_wait(&second), PERSEUS_BUSY);
	stop();
}
END_TEST

static const struct {
	const char *name;
	struct perseus__executor_settings settings;
} bad_settings[] = {
	{"no time to live", {.max_lease_ttl_ns = 5}},
	{"more than the maximum", {.lease_ttl_ns = 6, .max_lease_ttl_ns = 5}},
	{"a range from high to low", {.lease_ttl_ns = 5, .max_lease_ttl_ns = 5, .ranges = {{5, 4}}}},
	{"standing clocks from high to low", {.lease_ttl_ns = 5, .max_lease_ttl_ns = 5, .standing_sm_clocks = {5, 4}}},
};

START_TEST(refuses_settings_without_sense)
{
	rig.settings = bad_settings[_i].settings;
	rig.settings.state_dir = rig.state_dir;
	start();
	ck_assert_msg(rig_wait(&rig) == PERSEUS_INVALID, "%s", bad_settings[_i].name);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("executor");
	TCase *tcase = tcase_create("executor");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, writes_within_a_lease_and_puts_back);
	tcase_add_test(tcase, resets_within_a_lease_and_puts_back);
	tcase_add_test(tcase, keeps_other_identities_away);
	tcase_add_test(tcase, ends_leases_by_time);
	tcase_add_test(tcase, puts_back_when_the_holder_dies);
	tcase_add_test(tcase, applies_nothing_of_a_dead_holder);
	tcase_add_test(tcase, gives_no_lease_to_the_dead);
	tcase_add_test(tcase, refuses_what_is_beyond_its_ranges);
	tcase_add_test(tcase, begins_no_lease_for_what_the_device_refuses);
	tcase_add_test(tcase, passes_over_memory_clocks_where_it_is_told_to);
	tcase_add_test(tcase, puts_the_standing_range_back);
	tcase_add_test(tcase, serves_first_in_first_out);
	tcase_add_test(tcase, lists_leases_and_answers_pings);
	tcase_add_loop_test(tcase, puts_back_when_it_is_told_to_stop, 0, sizeof stop_signals / sizeof *stop_signals);
	tcase_add_test(tcase, ends_the_front_when_it_stops);
	tcase_add_loop_test(tcase, puts_back_when_the_front_is_gone, 0, 2);
	tcase_add_loop_test(tcase, puts_back_what_a_killed_predecessor_left, 0, 2);
	tcase_add_test(tcase, leaves_files_of_absent_gpus_alone);
	tcase_add_test(tcase, does_not_start_beside_a_damaged_file);
	tcase_add_loop_test(tcase, tries_again_on_a_gpu_that_fails, 0, 2);
	tcase_add_test(tcase, tries_nothing_that_is_held_again);
	tcase_add_test(tcase, keeps_what_was_found_first);
	tcase_add_test(tcase, writes_nothing_that_it_cannot_save);
	tcase_add_loop_test(tcase, ends_at_anything_odd, 0, sizeof odd_messages / sizeof *odd_messages);
	tcase_add_test(tcase, ends_where_nobody_takes_its_answers);
	tcase_add_test(tcase, is_alone_with_its_files);
	tcase_add_loop_test(tcase, refuses_settings_without_sense, 0, sizeof bad_settings / sizeof *bad_settings);
	return run_suite(suite);
}
