/*
 * What is kept of Zeus's jobs, as documents of the store:
 *   zeus_job     by id: the job's info with its scheduler
 *   zeus_rank    by id/rank: the rank's info
 *   zeus_plan    by id: "solution" or "failure", a newline, and the text of it
 *   zeus_round   by id: {"round": 3, "is_open": true}
 *   zeus_result  by id/rank: the newest result, a newline, and the number of its round
 * An id has no '/'.
 */
#include "server/zeus_internal.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "server/zeus_lax.h"
#include "service/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = PERSEUS__ZEUS_ID_BYTES + 16, MAX_JOB_BYTES = 1 << 20, MAX_PLAN_BYTES = 1 << 30 };

static const char jobs[] = "zeus_job", ranks[] = "zeus_rank", plans[] = "zeus_plan", rounds[] = "zeus_round",
				  results[] = "zeus_result";
static const char solution_mark[] = "solution\n", failure_mark[] = "failure\n";

static void
rank_key(const struct perseus__zeus_job *job, int32_t rank, char key[KEY_BYTES])
{
	(void)snprintf(key, KEY_BYTES, "%s/%d", job->id, rank);
}

/* A write of one document; takes the text over. */
static struct perseus__write *
put(const char *collection, const char *key, struct perseus__text *text)
{
	struct perseus__write *write = text->failed ? NULL : perseus__write_new();
	if (!text->failed)
		perseus__write_put_document(write, collection, key, text->bytes, text->length);
	perseus__text_fini(text);
	return write;
}

struct perseus__write *
perseus__zeus_keep_job(struct perseus__zeus *zeus, const struct perseus__zeus_job *job)
{
	struct perseus__text text = perseus__text_init(MAX_JOB_BYTES);
	if (!zeus->store)
		return NULL;
	perseus__zeus_encode_job(&text, &job->info);
	if (!text.failed)
		text.length--; /* its last brace */
	perseus__text_addf(&text, ", \"scheduler\": \"%s\"}", perseus__zeus_scheduler_name(job->scheduler));
	return put(jobs, job->id, &text);
}

struct perseus__write *
perseus__zeus_keep_rank(struct perseus__zeus *zeus, const struct perseus__zeus_job *job, int32_t rank)
{
	char key[KEY_BYTES];
	struct perseus__write *write = zeus->store ? perseus__write_new() : NULL;
	rank_key(job, rank, key);
	if (write)
		perseus__write_put_document(write, ranks, key, job->ranks[rank].text, strlen(job->ranks[rank].text));
	return write;
}

static void
add_round(struct perseus__text *text, const struct perseus__zeus_job *job)
{
	perseus__text_addf(
			text, "{\"round\": %lld, \"is_open\": %s}", (long long)job->round.number, job->is_open ? "true" : "false");
}

struct perseus__write *
perseus__zeus_keep_round(struct perseus__zeus *zeus, const struct perseus__zeus_job *job)
{
	struct perseus__text text = perseus__text_init(MAX_JOB_BYTES);
	if (!zeus->store)
		return NULL;
	add_round(&text, job);
	return put(rounds, job->id, &text);
}

struct perseus__write *
perseus__zeus_keep_plan(struct perseus__zeus *zeus, const struct perseus__zeus_job *job)
{
	const struct perseus__zeus_plan *plan = job->plan;
	struct perseus__text text = perseus__text_init(MAX_PLAN_BYTES), round = perseus__text_init(MAX_JOB_BYTES);
	if (!zeus->store)
		return NULL;
	const char *mark = plan->failure ? failure_mark : solution_mark;
	perseus__text_add(&text, mark, strlen(mark));
	if (plan->failure)
		perseus__text_add(&text, plan->failure, strlen(plan->failure));
	else
		perseus__text_add(&text, plan->text, plan->length);
	add_round(&round, job);
	struct perseus__write *write = put(plans, job->id, &text);
	if (write && !round.failed)
		perseus__write_put_document(write, rounds, job->id, round.bytes, round.length);
	perseus__text_fini(&round);
	return write;
}

struct perseus__write *
perseus__zeus_keep_result(
		struct perseus__zeus *zeus, const struct perseus__zeus_job *job, int32_t rank, struct perseus__text *text)
{
	char key[KEY_BYTES];
	if (!zeus->store)
		return NULL;
	rank_key(job, rank, key);
	perseus__text_addf(text, "\n%lld", (long long)job->round.number);
	return put(results, key, text);
}

void
perseus__zeus_drop(struct perseus__zeus *zeus, const struct perseus__zeus_job *job)
{
	struct perseus_error err;
	if (!zeus->store)
		return;
	struct perseus__write *write = perseus__write_new();
	perseus__write_delete_document(write, jobs, job->id);
	perseus__write_delete_document(write, plans, job->id);
	perseus__write_delete_document(write, rounds, job->id);
	for (int32_t rank = 0; rank < job->info.world_size; rank++) {
		char key[KEY_BYTES];
		rank_key(job, rank, key);
		if (job->ranks[rank].text)
			perseus__write_delete_document(write, ranks, key);
		if (job->state == PERSEUS__ZEUS_RUNNING)
			perseus__write_delete_document(write, results, key);
	}
	if (perseus__store_submit(zeus->store, write, NULL, NULL, &err) != PERSEUS_OK)
		perseus__log_message(PERSEUS__LOG_WARNING, "zeus", "job %s stays in the store: %s", job->id, err.message);
}

/* A document that this program has not written, or not like that. */
static enum perseus_status
fail_kept(const char *collection, const char *key, struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_INVALID, "the store's %s of %s is not what it should be", collection, key);
}

/* What became of decoding; frees the refusal. */
static enum perseus_status
check_decoded(enum perseus_status status, struct perseus__zeus_refusal *refusal, const char *collection,
		const char *key, struct perseus_error *err)
{
	if (status == PERSEUS_NO_MEMORY)
		return perseus__no_memory(err);
	if (status == PERSEUS_INVALID)
		perseus__text_fini(&refusal->text);
	return status == PERSEUS_OK ? PERSEUS_OK : fail_kept(collection, key, err);
}

/* The scheduler that a job's document names. */
static bool
find_scheduler(const char *bytes, size_t length, enum perseus__zeus_scheduler *scheduler)
{
	struct perseus__lax_error error;
	json_t *document = perseus__lax_parse(bytes, length, &error);
	const char *name = json_string_value(json_object_get(document, "scheduler"));
	bool is_found = false;
#define X(name_, text)                                                                    \
	if (name && strcmp(name, perseus__zeus_scheduler_name(PERSEUS__ZEUS_##name_)) == 0) { \
		*scheduler = PERSEUS__ZEUS_##name_;                                               \
		is_found = true;                                                                  \
	}
	PERSEUS__ZEUS_SCHEDULER_MAP(X)
#undef X
	json_decref(document);
	return is_found;
}

static enum perseus_status
take_job(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__zeus *zeus = user;
	const char *id = columns[0].text;
	const struct perseus__zeus_body body = {columns[1].text, columns[1].length, NULL};
	enum perseus__zeus_scheduler scheduler;
	struct perseus__zeus_job_info info;
	struct perseus__zeus_refusal refusal;
	struct perseus__zeus_job *job;
	(void)n_columns;
	const enum perseus_status status =
			check_decoded(perseus__zeus_decode_job(&body, &info, &refusal), &refusal, jobs, id, err);
	if (status != PERSEUS_OK)
		return status;
	const bool is_good = strlen(id) < PERSEUS__ZEUS_ID_BYTES && find_scheduler(body.bytes, body.length, &scheduler);
	const enum perseus__zeus_outcome outcome = is_good
			? perseus__zeus_jobs_add(&zeus->jobs, id, &info, scheduler, perseus__clock_mono_ns(), &job)
			: PERSEUS__ZEUS_CLASH;
	perseus__zeus_job_info_fini(&info);
	if (outcome == PERSEUS__ZEUS_NO_MEMORY)
		return perseus__no_memory(err);
	return outcome == PERSEUS__ZEUS_DONE ? PERSEUS_OK : fail_kept(jobs, id, err);
}

/* The job of a key "id/rank" or "id"; NULL where there is none. */
static struct perseus__zeus_job *
job_of_key(const struct perseus__zeus *zeus, const char *key)
{
	char id[PERSEUS__ZEUS_ID_BYTES];
	const size_t length = strcspn(key, "/");
	if (length >= sizeof id)
		return NULL;
	memcpy(id, key, length);
	id[length] = '\0';
	return perseus__zeus_jobs_find(&zeus->jobs, id);
}

static enum perseus_status
take_rank(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__zeus *zeus = user;
	const char *key = columns[0].text, *member;
	const struct perseus__zeus_body body = {columns[1].text, columns[1].length, NULL};
	struct perseus__zeus_job *job = job_of_key(zeus, key);
	struct perseus__zeus_rank_info info;
	struct perseus__zeus_refusal refusal;
	int32_t limit;
	(void)n_columns;
	if (!job)
		return fail_kept(ranks, key, err);
	const enum perseus_status status =
			check_decoded(perseus__zeus_decode_rank(&body, &info, &refusal), &refusal, ranks, key, err);
	if (status != PERSEUS_OK)
		return status;
	char *text = perseus__copy_string(body.bytes);
	const enum perseus__zeus_outcome outcome =
			text ? perseus__zeus_begin_rank(job, &info, &text, &member, &limit) : PERSEUS__ZEUS_NO_MEMORY;
	if (outcome == PERSEUS__ZEUS_DONE)
		(void)perseus__zeus_end_rank(job, info.rank, true, job->active_ns);
	perseus__free(text);
	perseus__zeus_rank_info_fini(&info);
	if (outcome == PERSEUS__ZEUS_NO_MEMORY)
		return perseus__no_memory(err);
	return outcome == PERSEUS__ZEUS_DONE ? PERSEUS_OK : fail_kept(ranks, key, err);
}

static bool
begins_with(const struct perseus__value *text, const char *mark)
{
	return text->length >= strlen(mark) && memcmp(text->text, mark, strlen(mark)) == 0;
}

static enum perseus_status
take_plan(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__zeus *zeus = user;
	struct perseus__zeus_ready ready = {0};
	const char *key = columns[0].text;
	struct perseus__zeus_job *job = job_of_key(zeus, key);
	struct perseus__zeus_plan *plan = NULL;
	enum perseus_status status;
	(void)n_columns;
	if (!job || job->state != PERSEUS__ZEUS_STARTING)
		return fail_kept(plans, key, err);
	if (begins_with(&columns[1], failure_mark))
		status = perseus__zeus_plan_fail(columns[1].text + strlen(failure_mark), &plan, err);
	else if (begins_with(&columns[1], solution_mark))
		status = perseus__zeus_plan_parse(key, columns[1].text + strlen(solution_mark),
				columns[1].length - strlen(solution_mark), perseus__zeus_n_lists(job), &plan, err);
	else
		status = fail_kept(plans, key, err);
	if (plan)
		perseus__zeus_start(job, plan, job->active_ns, &ready);
	return status;
}

/* Plans that are not there, because the process died or the disk was full before they were: as when all ranks came. */
static enum perseus_status
make_plans(struct perseus__zeus *zeus, struct perseus_error *err)
{
	for (size_t i = 0; i < zeus->jobs.n_jobs; i++) {
		const struct perseus__zeus_job *job = zeus->jobs.jobs[i];
		struct perseus__zeus_plan *plan;
		if (job->state != PERSEUS__ZEUS_STARTING)
			continue;
		const enum perseus_status status =
				perseus__zeus_get_plan(zeus->settings, job->id, perseus__zeus_n_lists(job), &plan, err);
		if (status != PERSEUS_OK)
			return status;
		perseus__zeus_plan_is_there(zeus, job->id, plan);
	}
	return PERSEUS_OK;
}

static enum perseus_status
take_round(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__zeus *zeus = user;
	struct perseus__zeus_job *job = job_of_key(zeus, columns[0].text);
	json_int_t round;
	int is_open;
	(void)n_columns;
	json_t *document = json_loadb(columns[1].text, columns[1].length, 0, NULL);
	const bool is_good = document && json_unpack(document, "{s:I,s:b}", "round", &round, "is_open", &is_open) == 0;
	json_decref(document);
	if (!job || job->state != PERSEUS__ZEUS_RUNNING || !is_good || round < 0)
		return fail_kept(rounds, columns[0].text, err);
	perseus__zeus_resume(job, round, is_open != 0);
	return PERSEUS_OK;
}

/* A result of the round under way; the last of them ends it. */
static enum perseus_status
add_result(struct perseus__zeus *zeus, struct perseus__zeus_job *job, struct perseus__zeus_result *result,
		struct perseus_error *err)
{
	struct perseus__zeus_ready ready = {0};
	struct perseus__zeus_round over = {0};
	struct perseus__zeus_result *kept = perseus__new_array(1, sizeof *kept);
	if (!kept)
		return perseus__no_memory(err);
	*kept = *result;
	*result = (struct perseus__zeus_result){0};
	const int32_t rank = kept->rank;
	const enum perseus__zeus_outcome outcome = perseus__zeus_begin_result(job, &kept);
	if (kept)
		perseus__zeus_result_fini(kept);
	perseus__free(kept);
	if (outcome == PERSEUS__ZEUS_NO_MEMORY)
		return perseus__no_memory(err);
	if (outcome != PERSEUS__ZEUS_DONE)
		return fail_kept(results, job->id, err);
	if (!perseus__zeus_end_result(job, rank, true, job->active_ns, &over, &ready))
		return PERSEUS_OK;
	const bool has_stages = job->scheduler == PERSEUS__ZEUS_POINT_SOLUTION_3D;
	perseus__zeus_note_round(zeus, job->id, has_stages, &over);
	return perseus__store_submit(zeus->store, perseus__zeus_keep_round(zeus, job), NULL, NULL, err);
}

static enum perseus_status
take_result(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__zeus *zeus = user;
	const char *key = columns[0].text;
	struct perseus__zeus_job *job = job_of_key(zeus, key);
	const char *number = memrchr(columns[1].text, '\n', columns[1].length);
	struct perseus__zeus_result result;
	struct perseus__zeus_refusal refusal;
	(void)n_columns;
	if (!job || job->state != PERSEUS__ZEUS_RUNNING || !number)
		return fail_kept(results, key, err);
	const long long round = strtoll(number + 1, NULL, 10);
	if (round < job->round.number)
		return PERSEUS_OK;
	/* That round was not kept, but it was: somebody has been told that this result was taken. */
	if (round > job->round.number)
		perseus__zeus_resume(job, round, true);
	const struct perseus__zeus_body body = {columns[1].text, (size_t)(number - columns[1].text), NULL};
	enum perseus_status status =
			check_decoded(perseus__zeus_decode_result(&body, &result, &refusal), &refusal, results, key, err);
	if (status != PERSEUS_OK)
		return status;
	status = add_result(zeus, job, &result, err);
	perseus__zeus_result_fini(&result);
	return status;
}

static enum perseus_status
take_all(struct perseus__zeus *zeus, const char *collection, perseus__store_row *take, struct perseus_error *err)
{
	return perseus__store_list_documents(zeus->store, collection, take, zeus, err);
}

enum perseus_status
perseus__zeus_take_up(struct perseus__zeus *zeus, struct perseus_error *err)
{
	enum perseus_status status = take_all(zeus, jobs, take_job, err);
	if (status == PERSEUS_OK)
		status = take_all(zeus, ranks, take_rank, err);
	if (status == PERSEUS_OK)
		status = take_all(zeus, plans, take_plan, err);
	if (status == PERSEUS_OK)
		status = make_plans(zeus, err);
	if (status == PERSEUS_OK)
		status = take_all(zeus, rounds, take_round, err);
	if (status == PERSEUS_OK)
		status = take_all(zeus, results, take_result, err);
	return status;
}
