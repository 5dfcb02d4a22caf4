/*
 * Who sets the GPU's clock, and what it was asked for last. Requests are made at once and answered later; while one is
 * under way the newest wish waits. What fails is tried again after a while, and until then the clock is let go, as far
 * as that can be done.
 */
#ifndef PERSEUS_CLIENT_CONTROL_H
#define PERSEUS_CLIENT_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "client/curl.h"
#include "client/latency.h"
#include "client/speaker.h"
#include "client/timeline.h"

#include <perseus/client.h>
#include <perseus/device.h>

enum perseus__control_errand {
	PERSEUS__ERRAND_NONE,
	PERSEUS__ERRAND_PROBE, /* whether the agent is there */
	PERSEUS__ERRAND_SET,   /* or reset */
};

struct perseus__control {
	enum perseus_control mode;       /* AUTO: not known yet */
	bool is_chosen;                  /* the mode is what it will stay */
	const struct perseus_node *node; /* borrowed; NULL: no GPU is seen */
	int32_t device;
	int32_t gpu;                        /* as the agent numbers it */
	struct perseus__timeline *timeline; /* borrowed */
	struct perseus__speaker *speaker;   /* borrowed */
	struct perseus__latency latency;
	struct perseus__call call; /* to the agent */
	enum perseus__control_errand errand;
	int32_t errand_mhz;
	int32_t wanted_mhz; /* 0: free */
	int32_t asked_mhz;  /* what the last request wanted; -1: it failed, nobody knows */
	bool lets_go_first; /* a clock was refused: the one before it is let go */
	bool is_down;       /* told once */
	int64_t sent_ns;    /* the last request */
	int64_t retry_ns;   /* nothing is asked for until then */
	int64_t backoff_ns;
	int64_t n_set;
	int64_t n_refused;
};

/*
 * `wanted`: as in the settings; AUTO and AGENT take the agent's socket. Errors: NO_MEMORY, UNSUPPORTED. Nothing is
 * asked until perseus__control_run. Free with perseus__control_fini.
 */
struct perseus__control_settings {
	enum perseus_control wanted;
	const struct perseus_node *node;
	int32_t device;
	int32_t gpu;
	const char *agent_socket;
	struct perseus__curl *link;
	struct perseus__timeline *timeline;
	struct perseus__speaker *speaker;
};
PERSEUS_MUST_USE enum perseus_status perseus__control_init(
		struct perseus__control *control, const struct perseus__control_settings *settings, struct perseus_error *err);
void perseus__control_fini(struct perseus__control *control);

/* Somebody sets clocks. */
bool perseus__control_can_set(const struct perseus__control *control);

/* Clocks are as asked for, or will be once the answer comes. */
bool perseus__control_is_up(const struct perseus__control *control);

/* Wants a clock, 0: let it go. Asked for now, where that can be. */
void perseus__control_want(struct perseus__control *control, int64_t now_ns, int32_t mhz);

/*
 * Asks for the clock again where that was long ago: an agent that has been restarted meanwhile has let it go. Now and
 * then, when no time is lost by it.
 */
void perseus__control_renew(struct perseus__control *control, int64_t now_ns);

/* Answers, retries, and readings of the clock while its latency is measured. True where one was measured. */
bool perseus__control_run(struct perseus__control *control, int64_t now_ns);

int64_t perseus__control_due_ns(const struct perseus__control *control);

/* At the end: lets the clock go at once, whatever failed before. */
void perseus__control_release(struct perseus__control *control, int64_t now_ns);

/* There is nothing left to wait for: the clock is free, or that cannot be had now. */
bool perseus__control_is_released(const struct perseus__control *control, int64_t now_ns);

#endif
