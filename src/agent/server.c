/* HTTP by libmicrohttpd. */
#include "agent/server.h"

#include "agent/route.h"
#include "agent/stream.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	CONNECTION_BYTES = 16 * 1024, /* request line and headers must fit, else 414 or 431 */
	IDLE_S = 75, /* without a byte; clients keep connections for 5 s, and race a server with the same */
	EVENT_BLOCK_BYTES = 4096,
	FILES_BESIDE_CONNECTIONS = 256,
};

struct perseus__server {
	struct perseus__front *front;
	struct perseus__connections *connections;
	struct MHD_Daemon *daemons[PERSEUS__SERVER_MAX_SOCKETS];
	int32_t n_daemons;
	atomic_bool is_ending;
	atomic_int n_under_way; /* requests whose handler has begun and whose response is not there */
};

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
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	const char *length = MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
	request->is_begun = true;
	request->connection = info->socket_context;
	if (!request->connection)
		return MHD_NO;
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

static enum MHD_Result
handle(void *user, struct MHD_Connection *mhd, const char *url, const char *method, const char *version,
		const char *bytes, size_t *n_bytes, void **context)
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

/* The first line of a request is there: the one place where libmicrohttpd shows the query as it came. */
static void *
note_uri(void *user, const char *uri, struct MHD_Connection *mhd)
{
	struct request *request = perseus__new_array(1, sizeof *request);
	char *copy = perseus__copy_string(uri);
	if (!request || !copy) {
		perseus__free(request);
		perseus__free(copy);
		return NULL;
	}
	request->server = user;
	request->mhd = mhd;
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

static void
note_completed(void *user, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code)
{
	struct request *request = *context;
	(void)user;
	(void)mhd;
	(void)code;
	if (!request)
		return;
	*context = NULL;
	if (request->connection)
		perseus__connection_end(request->connection);
	perseus__response_fini(&request->exchange.response);
	perseus__text_fini(&request->body);
	perseus__free(request->uri);
	perseus__free(request);
}

static void
note_connection(void *user, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct perseus__server *server = user;
	switch (code) {
	case MHD_CONNECTION_NOTIFY_STARTED:
		*context = perseus__connection_open(
				server->connections, MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
		return;
	case MHD_CONNECTION_NOTIFY_CLOSED:
		if (*context)
			perseus__connection_close(*context);
		*context = NULL;
		return;
	}
}

static struct MHD_Daemon *
start_daemon(struct perseus__server *server, int fd, const struct perseus__server_settings *settings)
{
	const unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_SUSPEND_RESUME | MHD_USE_TURBO;
	/* Connections are counted and cut by us; this is for the moments before we do. */
	const unsigned max_connections = 2 * (unsigned)settings->limits.max_open;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t)max_connections, NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)note_uri, server},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)note_completed, server},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)note_connection, server},
		{settings->n_threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, settings->n_threads, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	return MHD_start_daemon(flags, 0, NULL, NULL, handle, server, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

struct perseus__server_settings
perseus__server_settings_default(void)
{
	return (struct perseus__server_settings){
		.n_threads = 4,
		.limits =
				{
					.max_open = 3072,
					.max_of_peer = 2048,
					.first_request_ns = 20 * (int64_t)1000000000,
					.quiet_ns = 90 * (int64_t)1000000000,
				},
	};
}

/* Fewer connections where the system does not let us have so many files. */
static void
fit_limits(struct perseus__connection_limits *limits)
{
	struct rlimit files;
	const rlim_t wanted = (rlim_t)limits->max_open + FILES_BESIDE_CONNECTIONS;
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	if (files.rlim_cur < wanted) {
		files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
		if (setrlimit(RLIMIT_NOFILE, &files) != 0)
			(void)getrlimit(RLIMIT_NOFILE, &files); /* worked above */
	}
	if (files.rlim_cur >= wanted)
		return;
	const rlim_t room = files.rlim_cur > 2 * FILES_BESIDE_CONNECTIONS ? files.rlim_cur - FILES_BESIDE_CONNECTIONS
																	  : files.rlim_cur / 2;
	limits->max_open = (int32_t)room;
	limits->max_of_peer = limits->max_of_peer < limits->max_open ? limits->max_of_peer : limits->max_open;
}

enum perseus_status
perseus__server_new(struct perseus__front *front, const int *fds, int32_t n_fds,
		const struct perseus__server_settings *settings, struct perseus__server **out, struct perseus_error *err)
{
	struct perseus__server_settings fitted = *settings;
	fit_limits(&fitted.limits);
	struct perseus__server *server = perseus__new_array(1, sizeof *server);
	struct perseus__connections *connections = perseus__connections_new(front, &fitted.limits);
	if (!server || !connections) {
		perseus__connections_free(connections);
		perseus__free(server);
		return perseus__no_memory(err);
	}
	server->front = front;
	server->connections = connections;
	for (int32_t i = 0; i < n_fds; i++) {
		server->daemons[i] = start_daemon(server, fds[i], &fitted);
		if (!server->daemons[i]) {
			/* The sockets stay the caller's. */
			for (int32_t k = 0; k < i; k++)
				(void)MHD_quiesce_daemon(server->daemons[k]);
			perseus__server_free(server);
			return perseus__fail(err, PERSEUS_IO, "cannot start the threads that serve HTTP");
		}
		server->n_daemons++;
	}
	*out = server;
	return PERSEUS_OK;
}

void
perseus__server_tick(struct perseus__server *server)
{
	perseus__connections_sweep(server->connections);
	perseus__streams_tick(server->front->streams);
}

bool
perseus__server_end(struct perseus__server *server, int64_t limit_ns)
{
	static const struct timespec pause = {.tv_nsec = 5000000};
	const int64_t end_ns = perseus__clock_mono_ns() + limit_ns;
	for (int32_t i = 0; i < server->n_daemons; i++) {
		const MHD_socket fd = MHD_quiesce_daemon(server->daemons[i]);
		if (fd != MHD_INVALID_SOCKET)
			(void)close(fd);
	}
	atomic_store(&server->is_ending, true);
	perseus__front_stop(server->front);
	while (atomic_load(&server->n_under_way) > 0) {
		if (perseus__clock_mono_ns() > end_ns)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

void
perseus__server_free(struct perseus__server *server)
{
	if (!server)
		return;
	for (int32_t i = 0; i < server->n_daemons; i++)
		MHD_stop_daemon(server->daemons[i]);
	perseus__connections_free(server->connections);
	perseus__free(server);
}
