/* Requests as libmicrohttpd brings them, and responses as it takes them. */
#include "agent/server_internal.h"

#include "agent/route.h"
#include "agent/stream.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_BLOCK_BYTES = 4096 };

/* Who may touch a request next, see `run` and `finish`. */
enum state { STATE_RECEIVED, STATE_RUNNING, STATE_SUSPENDED, STATE_FINISHED };

/* A request of a connection, from its first line until its response is sent. */
struct request {
	struct perseus__exchange exchange;
	struct perseus__server *server;
	struct MHD_Connection *mhd;
	struct perseus__connection *connection;
	char *uri; /* owned; cut at the '?' */
	bool is_begun;
	size_t n_body_bytes;
	struct perseus__text body;
	atomic_int state;
};

/* What a stream's response needs; lives as long as that. */
struct feed {
	struct perseus__stream *stream;
	struct MHD_Connection *mhd;
};

static void
wake(void *user)
{
	MHD_resume_connection(user);
}

static ssize_t
read_feed(void *user, uint64_t position, char *bytes, size_t max_bytes)
{
	struct feed *feed = user;
	(void)position;
	const ssize_t n = perseus__stream_next(feed->stream, bytes, max_bytes);
	if (n != 0)
		return n > 0 ? n : MHD_CONTENT_READER_END_OF_STREAM;
	MHD_suspend_connection(feed->mhd);
	if (!perseus__stream_wait(feed->stream))
		MHD_resume_connection(feed->mhd);
	return 0;
}

static void
free_feed(void *user)
{
	struct feed *feed = user;
	perseus__stream_free(feed->stream);
	perseus__free(feed);
}

static struct MHD_Response *
new_events(struct request *request)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct feed *feed = perseus__new_array(1, sizeof *feed);
	if (!feed)
		return NULL;
	*feed = (struct feed){.stream = request->exchange.response.stream, .mhd = request->mhd};
	struct MHD_Response *response =
			MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EVENT_BLOCK_BYTES, read_feed, feed, free_feed);
	if (!response) {
		perseus__free(feed);
		return NULL;
	}
	request->exchange.response.stream = NULL;
	perseus__stream_attach(feed->stream, info->connect_fd, wake, request->mhd);
	return response;
}

static void
free_body(void *user)
{
	perseus__free(user);
}

static struct MHD_Response *
new_plain(struct perseus__response *response)
{
	static char nothing[1];
	if (response->body.length == 0)
		return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
	struct MHD_Response *made =
			MHD_create_response_from_buffer_with_free_callback(response->body.length, response->body.bytes, free_body);
	if (made)
		response->body = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES);
	return made;
}

static const char *
content_type(enum perseus__content content)
{
	switch (content) {
	case PERSEUS__CONTENT_NONE:
		return NULL;
	case PERSEUS__CONTENT_TEXT:
		return "text/plain; charset=utf-8";
	case PERSEUS__CONTENT_JSON:
		return "application/json";
	case PERSEUS__CONTENT_METRICS:
		return "text/plain; version=0.0.4; charset=utf-8";
	case PERSEUS__CONTENT_EVENTS:
		return "text/event-stream";
	}
	return NULL;
}

static bool
add_headers(struct MHD_Response *made, const struct perseus__response *response)
{
	const struct {
		bool is_there;
		const char *name;
		const char *value;
	} headers[] = {
		{response->content != PERSEUS__CONTENT_NONE, MHD_HTTP_HEADER_CONTENT_TYPE, content_type(response->content)},
		{response->content == PERSEUS__CONTENT_EVENTS, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"},
		{response->asks_for_token, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"zeusd\""},
		{response->asks_to_retry, MHD_HTTP_HEADER_RETRY_AFTER, "1"},
	};
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
		if (headers[i].is_there && MHD_add_response_header(made, headers[i].name, headers[i].value) != MHD_YES)
			return false;
	return true;
}

/* Hands the finished response over. MHD_NO closes the connection, which is all that is left without memory. */
static enum MHD_Result
send_response(struct request *request)
{
	struct perseus__response *response = &request->exchange.response;
	if (response->body.failed)
		perseus__respond(&request->exchange, 500);
	struct MHD_Response *made =
			response->content == PERSEUS__CONTENT_EVENTS ? new_events(request) : new_plain(response);
	if (!made)
		return MHD_NO;
	enum MHD_Result result = MHD_NO;
	if (add_headers(made, response))
		result = MHD_queue_response(request->mhd, (unsigned)response->code, made);
	MHD_destroy_response(made);
	perseus__count_request(
			&request->server->front->counters, perseus__route_index(request->exchange.route), response->code);
	return result;
}

/* The response is there; called once, from any thread. The request may be gone once the connection is resumed. */
static void
finish(struct perseus__exchange *exchange)
{
	struct request *request = exchange->user;
	struct perseus__server *server = request->server;
	struct MHD_Connection *mhd = request->mhd;
	if (atomic_exchange(&request->state, STATE_FINISHED) == STATE_SUSPENDED)
		MHD_resume_connection(mhd);
	atomic_fetch_sub(&server->n_under_way, 1);
}

/* Most handlers finish at once; for the others the connection sleeps. */
static enum MHD_Result
run(struct request *request)
{
	struct perseus__server *server = request->server;
	perseus__connection_begin(request->connection);
	request->exchange.request.body = request->body.bytes;
	request->exchange.request.body_length = request->body.length;
	atomic_store(&request->state, STATE_RUNNING);
	atomic_fetch_add(&server->n_under_way, 1);
	if (atomic_load(&server->is_ending)) {
		perseus__respond_unavailable(&request->exchange, "The agent is ending.");
		finish(&request->exchange);
	} else {
		perseus__front_handle(server->front, &request->exchange);
	}
	if (atomic_load(&request->state) == STATE_FINISHED)
		return send_response(request);
	int running = STATE_RUNNING;
	MHD_suspend_connection(request->mhd);
	if (!atomic_compare_exchange_strong(&request->state, &running, STATE_SUSPENDED))
		MHD_resume_connection(request->mhd);
	return MHD_YES;
}

static enum perseus__method
find_method(const char *name)
{
	for (int method = 0; method < PERSEUS__METHOD_OTHER; method++)
		if (strcmp(perseus__method_name((enum perseus__method)method), name) == 0)
			return (enum perseus__method)method;
	return PERSEUS__METHOD_OTHER;
}

/* Headers are there. A body that is announced too large is refused before it comes. */
static enum MHD_Result
begin(struct request *request, const char *method)
{
	struct perseus__request *parsed = &request->exchange.request;
	const char *length = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	request->is_begun = true;
	parsed->method = find_method(method);
	parsed->peer = perseus__connection_peer(request->connection);
	parsed->authorization = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	request->exchange.route = perseus__route_find(parsed->method, parsed->path, &request->exchange.path_id);
	/* libmicrohttpd has checked that it is a number. */
	if (!length || (strlen(length) < 10 && strtol(length, NULL, 10) <= PERSEUS__MAX_BODY_BYTES))
		return MHD_YES;
	perseus__respond_error(&request->exchange, 413, "A body has at most %d bytes.", PERSEUS__MAX_BODY_BYTES);
	return send_response(request);
}

/* Bodies of routes that take none are read and dropped; none is longer than the limit. */
static enum MHD_Result
take_body(struct request *request, const char *bytes, size_t *n_bytes)
{
	request->n_body_bytes += *n_bytes;
	if (request->n_body_bytes > PERSEUS__MAX_BODY_BYTES)
		return MHD_NO;
	const struct perseus__route *route = request->exchange.route;
	if (route && route->source == PERSEUS__ROUTE_BODY)
		perseus__text_add(&request->body, bytes, *n_bytes);
	*n_bytes = 0;
	return request->body.failed ? MHD_NO : MHD_YES;
}

enum MHD_Result
perseus__request_handle(void *user, /* NOLINT(readability-function-size): libmicrohttpd's */
		struct MHD_Connection *mhd, const char *url, const char *method, const char *version, const char *bytes,
		size_t *n_bytes, void **context)
{
	struct request *request = *context;
	(void)user;
	(void)mhd;
	(void)url;
	(void)version;
	if (!request)
		return MHD_NO;
	if (!request->is_begun)
		return begin(request, method);
	if (*n_bytes > 0)
		return take_body(request, bytes, n_bytes);
	return atomic_load(&request->state) == STATE_FINISHED ? send_response(request) : run(request);
}

static void
free_request(struct request *request)
{
	perseus__response_fini(&request->exchange.response);
	perseus__text_fini(&request->body);
	perseus__free(request->uri);
	perseus__free(request);
}

void
perseus__request_drop(struct perseus__connection *connection)
{
	struct request *request = perseus__connection_request(connection);
	if (request)
		free_request(request);
	perseus__connection_set_request(connection, NULL);
}

/* The first line of a request is there: the one place where libmicrohttpd shows the query as it came. */
void *
perseus__request_note_uri(void *user, const char *uri, struct MHD_Connection *mhd)
{
	struct perseus__connection *connection =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	if (!connection)
		return NULL;
	perseus__request_drop(connection);
	struct request *request = perseus__new_array(1, sizeof *request);
	char *copy = perseus__copy_string(uri);
	if (!request || !copy) {
		perseus__free(request);
		perseus__free(copy);
		return NULL;
	}
	perseus__connection_set_request(connection, request);
	request->server = user;
	request->mhd = mhd;
	request->connection = connection;
	request->uri = copy;
	request->body = perseus__text_init(PERSEUS__MAX_BODY_BYTES);
	request->exchange.response.body = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES);
	request->exchange.finish = finish;
	request->exchange.user = request;
	request->exchange.request.path = copy;
	char *mark = strchr(copy, '?');
	if (mark) {
		*mark = '\0';
		request->exchange.request.query = mark + 1;
	}
	return request;
}

void
perseus__request_note_completed(
		void *user, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct request *request = *context;
	(void)user;
	(void)mhd;
	(void)code;
	if (!request)
		return;
	*context = NULL;
	perseus__connection_end(request->connection);
	perseus__request_drop(request->connection);
}
