/* Who is at the other end. */
#include "agent/peer.h"

#include "agent/access.h"
#include "agent/process.h"
#include "base/memory.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { FEW_GROUPS = 32 };

/* Supplementary groups as they were when the peer connected; `gids[0]` is the effective one. */
static uint64_t
find_writable(const struct perseus__front *front, int fd, const struct ucred *credentials)
{
	gid_t few[FEW_GROUPS] = {credentials->gid};
	if (front->settings.n_allow == 0)
		return UINT64_MAX;
	socklen_t bytes = sizeof few - sizeof *few;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few + 1, &bytes) == 0)
		return perseus__access_writable(front, credentials->uid, few, 1 + (int32_t)(bytes / sizeof *few));
	/* They did not fit: `bytes` says what they need. Without memory, the effective group alone counts. */
	gid_t *many = perseus__new_array(1 + bytes / sizeof *many, sizeof *many);
	int32_t n = 1;
	if (many) {
		many[0] = credentials->gid;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, many + 1, &bytes) == 0)
			n += (int32_t)(bytes / sizeof *many);
	}
	const uint64_t writable = perseus__access_writable(front, credentials->uid, many ? many : few, n);
	perseus__free(many);
	return writable;
}

static void
find_local(const struct perseus__front *front, int fd, struct perseus__peer *peer)
{
	struct ucred credentials = {.pid = 0};
	socklen_t bytes = sizeof credentials;
	struct perseus__holder *holder = &peer->holder;
	peer->is_local = true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) {
		/* Cannot happen on a Unix socket; a nobody that may write nothing if it does. */
		(void)snprintf(holder->name, sizeof holder->name, "unknown");
		return;
	}
	peer->writable = find_writable(front, fd, &credentials);
	if (credentials.pid > 0 && perseus__process_start(credentials.pid, &holder->start_ticks, NULL) == PERSEUS_OK) {
		holder->kind = PERSEUS__HOLDER_PROCESS;
		holder->uid = credentials.uid;
		holder->pid = credentials.pid;
		return;
	}
	(void)snprintf(holder->name, sizeof holder->name, "user %" PRIu32, credentials.uid);
}

/* The address without the port: that of one connection means nothing. */
static void
name_remote(const struct sockaddr_storage *address, char *name, socklen_t bytes)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	const bool is_v4 = address->ss_family == AF_INET;
	if (!inet_ntop(address->ss_family, is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr, name, bytes))
		(void)snprintf(name, bytes, "unknown");
}

void
perseus__peer_find(const struct perseus__front *front, int fd, struct perseus__peer *peer)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t bytes = sizeof address;
	*peer = (struct perseus__peer){.holder = {.kind = PERSEUS__HOLDER_PEER}};
	const bool is_known = getpeername(fd, (struct sockaddr *)&address, &bytes) == 0;
	if (is_known && address.ss_family == AF_UNIX) {
		find_local(front, fd, peer);
		return;
	}
	name_remote(&address, peer->holder.name, sizeof peer->holder.name);
	/* Allow rules name users and groups of this machine: whoever comes from elsewhere needs a token then. */
	peer->writable = front->settings.n_allow == 0 ? UINT64_MAX : 0;
}
