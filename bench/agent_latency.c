/*
 * How long a client waits for a clock to be set: requests to a running agent over its Unix socket, from sending the
 * first byte to reading the last.
 *
 *   bench_agent_latency SOCKET CLIENTS REQUESTS PERIOD_US ROUNDS
 *
 * CLIENTS connections, each of which sends a request every PERIOD_US microseconds, or as soon as it has its answer
 * where that is 0, until all have sent REQUESTS together. That ROUNDS times; each figure is the median of those of the
 * rounds, so that a moment in which the machine does something else does not count. One thread: it waits for all
 * clients at once, and its own work is part of what it measures.
 */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CLIENTS = 1024, MAX_REQUESTS = 10000000, N_GPUS = 4, REQUEST_BYTES = 256, N_WARM_UP = 200 };

struct bench_client {
	int fd;
	int gpu;
	int64_t sent_ns; /* 0: no request is under way */
	int64_t due_ns;  /* of the next request */
	size_t length;
	char answer[1024];
};

struct bench {
	int epoll;
	int timer;
	int n_clients;
	struct bench_client *clients;
	int64_t period_ns;
	int n_requests; /* to send */
	int n_sent;
	int n_answered;
	double *times_us;
};

static int64_t
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void
connect_client(struct bench *bench, int i, const char *path)
{
	struct bench_client *client = &bench->clients[i];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (snprintf(address.sun_path, sizeof address.sun_path, "%s", path) >= (int)sizeof address.sun_path)
		bench_die("the socket's path is too long", NULL);
	client->gpu = i % N_GPUS;
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)&address, sizeof address) != 0
			|| fcntl(client->fd, F_SETFL, O_NONBLOCK) != 0)
		bench_die("cannot connect", NULL);
	struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
	if (epoll_ctl(bench->epoll, EPOLL_CTL_ADD, client->fd, &event) != 0)
		bench_die("cannot wait for a client", NULL);
}

/* Another clock each time, as a training process sets. */
static void
send_request(struct bench *bench, struct bench_client *client)
{
	char request[REQUEST_BYTES];
	const int mhz = 855 + 15 * (bench->n_sent % 30);
	const int length = snprintf(request, sizeof request,
			"POST /gpu/set_gpu_locked_clocks?gpu_ids=%d&min_clock_mhz=%d&max_clock_mhz=%d&block=true HTTP/1.1\r\n"
			"Host: localhost\r\nContent-Length: 0\r\n\r\n",
			client->gpu, mhz, mhz);
	client->length = 0;
	client->sent_ns = now_ns();
	client->due_ns += bench->period_ns;
	bench->n_sent++;
	if (send(client->fd, request, (size_t)length, MSG_NOSIGNAL) != length)
		bench_die("cannot send", NULL);
}

/* Reads what has come; true once the answer, which has no body, is whole. */
static int
take_answer(struct bench *bench, struct bench_client *client)
{
	const ssize_t n = recv(client->fd, client->answer + client->length, sizeof client->answer - client->length - 1, 0);
	if (n <= 0)
		bench_die("the agent has hung up", NULL);
	client->length += (size_t)n;
	client->answer[client->length] = '\0';
	if (!strstr(client->answer, "\r\n\r\n"))
		return 0;
	if (strncmp(client->answer, "HTTP/1.1 200", 12) != 0)
		bench_die(client->answer, NULL);
	bench->times_us[bench->n_answered++] = (double)(now_ns() - client->sent_ns) / 1e3;
	client->sent_ns = 0;
	return 1;
}

/* Sends what is due, and has the timer say when the next is. */
static void
send_due(struct bench *bench)
{
	int64_t next_ns = INT64_MAX;
	for (int i = 0; i < bench->n_clients; i++) {
		struct bench_client *client = &bench->clients[i];
		if (client->sent_ns == 0 && client->due_ns <= now_ns() && bench->n_sent < bench->n_requests)
			send_request(bench, client);
		if (client->sent_ns == 0 && client->due_ns < next_ns)
			next_ns = client->due_ns;
	}
	if (next_ns == INT64_MAX)
		return;
	const struct itimerspec at = {.it_value = {.tv_sec = next_ns / 1000000000, .tv_nsec = next_ns % 1000000000}};
	if (timerfd_settime(bench->timer, TFD_TIMER_ABSTIME, &at, NULL) != 0)
		bench_die("cannot set a timer", NULL);
}

/* Sends and awaits so many requests. */
static void
run(struct bench *bench, int n_requests)
{
	struct epoll_event events[64];
	bench->n_requests = n_requests;
	bench->n_sent = bench->n_answered = 0;
	/* Spread over the first period. */
	for (int i = 0; i < bench->n_clients; i++)
		bench->clients[i].due_ns = now_ns() + bench->period_ns * i / bench->n_clients;
	send_due(bench);
	while (bench->n_answered < bench->n_requests) {
		const int n = epoll_wait(bench->epoll, events, 64, -1);
		if (n < 0 && errno != EINTR)
			bench_die("cannot wait", NULL);
		int is_due = 0;
		for (int i = 0; i < n; i++) {
			if (events[i].data.u32 == UINT32_MAX) {
				is_due = 1;
				continue;
			}
			struct bench_client *client = &bench->clients[events[i].data.u32];
			if (take_answer(bench, client) && bench->n_sent < bench->n_requests) {
				if (bench->period_ns == 0)
					send_request(bench, client);
				else
					is_due = 1;
			}
		}
		if (is_due)
			send_due(bench);
	}
}

static int
ascending(const void *left, const void *right)
{
	const double a = *(const double *)left;
	const double b = *(const double *)right;
	return (a > b) - (a < b);
}

/* One round: how many a second, and quantiles of their times. */
static void
measure(struct bench *bench, int n, double *per_s, double *p50_us, double *p99_us)
{
	const int64_t begin_ns = now_ns();
	run(bench, n);
	*per_s = n / ((double)(now_ns() - begin_ns) / 1e9);
	qsort(bench->times_us, (size_t)n, sizeof *bench->times_us, ascending);
	*p50_us = bench->times_us[n / 2];
	*p99_us = bench->times_us[n - 1 - n / 100];
}

int
main(int argc, char **argv)
{
	if (argc != 6)
		bench_die("usage: bench_agent_latency SOCKET CLIENTS REQUESTS PERIOD_US ROUNDS", NULL);
	struct bench bench = {
		.epoll = epoll_create1(EPOLL_CLOEXEC),
		.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
		.n_clients = bench_integer(argv[2], "CLIENTS", 1, MAX_CLIENTS),
		.period_ns = (int64_t)bench_integer(argv[4], "PERIOD_US", 0, 1000000000) * 1000,
	};
	const int n_requests = bench_integer(argv[3], "REQUESTS", N_WARM_UP, MAX_REQUESTS);
	const int n_rounds = bench_integer(argv[5], "ROUNDS", 1, BENCH_MAX_RUNS);
	static double per_s[BENCH_MAX_RUNS], p50_us[BENCH_MAX_RUNS], p99_us[BENCH_MAX_RUNS];
	bench.clients = calloc((size_t)bench.n_clients, sizeof *bench.clients);
	bench.times_us = calloc((size_t)n_requests, sizeof *bench.times_us);
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = UINT32_MAX};
	if (!bench.clients || !bench.times_us || epoll_ctl(bench.epoll, EPOLL_CTL_ADD, bench.timer, &event) != 0)
		bench_die("cannot begin", NULL);
	for (int i = 0; i < bench.n_clients; i++)
		connect_client(&bench, i, argv[1]);
	run(&bench, N_WARM_UP);
	for (int round = 0; round < n_rounds; round++)
		measure(&bench, n_requests, &per_s[round], &p50_us[round], &p99_us[round]);
	printf("{\"what\": \"agent\", \"clients\": %d, \"period_us\": %lld, \"requests\": %d, \"runs\": %d, "
		   "\"per_s\": %.0f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
			bench.n_clients, (long long)(bench.period_ns / 1000), n_requests, n_rounds, bench_median(per_s, n_rounds),
			bench_median(p50_us, n_rounds), bench_median(p99_us, n_rounds));
	for (int i = 0; i < bench.n_clients; i++)
		(void)close(bench.clients[i].fd);
	free(bench.clients);
	free(bench.times_us);
	return EXIT_SUCCESS;
}
