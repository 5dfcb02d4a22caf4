/*
 * What a training process does to be part of a job: it tells when each instruction of its pipeline begins and ends.
 *
 * Part of libperseus-client, which needs libcurl and jansson. A client has one thread of its own: it follows the order
 * of instructions, has the clock set that the job server's plan wants for the next one, and reports times and energies.
 * Training never waits for it. Whatever fails (server, agent, driver, an order that is not the one known) leaves
 * training as it is, with clocks let go; it comes back by itself. Nothing here prints, exits or reads the environment.
 * docs/client.md has the rest.
 */
#ifndef PERSEUS_CLIENT_H
#define PERSEUS_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/schedule.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct perseus_client;

/* X(name, text): who sets the clocks. */
#define PERSEUS_CONTROL_MAP(X)                                                          \
	X(AUTO, "auto")       /* the agent if it answers, else device, else dry-run */      \
	X(AGENT, "agent")     /* the node's agent, over its socket */                       \
	X(DEVICE, "device")   /* this process: root, CAP_SYS_ADMIN, or a simulated GPU */   \
	X(DRY_RUN, "dry-run") /* nobody: times and energies are reported, nothing is set */ \
	X(NONE, "none")       /* nobody, and no GPU is looked at: times alone */

enum perseus_control {
#define X(name, text) PERSEUS_CONTROL_##name,
	PERSEUS_CONTROL_MAP(X)
#undef X
};

/* Text of a control, e.g. "dry-run"; and the control of a text, false where there is none. */
PERSEUS_API const char *perseus_control_name(enum perseus_control control);
PERSEUS_API bool perseus_control_find(const char *name, enum perseus_control *control);

/* All texts are copied. Members that are 0 or NULL mean what their comments say. */
struct perseus_client_settings {
	const char *server_url; /* "http://host:7787"; NULL: no server, nothing is planned */
	const char *token;      /* bearer token; NULL: none */

	/* The job; the same on all of its ranks. */
	const char *job_name;
	const char *job_key; /* ranks with one key are one job; may be NULL where the job has one rank */
	int32_t n_dp;        /* degrees; 0 counts as 1. The job has n_dp * n_pp * n_tp * n_cp ranks */
	int32_t n_pp;
	int32_t n_tp;
	int32_t n_cp;
	int32_t n_ep;
	const char *const *fingerprint_keys;   /* length n_fingerprint: what tells this job's profile from another's */
	const char *const *fingerprint_values; /* length n_fingerprint, e.g. "model" "gpt-1.3b" */
	int32_t n_fingerprint;
	const char *target;          /* "time", "slowdown", "energy" or "power"; NULL: the server's, "time" */
	double target_slowdown;      /* "slowdown": 1.05 allows 5 % */
	double target_power_w;       /* "power" */
	int32_t max_profiling_steps; /* 0: the server's */
	double blocking_power_w;     /* 0: estimated while profiling */
	const char *granularity;     /* of plans, as on the command line; NULL: the server's */

	/* This rank. */
	int32_t rank;
	int32_t dp; /* coordinates, each below its degree */
	int32_t pp;
	int32_t tp;
	int32_t cp;
	int32_t ep;
	const char *const *order; /* length n_order: a step's instructions as perseus_instruction_text has them */
	int32_t n_order;          /* 0: taken from the first step that has instructions */
	int64_t first_step;       /* number of the step that begins first, where a job is resumed */

	/* Its GPU. */
	const char *devices;      /* as perseus_node_open; NULL: "nvml" */
	const char *visible_gpus; /* CUDA_VISIBLE_DEVICES; NULL: all */
	int32_t gpu;              /* among those visible, from 0 */
	enum perseus_control control;
	const char *agent_socket; /* NULL: /run/perseus/agent.sock */
	/*
	 * Instructions run on a CUDA stream and are only put in line by the caller: begin and end record events, and the
	 * times are the GPU's.
	 */
	bool has_cuda;

	/* A line for people, without a newline, whenever something changes that they should know. NULL: nothing is told. */
	void (*log)(void *user, const char *line); /* called by the client's thread */
	void *user;
};

/* All 0 and NULL but the degrees, which are 1. */
PERSEUS_API struct perseus_client_settings perseus_client_settings_default(void);

/*
 * Opens a client and starts its thread. Does not wait for server or agent: what cannot be reached is tried again. A GPU
 * that is not there is told in the log, and the client goes on without. Free with perseus_client_close.
 * Errors: INVALID for settings that make no sense, with the name of the member; NO_MEMORY; IO where no thread can be
 * had.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_client_open(
		const struct perseus_client_settings *settings, struct perseus_client **out, struct perseus_error *err);

/*
 * The five that are called while training. They never fail, wait, allocate or call the system (with has_cuda: but for
 * the two events); NULL is fine. One thread at a time calls them: the one that runs the pipeline, or several that take
 * turns. In a forked child they do nothing.
 *
 * A step is one run of the schedule. `stage` and `microbatch` are as in the order; a microbatch of -1 is counted: the
 * n-th of its kind and stage in the step. An overlapped pair is begun and ended as one (OVERLAP, with stage and
 * microbatch of its first half), or as its two halves in order. What is not told (evaluation, steps of other schedules)
 * is not looked at.
 */
PERSEUS_API void perseus_client_step_begin(struct perseus_client *client);
PERSEUS_API void perseus_client_begin(
		struct perseus_client *client, enum perseus_kind kind, int32_t stage, int32_t microbatch);
PERSEUS_API void perseus_client_end(struct perseus_client *client);
PERSEUS_API void perseus_client_step_end(struct perseus_client *client);

/* With has_cuda: events are recorded on this stream from now on (CUstream or cudaStream_t; NULL: the default one). */
PERSEUS_API void perseus_client_set_stream(struct perseus_client *client, void *stream);

enum { PERSEUS_CLIENT_TEXT_BYTES = 256 };

/* What a client is doing. */
struct perseus_client_info {
	enum perseus_control control;          /* AUTO while it is not known yet */
	bool is_registered;                    /* the server knows this rank */
	bool is_following;                     /* instructions come in the order known */
	int64_t revision;                      /* the program that is run; -1: none */
	char phase[PERSEUS_CLIENT_TEXT_BYTES]; /* "profile", "plan", "free"; "" without a program */
	char job[PERSEUS_CLIENT_TEXT_BYTES];   /* the server's id; "" where it is not registered */
	int64_t n_steps;                       /* begun */
	int64_t n_followed;                    /* steps whose order matched, run as planned */
	int64_t n_acknowledged;                /* steps that the server has kept */
	int64_t n_unsent;                      /* steps that wait to be reported */
	int64_t n_dropped;                     /* events that found the queue full */
	int64_t n_lost;                        /* reports given up, as the server was gone too long */
	int64_t n_clocks_set;                  /* clocks that were set, or would have been in a dry run */
	int64_t n_clocks_skipped;              /* instructions whose clock was that of the one before */
	int64_t n_clocks_refused;
	int32_t frequency_mhz;                   /* the clock asked for last; 0: free */
	double switch_latency_s;                 /* measured; 0: not yet */
	char message[PERSEUS_CLIENT_TEXT_BYTES]; /* the last line of the log; "" for none */
};

/* Any thread. */
PERSEUS_API void perseus_client_info(struct perseus_client *client, struct perseus_client_info *info);

/*
 * Lets the clocks go, sends the reports that are left, and frees the client, in some three seconds at most. No other
 * call may be under way. NULL is fine, and so is a call from atexit. In a forked child it frees nothing: the client is
 * its parent's.
 */
PERSEUS_API void perseus_client_close(struct perseus_client *client);

#ifdef __cplusplus
}
#endif

#endif
