/* The client's thread: what it waits for, and in which order it does things. */
#include "client/worker.h"

#include "base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define MS INT64_C(1000000)
/*
 * How often the queue is looked at: while a clock waits for the next event; for one after it; while clocks are not set;
 * while nothing goes on; while the queue fills up.
 */
#define AWAITED_NS (MS / 10)
#define FOLLOWED_NS MS
#define WATCHED_NS (5 * MS)
#define QUIET_NS (20 * MS)
#define FULL_NS (MS / 5)
#define QUIET_AFTER_NS (1000 * MS)
/* Ahead of an expected event, beyond a tenth of the time until then. */
#define AHEAD_NS (MS / 2)
/* How late the counter may be read for the sake of a clock. */
#define LATE_ENERGY_NS (30 * MS)
/* At the end: for the counter's last step, and for the rest of it. */
#define LAST_ENERGY_NS (150 * MS)
#define LAST_NS (2500 * MS)
/* The system may be late by so much, in ns, when it wakes the thread; 50,000 unless told. */
enum { TIMER_SLACK_NS = 5000 };

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When to look at the queue again. */
static int64_t
events_due_ns(const struct perseus__worker *worker, int64_t now_ns)
{
	if (perseus__ring_length(worker->ring) > PERSEUS__RING_EVENTS / 4)
		return now_ns + FULL_NS;
	if (worker->is_awaited) {
		const int64_t left_ns = worker->expected_ns - now_ns;
		return left_ns - left_ns / 10 > AHEAD_NS ? now_ns + left_ns - left_ns / 10 - AHEAD_NS : now_ns + AWAITED_NS;
	}
	if (now_ns - worker->event_ns > QUIET_AFTER_NS)
		return now_ns + QUIET_NS;
	return now_ns + (worker->has_clocks && worker->ended_ns == 0 ? FOLLOWED_NS : WATCHED_NS);
}

/*
 * When the counter is read next: as it wants, but for a reading that would still be under way when a clock is due. It
 * is late then, which costs nothing for a while.
 */
static int64_t
energy_due_ns(const struct perseus__worker *worker)
{
	const int64_t due_ns = perseus__energy_due_ns(&worker->energy);
	if (due_ns == INT64_MAX || !perseus__energy_is_slow(&worker->energy) || !worker->is_awaited)
		return due_ns;
	const int64_t expected_ns = sooner(worker->early_ns, worker->expected_ns);
	const int64_t begin_ns = perseus__clock_mono_ns();
	const int64_t end_ns = (due_ns > begin_ns ? due_ns : begin_ns) + 2 * worker->energy.counter.read_ns;
	return end_ns < expected_ns ? due_ns : sooner(due_ns + LATE_ENERGY_NS, expected_ns + LATE_ENERGY_NS / 2);
}

static int64_t
due_ns(const struct perseus__worker *worker, int64_t now_ns)
{
	int64_t due_ns = events_due_ns(worker, now_ns);
	due_ns = sooner(due_ns, worker->early_ns);
	due_ns = sooner(due_ns, perseus__curl_due_ns(worker->link));
	due_ns = sooner(due_ns, perseus__control_due_ns(&worker->control));
	due_ns = sooner(due_ns, energy_due_ns(worker));
	return worker->has_session ? sooner(due_ns, perseus__session_due_ns(&worker->session)) : due_ns;
}

/* Until `due_ns`, an answer, or the end. */
static void
wait_until(const struct perseus__worker *worker, int64_t due_ns, bool is_ending)
{
	const int64_t left_ns = due_ns - perseus__clock_mono_ns();
	if (left_ns <= 0)
		return;
	const struct timespec left = {.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
	struct pollfd fds[] = {
		{.fd = perseus__curl_fd(worker->link), .events = POLLIN},
		{.fd = is_ending ? -1 : worker->wake, .events = POLLIN},
	};
	(void)ppoll(fds, 2, &left, NULL); /* whatever it says, everything is looked at */
}

static struct perseus__report_state
report_state(const struct perseus__worker *worker)
{
	return (struct perseus__report_state){
		.switch_latency_ns = perseus__latency_mean_ns(&worker->control.latency),
		.control = perseus_control_name(worker->control.mode),
	};
}

/* Tells the server of this rank, once its order and who sets its clock are known. */
static void
enrol(struct perseus__worker *worker)
{
	if (worker->is_enrolled || !worker->has_session || worker->follow.order.n == 0 || !worker->control.is_chosen)
		return;
	static const struct perseus_device_info none = {.name = ""};
	const struct perseus_device_info *info = worker->node ? perseus_node_device(worker->node, 0) : &none;
	const struct perseus__rank_facts facts = {.order = &worker->follow.order,
		.gpu_name = info->name,
		.gpu_uuid = info->uuid,
		.gpu_driver = info->driver,
		.is_simulated = info->is_simulated,
		.clocks_mhz = worker->clocks_mhz,
		.n_clocks = perseus__control_can_set(&worker->control) ? worker->n_clocks : 0,
		.control = perseus_control_name(worker->control.mode),
		.switch_latency_ns = perseus__latency_mean_ns(&worker->control.latency)};
	perseus__session_enrol(&worker->session, &facts);
	worker->is_enrolled = true;
}

static void
read_energy(struct perseus__worker *worker)
{
	const int64_t now_ns = perseus__clock_mono_ns();
	if (energy_due_ns(worker) <= now_ns && perseus__energy_read(&worker->energy)) {
		/* All that was told until the counter moved. */
		perseus__worker_take_events(worker, perseus__clock_mono_ns());
		perseus__worker_take_energy(worker);
	}
	perseus__worker_settle(worker, now_ns, false);
}

static void
publish(struct perseus__worker *worker)
{
	struct perseus_client_info info = {
		.control = worker->control.is_chosen ? worker->control.mode : PERSEUS_CONTROL_AUTO,
		.is_registered = worker->has_session && worker->session.state == PERSEUS__SESSION_ACTIVE,
		.is_following = worker->follow.order.n > 0 && !worker->is_off,
		.revision = worker->revision,
		.n_steps = worker->n_steps,
		.n_followed = worker->n_followed,
		.n_acknowledged = worker->session.reports.n_acknowledged,
		.n_unsent = (int64_t)worker->session.reports.n_steps + worker->n_waiting,
		.n_dropped = perseus__ring_n_dropped(worker->ring),
		.n_lost = worker->session.reports.n_lost,
		.n_clocks_set = worker->control.n_set,
		.n_clocks_skipped = worker->n_skipped,
		.n_clocks_refused = worker->control.n_refused,
		.frequency_mhz = worker->control.asked_mhz > 0 ? worker->control.asked_mhz : 0,
		.switch_latency_s = (double)perseus__latency_mean_ns(&worker->control.latency) * 1e-9};
	(void)snprintf(info.phase, sizeof info.phase, "%s", worker->phase);
	(void)snprintf(info.job, sizeof info.job, "%s", worker->session.job);
	memcpy(info.message, worker->speaker.last, sizeof info.message);
	(void)pthread_mutex_lock(&worker->mutex);
	worker->info = info;
	(void)pthread_mutex_unlock(&worker->mutex);
}

static void
prepare_cuda(struct perseus__worker *worker)
{
	struct perseus_error err;
	if (worker->cuda && !perseus__cuda_prepare(worker->cuda, &err))
		perseus__say(&worker->speaker, "%s: times are not the GPU's, and are not reported", err.message);
}

/* All that is to be done now. */
static void
turn(struct perseus__worker *worker)
{
	const struct perseus__report_state state = report_state(worker);
	prepare_cuda(worker);
	perseus__curl_run(worker->link);
	perseus__worker_take_events(worker, perseus__clock_mono_ns());
	perseus__worker_tick(worker, perseus__clock_mono_ns());
	(void)perseus__control_run(&worker->control, perseus__clock_mono_ns());
	read_energy(worker);
	enrol(worker);
	if (worker->has_session)
		perseus__session_run(&worker->session, perseus__clock_mono_ns(), worker->step, &state);
	publish(worker);
}

/* Clocks are let go first, then what is left is reported: in bounded time, whoever answers. */
static void
end(struct perseus__worker *worker)
{
	const int64_t begin_ns = perseus__clock_mono_ns();
	perseus__worker_take_events(worker, begin_ns);
	worker->has_clocks = false;
	worker->early_ns = INT64_MAX;
	perseus__control_release(&worker->control, begin_ns);
	if (worker->has_step && worker->ended_ns > 0) {
		/* Until its own end, as there is no next step: not to be compared with the others. */
		worker->now.report.is_followed = false;
		perseus__worker_end_step(worker, worker->ended_ns);
	}
	for (int64_t now_ns = begin_ns; now_ns - begin_ns < LAST_NS; now_ns = perseus__clock_mono_ns()) {
		const struct perseus__report_state state = report_state(worker);
		perseus__curl_run(worker->link);
		(void)perseus__control_run(&worker->control, now_ns);
		read_energy(worker);
		perseus__worker_settle(worker, now_ns, now_ns - begin_ns > LAST_ENERGY_NS);
		if (worker->has_session)
			perseus__session_flush(&worker->session, now_ns, &state);
		publish(worker);
		const bool is_flushed =
				!worker->has_session || (worker->n_waiting == 0 && perseus__session_is_flushed(&worker->session));
		if (is_flushed && perseus__control_is_released(&worker->control, now_ns))
			return;
		const int64_t due = sooner(due_ns(worker, now_ns), now_ns + WATCHED_NS);
		wait_until(worker, due, true);
	}
}

void
perseus__worker_run(struct perseus__worker *worker)
{
	(void)prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
	(void)prctl(PR_SET_NAME, "perseus-client");
	while (!atomic_load_explicit(&worker->must_stop, memory_order_acquire)) {
		turn(worker);
		wait_until(worker, due_ns(worker, perseus__clock_mono_ns()), false);
	}
	end(worker);
	if (worker->cuda)
		perseus__cuda_release(worker->cuda);
}
