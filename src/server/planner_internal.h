/* The planner's tasks and shapes: what its threads and those who ask share. Private to it. */
#ifndef PERSEUS_SERVER_PLANNER_INTERNAL_H
#define PERSEUS_SERVER_PLANNER_INTERNAL_H

#include "server/planner.h"
#include "server/shape_internal.h"

#include <pthread.h>

enum { PERSEUS__MAX_PLANNER_THREADS = 64 };

/* A shape that the planner knows. Owned by the list of them; by its task or thread once it is off that. */
struct perseus__planner_entry {
	struct perseus__planner_entry *next;
	struct perseus__shape *shape;
	struct perseus__planner_task *answers; /* for those who wait until it is made */
	bool is_listed;
	bool is_made;    /* has its first plan */
	bool is_filling; /* a task or a thread fills its table */
	uint64_t used;   /* when it was asked for last, in counts of asking */
};

/* In the order of urgency. */
enum perseus__planner_task_kind {
	PERSEUS__TASK_ANSWER, /* who asked for a shape that is made already, or asks no more */
	PERSEUS__TASK_REFINE,
	PERSEUS__TASK_MAKE,
	PERSEUS__TASK_FILL,
};
enum { PERSEUS__N_TASK_KINDS = PERSEUS__TASK_FILL + 1 };

struct perseus__planner_task {
	struct perseus__planner_task *next;
	enum perseus__planner_task_kind kind;
	void *user;
	struct perseus__shape *shape; /* of ANSWER (NULL: cancelled) and REFINE: with a reference */
	perseus__planner_done *done;
	perseus__planner_refined *refined;
	int64_t deadline_ns;
	struct perseus__planner_entry *entry; /* of MAKE and FILL */
};

struct perseus__planner_queue {
	struct perseus__planner_task *first;
	struct perseus__planner_task **last;
};

struct perseus__planner {
	struct perseus__planner_settings settings;
	pthread_mutex_t mutex; /* guards all below but the shapes' insides */
	pthread_cond_t changed;
	bool is_ending;
	struct perseus__planner_queue queues[PERSEUS__N_TASK_KINDS];
	struct perseus__planner_entry *entries;
	int32_t n_waiting;
	uint64_t n_asked;
	uint64_t n_made; /* shapes, or attempts at them */
	pthread_t threads[PERSEUS__MAX_PLANNER_THREADS];
	int32_t n_threads;
};

void perseus__planner_lock(struct perseus__planner *planner);
void perseus__planner_unlock(struct perseus__planner *planner);

/* Under the lock: hands a task to the threads. */
void perseus__planner_push(struct perseus__planner *planner, struct perseus__planner_task *task);

/* Under the lock: the most urgent task; NULL: none. */
struct perseus__planner_task *perseus__planner_pop(struct perseus__planner *planner);

/* Under the lock: takes `entry` off the list. */
void perseus__planner_unlist(struct perseus__planner *planner, struct perseus__planner_entry *entry);

/* Under the lock: takes idle shapes beyond the bound off the list, for the caller to free once the lock is let go. */
struct perseus__planner_entry *perseus__planner_trim(struct perseus__planner *planner);

/* Frees entries that are off the list. */
void perseus__planner_free_entries(struct perseus__planner_entry *entry);

/* What a thread does until the planner ends; `user` is a struct perseus__planner. */
void *perseus__planner_work(void *user);

/* Answers, for a planner that has ended, what its threads have not come to. */
void perseus__planner_drop(struct perseus__planner *planner, struct perseus__planner_task *task);

#endif
