/* Who is at the other end. */
#include "service/peer.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void
find_local(int fd, struct perseus__peer *peer)
{
	struct ucred credentials = {.pid = 0};
	socklen_t bytes = sizeof credentials;
	peer->is_local = true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0)
		return; /* cannot happen on a Unix socket */
	peer->has_user = true;
	peer->uid = credentials.uid;
	peer->gid = credentials.gid;
	peer->pid = credentials.pid;
}

static void
name_remote(const struct sockaddr_storage *address, char name[PERSEUS__PEER_ADDRESS_BYTES])
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	const void *number = address->ss_family == AF_INET ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr;
	if (!inet_ntop(address->ss_family, number, name, PERSEUS__PEER_ADDRESS_BYTES))
		(void)snprintf(name, PERSEUS__PEER_ADDRESS_BYTES, "unknown");
}

void
perseus__peer_find(int fd, struct perseus__peer *peer)
{
	struct sockaddr_storage address = {.ss_family = AF_UNSPEC};
	socklen_t bytes = sizeof address;
	*peer = (struct perseus__peer){.is_local = false};
	if (getpeername(fd, (struct sockaddr *)&address, &bytes) == 0 && address.ss_family == AF_UNIX)
		find_local(fd, peer);
	else
		name_remote(&address, peer->address);
}

bool
perseus__peer_is_same(const struct perseus__peer *a, const struct perseus__peer *b)
{
	if (a->is_local != b->is_local || a->has_user != b->has_user)
		return false;
	return a->has_user ? a->uid == b->uid : strcmp(a->address, b->address) == 0;
}

void
perseus__peer_text(const struct perseus__peer *peer, char text[PERSEUS__PEER_TEXT_BYTES])
{
	if (peer->has_user)
		(void)snprintf(text, PERSEUS__PEER_TEXT_BYTES, "user %" PRIu32, peer->uid);
	else
		(void)snprintf(text, PERSEUS__PEER_TEXT_BYTES, "%s", peer->is_local ? "unknown" : peer->address);
}
