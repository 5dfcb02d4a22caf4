/* As whom a peer writes. */
#include "agent/peer.h"

#include "agent/access.h"
#include "agent/process.h"
#include "base/memory.h"

#include <stdio.h>
#include <sys/socket.h>

enum { FEW_GROUPS = 32 };

/* Supplementary groups as they were when the peer connected; `gids[0]` is the effective one. */
static uint64_t
find_writable(const struct perseus__front *front, int fd, const struct perseus__peer *peer)
{
	gid_t few[FEW_GROUPS] = {peer->gid};
	if (front->settings.n_allow == 0)
		return UINT64_MAX;
	socklen_t bytes = sizeof few - sizeof *few;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, few + 1, &bytes) == 0)
		return perseus__access_writable(front, peer->uid, few, 1 + (int32_t)(bytes / sizeof *few));
	/* They did not fit: `bytes` says what they need. Without memory, the effective group alone counts. */
	gid_t *many = perseus__new_array(1 + bytes / sizeof *many, sizeof *many);
	int32_t n = 1;
	if (many) {
		many[0] = peer->gid;
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, many + 1, &bytes) == 0)
			n += (int32_t)(bytes / sizeof *many);
	}
	const uint64_t writable = perseus__access_writable(front, peer->uid, many ? many : few, n);
	perseus__free(many);
	return writable;
}

static void
find_local(const struct perseus__front *front, int fd, struct perseus__caller *caller)
{
	const struct perseus__peer *peer = &caller->base;
	struct perseus__holder *holder = &caller->holder;
	/* Whom the system does not tell, which cannot happen, may write nothing. */
	caller->writable = peer->has_user ? find_writable(front, fd, peer) : 0;
	if (peer->pid > 0 && perseus__process_start(peer->pid, &holder->start_ticks, NULL) == PERSEUS_OK) {
		holder->kind = PERSEUS__HOLDER_PROCESS;
		holder->uid = peer->uid;
		holder->pid = peer->pid;
	}
}

void
perseus__caller_find(const struct perseus__front *front, int fd, struct perseus__caller *caller)
{
	const struct perseus__peer *peer = &caller->base;
	char text[PERSEUS__PEER_TEXT_BYTES];
	caller->holder = (struct perseus__holder){.kind = PERSEUS__HOLDER_PEER};
	/* Allow rules name users and groups of this machine: whoever comes from elsewhere needs a token then. */
	caller->writable = front->settings.n_allow == 0 ? UINT64_MAX : 0;
	if (peer->is_local)
		find_local(front, fd, caller);
	if (caller->holder.kind == PERSEUS__HOLDER_PROCESS)
		return;
	perseus__peer_text(peer, text);
	(void)snprintf(caller->holder.name, sizeof caller->holder.name, "%s", text);
}
