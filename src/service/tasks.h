/*
 * A few threads for what would hold up a connection: reading devices, and what is due at a later time. Bounded: who
 * asks for more than there is room for is told so.
 */
#ifndef PERSEUS_SERVICE_TASKS_H
#define PERSEUS_SERVICE_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

struct perseus__tasks;

enum { PERSEUS__TASK_DONE = -1 };

/*
 * Runs from one of the threads. Returns when it is to run again, in ns of the monotonic clock, or PERSEUS__TASK_DONE.
 * `is_ending`: the threads are going; the task lets go of what it holds, and does not run again.
 */
typedef int64_t perseus__task_run(void *user, bool is_ending);

/* Errors: NO_MEMORY, IO. */
PERSEUS_MUST_USE enum perseus_status perseus__tasks_new(
		int32_t n_threads, size_t max_tasks, struct perseus__tasks **out, struct perseus_error *err);

/* Runs `run` at `due_ns` or soon after; tasks due at the same time in the order they were added. BUSY when full. */
PERSEUS_MUST_USE enum perseus_status perseus__tasks_add(
		struct perseus__tasks *tasks, int64_t due_ns, perseus__task_run *run, void *user, struct perseus_error *err);

/* Waits for what runs; what still waits is run with `is_ending`. Nothing can be added from now on. */
void perseus__tasks_end(struct perseus__tasks *tasks);

/* Ends the tasks, too. */
void perseus__tasks_free(struct perseus__tasks *tasks);

#endif
