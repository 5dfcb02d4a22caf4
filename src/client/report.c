/* What is reported to the server. */
#include "client/report.h"

#include "base/memory.h"
#include "format/json_writer.h"

#include <math.h>
#include <string.h>

/* The wire's word for a kind: "F", "B", "I", "W", "R", "O", else its class name. */
static const char *
kind_word(enum perseus_kind kind)
{
	switch (kind) {
	case PERSEUS_KIND_FORWARD:
		return "F";
	case PERSEUS_KIND_BACKWARD:
		return "B";
	case PERSEUS_KIND_INPUT:
		return "I";
	case PERSEUS_KIND_WEIGHT:
		return "W";
	case PERSEUS_KIND_RECOMPUTE:
		return "R";
	case PERSEUS_KIND_OVERLAP:
		return "O";
	case PERSEUS_KIND_DATA_LOAD:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_GRAD_REDUCE:
	case PERSEUS_KIND_OPTIMIZER_STEP:
	case PERSEUS_KIND_OTHER:
		return perseus_kind_name(kind);
	}
	return perseus_kind_name(kind);
}

static void
forget_steps(struct perseus__reports *reports, size_t first, size_t n)
{
	if (n == 0)
		return;
	for (size_t i = first; i < first + n; i++)
		perseus__class_times_fini(&reports->steps[i].classes);
	reports->n_steps -= n;
	memmove(reports->steps + first, reports->steps + first + n, (reports->n_steps - first) * sizeof *reports->steps);
}

static void
forget_windows(struct perseus__reports *reports, size_t first, size_t n)
{
	if (n == 0)
		return;
	for (size_t i = first; i < first + n; i++)
		perseus__class_times_fini(&reports->windows[i].busy);
	reports->n_windows -= n;
	memmove(reports->windows + first, reports->windows + first + n,
			(reports->n_windows - first) * sizeof *reports->windows);
}

void
perseus__reports_fini(struct perseus__reports *reports)
{
	forget_steps(reports, 0, reports->n_steps);
	forget_windows(reports, 0, reports->n_windows);
	perseus__free(reports->steps);
	perseus__free(reports->windows);
	*reports = (struct perseus__reports){.n_steps = 0};
}

void
perseus__reports_add_step(struct perseus__reports *reports, struct perseus__step_report *step)
{
	if (reports->n_steps == PERSEUS__MAX_STEPS_KEPT) {
		forget_steps(reports, reports->n_steps_sent, 1);
		reports->n_lost++;
	}
	if (!perseus__reserve(&reports->steps, &reports->cap_steps, reports->n_steps + 1, sizeof *reports->steps)) {
		perseus__class_times_fini(&step->classes);
		reports->n_lost++;
		return;
	}
	reports->steps[reports->n_steps++] = *step;
	step->classes = (struct perseus__class_times){.n = 0};
}

void
perseus__reports_add_window(struct perseus__reports *reports, struct perseus__window_report *window)
{
	if (reports->n_windows == PERSEUS__MAX_WINDOWS_KEPT) {
		forget_windows(reports, reports->n_windows_sent, 1);
		reports->n_lost++;
	}
	if (!perseus__reserve(&reports->windows, &reports->cap_windows, reports->n_windows + 1, sizeof *reports->windows)) {
		perseus__class_times_fini(&window->busy);
		reports->n_lost++;
		return;
	}
	reports->windows[reports->n_windows++] = *window;
	window->busy = (struct perseus__class_times){.n = 0};
}

bool
perseus__reports_is_due(const struct perseus__reports *reports)
{
	return reports->n_steps > 0;
}

static void
write_class(struct perseus__json *json, const struct perseus__class_time *item)
{
	perseus__json_integer(json, "stage", item->stage);
	perseus__json_string(json, "kind", kind_word(item->kind));
	perseus__json_integer(json, "frequency_mhz", item->frequency_mhz);
}

/* Counters have no more than uJ. */
static void
write_energy(struct perseus__json *json, const char *key, double energy_j)
{
	if (isfinite(energy_j))
		perseus__json_nano(json, key, llround(energy_j * 1e6) * 1000);
	else
		perseus__json_null(json, key);
}

static void
write_step(struct perseus__json *json, const struct perseus__step_report *step)
{
	perseus__json_open_object(json, NULL, true);
	perseus__json_integer(json, "step", step->step);
	perseus__json_integer(json, "revision", step->revision);
	perseus__json_nano(json, "time_s", step->time_ns);
	if (step->span_ns >= 0)
		perseus__json_nano(json, "span_s", step->span_ns);
	else
		perseus__json_null(json, "span_s");
	write_energy(json, "energy_j", step->energy_j);
	perseus__json_boolean(json, "is_followed", step->is_followed);
	perseus__json_open_array(json, "classes", true);
	for (int32_t i = 0; i < step->classes.n; i++) {
		const struct perseus__class_time *item = &step->classes.items[i];
		const double variance = item->n > 1 ? item->square_ns / (item->n - 1) : 0;
		perseus__json_open_object(json, NULL, true);
		write_class(json, item);
		perseus__json_integer(json, "count", item->n);
		perseus__json_nano(json, "mean_s", llround(item->mean_ns));
		perseus__json_nano(json, "deviation_s", llround(sqrt(variance)));
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
	perseus__json_close_object(json);
}

static void
write_window(struct perseus__json *json, const struct perseus__window_report *window)
{
	perseus__json_open_object(json, NULL, true);
	perseus__json_nano(json, "time_s", window->time_ns);
	write_energy(json, "energy_j", window->energy_j);
	write_energy(json, "error_j", window->error_j);
	perseus__json_nano(json, "unsettled_s", window->unsettled_ns);
	perseus__json_open_array(json, "busy", true);
	for (int32_t i = 0; i < window->busy.n; i++) {
		perseus__json_open_object(json, NULL, true);
		write_class(json, &window->busy.items[i]);
		perseus__json_nano(json, "time_s", window->busy.items[i].time_ns);
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
	perseus__json_close_object(json);
}

void
perseus__reports_write(
		struct perseus__reports *reports, const struct perseus__report_state *state, struct perseus__text *body)
{
	struct perseus__json json = perseus__json_init(body);
	reports->n_steps_sent = reports->n_steps < PERSEUS__BATCH_STEPS ? reports->n_steps : PERSEUS__BATCH_STEPS;
	reports->n_windows_sent = reports->n_windows < PERSEUS__BATCH_WINDOWS ? reports->n_windows : PERSEUS__BATCH_WINDOWS;
	perseus__json_open_object(&json, NULL, true);
	perseus__json_open_array(&json, "steps", true);
	for (size_t i = 0; i < reports->n_steps_sent; i++)
		write_step(&json, &reports->steps[i]);
	perseus__json_close_array(&json);
	perseus__json_open_array(&json, "windows", true);
	for (size_t i = 0; i < reports->n_windows_sent; i++)
		write_window(&json, &reports->windows[i]);
	perseus__json_close_array(&json);
	if (state->switch_latency_ns > 0)
		perseus__json_nano(&json, "switch_latency_s", state->switch_latency_ns);
	else
		perseus__json_null(&json, "switch_latency_s");
	if (state->control)
		perseus__json_string(&json, "control", state->control);
	perseus__json_close_object(&json);
}

static void
drop_batch(struct perseus__reports *reports)
{
	forget_steps(reports, 0, reports->n_steps_sent);
	forget_windows(reports, 0, reports->n_windows_sent);
	reports->n_steps_sent = reports->n_windows_sent = 0;
}

void
perseus__reports_acknowledge(struct perseus__reports *reports)
{
	reports->n_acknowledged += (int64_t)reports->n_steps_sent;
	drop_batch(reports);
}

void
perseus__reports_give_up(struct perseus__reports *reports)
{
	reports->n_lost += (int64_t)(reports->n_steps_sent + reports->n_windows_sent);
	drop_batch(reports);
}
