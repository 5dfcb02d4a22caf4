/* The files of perseus plan. */
#include "cli/plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "chart/frontier_chart.h"
#include "chart/timeline.h"
#include "cli/command.h"
#include "format/frontier_csv.h"
#include "format/output_file.h"
#include "format/plan_json.h"
#include "format/trace_json.h"
#include "format/zeus_tuples.h"

#include <perseus/frontier.h>

static void
write_plan(struct perseus__text *text, const struct perseus__plan_document *document)
{
	perseus__plan_json(text, document, NULL);
}

static void
write_zeus(struct perseus__text *text, const struct perseus__plan_document *document)
{
	perseus__zeus_write(text, perseus_frontier_schedule(document->frontier), document->plan);
}

static void
write_frontier(struct perseus__text *text, const struct perseus__plan_document *document)
{
	perseus__frontier_csv(text, document->frontier, 0, perseus__plan_scale(document));
}

typedef void (*write_text)(struct perseus__text *, const struct perseus__plan_document *);
typedef enum perseus_status (*draw)(const char *, const struct perseus__plan_document *, struct perseus_error *);

static const struct {
	const char *name;
	write_text write; /* one of these two */
	draw draw;
} files[] = {
	{"plan.json", write_plan, NULL},
	{"freqs_pipeline_00000.py", write_zeus, NULL},
	{"frontier.csv", write_frontier, NULL},
	{"trace.json", perseus__trace_json, NULL},
	{"timeline.svg", NULL, perseus__plan_timeline},
	{"timeline.png", NULL, perseus__plan_timeline},
	{"frontier.svg", NULL, perseus__plan_frontier_chart},
};

static enum perseus_status
write_text_file(
		const char *path, write_text write, const struct perseus__plan_document *document, struct perseus_error *err)
{
	struct perseus__text text = perseus__result_text();
	write(&text, document);
	const enum perseus_status status = perseus__write_document(path, &text, err);
	perseus__text_fini(&text);
	return status;
}

enum perseus_status
perseus__plan_output(const char *directory, const struct perseus__plan_document *document, struct perseus_error *err)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		char *path = perseus__output_path(directory, files[i].name);
		if (!path)
			return perseus__no_memory(err);
		const enum perseus_status status = files[i].write ? write_text_file(path, files[i].write, document, err)
														  : files[i].draw(path, document, err);
		perseus__free(path);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__plan_timeline(const char *path, const struct perseus__plan_document *document, struct perseus_error *err)
{
	const struct perseus__chart_options options = {.energy_scale = perseus__plan_scale(document)};
	return perseus__chart_timeline(path, document->frontier, document->baseline, document->plan, &options, err);
}

/* The baseline where it is when nobody waits: its energy counts waiting up to the deadline, which is taken off. */
static struct perseus_frontier_marker
baseline_marker(const struct perseus__plan_document *document)
{
	const struct perseus_plan *plan = document->plan;
	const int64_t time_ns = plan->baseline.iteration_time_ns;
	const int64_t waiting_ns = plan->deadline_ns > time_ns ? plan->deadline_ns - time_ns : 0;
	const double blocking_uw = (double)perseus_frontier_info(document->frontier).blocking_power_uw;
	return (struct perseus_frontier_marker){
		.label = "highest clocks",
		.time_ns = time_ns,
		.energy_nj = plan->baseline.energy_nj - (int64_t)(blocking_uw * (double)waiting_ns / 1e6),
		.kind = PERSEUS_MARKER_BASELINE,
	};
}

enum perseus_status
perseus__plan_frontier_chart(const char *path, const struct perseus__plan_document *document, struct perseus_error *err)
{
	const struct perseus_plan *plan = document->plan;
	const int64_t end_ns =
			plan->deadline_ns > plan->outcome.iteration_time_ns ? plan->deadline_ns : plan->outcome.iteration_time_ns;
	const struct perseus_frontier_marker markers[] = {
		baseline_marker(document),
		{"plan", end_ns, plan->outcome.energy_nj, PERSEUS_MARKER_PLAN},
	};
	const struct perseus__chart_options options = {.energy_scale = perseus__plan_scale(document)};
	const struct perseus_frontier_marks marks = {.markers = markers, .n_markers = 2};
	return perseus__chart_frontier(path, document->frontier, &marks, &options, err);
}
