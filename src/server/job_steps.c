/* Reports of ranks: put together to steps, which feed the walk, the detector, drift and savings. */
#include "base/error.h"
#include "base/memory.h"
#include "format/json_writer.h"
#include "server/body.h"
#include "server/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SUMS_EVERY_STEPS = 64, SAVINGS_EVERY_STEPS = 10, MAX_SUMS_BYTES = 4096 };

#define NANO 1e9

static const struct perseus__profile_row *
profile_row(const struct perseus__job *job, const struct perseus__class_report *class_)
{
	if (!job->has_profile || job->walk)
		return NULL;
	return perseus__profile_document_find(
			&job->profile, class_->stage, perseus_kind_name(class_->kind), class_->frequency_mhz);
}

static void
add_walk_times(struct perseus__job *job, int32_t c, int32_t mhz, int32_t count, double mean_s, double deviation_s)
{
	const struct perseus__walk_times times = {
		.class_ = c, .frequency_mhz = mhz, .count = count, .mean_s = mean_s, .deviation_s = deviation_s};
	struct perseus_error err;
	if (job->walk && perseus__walk_add_times(job->walk, &times, &err) != PERSEUS_OK)
		perseus__job_warn(job, "a time was left out of the profile: %s", err.message);
}

static void
add_class(struct perseus__job *job, struct perseus__step *step, const struct perseus__rank *rank,
		const struct perseus__class_report *report)
{
	const int32_t c = perseus__job_class_index(job, report->stage, report->kind);
	if (c < 0 || job->classes[c].pp != rank->at.pp)
		return; /* of no class of the schedule: an evaluation pass, or a bug of the client */
	struct perseus__step_class *sum = &step->classes[(size_t)rank->at.dp * (size_t)job->n_classes + (size_t)c];
	const struct perseus__profile_row *row = profile_row(job, report);
	if (row) {
		sum->measured_s += report->count * report->mean_s;
		sum->expected_s += report->count * row->time_s;
	}
	if (!job->walk)
		return;
	/* Ranks of a stage wait for each other: the slowest counts. A class at several clocks is told at once. */
	if (sum->mhz == -1) {
		sum->mhz = report->frequency_mhz;
	} else if (sum->mhz != report->frequency_mhz) {
		add_walk_times(job, c, report->frequency_mhz, report->count, report->mean_s, report->deviation_s);
		return;
	}
	if (report->mean_s > sum->mean_s) {
		sum->count = report->count;
		sum->mean_s = report->mean_s;
		sum->deviation_s = report->deviation_s;
	}
}

static void
add_step(struct perseus__job *job, struct perseus__step *step, const struct perseus__rank *rank,
		const struct perseus__report *report, const struct perseus__step_report *from)
{
	struct perseus__step_pipeline *pipeline = &step->pipelines[rank->at.dp];
	const int32_t highest = rank->n_clocks > 0 ? rank->clocks_mhz[0] : 0;
	step->n_reported++;
	pipeline->n_reported++;
	if (from->time_s > pipeline->time_s)
		pipeline->time_s = from->time_s;
	if (from->span_s > pipeline->span_s)
		pipeline->span_s = from->span_s;
	if (isfinite(from->energy_j)) {
		pipeline->energy_j += from->energy_j;
		pipeline->n_measured++;
	}
	pipeline->is_followed &= from->is_followed;
	for (int32_t i = 0; i < from->n_classes; i++) {
		const struct perseus__class_report *class_ = &report->classes[from->first_class + i];
		/* Whoever cannot set clocks runs at the highest as far as it knows. */
		pipeline->is_highest &= class_->frequency_mhz == highest || class_->frequency_mhz == 0;
		add_class(job, step, rank, class_);
	}
}

static void
add_window(struct perseus__job *job, const struct perseus__rank *rank, const struct perseus__report *report,
		const struct perseus__window_report *from)
{
	struct perseus__walk_term *terms = perseus__new_array((size_t)from->n_busy, sizeof *terms);
	int32_t n = 0;
	double unknown_s = 0;
	for (int32_t i = 0; terms && i < from->n_busy; i++) {
		const struct perseus__busy_report *busy = &report->busy[from->first_busy + i];
		const int32_t c = perseus__job_class_index(job, busy->stage, busy->kind);
		if (c < 0 || job->classes[c].pp != rank->at.pp)
			unknown_s += busy->time_s;
		else
			terms[n++] = (struct perseus__walk_term){
				.class_ = c, .frequency_mhz = busy->frequency_mhz, .time_s = busy->time_s};
	}
	const struct perseus__walk_window window = {.pp = rank->at.pp,
		.rank = (int32_t)(rank - job->ranks),
		.time_s = from->time_s,
		.energy_j = from->energy_j,
		.error_j = from->error_j,
		.unsettled_s = from->unsettled_s + unknown_s,
		.terms = terms,
		.n_terms = n};
	struct perseus_error err = {.message = ""};
	if (!terms || perseus__walk_add_window(job->walk, &window, &err) != PERSEUS_OK)
		perseus__job_warn(job, "a window of energy was left out of the profile: %s", err.message);
	perseus__free(terms);
}

/* What was expected of a pipeline in a step: the promise of its plan; NULL: it had none, or did not keep to it. */
static const struct perseus__promise *
promise_of(const struct perseus__job *job, const struct perseus__step *step, int32_t pipeline)
{
	const struct perseus__past_revision *past = perseus__rollout_at(&job->pipelines[pipeline].rollout, step->step);
	return past && past->phase == PERSEUS__PHASE_PLAN && past->promise.is_there && step->pipelines[pipeline].is_followed
			? &past->promise
			: NULL;
}

static bool
is_dry_run(const struct perseus__job *job)
{
	for (int32_t r = 0; r < job->n_ranks; r++)
		if (job->ranks[r].control == PERSEUS__CONTROL_DRY_RUN || job->ranks[r].control == PERSEUS__CONTROL_NONE)
			return true;
	return false;
}

static void
tell_straggler(struct perseus__job *job, int32_t pipeline, const struct perseus__verdict *verdict)
{
	if (verdict->is_straggler && job->pipelines[pipeline].detected <= 1)
		job->jobs->n_stragglers++;
	job->pipelines[pipeline].detected = verdict->is_straggler ? verdict->degree : 1;
	perseus__job_tell(job, PERSEUS__JOB_EVENT_STRAGGLER,
			"{\"pipeline\":%d,\"source\":\"detected\",\"degree\":%.6g,\"since_step\":%lld}", (int)pipeline,
			job->pipelines[pipeline].detected, (long long)verdict->since_step);
}

static void
detect(struct perseus__job *job, const struct perseus__step *step)
{
	const int32_t dp = job->request.parallel.dp;
	if (!job->detector || job->walk || !job->has_profile)
		return;
	double *time_s = perseus__new_array((size_t)dp * 2, sizeof *time_s);
	if (!time_s)
		return;
	double *expected_s = time_s + dp;
	const bool has_plans = !is_dry_run(job);
	for (int32_t p = 0; p < dp; p++) {
		const struct perseus__promise *promise = promise_of(job, step, p);
		const bool has_span = step->pipelines[p].n_reported > 0 && step->pipelines[p].span_s > 0;
		expected_s[p] = !has_plans ? 1 : promise ? (double)promise->time_ns / NANO : NAN;
		time_s[p] = has_span ? step->pipelines[p].span_s : NAN;
	}
	if (perseus__detector_step(job->detector, step->step, time_s, expected_s)) {
		for (int32_t p = 0; p < dp; p++) {
			const struct perseus__verdict *verdict = perseus__detector_verdict(job->detector, p);
			const double degree = verdict->is_straggler ? verdict->degree : 1;
			if (fabs(degree - job->pipelines[p].detected) > 1e-9)
				tell_straggler(job, p, verdict);
		}
		perseus__job_replan(job, "a straggler detected");
	}
	perseus__free(time_s);
}

/* Classes that have drifted: their times, and with these their energies, at every clock. */
static void
scale_rows(const struct perseus__job *job, const bool *has_drifted, struct perseus__profile_row *rows)
{
	for (size_t i = 0; i < job->profile.n_rows; i++) {
		struct perseus__profile_row *row = &rows[i];
		for (int32_t c = 0; c < job->n_classes; c++) {
			if (!has_drifted[c] || job->classes[c].stage != row->stage
					|| strcmp(job->classes[c].name, row->instruction) != 0)
				continue;
			const double ratio = perseus__drift_verdict(job->drift, c).ratio;
			row->time_s *= ratio;
			row->time_error_s *= ratio;
			row->energy_j *= ratio;
			row->energy_error_j *= ratio;
		}
	}
}

/* False where what comes of it cannot be, or without memory: nothing has changed then. */
static bool
follow_drift(struct perseus__job *job, const bool *has_drifted)
{
	struct perseus__profile_document refreshed = job->profile;
	struct perseus_error err = {.message = ""};
	refreshed.rows = perseus__new_array(job->profile.n_rows, sizeof *refreshed.rows);
	if (!refreshed.rows)
		return false;
	memcpy(refreshed.rows, job->profile.rows, job->profile.n_rows * sizeof *refreshed.rows);
	scale_rows(job, has_drifted, refreshed.rows);
	const bool is_good = perseus__profile_document_check(&refreshed, &err) == PERSEUS_OK;
	if (is_good)
		memcpy(job->profile.rows, refreshed.rows, job->profile.n_rows * sizeof *refreshed.rows);
	else
		perseus__job_warn(job, "the profile does not follow a drift: %s", err.message);
	perseus__free(refreshed.rows);
	return is_good;
}

static void
refresh_profile(struct perseus__job *job, const bool *has_drifted)
{
	if (!follow_drift(job, has_drifted)) {
		perseus__drift_reset(job->drift);
		return;
	}
	job->is_profile_saved = false;
	perseus__job_save_profile(job);
	perseus__drift_reset(job->drift);
	if (job->detector)
		perseus__detector_reset(job->detector);
	perseus__job_tell(job, PERSEUS__JOB_EVENT_PROFILE, "{\"source\":\"drift\"}");
	perseus__job_ask_plan(job);
}

static void
look_for_drift(struct perseus__job *job, const struct perseus__step *step)
{
	const int32_t dp = job->request.parallel.dp;
	double *ratios = perseus__new_array((size_t)dp, sizeof *ratios);
	bool *has_drifted = perseus__new_array((size_t)job->n_classes, sizeof *has_drifted);
	bool is_news = false;
	for (int32_t c = 0; ratios && has_drifted && c < job->n_classes; c++) {
		bool has_any = false;
		for (int32_t p = 0; p < dp; p++) {
			const struct perseus__step_class *sum = &step->classes[(size_t)p * (size_t)job->n_classes + (size_t)c];
			ratios[p] = sum->expected_s > 0 ? sum->measured_s / sum->expected_s : NAN;
			has_any |= sum->expected_s > 0;
		}
		if (has_any && perseus__drift_add(job->drift, c, step->step, ratios, dp)) {
			const struct perseus__drift_verdict verdict = perseus__drift_verdict(job->drift, c);
			is_news = true;
			perseus__job_tell(job, PERSEUS__JOB_EVENT_DRIFT,
					"{\"stage\":%d,\"instruction\":\"%s\",\"ratio\":%.6g,\"since_step\":%lld}",
					(int)job->classes[c].stage, job->classes[c].name, verdict.ratio, (long long)verdict.since_step);
		}
		if (has_drifted)
			has_drifted[c] = perseus__drift_verdict(job->drift, c).has_drifted;
	}
	if (is_news)
		refresh_profile(job, has_drifted);
	perseus__free(ratios);
	perseus__free(has_drifted);
}

/* Effective energy of a pipeline, of one GPU a stage: what an iteration takes beside waiting all through it. */
static double
effective_j(int64_t energy_nj, int64_t time_ns, double blocking_w)
{
	return (double)energy_nj / NANO - blocking_w * ((double)time_ns / NANO);
}

/* A step under plans, beside what was predicted and what it would have been without. False: it is none. */
static bool
judge_step(const struct perseus__job *job, const struct perseus__step *step, struct perseus__savings *out)
{
	const int32_t dp = job->request.parallel.dp;
	const double overhead_s = isfinite(job->overhead_s) ? job->overhead_s : 0;
	double time_s = 0, predicted_s = 0, baseline_s = 0, plain_s = 0;
	double measured_j = 0, plan_j = 0, highest_j = 0, blocking_w = 0; /* plan_j and highest_j are effective energies */
	int32_t n_measured = 0;
	for (int32_t p = 0; p < dp; p++) {
		const struct perseus__promise *promise = promise_of(job, step, p);
		if (!promise || step->pipelines[p].n_reported == 0)
			return false;
		const double degree = perseus__job_degree(job, p);
		predicted_s = fmax(predicted_s, degree * (double)promise->time_ns / NANO);
		plain_s = fmax(plain_s, (double)promise->baseline_time_ns / NANO);
		baseline_s = fmax(baseline_s, degree * (double)promise->baseline_time_ns / NANO);
		time_s = fmax(time_s, step->pipelines[p].time_s);
		measured_j += step->pipelines[p].energy_j;
		n_measured += step->pipelines[p].n_measured;
		const double waiting_w = (double)promise->blocking_uw * 1e-6;
		plan_j += effective_j(promise->energy_nj, promise->time_ns, waiting_w);
		highest_j += effective_j(promise->baseline_energy_nj, promise->baseline_time_ns, waiting_w);
		blocking_w += waiting_w;
	}
	*out = (struct perseus__savings){.n_steps = 1,
		.measured_s = time_s,
		.predicted_s = predicted_s + overhead_s,
		.baseline_s = baseline_s + overhead_s};
	if (n_measured < job->n_ranks)
		return true;
	const double gpus = perseus__job_gpus_per_stage(job);
	out->n_measured = 1;
	out->measured_j = measured_j;
	out->predicted_j = gpus * (plan_j + blocking_w * out->predicted_s);
	out->baseline_j = gpus * (highest_j + blocking_w * out->baseline_s);
	/* What was measured before is of an iteration in which nobody straggled. */
	const double plain_j = gpus * (highest_j + blocking_w * (plain_s + overhead_s));
	if (isfinite(job->profile.baseline_energy_j))
		out->measured_baseline_j = job->profile.baseline_energy_j + out->baseline_j - plain_j;
	return true;
}

static void
add_savings(struct perseus__job *job, const struct perseus__step *step)
{
	struct perseus__savings savings;
	struct perseus__jobs *jobs = job->jobs;
	/* What is read again after a restart may be among the sums already. */
	if ((job->is_replaying && step->step <= job->saved_step) || is_dry_run(job) || !judge_step(job, step, &savings))
		return;
	perseus__savings_add(&job->savings, &savings);
	jobs->measured_j += savings.measured_j;
	jobs->predicted_j += savings.predicted_j;
	jobs->baseline_j += savings.baseline_j;
	if (job->savings.n_steps % SAVINGS_EVERY_STEPS == 0)
		perseus__job_tell(job, PERSEUS__JOB_EVENT_SAVINGS,
				"{\"step\":%lld,\"steps\":%lld,\"measured_j\":%.9g,\"predicted_j\":%.9g,\"baseline_j\":%.9g}",
				(long long)step->step, (long long)job->savings.n_steps, job->savings.measured_j,
				job->savings.predicted_j, job->savings.baseline_j);
}

/* Steps at the highest clock, before the first plan; the very first warms up. */
static void
sample_baseline(struct perseus__job *job, const struct perseus__step *step)
{
	const int32_t dp = job->request.parallel.dp;
	double energy_j = 0;
	int32_t n_measured = 0;
	bool is_highest = true;
	for (int32_t p = 0; p < dp; p++) {
		const struct perseus__step_pipeline *pipeline = &step->pipelines[p];
		is_highest &= pipeline->is_highest && pipeline->is_followed && pipeline->n_reported > 0;
		energy_j += pipeline->energy_j;
		n_measured += pipeline->n_measured;
	}
	if (!is_highest || step->step == 0)
		return;
	for (int32_t p = 0; p < dp; p++)
		if (step->pipelines[p].span_s > 0) {
			const int32_t at = job->n_samples++ % PERSEUS__N_BASELINE_SAMPLES;
			job->samples[at].span_s = step->pipelines[p].span_s;
			job->samples[at].time_s = step->pipelines[p].time_s;
		}
	if (n_measured == job->n_ranks)
		job->energies_j[job->n_energies++ % PERSEUS__N_BASELINE_SAMPLES] = energy_j;
}

static void
feed_walk(struct perseus__job *job, const struct perseus__step *step)
{
	const int32_t dp = job->request.parallel.dp;
	sample_baseline(job, step);
	for (int32_t p = 0; p < dp; p++)
		for (int32_t c = 0; c < job->n_classes; c++) {
			const struct perseus__step_class *sum = &step->classes[(size_t)p * (size_t)job->n_classes + (size_t)c];
			if (sum->count > 0)
				add_walk_times(job, c, sum->mhz, sum->count, sum->mean_s, sum->deviation_s);
		}
}

static void
complete(struct perseus__job *job, struct perseus__step *step)
{
	step->is_complete = true;
	if (step->step > job->last_complete)
		job->last_complete = step->step;
	if (job->walk) {
		feed_walk(job, step);
		perseus__job_end_parts(job);
		return;
	}
	if (job->has_profile) {
		detect(job, step);
		add_savings(job, step);
	}
	if (job->is_replaying)
		return;
	/* What is read again after a restart may be of before the profile was last refreshed. */
	if (job->has_profile)
		look_for_drift(job, step);
	if (++job->n_unsaved >= SUMS_EVERY_STEPS)
		perseus__job_save_sums(job);
}

void
perseus__job_complete_steps(struct perseus__job *job)
{
	/* In the order of steps, which is that of the ring from behind the latest on. */
	for (int i = 1; i <= PERSEUS__N_OPEN_STEPS && job->steps.latest >= 0; i++) {
		struct perseus__step *step = &job->steps.open[(job->steps.latest + i) % PERSEUS__N_OPEN_STEPS];
		if (step->step >= 0 && !step->is_complete && step->n_reported > 0 && step->n_reported >= job->n_present)
			complete(job, step);
	}
	perseus__job_end_parts(job);
}

int64_t
perseus__job_apply_report(struct perseus__job *job, struct perseus__rank *rank, const struct perseus__report *report)
{
	struct perseus__jobs *jobs = job->jobs;
	/* Its answer was lost: its windows count once, as its steps do. */
	const bool is_again = report->n_steps > 0 && report->steps[report->n_steps - 1].step <= rank->reported;
	perseus__job_hear(job, rank);
	job->n_reports++;
	jobs->n_reports += !job->is_replaying;
	if (!isnan(report->switch_latency_s))
		rank->switch_latency_s = report->switch_latency_s;
	if (report->has_control)
		rank->control = report->control;
	for (int32_t i = 0; i < report->n_windows && job->walk && !is_again; i++)
		add_window(job, rank, report, &report->windows[i]);
	for (int32_t i = 0; i < report->n_steps; i++) {
		const struct perseus__step_report *from = &report->steps[i];
		if (from->step <= rank->reported)
			continue; /* sent again, as its answer was lost */
		rank->reported = from->step;
		if (from->step + 1 > rank->begun)
			rank->begun = from->step + 1;
		job->n_steps++;
		jobs->n_steps += !job->is_replaying;
		struct perseus__step *step = job->schedule ? perseus__steps_open(&job->steps, from->step) : NULL;
		if (!step || step->is_complete)
			continue;
		add_step(job, step, rank, report, from);
		if (step->n_reported >= job->n_present)
			complete(job, step);
	}
	return rank->reported;
}

void
perseus__savings_write(const struct perseus__savings *savings, struct perseus__text *text)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_integer(&json, "n_steps", savings->n_steps);
	perseus__json_integer(&json, "n_measured", savings->n_measured);
	perseus__json_number(&json, "measured_j", savings->measured_j);
	perseus__json_number(&json, "predicted_j", savings->predicted_j);
	perseus__json_number(&json, "baseline_j", savings->baseline_j);
	perseus__json_number(&json, "measured_baseline_j", savings->measured_baseline_j);
	perseus__json_number(&json, "measured_s", savings->measured_s);
	perseus__json_number(&json, "predicted_s", savings->predicted_s);
	perseus__json_number(&json, "baseline_s", savings->baseline_s);
	perseus__json_close_object(&json);
}

enum perseus_status
perseus__savings_read(const char *text, struct perseus__savings *out, struct perseus_error *err)
{
#define FIELD(member, t) \
	{.key = #member, .type = (t), .offset = offsetof(struct perseus__savings, member), .least = -9e18, .most = 9e18}
	static const struct perseus__field fields[] = {
		FIELD(n_steps, PERSEUS__FIELD_INT64),
		FIELD(n_measured, PERSEUS__FIELD_INT64),
		FIELD(measured_j, PERSEUS__FIELD_NUMBER),
		FIELD(predicted_j, PERSEUS__FIELD_NUMBER),
		FIELD(baseline_j, PERSEUS__FIELD_NUMBER),
		FIELD(measured_baseline_j, PERSEUS__FIELD_NUMBER),
		FIELD(measured_s, PERSEUS__FIELD_NUMBER),
		FIELD(predicted_s, PERSEUS__FIELD_NUMBER),
		FIELD(baseline_s, PERSEUS__FIELD_NUMBER),
	};
#undef FIELD
	struct perseus__savings savings = {.n_steps = 0};
	json_t *document = NULL;
	enum perseus_status status = perseus__body_parse(text, strlen(text), &document, err);
	if (status == PERSEUS_OK)
		status = perseus__body_read(document, "sums", fields, sizeof fields / sizeof *fields, &savings, err);
	json_decref(document);
	if (status == PERSEUS_OK)
		*out = savings;
	return status;
}

void
perseus__job_save_sums(struct perseus__job *job)
{
	/* While profiling, every report is needed to go on after a restart. */
	if (job->is_replaying || job->walk)
		return;
	struct perseus__text text = perseus__text_init(MAX_SUMS_BYTES);
	perseus__savings_write(&job->savings, &text);
	struct perseus__write *write = text.failed ? NULL : perseus__write_new();
	const struct perseus__value sums[] = {perseus__value_text(job->id), perseus__value_integer(job->epoch),
		perseus__value_integer(job->last_complete), perseus__value_bytes(text.bytes, text.length)};
	perseus__write_add(write, "INSERT OR REPLACE INTO sums VALUES (?, ?, ?, ?)", sums, 4);
	const struct perseus__value old[] = {
		sums[0], sums[1], perseus__value_integer(job->last_complete - job->jobs->settings.n_kept_steps)};
	perseus__write_add(write, "DELETE FROM reports WHERE job = ? AND epoch < ?", old, 2);
	perseus__write_add(write, "DELETE FROM reports WHERE job = ? AND epoch = ? AND last_step < ?", old, 3);
	struct perseus_error err;
	if (perseus__job_save(job, write, &(struct perseus__saving){.saved = NULL}, &err))
		job->n_unsaved = 0;
	perseus__text_fini(&text);
}
