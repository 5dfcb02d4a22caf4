/* The routes of Zeus's pipeline frequency server. */
#include "server/api.h"
#include "server/handlers.h"
#include "server/zeus.h"
#include "server/zeus_json.h"

#include <string.h>

enum { RANK_BYTES = 64, WAIT_BYTES = 8 };

/* The code for an outcome. */
static int
code_of(enum perseus__zeus_outcome outcome)
{
	switch (outcome) {
	case PERSEUS__ZEUS_DONE:
		return 200;
	case PERSEUS__ZEUS_UNKNOWN:
		return 404;
	case PERSEUS__ZEUS_CLASH:
		return 409;
	case PERSEUS__ZEUS_OUTSIDE:
		return 422;
	case PERSEUS__ZEUS_TOO_MANY:
		return 429;
	case PERSEUS__ZEUS_FAILED:
		return 500;
	case PERSEUS__ZEUS_PARKED:
	case PERSEUS__ZEUS_UNAVAILABLE:
	case PERSEUS__ZEUS_NO_MEMORY:
		break;
	}
	return 503;
}

static void
respond_refusal(struct perseus__exchange *exchange, enum perseus_status status, struct perseus__zeus_refusal *refusal)
{
	if (status != PERSEUS_INVALID) {
		perseus__ask_refuse(exchange, 503, "The server is out of memory.");
		exchange->response.asks_to_retry = true;
		return;
	}
	struct perseus__text *text = perseus__respond_other(exchange, refusal->code, "application/json");
	perseus__text_add(text, refusal->text.bytes, refusal->text.length);
	perseus__text_fini(&refusal->text);
}

static void
respond_outside(struct perseus__exchange *exchange, const struct perseus__zeus_answer *answer)
{
	struct perseus__zeus_refusal refusal;
	const char *where = exchange->request.method == PERSEUS__METHOD_GET ? "query" : "body";
	const enum perseus_status status = perseus__zeus_refuse_not_less(where, answer->member, answer->limit, &refusal);
	respond_refusal(exchange, status, &refusal);
}

/* An answer that is none of the good ones. */
static void
respond_bad(struct perseus__exchange *exchange, const struct perseus__zeus_answer *answer)
{
	if (answer->outcome == PERSEUS__ZEUS_OUTSIDE) {
		respond_outside(exchange, answer);
		return;
	}
	const int code = code_of(answer->outcome);
	perseus__ask_refuse(exchange, code, "%s", answer->detail);
	exchange->response.asks_to_retry = code == 503 || code == 429;
}

/* A job's id as a JSON text. */
static void
answer_job(void *user, const struct perseus__zeus_answer *answer)
{
	struct perseus__exchange *exchange = user;
	if (answer->outcome == PERSEUS__ZEUS_DONE) {
		struct perseus__json json = perseus__respond_json(exchange, 200);
		perseus__json_string(&json, NULL, answer->id);
	} else {
		respond_bad(exchange, answer);
	}
	exchange->finish(exchange);
}

/* null */
static void
answer_nothing(void *user, const struct perseus__zeus_answer *answer)
{
	struct perseus__exchange *exchange = user;
	if (answer->outcome == PERSEUS__ZEUS_DONE) {
		struct perseus__json json = perseus__respond_json(exchange, 200);
		perseus__json_null(&json, NULL);
	} else {
		respond_bad(exchange, answer);
	}
	exchange->finish(exchange);
}

static void
answer_schedule(void *user, const struct perseus__zeus_answer *answer)
{
	struct perseus__exchange *exchange = user;
	if (answer->outcome == PERSEUS__ZEUS_DONE) {
		struct perseus__text *text = perseus__respond_other(exchange, 200, "application/json");
		perseus__zeus_plan_encode(text, answer->plan, answer->list, answer->rank);
	} else {
		respond_bad(exchange, answer);
	}
	exchange->finish(exchange);
}

static struct perseus__zeus_body
body_of(const struct perseus__exchange *exchange)
{
	return (struct perseus__zeus_body){
		.bytes = exchange->request.body,
		.length = exchange->request.body_length,
		.content_type = exchange->request.content_type,
	};
}

/* Where there is no server of Zeus's, its routes are not there either. */
static bool
is_served(const struct perseus__api *api, struct perseus__exchange *exchange)
{
	if (api->settings.zeus)
		return true;
	perseus__ask_refuse(exchange, 404, "Not Found");
	exchange->finish(exchange);
	return false;
}

void
perseus__serve_zeus_job(struct perseus__api *api, struct perseus__exchange *exchange)
{
	const struct perseus__zeus_body body = body_of(exchange);
	struct perseus__zeus_job_info info;
	struct perseus__zeus_refusal refusal;
	if (!is_served(api, exchange))
		return;
	const enum perseus_status status = perseus__zeus_decode_job(&body, &info, &refusal);
	if (status == PERSEUS_OK) {
		perseus__zeus_register_job(api->settings.zeus, &info, answer_job, exchange);
		return;
	}
	respond_refusal(exchange, status, &refusal);
	exchange->finish(exchange);
}

void
perseus__serve_zeus_rank(struct perseus__api *api, struct perseus__exchange *exchange)
{
	const struct perseus__zeus_body body = body_of(exchange);
	struct perseus__zeus_rank_info info;
	struct perseus__zeus_refusal refusal;
	if (!is_served(api, exchange))
		return;
	const enum perseus_status status = perseus__zeus_decode_rank(&body, &info, &refusal);
	if (status == PERSEUS_OK) {
		const char *id = perseus__ask_of(exchange)->path.values[0];
		perseus__zeus_register_rank(api->settings.zeus, id, &info, answer_nothing, exchange);
		perseus__zeus_rank_info_fini(&info);
		return;
	}
	respond_refusal(exchange, status, &refusal);
	exchange->finish(exchange);
}

void
perseus__serve_zeus_result(struct perseus__api *api, struct perseus__exchange *exchange)
{
	const struct perseus__zeus_body body = body_of(exchange);
	struct perseus__zeus_result result;
	struct perseus__zeus_refusal refusal;
	if (!is_served(api, exchange))
		return;
	const enum perseus_status status = perseus__zeus_decode_result(&body, &result, &refusal);
	if (status == PERSEUS_OK) {
		const char *id = perseus__ask_of(exchange)->path.values[0];
		perseus__zeus_report(api->settings.zeus, id, &result, answer_nothing, exchange);
		return;
	}
	respond_refusal(exchange, status, &refusal);
	exchange->finish(exchange);
}

/*
 * The value of a key of the query, the last where there are several; other keys are none of our business, as Zeus's
 * server takes them, too. NULL: there is none. A value with a zero byte is taken as empty, and one too long is cut:
 * neither becomes a number that it is not.
 */
static const char *
query_value(const struct perseus__exchange *exchange, const char *key, char *value, size_t bytes)
{
	const char *at = exchange->request.query;
	const size_t length = strlen(key);
	struct perseus__query_pair pair;
	bool is_there = false;
	while (perseus__query_next(&at, &pair)) {
		if (pair.key_length != length || memcmp(pair.key, key, length) != 0)
			continue;
		const size_t n = perseus__url_decode(pair.value, pair.value_length, true, value, bytes - 1);
		value[n < bytes ? n : bytes - 1] = '\0';
		if (strlen(value) < n && n < bytes)
			value[0] = '\0';
		is_there = true;
	}
	return is_there ? value : NULL;
}

static bool
is_there(struct perseus__zeus_poll *poll)
{
	struct perseus__exchange *exchange = ((const struct perseus__zeus_waiter *)poll)->user;
	return !exchange->is_peer_there || exchange->is_peer_there(exchange);
}

/* The peer is gone: nobody is to wait for it. */
static void
abandon(struct perseus__exchange *exchange)
{
	struct perseus__ask *ask = perseus__ask_of(exchange);
	if (!perseus__zeus_leave(ask->api->settings.zeus, &ask->zeus_waiter))
		return;
	perseus__ask_refuse(exchange, 503, "The client has gone.");
	exchange->finish(exchange);
}

void
perseus__serve_zeus_schedule(struct perseus__api *api, struct perseus__exchange *exchange)
{
	char value[RANK_BYTES], wait_value[WAIT_BYTES];
	int32_t rank;
	struct perseus__zeus_refusal refusal;
	struct perseus__ask *ask = perseus__ask_of(exchange);
	if (!is_served(api, exchange))
		return;
	const char *waits = query_value(exchange, "wait", wait_value, sizeof wait_value);
	const enum perseus_status status =
			perseus__zeus_decode_query_rank(query_value(exchange, "rank", value, sizeof value), &rank, &refusal);
	if (status != PERSEUS_OK) {
		respond_refusal(exchange, status, &refusal);
		exchange->finish(exchange);
		return;
	}
	/* In the exchange: it must be there as long as that is, for `abandon` may come while it is being answered. */
	ask->zeus_waiter = (struct perseus__zeus_waiter){
		.poll = {.rank = rank, .is_there = is_there}, .done = answer_schedule, .user = exchange};
	exchange->abandon = abandon;
	perseus__zeus_wait(api->settings.zeus, ask->path.values[0], &ask->zeus_waiter, !waits || strcmp(waits, "0") != 0);
}
