/* Open connections. */
#include "service/connections.h"

#include "base/clock.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

static const int64_t BUSY = INT64_MAX;

struct perseus__http_connection {
	void *request; /* see perseus__http_connection_set_request */
	struct perseus__connections *connections;
	struct perseus__http_connection *previous;
	struct perseus__http_connection *next;
	int fd;
	bool is_cut;
	struct perseus__peer *peer;
	atomic_int_fast64_t quiet_since_ns; /* BUSY while a request is being answered */
	atomic_bool has_asked;              /* a whole request has come */
};

struct perseus__connections {
	const struct perseus__application *application;
	struct perseus__connection_limits limits;
	pthread_mutex_t mutex;
	struct perseus__http_connection *first;
	int32_t n_open; /* not cut */
};

struct perseus__connections *
perseus__connections_new(
		const struct perseus__application *application, const struct perseus__connection_limits *limits)
{
	struct perseus__connections *connections = perseus__new_array(1, sizeof *connections);
	if (!connections || pthread_mutex_init(&connections->mutex, NULL) != 0) {
		perseus__free(connections);
		return NULL;
	}
	connections->application = application;
	connections->limits = *limits;
	return connections;
}

void
perseus__connections_free(struct perseus__connections *connections)
{
	if (!connections)
		return;
	(void)pthread_mutex_destroy(&connections->mutex);
	perseus__free(connections);
}

/* The other end and our own thread both see the end of the connection; the latter closes it. */
static void
cut(struct perseus__http_connection *connection)
{
	connection->is_cut = true;
	connection->connections->n_open--;
	(void)shutdown(connection->fd, SHUT_RDWR);
}

/* Whichever of the two has been quiet longer; `b` may not be quiet at all. */
static struct perseus__http_connection *
quieter(struct perseus__http_connection *a, struct perseus__http_connection *b)
{
	const int64_t since_ns = atomic_load(&b->quiet_since_ns);
	if (b->is_cut || since_ns == BUSY)
		return a;
	return !a || since_ns < atomic_load(&a->quiet_since_ns) ? b : a;
}

static void
make_room(struct perseus__connections *connections, const struct perseus__peer *peer)
{
	const struct perseus__connection_limits *limits = &connections->limits;
	struct perseus__http_connection *quietest = NULL;
	struct perseus__http_connection *quietest_of_peer = NULL;
	int32_t n_of_peer = 0;
	if (connections->n_open < limits->max_open && connections->n_open < limits->max_of_peer)
		return;
	for (struct perseus__http_connection *each = connections->first; each; each = each->next) {
		quietest = quieter(quietest, each);
		if (each->is_cut || !perseus__peer_is_same(each->peer, peer))
			continue;
		n_of_peer++;
		quietest_of_peer = quieter(quietest_of_peer, each);
	}
	if (n_of_peer >= limits->max_of_peer && quietest_of_peer)
		cut(quietest_of_peer);
	else if (connections->n_open >= limits->max_open && quietest)
		cut(quietest);
}

struct perseus__http_connection *
perseus__http_connection_open(struct perseus__connections *connections, int fd)
{
	const struct perseus__application *application = connections->application;
	struct perseus__http_connection *connection = perseus__new_array(1, sizeof *connection);
	struct perseus__peer *peer = perseus__new_array(1, application->peer_bytes);
	if (!connection || !peer) {
		perseus__free(connection);
		perseus__free(peer);
		return NULL;
	}
	connection->peer = peer;
	connection->connections = connections;
	connection->fd = fd;
	atomic_init(&connection->quiet_since_ns, perseus__clock_mono_ns());
	perseus__peer_find(fd, peer);
	if (application->find_peer)
		application->find_peer(application->user, fd, peer);
	(void)pthread_mutex_lock(&connections->mutex);
	make_room(connections, peer);
	connection->next = connections->first;
	if (connections->first)
		connections->first->previous = connection;
	connections->first = connection;
	connections->n_open++;
	(void)pthread_mutex_unlock(&connections->mutex);
	return connection;
}

void
perseus__http_connection_close(struct perseus__http_connection *connection)
{
	struct perseus__connections *connections = connection->connections;
	(void)pthread_mutex_lock(&connections->mutex);
	if (connection->previous)
		connection->previous->next = connection->next;
	else
		connections->first = connection->next;
	if (connection->next)
		connection->next->previous = connection->previous;
	connections->n_open -= !connection->is_cut;
	(void)pthread_mutex_unlock(&connections->mutex);
	perseus__free(connection->peer);
	perseus__free(connection);
}

void
perseus__http_connection_set_request(struct perseus__http_connection *connection, void *request)
{
	(void)pthread_mutex_lock(&connection->connections->mutex);
	connection->request = request;
	(void)pthread_mutex_unlock(&connection->connections->mutex);
}

void *
perseus__http_connection_request(const struct perseus__http_connection *connection)
{
	return connection->request;
}

const struct perseus__peer *
perseus__http_connection_peer(const struct perseus__http_connection *connection)
{
	return connection->peer;
}

int
perseus__http_connection_fd(const struct perseus__http_connection *connection)
{
	return connection->fd;
}

void
perseus__connections_visit(
		struct perseus__connections *connections, void (*visit)(void *user, void *request, int fd), void *user)
{
	(void)pthread_mutex_lock(&connections->mutex);
	for (const struct perseus__http_connection *each = connections->first; each; each = each->next)
		if (each->request)
			visit(user, each->request, each->fd);
	(void)pthread_mutex_unlock(&connections->mutex);
}

void
perseus__http_connection_begin(struct perseus__http_connection *connection)
{
	atomic_store(&connection->has_asked, true);
	atomic_store(&connection->quiet_since_ns, BUSY);
}

void
perseus__http_connection_end(struct perseus__http_connection *connection)
{
	atomic_store(&connection->quiet_since_ns, perseus__clock_mono_ns());
}

void
perseus__connections_sweep(struct perseus__connections *connections)
{
	const int64_t now_ns = perseus__clock_mono_ns();
	(void)pthread_mutex_lock(&connections->mutex);
	for (struct perseus__http_connection *each = connections->first; each; each = each->next) {
		const int64_t since_ns = atomic_load(&each->quiet_since_ns);
		const int64_t limit_ns =
				atomic_load(&each->has_asked) ? connections->limits.quiet_ns : connections->limits.first_request_ns;
		if (!each->is_cut && since_ns != BUSY && now_ns - since_ns > limit_ns)
			cut(each);
	}
	(void)pthread_mutex_unlock(&connections->mutex);
}

int32_t
perseus__connections_count(struct perseus__connections *connections)
{
	(void)pthread_mutex_lock(&connections->mutex);
	const int32_t n = connections->n_open;
	(void)pthread_mutex_unlock(&connections->mutex);
	return n;
}
