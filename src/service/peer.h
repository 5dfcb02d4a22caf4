/* Who is at the other end of an accepted connection; fixed when it is accepted. */
#ifndef PERSEUS_SERVICE_PEER_H
#define PERSEUS_SERVICE_PEER_H

#include <stdbool.h>
#include <stdint.h>

enum { PERSEUS__PEER_ADDRESS_BYTES = 48, PERSEUS__PEER_TEXT_BYTES = 64 };

/* Applications embed it as the first member of a peer of their own, see application.h. */
struct perseus__peer {
	bool is_local; /* of a Unix socket */
	bool has_user; /* local, and the system told who: the next three */
	uint32_t uid;
	uint32_t gid; /* the effective group */
	int32_t pid;  /* 0: cannot be seen, as in another PID namespace */
	char address
			[PERSEUS__PEER_ADDRESS_BYTES]; /* not local: without the port, as that of one connection means nothing */
};

/* Asks the system about the peer of `fd`. */
void perseus__peer_find(int fd, struct perseus__peer *peer);

/* One user of the Unix socket, or one address. */
bool perseus__peer_is_same(const struct perseus__peer *a, const struct perseus__peer *b);

/* "user 1000", "10.0.0.7", "unknown". */
void perseus__peer_text(const struct perseus__peer *peer, char text[PERSEUS__PEER_TEXT_BYTES]);

#endif
