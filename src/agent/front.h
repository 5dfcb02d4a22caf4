/*
 * The unprivileged half of the agent: routes, access, reads of devices, streams. Writes go to the executor by the link.
 *
 * A front is made before its sockets; what it holds does not change while it serves, but for what is atomic or has a
 * lock of its own.
 */
#ifndef PERSEUS_AGENT_FRONT_H
#define PERSEUS_AGENT_FRONT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "agent/call.h"
#include "agent/counters.h"
#include "agent/group.h"
#include "agent/link.h"
#include "service/application.h"
#include "service/jwt.h"
#include "service/rate.h"
#include "service/tasks.h"

#include <perseus/device.h>

/* Who may write which GPUs over the Unix socket. */
struct perseus__allow {
	bool is_gid; /* `id` is a group's, of the peer's own or supplementary ones; else a user's */
	uint32_t id;
	int32_t n_gpus;                     /* 0: all */
	int32_t gpu_ids[PERSEUS__MAX_GPUS]; /* as users number them */
};

struct perseus__front_settings {
	uint32_t groups;                    /* set of those that are switched on */
	struct perseus__signing_key key;    /* of length 0: no tokens; borrowed */
	const struct perseus__allow *allow; /* none: everybody who can open the socket; borrowed */
	int32_t n_allow;
	int32_t writes_per_s; /* of one identity; 0: any number */
	int32_t gpu_poll_hz;  /* of streams */
	int32_t cpu_poll_hz;
	bool is_snapshot; /* events hold all devices, as up to zeusd 0.4 */
};

struct perseus__gpu {
	int32_t id;       /* as users number it */
	int32_t device;   /* of the node */
	bool has_counter; /* of energy */
};

struct perseus__cpu {
	int32_t id;
	int32_t device;      /* the package, -1: none */
	int32_t dram_device; /* -1: none */
};

struct perseus__front {
	struct perseus__front_settings settings;
	const struct perseus_node *node; /* borrowed */
	struct perseus__link *link;      /* borrowed; NULL: nothing can be written */
	struct perseus__gpu gpus[PERSEUS__MAX_GPUS];
	int32_t n_gpus;
	struct perseus__cpu cpus[PERSEUS__MAX_CPUS];
	int32_t n_cpus;
	struct perseus__tasks *tasks;
	struct perseus__streams *streams;
	struct perseus__rate *rate;
	struct perseus__counters counters;
	atomic_int_fast64_t answered_ping_ns; /* when the executor last answered a ping; 0: never */
};

/*
 * Sorts the devices of `node` by their ids. `node`, `link` and what `settings` points to are borrowed until the front
 * is freed. Errors: INVALID where two GPUs have one id, there are too many, or an allow rule names one that is not
 * there; NO_MEMORY; IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__front_new(const struct perseus_node *node, struct perseus__link *link,
		const struct perseus__front_settings *settings, struct perseus__front **out, struct perseus_error *err);

/* Ends tasks and streams: what still waits is answered with 503 first. */
void perseus__front_stop(struct perseus__front *front);

/* After perseus__front_stop, and after the link and all exchanges are gone. */
void perseus__front_free(struct perseus__front *front);

/* What a server is to serve; borrows the front. */
struct perseus__application perseus__front_application(struct perseus__front *front);

/* Finds the route of a request whose head is there. */
void perseus__front_begin(struct perseus__front *front, struct perseus__exchange *exchange);

/*
 * Answers a request whose route was found (or not): checks access and parameters, and calls the handler. The exchange's
 * `finish` is called now or later.
 */
void perseus__front_handle(struct perseus__front *front, struct perseus__exchange *exchange);

/* Asks the executor whether it is there. Called every second. */
void perseus__front_ping(struct perseus__front *front);

/* Whether the executor answered lately; always where there is none. */
bool perseus__front_is_healthy(const struct perseus__front *front);

/* The position of the GPU or CPU with that id; -1: there is none. */
int32_t perseus__front_find_gpu(const struct perseus__front *front, int32_t id);
int32_t perseus__front_find_cpu(const struct perseus__front *front, int32_t id);

#endif
