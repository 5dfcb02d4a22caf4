/* Asking the planner, and its threads' beginning and end. */
#include "server/planner.h"

#include "base/error.h"
#include "base/memory.h"
#include "server/planner_internal.h"

#include <string.h>

enum { MAX_DEADLINES = 1024 };

struct perseus__planner_settings
perseus__planner_settings_default(void)
{
	return (struct perseus__planner_settings){
		.n_threads = 2, .n_deadlines = 33, .max_idle_shapes = 16, .max_waiting = 1024};
}

static enum perseus_status
check_setting(const char *name, int32_t value, int32_t least, int32_t most, struct perseus_error *err)
{
	if (value < least || value > most)
		return perseus__fail(
				err, PERSEUS_INVALID, "%s: %d is not between %d and %d", name, (int)value, (int)least, (int)most);
	return PERSEUS_OK;
}

static enum perseus_status
check_settings(const struct perseus__planner_settings *settings, struct perseus_error *err)
{
	enum perseus_status status = check_setting("n_threads", settings->n_threads, 1, PERSEUS__MAX_PLANNER_THREADS, err);
	if (status == PERSEUS_OK)
		status = check_setting("n_deadlines", settings->n_deadlines, 1, MAX_DEADLINES, err);
	if (status == PERSEUS_OK)
		status = check_setting("max_idle_shapes", settings->max_idle_shapes, 0, INT32_MAX, err);
	if (status == PERSEUS_OK)
		status = check_setting("max_waiting", settings->max_waiting, 1, INT32_MAX, err);
	return status;
}

static enum perseus_status
start_threads(struct perseus__planner *planner, struct perseus_error *err)
{
	for (; planner->n_threads < planner->settings.n_threads; planner->n_threads++) {
		const int error = pthread_create(&planner->threads[planner->n_threads], NULL, perseus__planner_work, planner);
		if (error != 0)
			return perseus__fail(err, PERSEUS_IO, "cannot start a thread: %s", strerror(error));
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__planner_new(
		const struct perseus__planner_settings *settings, struct perseus__planner **out, struct perseus_error *err)
{
	const struct perseus__planner_settings own = settings ? *settings : perseus__planner_settings_default();
	enum perseus_status status = check_settings(&own, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__planner *planner = perseus__new_array(1, sizeof *planner);
	if (!planner)
		return perseus__no_memory(err);
	planner->settings = own;
	for (int kind = 0; kind < PERSEUS__N_TASK_KINDS; kind++)
		planner->queues[kind].last = &planner->queues[kind].first;
	/* glibc's initialisers cannot fail with default attributes. */
	(void)pthread_mutex_init(&planner->mutex, NULL);
	(void)pthread_cond_init(&planner->changed, NULL);
	status = start_threads(planner, err);
	if (status != PERSEUS_OK) {
		perseus__planner_free(planner);
		return status;
	}
	*out = planner;
	return PERSEUS_OK;
}

void
perseus__planner_free(struct perseus__planner *planner)
{
	if (!planner)
		return;
	perseus__planner_lock(planner);
	planner->is_ending = true;
	for (struct perseus__planner_entry *entry = planner->entries; entry; entry = entry->next)
		atomic_store_explicit(&entry->shape->is_cancelled, true, memory_order_relaxed);
	(void)pthread_cond_broadcast(&planner->changed);
	perseus__planner_unlock(planner);
	for (; planner->n_threads > 0; planner->n_threads--)
		(void)pthread_join(planner->threads[planner->n_threads - 1], NULL);
	for (struct perseus__planner_task *task = perseus__planner_pop(planner); task; task = perseus__planner_pop(planner))
		perseus__planner_drop(planner, task);
	perseus__planner_free_entries(planner->entries);
	(void)pthread_cond_destroy(&planner->changed);
	(void)pthread_mutex_destroy(&planner->mutex);
	perseus__free(planner);
}

static struct perseus__planner_entry *
find(struct perseus__planner *planner, const struct perseus__shape_key *key)
{
	struct perseus__planner_entry *entry = planner->entries;
	while (entry && !perseus__shape_key_equals(&entry->shape->key, key))
		entry = entry->next;
	return entry;
}

/* What an ask may need, made before the lock is taken; what it did need is NULL afterwards. */
struct asking {
	struct perseus__planner_task *answer;
	struct perseus__planner_task *work; /* that makes the shape, or goes on with its table */
	struct perseus__planner_entry *entry;
};

static void
free_asking(struct asking *asking)
{
	perseus__free(asking->answer);
	perseus__free(asking->work);
	perseus__planner_free_entries(asking->entry);
}

static enum perseus_status
new_asking(const struct perseus__planner *planner, const struct perseus__shape_request *request, struct asking *out,
		struct perseus_error *err)
{
	struct asking asking = {
		.answer = perseus__new_array(1, sizeof *asking.answer),
		.work = perseus__new_array(1, sizeof *asking.work),
		.entry = perseus__new_array(1, sizeof *asking.entry),
	};
	enum perseus_status status = PERSEUS_OK;
	if (!asking.answer || !asking.work || !asking.entry)
		status = perseus__no_memory(err);
	else
		status = perseus__shape_new(request, planner->settings.n_deadlines, &asking.entry->shape, err);
	if (status == PERSEUS_OK)
		*out = asking;
	else
		free_asking(&asking);
	return status;
}

static void
push_work(struct perseus__planner *planner, struct asking *asking, enum perseus__planner_task_kind kind,
		struct perseus__planner_entry *entry)
{
	*asking->work = (struct perseus__planner_task){.kind = kind, .entry = entry};
	perseus__planner_push(planner, asking->work);
	asking->work = NULL;
}

/* Waits for a shape that is being made, or for the one that `asking` brings along. */
static void
wait_for(struct perseus__planner *planner, struct perseus__planner_entry *entry, struct asking *asking)
{
	if (!entry) {
		entry = asking->entry;
		asking->entry = NULL;
		entry->is_listed = true;
		entry->next = planner->entries;
		planner->entries = entry;
		push_work(planner, asking, PERSEUS__TASK_MAKE, entry);
	}
	asking->answer->next = entry->answers;
	entry->answers = asking->answer;
	entry->used = planner->n_asked;
	asking->answer = NULL;
}

/* Answers with a shape that is made; goes on with its table where that was left. */
static void
reply_with(struct perseus__planner *planner, struct perseus__planner_entry *entry, struct asking *asking)
{
	asking->answer->shape = perseus__shape_ref(entry->shape);
	perseus__planner_push(planner, asking->answer);
	asking->answer = NULL;
	entry->used = planner->n_asked;
	if (entry->is_filling || perseus__shape_info(entry->shape).is_complete)
		return;
	entry->is_filling = true;
	push_work(planner, asking, PERSEUS__TASK_FILL, entry);
}

/* False where too many wait. */
static bool
is_admitted(struct perseus__planner *planner)
{
	if (planner->n_waiting >= planner->settings.max_waiting)
		return false;
	planner->n_waiting++;
	return true;
}

enum perseus_status
perseus__planner_ask(struct perseus__planner *planner, const struct perseus__shape_request *request,
		perseus__planner_done *done, void *user, struct perseus_error *err)
{
	struct asking asking;
	const enum perseus_status status = new_asking(planner, request, &asking, err);
	if (status != PERSEUS_OK)
		return status;
	*asking.answer = (struct perseus__planner_task){.kind = PERSEUS__TASK_ANSWER, .user = user, .done = done};
	perseus__planner_lock(planner);
	struct perseus__planner_entry *dropped = NULL;
	const bool is_in = is_admitted(planner);
	if (is_in) {
		planner->n_asked++;
		struct perseus__planner_entry *entry = find(planner, &asking.entry->shape->key);
		if (entry && entry->is_made)
			reply_with(planner, entry, &asking);
		else
			wait_for(planner, entry, &asking);
		dropped = perseus__planner_trim(planner);
	}
	perseus__planner_unlock(planner);
	perseus__planner_free_entries(dropped);
	free_asking(&asking);
	return is_in ? PERSEUS_OK : perseus__fail(err, PERSEUS_BUSY, "too many wait for the planner");
}

enum perseus_status
perseus__planner_refine(struct perseus__planner *planner, struct perseus__shape *shape, int64_t deadline_ns,
		perseus__planner_refined *refined, void *user, struct perseus_error *err)
{
	struct perseus__planner_task *task = perseus__new_array(1, sizeof *task);
	if (!task)
		return perseus__no_memory(err);
	*task = (struct perseus__planner_task){
		.kind = PERSEUS__TASK_REFINE, .user = user, .refined = refined, .shape = shape, .deadline_ns = deadline_ns};
	perseus__planner_lock(planner);
	const bool is_in = is_admitted(planner);
	if (is_in) {
		(void)perseus__shape_ref(shape);
		perseus__planner_push(planner, task);
	}
	perseus__planner_unlock(planner);
	if (is_in)
		return PERSEUS_OK;
	perseus__free(task);
	return perseus__fail(err, PERSEUS_BUSY, "too many wait for the planner");
}

/* Answers those with `user` who wait for the making of `entry`, and stops it where nobody else does. */
static void
cancel_in(struct perseus__planner *planner, struct perseus__planner_entry *entry, const void *user)
{
	bool has_any = false;
	struct perseus__planner_task **link = &entry->answers;
	while (*link) {
		struct perseus__planner_task *answer = *link;
		if (answer->user != user) {
			link = &answer->next;
			continue;
		}
		*link = answer->next;
		perseus__planner_push(planner, answer);
		has_any = true;
	}
	if (!has_any || entry->answers)
		return;
	atomic_store_explicit(&entry->shape->is_cancelled, true, memory_order_relaxed);
	perseus__planner_unlist(planner, entry);
}

void
perseus__planner_cancel(struct perseus__planner *planner, const void *user)
{
	perseus__planner_lock(planner);
	for (struct perseus__planner_entry *entry = planner->entries, *next = NULL; entry; entry = next) {
		next = entry->next;
		cancel_in(planner, entry, user);
	}
	perseus__planner_unlock(planner);
}

struct perseus__planner_info
perseus__planner_info(struct perseus__planner *planner)
{
	perseus__planner_lock(planner);
	struct perseus__planner_info info = {
		.n_waiting = planner->n_waiting, .n_asked = planner->n_asked, .n_made = planner->n_made};
	for (const struct perseus__planner_entry *entry = planner->entries; entry; entry = entry->next)
		info.n_shapes++;
	perseus__planner_unlock(planner);
	return info;
}
