/*
 * Many HTTP connections of one thread, for benchmarks of servers: each has at most one request under way. Whatever
 * fails ends the program.
 */
#ifndef PERSEUS_BENCH_HTTP_LOAD_H
#define PERSEUS_BENCH_HTTP_LOAD_H

#include <stdint.h>
#include <sys/un.h>

enum { BENCH_ANSWER_BYTES = 4096, BENCH_REQUEST_BYTES = 4096 };

struct bench_connection {
	struct bench_load *load;
	int fd; /* -1: not connected yet */
	int index;
	int code;    /* of the last answer */
	char *body;  /* of the last answer, in `answer`, NUL-terminated; a longer one is cut */
	int length;  /* of what has come of the answer */
	int to_come; /* bytes of the body beyond what `answer` has room for */
	void *user;
	char answer[BENCH_ANSWER_BYTES];
};

struct bench_load {
	struct sockaddr_un address;
	int epoll;
	int n;
	struct bench_connection *connections; /* length n */
};

int64_t bench_now_ns(void);

/* Room for `n` connections to the Unix socket `path`; each is opened when it is first used. */
void bench_load_open(struct bench_load *load, int n, const char *path);
void bench_load_close(struct bench_load *load);

/* Sends "METHOD target" with a body, "" for none. */
void bench_send(struct bench_connection *connection, const char *method, const char *target, const char *body);

/* Waits until an answer is whole, at most `timeout_ms` (-1: for ever); NULL where none was. */
struct bench_connection *bench_wait(struct bench_load *load, int timeout_ms);

/* Sends on one connection and waits for its answer while no other has a request under way; dies unless it is `code`. */
const char *bench_ask(struct bench_load *load, struct bench_connection *connection, int code, const char *method,
		const char *target, const char *body);

/* Resident memory of a process, in MiB: now, and at most so far. */
double bench_rss_mib(int pid, double *peak_mib);

#endif
