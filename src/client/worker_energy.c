/* What the client's thread makes of the energy counter: windows, and the energies of steps. */
#include "client/worker.h"

#include <math.h>

/* A counter that has not moved for so long will not tell a step's energy. */
#define PATIENCE_NS INT64_C(1000000000)

static void
look(const struct perseus__worker *worker, struct perseus__energy_mark *mark)
{
	if (mark->knowledge == PERSEUS__ENERGY_NOT_YET)
		mark->knowledge = perseus__energy_at(&worker->energy, mark->at_ns, &mark->energy_j, &mark->era);
}

static bool
is_open(const struct perseus__energy_mark *mark, int64_t now_ns)
{
	return mark->knowledge == PERSEUS__ENERGY_NOT_YET && now_ns - mark->at_ns < PATIENCE_NS;
}

static void
report(struct perseus__worker *worker, struct perseus__step *step)
{
	const bool is_known = step->begin.knowledge == PERSEUS__ENERGY_KNOWN && step->end.knowledge == PERSEUS__ENERGY_KNOWN
			&& step->begin.era == step->end.era;
	step->report.energy_j = is_known ? step->end.energy_j - step->begin.energy_j : NAN;
	if (worker->has_session)
		perseus__reports_add_step(&worker->session.reports, &step->report);
	else
		perseus__class_times_fini(&step->report.classes);
}

void
perseus__worker_settle(struct perseus__worker *worker, int64_t now_ns, bool is_last)
{
	int32_t n = 0;
	while (n < worker->n_waiting) {
		struct perseus__step *step = &worker->waiting[n];
		look(worker, &step->begin);
		look(worker, &step->end);
		const bool has_room = worker->n_waiting - n < PERSEUS__STEPS_WAITING;
		if (!is_last && has_room && (is_open(&step->begin, now_ns) || is_open(&step->end, now_ns)))
			break;
		report(worker, step);
		n++;
	}
	worker->n_waiting -= n;
	for (int32_t i = 0; i < worker->n_waiting; i++)
		worker->waiting[i] = worker->waiting[i + n];
}

void
perseus__worker_end_step(struct perseus__worker *worker, int64_t end_ns)
{
	struct perseus__step *step = &worker->now;
	step->report.time_ns = end_ns - step->begin.at_ns;
	step->end = (struct perseus__energy_mark){.at_ns = end_ns};
	worker->has_step = false;
	worker->waiting[worker->n_waiting++] = *step;
	step->report.classes = (struct perseus__class_times){.n = 0};
	perseus__worker_settle(worker, end_ns, false);
}

/* Within steps, or between two that follow one another; what is before the first says nothing of training. */
static bool
is_in_training(const struct perseus__worker *worker, const struct perseus__energy_window *window)
{
	return worker->first_step_ns > 0 && window->begin_ns >= worker->first_step_ns && worker->has_step
			&& (worker->ended_ns == 0 || window->begin_ns < worker->ended_ns);
}

void
perseus__worker_take_energy(struct perseus__worker *worker)
{
	struct perseus__energy_window window;
	look(worker, &worker->now.begin);
	if (!perseus__energy_window(&worker->energy, &window))
		return;
	struct perseus__window_report made = {
		.time_ns = window.end_ns - window.begin_ns, .energy_j = window.energy_j, .error_j = window.error_j};
	/* What runs, and what nobody told: after the step's end, or an instruction that has not ended. */
	const struct perseus__span unknown = {.begin_ns = worker->ended_ns, .end_ns = INT64_MAX, .is_unknown = true};
	const struct perseus__span *open = worker->has_running ? &worker->running : worker->ended_ns > 0 ? &unknown : NULL;
	const bool is_known = perseus__timeline_window(
			&worker->timeline, window.begin_ns, window.end_ns, open, &made.busy, &made.unsettled_ns);
	if (is_known && worker->has_session && is_in_training(worker, &window))
		perseus__reports_add_window(&worker->session.reports, &made);
	perseus__class_times_fini(&made.busy);
}
