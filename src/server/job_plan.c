/* From the profile to the shape, and from target and stragglers to the plan of each pipeline. */
#include "base/error.h"
#include "base/memory.h"
#include "server/job.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_REFINED = 8 };

#define NANO 1e9

/* A switch latency that differs by less from what was planned with needs no new plan. */
#define LATENCY_TOLERANCE 0.3

void
perseus__job_drop_shape(struct perseus__job *job)
{
	for (int32_t i = 0; i < job->n_refined; i++)
		perseus_plan_free(job->refined[i].plan);
	job->n_refined = 0;
	perseus__shape_unref(job->shape);
	job->shape = NULL;
	job->generation++;
	if (job->asking)
		perseus__planner_cancel(job->jobs->settings.planner, job->asking);
	job->asking = NULL;
}

void
perseus__job_set_profile(struct perseus__job *job, struct perseus__profile_document *profile)
{
	perseus__profile_document_fini(&job->profile);
	job->profile = *profile;
	*profile = (struct perseus__profile_document){.rows = NULL};
	job->has_profile = true;
	job->is_profile_saved = false;
	job->overhead_s = job->profile.overhead_s;
}

static void
saved_profile(struct perseus__saving *saving, struct perseus__job *job, const struct perseus_error *err)
{
	if (job && err && job->generation == saving->number) {
		job->is_profile_saved = false; /* the next tick tries again */
		perseus__job_warn(job, "the profile is not saved yet: %s", err->message);
	}
}

void
perseus__job_save_profile(struct perseus__job *job)
{
	char own[PERSEUS__JOB_ID_BYTES + 8];
	(void)snprintf(own, sizeof own, "job:%s", job->id);
	/* What was uploaded is this job's alone. */
	const char *fingerprint = job->profile.is_uploaded || !job->fingerprint ? own : job->fingerprint;
	struct perseus__text document = perseus__text_init((size_t)PERSEUS__MAX_PROFILE_BYTES * 4);
	struct perseus__text csv = perseus__text_init((size_t)PERSEUS__MAX_PROFILE_BYTES * 4);
	perseus__profile_document_write(&job->profile, &document);
	if (job->profile.csv)
		perseus__text_add(&csv, job->profile.csv, strlen(job->profile.csv));
	else
		perseus__profile_document_csv(&job->profile, &csv);
	struct perseus__write *write = document.failed || csv.failed ? NULL : perseus__write_new();
	const struct perseus__value values[] = {perseus__value_text(fingerprint),
		perseus__value_bytes(document.bytes, document.length), perseus__value_bytes(csv.bytes, csv.length),
		perseus__value_integer(job->jobs->now.wall_ms)};
	perseus__write_add(write, "INSERT OR REPLACE INTO profiles VALUES (?, ?, ?, ?)", values, 4);
	const struct perseus__value named[] = {values[0], perseus__value_text(job->id)};
	perseus__write_add(write, "UPDATE jobs SET profile = ? WHERE id = ?", named, 2);
	struct perseus_error err;
	job->is_profile_saved = perseus__job_save(
			job, write, &(struct perseus__saving){.saved = saved_profile, .number = job->generation}, &err);
	perseus__text_fini(&document);
	perseus__text_fini(&csv);
}

double
perseus__job_switch_latency_s(const struct perseus__job *job)
{
	double latency_s = NAN;
	for (int32_t r = 0; r < job->n_ranks; r++)
		if (!(latency_s >= job->ranks[r].switch_latency_s) && !isnan(job->ranks[r].switch_latency_s))
			latency_s = job->ranks[r].switch_latency_s;
	return latency_s;
}

/* A request under way: the job by its id, as it may be gone when the answer comes. */
struct asking {
	struct perseus__jobs *jobs;
	char job[PERSEUS__JOB_ID_BYTES];
	int64_t generation;
	int64_t deadline_ns;
};

static struct asking *
new_asking(struct perseus__job *job)
{
	struct asking *asking = perseus__new_array(1, sizeof *asking);
	if (!asking)
		return NULL;
	asking->jobs = job->jobs;
	memcpy(asking->job, job->id, sizeof asking->job);
	asking->generation = job->generation;
	perseus__jobs_begin(job->jobs);
	return asking;
}

/* The job that asked, if it still wants the answer. */
static struct perseus__job *
asker(const struct asking *asking)
{
	struct perseus__job *job = perseus__jobs_find(asking->jobs, asking->job);
	const bool is_wanted = job && job->phase != PERSEUS__JOB_PHASE_ENDED && job->generation == asking->generation;
	return is_wanted ? job : NULL;
}

static void
take_shape(struct perseus__job *job, struct perseus__shape *shape)
{
	job->shape = perseus__shape_ref(shape);
	const struct perseus__shape_info info = perseus__shape_info(shape);
	perseus__job_set_phase(job, PERSEUS__JOB_PHASE_PLANNED);
	perseus__job_tell(job, PERSEUS__JOB_EVENT_FRONTIER, "{\"t_min_s\":%.9g,\"t_star_s\":%.9g,\"breakpoints\":%d}",
			(double)info.t_min_ns / NANO, (double)info.t_star_ns / NANO, (int)info.frontier.n_breakpoints);
	perseus__job_replan(job, "the fastest plan");
}

static void
on_shape(void *user, struct perseus__shape *shape, const struct perseus_error *err)
{
	struct asking *asking = user;
	struct perseus__jobs *jobs = asking->jobs;
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	struct perseus__job *job = asker(asking);
	if (job)
		job->asking = NULL;
	if (job && shape) {
		take_shape(job, shape);
	} else if (job) {
		char problem[PERSEUS__PROBLEM_BYTES];
		(void)snprintf(problem, sizeof problem, "no plan can be made: %.400s", err ? err->message : "");
		perseus__job_give_up(job, problem);
	}
	perseus__jobs_unlock(jobs);
	perseus__free(asking);
	perseus__jobs_done(jobs);
}

/* Blocking powers of all stages, each known. */
static double *
make_blocking(const struct perseus__job *job, int32_t n_stages)
{
	double *powers = perseus__new_array((size_t)n_stages, sizeof *powers);
	double mean = perseus__profile_document_blocking_w(&job->profile);
	if (isnan(mean))
		mean = isnan(job->request.blocking_power_w) ? 0 : job->request.blocking_power_w;
	for (int32_t stage = 0; powers && stage < n_stages; stage++) {
		const double power_w = stage < job->profile.n_stages ? job->profile.blocking_power_w[stage] : NAN;
		powers[stage] = isfinite(power_w) && power_w > 0 ? power_w : mean;
	}
	/* Positions with several stages wait with one power. */
	for (int32_t c = 1; powers && c < job->n_classes; c++)
		for (int32_t k = 0; k < c; k++)
			if (job->classes[k].pp == job->classes[c].pp) {
				powers[job->classes[c].stage] = powers[job->classes[k].stage];
				break;
			}
	return powers;
}

/*
 * Rows of the profile that the optimizer can use. A class of which no energy is known counts as waiting at its highest
 * clock: then it neither gains nor loses.
 */
static size_t
make_rows(const struct perseus__job *job, const double *blocking_w, int32_t n_stages, struct perseus_measurement *rows)
{
	const struct perseus__profile_document *profile = &job->profile;
	size_t n = 0;
	for (size_t i = 0; i < profile->n_rows; i++) {
		const struct perseus__profile_row *row = &profile->rows[i];
		const struct perseus__profile_row *before = i > 0 ? &profile->rows[i - 1] : NULL;
		const bool is_first =
				!before || before->stage != row->stage || strcmp(before->instruction, row->instruction) != 0;
		bool has_energy = false;
		for (size_t k = i; is_first && k < profile->n_rows && profile->rows[k].stage == row->stage
				&& strcmp(profile->rows[k].instruction, row->instruction) == 0;
				k++)
			has_energy |= isfinite(profile->rows[k].energy_j);
		const bool is_known = isfinite(row->energy_j);
		if (row->stage >= n_stages || (!is_known && (!is_first || has_energy)))
			continue;
		const double energy_j = is_known ? row->energy_j : blocking_w[row->stage] * row->time_s;
		rows[n++] = (struct perseus_measurement){.stage = row->stage,
			.instruction = row->instruction,
			.frequency_mhz = row->frequency_mhz,
			.time_s = row->time_s,
			.energy_j = energy_j > 0 ? energy_j : 0};
	}
	return n;
}

/* The schedule again as an order, which a shape is asked with. */
static enum perseus_status
ask(struct perseus__job *job, struct perseus_measurement *rows, const double *blocking_w, int32_t n_stages,
		struct perseus_error *err)
{
	const struct perseus_schedule *schedule = job->schedule;
	const double latency_s = perseus__job_switch_latency_s(job);
	struct perseus__shape_request request = {
		.rows = rows,
		.n_rows = make_rows(job, blocking_w, n_stages, rows),
		.profile = perseus_profile_settings_default(),
		.transfer_s = isfinite(job->profile.transfer_s) ? job->profile.transfer_s : 0,
		.order = {.name = schedule->name,
			.n_ranks = schedule->n_ranks,
			.rank_begin = schedule->rank_begin,
			.instructions = schedule->instructions},
		.granularity = job->request.granularity,
		.switch_latency_ns = isnan(latency_s) ? 0 : (int64_t)(latency_s * NANO),
	};
	request.profile.blocking_power_w = blocking_w;
	request.profile.n_blocking_power = n_stages;
	struct asking *asking = new_asking(job);
	if (!asking)
		return perseus__no_memory(err);
	const enum perseus_status status =
			perseus__planner_ask(job->jobs->settings.planner, &request, on_shape, asking, err);
	if (status != PERSEUS_OK) {
		perseus__jobs_undo_begin(job->jobs);
		perseus__free(asking);
	}
	job->asking = status == PERSEUS_OK ? asking : NULL;
	job->asked_latency_s = latency_s;
	return status;
}

static bool
has_choice(const struct perseus__profile_document *profile)
{
	for (size_t i = 1; i < profile->n_rows; i++)
		if (profile->rows[i].stage == profile->rows[i - 1].stage
				&& strcmp(profile->rows[i].instruction, profile->rows[i - 1].instruction) == 0)
			return true;
	return false;
}

void
perseus__job_ask_plan(struct perseus__job *job)
{
	if (!job->schedule || !job->has_profile)
		return;
	perseus__job_drop_shape(job);
	if (!has_choice(&job->profile)) {
		perseus__job_give_up(job,
				"every class was measured at one clock alone, as the clocks of some rank cannot be set:"
				" upload a profile to see what a plan would save");
		return;
	}
	perseus__job_set_phase(job, PERSEUS__JOB_PHASE_PLANNING);
	const int32_t n_stages =
			job->schedule->n_stages > job->profile.n_stages ? job->schedule->n_stages : job->profile.n_stages;
	double *blocking_w = make_blocking(job, n_stages);
	struct perseus_measurement *rows = perseus__new_array(job->profile.n_rows, sizeof *rows);
	struct perseus_error err = {.message = ""};
	const enum perseus_status status =
			blocking_w && rows ? ask(job, rows, blocking_w, n_stages, &err) : perseus__no_memory(&err);
	perseus__free(blocking_w);
	perseus__free(rows);
	if (status != PERSEUS_OK)
		perseus__job_give_up(job, err.message);
}

double
perseus__job_degree(const struct perseus__job *job, int32_t pipeline)
{
	const double announced = perseus__announced_degree(&job->announced, pipeline, job->jobs->now.wall_ms);
	const double detected = job->pipelines[pipeline].detected;
	/* Who announces knows better than who measures, unless it is nothing that he announces. */
	return announced > 1 ? announced : detected;
}

/* Energy with no waiting beyond the iteration's own end. */
static int64_t
own_energy_nj(const struct perseus_outcome *outcome, int64_t deadline_ns, int64_t blocking_uw)
{
	const int64_t waited_ns = deadline_ns > outcome->iteration_time_ns ? deadline_ns - outcome->iteration_time_ns : 0;
	return outcome->energy_nj - (int64_t)((double)waited_ns * (double)blocking_uw * 1e-6);
}

static double
effective_j(const struct perseus_plan *plan, double blocking_w)
{
	const int64_t end_ns =
			plan->deadline_ns > plan->outcome.iteration_time_ns ? plan->deadline_ns : plan->outcome.iteration_time_ns;
	return (double)plan->outcome.energy_nj / NANO - blocking_w * (double)end_ns / NANO;
}

const struct perseus_plan *
perseus__job_plan(const struct perseus__job *job, int64_t deadline_ns)
{
	const struct perseus_plan *best = perseus__shape_plan(job->shape, deadline_ns);
	const double blocking_w = (double)perseus__shape_info(job->shape).frontier.blocking_power_uw * 1e-6;
	for (int32_t i = 0; i < job->n_refined; i++) {
		const struct perseus_plan *plan = job->refined[i].plan;
		if (plan && job->refined[i].deadline_ns <= deadline_ns
				&& (!best || effective_j(plan, blocking_w) < effective_j(best, blocking_w)))
			best = plan;
	}
	return best;
}

static struct perseus__program *
make_program(const struct perseus__job *job, const struct perseus_plan *plan)
{
	struct perseus__program *program =
			perseus__program_new(PERSEUS__PHASE_PLAN, false, 1, job->schedule->n_instructions);
	if (!program)
		return NULL;
	for (int32_t i = 0; i < program->n_columns; i++)
		program->mhz[i] = plan->steps[i].frequency_mhz;
	const int64_t blocking_uw = perseus__shape_info(job->shape).frontier.blocking_power_uw;
	program->promise = (struct perseus__promise){
		.is_there = true,
		.deadline_ns = plan->deadline_ns,
		.time_ns = plan->outcome.iteration_time_ns,
		.energy_nj = own_energy_nj(&plan->outcome, plan->deadline_ns, blocking_uw),
		.baseline_time_ns = plan->baseline.iteration_time_ns,
		.baseline_energy_nj = own_energy_nj(&plan->baseline, plan->deadline_ns, blocking_uw),
		.lower_bound_j = plan->lower_bound_j,
		.blocking_uw = blocking_uw,
	};
	return program;
}

static void
on_refined(void *user, struct perseus_plan *plan, const struct perseus_error *err)
{
	struct asking *asking = user;
	struct perseus__jobs *jobs = asking->jobs;
	(void)err; /* the table's plan stays, then */
	perseus__jobs_lock(jobs, (struct perseus__now){0, 0});
	struct perseus__job *job = asker(asking);
	for (int32_t i = 0; job && plan && i < job->n_refined; i++)
		if (job->refined[i].deadline_ns == asking->deadline_ns && !job->refined[i].plan) {
			job->refined[i].plan = plan;
			plan = NULL;
		}
	if (job)
		perseus__job_replan(job, "a better plan for the same deadline");
	perseus__jobs_unlock(jobs);
	perseus_plan_free(plan);
	perseus__free(asking);
	perseus__jobs_done(jobs);
}

/* Asks for the exact plan of a deadline between those of the table. */
static void
refine(struct perseus__job *job, int64_t deadline_ns)
{
	const struct perseus__shape_info info = perseus__shape_info(job->shape);
	if (deadline_ns <= info.t_min_ns)
		return;
	for (int32_t i = 0; i < job->n_refined; i++)
		if (job->refined[i].deadline_ns == deadline_ns)
			return;
	struct asking *asking = new_asking(job);
	if (!asking)
		return;
	asking->deadline_ns = deadline_ns;
	struct perseus_error err;
	if (perseus__planner_refine(job->jobs->settings.planner, job->shape, deadline_ns, on_refined, asking, &err)
			!= PERSEUS_OK) {
		perseus__jobs_undo_begin(job->jobs);
		perseus__free(asking);
		return;
	}
	/* The oldest makes room: what is in force has copied what it needs. */
	if (job->n_refined == N_REFINED) {
		perseus_plan_free(job->refined[0].plan);
		memmove(job->refined, job->refined + 1, sizeof *job->refined * (size_t)(N_REFINED - 1));
		job->n_refined--;
	}
	job->refined[job->n_refined].deadline_ns = deadline_ns;
	job->refined[job->n_refined].plan = NULL;
	job->n_refined++;
}

/* Gives each pipeline the plan for its deadline, where it has not got it already. */
static void
give_plans(struct perseus__job *job, const int64_t *deadline_ns, const char *reason)
{
	const struct perseus_plan *last_plan = NULL;
	struct perseus__program *last = NULL;
	for (int32_t p = 0; p < job->request.parallel.dp; p++) {
		const struct perseus_plan *plan = perseus__job_plan(job, deadline_ns[p]);
		if (!plan)
			continue;
		if (plan != last_plan || !last) {
			perseus__program_unref(last);
			last = make_program(job, plan);
			last_plan = plan;
		}
		const struct perseus__program *latest = perseus__rollout_latest(&job->pipelines[p].rollout);
		if (last && (!latest || !perseus__program_equals(latest, last)))
			perseus__job_roll_out(job, p, perseus__program_ref(last), 0, -1, reason);
	}
	perseus__program_unref(last);
	for (int32_t p = 0; p < job->request.parallel.dp; p++)
		if (p == 0 || deadline_ns[p] != deadline_ns[p - 1])
			refine(job, deadline_ns[p]);
}

void
perseus__job_replan(struct perseus__job *job, const char *reason)
{
	if (!job->shape || job->is_replaying || job->phase != PERSEUS__JOB_PHASE_PLANNED)
		return;
	const int32_t dp = job->request.parallel.dp;
	const struct perseus__shape_info info = perseus__shape_info(job->shape);
	const struct perseus__target_facts facts = {
		.t_min_ns = info.t_min_ns,
		.t_star_ns = info.t_star_ns,
		.t_min_energy_ns = info.frontier.t_min_energy_ns,
		.overhead_ns = isfinite(job->overhead_s) ? (int64_t)(job->overhead_s * NANO) : 0,
		.blocking_power_uw = info.frontier.blocking_power_uw,
		.n_gpus_per_stage = perseus__job_gpus_per_stage(job),
		.effective_j = perseus__shape_effective_j,
		.user = job->shape,
	};
	double *degree = perseus__new_array((size_t)dp, sizeof *degree);
	int64_t *deadline_ns = perseus__new_array((size_t)dp, sizeof *deadline_ns);
	if (degree && deadline_ns) {
		perseus__announced_trim(&job->announced, job->jobs->now.wall_ms);
		for (int32_t p = 0; p < dp; p++)
			degree[p] = perseus__job_degree(job, p);
		perseus__target_deadlines(&job->target, &facts, degree, dp, deadline_ns, &job->answer);
		if (!job->answer.is_feasible && job->was_feasible)
			perseus__job_warn(job, "no plan stays below %g W: the least is %.6g W", job->target.power_w,
					job->answer.least_power_w);
		job->was_feasible = job->answer.is_feasible;
		give_plans(job, deadline_ns, reason);
	}
	perseus__free(degree);
	perseus__free(deadline_ns);
	const double latency_s = perseus__job_switch_latency_s(job);
	const double planned_s = isnan(job->asked_latency_s) ? 0 : job->asked_latency_s;
	if (!isnan(latency_s) && fabs(latency_s - planned_s) > LATENCY_TOLERANCE * fmax(latency_s, planned_s) + 1e-3)
		perseus__job_ask_plan(job);
}
