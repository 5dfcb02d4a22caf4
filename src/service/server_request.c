/* Requests as libmicrohttpd brings them, and responses as it takes them. */
#include "service/server_internal.h"

#include "base/memory.h"

#include <poll.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_BLOCK_BYTES = 4096, POLL_ROUND = 256, MAX_DRAINED_BYTES = 64 * 1024 };

/*
 * Who may touch a request next, see `run` and `finish`. While one that is suspended is VISITED, by the tick, it stays:
 * the tick resumes it if it is finished then.
 */
enum state { STATE_RECEIVED, STATE_RUNNING, STATE_SUSPENDED, STATE_VISITED, STATE_FINISHED };

/* A request of a connection, from its first line until its response is sent. */
struct request {
	struct perseus__exchange *exchange; /* behind this struct */
	struct perseus__server_worker *worker;
	struct MHD_Connection *mhd;
	struct perseus__http_connection *connection;
	char *uri; /* owned; cut at the '?' */
	bool is_begun;
	bool is_refused; /* answered by `begin`; its body is read and dropped */
	size_t n_body_bytes;
	struct perseus__text body;
	atomic_int state;
	bool is_abandoned;
	int fd; /* this and the next while it is visited */
	struct request *next_visited;
	alignas(max_align_t) unsigned char room[]; /* of the exchange */
};

/* What a stream's response needs; lives as long as that. */
struct feed {
	struct perseus__stream *stream;
	struct perseus__server_worker *worker;
	struct MHD_Connection *mhd;
};

static void
wake(void *user)
{
	const struct feed *feed = user;
	perseus__worker_resume(feed->worker, feed->mhd);
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
		perseus__worker_resume(feed->worker, feed->mhd);
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
	*feed = (struct feed){.stream = request->exchange->response.stream, .worker = request->worker, .mhd = request->mhd};
	struct MHD_Response *response =
			MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, EVENT_BLOCK_BYTES, read_feed, feed, free_feed);
	if (!response) {
		perseus__free(feed);
		return NULL;
	}
	request->exchange->response.stream = NULL;
	perseus__stream_attach(feed->stream, info->connect_fd, wake, feed);
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
content_type(const struct perseus__response *response)
{
	switch (response->content) {
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
	case PERSEUS__CONTENT_OTHER:
		return response->content_type;
	}
	return NULL;
}

static bool
add_headers(struct MHD_Response *made, const struct perseus__response *response, const char *realm)
{
	char challenge[128];
	(void)snprintf(challenge, sizeof challenge, "Bearer realm=\"%s\"", realm);
	const struct {
		bool is_there;
		const char *name;
		const char *value;
	} headers[] = {
		{response->content != PERSEUS__CONTENT_NONE, MHD_HTTP_HEADER_CONTENT_TYPE, content_type(response)},
		{response->content == PERSEUS__CONTENT_EVENTS, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache"},
		{response->asks_for_token, MHD_HTTP_HEADER_WWW_AUTHENTICATE, challenge},
		{response->asks_to_retry, MHD_HTTP_HEADER_RETRY_AFTER, "1"},
		{response->allow != NULL, MHD_HTTP_HEADER_ALLOW, response->allow},
		{response->location != NULL, MHD_HTTP_HEADER_LOCATION, response->location},
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
	const struct perseus__application *application = request->worker->server->application;
	struct perseus__response *response = &request->exchange->response;
	if (response->body.failed)
		perseus__respond(request->exchange, 500);
	struct MHD_Response *made =
			response->content == PERSEUS__CONTENT_EVENTS ? new_events(request) : new_plain(response);
	if (!made)
		return MHD_NO;
	enum MHD_Result result = MHD_NO;
	if (add_headers(made, response, application->realm))
		result = MHD_queue_response(request->mhd, (unsigned)response->code, made);
	MHD_destroy_response(made);
	application->done(application->user, request->exchange);
	return result;
}

/* The response is there; called once, from any thread. The request may be gone once the connection is resumed. */
static void
finish(struct perseus__exchange *exchange)
{
	struct request *request = exchange->user;
	struct perseus__server_worker *worker = request->worker;
	struct perseus__server *server = worker->server;
	struct MHD_Connection *mhd = request->mhd;
	if (atomic_exchange(&request->state, STATE_FINISHED) == STATE_SUSPENDED)
		perseus__worker_resume(worker, mhd);
	atomic_fetch_sub(&server->n_under_way, 1);
}

/* Its end of the connection is neither closed nor closed for writing, which no client does that waits for an answer. */
static bool
is_peer_there(const struct perseus__exchange *exchange)
{
	const struct request *request = exchange->user;
	struct pollfd polled = {.fd = perseus__http_connection_fd(request->connection), .events = POLLRDHUP};
	return poll(&polled, 1, 0) <= 0;
}

/* Most handlers finish at once; for the others the connection sleeps. */
static enum MHD_Result
run(struct request *request)
{
	struct perseus__server *server = request->worker->server;
	const struct perseus__application *application = server->application;
	perseus__http_connection_begin(request->connection);
	request->exchange->request.body = request->body.bytes;
	request->exchange->request.body_length = request->body.length;
	atomic_store(&request->state, STATE_RUNNING);
	atomic_fetch_add(&server->n_under_way, 1);
	if (atomic_load(&server->is_ending)) {
		perseus__respond_unavailable(request->exchange, application->ending);
		finish(request->exchange);
	} else {
		application->handle(application->user, request->exchange);
	}
	if (atomic_load(&request->state) == STATE_FINISHED)
		return send_response(request);
	int running = STATE_RUNNING;
	MHD_suspend_connection(request->mhd);
	if (!atomic_compare_exchange_strong(&request->state, &running, STATE_SUSPENDED))
		perseus__worker_resume(request->worker, request->mhd);
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

/*
 * Whether a body comes that is better read than cut off: who meets a closed connection while sending a small one does
 * not get to read why. Who waits for "100 Continue" sends none.
 */
static bool
is_drained(const struct request *request, const char *length)
{
	return length && strlen(length) < 10 && strtol(length, NULL, 10) <= MAX_DRAINED_BYTES && strcmp(length, "0") != 0
			&& !MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_EXPECT);
}

/* Headers are there. A body that is announced too large is refused before it comes. */
static enum MHD_Result
begin(struct request *request, const char *method)
{
	const struct perseus__application *application = request->worker->server->application;
	struct perseus__exchange *exchange = request->exchange;
	struct perseus__request *parsed = &exchange->request;
	const char *length = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	request->is_begun = true;
	parsed->method = find_method(method);
	parsed->peer = perseus__http_connection_peer(request->connection);
	parsed->authorization = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
	parsed->last_event_id = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, "Last-Event-ID");
	parsed->content_type = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_TYPE);
	application->begin(application->user, exchange);
	request->body = perseus__text_init(exchange->max_body_bytes);
	if (exchange->response.code != 0) {
		request->is_refused = is_drained(request, length);
		exchange->takes_body = false;
		exchange->max_body_bytes = MAX_DRAINED_BYTES;
		return request->is_refused ? MHD_YES : send_response(request);
	}
	/* libmicrohttpd has checked that it is a number. */
	if (!length || (strlen(length) < 10 && (size_t)strtol(length, NULL, 10) <= exchange->max_body_bytes))
		return MHD_YES;
	perseus__respond_error(exchange, 413, "A body has at most %zu bytes.", exchange->max_body_bytes);
	return send_response(request);
}

/* Bodies of exchanges that take none are read and dropped; none is longer than the limit. */
static enum MHD_Result
take_body(struct request *request, const char *bytes, size_t *n_bytes)
{
	request->n_body_bytes += *n_bytes;
	if (request->n_body_bytes > request->exchange->max_body_bytes)
		return MHD_NO;
	if (request->exchange->takes_body)
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
	return request->is_refused || atomic_load(&request->state) == STATE_FINISHED ? send_response(request)
																				 : run(request);
}

static void
free_request(struct request *request)
{
	perseus__response_fini(&request->exchange->response);
	perseus__text_fini(&request->body);
	perseus__free(request->uri);
	perseus__free(request);
}

void
perseus__request_drop(struct perseus__http_connection *connection)
{
	struct request *request = perseus__http_connection_request(connection);
	if (!request)
		return;
	perseus__http_connection_set_request(connection, NULL);
	free_request(request);
}

/* Takes a parked request into the list of those that are visited. */
static void
visit(void *user, void *visited, int fd)
{
	struct request **first = user;
	struct request *request = visited;
	int suspended = STATE_SUSPENDED;
	if (!atomic_compare_exchange_strong(&request->state, &suspended, STATE_VISITED))
		return;
	request->fd = fd;
	request->next_visited = *first;
	*first = request;
}

static void
look_after(struct request *request, bool is_peer_gone)
{
	if (is_peer_gone && !request->is_abandoned && request->exchange->abandon) {
		request->is_abandoned = true;
		request->exchange->abandon(request->exchange);
	}
	int visited = STATE_VISITED;
	if (!atomic_compare_exchange_strong(&request->state, &visited, STATE_SUSPENDED))
		perseus__worker_resume(request->worker, request->mhd);
}

void
perseus__requests_tick(struct perseus__server *server)
{
	struct request *first = NULL;
	perseus__connections_visit(server->connections, visit, &first);
	while (first) {
		struct pollfd polled[POLL_ROUND];
		struct request *requests[POLL_ROUND];
		nfds_t n = 0;
		for (; first && n < POLL_ROUND; first = first->next_visited) {
			polled[n] = (struct pollfd){.fd = first->fd, .events = POLLRDHUP};
			requests[n++] = first;
		}
		const bool is_known = poll(polled, n, 0) >= 0;
		for (nfds_t i = 0; i < n; i++)
			look_after(requests[i], is_known && polled[i].revents != 0);
	}
}

/* The first line of a request is there: the one place where libmicrohttpd shows the query as it came. */
void *
perseus__request_note_uri(void *user, const char *uri, struct MHD_Connection *mhd)
{
	struct perseus__http_connection *connection =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
	if (!connection)
		return NULL;
	perseus__request_drop(connection);
	struct perseus__server_worker *worker = user;
	const size_t exchange_bytes = worker->server->application->exchange_bytes;
	struct request *request = perseus__new_array(1, sizeof *request + exchange_bytes);
	char *copy = perseus__copy_string(uri);
	if (!request || !copy) {
		perseus__free(request);
		perseus__free(copy);
		return NULL;
	}
	void *room = request->room; /* aligned for any type */
	request->exchange = room;
	request->worker = worker;
	request->mhd = mhd;
	request->connection = connection;
	request->uri = copy;
	request->exchange->max_body_bytes = PERSEUS__MAX_BODY_BYTES;
	request->exchange->response.body = perseus__text_init(PERSEUS__MAX_RESPONSE_BYTES);
	request->exchange->finish = finish;
	request->exchange->is_peer_there = is_peer_there;
	request->exchange->user = request;
	request->exchange->request.path = copy;
	char *mark = strchr(copy, '?');
	if (mark) {
		*mark = '\0';
		request->exchange->request.query = mark + 1;
	}
	perseus__http_connection_set_request(connection, request);
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
	perseus__http_connection_end(request->connection);
	perseus__request_drop(request->connection);
}
