/*
 * Worker threads that make shapes and plans while training goes on.
 *
 * A request becomes a shape: profile, schedule, frontier, the plan at T_min, and then, while jobs run that already,
 * plans for other deadlines. A request with the same content gets the same shape, and is answered as soon as that has
 * its first plan. Shapes that nobody uses are kept up to a bound; those asked for least recently go first.
 *
 * Every function may be called from any thread, also with locks held: none waits for work in progress, but for
 * perseus__planner_free. Callbacks come from the planner's threads (or from _free), never from inside another function,
 * and with none of the planner's locks held; they may call anything here but _free.
 */
#ifndef PERSEUS_SERVER_PLANNER_H
#define PERSEUS_SERVER_PLANNER_H

#include <stdint.h>

#include "server/shape.h"

#include <perseus/plan.h>
#include <perseus/status.h>

struct perseus__planner;

struct perseus__planner_settings {
	int32_t n_threads;       /* 1..64 */
	int32_t n_deadlines;     /* of a shape's table, spread evenly from T_min to T*; 1..1024 */
	int32_t max_idle_shapes; /* kept although nobody uses them; >= 0 */
	int32_t max_waiting;     /* asked for and not answered yet; >= 1 */
};

/* 2 threads, 33 deadlines, 16 idle shapes, 1024 waiting. */
struct perseus__planner_settings perseus__planner_settings_default(void);

/* `settings` NULL: the defaults. Errors: INVALID, naming the setting; IO where no thread can be started; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__planner_new(
		const struct perseus__planner_settings *settings, struct perseus__planner **out, struct perseus_error *err);

/*
 * Stops all work soon, calls back with CANCELLED who still waits, and ends the threads. Shapes that others hold stay.
 * NULL is fine.
 */
void perseus__planner_free(struct perseus__planner *planner);

/*
 * The shape is there and has a plan for its t_min_ns (borrowed: take a reference to keep it), or could not be made
 * (`shape` NULL, `err` says why: what perseus_profile_new, _schedule_import, _frontier_new and _plan_new say, or
 * CANCELLED). Called once for every _ask that returned OK.
 */
typedef void perseus__planner_done(void *user, struct perseus__shape *shape, const struct perseus_error *err);

/*
 * Asks for a shape. `request` is copied. Errors, without a callback: BUSY with too many waiting; NO_MEMORY.
 * O(content of the request).
 */
PERSEUS_MUST_USE enum perseus_status perseus__planner_ask(struct perseus__planner *planner,
		const struct perseus__shape_request *request, perseus__planner_done *done, void *user,
		struct perseus_error *err);

/*
 * The plan for exactly the deadline asked for; the receiver's from now on (perseus_plan_free). NULL where there is
 * none, and `err` says why: INFEASIBLE, ..., CANCELLED.
 */
typedef void perseus__planner_refined(void *user, struct perseus_plan *plan, const struct perseus_error *err);

/*
 * Asks for an exact plan of `shape` (of which a reference is held until the answer) for one deadline; comes before
 * what the table still lacks. Errors, without a callback: BUSY with too many waiting; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__planner_refine(struct perseus__planner *planner,
		struct perseus__shape *shape, int64_t deadline_ns, perseus__planner_refined *refined, void *user,
		struct perseus_error *err);

/*
 * Who asked for a shape with `user` is called back with CANCELLED soon, unless that is on its way already; making a
 * shape that nobody else waits for stops. Does not wait.
 */
void perseus__planner_cancel(struct perseus__planner *planner, const void *user);

/* What the planner is at. */
struct perseus__planner_info {
	int32_t n_waiting; /* asked for and not answered yet */
	int32_t n_shapes;  /* known: in use, idle, or being made */
	uint64_t n_asked;  /* shapes asked for so far */
	uint64_t n_made;   /* and made, in vain or not: the others were shared */
};

struct perseus__planner_info perseus__planner_info(struct perseus__planner *planner);

#endif
