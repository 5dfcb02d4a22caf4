/* Requests to the job server's api without sockets. */
#include "api_client.h"

#include <check.h>
#include <string.h>

const struct perseus__peer api_client_local = {.is_local = true, .has_user = true, .uid = 1000, .pid = 4242};
const struct perseus__peer api_client_remote = {.address = "10.0.0.7"};

static struct perseus__ask ask;

static bool
is_peer_there(const struct perseus__exchange *exchange)
{
	(void)exchange;
	return true;
}

void
api_client_begin(const struct api_client *client, const char *request)
{
	struct perseus__exchange *exchange = &ask.base;
	memset(&ask, 0, sizeof ask);
	reply_expect(exchange, request);
	exchange->request.peer = client->peer;
	exchange->request.authorization = client->authorization;
	exchange->request.content_type = client->content_type;
	exchange->request.last_event_id = client->last_event_id;
	exchange->is_peer_there = is_peer_there;
	perseus__api_begin(client->api, exchange);
	if (exchange->response.code != 0) {
		exchange->finish(exchange);
		return;
	}
	if (exchange->takes_body && client->body) {
		exchange->request.body = client->body;
		exchange->request.body_length = strlen(client->body);
		ck_assert_uint_le(exchange->request.body_length, exchange->max_body_bytes);
	}
	perseus__api_handle(client->api, exchange);
}

void
api_client_abandon(void)
{
	ck_assert(ask.base.abandon != NULL);
	ask.base.abandon(&ask.base);
}

const struct reply *
api_client_ask(const struct api_client *client, const char *request)
{
	api_client_begin(client, request);
	return reply_wait();
}
