/*
 * This rank at the server: registers job and rank, waits for programs, posts reports. Everything is asked again until
 * it works; nothing is waited for.
 */
#ifndef PERSEUS_CLIENT_SESSION_H
#define PERSEUS_CLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "client/curl.h"
#include "client/program.h"
#include "client/report.h"
#include "client/session_json.h"
#include "client/speaker.h"

#include <perseus/client.h>

/* A server that has failed to answer for so long is gone: clocks are let go. */
#define PERSEUS__GRACE_NS INT64_C(5000000000)

enum { PERSEUS__JOB_BYTES = 128 };

enum perseus__session_state {
	PERSEUS__SESSION_JOB,  /* to be registered */
	PERSEUS__SESSION_RANK, /* to be registered, once its order is known */
	PERSEUS__SESSION_ACTIVE,
};

/* A request and when it may be made. */
struct perseus__line {
	struct perseus__call call;
	int64_t retry_ns;
	int64_t backoff_ns;
};

struct perseus__session {
	const struct perseus_client_settings *settings; /* borrowed */
	struct perseus__speaker *speaker;               /* borrowed */
	struct perseus__text base;                      /* URL of the server, without a slash at the end */
	enum perseus__session_state state;
	char job[PERSEUS__JOB_BYTES]; /* "": none */
	struct perseus__line entry;   /* job and rank */
	struct perseus__line plan;
	struct perseus__line steps;
	struct perseus__programs programs;
	char told_phase[PERSEUS__PHASE_BYTES]; /* the last one told in the log */
	struct perseus__reports reports;
	struct perseus__text rank; /* body that registers this rank; empty: not known yet */
	int32_t n_instructions;    /* of the order that was registered */
	int64_t failing_ns;        /* since then nothing has been answered; 0: the last was */
	bool is_gone;              /* for longer than the grace */
	bool has_complained;       /* of what the server does not take, once */
};

/* `settings` with a server_url. Errors: INVALID for a URL; NO_MEMORY. Free with perseus__session_fini. */
PERSEUS_MUST_USE enum perseus_status perseus__session_init(struct perseus__session *session,
		const struct perseus_client_settings *settings, struct perseus__curl *link, struct perseus__speaker *speaker,
		struct perseus_error *err);
void perseus__session_fini(struct perseus__session *session);

/* Registers this rank, or registers it anew: programs are forgotten. */
void perseus__session_enrol(struct perseus__session *session, const struct perseus__rank_facts *facts);

/* What the session does now. `step`: the last one begun, -1: none. */
void perseus__session_run(
		struct perseus__session *session, int64_t now_ns, int64_t step, const struct perseus__report_state *state);

int64_t perseus__session_due_ns(const struct perseus__session *session);

/* The server answers, or has not failed to for long. */
bool perseus__session_is_there(const struct perseus__session *session);

/* At the end: sends what is left at once, and nothing else. */
void perseus__session_flush(
		struct perseus__session *session, int64_t now_ns, const struct perseus__report_state *state);

/* Nothing is left to send, or nobody to send it to. */
bool perseus__session_is_flushed(const struct perseus__session *session);

#endif
