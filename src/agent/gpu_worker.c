/* The thread of one GPU. */
#include "agent/gpu_worker.h"

#include "agent/channel.h"
#include "base/clock.h"
#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

/* Restores at the end: nothing else is left to do, so a GPU that fails is asked again at once. */
enum { MAX_RESTORES = 4 };
static const struct timespec RESTORE_PAUSE = {.tv_nsec = 100000000};

enum { STOP, COMMANDS, FIRST_PROCESS, MAX_POLLED = FIRST_PROCESS + PERSEUS__LEASE_MAX_HOLDERS };

/* Waits for a command, the end of a process or of a lease, or to be told to stop. */
static bool
wait_for_work(struct perseus__gpu_worker *worker, bool *must_stop)
{
	struct perseus__lease_book *book = &worker->gpu.book;
	struct pollfd polled[MAX_POLLED] = {
		[STOP] = {.fd = worker->stop_fd, .events = POLLIN},
		[COMMANDS] = {.fd = worker->fd, .events = POLLIN},
	};
	for (int32_t i = 0; i < book->n; i++) /* a negative descriptor is passed over */
		polled[FIRST_PROCESS + i] = (struct pollfd){.fd = book->entries[i].process_fd, .events = POLLIN};
	struct timespec left = {.tv_sec = 0};
	const struct timespec *timeout = NULL;
	const int64_t next_ns = perseus__gpu_next_ns(&worker->gpu);
	if (next_ns != INT64_MAX) {
		const int64_t left_ns = next_ns - perseus__clock_mono_ns();
		if (left_ns > 0)
			left = (struct timespec){.tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000};
		timeout = &left;
	}
	if (ppoll(polled, (nfds_t)(FIRST_PROCESS + book->n), timeout, NULL) < 0)
		return false; /* EINTR: nothing is known of the descriptors */
	for (int32_t i = 0; i < book->n; i++)
		book->entries[i].is_over = polled[FIRST_PROCESS + i].revents != 0;
	*must_stop = polled[STOP].revents != 0;
	return polled[COMMANDS].revents != 0;
}

static enum perseus_status
serve_next(struct perseus__gpu_worker *worker, struct perseus_error *err)
{
	struct perseus__command command;
	struct perseus__answer answer;
	bool has_command;
	const enum perseus_status status =
			perseus__channel_receive(worker->fd, worker->gpu.device, &command, &has_command, err);
	if (status != PERSEUS_OK || !has_command)
		return status;
	perseus__gpu_serve(&worker->gpu, &command, perseus__clock_mono_ns(), &answer);
	return perseus__channel_answer(worker->fd, &answer, err);
}

static enum perseus_status
serve(struct perseus__gpu_worker *worker, struct perseus_error *err)
{
	for (;;) {
		bool must_stop = false;
		const bool has_command = wait_for_work(worker, &must_stop);
		if (must_stop)
			return PERSEUS_OK;
		/* Ends come first: what a dead process had asked for last must not be applied once its settings are back. */
		perseus__gpu_tend(&worker->gpu, perseus__clock_mono_ns());
		if (has_command) {
			const enum perseus_status status = serve_next(worker, err);
			if (status != PERSEUS_OK)
				return status;
		}
	}
}

/* Commands that were on their way when the agent was told to stop. */
static void
refuse_the_rest(struct perseus__gpu_worker *worker)
{
	struct perseus__command command;
	bool has_command;
	while (perseus__channel_receive(worker->fd, worker->gpu.device, &command, &has_command, NULL) == PERSEUS_OK
			&& has_command) {
		const struct perseus__answer answer = {
			.id = command.id, .status = PERSEUS_CANCELLED, .message = "the agent is stopping"};
		if (perseus__channel_answer(worker->fd, &answer, NULL) != PERSEUS_OK)
			return;
	}
}

static void *
run(void *user)
{
	struct perseus__gpu_worker *worker = user;
	worker->status = serve(worker, &worker->err);
	/* A thread that ends of itself tells the main one first, which stops the others meanwhile. */
	if (worker->status != PERSEUS_OK)
		(void)eventfd_write(worker->trouble_fd, 1);
	for (int i = 0; i < MAX_RESTORES; i++) {
		if (i > 0)
			(void)nanosleep(&RESTORE_PAUSE, NULL);
		worker->restored = perseus__gpu_end_all(&worker->gpu, &worker->restore_err);
		if (worker->restored == PERSEUS_OK)
			break;
	}
	if (worker->status == PERSEUS_OK)
		refuse_the_rest(worker);
	return NULL;
}

enum perseus_status
perseus__gpu_worker_start(struct perseus__gpu_worker *worker, struct perseus_error *err)
{
	const int reason = pthread_create(&worker->thread, NULL, run, worker);
	if (reason != 0)
		return perseus__fail(err, PERSEUS_IO, "cannot start a thread: %s", strerror(reason));
	return PERSEUS_OK;
}

void
perseus__gpu_worker_join(struct perseus__gpu_worker *worker)
{
	(void)pthread_join(worker->thread, NULL);
}
