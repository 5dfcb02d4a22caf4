/* Sockets to listen on. */
#include "service/listen.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/output_file.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static enum perseus_status
fail_errno(struct perseus_error *err, int error, const char *what, const char *where)
{
	const bool is_denied = error == EACCES || error == EPERM;
	const enum perseus_status status = is_denied ? PERSEUS_DENIED : error == EADDRINUSE ? PERSEUS_BUSY : PERSEUS_IO;
	return perseus__fail(err, status, "cannot %s %s: %s", what, where, strerror(error));
}

/* Removes a socket that refuses connections: whoever made it is gone. Anything else stays. */
static enum perseus_status
remove_stale(const struct sockaddr_un *address, struct perseus_error *err)
{
	struct stat found;
	if (lstat(address->sun_path, &found) != 0)
		return errno == ENOENT ? PERSEUS_OK : fail_errno(err, errno, "look at", address->sun_path);
	if (!S_ISSOCK(found.st_mode))
		return perseus__fail(err, PERSEUS_INVALID, "%s exists and is no socket", address->sun_path);
	const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return fail_errno(err, errno, "make a socket for", address->sun_path);
	const int error = connect(probe, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
	(void)close(probe);
	if (error == 0 || error == EAGAIN) /* EAGAIN: its queue is full */
		return perseus__fail(err, PERSEUS_BUSY, "%s is in use: another process listens there", address->sun_path);
	if (error != ECONNREFUSED)
		return fail_errno(err, error, "find out who listens on", address->sun_path);
	return unlink(address->sun_path) == 0 ? PERSEUS_OK : fail_errno(err, errno, "remove the old", address->sun_path);
}

/* Nobody but us may connect until owner, group and mode are those asked for. */
static enum perseus_status
bind_unix(int fd, const struct sockaddr_un *address, const struct perseus__unix_socket *settings,
		struct perseus_error *err)
{
	const mode_t old_mask = umask(0777);
	const int error = bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 ? 0 : errno;
	(void)umask(old_mask);
	if (error != 0)
		return fail_errno(err, error, "listen on", settings->path);
	const uid_t uid = settings->has_uid ? settings->uid : (uid_t)-1;
	const gid_t gid = settings->has_gid ? settings->gid : (gid_t)-1;
	if (chown(settings->path, uid, gid) != 0 || chmod(settings->path, settings->mode) != 0
			|| listen(fd, PERSEUS__LISTEN_BACKLOG) != 0) {
		const int failure = errno;
		(void)unlink(settings->path);
		return fail_errno(err, failure, "set up", settings->path);
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__listen_unix(const struct perseus__unix_socket *settings, int *fd, struct perseus_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (snprintf(address.sun_path, sizeof address.sun_path, "%s", settings->path) >= (int)sizeof address.sun_path)
		return perseus__fail(err, PERSEUS_INVALID, "%s: a socket's path has at most %zu bytes", settings->path,
				sizeof address.sun_path - 1);
	enum perseus_status status = perseus__output_parents(settings->path, err);
	if (status == PERSEUS_OK)
		status = remove_stale(&address, err);
	if (status != PERSEUS_OK)
		return status;
	const int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (made < 0)
		return fail_errno(err, errno, "make a socket for", settings->path);
	status = bind_unix(made, &address, settings, err);
	if (status != PERSEUS_OK) {
		(void)close(made);
		return status;
	}
	*fd = made;
	return PERSEUS_OK;
}

/* Cuts "host:port" or "[host]:port" in its two parts; an empty host becomes NULL. */
static bool
split_address(char *text, const char **host, const char **port)
{
	char *colon = strrchr(text, ':');
	if (!colon || colon[1] == '\0')
		return false;
	*colon = '\0';
	*port = colon + 1;
	const size_t length = strlen(text);
	if (text[0] == '[') {
		if (text[length - 1] != ']')
			return false;
		text[length - 1] = '\0';
		text++;
	} else if (strchr(text, ':')) {
		return false; /* an IPv6 address without its brackets */
	}
	*host = *text ? text : NULL;
	return true;
}

static enum perseus_status
listen_at(const struct addrinfo *info, const char *address, int *fd, struct perseus_error *err)
{
	const int yes = 1;
	const int made = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (made < 0)
		return fail_errno(err, errno, "make a socket for", address);
	if (setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0
			|| bind(made, info->ai_addr, info->ai_addrlen) != 0 || listen(made, PERSEUS__LISTEN_BACKLOG) != 0) {
		const int error = errno;
		(void)close(made);
		return fail_errno(err, error, "listen on", address);
	}
	*fd = made;
	return PERSEUS_OK;
}

enum perseus_status
perseus__listen_tcp(const char *address, int *fd, struct perseus_error *err)
{
	static const struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	const char *host;
	const char *port;
	char *copy = perseus__copy_string(address);
	if (!copy)
		return perseus__no_memory(err);
	if (!split_address(copy, &host, &port)) {
		perseus__free(copy);
		return perseus__fail(err, PERSEUS_INVALID, "'%s' is no address: HOST:PORT or [HOST]:PORT", address);
	}
	struct addrinfo *found = NULL;
	const int error = getaddrinfo(host, port, &hints, &found);
	perseus__free(copy);
	if (error != 0)
		return perseus__fail(err, PERSEUS_INVALID, "'%s' is no address: %s", address, gai_strerror(error));
	const enum perseus_status status = listen_at(found, address, fd, err);
	freeaddrinfo(found);
	return status;
}

void
perseus__listen_address(int fd, char text[PERSEUS__ADDRESS_BYTES])
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t bytes = sizeof address;
	char host[48];
	char port[8];
	(void)snprintf(text, PERSEUS__ADDRESS_BYTES, "unknown");
	if (getsockname(fd, (struct sockaddr *)&address, &bytes) != 0 || address.ss_family == AF_UNIX
			|| getnameinfo((struct sockaddr *)&address, bytes, host, sizeof host, port, sizeof port,
					   NI_NUMERICHOST | NI_NUMERICSERV)
					!= 0)
		return;
	const bool is_v6 = address.ss_family == AF_INET6;
	(void)snprintf(text, PERSEUS__ADDRESS_BYTES, "%s%s%s:%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
}
