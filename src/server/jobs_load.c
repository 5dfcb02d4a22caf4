/* After a restart: every job where it was. */
#include "base/error.h"
#include "base/memory.h"
#include "server/job.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What rows of one job are read into. */
struct loading {
	struct perseus__jobs *jobs;
	struct perseus__job *job;
	char *profile; /* fingerprint; NULL: none */
	struct loading *next;
};

static void
copy_text(char *to, size_t size, const struct perseus__value *value)
{
	(void)snprintf(to, size, "%s", value->text ? value->text : "");
}

/* The list of jobs being loaded, and its end. */
struct list {
	struct perseus__jobs *jobs;
	struct loading *first, **end;
};

static enum perseus_status
make_job(struct perseus__jobs *jobs, const struct perseus__value *document, struct perseus__job **out,
		struct perseus_error *err)
{
	struct perseus__job_request request;
	const enum perseus_status status = perseus__job_request_decode(document->text, document->length, &request, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__job *job = perseus__job_new(jobs, &request, document->text);
	if (!job) {
		perseus__job_request_fini(&request);
		return perseus__no_memory(err);
	}
	*out = job;
	return PERSEUS_OK;
}

static enum perseus_status
read_job(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	enum { ID, DOCUMENT, STATE, REASON, CREATED, SEEN, ENDED, TARGET, PROFILE };
	struct list *list = user;
	struct perseus__job *job = NULL;
	(void)n_columns;
	enum perseus_status status = make_job(list->jobs, &columns[DOCUMENT], &job, err);
	if (status != PERSEUS_OK)
		return status;
	struct loading *loading = perseus__new_array(1, sizeof *loading);
	if (loading && columns[PROFILE].text)
		loading->profile = perseus__copy_string(columns[PROFILE].text);
	if (!loading || (columns[PROFILE].text && !loading->profile)) {
		perseus__free(loading);
		perseus__job_free(job);
		return perseus__no_memory(err);
	}
	copy_text(job->id, sizeof job->id, &columns[ID]);
	copy_text(job->reason, sizeof job->reason, &columns[REASON]);
	job->created_ms = columns[CREATED].integer;
	job->seen_ms = job->saved_seen_ms = columns[SEEN].integer;
	job->ended_ms = columns[ENDED].integer;
	if (strcmp(columns[STATE].text, "ended") == 0) {
		job->phase = PERSEUS__JOB_PHASE_ENDED;
		perseus__free(job->key);
		job->key = NULL;
	}
	if (columns[TARGET].text)
		status = perseus__target_decode(columns[TARGET].text, columns[TARGET].length, &job->target, err);
	*loading = (struct loading){.jobs = list->jobs, .job = job, .profile = loading->profile};
	*list->end = loading;
	list->end = &loading->next;
	perseus__jobs_append(list->jobs, job);
	return status;
}

static enum perseus_status
read_order(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	json_t *orders = user;
	char id[32];
	(void)n_columns;
	(void)snprintf(id, sizeof id, "%lld", (long long)columns[0].integer);
	return json_object_set_new(orders, id, json_stringn(columns[1].text, columns[1].length)) == 0
			? PERSEUS_OK
			: perseus__no_memory(err);
}

/* Ranks of a job, and the texts of its orders by id. */
struct rank_reading {
	struct perseus__job *job;
	json_t *orders;
};

/* "0F0 0F1" → ["0F0", "0F1"] */
static json_t *
split_order(const char *text)
{
	json_t *array = json_array();
	while (text && *text) {
		const size_t length = strcspn(text, " ");
		if (json_array_append_new(array, json_stringn(text, length)) != 0)
			break;
		text += length + (text[length] == ' ');
	}
	return array;
}

/* The registration as it was sent, for the decoder that has checked it then. */
static char *
whole_registration(const char *document, const char *order)
{
	json_t *object = json_loads(document, 0, NULL);
	char *text = NULL;
	if (object && json_object_set_new(object, "order", split_order(order)) == 0)
		text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	return text;
}

static enum perseus_status
read_rank(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	enum { DOCUMENT, ORDER };
	struct rank_reading *reading = user;
	struct perseus__job *job = reading->job;
	(void)n_columns;
	char id[32];
	(void)snprintf(id, sizeof id, "%lld", (long long)columns[ORDER].integer);
	char *whole = whole_registration(columns[DOCUMENT].text, json_string_value(json_object_get(reading->orders, id)));
	if (!whole)
		return perseus__fail(err, PERSEUS_INVALID, "the store has a rank of job %s that cannot be read", job->id);
	struct perseus__rank_request request;
	enum perseus_status status = perseus__rank_request_decode(whole, strlen(whole), &request, err);
	perseus__free(whole);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__job_check_rank(job, &request, err);
	if (status == PERSEUS_OK)
		status = perseus__job_set_rank(job, &request, columns[ORDER].integer, columns[DOCUMENT].text, err);
	if (status == PERSEUS_OK)
		perseus__job_hear(job, &job->ranks[request.rank]);
	if (columns[ORDER].integer >= job->next_order_id)
		job->next_order_id = columns[ORDER].integer + 1;
	perseus__rank_request_fini(&request);
	return status;
}

static enum perseus_status
load_ranks(struct perseus__job *job, struct perseus_error *err)
{
	const struct perseus__value id = perseus__value_text(job->id);
	const int64_t seen_ms = job->seen_ms;
	struct rank_reading reading = {.job = job, .orders = json_object()};
	enum perseus_status status = reading.orders ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = perseus__store_read(job->jobs->settings.store, "SELECT id, instructions FROM orders WHERE job = ?",
				&id, 1, read_order, reading.orders, err);
	if (status == PERSEUS_OK)
		status = perseus__store_read(job->jobs->settings.store,
				"SELECT document, order_id FROM ranks WHERE job = ? ORDER BY rank", &id, 1, read_rank, &reading, err);
	json_decref(reading.orders);
	job->seen_ms = seen_ms;
	return status;
}

static enum perseus_status
read_profile(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__job *job = user;
	struct perseus__profile_document document;
	(void)n_columns;
	const enum perseus_status status =
			perseus__profile_document_read(columns[0].text, columns[0].length, &document, err);
	if (status != PERSEUS_OK)
		return status;
	if (document.is_uploaded)
		document.csv = perseus__copy_string(columns[1].text); /* without it, one is made when asked for */
	perseus__job_set_profile(job, &document);
	job->is_profile_saved = true;
	return PERSEUS_OK;
}

static enum perseus_status
read_straggler(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__job *job = user;
	(void)n_columns;
	const struct perseus__announcement announcement = {
		.pipeline = (int32_t)columns[0].integer, .from_ms = columns[1].integer, .degree = columns[2].real};
	return perseus__announced_add(&job->announced, announcement, job->request.parallel.dp, err);
}

static enum perseus_status
find_phase(const char *name, enum perseus__phase *phase, struct perseus_error *err)
{
	for (int i = 0; i <= PERSEUS__PHASE_FREE; i++)
		if (strcmp(name, perseus__phase_name((enum perseus__phase)i)) == 0) {
			*phase = (enum perseus__phase)i;
			return PERSEUS_OK;
		}
	return perseus__fail(err, PERSEUS_INVALID, "the store has a revision of phase %s", name);
}

/* In the order of revisions: those that were started follow each other; one behind them was offered at most. */
static enum perseus_status
read_revision(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	enum { PIPELINE, NUMBER, PHASE, PROGRAM, PREDICTED, FROM };
	struct perseus__job *job = user;
	enum perseus__phase phase = PERSEUS__PHASE_FREE;
	struct perseus__program *program = NULL;
	(void)n_columns;
	const int64_t p = columns[PIPELINE].integer;
	if (p < 0 || p >= job->request.parallel.dp)
		return perseus__fail(err, PERSEUS_INVALID, "the store has a revision of pipeline %lld", (long long)p);
	enum perseus_status status = find_phase(columns[PHASE].text, &phase, err);
	if (status == PERSEUS_OK)
		status = perseus__program_read(phase, columns[PROGRAM].text, columns[PREDICTED].text, &program, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__rollout *rollout = &job->pipelines[p].rollout;
	rollout->next_number = columns[NUMBER].integer;
	struct perseus__revision *revision = perseus__rollout_add(rollout, program);
	revision->state = PERSEUS__REVISION_OFFERED;
	if (columns[FROM].type == PERSEUS__VALUE_INTEGER) {
		revision->from_step = columns[FROM].integer;
		perseus__rollout_start(rollout);
	}
	return PERSEUS_OK;
}

static enum perseus_status
read_sums(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__job *job = user;
	(void)n_columns;
	job->epoch = (int32_t)columns[0].integer;
	job->saved_step = columns[1].integer;
	const enum perseus_status status = perseus__savings_read(columns[2].text, &job->savings, err);
	return status;
}

/* Steps began anew: as when it happened. */
static void
replay_epoch(struct perseus__job *job, int32_t epoch)
{
	job->epoch = epoch;
	job->last_complete = -1;
	job->saved_step = -1;
	perseus__steps_reset(&job->steps);
	for (int32_t r = 0; r < job->n_ranks; r++) {
		job->ranks[r].reported = -1;
		job->ranks[r].begun = -1;
	}
}

static enum perseus_status
replay_report(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__job *job = user;
	struct perseus__report report;
	const int64_t rank = columns[0].integer, epoch = columns[1].integer;
	(void)n_columns;
	if (rank < 0 || rank >= job->n_ranks || !job->ranks[rank].is_registered || epoch < job->epoch)
		return PERSEUS_OK;
	const enum perseus_status status = perseus__report_decode(columns[2].text, columns[2].length, &report, err);
	if (status != PERSEUS_OK)
		return status;
	if (epoch > job->epoch)
		replay_epoch(job, (int32_t)epoch);
	(void)perseus__job_apply_report(job, &job->ranks[rank], &report);
	perseus__report_fini(&report);
	return PERSEUS_OK;
}

/* Programs must fit the schedule that the ranks' orders make. */
static void
check_programs(struct perseus__job *job)
{
	for (int32_t p = 0; job->schedule && p < job->request.parallel.dp; p++) {
		struct perseus__rollout *rollout = &job->pipelines[p].rollout;
		const struct perseus__program *latest = perseus__rollout_latest(rollout);
		if (latest && latest->n_columns != (latest->is_by_class ? job->n_classes : job->schedule->n_instructions))
			perseus__rollout_clear(rollout);
	}
}

static enum perseus_status
load_tables(struct perseus__job *job, const char *profile, struct perseus_error *err)
{
	struct perseus__store *store = job->jobs->settings.store;
	const struct perseus__value id = perseus__value_text(job->id), fingerprint = perseus__value_text(profile);
	enum perseus_status status = load_ranks(job, err);
	if (status == PERSEUS_OK && profile)
		status = perseus__store_read(store, "SELECT document, csv FROM profiles WHERE fingerprint = ?", &fingerprint, 1,
				read_profile, job, err);
	if (status == PERSEUS_OK)
		status = perseus__store_read(store,
				"SELECT pipeline, from_ms, degree FROM stragglers WHERE job = ? ORDER BY pipeline, from_ms", &id, 1,
				read_straggler, job, err);
	if (status == PERSEUS_OK)
		status = perseus__store_read(store,
				"SELECT pipeline, revision, phase, program, predicted, from_step FROM revisions AS r"
				" WHERE job = ? AND revision > (SELECT max(revision) FROM revisions"
				" WHERE job = r.job AND pipeline = r.pipeline) - 10 ORDER BY pipeline, revision",
				&id, 1, read_revision, job, err);
	return status;
}

static enum perseus_status
load_job(struct perseus__job *job, const char *profile, struct perseus_error *err)
{
	struct perseus__store *store = job->jobs->settings.store;
	const struct perseus__value id = perseus__value_text(job->id);
	enum perseus_status status = perseus__store_read(
			store, "SELECT epoch, step, document FROM sums WHERE job = ?", &id, 1, read_sums, job, err);
	if (status != PERSEUS_OK || job->phase == PERSEUS__JOB_PHASE_ENDED)
		return status;
	job->is_replaying = true;
	status = load_tables(job, profile, err);
	if (status == PERSEUS_OK) {
		perseus__job_assemble(job);
		check_programs(job);
		status = perseus__store_read(store, "SELECT rank, epoch, body FROM reports WHERE job = ? ORDER BY id", &id, 1,
				replay_report, job, err);
	}
	if (job->last_complete < job->saved_step)
		job->last_complete = job->saved_step;
	for (int32_t r = 0; r < job->n_ranks; r++)
		job->ranks[r].epoch = job->epoch;
	job->is_replaying = false;
	perseus__announced_trim(&job->announced, job->jobs->now.wall_ms);
	job->announced_ms = perseus__announced_next_ms(&job->announced, job->jobs->now.wall_ms);
	perseus__job_pump_walk(job);
	for (int32_t p = 0; p < job->request.parallel.dp; p++)
		perseus__job_advance(job, p);
	return status;
}

/* Which job it is that the store holds what this program never wrote of. */
static enum perseus_status
name_job(const struct perseus__job *job, enum perseus_status status, struct perseus_error *err)
{
	if (status != PERSEUS_INVALID || !err)
		return status;
	const struct perseus_error why = *err;
	return perseus__fail(err, status, "job %s cannot be read from the store: %s", job->id, why.message);
}

enum perseus_status
perseus__jobs_load(struct perseus__jobs *jobs, struct perseus_error *err)
{
	struct list list = {.jobs = jobs, .end = &list.first};
	enum perseus_status status = perseus__store_read(jobs->settings.store,
			"SELECT id, document, state, reason, created_ms, seen_ms, ended_ms, target, profile FROM jobs"
			" ORDER BY created_ms, id",
			NULL, 0, read_job, &list, err);
	while (list.first) {
		struct loading *loading = list.first;
		list.first = loading->next;
		if (status == PERSEUS_OK)
			status = name_job(loading->job, load_job(loading->job, loading->profile, err), err);
		perseus__free(loading->profile);
		perseus__free(loading);
	}
	return status;
}
