/*
 * Training that is computed, not run: the ranks of a pipeline-parallel job that register, poll, follow their programs
 * and report, as the client does, with times and powers that are known. Time is a number; a step takes none.
 */
#ifndef PERSEUS_TESTS_SIM_RANKS_H
#define PERSEUS_TESTS_SIM_RANKS_H

#include "server/jobs.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include <perseus/schedule.h>

enum { SIM_MAX_STAGES = 8, SIM_MAX_CLOCKS = 64 };

/* What was replied to a call. */
struct sim_reply {
	struct perseus__call call;
	volatile bool is_there;
	int code;
	char *body; /* NULL: none; owned */
};

struct sim_program {
	int64_t revision; /* -1: none */
	int64_t from_step;
	char phase[16];
	int32_t n_segments;
	int32_t *n_steps; /* 0: until further notice */
	int32_t *mhz;     /* n_segments · instructions of the rank */
};

struct sim_rank {
	int32_t dp, pp;
	bool is_dead;
	struct sim_reply poll;
	bool has_poll;
	struct sim_program now, next; /* in force; known, and not begun */
	/* Energy counter: since its last move. */
	double window_s, window_j;
	json_t *busy, *windows;
};

struct sim_training {
	struct perseus__jobs *jobs;
	char job[32];
	struct perseus__now now;
	int32_t dp, pp, n_microbatches;
	int32_t n_clocks;
	int32_t clocks_mhz[SIM_MAX_CLOCKS];
	const char *control;
	const struct perseus_schedule *schedule;
	struct sim_rank *ranks; /* rank = dp · pp_degree + pp */
	int64_t step;           /* the next */
	double slow[16];        /* per pipeline: how much slower its instructions run */
	double drift;           /* likewise, all */
	double noise;           /* relative, of times */
	double transfer_s, overhead_s, blocking_w;
	uint64_t random;
	/* Of the last step. */
	double iteration_s, energy_j;
	double span_s[16];
};

/* The true time (s) and energy (J) of an instruction of a class at a clock. */
double sim_time_s(const struct sim_training *training, int32_t stage, bool is_backward, int32_t mhz);
double sim_energy_j(const struct sim_training *training, int32_t stage, bool is_backward, int32_t mhz);

void sim_training_init(struct sim_training *training, struct perseus__jobs *jobs, int32_t dp, int32_t pp,
		int32_t n_microbatches, int32_t n_clocks);
void sim_training_fini(struct sim_training *training);

/* Registers the job, with `extra` members of its JSON ("" or ",\"key\":\"x\""), and all ranks, and polls for each. */
void sim_training_register(struct sim_training *training, const char *extra);
void sim_training_register_rank(struct sim_training *training, int32_t rank);

/* Every rank that is alive takes what it was told and polls again, until nothing comes any more. */
void sim_training_listen(struct sim_training *training);

/* One step of all ranks that are alive, reported. */
void sim_training_step(struct sim_training *training);

/* The server is another: every poll is made anew. */
void sim_training_reconnect(struct sim_training *training, struct perseus__jobs *jobs);

/* Asks and waits for the answer. Free with json_decref; NULL for an empty body. */
json_t *sim_post(struct sim_training *training,
		void (*ask)(struct perseus__jobs *, struct perseus__call *, const char *, const struct perseus__message *),
		const char *body, int code);
json_t *sim_view(struct sim_training *training, enum perseus__job_view view, int code);

/* Makes a call ready; after perseus__jobs_settle its reply is there. */
void sim_reply_init(struct sim_reply *reply);
void sim_reply_fini(struct sim_reply *reply);

/* "phase" of the job. */
void sim_require_phase(struct sim_training *training, const char *phase);

#endif
