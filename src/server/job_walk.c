/* Profiling in vivo: the walk's batches become revisions, and what it learned becomes the job's profile. */
#include "base/error.h"
#include "base/memory.h"
#include "server/job.h"
#include "server/lag.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
perseus__job_drop_walk(struct perseus__job *job)
{
	for (size_t b = 0; b < job->n_batches; b++)
		perseus__free(job->batches[b].from);
	job->n_batches = 0;
	job->n_parts = 0;
	job->part_begin = 0;
	perseus__walk_free(job->walk);
	job->walk = NULL;
}

static bool
can_set_clocks(const struct perseus__job *job)
{
	for (int32_t r = 0; r < job->n_ranks; r++)
		if (job->ranks[r].control != PERSEUS__CONTROL_AGENT && job->ranks[r].control != PERSEUS__CONTROL_DEVICE)
			return false;
	return true;
}

void
perseus__job_start_walk(struct perseus__job *job)
{
	int32_t n_clocks = 0, *clocks = NULL;
	(void)perseus__job_highest_mhz(job, &n_clocks, &clocks);
	struct perseus__walk_settings settings = perseus__walk_settings_default();
	settings.max_steps =
			job->request.max_profile_steps > 0 ? job->request.max_profile_steps : job->jobs->settings.max_profile_steps;
	settings.n_pp = job->request.parallel.pp;
	settings.clocks_mhz = clocks;
	settings.n_clocks = can_set_clocks(job) ? n_clocks : 0;
	settings.classes = job->classes;
	settings.n_classes = job->n_classes;
	settings.blocking_power_w = job->request.blocking_power_w;
	struct perseus_error err = {.message = ""};
	perseus__job_drop_walk(job);
	job->n_samples = 0;
	job->n_energies = 0;
	const enum perseus_status status = perseus__walk_new(&settings, &job->walk, &err);
	perseus__free(clocks);
	if (status != PERSEUS_OK) {
		char problem[PERSEUS__PROBLEM_BYTES];
		(void)snprintf(problem, sizeof problem, "profiling cannot begin: %.400s", err.message);
		perseus__job_give_up(job, problem);
		return;
	}
	perseus__job_set_phase(job, PERSEUS__JOB_PHASE_PROFILING);
	perseus__job_pump_walk(job);
}

/* Segments as they come, of as many batches as there are. */
struct segments {
	struct perseus__walk_segment *items;
	size_t n, capacity;
};

static enum perseus_status
take_segments(struct perseus__job *job, struct segments *segments, struct perseus_error *err)
{
	while (perseus__walk_state(job->walk) == PERSEUS__WALK_RUNNING) {
		const struct perseus__walk_segment *batch = NULL;
		int32_t n = 0;
		const enum perseus_status status = perseus__walk_next(job->walk, &batch, &n, err);
		if (status != PERSEUS_OK)
			return status;
		if (n <= 0)
			break;
		if (!perseus__reserve(&segments->items, &segments->capacity, segments->n + (size_t)n, sizeof *segments->items))
			return perseus__no_memory(err);
		memcpy(segments->items + segments->n, batch, sizeof *batch * (size_t)n);
		segments->n += (size_t)n;
	}
	return PERSEUS_OK;
}

/* The segments, and the highest clocks behind them, for as long as the next revision takes. */
static struct perseus__program *
make_program(const struct perseus__job *job, const struct segments *segments)
{
	struct perseus__program *program =
			perseus__program_new(PERSEUS__PHASE_PROFILE, true, (int32_t)segments->n + 1, job->n_classes);
	if (!program)
		return NULL;
	const size_t n = (size_t)job->n_classes;
	for (size_t s = 0; s < segments->n; s++) {
		program->n_steps[s] = segments->items[s].n_steps;
		memcpy(program->mhz + s * n, segments->items[s].class_mhz, n * sizeof *program->mhz);
	}
	int32_t n_clocks = 0, *clocks = NULL;
	int32_t highest = perseus__job_highest_mhz(job, &n_clocks, &clocks);
	perseus__free(clocks);
	if (!can_set_clocks(job))
		highest = 0;
	for (size_t c = 0; c < n; c++)
		program->mhz[segments->n * n + c] = highest;
	return program;
}

static bool
add_batch(struct perseus__job *job, const struct segments *segments)
{
	const int32_t dp = job->request.parallel.dp;
	struct perseus__batch batch = {.from = perseus__new_array((size_t)dp, sizeof *batch.from)};
	if (!batch.from || !perseus__reserve(&job->batches, &job->batch_capacity, job->n_batches + 1, sizeof *job->batches)
			|| !perseus__reserve(&job->parts, &job->part_capacity, job->n_parts + segments->n, sizeof *job->parts)) {
		perseus__free(batch.from);
		return false;
	}
	for (int32_t p = 0; p < dp; p++)
		batch.from[p] = -1;
	int32_t end = 0;
	for (size_t s = 0; s < segments->n; s++) {
		end += segments->items[s].n_steps;
		job->parts[job->n_parts++] = (struct perseus__walk_part){
			.batch = (int32_t)job->n_batches, .n_steps = segments->items[s].n_steps, .end = end};
	}
	job->batches[job->n_batches++] = batch;
	return true;
}

/* The step behind the last that the batches given so far are planned for. */
static int64_t
planned_end(const struct perseus__job *job, int32_t pipeline)
{
	const struct perseus__revision *started = &job->pipelines[pipeline].rollout.started;
	if (!started->program || started->batch < 0 || job->n_parts == 0)
		return 0;
	const struct perseus__walk_part *last = &job->parts[job->n_parts - 1];
	return last->batch == started->batch ? started->from_step + last->end : 0;
}

static void
give_batch(struct perseus__job *job, const struct segments *segments)
{
	struct perseus__program *program = make_program(job, segments);
	int64_t *not_before = perseus__new_array((size_t)job->request.parallel.dp, sizeof *not_before);
	for (int32_t p = 0; not_before && p < job->request.parallel.dp; p++)
		not_before[p] = planned_end(job, p);
	if (program && not_before && add_batch(job, segments))
		for (int32_t p = 0; p < job->request.parallel.dp; p++)
			perseus__job_roll_out(job, p, perseus__program_ref(program), not_before[p], (int32_t)job->n_batches - 1,
					"profiling in vivo");
	else
		perseus__job_give_up(job, "out of memory while profiling");
	perseus__program_unref(program);
	perseus__free(not_before);
}

static int
compare_doubles(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* NaN where there is none. Sorts. */
static double
median(double *values, int32_t n)
{
	if (n == 0)
		return NAN;
	qsort(values, (size_t)n, sizeof *values, compare_doubles);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

static void
measure_baseline(const struct perseus__job *job, struct perseus__profile_document *profile, double *span_s)
{
	double values[PERSEUS__N_BASELINE_SAMPLES];
	int32_t n = job->n_samples < PERSEUS__N_BASELINE_SAMPLES ? job->n_samples : PERSEUS__N_BASELINE_SAMPLES;
	for (int32_t i = 0; i < n; i++)
		values[i] = job->samples[i].span_s;
	*span_s = median(values, n);
	for (int32_t i = 0; i < n; i++)
		values[i] = job->samples[i].time_s;
	profile->baseline_time_s = median(values, n);
	const double overhead_s = profile->baseline_time_s - *span_s;
	profile->overhead_s = overhead_s > 0 || isnan(overhead_s) ? overhead_s : 0;
	n = job->n_energies < PERSEUS__N_BASELINE_SAMPLES ? job->n_energies : PERSEUS__N_BASELINE_SAMPLES;
	memcpy(values, job->energies_j, sizeof *values * (size_t)n);
	profile->baseline_energy_j = median(values, n);
}

/* The time of a transfer with which everything at the highest clock takes as long as was measured. */
static void
calibrate_transfer(const struct perseus__job *job, struct perseus__profile_document *profile, double span_s)
{
	const struct perseus_schedule *schedule = job->schedule;
	if (!(span_s > 0))
		return;
	int64_t *duration_ns = perseus__new_array((size_t)schedule->n_instructions, sizeof *duration_ns);
	bool is_known = duration_ns != NULL;
	for (int32_t i = 0; is_known && i < schedule->n_instructions; i++) {
		const struct perseus_instruction *instruction = &schedule->instructions[i];
		const struct perseus__profile_row *row =
				perseus__profile_document_find(profile, instruction->stage, instruction->class_name, -1);
		is_known = row != NULL;
		if (row)
			duration_ns[i] = (int64_t)(row->time_s * 1e9 + 0.5);
	}
	int64_t transfer_ns = 0, predicted_ns = 0;
	struct perseus_error err = {.message = ""};
	if (is_known
			&& perseus__lag_calibrate(
					   schedule, duration_ns, (int64_t)(span_s * 1e9 + 0.5), &transfer_ns, &predicted_ns, &err)
					== PERSEUS_OK)
		profile->transfer_s = (double)transfer_ns * 1e-9;
	perseus__free(duration_ns);
}

static enum perseus_status
fill_profile(const struct perseus__job *job, const struct perseus__walk_result *result,
		struct perseus__profile_document *profile, struct perseus_error *err)
{
	const enum perseus_status status =
			perseus__profile_document_init(profile, job->schedule->n_stages, (size_t)result->n_rows, err);
	if (status != PERSEUS_OK)
		return status;
	profile->created_ms = job->jobs->now.wall_ms;
	profile->n_steps = result->n_steps;
	for (int32_t r = 0; r < job->n_ranks; r++)
		profile->is_simulated |= job->ranks[r].is_simulated;
	for (int32_t c = 0; c < job->n_classes; c++) {
		const struct perseus__job_class *class_ = &job->classes[c];
		profile->blocking_power_w[class_->stage] = result->blocking[class_->pp].power_w;
		profile->blocking_error_w[class_->stage] = result->blocking[class_->pp].error_w;
	}
	for (int32_t r = 0; r < result->n_rows; r++) {
		const struct perseus__walk_row *from = &result->rows[r];
		struct perseus__profile_row *row = &profile->rows[profile->n_rows++];
		*row = (struct perseus__profile_row){.stage = from->measurement.stage,
			.frequency_mhz = from->measurement.frequency_mhz,
			.time_s = from->measurement.time_s,
			.time_error_s = from->time_error_s,
			.energy_j = from->measurement.energy_j,
			.energy_error_j = from->energy_error_j,
			.is_shared_power = from->is_shared_power};
		(void)snprintf(row->instruction, sizeof row->instruction, "%s", from->measurement.instruction);
	}
	double span_s = NAN;
	measure_baseline(job, profile, &span_s);
	calibrate_transfer(job, profile, span_s);
	return PERSEUS_OK;
}

static void
finish(struct perseus__job *job)
{
	struct perseus_error err = {.message = ""};
	struct perseus__walk_result *result = NULL;
	struct perseus__profile_document profile = {.rows = NULL};
	enum perseus_status status = perseus__walk_result(job->walk, &result, &err);
	if (status == PERSEUS_OK)
		status = fill_profile(job, result, &profile, &err);
	perseus__walk_result_free(result);
	if (status == PERSEUS_OK)
		status = perseus__profile_document_check(&profile, &err);
	if (status != PERSEUS_OK) {
		perseus__profile_document_fini(&profile);
		perseus__job_give_up(job, err.message);
		return;
	}
	perseus__job_drop_walk(job);
	perseus__job_set_profile(job, &profile);
	perseus__job_save_profile(job);
	perseus__job_tell(job, PERSEUS__JOB_EVENT_PROFILE, "{\"source\":\"in vivo\",\"steps\":%d,\"rows\":%zu}",
			(int)job->profile.n_steps, job->profile.n_rows);
	perseus__job_ask_plan(job);
}

void
perseus__job_pump_walk(struct perseus__job *job)
{
	if (!job->walk || job->is_replaying || job->phase != PERSEUS__JOB_PHASE_PROFILING)
		return;
	/* One revision on its way at a time; the next waits for it. */
	for (int32_t p = 0; p < job->request.parallel.dp; p++)
		if (job->pipelines[p].rollout.coming.program && job->pipelines[p].n_present > 0 && job->n_batches > 0)
			return;
	struct segments segments = {.items = NULL};
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = take_segments(job, &segments, &err);
	if (status != PERSEUS_OK)
		perseus__job_give_up(job, err.message);
	else if (segments.n > 0)
		give_batch(job, &segments);
	else if (perseus__walk_state(job->walk) == PERSEUS__WALK_DONE && job->part_begin == job->n_parts)
		finish(job);
	perseus__free(segments.items);
}

/* Whether every present rank has reported the part's last step. */
static bool
is_over(const struct perseus__job *job, const struct perseus__walk_part *part)
{
	bool is_anybody_there = false;
	for (int32_t p = 0; p < job->request.parallel.dp; p++) {
		const int64_t from = job->batches[part->batch].from[p];
		if (job->pipelines[p].n_present == 0)
			continue;
		is_anybody_there = true;
		if (from < 0 || job->last_complete < from + part->end - 1)
			return false;
	}
	return is_anybody_there;
}

void
perseus__job_end_parts(struct perseus__job *job)
{
	bool has_ended = false;
	while (job->walk && job->part_begin < job->n_parts && is_over(job, &job->parts[job->part_begin])) {
		const struct perseus__walk_part *part = &job->parts[job->part_begin++];
		has_ended = true;
		/* Steps between two batches count: the walk then plans further ahead. */
		struct perseus__batch *batch = &job->batches[part->batch];
		perseus__walk_end_segment(job->walk, part->n_steps + batch->late);
		batch->late = 0;
	}
	if (has_ended)
		perseus__job_pump_walk(job);
}
