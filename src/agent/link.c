/* The front's end of the pairs. */
#include "agent/link.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Commands of one pair that wait for their answer. A socket of Linux' default size (212,992 bytes) has room for 166
 * messages of up to a kilobyte in either direction, so neither side ever finds it full.
 */
enum { MAX_WAITING = 128 };

struct waiting {
	uint64_t id;
	perseus__link_done *done;
	void *user;
};

/* One pair. Commands are sent under its lock, so that they wait in the order in which they are answered. */
struct pair {
	int fd;
	int32_t device; /* -1: control */
	pthread_mutex_t lock;
	uint64_t last_id;
	int first;
	int n;
	struct waiting waiting[MAX_WAITING]; /* a ring */
	bool is_closed;                      /* nothing more is sent: the executor is gone, or the link ends */
};

struct perseus__link {
	void (*on_gone)(void *user);
	void *user;
	int stop_fd;
	pthread_t thread;
	struct pollfd *polled; /* length n_pairs + 1, the last for stop_fd */
	int32_t n_pairs;       /* those of GPUs, then control */
	struct pair pairs[];
};

/* Takes the first that waits; false where none does. */
static bool
take_first(struct pair *pair, struct waiting *first)
{
	if (pair->n == 0)
		return false;
	*first = pair->waiting[pair->first];
	pair->first = (pair->first + 1) % MAX_WAITING;
	pair->n--;
	return true;
}

/* Hands one answer to whoever waits for it; false where the executor is gone, or makes no sense. */
static bool
receive(struct pair *pair)
{
	struct perseus__answer answer;
	const ssize_t length = recv(pair->fd, &answer, sizeof answer, MSG_DONTWAIT | MSG_TRUNC);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (length != (ssize_t)sizeof answer)
		return false;
	struct waiting first = {.id = 0};
	(void)pthread_mutex_lock(&pair->lock);
	const bool is_expected = take_first(pair, &first);
	(void)pthread_mutex_unlock(&pair->lock);
	if (!is_expected)
		return false;
	const bool is_good = first.id == answer.id && memchr(answer.message, '\0', sizeof answer.message);
	if (!is_good) {
		answer = (struct perseus__answer){
			.id = first.id, .status = PERSEUS_INTERNAL, .message = "the executor gave a malformed answer"};
	}
	if (first.done)
		first.done(first.user, &answer);
	return is_good;
}

/* Lets nothing more be sent, and answers all that wait. */
static void
close_pair(struct pair *pair, enum perseus_status status, const char *message)
{
	struct waiting first;
	(void)pthread_mutex_lock(&pair->lock);
	pair->is_closed = true;
	while (take_first(pair, &first)) {
		struct perseus__answer answer = {.id = first.id, .status = (uint32_t)status};
		(void)snprintf(answer.message, sizeof answer.message, "%s", message);
		(void)pthread_mutex_unlock(&pair->lock);
		if (first.done)
			first.done(first.user, &answer);
		(void)pthread_mutex_lock(&pair->lock);
	}
	(void)pthread_mutex_unlock(&pair->lock);
}

static void
close_pairs(struct perseus__link *link, enum perseus_status status, const char *message)
{
	for (int32_t i = 0; i < link->n_pairs; i++)
		close_pair(&link->pairs[i], status, message);
}

static void *
run(void *user)
{
	struct perseus__link *link = user;
	const int32_t stop = link->n_pairs;
	for (;;) {
		if (poll(link->polled, (nfds_t)link->n_pairs + 1, -1) < 0)
			continue; /* EINTR */
		if (link->polled[stop].revents) {
			close_pairs(link, PERSEUS_CANCELLED, "the agent is stopping");
			return NULL;
		}
		for (int32_t i = 0; i < link->n_pairs; i++)
			if (link->polled[i].revents && !receive(&link->pairs[i])) {
				close_pairs(link, PERSEUS_IO, "the agent's executor is gone");
				link->on_gone(link->user);
				return NULL;
			}
	}
}

static void
destroy(struct perseus__link *link)
{
	for (int32_t i = 0; i < link->n_pairs; i++)
		(void)pthread_mutex_destroy(&link->pairs[i].lock);
	if (link->stop_fd >= 0)
		(void)close(link->stop_fd);
	perseus__free(link->polled);
	perseus__free(link);
}

static struct perseus__link *
allocate(int32_t n_gpus)
{
	size_t bytes;
	const size_t n_pairs = (size_t)n_gpus + 1;
	struct perseus__link *link = NULL;
	if (!__builtin_mul_overflow(n_pairs, sizeof link->pairs[0], &bytes)
			&& !__builtin_add_overflow(bytes, sizeof *link, &bytes))
		link = perseus__new_array(1, bytes);
	if (!link)
		return NULL;
	link->stop_fd = -1;
	link->polled = perseus__new_array(n_pairs + 1, sizeof *link->polled);
	if (link->polled)
		return link;
	destroy(link);
	return NULL;
}

static enum perseus_status
start(struct perseus__link *link, struct perseus_error *err)
{
	link->stop_fd = eventfd(0, EFD_CLOEXEC);
	if (link->stop_fd < 0)
		return perseus__fail(err, PERSEUS_IO, "cannot open an event: %s", strerror(errno));
	link->polled[link->n_pairs] = (struct pollfd){.fd = link->stop_fd, .events = POLLIN};
	for (int32_t i = 0; i < link->n_pairs; i++)
		link->polled[i] = (struct pollfd){.fd = link->pairs[i].fd, .events = POLLIN};
	const int reason = pthread_create(&link->thread, NULL, run, link);
	if (reason != 0)
		return perseus__fail(err, PERSEUS_IO, "cannot start a thread: %s", strerror(reason));
	return PERSEUS_OK;
}

enum perseus_status
perseus__link_new(const struct perseus__ends *ends, void (*on_gone)(void *user), void *user, struct perseus__link **out,
		struct perseus_error *err)
{
	struct perseus__link *link = allocate(ends->n_gpus);
	if (!link)
		return perseus__no_memory(err);
	link->on_gone = on_gone;
	link->user = user;
	for (; link->n_pairs < ends->n_gpus + 1; link->n_pairs++) {
		struct pair *pair = &link->pairs[link->n_pairs];
		const bool is_control = link->n_pairs == ends->n_gpus;
		pair->fd = is_control ? ends->control_fd : ends->gpu_fds[link->n_pairs];
		pair->device = is_control ? -1 : ends->devices[link->n_pairs];
		if (pthread_mutex_init(&pair->lock, NULL) != 0) {
			destroy(link);
			return perseus__no_memory(err);
		}
	}
	const enum perseus_status status = start(link, err);
	if (status != PERSEUS_OK) {
		destroy(link);
		return status;
	}
	*out = link;
	return PERSEUS_OK;
}

void
perseus__link_free(struct perseus__link *link)
{
	if (!link)
		return;
	(void)eventfd_write(link->stop_fd, 1);
	(void)pthread_join(link->thread, NULL);
	for (int32_t i = 0; i < link->n_pairs; i++)
		(void)close(link->pairs[i].fd);
	destroy(link);
}

static struct pair *
find_pair(struct perseus__link *link, const struct perseus__command *command)
{
	const bool is_control = command->kind == PERSEUS__COMMAND_LIST || command->kind == PERSEUS__COMMAND_PING;
	for (int32_t i = 0; i < link->n_pairs; i++)
		if (link->pairs[i].device == (is_control ? -1 : command->device))
			return &link->pairs[i];
	return NULL;
}

static enum perseus_status
fail_to_send(const struct pair *pair, int reason, struct perseus_error *err)
{
	if (reason == EAGAIN && pair->device >= 0)
		return perseus__fail(err, PERSEUS_BUSY, "too many commands wait on this GPU");
	if (reason == EAGAIN)
		return perseus__fail(err, PERSEUS_BUSY, "too many questions wait on the agent's executor");
	if (reason == EPIPE || reason == ECONNRESET)
		return perseus__fail(err, PERSEUS_IO, "the agent's executor is gone");
	return perseus__fail(err, PERSEUS_IO, "cannot send to the agent's executor: %s", strerror(reason));
}

/* Sends a command, with the lock of the pair held; 0 or the reason of failure. */
static int
send_command(struct pair *pair, const struct perseus__command *command, perseus__link_done *done, void *user)
{
	if (pair->is_closed)
		return EPIPE;
	if (pair->n == MAX_WAITING)
		return EAGAIN;
	struct perseus__command numbered = *command;
	numbered.id = pair->last_id + 1;
	ssize_t n;
	do
		n = send(pair->fd, &numbered, sizeof numbered, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno;
	pair->last_id = numbered.id;
	pair->waiting[(pair->first + pair->n++) % MAX_WAITING] = (struct waiting){numbered.id, done, user};
	return 0;
}

enum perseus_status
perseus__link_send(struct perseus__link *link, const struct perseus__command *command, perseus__link_done *done,
		void *user, struct perseus_error *err)
{
	struct pair *pair = find_pair(link, command);
	if (!pair)
		return perseus__fail(err, PERSEUS_INTERNAL, "no pair of device %" PRId32, command->device);
	(void)pthread_mutex_lock(&pair->lock);
	const int reason = send_command(pair, command, done, user);
	(void)pthread_mutex_unlock(&pair->lock);
	return reason ? fail_to_send(pair, reason, err) : PERSEUS_OK;
}

/* A caller that waits. */
struct call {
	pthread_mutex_t lock;
	pthread_cond_t is_answered;
	bool has_answer;
	struct perseus__answer *answer;
};

static void
end_call(void *user, const struct perseus__answer *answer)
{
	struct call *call = user;
	(void)pthread_mutex_lock(&call->lock);
	*call->answer = *answer;
	call->has_answer = true;
	/* Under the lock: once it is free, the caller may be gone with all of this. */
	(void)pthread_cond_signal(&call->is_answered);
	(void)pthread_mutex_unlock(&call->lock);
}

enum perseus_status
perseus__link_call(struct perseus__link *link, const struct perseus__command *command, struct perseus__answer *answer,
		struct perseus_error *err)
{
	/* Static initialisers need no attributes that could fail. */
	struct call call = {.lock = PTHREAD_MUTEX_INITIALIZER, .is_answered = PTHREAD_COND_INITIALIZER, .answer = answer};
	const enum perseus_status status = perseus__link_send(link, command, end_call, &call, err);
	if (status != PERSEUS_OK)
		return status;
	(void)pthread_mutex_lock(&call.lock);
	while (!call.has_answer)
		(void)pthread_cond_wait(&call.is_answered, &call.lock);
	(void)pthread_mutex_unlock(&call.lock);
	(void)pthread_cond_destroy(&call.is_answered);
	(void)pthread_mutex_destroy(&call.lock);
	if (answer->status != PERSEUS_OK)
		return perseus__fail(err, (enum perseus_status)answer->status, "%s", answer->message);
	return PERSEUS_OK;
}
