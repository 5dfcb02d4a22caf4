/* Sockets to listen on. */
#ifndef PERSEUS_SERVICE_LISTEN_H
#define PERSEUS_SERVICE_LISTEN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <perseus/status.h>

/* Connections that wait to be accepted; the system has a limit of its own. Beyond, a Unix socket refuses at once. */
enum { PERSEUS__LISTEN_BACKLOG = 4096 };

struct perseus__unix_socket {
	const char *path;
	mode_t mode;
	bool has_uid; /* else it stays the process's own; likewise the group */
	bool has_gid;
	uid_t uid;
	gid_t gid;
};

/*
 * Binds and listens; missing parent directories are made. A socket that nobody listens on any more is
 * replaced. Errors: BUSY where somebody does; INVALID where the path is something else or too long; DENIED; IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__listen_unix(
		const struct perseus__unix_socket *socket, int *fd, struct perseus_error *err);

/* "127.0.0.1:4938", "[::1]:4938", "localhost:4938", ":4938" for all addresses. Errors: INVALID, BUSY, DENIED, IO. */
PERSEUS_MUST_USE enum perseus_status perseus__listen_tcp(const char *address, int *fd, struct perseus_error *err);

/* Where a TCP socket listens, with the port that the system chose for 0: "127.0.0.1:4938"; "unknown" for others. */
enum { PERSEUS__ADDRESS_BYTES = 64 };
void perseus__listen_address(int fd, char text[PERSEUS__ADDRESS_BYTES]);

#endif
