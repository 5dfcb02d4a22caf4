/* What GET shows of jobs. */
#include "format/frontier_json.h"
#include "format/json_writer.h"
#include "format/plan_document.h"
#include "format/plan_json.h"
#include "plan/highest.h"
#include "server/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_VIEW_BYTES = 64 << 20, MAX_REPORTS = 10000 };

#define NANO 1e9

static const char csv_type[] = "text/csv";

static void
write_parallel(const struct perseus__job *job, struct perseus__json *json)
{
	const struct perseus__parallel *n = &job->request.parallel;
	perseus__json_open_object(json, "parallel", true);
	perseus__json_integer(json, "dp", n->dp);
	perseus__json_integer(json, "pp", n->pp);
	perseus__json_integer(json, "tp", n->tp);
	perseus__json_integer(json, "cp", n->cp);
	perseus__json_integer(json, "ep", n->ep);
	perseus__json_close_object(json);
}

/* A ratio of sums; null where there is nothing to divide by. */
static void
write_saving(struct perseus__json *json, const char *key, double energy_j, double baseline_j)
{
	perseus__json_number(json, key, baseline_j > 0 ? 1 - energy_j / baseline_j : NAN);
}

static void
write_savings(const struct perseus__job *job, struct perseus__json *json)
{
	const struct perseus__savings *savings = &job->savings;
	const bool is_measured = savings->n_measured > 0;
	const double measured_baseline_j = savings->measured_baseline_j > 0 ? savings->measured_baseline_j : NAN;
	perseus__json_open_object(json, "savings", false);
	perseus__json_integer(json, "steps", savings->n_steps);
	perseus__json_integer(json, "measured_steps", savings->n_measured);
	perseus__json_open_object(json, "predicted", true);
	perseus__json_number(json, "energy_j", is_measured ? savings->predicted_j : NAN);
	perseus__json_number(json, "baseline_j", is_measured ? savings->baseline_j : NAN);
	write_saving(json, "saving", savings->predicted_j, savings->baseline_j);
	perseus__json_number(json, "time_s", savings->n_steps > 0 ? savings->predicted_s : NAN);
	perseus__json_number(json, "baseline_time_s", savings->n_steps > 0 ? savings->baseline_s : NAN);
	perseus__json_close_object(json);
	perseus__json_open_object(json, "measured", true);
	perseus__json_number(json, "energy_j", is_measured ? savings->measured_j : NAN);
	perseus__json_number(json, "baseline_j", measured_baseline_j);
	write_saving(json, "saving", savings->measured_j, savings->measured_baseline_j);
	perseus__json_number(json, "time_s", savings->n_steps > 0 ? savings->measured_s : NAN);
	perseus__json_number(json, "baseline_time_s",
			savings->n_steps > 0 && job->has_profile ? job->profile.baseline_time_s * (double)savings->n_steps : NAN);
	perseus__json_close_object(json);
	perseus__json_close_object(json);
}

static void
write_profile(const struct perseus__job *job, struct perseus__json *json)
{
	if (!job->has_profile) {
		perseus__json_null(json, "profile");
		return;
	}
	const struct perseus__profile_document *profile = &job->profile;
	perseus__json_open_object(json, "profile", true);
	perseus__json_string(json, "source", profile->is_uploaded ? "uploaded" : "in vivo");
	perseus__json_integer(json, "rows", (int64_t)profile->n_rows);
	if (profile->n_steps > 0)
		perseus__json_integer(json, "steps", profile->n_steps);
	else
		perseus__json_null(json, "steps");
	perseus__json_boolean(json, "is_simulated", profile->is_simulated);
	perseus__json_number(json, "blocking_power_w", perseus__profile_document_blocking_w(profile));
	perseus__json_number(json, "transfer_s", profile->transfer_s);
	perseus__json_number(json, "overhead_s", profile->overhead_s);
	perseus__json_close_object(json);
}

static void
write_revision(struct perseus__json *json, const char *key, const struct perseus__revision *revision)
{
	if (!revision->program) {
		perseus__json_null(json, key);
		return;
	}
	perseus__json_open_object(json, key, true);
	perseus__json_integer(json, "revision", revision->number);
	perseus__json_string(json, "phase", perseus__phase_name(revision->program->phase));
	if (revision->from_step >= 0)
		perseus__json_integer(json, "from_step", revision->from_step);
	else
		perseus__json_null(json, "from_step");
	if (revision->program->promise.is_there) {
		perseus__json_nano(json, "deadline_s", revision->program->promise.deadline_ns);
		perseus__json_nano(json, "span_s", revision->program->promise.time_ns);
	}
	perseus__json_close_object(json);
}

static void
write_pipelines(const struct perseus__job *job, struct perseus__json *json)
{
	perseus__json_open_array(json, "pipelines", false);
	for (int32_t p = 0; p < job->request.parallel.dp; p++) {
		const struct perseus__pipeline *pipeline = &job->pipelines[p];
		perseus__json_open_object(json, NULL, true);
		perseus__json_integer(json, "pipeline", p);
		perseus__json_integer(json, "present", pipeline->n_present);
		perseus__json_number(json, "degree", perseus__job_degree(job, p));
		write_revision(json, "revision", &pipeline->rollout.started);
		write_revision(json, "coming", &pipeline->rollout.coming);
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
}

struct perseus__job_figures
perseus__job_figures(const struct perseus__job *job)
{
	const double overhead_s = isfinite(job->overhead_s) ? job->overhead_s : 0;
	const double gpus = perseus__job_gpus_per_stage(job);
	const int32_t n_pipelines = job->request.parallel.dp;
	struct perseus__job_figures figures = {.is_there = job->shape != NULL};
	for (int32_t p = 0; p < n_pipelines && figures.is_there; p++) {
		const struct perseus__program *latest = perseus__rollout_latest(&job->pipelines[p].rollout);
		figures.is_there = latest && latest->promise.is_there;
		if (!figures.is_there)
			break;
		const double degree = perseus__job_degree(job, p);
		figures.time_s = fmax(figures.time_s, degree * (double)latest->promise.time_ns / NANO + overhead_s);
		figures.baseline_time_s =
				fmax(figures.baseline_time_s, degree * (double)latest->promise.baseline_time_ns / NANO + overhead_s);
	}
	for (int32_t p = 0; p < n_pipelines && figures.is_there; p++) {
		const struct perseus__promise *promise = &perseus__rollout_latest(&job->pipelines[p].rollout)->promise;
		const double waiting_w = (double)promise->blocking_uw * 1e-6;
		const double idle_s = figures.time_s - (double)promise->time_ns / NANO;
		const double baseline_idle_s = figures.baseline_time_s - (double)promise->baseline_time_ns / NANO;
		figures.energy_j += gpus * ((double)promise->energy_nj / NANO + waiting_w * idle_s);
		figures.baseline_j += gpus * ((double)promise->baseline_energy_nj / NANO + waiting_w * baseline_idle_s);
	}
	return figures;
}

static void
write_plan(const struct perseus__job *job, struct perseus__json *json)
{
	if (!job->shape) {
		perseus__json_null(json, "plan");
		return;
	}
	const struct perseus__shape_info info = perseus__shape_info(job->shape);
	const struct perseus__job_figures figures = perseus__job_figures(job);
	const bool is_whole = figures.is_there;
	perseus__json_open_object(json, "plan", false);
	perseus__json_nano(json, "t_min_s", info.t_min_ns);
	perseus__json_nano(json, "t_star_s", info.t_star_ns);
	perseus__json_number(json, "overhead_s", job->overhead_s);
	perseus__json_number(json, "iteration_time_s", is_whole ? figures.time_s : NAN);
	perseus__json_number(json, "energy_j", is_whole ? figures.energy_j : NAN);
	perseus__json_number(json, "baseline_time_s", is_whole ? figures.baseline_time_s : NAN);
	perseus__json_number(json, "baseline_j", is_whole ? figures.baseline_j : NAN);
	write_saving(json, "saving", figures.energy_j, is_whole ? figures.baseline_j : 0);
	perseus__json_boolean(json, "is_feasible", job->answer.is_feasible);
	perseus__json_number(json, "switch_latency_s", job->asked_latency_s);
	perseus__json_close_object(json);
}

static bool
is_simulated(const struct perseus__job *job)
{
	for (int32_t r = 0; r < job->n_ranks; r++)
		if (job->ranks[r].is_registered && job->ranks[r].is_simulated)
			return true;
	return job->has_profile && job->profile.is_simulated;
}

void
perseus__job_view_summary(const struct perseus__job *job, struct perseus__json *json, bool is_brief)
{
	const bool has_ended = job->phase == PERSEUS__JOB_PHASE_ENDED;
	perseus__json_open_object(json, NULL, is_brief);
	perseus__json_string(json, "job", job->id);
	perseus__json_string(json, "name", job->request.name);
	perseus__json_string(json, "state", has_ended ? "ended" : "running");
	perseus__json_string(json, "phase", perseus__job_phase_name(job->phase));
	if (has_ended)
		perseus__json_string(json, "reason", job->reason);
	if (job->problem[0])
		perseus__json_string(json, "problem", job->problem);
	else
		perseus__json_null(json, "problem");
	perseus__json_integer(json, "created_ms", job->created_ms);
	perseus__json_integer(json, "seen_ms", job->seen_ms);
	perseus__json_open_object(json, "ranks", true);
	perseus__json_integer(json, "expected", job->n_ranks);
	perseus__json_integer(json, "registered", job->n_registered);
	perseus__json_integer(json, "present", has_ended ? 0 : job->n_present);
	perseus__json_close_object(json);
	perseus__json_boolean(json, "is_simulated", is_simulated(job));
	if (!is_brief) {
		write_parallel(job, json);
		perseus__target_write(json, "target", &job->target);
		perseus__json_integer(json, "last_step", job->last_complete);
		if (job->schedule) {
			perseus__json_open_object(json, "schedule", true);
			perseus__json_integer(json, "stages", job->schedule->n_stages);
			perseus__json_integer(json, "microbatches", job->schedule->n_microbatches);
			perseus__json_integer(json, "instructions", job->schedule->n_instructions);
			perseus__json_close_object(json);
		} else {
			perseus__json_null(json, "schedule");
		}
		write_profile(job, json);
		write_plan(job, json);
		write_pipelines(job, json);
		write_savings(job, json);
	}
	perseus__json_close_object(json);
}

static void
view_frontier(struct perseus__job *job, struct perseus__call *call)
{
	if (!job->shape) {
		perseus__call_error(job->jobs, call, 404, "job %s has no frontier yet", job->id);
		return;
	}
	const struct perseus__frontier_document document = {.frontier = perseus__shape_frontier(job->shape),
		.gpus_per_stage = perseus__job_gpus_per_stage(job),
		.n_pipelines = job->request.parallel.dp};
	(void)perseus__call_json(job->jobs, call, 200);
	perseus__frontier_json(&call->body, &document);
}

static void
view_profile(struct perseus__job *job, struct perseus__call *call, bool is_csv)
{
	if (!job->has_profile) {
		perseus__call_error(job->jobs, call, 404, "job %s has no profile yet", job->id);
		return;
	}
	(void)perseus__call_json(job->jobs, call, 200);
	if (!is_csv) {
		perseus__profile_document_write(&job->profile, &call->body);
		return;
	}
	call->content_type = csv_type;
	if (job->profile.csv)
		perseus__text_add(&call->body, job->profile.csv, strlen(job->profile.csv));
	else
		perseus__profile_document_csv(&job->profile, &call->body);
}

/* The plan in force, or coming, of pipeline 0 among those that do not straggle. */
static void
view_plan(struct perseus__job *job, struct perseus__call *call)
{
	const struct perseus_plan *plan = NULL;
	for (int32_t p = 0; p < job->request.parallel.dp && job->shape && !plan; p++) {
		const struct perseus__program *latest = perseus__rollout_latest(&job->pipelines[p].rollout);
		if (latest && latest->promise.is_there
				&& (perseus__job_degree(job, p) <= 1 || p == job->request.parallel.dp - 1))
			plan = perseus__job_plan(job, latest->promise.deadline_ns);
	}
	if (!plan) {
		perseus__call_error(job->jobs, call, 404, "job %s has no plan yet", job->id);
		return;
	}
	const struct perseus_frontier *frontier = perseus__shape_frontier(job->shape);
	/* Without latency, as the baseline of the plan: at the highest clocks nobody asks for a clock. */
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = plan->deadline_ns;
	struct perseus_plan *baseline = NULL;
	struct perseus_error err = {.message = ""};
	if (perseus__plan_highest(frontier, &settings, &baseline, &err) != PERSEUS_OK) {
		perseus__call_fail(job->jobs, call, &err);
		return;
	}
	const struct perseus__plan_document document = {.frontier = frontier,
		.plan = plan,
		.baseline = baseline,
		.gpus_per_stage = perseus__job_gpus_per_stage(job),
		.n_pipelines = job->request.parallel.dp};
	(void)perseus__call_json(job->jobs, call, 200);
	perseus__plan_json(&call->body, &document, NULL);
	perseus_plan_free(baseline);
}

static void
view_stragglers(struct perseus__job *job, struct perseus__call *call)
{
	struct perseus__json json = perseus__call_json(job->jobs, call, 200);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_open_array(&json, "announced", false);
	for (int32_t i = 0; i < job->announced.n; i++) {
		const struct perseus__announcement *item = &job->announced.items[i];
		perseus__json_open_object(&json, NULL, true);
		perseus__json_integer(&json, "pipeline", item->pipeline);
		perseus__json_number(&json, "degree", item->degree);
		perseus__json_integer(&json, "from_ms", item->from_ms);
		perseus__json_close_object(&json);
	}
	perseus__json_close_array(&json);
	perseus__json_open_array(&json, "detected", false);
	for (int32_t p = 0; p < job->request.parallel.dp && job->detector; p++) {
		if (job->pipelines[p].detected <= 1)
			continue;
		perseus__json_open_object(&json, NULL, true);
		perseus__json_integer(&json, "pipeline", p);
		perseus__json_number(&json, "degree", job->pipelines[p].detected);
		perseus__json_integer(&json, "since_step", perseus__detector_verdict(job->detector, p)->since_step);
		perseus__json_close_object(&json);
	}
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}

void
perseus__job_view(struct perseus__job *job, struct perseus__call *call, enum perseus__job_view view)
{
	switch (view) {
	case PERSEUS__JOB_VIEW_SUMMARY: {
		struct perseus__json json = perseus__call_json(job->jobs, call, 200);
		perseus__job_view_summary(job, &json, false);
		break;
	}
	case PERSEUS__JOB_VIEW_FRONTIER:
		view_frontier(job, call);
		break;
	case PERSEUS__JOB_VIEW_PROFILE_CSV:
		view_profile(job, call, true);
		break;
	case PERSEUS__JOB_VIEW_PROFILE_JSON:
		view_profile(job, call, false);
		break;
	case PERSEUS__JOB_VIEW_PLAN:
		view_plan(job, call);
		break;
	case PERSEUS__JOB_VIEW_STRAGGLERS:
		view_stragglers(job, call);
		break;
	case PERSEUS__JOB_VIEW_PLANS: /* is in the store */
		break;
	}
}

void
perseus__jobs_list(struct perseus__jobs *jobs, struct perseus__call *call)
{
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	struct perseus__json json = perseus__call_json(jobs, call, 200);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_open_array(&json, "jobs", false);
	for (const struct perseus__job *job = jobs->first; job; job = job->next)
		perseus__job_view_summary(job, &json, true);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
	perseus__jobs_unlock(jobs);
}

static enum perseus_status
write_old_revision(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__json *json = user;
	(void)n_columns;
	(void)err;
	perseus__json_open_object(json, NULL, true);
	perseus__json_integer(json, "pipeline", columns[0].integer);
	perseus__json_integer(json, "revision", columns[1].integer);
	perseus__json_string(json, "phase", columns[2].text);
	perseus__json_string(json, "reason", columns[3].text);
	perseus__json_integer(json, "created_ms", columns[4].integer);
	if (columns[5].type == PERSEUS__VALUE_INTEGER)
		perseus__json_integer(json, "from_step", columns[5].integer);
	else
		perseus__json_null(json, "from_step");
	if (columns[6].type == PERSEUS__VALUE_TEXT) {
		struct perseus__program *program = NULL;
		if (perseus__program_read(
					PERSEUS__PHASE_PLAN, "{\"columns\":0,\"steps\":[],\"mhz\":[]}", columns[6].text, &program, err)
				== PERSEUS_OK) {
			perseus__json_nano(json, "deadline_s", program->promise.deadline_ns);
			perseus__json_nano(json, "span_s", program->promise.time_ns);
			perseus__json_nano(json, "energy_j", program->promise.energy_nj);
			perseus__json_nano(json, "baseline_j", program->promise.baseline_energy_nj);
		}
		perseus__program_unref(program);
	}
	perseus__json_close_object(json);
	return PERSEUS_OK;
}

/* Answers with what the store says, an array called `key`; outside of the lock, as reading may take its time. */
static void
answer_from_store(struct perseus__jobs *jobs, struct perseus__call *call, const char *key, const char *sql,
		const struct perseus__value *values, size_t n, perseus__store_row *row)
{
	struct perseus__text text = perseus__text_init(MAX_VIEW_BYTES);
	struct perseus__json json = perseus__json_init(&text);
	struct perseus_error err = {.message = ""};
	perseus__json_open_object(&json, NULL, false);
	perseus__json_open_array(&json, key, false);
	const enum perseus_status status = perseus__store_read(jobs->settings.store, sql, values, n, row, &json, &err);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	if (status == PERSEUS_OK) {
		(void)perseus__call_json(jobs, call, 200);
		call->body = text;
	} else {
		perseus__text_fini(&text);
		perseus__call_error(jobs, call, 503, "%s", err.message);
	}
	perseus__jobs_unlock(jobs);
}

void
perseus__jobs_view(struct perseus__jobs *jobs, struct perseus__call *call, const char *id, enum perseus__job_view view)
{
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	struct perseus__job *job = perseus__jobs_find(jobs, id);
	const bool is_stored = job && view == PERSEUS__JOB_VIEW_PLANS;
	if (!job)
		perseus__call_error(jobs, call, 404, "there is no job %s", id);
	else if (!is_stored)
		perseus__job_view(job, call, view);
	perseus__jobs_unlock(jobs);
	if (!is_stored)
		return; /* the call has been answered, and `id` may have gone with it */
	const struct perseus__value value = perseus__value_text(id);
	answer_from_store(jobs, call, "plans",
			"SELECT pipeline, revision, phase, reason, created_ms, from_step, predicted FROM revisions"
			" WHERE job = ? ORDER BY created_ms DESC, revision DESC, pipeline",
			&value, 1, write_old_revision);
}

static enum perseus_status
write_old_report(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	struct perseus__json *json = user;
	(void)n_columns;
	(void)err;
	perseus__json_open_object(json, NULL, true);
	perseus__json_integer(json, "rank", columns[0].integer);
	perseus__json_integer(json, "last_step", columns[1].integer);
	perseus__json_close_object(json);
	/* The report is one object of JSON itself, checked when it came: it goes in as another member. */
	struct perseus__text *text = json->text;
	if (text->failed || text->length == 0 || text->bytes[text->length - 1] != '}')
		return PERSEUS_OK;
	text->length--;
	perseus__text_addf(text, ", \"report\": ");
	perseus__text_add(text, columns[2].text, columns[2].length);
	perseus__text_add(text, "}", 1);
	return PERSEUS_OK;
}

void
perseus__jobs_reports(
		struct perseus__jobs *jobs, struct perseus__call *call, const char *id, int32_t rank, int32_t limit)
{
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	const bool is_there = perseus__jobs_find(jobs, id) != NULL;
	if (!is_there)
		perseus__call_error(jobs, call, 404, "there is no job %s", id);
	perseus__jobs_unlock(jobs);
	if (!is_there)
		return;
	const int32_t most = limit < 1 ? 1 : limit > MAX_REPORTS ? MAX_REPORTS : limit;
	const struct perseus__value values[] = {
		perseus__value_text(id), perseus__value_integer(rank), perseus__value_integer(most)};
	answer_from_store(jobs, call, "reports",
			"SELECT rank, last_step, body FROM reports WHERE job = ?1 AND (?2 < 0 OR rank = ?2)"
			" ORDER BY id DESC LIMIT ?3",
			values, 3, write_old_report);
}
