/* Requests without sockets. */
#include "reply.h"

#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static struct {
	struct perseus__exchange *exchange;
	char target[4096];
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	int n_finished;
	struct reply reply;
} state = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void
finish(struct perseus__exchange *exchange)
{
	ck_assert_ptr_eq(exchange, state.exchange);
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
reply_expect(struct perseus__exchange *exchange, const char *request)
{
	const char *blank = strchr(request, ' ');
	ck_assert_ptr_nonnull(blank);
	(void)snprintf(state.target, sizeof state.target, "%s", blank + 1);
	state.exchange = exchange;
	state.n_finished = 0;
	exchange->request.method = find_method(request, (size_t)(blank - request));
	exchange->request.path = state.target;
	char *mark = strchr(state.target, '?');
	if (mark) {
		*mark = '\0';
		exchange->request.query = mark + 1;
	}
	exchange->response.body = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES);
	exchange->finish = finish;
}

bool
reply_is_there(void)
{
	(void)pthread_mutex_lock(&state.mutex);
	const bool is_there = state.n_finished > 0;
	(void)pthread_mutex_unlock(&state.mutex);
	return is_there;
}

const struct reply *
reply_wait(void)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 10;
	(void)pthread_mutex_lock(&state.mutex);
	while (state.n_finished == 0)
		ck_assert_msg(pthread_cond_timedwait(&state.changed, &state.mutex, &end) == 0, "no answer within 10 s");
	ck_assert_int_eq(state.n_finished, 1);
	(void)pthread_mutex_unlock(&state.mutex);
	struct perseus__response *response = &state.exchange->response;
	ck_assert(!response->body.failed);
	state.reply = (struct reply){.code = response->code,
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
