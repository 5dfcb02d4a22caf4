/*
 * What is reported to the server: steps, and windows of the energy counter, kept until it has acknowledged them. A
 * batch that was sent stays as it is until then, byte for byte, so that the server can tell one that it has already.
 */
#ifndef PERSEUS_CLIENT_REPORT_H
#define PERSEUS_CLIENT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "client/timeline.h"

/* What waits is bounded: an hour of steps and windows, more or less. */
enum { PERSEUS__MAX_STEPS_KEPT = 10000, PERSEUS__MAX_WINDOWS_KEPT = 40000 };
/* In one batch. */
enum { PERSEUS__BATCH_STEPS = 500, PERSEUS__BATCH_WINDOWS = 2000 };

struct perseus__step_report {
	int64_t step;
	int64_t revision; /* whose clocks it ran at; -1: none's */
	int64_t time_ns;  /* from its begin to the next one's */
	int64_t span_ns;  /* from the first instruction's begin to the last one's end; -1: there was none */
	double energy_j;  /* NaN: not known */
	bool is_followed;
	struct perseus__class_times classes; /* of settled instructions */
};

struct perseus__window_report {
	int64_t time_ns;
	double energy_j;
	double error_j;
	int64_t unsettled_ns;
	struct perseus__class_times busy;
};

/* Zero is an empty one. */
struct perseus__reports {
	struct perseus__step_report *steps; /* owned, and what is within */
	size_t n_steps;
	size_t cap_steps;
	struct perseus__window_report *windows;
	size_t n_windows;
	size_t cap_windows;
	size_t n_steps_sent; /* of the first ones, those in the batch under way */
	size_t n_windows_sent;
	int64_t n_acknowledged; /* steps */
	int64_t n_lost;         /* steps and windows for which there was no room or no memory */
};

void perseus__reports_fini(struct perseus__reports *reports);

/* Take over what is within. Where too much waits, the oldest that is in no batch is lost. */
void perseus__reports_add_step(struct perseus__reports *reports, struct perseus__step_report *step);
void perseus__reports_add_window(struct perseus__reports *reports, struct perseus__window_report *window);

/* What a batch says beside them. */
struct perseus__report_state {
	int64_t switch_latency_ns; /* 0: not known */
	const char *control;       /* NULL: left out */
};

/* There is something to send. Windows wait for the step that they lie in. */
bool perseus__reports_is_due(const struct perseus__reports *reports);

/* Adds a batch of the oldest to `body`. */
void perseus__reports_write(
		struct perseus__reports *reports, const struct perseus__report_state *state, struct perseus__text *body);

/* The batch is kept: what is in it is forgotten. */
void perseus__reports_acknowledge(struct perseus__reports *reports);

/* The batch will never be taken: what is in it is lost. */
void perseus__reports_give_up(struct perseus__reports *reports);

#endif
