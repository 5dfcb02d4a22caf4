/* From frontier and plans to what the timeline draws. */
#include "chart/timeline.h"

#include "base/error.h"
#include "base/memory.h"
#include "chart/critical.h"
#include "frontier/workload.h"

#include <stdio.h>

/* A panel's arrays, owned. */
struct panel_data {
	struct perseus__timeline_box *boxes;
	struct perseus__critical critical;
};

static void
panel_fini(struct panel_data *data)
{
	perseus__free(data->boxes);
	perseus__critical_fini(&data->critical);
	*data = (struct panel_data){0};
}

/* Energy in nJ over time in ns is watts. */
static double
average_power_w(const struct perseus_step *step)
{
	return step->time_ns > 0 ? (double)step->energy_nj / (double)step->time_ns : 0;
}

static enum perseus_status
panel_init(struct panel_data *data, const struct perseus__workload *workload, const struct perseus_plan *plan,
		struct perseus_error *err)
{
	const size_t n = (size_t)plan->n_instructions;
	struct panel_data made = {.boxes = perseus__new_array(n, sizeof *made.boxes)};
	int64_t *duration_ns = perseus__new_array(n, sizeof *duration_ns);
	enum perseus_status status = PERSEUS_OK;
	if (!made.boxes || !duration_ns) {
		status = perseus__no_memory(err);
		goto fail;
	}
	for (size_t i = 0; i < n; i++)
		duration_ns[i] = plan->steps[i].time_ns;
	status = perseus__critical_init(&made.critical, workload, duration_ns, err);
	if (status != PERSEUS_OK)
		goto fail;
	for (size_t i = 0; i < n; i++)
		made.boxes[i] = (struct perseus__timeline_box){
			.start_ns = plan->steps[i].start_ns,
			.time_ns = plan->steps[i].time_ns,
			.power_w = average_power_w(&plan->steps[i]),
			.is_critical = made.critical.is_critical[i],
		};
	*data = made;
	made = (struct panel_data){0};
fail:
	panel_fini(&made);
	perseus__free(duration_ns);
	return status;
}

static struct perseus__timeline_panel
panel_of(const struct panel_data *data, const struct perseus_plan *plan, const char *heading)
{
	return (struct perseus__timeline_panel){
		.heading = heading,
		.iteration_time_ns = plan->outcome.iteration_time_ns,
		.energy_j = (double)plan->outcome.energy_nj * 1e-9,
		.boxes = data->boxes,
		.path = data->critical.path,
		.n_path = data->critical.n_path,
	};
}

enum perseus_status
perseus__chart_timeline(const char *path, const struct perseus_frontier *frontier, const struct perseus_plan *before,
		const struct perseus_plan *after, const struct perseus__chart_options *options, struct perseus_error *err)
{
	enum perseus_status status = perseus__chart_path_check(path, err);
	if (status != PERSEUS_OK)
		return status;
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	const int32_t n_ranks = workload->schedule->n_ranks;
	char heading[96];
	(void)snprintf(heading, sizeof heading, "%s (granularity: %s)", before ? "After: planned clocks" : "Planned clocks",
			perseus_granularity_name(after->granularity));
	struct panel_data data[2] = {{0}, {0}};
	int32_t n_panels = 0;
	double *blocking_w = perseus__new_array((size_t)n_ranks, sizeof *blocking_w);
	if (!blocking_w) {
		status = perseus__no_memory(err);
		goto fail;
	}
	for (int32_t r = 0; r < n_ranks; r++)
		blocking_w[r] = (double)workload->rank_blocking_uw[r] * 1e-6;
	struct perseus__timeline timeline = {
		.schedule = workload->schedule, .blocking_w = blocking_w, .deadline_ns = after->deadline_ns};
	if (before) {
		status = panel_init(&data[n_panels], workload, before, err);
		if (status != PERSEUS_OK)
			goto fail;
		timeline.panels[n_panels] = panel_of(&data[n_panels], before, "Before: every instruction at its highest clock");
		n_panels++;
	}
	status = panel_init(&data[n_panels], workload, after, err);
	if (status != PERSEUS_OK)
		goto fail;
	timeline.panels[n_panels] = panel_of(&data[n_panels], after, heading);
	timeline.n_panels = n_panels + 1;
	status = perseus__timeline_draw(path, &timeline, options, err);
fail:
	panel_fini(&data[0]);
	panel_fini(&data[1]);
	perseus__free(blocking_w);
	return status;
}
