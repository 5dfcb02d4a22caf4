/* What there is to say about a plan beside the numbers. */
#include "cli/plan_report.h"

#include <string.h>

enum { LINE_WIDTH = 100 };

/* Adds a paragraph, broken into lines at its blanks. */
static void
add_paragraph(struct perseus__text *text, struct perseus__text *paragraph)
{
	perseus__text_add(text, "\n", 1);
	if (paragraph->failed) {
		text->failed = true;
	} else {
		const char *at = paragraph->bytes;
		for (size_t left = strlen(at); left > LINE_WIDTH; left = strlen(at)) {
			size_t length = LINE_WIDTH;
			while (length > 1 && at[length] != ' ')
				length--;
			perseus__text_addf(text, "%.*s\n", (int)length, at);
			at += length + (at[length] == ' ');
		}
		perseus__text_addf(text, "%s\n", at);
	}
	perseus__text_fini(paragraph);
}

/* Against running at the highest clocks without waiting, where the plan is given more time than that takes. */
static void
note_slower(const struct perseus__plan_report *report)
{
	const struct perseus_plan *plan = report->plan;
	const int64_t extra_ns = plan->deadline_ns - plan->baseline.iteration_time_ns;
	if (extra_ns <= 0)
		return;
	const double after_j = (double)plan->outcome.energy_nj * report->scale / 1e9;
	/* µW · ns = 10^-15 J */
	const double alone_j =
			((double)plan->baseline.energy_nj / 1e9 - (double)report->info.blocking_power_uw * (double)extra_ns / 1e15)
			* report->scale;
	const double baseline_s = (double)plan->baseline.iteration_time_ns / 1e9;
	struct perseus__text note = perseus__text_init(1024);
	perseus__text_addf(&note,
			"Both energies include waiting until the deadline, as behind a straggler. Alone, the highest "
			"clocks take ");
	perseus__quantity_add(&note, baseline_s, report->time);
	perseus__text_addf(&note, " and ");
	perseus__quantity_add(&note, alone_j, report->energy);
	perseus__text_addf(&note, ": against that the plan changes energy by %+.2f %% and time by %+.2f %%.",
			perseus__percent_change(alone_j, after_j),
			perseus__percent_change(baseline_s, (double)plan->deadline_ns / 1e9));
	add_paragraph(report->text, &note);
}

static void
note_beyond(const struct perseus__plan_report *report)
{
	if (report->plan->deadline_ns <= report->info.t_star_ns)
		return;
	struct perseus__text note = perseus__text_init(1024);
	perseus__text_addf(&note, "The deadline is beyond T* = ");
	perseus__quantity_add(&note, (double)report->info.t_star_ns / 1e9, report->time);
	perseus__text_addf(&note,
			", where running slower stops saving: the plan is that of T*, and the rest of the time is "
			"spent waiting.");
	add_paragraph(report->text, &note);
}

static void
note_switching(const struct perseus__plan_report *report)
{
	const int64_t changes = perseus__clock_changes(report->plan);
	if (report->plan->switch_latency_ns > 0 || changes == 0)
		return;
	struct perseus__text note = perseus__text_init(1024);
	perseus__text_addf(&note,
			"A change of clock was counted as instant, and this plan has %lld of them an iteration. A GPU "
			"takes milliseconds for one: give --switch-latency MS to plan for that, or a coarser "
			"--granularity.",
			(long long)changes);
	add_paragraph(report->text, &note);
}

static void
note_model(const struct perseus__plan_report *report)
{
	if (report->info.used_fallback) {
		struct perseus__text note = perseus__text_init(1024);
		perseus__text_addf(&note,
				"Some instructions were not measured: they were composed of others that were, clock by "
				"clock.");
		add_paragraph(report->text, &note);
	}
	if (report->info.loss_bound > 0) {
		struct perseus__text note = perseus__text_init(1024);
		perseus__text_addf(&note,
				"Prices were rounded (--slope-quantum): the frontier may lie above the optimum by %.2g of "
				"its energy at most.",
				report->info.loss_bound);
		add_paragraph(report->text, &note);
	}
}

void
perseus__plan_notes(const struct perseus__plan_report *report)
{
	note_slower(report);
	note_beyond(report);
	note_switching(report);
	note_model(report);
}
