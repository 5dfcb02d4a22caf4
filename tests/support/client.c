/* Requests to a front without sockets. */
#include "client.h"

#include "base/clock.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const struct perseus__caller client_process = {
	.base = {.is_local = true, .has_user = true, .uid = 1000, .pid = 4242},
	.holder = {.kind = PERSEUS__HOLDER_PROCESS, .uid = 1000, .pid = 4242, .start_ticks = 99},
	.writable = UINT64_MAX,
};
const struct perseus__caller client_remote = {
	.base = {.address = "10.0.0.7"},
	.holder = {.kind = PERSEUS__HOLDER_PEER, .name = "10.0.0.7"},
	.writable = UINT64_MAX,
};

static struct {
	struct perseus__call call;
	char target[4096];
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int n_finished;
	struct reply reply;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void
finish(struct perseus__exchange *exchange)
{
	ck_assert_ptr_eq(exchange, &state.call.base);
	(void)pthread_mutex_lock(&state.mutex);
	state.n_finished++;
	(void)pthread_cond_broadcast(&state.changed);
	(void)pthread_mutex_unlock(&state.mutex);
}

static enum perseus__method
find_method(const char *name, size_t length)
{
	for (int method = 0; method < PERSEUS__METHOD_OTHER; method++) {
		const char *known = perseus__method_name((enum perseus__method)method);
		if (strlen(known) == length && strncmp(known, name, length) == 0)
			return (enum perseus__method)method;
	}
	return PERSEUS__METHOD_OTHER;
}

void
client_begin(const struct client *client, const char *request)
{
	struct perseus__exchange *exchange = &state.call.base;
	const char *blank = strchr(request, ' ');
	ck_assert_ptr_nonnull(blank);
	(void)snprintf(state.target, sizeof state.target, "%s", blank + 1);
	memset(&state.call, 0, sizeof state.call);
	state.n_finished = 0;
	exchange->request.method = find_method(request, (size_t)(blank - request));
	exchange->request.path = state.target;
	char *mark = strchr(state.target, '?');
	if (mark) {
		*mark = '\0';
		exchange->request.query = mark + 1;
	}
	exchange->request.peer = &client->peer->base;
	exchange->request.authorization = client->authorization;
	exchange->request.body = client->body;
	exchange->request.body_length = client->body ? strlen(client->body) : 0;
	exchange->response.body = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES);
	exchange->finish = finish;
	perseus__front_begin(client->front, exchange);
	perseus__front_handle(client->front, exchange);
}

bool
client_is_answered(void)
{
	(void)pthread_mutex_lock(&state.mutex);
	const bool is_answered = state.n_finished > 0;
	(void)pthread_mutex_unlock(&state.mutex);
	return is_answered;
}

const struct reply *
client_wait(void)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	(void)pthread_mutex_lock(&state.mutex);
	while (state.n_finished == 0)
		ck_assert_msg(pthread_cond_timedwait(&state.changed, &state.mutex, &end) == 0, "no answer within 10 s");
	ck_assert_int_eq(state.n_finished, 1);
	(void)pthread_mutex_unlock(&state.mutex);
	struct perseus__response *response = &state.call.base.response;
	ck_assert(!response->body.failed);
	state.reply = (struct reply){.code = response->code,
		.content = response->content,
		.asks_for_token = response->asks_for_token,
		.asks_to_retry = response->asks_to_retry,
		.stream = response->stream};
	(void)snprintf(state.reply.body, sizeof state.reply.body, "%s", response->body.length ? response->body.bytes : "");
	response->stream = NULL;
	perseus__response_fini(response);
	return &state.reply;
}

const struct reply *
client_ask(const struct client *client, const char *request)
{
	client_begin(client, request);
	return client_wait();
}
