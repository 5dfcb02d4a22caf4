/* A job: made, ended, freed, and its phase. */
#include "server/job.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const char *
perseus__job_phase_name(enum perseus__job_phase phase)
{
	switch (phase) {
#define X(name, text)               \
	case PERSEUS__JOB_PHASE_##name: \
		return text;
		PERSEUS__JOB_PHASE_MAP(X)
#undef X
	}
	return "unknown";
}

static void
init_ranks(struct perseus__job *job)
{
	for (int32_t r = 0; r < job->n_ranks; r++) {
		job->rank_at[r] = -1;
		job->ranks[r] = (struct perseus__rank){
			.order = -1, .begun = -1, .reported = -1, .have = -1, .start = -1, .switch_latency_s = NAN};
	}
	for (int32_t p = 0; p < job->request.parallel.dp; p++) {
		struct perseus__pipeline *pipeline = &job->pipelines[p];
		pipeline->detected = 1;
		pipeline->rollout.started.from_step = -1;
		pipeline->rollout.coming.from_step = -1;
	}
}

struct perseus__job *
perseus__job_new(struct perseus__jobs *jobs, struct perseus__job_request *request, const char *document)
{
	struct perseus__job *job = perseus__new_array(1, sizeof *job);
	if (!job)
		return NULL;
	const struct perseus__parallel parallel = request->parallel;
	job->jobs = jobs;
	job->request = *request;
	request->document = NULL;
	job->target = job->request.target;
	job->was_feasible = true;
	job->last_complete = -1;
	job->saved_step = -1;
	job->announced_ms = INT64_MAX;
	job->overhead_s = NAN;
	job->steps.latest = -1;
	job->n_ranks = parallel.dp * parallel.pp * parallel.tp * parallel.cp;
	job->document = perseus__copy_string(document);
	job->key = job->request.key ? perseus__copy_string(job->request.key) : NULL;
	job->ranks = perseus__new_array((size_t)job->n_ranks, sizeof *job->ranks);
	job->rank_at = perseus__new_array((size_t)job->n_ranks, sizeof *job->rank_at);
	job->pipelines = perseus__new_array((size_t)parallel.dp, sizeof *job->pipelines);
	if (!job->document || (job->request.key && !job->key) || !job->ranks || !job->rank_at || !job->pipelines) {
		perseus__job_free(job);
		return NULL;
	}
	init_ranks(job);
	job->created_ms = job->seen_ms = job->saved_seen_ms = jobs->now.wall_ms;
	return job;
}

/* What is only of use while the job runs. */
static void
drop_work(struct perseus__job *job)
{
	perseus__job_drop_walk(job);
	perseus__job_drop_shape(job);
	perseus__steps_fini(&job->steps);
	perseus__detector_free(job->detector);
	perseus__drift_free(job->drift);
	job->detector = NULL;
	job->drift = NULL;
}

void
perseus__job_free(struct perseus__job *job)
{
	if (!job)
		return;
	drop_work(job);
	for (int32_t r = 0; job->ranks && r < job->n_ranks; r++) {
		perseus__free(job->ranks[r].document);
		perseus__free(job->ranks[r].gpu_name);
		perseus__free(job->ranks[r].gpu_driver);
		perseus__free(job->ranks[r].clocks_mhz);
	}
	for (int32_t p = 0; job->pipelines && p < job->request.parallel.dp; p++)
		perseus__rollout_fini(&job->pipelines[p].rollout);
	for (size_t i = 0; i < job->n_orders; i++)
		perseus__free(job->orders[i].text);
	perseus__job_request_fini(&job->request);
	perseus__profile_document_fini(&job->profile);
	perseus__announced_fini(&job->announced);
	perseus_schedule_free(job->schedule);
	perseus__free(job->schedule_orders);
	perseus__free(job->classes);
	perseus__free(job->class_of);
	perseus__free(job->fingerprint);
	perseus__free(job->batches);
	perseus__free(job->parts);
	perseus__free(job->orders);
	perseus__free(job->ranks);
	perseus__free(job->rank_at);
	perseus__free(job->pipelines);
	perseus__free(job->document);
	perseus__free(job->key);
	perseus__free(job);
}

int32_t
perseus__job_gpus_per_stage(const struct perseus__job *job)
{
	return job->request.parallel.tp * job->request.parallel.cp;
}

void
perseus__job_set_phase(struct perseus__job *job, enum perseus__job_phase phase)
{
	if (phase != PERSEUS__JOB_PHASE_FREE)
		job->problem[0] = '\0';
	if (job->phase == phase)
		return;
	job->phase = phase;
	perseus__job_tell(job, PERSEUS__JOB_EVENT_PHASE, "{\"phase\":\"%s\"}", perseus__job_phase_name(phase));
}

void
perseus__job_give_up(struct perseus__job *job, const char *problem)
{
	const bool is_new = strcmp(job->problem, problem) != 0;
	(void)snprintf(job->problem, sizeof job->problem, "%s", problem);
	perseus__job_set_phase(job, PERSEUS__JOB_PHASE_FREE);
	if (is_new)
		perseus__job_warn(job, "%s", job->problem);
}

void
perseus__job_end(struct perseus__job *job, const char *reason)
{
	struct perseus__jobs *jobs = job->jobs;
	if (job->phase == PERSEUS__JOB_PHASE_ENDED)
		return;
	(void)snprintf(job->reason, sizeof job->reason, "%s", reason);
	job->ended_ms = jobs->now.wall_ms;
	perseus__job_set_phase(job, PERSEUS__JOB_PHASE_ENDED);
	jobs->n_jobs--;
	perseus__free(job->key); /* free for another */
	job->key = NULL;
	const struct perseus__value values[] = {
		perseus__value_text(reason), perseus__value_integer(job->ended_ms), perseus__value_text(job->id)};
	struct perseus__write *write = perseus__write_new();
	perseus__write_add(
			write, "UPDATE jobs SET state = 'ended', key = NULL, reason = ?, ended_ms = ? WHERE id = ?", values, 3);
	struct perseus_error err;
	(void)perseus__job_save(job, write, &(struct perseus__saving){.saved = NULL}, &err); /* else idle again later */
	perseus__job_save_sums(job);
	drop_work(job);
	for (int32_t r = 0; r < job->n_ranks; r++)
		perseus__job_answer_rank(job, &job->ranks[r]);
}
