/* The server's two halves: its sockets and threads (server.c), and requests (server_request.c). */
#ifndef PERSEUS_SERVICE_SERVER_INTERNAL_H
#define PERSEUS_SERVICE_SERVER_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "service/server.h"

/* One thread, with a daemon of libmicrohttpd's for it alone. Those of one socket listen together. */
struct perseus__server_worker {
	struct perseus__server *server;
	struct MHD_Daemon *daemon;
	int epoll_fd;         /* the daemon's */
	int wake_fd;          /* readable where is_woken */
	atomic_bool is_woken; /* a connection was resumed that the thread may not have seen */
	bool is_quiesced;     /* takes no connections any more */
	pthread_t thread;
};

struct perseus__server {
	const struct perseus__application *application;
	struct perseus__connections *connections;
	int fds[PERSEUS__SERVER_MAX_SOCKETS]; /* that listen; the server's once it is made */
	int32_t n_fds;                        /* 0: closed, or still the caller's */
	int32_t n_workers;                    /* with a daemon */
	int32_t n_threads;                    /* of them that run */
	int stop_fd;                          /* readable once the threads shall end */
	atomic_bool is_ending;
	atomic_int n_listening; /* workers that take connections; the last of them closes the sockets */
	atomic_int n_under_way; /* requests whose handler has begun and whose response is not there */
	struct perseus__server_worker workers[];
};

/* Has exchanges abandoned that are parked and whose peers are gone. */
void perseus__requests_tick(struct perseus__server *server);

/* Has a suspended connection of the worker's go on. From any thread. */
void perseus__worker_resume(struct perseus__server_worker *worker, struct MHD_Connection *mhd);

/* libmicrohttpd's callbacks; `user` is the worker. What a URI's callback returns is the context of the others. */
void *perseus__request_note_uri(void *user, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result perseus__request_handle(void *user, struct MHD_Connection *mhd, const char *url, const char *method,
		const char *version, const char *bytes, size_t *n_bytes, void **context);
void perseus__request_note_completed(
		void *user, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code);

/*
 * Frees the request that a connection still has. libmicrohttpd completes no request that it refuses by itself, such as
 * one with too long a query, though it has told of its URI.
 */
void perseus__request_drop(struct perseus__http_connection *connection);

#endif
