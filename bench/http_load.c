/* Many HTTP connections of one thread. */
#include "http_load.h"

#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { N_EVENTS = 256, FILES_BESIDE = 64 };

/* Answers that came together, and are handed out one after the other. */
static struct {
	struct epoll_event events[N_EVENTS];
	int n;
	int next;
} pending;

int64_t
bench_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
connect_now(struct bench_connection *connection)
{
	const struct bench_load *load = connection->load;
	connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connection->fd < 0
			|| connect(connection->fd, (const struct sockaddr *)&load->address, sizeof load->address) != 0)
		bench_die(strerror(errno), NULL);
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
		bench_die("cannot wait for a connection", NULL);
}

void
bench_load_open(struct bench_load *load, int n, const char *path)
{
	struct sockaddr_un *address = &load->address;
	struct rlimit files = {.rlim_cur = (rlim_t)n + FILES_BESIDE, .rlim_max = (rlim_t)n + FILES_BESIDE};
	struct rlimit now;
	if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max >= files.rlim_cur)
		files.rlim_max = now.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		bench_die("not that many files may be open", NULL);
	address->sun_family = AF_UNIX;
	if (snprintf(address->sun_path, sizeof address->sun_path, "%s", path) >= (int)sizeof address->sun_path)
		bench_die("the socket's path is too long", NULL);
	load->n = n;
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->connections = calloc((size_t)n, sizeof *load->connections);
	if (load->epoll < 0 || !load->connections)
		bench_die("no memory", NULL);
	for (int i = 0; i < n; i++)
		load->connections[i] = (struct bench_connection){.load = load, .fd = -1, .index = i};
}

void
bench_load_close(struct bench_load *load)
{
	for (int i = 0; i < load->n; i++)
		if (load->connections[i].fd >= 0)
			(void)close(load->connections[i].fd);
	(void)close(load->epoll);
	free(load->connections);
}

void
bench_send(struct bench_connection *connection, const char *method, const char *target, const char *body)
{
	char request[BENCH_REQUEST_BYTES];
	const int length = snprintf(request, sizeof request,
			"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			method, target, strlen(body), body);
	if (length >= (int)sizeof request)
		bench_die("the request is too long", NULL);
	if (connection->fd < 0)
		connect_now(connection);
	connection->length = 0;
	connection->body = NULL;
	if (send(connection->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
		bench_die("cannot send", NULL);
}

/* Reads what has come; true once the answer is whole. */
static int
take_answer(struct bench_connection *connection)
{
	char rest[BENCH_ANSWER_BYTES];
	const int room = BENCH_ANSWER_BYTES - 1 - connection->length;
	const ssize_t n = recv(connection->fd, room > 0 ? connection->answer + connection->length : rest,
			room > 0 ? (size_t)room : sizeof rest, 0);
	if (n <= 0)
		bench_die("the server has hung up", NULL);
	if (room > 0)
		connection->length += (int)n;
	connection->answer[connection->length] = '\0';
	if (connection->body) {
		connection->to_come -= (int)n;
		return connection->to_come <= 0;
	}
	char *end = strstr(connection->answer, "\r\n\r\n");
	if (!end)
		return 0;
	const char *content = strcasestr(connection->answer, "\r\nContent-Length: ");
	connection->code = (int)strtol(connection->answer + 9, NULL, 10);
	connection->body = end + 4;
	const int body_length = content && content < end ? (int)strtol(content + 18, NULL, 10) : 0;
	connection->to_come = body_length - (connection->length - (int)(connection->body - connection->answer));
	return connection->to_come <= 0;
}

struct bench_connection *
bench_wait(struct bench_load *load, int timeout_ms)
{
	for (;;) {
		while (pending.next < pending.n) {
			struct bench_connection *connection = pending.events[pending.next++].data.ptr;
			if (take_answer(connection))
				return connection;
		}
		pending.next = 0;
		pending.n = epoll_wait(load->epoll, pending.events, N_EVENTS, timeout_ms);
		if (pending.n == 0)
			return NULL;
		if (pending.n < 0 && errno != EINTR)
			bench_die("cannot wait", NULL);
	}
}

const char *
bench_ask(struct bench_load *load, struct bench_connection *connection, int code, const char *method,
		const char *target, const char *body)
{
	bench_send(connection, method, target, body);
	if (bench_wait(load, -1) != connection || connection->code != code) {
		(void)fprintf(stderr, "%s %s: ", method, target);
		bench_die(connection->answer, NULL);
	}
	return connection->body;
}

double
bench_rss_mib(int pid, double *peak_mib)
{
	char line[256];
	double now_mib = 0;
	(void)snprintf(line, sizeof line, "/proc/%d/status", pid);
	FILE *file = fopen(line, "re");
	if (!file)
		bench_die("there is no such process", NULL);
	while (fgets(line, sizeof line, file)) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			now_mib = (double)strtol(line + 6, NULL, 10) / 1024;
		else if (strncmp(line, "VmHWM:", 6) == 0)
			*peak_mib = (double)strtol(line + 6, NULL, 10) / 1024;
	}
	(void)fclose(file);
	return now_mib;
}
