/*
 * Simulated training: longest paths for the times, the sim's GPU model for powers, windows between moves of a counter.
 */
#include "training.h"

#include "random.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dag/dag.h"
#include "device/sim_model.h"

#define WINDOW_S 0.1
#define TRANSFER_NS 500000
#define STEP_GAP_S 0.008 /* between steps: nothing runs */

/* Something that ran on a GPU. */
struct run {
	double begin_s;
	double end_s;
	double power_w;
	int32_t class_;
	int32_t mhz;
	bool is_settled;
};

struct gpu {
	struct run *runs; /* those that a window may still see */
	size_t n_runs;
	size_t cap_runs;
	double next_window_s; /* its begin */
	double moved_s;       /* when the counter really moved then */
	int32_t mhz;          /* clock now */
};

/* A report that is on its way. */
struct report {
	int64_t due_step;
	bool is_window;
	struct perseus__walk_times times;
	struct perseus__walk_window window;
};

struct training {
	struct training_settings settings;
	struct perseus__sim_model model;
	const struct perseus_schedule *schedule;
	struct perseus__dag dag;
	int32_t *class_of; /* of each instruction */
	struct perseus__job_class *classes;
	bool *is_constant; /* of each class */
	double *load;      /* of each class, 0..1 */
	double *time_s;    /* of each class at the highest clock */
	int32_t n_classes;
	struct gpu *gpus; /* n_pipelines · n_ranks */
	int64_t *duration_ns;
	int64_t *start_ns;
	int64_t *lag_ns;
	double now_s;
	int64_t step;
	struct report *reports;
	size_t n_reports;
	size_t cap_reports;
	uint64_t random;
};

static void *
room(size_t n, size_t size)
{
	void *memory = calloc(n ? n : 1, size);
	ck_assert_ptr_nonnull(memory);
	return memory;
}

/* Room for one more element at the end of an array. */
static void *
grow(void *array, size_t n, size_t *capacity, size_t size)
{
	if (n < *capacity)
		return array;
	*capacity = *capacity * 2 + 16;
	void *grown = realloc(array, *capacity * size);
	ck_assert_ptr_nonnull(grown);
	return grown;
}

struct training_settings
training_settings_default(void)
{
	return (struct training_settings){
		.model = "a100",
		.schedule = "1f1b",
		.n_ranks = 4,
		.n_microbatches = 8,
		.n_pipelines = 1,
		.scale = 1,
		.noise = 0.01,
		.jitter_s = 0.001,
		.latency_s = 0.012,
		.lag_steps = 2,
		.seed = 1,
	};
}

/* Forwards take 15 to 25 ms, backwards twice that, of one stage of a rank; the last stage is the slowest. */
static double
time_of(struct training *t, const struct perseus_instruction *instruction)
{
	double time_s = 0.015 + 0.008 * random_fraction(&t->random);
	if (instruction->stage == t->schedule->n_stages - 1)
		time_s = 0.025;
	switch (instruction->kind) {
	case PERSEUS_KIND_BACKWARD:
		time_s *= 1.9 + 0.3 * random_fraction(&t->random);
		break;
	case PERSEUS_KIND_OVERLAP:
		time_s *= 2.8;
		break;
	case PERSEUS_KIND_FORWARD:
	case PERSEUS_KIND_INPUT:
	case PERSEUS_KIND_WEIGHT:
	case PERSEUS_KIND_RECOMPUTE:
	case PERSEUS_KIND_DATA_LOAD:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_GRAD_REDUCE:
	case PERSEUS_KIND_OPTIMIZER_STEP:
	case PERSEUS_KIND_OTHER:
		break;
	}
	return time_s * t->settings.scale * t->schedule->n_ranks / t->schedule->n_stages;
}

static int32_t
find_class(struct training *t, const struct perseus_instruction *instruction)
{
	for (int32_t i = 0; i < t->n_classes; i++)
		if (t->classes[i].stage == instruction->stage && strcmp(t->classes[i].name, instruction->class_name) == 0)
			return i;
	const int32_t class_ = t->n_classes++;
	t->classes[class_] = (struct perseus__job_class){
		.stage = instruction->stage,
		.name = instruction->class_name,
		.pp = instruction->rank,
	};
	t->is_constant[class_] = perseus__job_class_is_constant(instruction->class_name);
	t->load[class_] = t->is_constant[class_] ? 0.3 : 0.7 + 0.3 * random_fraction(&t->random);
	t->time_s[class_] = time_of(t, instruction);
	return class_;
}

static void
generate(struct training *t)
{
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.name = t->settings.schedule;
	settings.n_ranks = t->settings.n_ranks;
	settings.n_microbatches = t->settings.n_microbatches;
	settings.stages_per_rank = t->settings.stages_per_rank;
	settings.grad_reduce = t->settings.has_constants;
	settings.optimizer_step = t->settings.has_constants;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_schedule_generate(&settings, &t->schedule, &err) == PERSEUS_OK, "%s", err.message);
	const struct perseus_schedule *schedule = t->schedule;
	ck_assert_msg(perseus__dag_init(&t->dag, schedule->n_instructions, schedule->edges, schedule->n_edges, &err)
					== PERSEUS_OK,
			"%s", err.message);
}

struct training *
training_new(const struct training_settings *settings)
{
	struct training *t = room(1, sizeof *t);
	t->settings = *settings;
	t->random = settings->seed;
	ck_assert(perseus__sim_model_builtin(settings->model, &t->model));
	if (settings->blocking_w > 0)
		t->model.blocking_uw = llround(settings->blocking_w * 1e6);
	generate(t);
	const size_t n = (size_t)t->schedule->n_instructions;
	t->class_of = room(n, sizeof *t->class_of);
	t->classes = room(n, sizeof *t->classes);
	t->is_constant = room(n, sizeof *t->is_constant);
	t->load = room(n, sizeof *t->load);
	t->time_s = room(n, sizeof *t->time_s);
	t->duration_ns = room(n, sizeof *t->duration_ns);
	t->start_ns = room(n, sizeof *t->start_ns);
	t->lag_ns = room((size_t)t->schedule->n_edges, sizeof *t->lag_ns);
	for (size_t i = 0; i < n; i++) {
		t->class_of[i] = find_class(t, &t->schedule->instructions[i]);
		t->classes[t->class_of[i]].n_per_step++;
	}
	for (int32_t i = 0; i < t->schedule->n_edges; i++)
		t->lag_ns[i] = t->schedule->edges[i].is_transfer ? TRANSFER_NS : 0;
	t->gpus = room((size_t)(settings->n_pipelines * settings->n_ranks), sizeof *t->gpus);
	for (int32_t i = 0; i < settings->n_pipelines * settings->n_ranks; i++)
		t->gpus[i].next_window_s = t->gpus[i].moved_s = WINDOW_S * random_fraction(&t->random);
	return t;
}

void
training_free(struct training *t)
{
	for (int32_t i = 0; i < t->settings.n_pipelines * t->settings.n_ranks; i++)
		free(t->gpus[i].runs);
	for (size_t i = 0; i < t->n_reports; i++)
		free((void *)(uintptr_t)t->reports[i].window.terms);
	free(t->gpus);
	free(t->reports);
	perseus__dag_fini(&t->dag);
	perseus_schedule_free(t->schedule);
	free(t->class_of);
	free(t->classes);
	free(t->is_constant);
	free(t->load);
	free(t->time_s);
	free(t->duration_ns);
	free(t->start_ns);
	free(t->lag_ns);
	free(t);
}

const struct perseus__job_class *
training_classes(const struct training *t, int32_t *n)
{
	*n = t->n_classes;
	return t->classes;
}

static int32_t
clock_index(const struct training *t, int32_t mhz)
{
	return mhz == 0 ? 0 : perseus__sim_model_clock(&t->model, mhz);
}

double
training_time_s(const struct training *t, int32_t class_, int32_t mhz)
{
	return t->time_s[class_] * (t->is_constant[class_] ? 1 : t->model.slowdown[clock_index(t, mhz)]);
}

static double
power_w(const struct training *t, int32_t class_, int32_t mhz)
{
	const int32_t load = (int32_t)lround(t->load[class_] * (double)PERSEUS__SIM_LOAD_UNITS);
	return (double)perseus__sim_model_power_uw(&t->model, t->is_constant[class_] ? 0 : clock_index(t, mhz), load)
			* 1e-6;
}

double
training_energy_j(const struct training *t, int32_t class_, int32_t mhz)
{
	return power_w(t, class_, mhz) * training_time_s(t, class_, mhz);
}

double
training_blocking_w(const struct training *t)
{
	return (double)t->model.blocking_uw * 1e-6;
}

static struct report *
add_report(struct training *t)
{
	t->reports = grow(t->reports, t->n_reports, &t->cap_reports, sizeof *t->reports);
	t->reports[t->n_reports] = (struct report){.due_step = t->step + t->settings.lag_steps};
	return &t->reports[t->n_reports++];
}

static double
overlap_s(const struct run *run, double begin_s, double end_s)
{
	return fmax(0, fmin(run->end_s, end_s) - fmax(run->begin_s, begin_s));
}

/* Energy between two moments, blocking where nothing ran, as a counter in mJ has it. */
static double
energy_between_j(const struct training *t, const struct gpu *gpu, double begin_s, double end_s)
{
	const double blocking_w = training_blocking_w(t);
	double energy_j = blocking_w * (end_s - begin_s);
	for (size_t i = 0; i < gpu->n_runs; i++)
		energy_j += (gpu->runs[i].power_w - blocking_w) * overlap_s(&gpu->runs[i], begin_s, end_s);
	return nearbyint(energy_j * 1e3) / 1e3;
}

/* What of a window was settled, one term for each class and clock; returns how many. */
static int32_t
fill_terms(const struct gpu *gpu, double begin_s, double end_s, struct perseus__walk_term *terms, double *unsettled_s)
{
	int32_t n = 0;
	for (size_t i = 0; i < gpu->n_runs; i++) {
		const struct run *run = &gpu->runs[i];
		const double time_s = overlap_s(run, begin_s, end_s);
		if (!run->is_settled)
			*unsettled_s += time_s;
		if (time_s == 0 || !run->is_settled)
			continue;
		int32_t j = 0;
		while (j < n && !(terms[j].class_ == run->class_ && terms[j].frequency_mhz == run->mhz))
			j++;
		if (j == n)
			terms[n++] = (struct perseus__walk_term){.class_ = run->class_, .frequency_mhz = run->mhz};
		terms[j].time_s += time_s;
	}
	return n;
}

static void
end_window(struct training *t, struct gpu *gpu, int32_t pp)
{
	const double begin_s = gpu->next_window_s;
	const double end_s = begin_s + WINDOW_S;
	const double moved_s = end_s + t->settings.jitter_s * (2 * random_fraction(&t->random) - 1);
	struct perseus__walk_term *terms = room(gpu->n_runs, sizeof *terms);
	struct report *report = add_report(t);
	report->is_window = true;
	report->window = (struct perseus__walk_window){
		.pp = pp,
		.rank = (int32_t)(gpu - t->gpus),
		.time_s = WINDOW_S,
		.energy_j = energy_between_j(t, gpu, gpu->moved_s, moved_s),
		.error_j = 0.05,
		.terms = terms,
	};
	report->window.n_terms = fill_terms(gpu, begin_s, end_s, terms, &report->window.unsettled_s);
	if (random_fraction(&t->random) < t->settings.outliers)
		report->window.energy_j *= 0.3 + 1.5 * random_fraction(&t->random);
	gpu->next_window_s = end_s;
	gpu->moved_s = moved_s;
	size_t n = 0;
	for (size_t i = 0; i < gpu->n_runs; i++)
		if (gpu->runs[i].end_s > end_s - WINDOW_S)
			gpu->runs[n++] = gpu->runs[i];
	gpu->n_runs = n;
}

static void
run_rank(struct training *t, int32_t pipeline, int32_t rank, const int32_t *class_mhz)
{
	struct gpu *gpu = &t->gpus[pipeline * t->settings.n_ranks + rank];
	double changed_s = -1;
	for (int32_t i = t->schedule->rank_begin[rank]; i < t->schedule->rank_begin[rank + 1]; i++) {
		const int32_t class_ = t->class_of[i];
		const double begin_s = t->now_s + (double)t->start_ns[i] * 1e-9;
		const int32_t mhz = class_mhz[class_] ? class_mhz[class_] : gpu->mhz;
		if (mhz != gpu->mhz)
			changed_s = begin_s;
		gpu->mhz = mhz;
		gpu->runs = grow(gpu->runs, gpu->n_runs, &gpu->cap_runs, sizeof *gpu->runs);
		gpu->runs[gpu->n_runs++] = (struct run){
			.begin_s = begin_s,
			.end_s = begin_s + (double)t->duration_ns[i] * 1e-9,
			.power_w = power_w(t, class_, mhz),
			.class_ = class_,
			.mhz = mhz,
			.is_settled = changed_s < 0 || begin_s >= changed_s + t->settings.latency_s,
		};
	}
}

/* Times of the settled instructions of a step, class by class. */
static void
report_times(struct training *t, int32_t pipeline, int32_t rank)
{
	const struct gpu *gpu = &t->gpus[pipeline * t->settings.n_ranks + rank];
	for (int32_t class_ = 0; class_ < t->n_classes; class_++) {
		double sum_s = 0;
		double squares = 0;
		int32_t n = 0;
		int32_t mhz = 0;
		for (size_t i = 0; i < gpu->n_runs; i++) {
			const struct run *run = &gpu->runs[i];
			if (run->class_ != class_ || !run->is_settled || run->begin_s < t->now_s)
				continue;
			sum_s += run->end_s - run->begin_s;
			squares += pow(run->end_s - run->begin_s, 2);
			mhz = run->mhz;
			n++;
		}
		if (n == 0)
			continue;
		const double mean_s = sum_s / n;
		add_report(t)->times = (struct perseus__walk_times){
			.class_ = class_,
			.frequency_mhz = mhz,
			.count = n,
			.mean_s = mean_s,
			.deviation_s = sqrt(fmax(0, squares / n - mean_s * mean_s)),
		};
	}
}

static void
deliver(struct training *t, struct perseus__walk *walk)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n_reports; i++) {
		struct report *report = &t->reports[i];
		if (report->due_step > t->step) {
			t->reports[n++] = *report;
			continue;
		}
		struct perseus_error err = {.message = ""};
		if (walk && report->is_window)
			ck_assert_msg(perseus__walk_add_window(walk, &report->window, &err) == PERSEUS_OK, "%s", err.message);
		else if (walk)
			ck_assert_msg(perseus__walk_add_times(walk, &report->times, &err) == PERSEUS_OK, "%s", err.message);
		free((void *)(uintptr_t)report->window.terms);
	}
	t->n_reports = n;
}

void
training_step(struct training *t, const int32_t *class_mhz, struct perseus__walk *walk)
{
	const int32_t n_ranks = t->settings.n_ranks;
	double end_s = t->now_s;
	for (int32_t pipeline = 0; pipeline < t->settings.n_pipelines; pipeline++) {
		for (int32_t i = 0; i < t->schedule->n_instructions; i++) {
			const struct gpu *gpu = &t->gpus[pipeline * n_ranks + t->schedule->instructions[i].rank];
			const int32_t mhz = class_mhz[t->class_of[i]] ? class_mhz[t->class_of[i]] : gpu->mhz;
			const double time_s = training_time_s(t, t->class_of[i], mhz);
			t->duration_ns[i] = llround(time_s * (1 + t->settings.noise * random_normal(&t->random)) * 1e9);
		}
		const int64_t span_ns = perseus__dag_earliest(&t->dag, t->duration_ns, t->lag_ns, t->start_ns);
		end_s = fmax(end_s, t->now_s + (double)span_ns * 1e-9);
		for (int32_t rank = 0; rank < n_ranks; rank++) {
			run_rank(t, pipeline, rank, class_mhz);
			report_times(t, pipeline, rank);
		}
	}
	t->now_s = end_s + STEP_GAP_S;
	for (int32_t i = 0; i < t->settings.n_pipelines * n_ranks; i++)
		while (t->gpus[i].next_window_s + WINDOW_S + t->settings.jitter_s < t->now_s)
			end_window(t, &t->gpus[i], i % n_ranks);
	t->step++;
	deliver(t, walk);
}

/* The program as ranks have it, and where they are in it. */
struct program {
	const struct perseus__walk_segment *segments[1024];
	int32_t n;
	int32_t segment;
	int32_t step; /* within it */
	int32_t n_run[1024];
	int64_t begun_step[1024]; /* step of the job at which it is over */
	int32_t n_ended;
};

static void
take_batches(struct perseus__walk *walk, struct program *program)
{
	struct perseus_error err = {.message = ""};
	while (perseus__walk_state(walk) == PERSEUS__WALK_RUNNING) {
		const struct perseus__walk_segment *segments = NULL;
		int32_t n = 0;
		ck_assert_msg(perseus__walk_next(walk, &segments, &n, &err) == PERSEUS_OK, "%s", err.message);
		for (int32_t i = 0; i < n; i++) {
			ck_assert_int_lt(program->n, 1024);
			program->segments[program->n++] = &segments[i];
		}
		ck_assert(n > 0 || perseus__walk_state(walk) != PERSEUS__WALK_RUNNING);
	}
}

/* Segments whose last step has been reported. */
static void
end_segments(struct training *t, struct perseus__walk *walk, struct program *program)
{
	while (program->n_ended < program->segment
			&& program->begun_step[program->n_ended] + t->settings.lag_steps <= t->step) {
		perseus__walk_end_segment(walk, program->n_run[program->n_ended]);
		program->n_ended++;
		take_batches(walk, program);
	}
}

/* Moves on to the next segment where the present one is over and there is a next, else stays. */
static void
advance(struct training *t, struct program *program)
{
	program->n_run[program->segment]++;
	program->step++;
	if (program->step < program->segments[program->segment]->n_steps)
		return;
	if (program->segment + 1 < program->n) {
		program->begun_step[program->segment] = t->step;
		program->segment++;
		program->step = 0;
	}
}

int32_t
training_follow(struct training *t, struct perseus__walk *walk, int32_t max_steps)
{
	struct program *program = room(1, sizeof *program);
	take_batches(walk, program);
	int32_t n_steps = 0;
	while (perseus__walk_state(walk) != PERSEUS__WALK_DONE && n_steps < max_steps && program->n > 0) {
		training_step(t, program->segments[program->segment]->class_mhz, walk);
		n_steps++;
		advance(t, program);
		end_segments(t, walk, program);
		/* The last segment is over though nothing follows, once its reports have come. */
		const bool is_last = program->segment + 1 == program->n && program->n_ended == program->segment;
		if (is_last && program->step >= program->segments[program->segment]->n_steps + t->settings.lag_steps) {
			perseus__walk_end_segment(walk, program->n_run[program->segment]);
			program->n_ended++;
			take_batches(walk, program);
			if (program->segment + 1 < program->n) {
				program->segment++;
				program->step = 0;
			}
		}
	}
	free(program);
	return n_steps;
}

static double
share_of(const struct training *t, int32_t class_, int32_t mhz)
{
	double sum_s = 0;
	for (int32_t i = 0; i < t->n_classes; i++)
		if (t->classes[i].pp == t->classes[class_].pp)
			sum_s += t->classes[i].n_per_step * training_time_s(t, i, mhz);
	return t->classes[class_].n_per_step * training_time_s(t, class_, mhz) / sum_s;
}

struct training_errors
training_compare(const struct training *t, const struct perseus__walk_result *result, double share)
{
	struct training_errors errors = {.lowest_mhz = INT32_MAX};
	double squares = 0;
	double squares_of_errors = 0;
	for (int32_t i = 0; i < result->n_rows; i++) {
		const struct perseus__walk_row *row = &result->rows[i];
		const int32_t mhz = row->measurement.frequency_mhz;
		if (share_of(t, row->class_, mhz) < share)
			continue;
		errors.n_rows++;
		if (mhz > 0 && mhz < errors.lowest_mhz)
			errors.lowest_mhz = mhz;
		errors.n_clocks += row->class_ == 0;
		if (!isfinite(row->energy_error_j)) {
			errors.n_unknown++;
			continue;
		}
		const double truth_j = training_energy_j(t, row->class_, mhz);
		const double truth_s = training_time_s(t, row->class_, mhz);
		const double off = row->measurement.energy_j - truth_j;
		squares += pow(off / truth_j, 2);
		squares_of_errors += pow(off / row->energy_error_j, 2);
		errors.worst_energy = fmax(errors.worst_energy, fabs(off) / truth_j);
		errors.worst_reported = fmax(errors.worst_reported, row->energy_error_j / truth_j);
		errors.worst_time = fmax(errors.worst_time, fabs(row->measurement.time_s - truth_s) / truth_s);
	}
	const int32_t n_known = errors.n_rows - errors.n_unknown;
	errors.mean_square_energy = n_known ? sqrt(squares / n_known) : 0;
	errors.mean_square_of_errors = n_known ? sqrt(squares_of_errors / n_known) : 0;
	for (int32_t i = 0; i < result->n_pp; i++)
		errors.worst_blocking = fmax(errors.worst_blocking,
				fabs(result->blocking[i].power_w - training_blocking_w(t)) / training_blocking_w(t));
	return errors;
}
