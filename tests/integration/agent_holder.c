/* A holder, see the header. */
#include "agent_holder.h"

#include "random.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
connect_to(const char *socket_path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	(void)snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Sends a request and reads all of its answer: the status; -1 where the agent is gone. */
static int
ask(int fd, const char *method, const char *target)
{
	char text[4096];
	const int length = snprintf(
			text, sizeof text, "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", method, target);
	if (send(fd, text, (size_t)length, MSG_NOSIGNAL) != length)
		return -1;
	size_t n = 0;
	const char *body = NULL;
	size_t body_length = 0;
	while (!body || n < (size_t)(body - text) + body_length) {
		const ssize_t n_more = n < sizeof text - 1 ? recv(fd, text + n, sizeof text - 1 - n, 0) : -1;
		if (n_more <= 0)
			return -1;
		n += (size_t)n_more;
		text[n] = '\0';
		body = strstr(text, "\r\n\r\n");
		if (!body)
			continue;
		body += 4;
		const char *field = strstr(text, "Content-Length: ");
		body_length = field ? strtoul(field + 16, NULL, 10) : 0;
	}
	return (int)strtol(text + strlen("HTTP/1.1 "), NULL, 10);
}

bool
agent_answers(const char *socket_path)
{
	const int fd = connect_to(socket_path);
	if (fd < 0)
		return false;
	const int status = ask(fd, "GET", "/healthz");
	(void)close(fd);
	return status == 200;
}

/* A write to some setting, all values that the GPU has. */
static void
choose_target(char *target, size_t size, int32_t gpu, uint64_t *random)
{
	const char *block = random_below(random, 4) == 0 ? "false" : "true";
	const uint32_t low_mhz = 210 + 15 * random_below(random, 40);
	switch (random_below(random, 8)) {
	case 0:
		(void)snprintf(target, size, "/gpu/set_power_limit?gpu_ids=%d&power_limit_mw=%u&block=%s", gpu,
				200000 + 1000 * random_below(random, 200), block);
		break;
	case 1:
		(void)snprintf(target, size, "/gpu/set_persistence_mode?gpu_ids=%d&enabled=%s&block=%s", gpu,
				random_below(random, 2) ? "true" : "false", block);
		break;
	case 2:
		(void)snprintf(target, size,
				"/gpu/set_mem_locked_clocks?gpu_ids=%d&min_clock_mhz=1593&max_clock_mhz=1593&block=%s", gpu, block);
		break;
	case 3:
		(void)snprintf(target, size, "/gpu/reset_locked_clocks?gpu_ids=%d&block=%s", gpu, block);
		break;
	default:
		(void)snprintf(target, size, "/gpu/set_gpu_locked_clocks?gpu_ids=%d&min_clock_mhz=%u&max_clock_mhz=%u&block=%s",
				gpu, low_mhz, low_mhz + 15 * random_below(random, 40), block);
		break;
	}
}

pid_t
agent_holder_start(const char *socket_path, int32_t gpu, uint64_t seed, volatile int64_t *n_writes)
{
	const pid_t parent = getpid();
	const pid_t child = fork();
	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	const int fd = connect_to(socket_path);
	int status = 200;
	while (fd >= 0 && status > 0 && getppid() == parent) {
		char target[160];
		choose_target(target, sizeof target, gpu, &seed);
		status = ask(fd, "POST", target);
		if (status == 200)
			++*n_writes;
	}
	_exit(0);
}
