/* Ranks: who they are, whether they are still there, and what they wait for. */
#include "base/error.h"
#include "base/memory.h"
#include "server/job.h"

#include <math.h>
#include <string.h>

enum { MAX_ORDER_BYTES = 64 << 20 /* of all orders of a job together */ };

/* How long a rank whose connection broke may take to come back before it is taken for gone. */
#define BROKEN_NS (INT64_C(5) * 1000000000)

static int64_t
coordinate(const struct perseus__job *job, const struct perseus__parallel *at)
{
	const struct perseus__parallel *n = &job->request.parallel;
	return (((int64_t)at->dp * n->pp + at->pp) * n->tp + at->tp) * n->cp + at->cp;
}

static enum perseus_status
check_range(const char *name, int32_t value, int32_t n, struct perseus_error *err)
{
	if (value < n)
		return PERSEUS_OK;
	return perseus__fail(err, PERSEUS_INVALID, "%s: %d: the job has 0 to %d", name, value, n - 1);
}

enum perseus_status
perseus__job_check_rank(
		const struct perseus__job *job, const struct perseus__rank_request *request, struct perseus_error *err)
{
	const struct perseus__parallel *n = &job->request.parallel, *at = &request->at;
	enum perseus_status status = check_range("rank", request->rank, job->n_ranks, err);
	if (status == PERSEUS_OK)
		status = check_range("dp", at->dp, n->dp, err);
	if (status == PERSEUS_OK)
		status = check_range("pp", at->pp, n->pp, err);
	if (status == PERSEUS_OK)
		status = check_range("tp", at->tp, n->tp, err);
	if (status == PERSEUS_OK)
		status = check_range("cp", at->cp, n->cp, err);
	if (status == PERSEUS_OK)
		status = check_range("ep", at->ep, n->ep, err);
	if (status != PERSEUS_OK)
		return status;
	const int32_t there = job->rank_at[coordinate(job, at)];
	if (there >= 0 && there != request->rank)
		return perseus__fail(err, PERSEUS_BUSY, "dp %d, pp %d, tp %d, cp %d is rank %d already", at->dp, at->pp, at->tp,
				at->cp, there);
	const struct perseus__rank *rank = &job->ranks[request->rank];
	if ((rank->is_registered || rank->n_joining > 0) && coordinate(job, &rank->at) != coordinate(job, at))
		return perseus__fail(err, PERSEUS_BUSY, "rank %d is at dp %d, pp %d, tp %d, cp %d already", request->rank,
				rank->at.dp, rank->at.pp, rank->at.tp, rank->at.cp);
	return PERSEUS_OK;
}

enum perseus_status
perseus__job_check_order(
		const struct perseus__job *job, const struct perseus__rank_request *request, struct perseus_error *err)
{
	if (request->n_order > job->jobs->settings.max_order)
		return perseus__fail(err, PERSEUS_INVALID, "order: %d instructions: expected %d at most", (int)request->n_order,
				(int)job->jobs->settings.max_order);
	if (perseus__job_find_order(job, request->order_text) < 0
			&& job->n_order_bytes + strlen(request->order_text) > MAX_ORDER_BYTES)
		return perseus__fail(err, PERSEUS_BUSY, "the orders of this job's ranks have more than %d bytes together",
				(int)MAX_ORDER_BYTES);
	return PERSEUS_OK;
}

void
perseus__job_claim_place(struct perseus__job *job, const struct perseus__rank_request *request)
{
	struct perseus__rank *rank = &job->ranks[request->rank];
	rank->n_joining++;
	rank->at = request->at;
	job->rank_at[coordinate(job, &rank->at)] = request->rank;
}

void
perseus__job_release_place(struct perseus__job *job, int32_t index)
{
	struct perseus__rank *rank = &job->ranks[index];
	if (--rank->n_joining == 0 && !rank->is_registered)
		job->rank_at[coordinate(job, &rank->at)] = -1;
}

int64_t
perseus__job_find_order(const struct perseus__job *job, const char *text)
{
	for (size_t i = 0; i < job->n_orders; i++)
		if (strcmp(job->orders[i].text, text) == 0)
			return (int64_t)i;
	return -1;
}

static enum perseus_status
add_order(struct perseus__job *job, const struct perseus__rank_request *request, int64_t id, int64_t *index,
		struct perseus_error *err)
{
	*index = perseus__job_find_order(job, request->order_text);
	if (*index >= 0)
		return PERSEUS_OK;
	char *text = perseus__copy_string(request->order_text);
	if (!text || !perseus__reserve(&job->orders, &job->order_capacity, job->n_orders + 1, sizeof *job->orders)) {
		perseus__free(text);
		return perseus__no_memory(err);
	}
	*index = (int64_t)job->n_orders;
	job->orders[job->n_orders++] = (struct perseus__shared_order){.id = id, .text = text, .n = request->n_order};
	job->n_order_bytes += strlen(text);
	return PERSEUS_OK;
}

/* Texts and clocks of a registration, copied; none or all. */
static bool
copy_rank(const struct perseus__rank_request *request, const char *document, struct perseus__rank *rank)
{
	rank->document = perseus__copy_string(document);
	rank->gpu_name = perseus__copy_string(request->gpu_name);
	rank->gpu_driver = perseus__copy_string(request->gpu_driver);
	rank->clocks_mhz = perseus__new_array((size_t)request->n_clocks, sizeof *rank->clocks_mhz);
	if (!rank->document || !rank->gpu_name || !rank->gpu_driver || !rank->clocks_mhz)
		return false;
	memcpy(rank->clocks_mhz, request->clocks_mhz, sizeof *rank->clocks_mhz * (size_t)request->n_clocks);
	return true;
}

static void
free_texts(const struct perseus__rank *rank)
{
	perseus__free(rank->document);
	perseus__free(rank->gpu_name);
	perseus__free(rank->gpu_driver);
	perseus__free(rank->clocks_mhz);
}

enum perseus_status
perseus__job_set_rank(struct perseus__job *job, const struct perseus__rank_request *request, int64_t order_id,
		const char *document, struct perseus_error *err)
{
	struct perseus__rank *rank = &job->ranks[request->rank];
	struct perseus__rank made = {.n_clocks = request->n_clocks};
	int64_t order = -1;
	enum perseus_status status = copy_rank(request, document, &made) ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = add_order(job, request, order_id, &order, err);
	if (status != PERSEUS_OK) {
		free_texts(&made);
		return status;
	}
	free_texts(rank);
	rank->document = made.document;
	rank->gpu_name = made.gpu_name;
	rank->gpu_driver = made.gpu_driver;
	rank->clocks_mhz = made.clocks_mhz;
	rank->n_clocks = made.n_clocks;
	rank->is_simulated = request->is_simulated;
	rank->control = request->control;
	rank->at = request->at;
	if (!isnan(request->switch_latency_s))
		rank->switch_latency_s = request->switch_latency_s;
	if (rank->order >= 0)
		job->orders[rank->order].n_ranks--;
	rank->order = order;
	job->orders[order].n_ranks++;
	if (!rank->is_registered)
		rank->epoch = job->epoch;
	job->n_registered += !rank->is_registered;
	rank->is_registered = true;
	job->rank_at[coordinate(job, &rank->at)] = request->rank;
	return PERSEUS_OK;
}

static void
set_present(struct perseus__job *job, struct perseus__rank *rank, bool is_present)
{
	struct perseus__pipeline *pipeline = &job->pipelines[rank->at.dp];
	const int change = is_present ? 1 : -1;
	rank->is_present = is_present;
	job->n_present += change;
	pipeline->n_present += change;
	if (pipeline->rollout.coming.program && rank->have >= pipeline->rollout.coming.number)
		pipeline->n_have += change;
	perseus__job_tell(job, PERSEUS__JOB_EVENT_RANK, "{\"rank\":%d,\"pipeline\":%d,\"is_present\":%s}",
			(int)(rank - job->ranks), rank->at.dp, is_present ? "true" : "false");
}

void
perseus__job_hear(struct perseus__job *job, struct perseus__rank *rank)
{
	rank->seen_ns = job->jobs->now.mono_ns;
	job->seen_ms = job->jobs->now.wall_ms;
	if (!rank->is_present && rank->is_registered)
		set_present(job, rank, true);
}

/* Its process began anew: so do its steps, and with the first such rank those of the job. */
static void
begin_anew(struct perseus__job *job, struct perseus__rank *rank, int64_t step)
{
	struct perseus__pipeline *pipeline = &job->pipelines[rank->at.dp];
	rank->begun = step;
	rank->reported = -1;
	if (rank->is_present && pipeline->rollout.coming.program && rank->have >= pipeline->rollout.coming.number)
		pipeline->n_have--;
	rank->have = -1;
	rank->start = -1;
	if (rank->epoch == job->epoch) {
		perseus__job_save_sums(job);
		job->epoch++;
		job->last_complete = -1;
		perseus__steps_reset(&job->steps);
		for (int32_t p = 0; p < job->request.parallel.dp; p++) {
			perseus__rollout_restart(&job->pipelines[p].rollout);
			job->pipelines[p].n_have = 0;
		}
		perseus__job_save_sums(job);
	}
	rank->epoch = job->epoch;
}

/* What a rank says of itself with a poll. */
static void
take_poll(struct perseus__job *job, struct perseus__rank *rank, const struct perseus__poll *poll)
{
	struct perseus__pipeline *pipeline = &job->pipelines[rank->at.dp];
	/* A poll may be overtaken by a report, but not by two. */
	const bool is_anew = poll->have < 0 && (rank->have >= 0 || poll->step + 2 < rank->begun);
	if (is_anew)
		begin_anew(job, rank, poll->step);
	else if (poll->step > rank->begun)
		rank->begun = poll->step;
	perseus__job_hear(job, rank);
	/* A number that was never given is of another store. */
	const int64_t have = poll->have < pipeline->rollout.next_number ? poll->have : -1;
	const struct perseus__revision *coming = &pipeline->rollout.coming;
	if (coming->program)
		pipeline->n_have += (have >= coming->number) - (rank->have >= coming->number);
	rank->have = have;
	rank->start = poll->start;
}

static void
wait_for_news(struct perseus__job *job, struct perseus__call *call, const struct perseus__poll *poll)
{
	struct perseus__jobs *jobs = job->jobs;
	struct perseus__rank *rank = &job->ranks[poll->rank];
	if (rank->waiting)
		perseus__call_answer(jobs, rank->waiting, 204);
	rank->waiting = call;
	rank->wait_until_ns = jobs->now.mono_ns + poll->wait_ns;
	if (job->phase != PERSEUS__JOB_PHASE_ENDED) {
		take_poll(job, rank, poll);
		for (int32_t p = 0; p < job->request.parallel.dp; p++)
			if (p == rank->at.dp || job->pipelines[p].rollout.coming.state == PERSEUS__REVISION_NEW)
				perseus__job_advance(job, p);
	} else {
		rank->have = poll->have;
		rank->start = poll->start;
	}
	if (rank->waiting) /* what went ahead may have answered it */
		perseus__job_answer_rank(job, rank);
	if (rank->waiting && jobs->is_ending) {
		perseus__call_error(jobs, call, 503, "the server is ending");
		rank->waiting = NULL;
	} else if (rank->waiting && poll->wait_ns <= 0) {
		perseus__call_answer(jobs, call, 204);
		rank->waiting = NULL;
	}
}

void
perseus__jobs_poll(struct perseus__jobs *jobs, struct perseus__call *call, const char *id,
		const struct perseus__poll *poll, struct perseus__now now)
{
	perseus__jobs_lock(jobs, now);
	struct perseus__job *job = perseus__jobs_find(jobs, id);
	if (!job)
		perseus__call_error(jobs, call, 404, "there is no job %s", id);
	else if (poll->rank < 0 || poll->rank >= job->n_ranks
			|| (!job->ranks[poll->rank].is_registered && job->phase != PERSEUS__JOB_PHASE_ENDED))
		perseus__call_error(jobs, call, 404, "job %s has no rank %d registered", id, (int)poll->rank);
	else
		wait_for_news(job, call, poll);
	perseus__jobs_unlock(jobs);
}

struct perseus__call *
perseus__jobs_abandon(struct perseus__jobs *jobs, const void *user)
{
	struct perseus__call *call = NULL;
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	for (struct perseus__job *job = jobs->first; job && !call; job = job->next)
		for (int32_t r = 0; r < job->n_ranks && !call; r++) {
			struct perseus__rank *rank = &job->ranks[r];
			if (!rank->waiting || rank->waiting->user != user)
				continue;
			call = rank->waiting;
			rank->waiting = NULL;
			/* Its process is dead, most likely; a broken network comes back at once. */
			rank->seen_ns = jobs->now.mono_ns - jobs->settings.max_silence_ns + BROKEN_NS;
		}
	perseus__jobs_unlock(jobs);
	return call;
}

void
perseus__job_tick_ranks(struct perseus__job *job)
{
	struct perseus__jobs *jobs = job->jobs;
	bool has_lost = false;
	for (int32_t r = 0; r < job->n_ranks; r++) {
		struct perseus__rank *rank = &job->ranks[r];
		if (rank->waiting) {
			rank->seen_ns = jobs->now.mono_ns;
			if (jobs->now.mono_ns >= rank->wait_until_ns) {
				perseus__call_answer(jobs, rank->waiting, 204);
				rank->waiting = NULL;
			}
		}
		if (rank->is_present && jobs->now.mono_ns - rank->seen_ns > jobs->settings.max_silence_ns) {
			set_present(job, rank, false);
			has_lost = true;
		}
	}
	if (has_lost && job->phase != PERSEUS__JOB_PHASE_ENDED)
		perseus__job_complete_steps(job);
}
