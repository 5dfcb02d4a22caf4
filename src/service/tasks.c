/* Threads for tasks. */
#include "service/tasks.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 16 };

struct task {
	int64_t due_ns;
	uint64_t order; /* of adding */
	perseus__task_run *run;
	void *user;
};

struct perseus__tasks {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_ending;
	uint64_t n_added;
	struct task *heap; /* the task that is due first at 0; children of i at 2i + 1 and 2i + 2 */
	size_t n_heap;
	size_t n_running; /* keep their room, as they may come back */
	size_t max_tasks;
	pthread_t threads[MAX_THREADS];
	int32_t n_threads;
};

static bool
is_before(const struct task *a, const struct task *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->order < b->order;
}

static void
swap(struct task *a, struct task *b)
{
	const struct task other = *a;
	*a = *b;
	*b = other;
}

static void
push(struct perseus__tasks *tasks, struct task task)
{
	size_t at = tasks->n_heap++;
	task.order = tasks->n_added++;
	tasks->heap[at] = task;
	for (; at > 0 && is_before(&tasks->heap[at], &tasks->heap[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&tasks->heap[at], &tasks->heap[(at - 1) / 2]);
}

static struct task
pop(struct perseus__tasks *tasks)
{
	const struct task first = tasks->heap[0];
	tasks->heap[0] = tasks->heap[--tasks->n_heap];
	for (size_t at = 0;;) {
		size_t least = at;
		for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++)
			if (child < tasks->n_heap && is_before(&tasks->heap[child], &tasks->heap[least]))
				least = child;
		if (least == at)
			return first;
		swap(&tasks->heap[at], &tasks->heap[least]);
		at = least;
	}
}

/* Waits until a task is due or something changes. */
static void
wait_for_task(struct perseus__tasks *tasks)
{
	if (tasks->n_heap == 0) {
		(void)pthread_cond_wait(&tasks->changed, &tasks->mutex);
		return;
	}
	const int64_t due_ns = tasks->heap[0].due_ns;
	const struct timespec due = {.tv_sec = due_ns / 1000000000, .tv_nsec = due_ns % 1000000000};
	(void)pthread_cond_timedwait(&tasks->changed, &tasks->mutex, &due);
}

static void *
work(void *user)
{
	struct perseus__tasks *tasks = user;
	(void)pthread_mutex_lock(&tasks->mutex);
	while (!tasks->is_ending) {
		if (tasks->n_heap == 0 || tasks->heap[0].due_ns > perseus__clock_mono_ns()) {
			wait_for_task(tasks);
			continue;
		}
		struct task task = pop(tasks);
		tasks->n_running++;
		(void)pthread_mutex_unlock(&tasks->mutex);
		task.due_ns = task.run(task.user, false);
		(void)pthread_mutex_lock(&tasks->mutex);
		tasks->n_running--;
		if (task.due_ns != PERSEUS__TASK_DONE) {
			push(tasks, task);
			(void)pthread_cond_signal(&tasks->changed);
		}
	}
	(void)pthread_mutex_unlock(&tasks->mutex);
	return NULL;
}

static bool
init_locks(struct perseus__tasks *tasks)
{
	pthread_condattr_t monotonic;
	if (pthread_condattr_init(&monotonic) != 0)
		return false;
	bool is_good = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0;
	is_good = is_good && pthread_cond_init(&tasks->changed, &monotonic) == 0;
	(void)pthread_condattr_destroy(&monotonic);
	return is_good && pthread_mutex_init(&tasks->mutex, NULL) == 0;
}

enum perseus_status
perseus__tasks_new(int32_t n_threads, size_t max_tasks, struct perseus__tasks **out, struct perseus_error *err)
{
	struct perseus__tasks *tasks = perseus__new_array(1, sizeof *tasks);
	struct task *heap = perseus__new_array(max_tasks, sizeof *heap);
	if (!tasks || !heap || !init_locks(tasks)) {
		perseus__free(heap);
		perseus__free(tasks);
		return perseus__no_memory(err);
	}
	tasks->heap = heap;
	tasks->max_tasks = max_tasks;
	const int32_t n = n_threads < MAX_THREADS ? n_threads : MAX_THREADS;
	for (; tasks->n_threads < n; tasks->n_threads++) {
		const int error = pthread_create(&tasks->threads[tasks->n_threads], NULL, work, tasks);
		if (error != 0) {
			perseus__tasks_free(tasks);
			return perseus__fail(err, PERSEUS_IO, "cannot start a thread: %s", strerror(error));
		}
	}
	*out = tasks;
	return PERSEUS_OK;
}

enum perseus_status
perseus__tasks_add(
		struct perseus__tasks *tasks, int64_t due_ns, perseus__task_run *run, void *user, struct perseus_error *err)
{
	(void)pthread_mutex_lock(&tasks->mutex);
	const bool has_room = !tasks->is_ending && tasks->n_heap + tasks->n_running < tasks->max_tasks;
	if (has_room) {
		push(tasks, (struct task){.due_ns = due_ns, .run = run, .user = user});
		(void)pthread_cond_signal(&tasks->changed);
	}
	(void)pthread_mutex_unlock(&tasks->mutex);
	return has_room ? PERSEUS_OK : perseus__fail(err, PERSEUS_BUSY, "too many requests are waiting");
}

void
perseus__tasks_end(struct perseus__tasks *tasks)
{
	(void)pthread_mutex_lock(&tasks->mutex);
	tasks->is_ending = true;
	(void)pthread_cond_broadcast(&tasks->changed);
	(void)pthread_mutex_unlock(&tasks->mutex);
	for (; tasks->n_threads > 0; tasks->n_threads--)
		(void)pthread_join(tasks->threads[tasks->n_threads - 1], NULL);
	while (tasks->n_heap > 0) {
		const struct task task = pop(tasks);
		(void)task.run(task.user, true);
	}
}

void
perseus__tasks_free(struct perseus__tasks *tasks)
{
	if (!tasks)
		return;
	perseus__tasks_end(tasks);
	(void)pthread_cond_destroy(&tasks->changed);
	(void)pthread_mutex_destroy(&tasks->mutex);
	perseus__free(tasks->heap);
	perseus__free(tasks);
}
