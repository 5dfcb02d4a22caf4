/* Files of Zeus's jobs, read and written in a thread of their own: solutions, and dumps. */
#include "server/zeus_internal.h"

#include "base/clock.h"
#include "base/memory.h"
#include "server/zeus_dump.h"
#include "server/zeus_merge.h"
#include "service/log.h"

#include <stdio.h>
#include <string.h>

enum { MAX_DUMP_BYTES = 1 << 30, NAME_BYTES = 40, RETRY_NS = 1000000000 };

/* A task; freed by itself. */
struct errand {
	struct perseus__zeus *zeus;
	char id[PERSEUS__ZEUS_ID_BYTES];
	int32_t n_lists;                 /* of the plan that is wanted */
	bool has_stages;                 /* the lists of `over` are those of stages */
	struct perseus__zeus_round over; /* to be written */
};

/* Runs it in a task, or at once where there is no room for one. */
static void
send(struct errand *errand, perseus__task_run *run)
{
	struct perseus_error err;
	if (perseus__tasks_add(errand->zeus->tasks, 0, run, errand, &err) != PERSEUS_OK)
		(void)run(errand, true);
}

static struct errand *
new_errand(struct perseus__zeus *zeus, const char *id)
{
	struct errand *errand = perseus__new_array(1, sizeof *errand);
	if (!errand)
		return NULL;
	errand->zeus = zeus;
	(void)snprintf(errand->id, sizeof errand->id, "%s", id);
	return errand;
}

static void
write_dump(struct perseus__zeus *zeus, const char *id, const char *name, const struct perseus__text *text)
{
	struct perseus_error err;
	if (perseus__zeus_dump_write(zeus->settings->dump_dir, id, name, text, &err) != PERSEUS_OK)
		perseus__log_message(PERSEUS__LOG_WARNING, "zeus", "job %s: %s is not written: %s", id, name, err.message);
}

void
perseus__zeus_note_ranks(struct perseus__zeus *zeus, const char *id, struct perseus__text *ranks)
{
	write_dump(zeus, id, "ranks.json", ranks);
	perseus__text_fini(ranks);
}

enum perseus_status
perseus__zeus_get_plan(const struct perseus__zeus_settings *settings, const char *id, int32_t n_lists,
		struct perseus__zeus_plan **out, struct perseus_error *err)
{
	static const char none[] = "this server has no solution file: ZEUS_PFO_SCHEDULER_ARGS is not set";
	const enum perseus_status status = settings->solution_path
			? perseus__zeus_plan_load(settings->solution_path, n_lists, out, err)
			: perseus__zeus_plan_fail(none, out, err);
	if (status == PERSEUS_OK && (*out)->failure)
		perseus__log_message(PERSEUS__LOG_WARNING, "zeus", "job %s has failed: %s", id, (*out)->failure);
	return status;
}

/* Where there is no memory the job waits, and so does this. */
static int64_t
get_plan(void *user, bool is_ending)
{
	struct errand *errand = user;
	struct perseus__zeus *zeus = errand->zeus;
	struct perseus__zeus_plan *plan;
	const enum perseus_status status = perseus__zeus_get_plan(zeus->settings, errand->id, errand->n_lists, &plan, NULL);
	if (status != PERSEUS_OK && !is_ending)
		return perseus__clock_mono_ns() + RETRY_NS;
	if (status == PERSEUS_OK)
		perseus__zeus_plan_is_there(zeus, errand->id, plan);
	perseus__free(errand);
	return PERSEUS__TASK_DONE;
}

void
perseus__zeus_begin_start(struct perseus__zeus *zeus, const char *id)
{
	struct errand *errand = new_errand(zeus, id);
	if (!errand) {
		perseus__log_message(PERSEUS__LOG_ERROR, "zeus", "job %s does not start: out of memory", id);
		return;
	}
	(void)pthread_mutex_lock(&zeus->lock);
	const struct perseus__zeus_job *job = perseus__zeus_jobs_find(&zeus->jobs, id);
	errand->n_lists = job ? perseus__zeus_n_lists(job) : 0;
	(void)pthread_mutex_unlock(&zeus->lock);
	send(errand, get_plan);
}

/* The results of all ranks whose list is `list` (-1: of all ranks) as one. False where there is none, or no memory. */
static bool
merge(const struct perseus__zeus_round *over, int32_t list, struct perseus__zeus_result *merged)
{
	struct perseus_error err;
	const struct perseus__zeus_result **chosen = perseus__new_array((size_t)over->n_ranks, sizeof *chosen);
	size_t n = 0;
	for (int32_t rank = 0; chosen && rank < over->n_ranks; rank++)
		if (list < 0 || over->lists[rank] == list)
			chosen[n++] = over->results[rank];
	const bool is_good = n > 0 && perseus__zeus_merge(chosen, n, list < 0 ? 0 : list, merged, &err) == PERSEUS_OK;
	perseus__free(chosen);
	return is_good;
}

/* What Zeus's wrapper for 3D parallelism lets its scheduler observe: one result for each stage. */
static void
add_stages(struct perseus__text *text, const struct perseus__zeus_round *over)
{
	perseus__text_addf(text, "[");
	for (int32_t stage = 0, n = 0; stage < over->plan->solution->n_ranks; stage++) {
		struct perseus__zeus_result merged;
		if (!merge(over, stage, &merged))
			continue;
		perseus__text_addf(text, "%s", n++ ? ", " : "");
		perseus__zeus_encode_result(text, &merged);
		perseus__zeus_result_fini(&merged);
	}
	perseus__text_addf(text, "]");
}

static double
mean(const struct perseus__zeus_list *list)
{
	double sum = 0;
	for (size_t i = 0; i < list->n; i++)
		sum += list->values[i];
	return list->n ? sum / (double)list->n : 0;
}

/* A line of the log: what an iteration took, over all ranks. */
static void
log_round(const struct errand *errand)
{
	struct perseus__zeus_result merged;
	if (!merge(&errand->over, -1, &merged))
		return;
	const long long number = (long long)errand->over.number;
	if (merged.iter_time_s.n > 0 && merged.iter_energy_j.n > 0)
		perseus__log_message(PERSEUS__LOG_INFO, "zeus", "job %s: round %lld is over, %.6g s and %.6g J an iteration",
				errand->id, number, mean(&merged.iter_time_s), mean(&merged.iter_energy_j));
	else
		perseus__log_message(PERSEUS__LOG_INFO, "zeus", "job %s: round %lld is over", errand->id, number);
	perseus__zeus_result_fini(&merged);
}

static void
dump_round(const struct errand *errand, const char *suffix,
		void (*add)(struct perseus__text *text, const struct perseus__zeus_round *round))
{
	char name[NAME_BYTES];
	struct perseus__text text = perseus__text_init(MAX_DUMP_BYTES);
	(void)snprintf(name, sizeof name, "%lld.%s.json", (long long)errand->over.number, suffix);
	add(&text, &errand->over);
	write_dump(errand->zeus, errand->id, name, &text);
	perseus__text_fini(&text);
}

static int64_t
write_round(void *user, bool is_ending)
{
	struct errand *errand = user;
	(void)is_ending; /* nobody else has these results any more */
	log_round(errand);
	if (errand->zeus->settings->has_dumps) {
		dump_round(errand, "prof", perseus__zeus_dump_results);
		dump_round(errand, "sched", perseus__zeus_dump_schedules);
		if (errand->has_stages)
			dump_round(errand, "stage", add_stages);
	}
	perseus__zeus_round_fini(&errand->over);
	perseus__free(errand);
	return PERSEUS__TASK_DONE;
}

void
perseus__zeus_note_round(
		struct perseus__zeus *zeus, const char *id, bool has_stages, const struct perseus__zeus_round *over)
{
	struct perseus__zeus_round taken = *over;
	struct errand *errand = new_errand(zeus, id);
	if (!errand) {
		perseus__log_message(PERSEUS__LOG_ERROR, "zeus", "job %s: round %lld is not written: out of memory", id,
				(long long)taken.number);
		perseus__zeus_round_fini(&taken);
		return;
	}
	errand->has_stages = has_stages;
	errand->over = taken;
	send(errand, write_round);
}
