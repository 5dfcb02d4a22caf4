/* Requests to a front without sockets. */
#include "client.h"

#include <string.h>

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

static struct perseus__call call;

void
client_begin(const struct client *client, const char *request)
{
	memset(&call, 0, sizeof call);
	reply_expect(&call.base, request);
	call.base.request.peer = &client->peer->base;
	call.base.request.authorization = client->authorization;
	call.base.request.body = client->body;
	call.base.request.body_length = client->body ? strlen(client->body) : 0;
	perseus__front_begin(client->front, &call.base);
	perseus__front_handle(client->front, &call.base);
}

const struct reply *
client_ask(const struct client *client, const char *request)
{
	client_begin(client, request);
	return reply_wait();
}
