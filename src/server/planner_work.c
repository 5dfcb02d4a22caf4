/* What the planner's threads do. */
#include "base/error.h"
#include "base/memory.h"
#include "server/planner_internal.h"

void
perseus__planner_lock(struct perseus__planner *planner)
{
	(void)pthread_mutex_lock(&planner->mutex);
}

void
perseus__planner_unlock(struct perseus__planner *planner)
{
	(void)pthread_mutex_unlock(&planner->mutex);
}

void
perseus__planner_push(struct perseus__planner *planner, struct perseus__planner_task *task)
{
	struct perseus__planner_queue *queue = &planner->queues[task->kind];
	task->next = NULL;
	*queue->last = task;
	queue->last = &task->next;
	(void)pthread_cond_signal(&planner->changed);
}

struct perseus__planner_task *
perseus__planner_pop(struct perseus__planner *planner)
{
	for (int kind = 0; kind < PERSEUS__N_TASK_KINDS; kind++) {
		struct perseus__planner_queue *queue = &planner->queues[kind];
		struct perseus__planner_task *task = queue->first;
		if (!task)
			continue;
		queue->first = task->next;
		if (!queue->first)
			queue->last = &queue->first;
		return task;
	}
	return NULL;
}

void
perseus__planner_unlist(struct perseus__planner *planner, struct perseus__planner_entry *entry)
{
	struct perseus__planner_entry **link = &planner->entries;
	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	entry->next = NULL;
	entry->is_listed = false;
}

void
perseus__planner_free_entries(struct perseus__planner_entry *entry)
{
	while (entry) {
		struct perseus__planner_entry *next = entry->next;
		perseus__shape_unref(entry->shape);
		perseus__free(entry);
		entry = next;
	}
}

/* Nobody but the planner holds the shape; so who comes to hold it must ask, which the lock keeps out. */
static bool
is_idle(const struct perseus__planner_entry *entry)
{
	return entry->is_made && atomic_load_explicit(&entry->shape->n_owners, memory_order_acquire) == 1;
}

struct perseus__planner_entry *
perseus__planner_trim(struct perseus__planner *planner)
{
	struct perseus__planner_entry *dropped = NULL;
	for (;;) {
		int32_t n_idle = 0;
		struct perseus__planner_entry *oldest = NULL;
		for (struct perseus__planner_entry *entry = planner->entries; entry; entry = entry->next) {
			if (!is_idle(entry) || entry->is_filling)
				continue;
			n_idle++;
			if (!oldest || entry->used < oldest->used)
				oldest = entry;
		}
		if (!oldest || n_idle <= planner->settings.max_idle_shapes)
			return dropped;
		perseus__planner_unlist(planner, oldest);
		oldest->next = dropped;
		dropped = oldest;
	}
}

/* One of those that waited has been called back. */
static void
count_answer(struct perseus__planner *planner)
{
	perseus__planner_lock(planner);
	planner->n_waiting--;
	perseus__planner_unlock(planner);
}

static void
run_answer(struct perseus__planner *planner, struct perseus__planner_task *task)
{
	struct perseus_error err;
	(void)perseus__fail(&err, PERSEUS_CANCELLED, "cancelled");
	task->done(task->user, task->shape, task->shape ? NULL : &err);
	perseus__shape_unref(task->shape);
	perseus__free(task);
	count_answer(planner);
}

static void
run_refine(struct perseus__planner *planner, struct perseus__planner_task *task, bool is_ending)
{
	const struct perseus_plan_settings settings = {
		.deadline_ns = task->deadline_ns,
		.granularity = task->shape->request.granularity,
		.switch_latency_ns = task->shape->request.switch_latency_ns,
	};
	struct perseus_plan *plan = NULL;
	struct perseus_error err;
	const enum perseus_status status = is_ending ? perseus__fail(&err, PERSEUS_CANCELLED, "cancelled")
												 : perseus_plan_new(task->shape->frontier, &settings, &plan, &err);
	task->refined(task->user, plan, status == PERSEUS_OK ? NULL : &err);
	perseus__shape_unref(task->shape);
	perseus__free(task);
	count_answer(planner);
}

/* Calls back all who waited for a shape. */
static void
answer_all(struct perseus__planner *planner, struct perseus__planner_task *answers, struct perseus__shape *shape,
		const struct perseus_error *err)
{
	while (answers) {
		struct perseus__planner_task *next = answers->next;
		answers->done(answers->user, shape, err);
		perseus__free(answers);
		count_answer(planner);
		answers = next;
	}
}

/* Makes a shape and answers who waits for it; the task goes on as the one that fills its table. */
static void
run_make(struct perseus__planner *planner, struct perseus__planner_task *task)
{
	struct perseus__planner_entry *entry = task->entry;
	struct perseus__shape *shape = entry->shape;
	struct perseus_error err;
	const enum perseus_status status = perseus__shape_make(shape, &err);
	(void)perseus__shape_ref(shape);
	perseus__planner_lock(planner);
	planner->n_made++;
	struct perseus__planner_task *answers = entry->answers;
	entry->answers = NULL;
	entry->is_made = status == PERSEUS_OK;
	entry->is_filling = entry->is_made && entry->is_listed;
	if (entry->is_listed && !entry->is_made)
		perseus__planner_unlist(planner, entry);
	const bool is_gone = !entry->is_listed;
	if (entry->is_filling) {
		task->kind = PERSEUS__TASK_FILL;
		perseus__planner_push(planner, task);
	}
	perseus__planner_unlock(planner);
	if (is_gone) {
		perseus__free(task);
		perseus__planner_free_entries(entry);
	}
	answer_all(planner, answers, status == PERSEUS_OK ? shape : NULL, status == PERSEUS_OK ? NULL : &err);
	perseus__shape_unref(shape);
}

/* One more plan of a table, while anybody uses the shape; asking for it again takes up where this ends. */
static void
run_fill(struct perseus__planner *planner, struct perseus__planner_task *task)
{
	struct perseus__planner_entry *entry = task->entry;
	const bool has_more = perseus__shape_fill(entry->shape);
	perseus__planner_lock(planner);
	entry->is_filling = has_more && !is_idle(entry);
	if (entry->is_filling)
		perseus__planner_push(planner, task);
	else
		perseus__free(task);
	struct perseus__planner_entry *dropped = perseus__planner_trim(planner);
	perseus__planner_unlock(planner);
	perseus__planner_free_entries(dropped);
}

static void
run(struct perseus__planner *planner, struct perseus__planner_task *task)
{
	switch (task->kind) {
	case PERSEUS__TASK_ANSWER:
		run_answer(planner, task);
		break;
	case PERSEUS__TASK_REFINE:
		run_refine(planner, task, false);
		break;
	case PERSEUS__TASK_MAKE:
		run_make(planner, task);
		break;
	case PERSEUS__TASK_FILL:
		run_fill(planner, task);
		break;
	}
}

void *
perseus__planner_work(void *user)
{
	struct perseus__planner *planner = user;
	perseus__planner_lock(planner);
	while (!planner->is_ending) {
		struct perseus__planner_task *task = perseus__planner_pop(planner);
		if (!task) {
			(void)pthread_cond_wait(&planner->changed, &planner->mutex);
			continue;
		}
		perseus__planner_unlock(planner);
		run(planner, task);
		perseus__planner_lock(planner);
	}
	perseus__planner_unlock(planner);
	return NULL;
}

void
perseus__planner_drop(struct perseus__planner *planner, struct perseus__planner_task *task)
{
	switch (task->kind) {
	case PERSEUS__TASK_ANSWER:
		run_answer(planner, task);
		break;
	case PERSEUS__TASK_REFINE:
		run_refine(planner, task, true);
		break;
	case PERSEUS__TASK_MAKE:
		/* It is cancelled, and says so at once. */
		run_make(planner, task);
		break;
	case PERSEUS__TASK_FILL:
		perseus__free(task);
		break;
	}
}
