/* What the client's thread makes of events: which clock is wanted now, and what is reported of a step. */
#include "client/worker.h"

#include "base/memory.h"
#include "format/instruction_text.h"

#include <math.h>
#include <string.h>

/* Between two steps: no longer than that is as if nothing had been in between. */
#define NO_GAP_NS INT64_C(200000)
/*
 * What is between two steps is not planned: where it takes so long usually (an optimizer's step, say), or longer than
 * usual (an evaluation), the clock is free meanwhile, so that it is no slower than it would be.
 */
#define LONG_GAP_NS 5e7
#define PAUSE_NS INT64_C(100000000)
/* Shares of the newest in what is evened out. */
static const double gap_share = 0.25, pace_share = 0.25;

/* Clocks of the step's program are to be set. */
static bool
is_applying(const struct perseus__worker *worker)
{
	return worker->has_clocks && !worker->is_off && perseus__session_is_there(&worker->session);
}

static void
let_go(struct perseus__worker *worker, int64_t now_ns)
{
	worker->early_ns = INT64_MAX;
	worker->is_awaited = false;
	perseus__control_want(&worker->control, now_ns, 0);
}

static void
mismatch_text(const struct perseus__mismatch *mismatch, char wanted[PERSEUS__INSTRUCTION_BYTES],
		char seen[PERSEUS__INSTRUCTION_BYTES])
{
	(void)memcpy(wanted, "the end", sizeof "the end");
	(void)memcpy(seen, "the end", sizeof "the end");
	if (mismatch->has_wanted)
		perseus_instruction_text(&mismatch->wanted, wanted, PERSEUS__INSTRUCTION_BYTES);
	if (mismatch->has_seen)
		perseus_instruction_text(&mismatch->seen, seen, PERSEUS__INSTRUCTION_BYTES);
}

/* The step is not as the order has it. Told once, until a step matches again. */
static void
go_off(struct perseus__worker *worker, int64_t now_ns)
{
	const struct perseus__mismatch *mismatch = &worker->follow.mismatch;
	char wanted[PERSEUS__INSTRUCTION_BYTES], seen[PERSEUS__INSTRUCTION_BYTES];
	mismatch_text(mismatch, wanted, seen);
	if (!worker->is_off) {
		switch (mismatch->why) {
		case PERSEUS__MISMATCH_ORDER:
			perseus__say(&worker->speaker,
					"step %lld: after %d instructions came %s in place of %s; clocks are let go until a step matches",
					(long long)worker->step, mismatch->position, seen, wanted);
			break;
		case PERSEUS__MISMATCH_LOSS:
			perseus__say(&worker->speaker, "step %lld: events were lost; clocks are let go until a step matches",
					(long long)worker->step);
			break;
		case PERSEUS__MISMATCH_NESTED:
			perseus__say(&worker->speaker,
					"step %lld: %s began before the end of another; clocks are let go until a step matches",
					(long long)worker->step, seen);
			break;
		}
	}
	worker->is_off = true;
	let_go(worker, now_ns);
}

/* The step begins with the program that holds in it. */
static void
take_program(struct perseus__worker *worker)
{
	struct perseus__programs *programs = &worker->session.programs;
	const struct perseus__program *program = perseus__programs_at(programs, worker->step);
	worker->has_clocks = false;
	worker->is_profiling = false;
	worker->revision = -1;
	worker->phase[0] = '\0';
	if (!program)
		return;
	if (strcmp(worker->session.told_phase, program->phase) != 0) {
		(void)memcpy(worker->session.told_phase, program->phase, sizeof program->phase);
		perseus__say(&worker->speaker, "from step %lld: %s (revision %lld)%s", (long long)worker->step,
				strcmp(program->phase, "profile") == 0        ? "profiling"
						: strcmp(program->phase, "plan") == 0 ? "a plan is run"
															  : "clocks are free",
				(long long)program->revision, perseus__control_can_set(&worker->control) ? "" : "; a dry run");
	}
	worker->revision = program->revision;
	worker->is_profiling = strcmp(program->phase, "profile") == 0;
	(void)memcpy(worker->phase, program->phase, sizeof worker->phase);
	const int32_t *clocks = perseus__program_clocks(program, worker->step);
	const size_t n = (size_t)program->n_instructions;
	if (!clocks || program->n_instructions != worker->follow.order.n
			|| !perseus__reserve(&worker->step_clocks, &worker->cap_clocks, n, sizeof *worker->step_clocks))
		return;
	memcpy(worker->step_clocks, clocks, n * sizeof *clocks);
	worker->has_clocks = true;
}

/* The clock of the first instruction of the next step, as far as is known now; 0: as it is, or something else comes. */
static int32_t
next_step_clock(const struct perseus__worker *worker)
{
	if (worker->gap_ns > LONG_GAP_NS)
		return 0;
	const struct perseus__program *program = perseus__programs_look(&worker->session.programs, worker->step + 1);
	const int32_t *clocks = program ? perseus__program_clocks(program, worker->step + 1) : NULL;
	return clocks && program->n_instructions == worker->follow.order.n && program->n_instructions > 0 ? clocks[0] : 0;
}

/* The clock wanted after the instruction at `position`; 0: as it is. */
static int32_t
clock_after(const struct perseus__worker *worker, int32_t position)
{
	return position + 1 < worker->follow.order.n ? worker->step_clocks[position + 1] : next_step_clock(worker);
}

static void
begin_step(struct perseus__worker *worker, int64_t at_ns, int64_t now_ns)
{
	if (worker->ended_ns > 0) {
		const int64_t gap_ns = at_ns - worker->ended_ns;
		const struct perseus__span gap = {.begin_ns = worker->ended_ns, .end_ns = at_ns, .is_unknown = true};
		if (gap_ns > NO_GAP_NS)
			perseus__timeline_add(&worker->timeline, &gap);
		worker->gap_ns += gap_share * ((double)gap_ns - worker->gap_ns);
	}
	if (worker->has_step)
		perseus__worker_end_step(worker, at_ns);
	if (worker->n_steps++ == 0)
		worker->first_step_ns = at_ns;
	worker->step = worker->settings.first_step + worker->follow.n_begun;
	worker->ended_ns = 0;
	take_program(worker);
	const bool is_set = is_applying(worker) && perseus__control_is_up(&worker->control);
	const bool is_free = worker->revision >= 0 && !worker->has_clocks;
	worker->has_step = true;
	worker->now = (struct perseus__step){.report = {.step = worker->step,
											 .revision = is_set || is_free ? worker->revision : -1,
											 .span_ns = -1,
											 .energy_j = NAN},
		.begin = {.at_ns = at_ns},
		.first_ns = -1,
		.is_as_planned = is_set || is_free || worker->revision < 0 || !perseus__control_can_set(&worker->control)};
	if (!is_applying(worker)) {
		let_go(worker, now_ns);
		return;
	}
	perseus__control_renew(&worker->control, now_ns);
	if (worker->step_clocks[0] != 0)
		perseus__control_want(&worker->control, now_ns, worker->step_clocks[0]);
}

static struct perseus__pace *
find_pace(struct perseus__worker *worker, int32_t stage, enum perseus_kind kind, int32_t mhz)
{
	for (int32_t i = 0; i < worker->n_paces; i++) {
		struct perseus__pace *pace = &worker->paces[i];
		if (pace->stage == stage && pace->kind == kind && pace->frequency_mhz == mhz)
			return pace;
	}
	return NULL;
}

static void
learn_pace(struct perseus__worker *worker, const struct perseus__span *span, int32_t mhz)
{
	const double time_ns = (double)(span->end_ns - span->begin_ns);
	struct perseus__pace *pace = find_pace(worker, span->stage, span->kind, mhz);
	if (pace)
		pace->time_ns += pace_share * (time_ns - pace->time_ns);
	else if (worker->n_paces < PERSEUS__PACES)
		worker->paces[worker->n_paces++] = (struct perseus__pace){
			.stage = span->stage, .kind = span->kind, .frequency_mhz = mhz, .time_ns = time_ns};
}

/*
 * Another clock is wanted after the instruction that began. A higher one is asked for ahead, by the time that a change
 * takes: should it come early, it speeds the rest of this instruction. A lower one never is, as it would slow it; but
 * for profiling, where both are, so that instructions run at one clock from begin to end.
 */
static void
look_ahead(struct perseus__worker *worker, int32_t position)
{
	const int32_t next_mhz = clock_after(worker, position);
	const int32_t mhz = worker->control.wanted_mhz;
	if (next_mhz == 0 || next_mhz == mhz)
		return;
	worker->is_awaited = true;
	const struct perseus__span *running = &worker->running;
	const struct perseus__pace *pace = find_pace(worker, running->stage, running->kind, mhz);
	if (!pace)
		return;
	worker->expected_ns = running->begin_ns + (int64_t)pace->time_ns;
	const int64_t latency_ns = perseus__latency_mean_ns(&worker->control.latency);
	const bool is_higher = next_mhz > mhz;
	if (latency_ns == 0 || !(is_higher || worker->is_profiling))
		return;
	const int64_t early_ns = worker->expected_ns - latency_ns;
	if (early_ns < running->begin_ns && !is_higher)
		return;
	worker->early_ns = early_ns;
	worker->early_mhz = next_mhz;
}

static void
begin_instruction(struct perseus__worker *worker, const struct perseus__followed *event, int64_t now_ns)
{
	worker->has_running = true;
	worker->running = (struct perseus__span){
		.begin_ns = event->at_ns, .end_ns = INT64_MAX, .stage = event->stage, .kind = event->kind};
	worker->early_ns = INT64_MAX;
	worker->expected_ns = 0;
	worker->is_awaited = false;
	if (worker->now.first_ns < 0)
		worker->now.first_ns = event->at_ns;
	if (event->position >= 0 && is_applying(worker)) {
		const int32_t mhz = worker->step_clocks[event->position];
		if (mhz != 0)
			perseus__control_want(&worker->control, now_ns, mhz);
		look_ahead(worker, event->position);
	}
	worker->running_mhz = worker->control.wanted_mhz;
}

static void
end_instruction(struct perseus__worker *worker, const struct perseus__followed *event, int64_t now_ns)
{
	const struct perseus__span span = {
		.begin_ns = event->begin_ns, .end_ns = event->at_ns, .stage = event->stage, .kind = event->kind};
	int32_t mhz = 0;
	worker->has_running = false;
	worker->early_ns = INT64_MAX;
	worker->is_awaited = false;
	worker->now.last_ns = event->at_ns;
	if (worker->now.first_ns < 0)
		worker->now.first_ns = event->begin_ns;
	perseus__timeline_add(&worker->timeline, &span);
	/* Where there is no memory for one more it is left out of the report. */
	if (!worker->now.is_untimed && perseus__timeline_clock(&worker->timeline, &span, &mhz))
		(void)!perseus__class_times_add(&worker->now.report.classes, &span, mhz, span.end_ns - span.begin_ns, NULL);
	learn_pace(worker, &span, worker->running_mhz);
	if (event->position < 0 || !is_applying(worker))
		return;
	const int32_t next_mhz = clock_after(worker, event->position);
	if (next_mhz == worker->running_mhz)
		worker->n_skipped++;
	if (next_mhz != 0)
		perseus__control_want(&worker->control, now_ns, next_mhz);
}

static void
end_step(struct perseus__worker *worker, const struct perseus__followed *event, int64_t now_ns)
{
	struct perseus__step *step = &worker->now;
	worker->ended_ns = event->at_ns;
	worker->has_running = false;
	worker->early_ns = INT64_MAX;
	worker->is_awaited = false;
	if (step->first_ns >= 0)
		step->report.span_ns = step->last_ns - step->first_ns;
	if (worker->gap_ns > LONG_GAP_NS)
		let_go(worker, now_ns);
	const bool is_up = !worker->has_clocks || !perseus__control_can_set(&worker->control)
			|| (is_applying(worker) && perseus__control_is_up(&worker->control));
	step->report.is_followed = event->is_matched && step->is_as_planned && is_up && !step->is_untimed;
	worker->n_followed += step->report.is_followed;
	if (event->is_matched && worker->is_off) {
		worker->is_off = false;
		perseus__say(&worker->speaker, "step %lld matched: clocks are set again", (long long)worker->step);
	}
	if (worker->follow.has_new_order) {
		perseus__follow_adopt(&worker->follow);
		perseus__say(&worker->speaker, "step %lld: %d instructions are the order from now on", (long long)worker->step,
				worker->follow.order.n);
		worker->is_off = false;
		worker->has_clocks = false;
		worker->is_enrolled = false;
	}
}

static void
take_event(struct perseus__worker *worker, const struct perseus__event *event, int64_t now_ns)
{
	const struct perseus__followed followed = perseus__follow_take(&worker->follow, event);
	worker->event_ns = now_ns;
	switch (followed.what) {
	case PERSEUS__FOLLOWED_STEP_BEGIN:
		begin_step(worker, followed.at_ns, now_ns);
		break;
	case PERSEUS__FOLLOWED_BEGIN:
		begin_instruction(worker, &followed, now_ns);
		break;
	case PERSEUS__FOLLOWED_END:
		end_instruction(worker, &followed, now_ns);
		break;
	case PERSEUS__FOLLOWED_STEP_END:
		end_step(worker, &followed, now_ns);
		break;
	case PERSEUS__FOLLOWED_NOTHING:
		break;
	}
	if (worker->cuda && event->mark < 0)
		worker->now.is_untimed = true;
	if (followed.breaks)
		go_off(worker, now_ns);
}

void
perseus__worker_take_events(struct perseus__worker *worker, int64_t now_ns)
{
	for (const struct perseus__event *event; (event = perseus__ring_peek(worker->ring));) {
		struct perseus__event taken = *event;
		if (worker->cuda && taken.mark >= 0) {
			switch (perseus__cuda_ask(worker->cuda, taken.mark, taken.at_ns, &taken.at_ns)) {
			case PERSEUS__CUDA_PENDING:
				return;
			case PERSEUS__CUDA_OVER:
				break;
			case PERSEUS__CUDA_FAILED:
				taken.mark = -1;
				break;
			}
		}
		perseus__ring_pop(worker->ring);
		take_event(worker, &taken, now_ns);
	}
}

void
perseus__worker_tick(struct perseus__worker *worker, int64_t now_ns)
{
	if (worker->has_clocks && worker->has_session
			&& (worker->session.programs.n == 0 || !perseus__session_is_there(&worker->session))) {
		worker->now.is_as_planned = false;
		worker->has_clocks = worker->session.programs.n > 0;
		let_go(worker, now_ns);
	}
	if (now_ns >= worker->early_ns && is_applying(worker)) {
		worker->early_ns = INT64_MAX;
		perseus__control_want(&worker->control, now_ns, worker->early_mhz);
	}
	if (worker->ended_ns > 0 && worker->control.wanted_mhz != 0 && now_ns - worker->ended_ns > PAUSE_NS)
		let_go(worker, now_ns);
}
