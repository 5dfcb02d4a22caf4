/*
 * Follows the order: which instruction of the step is running, from the events of training. Pure.
 *
 * A step is followed while what begins is what the order has next. At the first difference it is broken until it ends.
 * What breaks it is looked at: an order seen in several steps alike is a new one.
 */
#ifndef PERSEUS_CLIENT_FOLLOW_H
#define PERSEUS_CLIENT_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "client/order.h"
#include "client/ring.h"

/* So many steps alike make a new order. */
enum { PERSEUS__ALIKE_STEPS = 3 };

enum perseus__followed_what {
	PERSEUS__FOLLOWED_NOTHING, /* within an instruction, or outside of any step */
	PERSEUS__FOLLOWED_STEP_BEGIN,
	PERSEUS__FOLLOWED_BEGIN,
	PERSEUS__FOLLOWED_END,
	PERSEUS__FOLLOWED_STEP_END,
};

/* What an event was. */
struct perseus__followed {
	enum perseus__followed_what what;
	int64_t at_ns;
	int64_t begin_ns; /* END: when the instruction began; STEP_END: when the step did */
	int32_t position; /* BEGIN, END: in the order; -1: the step is broken, or there is no order */
	int32_t stage;    /* BEGIN, END */
	enum perseus_kind kind;
	bool breaks;     /* the step was followed until this event */
	bool is_matched; /* STEP_END: all of the order ran, and nothing else */
	bool is_empty;   /* STEP_END: no instruction was told */
};

enum perseus__mismatch_why {
	PERSEUS__MISMATCH_ORDER,
	PERSEUS__MISMATCH_LOSS,   /* events were dropped: nothing is known of the order */
	PERSEUS__MISMATCH_NESTED, /* an instruction began within another */
};

/* What differed first in the last broken step. */
struct perseus__mismatch {
	enum perseus__mismatch_why why;
	int32_t position;
	bool has_wanted; /* the order was not over */
	bool has_seen;   /* the step was not over */
	struct perseus_instruction wanted;
	struct perseus_instruction seen;
};

struct perseus__follow {
	struct perseus__order order; /* n 0: not known yet */
	/* The step under way. */
	int64_t n_begun; /* steps begun before it, since the client was opened; -1: none was */
	bool is_in_step;
	bool is_broken;
	bool is_unreliable; /* what was seen of it is not its order */
	bool is_running;    /* an instruction */
	bool has_half;      /* of the pair at `position`, the first has ended */
	int32_t position;
	struct perseus_instruction running; /* one part, as it was told */
	int64_t running_ns;                 /* when it, or the pair that it belongs to, began */
	int64_t step_ns;
	struct perseus__order seen;
	/* Steps of another order. */
	struct perseus__order other;
	int32_t n_alike;
	bool has_new_order; /* `other` is one to be taken */
	struct perseus__mismatch mismatch;
};

/* Zero but for n_begun, which is -1. */
struct perseus__follow perseus__follow_init(void);
void perseus__follow_fini(struct perseus__follow *follow);

/*
 * The next event. A step that cannot be kept for want of memory is a broken one. O(order) at the end of a broken step,
 * and where a microbatch is to be counted; else O(1).
 */
struct perseus__followed perseus__follow_take(struct perseus__follow *follow, const struct perseus__event *event);

/* `other` becomes the order; between two steps. */
void perseus__follow_adopt(struct perseus__follow *follow);

#endif
