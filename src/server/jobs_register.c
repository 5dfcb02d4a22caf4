/* Registrations of jobs and their ranks. */
#include "base/error.h"
#include "base/memory.h"
#include "format/json_writer.h"
#include "server/job.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* A job that is being registered. */
struct registration {
	struct perseus__job_request request;
	char *document;
	char id[PERSEUS__JOB_ID_BYTES];
};

static void
free_registration(void *data)
{
	struct registration *registration = data;
	if (!registration)
		return;
	perseus__job_request_fini(&registration->request);
	perseus__free(registration->document);
	perseus__free(registration);
}

static void
answer_registered(struct perseus__jobs *jobs, struct perseus__call *call, const char *id, bool is_new)
{
	struct perseus__json json = perseus__call_json(jobs, call, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "job", id);
	perseus__json_boolean(&json, "is_new", is_new);
	perseus__json_close_object(&json);
}

/* A job of the same key, answered; false where there is none. */
static bool
answer_known(struct perseus__jobs *jobs, struct perseus__call *call, const struct registration *registration)
{
	const char *key = registration->request.key;
	for (struct perseus__job *job = jobs->first; key && job; job = job->next) {
		if (!job->key || strcmp(job->key, key) != 0)
			continue;
		job->seen_ms = jobs->now.wall_ms;
		if (strcmp(job->document, registration->document) == 0)
			answer_registered(jobs, call, job->id, false);
		else
			perseus__call_error(
					jobs, call, 409, "key: job %s has this key and was registered with other content", job->id);
		return true;
	}
	return false;
}

static void
saved_registration(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	struct registration *registration = saving->data;
	struct perseus__jobs *jobs = saving->jobs;
	(void)job;
	if (answer_known(jobs, saving->call, registration))
		return; /* another with the same key was quicker, and the store refused this one */
	if (err) {
		perseus__call_error(jobs, saving->call, 503, "%s", err->message);
		return;
	}
	struct perseus__job *made = perseus__job_new(jobs, &registration->request, registration->document);
	if (!made) {
		perseus__call_error(jobs, saving->call, 503, "out of memory");
		return;
	}
	memcpy(made->id, registration->id, sizeof made->id);
	perseus__jobs_append(jobs, made);
	answer_registered(jobs, saving->call, made->id, true);
	perseus__job_tell(made, PERSEUS__JOB_EVENT_JOB, "{\"state\":\"registered\",\"ranks\":%d}", (int)made->n_ranks);
}

static enum perseus_status
make_id(char id[PERSEUS__JOB_ID_BYTES], struct perseus_error *err)
{
	unsigned char bytes[8];
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
		return perseus__fail(err, PERSEUS_IO, "no random number for a job's id: %s", strerror(errno));
	size_t length = 0;
	for (size_t i = 0; i < sizeof bytes; i++)
		length += (size_t)snprintf(id + length, PERSEUS__JOB_ID_BYTES - length, "%02x", bytes[i]);
	return PERSEUS_OK;
}

static enum perseus_status
decode_registration(const struct perseus__message *message, struct registration **out, struct perseus_error *err)
{
	struct registration *registration = perseus__new_array(1, sizeof *registration);
	if (!registration)
		return perseus__no_memory(err);
	enum perseus_status status =
			perseus__job_request_decode(message->bytes, message->length, &registration->request, err);
	if (status == PERSEUS_OK)
		registration->document = json_dumps(registration->request.document, JSON_SORT_KEYS | JSON_COMPACT);
	if (status == PERSEUS_OK && !registration->document)
		status = perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = make_id(registration->id, err);
	if (status == PERSEUS_OK)
		*out = registration;
	else
		free_registration(registration);
	return status;
}

/* Within the lock. False: answered. */
static bool
save_registration(struct perseus__jobs *jobs, struct perseus__call *call, struct registration *registration)
{
	const struct perseus__value values[] = {
		perseus__value_text(registration->id),
		perseus__value_text(registration->request.key),
		perseus__value_text(registration->document),
		perseus__value_integer(jobs->now.wall_ms),
	};
	struct perseus__write *write = perseus__write_new();
	perseus__write_add(write,
			"INSERT INTO jobs (id, key, document, state, created_ms, seen_ms)"
			" VALUES (?1, ?2, ?3, 'running', ?4, ?4)",
			values, 4);
	struct perseus_error err = {.message = ""};
	const struct perseus__saving saving = {
		.saved = saved_registration, .call = call, .data = registration, .free_data = free_registration};
	const bool is_under_way = perseus__jobs_save(jobs, write, &saving, &err);
	if (!is_under_way)
		perseus__call_fail(jobs, call, &err);
	return is_under_way;
}

void
perseus__jobs_register(struct perseus__jobs *jobs, struct perseus__call *call, const struct perseus__message *message)
{
	struct registration *registration = NULL;
	struct perseus_error err = {.message = ""};
	if (decode_registration(message, &registration, &err) != PERSEUS_OK) {
		perseus__call_refuse(jobs, call, &err);
		return;
	}
	const struct perseus__parallel n = registration->request.parallel;
	const int32_t n_ranks = n.dp * n.pp * n.tp * n.cp;
	perseus__jobs_lock(jobs, message->now);
	bool is_answered = answer_known(jobs, call, registration);
	if (!is_answered && n_ranks > jobs->settings.max_ranks) {
		perseus__call_error(jobs, call, 400, "parallel: %d ranks: this server takes %d of a job at most", (int)n_ranks,
				(int)jobs->settings.max_ranks);
		is_answered = true;
	} else if (!is_answered && jobs->n_jobs >= jobs->settings.max_jobs) {
		perseus__call_error(jobs, call, 503, "there are %d jobs, as many as this server takes", (int)jobs->n_jobs);
		is_answered = true;
	}
	if (is_answered)
		free_registration(registration);
	else
		(void)save_registration(jobs, call, registration);
	perseus__jobs_unlock(jobs);
}

/* A rank that is being registered. */
struct joining {
	struct perseus__rank_request request;
	char *document; /* without the order */
	int64_t order_id;
};

static void
free_joining(void *data)
{
	struct joining *joining = data;
	if (!joining)
		return;
	perseus__rank_request_fini(&joining->request);
	perseus__free(joining->document);
	perseus__free(joining);
}

static void
answer_rank(struct perseus__jobs *jobs, struct perseus__call *call, int32_t rank)
{
	struct perseus__json json = perseus__call_json(jobs, call, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "rank", rank);
	perseus__json_close_object(&json);
}

static void
saved_rank(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	struct joining *joining = saving->data;
	struct perseus_error why = {.message = ""};
	const int32_t index = joining->request.rank;
	const bool is_saved = perseus__saving_is_done(saving, job, err);
	if (!job) /* forgotten, places and all */
		return;
	enum perseus_status status = PERSEUS_OK;
	if (is_saved)
		status = perseus__job_set_rank(job, &joining->request, joining->order_id, joining->document, &why);
	perseus__job_release_place(job, index);
	if (!is_saved)
		return;
	if (status != PERSEUS_OK) {
		perseus__call_fail(saving->jobs, saving->call, &why);
		return;
	}
	perseus__job_hear(job, &job->ranks[index]);
	answer_rank(saving->jobs, saving->call, index);
	perseus__job_assemble(job);
}

static enum perseus_status
decode_rank(const struct perseus__message *message, struct joining **out, struct perseus_error *err)
{
	struct joining *joining = perseus__new_array(1, sizeof *joining);
	if (!joining)
		return perseus__no_memory(err);
	enum perseus_status status = perseus__rank_request_decode(message->bytes, message->length, &joining->request, err);
	if (status == PERSEUS_OK) {
		(void)json_object_del(joining->request.document, "order");
		joining->document = json_dumps(joining->request.document, JSON_SORT_KEYS | JSON_COMPACT);
		if (!joining->document)
			status = perseus__no_memory(err);
	}
	if (status == PERSEUS_OK)
		*out = joining;
	else
		free_joining(joining);
	return status;
}

static bool
is_registered_so(const struct perseus__job *job, const struct joining *joining)
{
	const struct perseus__rank *rank = &job->ranks[joining->request.rank];
	return rank->is_registered && strcmp(rank->document, joining->document) == 0
			&& strcmp(job->orders[rank->order].text, joining->request.order_text) == 0;
}

static void
save_rank(struct perseus__job *job, struct perseus__call *call, struct joining *joining)
{
	const int64_t known = perseus__job_find_order(job, joining->request.order_text);
	/* Two ranks that come at once may bring the same order under two ids: they share it in memory. */
	joining->order_id = known >= 0 ? job->orders[known].id : job->next_order_id++;
	struct perseus__write *write = perseus__write_new();
	const struct perseus__value order[] = {perseus__value_text(job->id), perseus__value_integer(joining->order_id),
		perseus__value_text(joining->request.order_text)};
	if (known < 0)
		perseus__write_add(write, "INSERT INTO orders VALUES (?, ?, ?)", order, 3);
	const struct perseus__value rank[] = {
		order[0], perseus__value_integer(joining->request.rank), perseus__value_text(joining->document), order[1]};
	perseus__write_add(write, "INSERT OR REPLACE INTO ranks VALUES (?, ?, ?, ?)", rank, 4);
	struct perseus_error err = {.message = ""};
	const struct perseus__saving saving = {
		.saved = saved_rank, .call = call, .data = joining, .free_data = free_joining};
	const int32_t index = joining->request.rank;
	perseus__job_claim_place(job, &joining->request);
	if (!perseus__job_save(job, write, &saving, &err)) {
		perseus__job_release_place(job, index);
		perseus__call_fail(job->jobs, call, &err);
	}
}

void
perseus__jobs_register_rank(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, const struct perseus__message *message)
{
	struct joining *joining = NULL;
	struct perseus_error err = {.message = ""};
	if (decode_rank(message, &joining, &err) != PERSEUS_OK) {
		perseus__call_refuse(jobs, call, &err);
		return;
	}
	perseus__jobs_lock(jobs, message->now);
	struct perseus__job *job = perseus__jobs_find_running(jobs, call, id);
	bool is_answered = !job;
	if (job
			&& (perseus__job_check_rank(job, &joining->request, &err) != PERSEUS_OK
					|| perseus__job_check_order(job, &joining->request, &err) != PERSEUS_OK)) {
		perseus__call_fail(jobs, call, &err);
		is_answered = true;
	} else if (job && is_registered_so(job, joining)) {
		perseus__job_hear(job, &job->ranks[joining->request.rank]);
		answer_rank(jobs, call, joining->request.rank);
		is_answered = true;
	}
	if (is_answered)
		free_joining(joining);
	else
		save_rank(job, call, joining);
	perseus__jobs_unlock(jobs);
}
