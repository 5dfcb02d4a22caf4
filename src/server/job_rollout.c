/* Revisions of the plans of pipelines on their way: saved, offered, started, and told to the ranks that wait. */
#include "base/memory.h"
#include "base/text.h"
#include "format/json_writer.h"
#include "server/job.h"

#include <stdio.h>
#include <string.h>

enum { MAX_PROGRAM_BYTES = 64 << 20, N_KEPT_REVISIONS = 200 };

/* Ranks learn of a start within this time, a commit and a round trip: a step that begins sooner comes too early. */
#define TELL_S 0.02

/* A span of ranks: those of pipeline `p` are rank_at[p · size] and up. */
static int32_t
ranks_of_pipeline(const struct perseus__job *job)
{
	return job->n_ranks / job->request.parallel.dp;
}

static void
saved_revision(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	if (!job || job->phase == PERSEUS__JOB_PHASE_ENDED)
		return;
	struct perseus__revision *revision = &job->pipelines[saving->pipeline].rollout.coming;
	if (!revision->program || revision->number != saving->number)
		return; /* another has taken its place */
	if (revision->state == PERSEUS__REVISION_SAVING) {
		revision->state = err ? PERSEUS__REVISION_NEW : PERSEUS__REVISION_OFFERED;
	} else if (revision->state == PERSEUS__REVISION_STARTING) {
		revision->state = err ? PERSEUS__REVISION_TO_START : PERSEUS__REVISION_STARTED;
	}
	if (err) /* the next tick tries again */
		perseus__job_warn(job, "revision %lld of pipeline %d waits: %s", (long long)saving->number,
				(int)saving->pipeline, err->message);
	else
		perseus__job_advance(job, saving->pipeline);
}

static void
insert_revision(struct perseus__job *job, int32_t pipeline)
{
	struct perseus__revision *revision = &job->pipelines[pipeline].rollout.coming;
	struct perseus__text program = perseus__text_init(MAX_PROGRAM_BYTES);
	struct perseus__text promise = perseus__text_init(MAX_PROGRAM_BYTES);
	perseus__program_write(revision->program, &program);
	if (revision->program->promise.is_there)
		perseus__promise_write(&revision->program->promise, &promise);
	struct perseus__write *write = program.failed || promise.failed ? NULL : perseus__write_new();
	const struct perseus__value values[] = {
		perseus__value_text(job->id),
		perseus__value_integer(pipeline),
		perseus__value_integer(revision->number),
		perseus__value_text(perseus__phase_name(revision->program->phase)),
		perseus__value_text(revision->reason ? revision->reason : ""),
		perseus__value_bytes(program.bytes, program.length),
		perseus__value_text(promise.bytes),
		perseus__value_integer(job->jobs->now.wall_ms),
	};
	perseus__write_add(write,
			"INSERT OR REPLACE INTO revisions"
			" (job, pipeline, revision, phase, reason, program, predicted, created_ms)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			values, sizeof values / sizeof *values);
	const struct perseus__value old[] = {
		values[0], values[1], perseus__value_integer(revision->number - N_KEPT_REVISIONS)};
	perseus__write_add(write, "DELETE FROM revisions WHERE job = ? AND pipeline = ? AND revision < ?", old, 3);
	struct perseus_error err;
	const struct perseus__saving saving = {.saved = saved_revision, .number = revision->number, .pipeline = pipeline};
	if (perseus__job_save(job, write, &saving, &err))
		revision->state = PERSEUS__REVISION_SAVING;
	perseus__text_fini(&program);
	perseus__text_fini(&promise);
}

static void
save_start(struct perseus__job *job, int32_t pipeline)
{
	struct perseus__revision *revision = &job->pipelines[pipeline].rollout.coming;
	const struct perseus__value values[] = {perseus__value_integer(revision->from_step), perseus__value_text(job->id),
		perseus__value_integer(pipeline), perseus__value_integer(revision->number)};
	struct perseus__write *write = perseus__write_new();
	perseus__write_add(
			write, "UPDATE revisions SET from_step = ? WHERE job = ? AND pipeline = ? AND revision = ?", values, 4);
	struct perseus_error err;
	const struct perseus__saving saving = {.saved = saved_revision, .number = revision->number, .pipeline = pipeline};
	if (perseus__job_save(job, write, &saving, &err))
		revision->state = PERSEUS__REVISION_STARTING;
}

/* How many steps begin while ranks are told; 0 where steps are long. */
static int64_t
margin(const struct perseus__job *job)
{
	const int32_t n = job->n_samples < PERSEUS__N_BASELINE_SAMPLES ? job->n_samples : PERSEUS__N_BASELINE_SAMPLES;
	return n > 0 ? (int64_t)(TELL_S / job->samples[n - 1].time_s) : 0;
}

static void
fix_start(struct perseus__job *job, int32_t pipeline)
{
	const int32_t size = ranks_of_pipeline(job);
	int64_t begun = -1;
	for (int32_t i = pipeline * size; i < (pipeline + 1) * size; i++) {
		const struct perseus__rank *rank = &job->ranks[job->rank_at[i]];
		if (rank->is_present && rank->begun > begun)
			begun = rank->begun;
	}
	perseus__rollout_fix(&job->pipelines[pipeline].rollout, begun, begun < 0 ? 0 : margin(job));
}

static void
answer_pipeline(struct perseus__job *job, int32_t pipeline)
{
	const int32_t size = ranks_of_pipeline(job);
	for (int32_t i = pipeline * size; i < (pipeline + 1) * size; i++)
		if (job->rank_at[i] >= 0)
			perseus__job_answer_rank(job, &job->ranks[job->rank_at[i]]);
}

static void
start(struct perseus__job *job, int32_t pipeline)
{
	struct perseus__rollout *rollout = &job->pipelines[pipeline].rollout;
	perseus__rollout_start(rollout);
	const struct perseus__revision *revision = &rollout->started;
	job->n_revisions++;
	job->jobs->n_revisions++;
	if (revision->batch >= 0 && (size_t)revision->batch < job->n_batches) {
		struct perseus__batch *batch = &job->batches[revision->batch];
		const int64_t late = revision->not_before > 0 ? revision->from_step - revision->not_before : 0;
		batch->from[pipeline] = revision->from_step;
		if (late > batch->late)
			batch->late = (int32_t)late;
	}
	perseus__job_tell(job, PERSEUS__JOB_EVENT_PLAN,
			"{\"pipeline\":%d,\"revision\":%lld,\"phase\":\"%s\",\"from_step\":%lld,\"reason\":\"%s\"}", (int)pipeline,
			(long long)revision->number, perseus__phase_name(revision->program->phase), (long long)revision->from_step,
			revision->reason ? revision->reason : "");
	answer_pipeline(job, pipeline);
	perseus__job_pump_walk(job);
}

void
perseus__job_advance(struct perseus__job *job, int32_t pipeline)
{
	struct perseus__pipeline *the = &job->pipelines[pipeline];
	struct perseus__revision *coming = &the->rollout.coming;
	if (!coming->program || job->phase == PERSEUS__JOB_PHASE_ENDED || job->is_replaying)
		return;
	switch (coming->state) {
	case PERSEUS__REVISION_NEW:
		insert_revision(job, pipeline);
		break;
	case PERSEUS__REVISION_SAVING:
	case PERSEUS__REVISION_STARTING:
		break;
	case PERSEUS__REVISION_OFFERED:
		answer_pipeline(job, pipeline);
		if (the->n_present == 0 || the->n_have < the->n_present)
			break;
		fix_start(job, pipeline);
		save_start(job, pipeline);
		break;
	case PERSEUS__REVISION_TO_START:
		save_start(job, pipeline);
		break;
	case PERSEUS__REVISION_STARTED:
		start(job, pipeline);
		break;
	}
}

void
perseus__job_roll_out(struct perseus__job *job, int32_t pipeline, struct perseus__program *program, int64_t not_before,
		int32_t batch, const char *reason)
{
	if (!program)
		return;
	struct perseus__revision *revision = perseus__rollout_add(&job->pipelines[pipeline].rollout, program);
	revision->not_before = not_before;
	revision->batch = batch;
	revision->reason = reason;
	job->pipelines[pipeline].n_have = 0; /* nobody can have it */
	perseus__job_advance(job, pipeline);
}

/* The last word to a rank of a job that has ended: its clocks are let go; then that the job is no more. */
static void
answer_ended(struct perseus__job *job, struct perseus__rank *rank)
{
	struct perseus__jobs *jobs = job->jobs;
	struct perseus__call *call = rank->waiting;
	const int64_t number = job->pipelines[rank->at.dp].rollout.next_number;
	rank->waiting = NULL;
	if (rank->have >= number) {
		perseus__call_error(jobs, call, 404, "job %s has ended: %s", job->id, job->reason);
		return;
	}
	struct perseus__json json = perseus__call_json(jobs, call, 200);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "revision", number);
	perseus__json_string(&json, "phase", perseus__phase_name(PERSEUS__PHASE_FREE));
	perseus__json_integer(&json, "from_step", 0);
	perseus__json_open_array(&json, "segments", true);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}

void
perseus__job_answer_rank(struct perseus__job *job, struct perseus__rank *rank)
{
	bool with_start = false;
	if (!rank->waiting)
		return;
	if (job->phase == PERSEUS__JOB_PHASE_ENDED) {
		answer_ended(job, rank);
		return;
	}
	const struct perseus__revision *revision =
			perseus__rollout_news(&job->pipelines[rank->at.dp].rollout, rank->have, rank->start, &with_start);
	if (!revision || !job->schedule)
		return;
	const char *segments = perseus__program_text(revision->program, job->schedule, job->class_of, rank->at.pp);
	struct perseus__call *call = rank->waiting;
	rank->waiting = NULL;
	if (!segments) {
		perseus__call_error(job->jobs, call, 503, "out of memory");
		return;
	}
	(void)perseus__call_json(job->jobs, call, 200);
	perseus__text_addf(&call->body, "{\"revision\":%lld,\"phase\":\"%s\",\"from_step\":", (long long)revision->number,
			perseus__phase_name(revision->program->phase));
	if (with_start)
		perseus__text_addf(&call->body, "%lld", (long long)revision->from_step);
	else
		perseus__text_addf(&call->body, "null");
	perseus__text_addf(&call->body, ",\"segments\":");
	perseus__text_add(&call->body, segments, strlen(segments));
	perseus__text_addf(&call->body, "}\n");
}
