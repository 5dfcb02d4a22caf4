/* The executor's end of a pair. */
#include "agent/channel.h"

#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/*
 * How long a front may leave its answers where they are. Its link does nothing but take them, and lets no more commands
 * wait than their answers have room for.
 */
enum { PATIENCE_MS = 1000 };

enum perseus_status
perseus__channel_receive(
		int fd, int32_t channel, struct perseus__command *command, bool *has_command, struct perseus_error *err)
{
	char bytes[sizeof *command];
	*has_command = false;
	/* MSG_TRUNC: the true length of a longer message. */
	const ssize_t length = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_TRUNC);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return PERSEUS_OK;
	if (length == 0 || (length < 0 && errno == ECONNRESET))
		return perseus__fail(err, PERSEUS_CANCELLED, "the front has closed its end");
	if (length < 0)
		return perseus__fail(err, PERSEUS_IO, "cannot receive from the front: %s", strerror(errno));
	const enum perseus_status status = perseus__check_shape(bytes, (size_t)length, channel, command, err);
	*has_command = status == PERSEUS_OK;
	return status;
}

enum perseus_status
perseus__channel_answer(int fd, const struct perseus__answer *answer, struct perseus_error *err)
{
	struct pollfd room = {.fd = fd, .events = POLLOUT};
	for (int attempt = 0; attempt < 2; attempt++) {
		ssize_t n;
		do
			n = send(fd, answer, sizeof *answer, MSG_DONTWAIT | MSG_NOSIGNAL);
		while (n < 0 && errno == EINTR);
		if (n >= 0) /* a message goes whole or not at all */
			return PERSEUS_OK;
		if (errno == EPIPE || errno == ECONNRESET)
			return perseus__fail(err, PERSEUS_CANCELLED, "the front has closed its end");
		if (errno != EAGAIN)
			return perseus__fail(err, PERSEUS_IO, "cannot answer the front: %s", strerror(errno));
		(void)poll(&room, 1, PATIENCE_MS);
	}
	return perseus__fail(err, PERSEUS_IO, "the front does not take its answers");
}
