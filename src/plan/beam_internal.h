/*
 * What a beam search works on, made ready once and then only searched.
 */
#ifndef PERSEUS_PLAN_BEAM_INTERNAL_H
#define PERSEUS_PLAN_BEAM_INTERNAL_H

#include <stdint.h>

#include "dag/dag.h"
#include "plan/beam.h"

/* A dependency of the instruction at hand. */
struct perseus__before {
	int32_t slot; /* where the end of what comes before is kept */
	int64_t lag_ns;
	int64_t flow;
};

/* A partial plan. */
struct perseus__partial {
	int64_t loss;
	int64_t earliness;
	uint64_t state; /* hash of the ends that are still needed */
	int64_t end_ns; /* of the instruction decided last */
	int32_t parent; /* in the generation before */
	int32_t point;
	int32_t trace; /* where its history is */
};

/* What a partial plan is judged by. */
struct perseus__rank {
	int64_t key;      /* loss and a share of earliness */
	int32_t sequence; /* when it was found: breaks ties the same way everywhere */
	int32_t partial;  /* index into the generation */
};

/* What a partial plan decided, and the trace of what it decided before. */
struct perseus__trace {
	int32_t previous;
	int32_t point;
};

/* What was offered, to tell where another adds nothing. */
struct perseus__seen {
	uint64_t state;
	int64_t loss;
};

struct perseus__beam {
	const struct perseus__workload *workload;
	const struct perseus_certificate *certificate;
	const struct perseus__beam_guide *guide;
	struct perseus__dag dag;   /* as time runs in the search; borrowed but for reversed_order */
	const int64_t *start_flow; /* length n: into the instruction from where time begins */
	const int64_t *end_flow;   /* length n: to where it ends */
	int32_t *reversed_order;   /* length n; NULL where time runs forward */
	int32_t width;
	int32_t n_seen;
	int32_t n_slots;
	int32_t *order;       /* length n */
	int32_t *slot;        /* length n: where the end of an instruction is kept while it is needed */
	int32_t *last_use;    /* length n: position in the order */
	int32_t *first_freed; /* length n: by position, an instruction whose end is needed no more after it, or -1 */
	int32_t *next_freed;  /* length n: another one freed at the same position, or -1 */
	int32_t *free_slots;  /* length n: scratch */
	int64_t *tail_ns;     /* length n: after the end of the instruction, at the fastest */
	int64_t *fastest_ns;  /* length n */
	struct perseus__partial *now;  /* length width */
	struct perseus__partial *next; /* length 2 * width */
	struct perseus__rank *ranks;   /* length 2 * width: of all of `next`, the first n_next in use */
	int64_t limit;                 /* what is offered must have a smaller key */
	int32_t n_now;
	int32_t n_next;
	int32_t n_offered;
	int flow_shift;                 /* flows, and so losses, are divided by 2^this to fit 64 bits */
	int64_t *flow;                  /* length n: price of the instruction's time */
	int64_t *flow_in;               /* length n: from where time begins and from all that comes before */
	int64_t *flow_out;              /* length n: to where time ends */
	struct perseus__before *before; /* length n_edges, as dag.predecessors */
	struct perseus__seen *seen; /* length n_seen: offers for the instruction at hand; newer ones drive out older ones */
	int64_t *ends_now_ns;       /* width rows of n_slots */
	int64_t *ends_next_ns;      /* width rows of n_slots */
	struct perseus__trace *traces; /* length n * width */
	int32_t n_traces;
};

/* Errors: NO_MEMORY; fini all the same. */
PERSEUS_MUST_USE enum perseus_status perseus__beam_init(struct perseus__beam *beam,
		const struct perseus__workload *workload, const struct perseus_certificate *certificate,
		const struct perseus__beam_guide *guide, struct perseus_error *err);

void perseus__beam_fini(struct perseus__beam *beam);

#endif
