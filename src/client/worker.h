/*
 * What the client's thread does: takes events off the queue, follows the order, has clocks set, watches the energy
 * counter, and talks to server and agent. All of it belongs to that thread but the queue's other end, the CUDA events'
 * and what perseus_client_info asks for.
 */
#ifndef PERSEUS_CLIENT_WORKER_H
#define PERSEUS_CLIENT_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/control.h"
#include "client/cuda.h"
#include "client/energy.h"
#include "client/follow.h"
#include "client/ring.h"
#include "client/session.h"
#include "client/speaker.h"
#include "client/timeline.h"

#include <perseus/client.h>

/* The energy up to a moment, once the counter has moved after it. */
struct perseus__energy_mark {
	int64_t at_ns;
	enum perseus__energy_knowledge knowledge;
	double energy_j;
	int64_t era;
};

/* A step under way, or over and waiting for the energy at its end. */
struct perseus__step {
	struct perseus__step_report report;
	struct perseus__energy_mark begin;
	struct perseus__energy_mark end;
	int64_t first_ns; /* the first instruction's begin; -1: there was none */
	int64_t last_ns;  /* the last one's end */
	bool is_untimed;  /* times of some instructions are not the GPU's */
	bool is_as_planned;
};

/* Steps whose energy is not known yet; where there are more, the oldest goes without. */
enum { PERSEUS__STEPS_WAITING = 64 };

/* How long instructions of a class took at a clock of late. */
struct perseus__pace {
	int32_t stage;
	enum perseus_kind kind;
	int32_t frequency_mhz;
	double time_ns;
};
enum { PERSEUS__PACES = 512 };

struct perseus__worker {
	/* Given. */
	struct perseus_client_settings settings; /* texts owned */
	struct perseus__ring *ring;
	struct perseus__cuda *cuda; /* NULL: times are the caller's */
	int wake;                   /* descriptor that is readable when the thread is to stop */
	atomic_bool must_stop;
	/* Parts. */
	struct perseus_node *node; /* the one GPU; NULL: none is seen */
	int32_t gpu;               /* its number */
	struct perseus__speaker speaker;
	struct perseus__curl *link;
	struct perseus__session session;
	bool has_session;
	struct perseus__control control;
	struct perseus__timeline timeline;
	struct perseus__energy energy;
	struct perseus__follow follow;
	int32_t clocks_mhz[PERSEUS_MAX_CLOCKS];
	int32_t n_clocks;
	/* Where training is. */
	bool is_enrolled; /* the server was told of this order */
	bool is_off;      /* a step did not match: no clocks until one has */
	int64_t step;     /* the last one begun; -1: none */
	struct perseus__step now;
	bool has_step;         /* `now` is a step that began */
	int64_t first_step_ns; /* when the first step since the client was opened began; 0: none has */
	struct perseus__step waiting[PERSEUS__STEPS_WAITING];
	int32_t n_waiting;
	bool has_clocks;      /* the program that the step began with sets them */
	int32_t *step_clocks; /* length of the order, where has_clocks; a copy, as programs come and go; owned */
	size_t cap_clocks;
	bool is_profiling;
	int64_t event_ns; /* the last event was taken */
	int64_t ended_ns; /* the last step's end; 0: a step is under way */
	double gap_ns;    /* from a step's end to the next one's begin, evened out */
	bool has_running;
	struct perseus__span running; /* the instruction under way */
	int32_t running_mhz;
	struct perseus__pace paces[PERSEUS__PACES];
	int32_t n_paces;
	int64_t early_ns; /* when `early_mhz` is to be asked for, before the instruction ends; INT64_MAX: not */
	int32_t early_mhz;
	int64_t expected_ns; /* when the instruction under way ends, where a clock waits for that; 0: not known */
	bool is_awaited;     /* a clock changes at the next event */
	/* Counted. */
	int64_t n_steps;
	int64_t n_followed;
	int64_t n_skipped;
	int64_t revision; /* that is run; -1: none */
	char phase[PERSEUS__PHASE_BYTES];
	/* For perseus_client_info. */
	pthread_mutex_t mutex;
	struct perseus_client_info info;
};

/* The thread: returns when it is told to stop, clocks are free and reports are sent, or that cannot be had. */
void perseus__worker_run(struct perseus__worker *worker);

/* Takes what events there are; in worker_events.c. */
void perseus__worker_take_events(struct perseus__worker *worker, int64_t now_ns);

/* What is due without an event: a clock that is asked for early, a pause; in worker_events.c. */
void perseus__worker_tick(struct perseus__worker *worker, int64_t now_ns);

/* The counter was read and has moved: windows and the energies of steps; in worker_energy.c. */
void perseus__worker_take_energy(struct perseus__worker *worker);

/* A step is over at `end_ns`: it is reported once its energy is known, or is not to be known; in worker_energy.c. */
void perseus__worker_end_step(struct perseus__worker *worker, int64_t end_ns);

/* Reports steps whose energy is known or will not be; all, where `is_last`. */
void perseus__worker_settle(struct perseus__worker *worker, int64_t now_ns, bool is_last);

#endif
