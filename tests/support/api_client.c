/* Requests to the job server's api without sockets. */
#include "api_client.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const struct perseus__peer api_client_local = {.is_local = true, .has_user = true, .uid = 1000, .pid = 4242};
const struct perseus__peer api_client_remote = {.address = "10.0.0.7"};

static struct {
	struct perseus__ask ask;
	char target[4096];
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int n_finished;
	struct api_reply reply;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void
finish(struct perseus__exchange *exchange)
{
	ck_assert_ptr_eq(exchange, &state.ask.base);
	(void)pthread_mutex_lock(&state.mutex);
	state.n_finished++;
	(void)pthread_cond_broadcast(&state.changed);
	(void)pthread_mutex_unlock(&state.mutex);
}

static bool
is_peer_there(const struct perseus__exchange *exchange)
{
	(void)exchange;
	return true;
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
api_client_begin(const struct api_client *client, const char *request)
{
	struct perseus__exchange *exchange = &state.ask.base;
	const char *blank = strchr(request, ' ');
	ck_assert_ptr_nonnull(blank);
	(void)snprintf(state.target, sizeof state.target, "%s", blank + 1);
	memset(&state.ask, 0, sizeof state.ask);
	state.n_finished = 0;
	exchange->request.method = find_method(request, (size_t)(blank - request));
	exchange->request.path = state.target;
	char *mark = strchr(state.target, '?');
	if (mark) {
		*mark = '\0';
		exchange->request.query = mark + 1;
	}
	exchange->request.peer = client->peer;
	exchange->request.authorization = client->authorization;
	exchange->request.content_type = client->content_type;
	exchange->request.last_event_id = client->last_event_id;
	exchange->response.body = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES);
	exchange->finish = finish;
	exchange->is_peer_there = is_peer_there;
	perseus__api_begin(client->api, exchange);
	if (exchange->response.code != 0) {
		finish(exchange);
		return;
	}
	if (exchange->takes_body && client->body) {
		exchange->request.body = client->body;
		exchange->request.body_length = strlen(client->body);
		ck_assert_uint_le(exchange->request.body_length, exchange->max_body_bytes);
	}
	perseus__api_handle(client->api, exchange);
}

bool
api_client_is_answered(void)
{
	(void)pthread_mutex_lock(&state.mutex);
	const bool is_answered = state.n_finished > 0;
	(void)pthread_mutex_unlock(&state.mutex);
	return is_answered;
}

void
api_client_abandon(void)
{
	ck_assert(state.ask.base.abandon != NULL);
	state.ask.base.abandon(&state.ask.base);
}

const struct api_reply *
api_client_wait(void)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	(void)pthread_mutex_lock(&state.mutex);
	while (state.n_finished == 0)
		ck_assert_msg(pthread_cond_timedwait(&state.changed, &state.mutex, &end) == 0, "no answer within 10 s");
	ck_assert_int_eq(state.n_finished, 1);
	(void)pthread_mutex_unlock(&state.mutex);
	struct perseus__response *response = &state.ask.base.response;
	ck_assert(!response->body.failed);
	state.reply = (struct api_reply){.code = response->code,
		.content = response->content,
		.asks_for_token = response->asks_for_token,
		.asks_to_retry = response->asks_to_retry,
		.stream = response->stream};
	(void)snprintf(state.reply.body, sizeof state.reply.body, "%s", response->body.length ? response->body.bytes : "");
	(void)snprintf(state.reply.allow, sizeof state.reply.allow, "%s", response->allow ? response->allow : "");
	(void)snprintf(
			state.reply.location, sizeof state.reply.location, "%s", response->location ? response->location : "");
	response->stream = NULL;
	perseus__response_fini(response);
	return &state.reply;
}

const struct api_reply *
api_client_ask(const struct api_client *client, const char *request)
{
	api_client_begin(client, request);
	return api_client_wait();
}
