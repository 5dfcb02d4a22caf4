/* GET /metrics. What is not known is left out: a sample is a measurement. */
#include "server/handlers.h"

#include "server/api_route.h"
#include "server/jobs.h"
#include "server/store.h"
#include "service/metrics.h"

#include <perseus/version.h>

#include <stdio.h>

/* A metric of one sample. */
struct metric {
	const char *name, *kind, *help;
	double value;
};

static void
write_metrics(const struct metric *metrics, size_t n, struct perseus__text *text)
{
	for (size_t i = 0; i < n; i++) {
		perseus__metric_head(text, metrics[i].name, metrics[i].kind, metrics[i].help);
		perseus__metric_number(text, metrics[i].name, NULL, 0, metrics[i].value);
	}
}

static void
write_zeus(struct perseus__zeus *zeus, struct perseus__text *text)
{
	struct perseus__zeus_counts counts;
	perseus__zeus_count(zeus, &counts);
	const struct metric metrics[] = {
		{"perseus_zeus_jobs", "gauge", "Jobs of Zeus's clients.", (double)counts.n_jobs},
		{"perseus_zeus_ranks", "gauge", "Ranks of those that are registered.", (double)counts.n_ranks},
		{"perseus_zeus_waiting_ranks", "gauge", "Ranks of those that wait for a schedule.", (double)counts.n_waiters},
		{"perseus_zeus_rounds_total", "counter", "Rounds of results that were complete.", (double)counts.n_rounds},
	};
	write_metrics(metrics, sizeof metrics / sizeof *metrics, text);
}

static void
write_store(struct perseus__store *store, struct perseus__text *text)
{
	struct perseus__store_state state;
	perseus__store_state(store, &state);
	const struct metric metrics[] = {
		{"perseus_store_writable", "gauge", "Whether the last write was made durable.", state.is_writable},
		{"perseus_store_waiting_writes", "gauge", "Writes that wait for the disk.", (double)state.n_waiting},
		{"perseus_store_writes_total", "counter", "Writes that were made durable.", (double)state.n_writes},
		{"perseus_store_failed_writes_total", "counter", "Writes that could not be made durable.",
			(double)state.n_failed},
		{"perseus_store_commits_total", "counter", "Commits, each of many writes.", (double)state.n_commits},
	};
	write_metrics(metrics, sizeof metrics / sizeof *metrics, text);
}

/* Plans of jobs: one of the two metrics of each at a time, as the samples of a metric stand together. */
struct plans {
	struct perseus__text *text;
	bool is_energy;
};

static void
write_plan(void *user, const char *job, const struct perseus__job_figures *figures)
{
	const struct plans *plans = user;
	const struct perseus__label label = {"job", job};
	if (plans->is_energy)
		perseus__metric_number(plans->text, "perseus_plan_energy_joules", &label, 1, figures->energy_j);
	else
		perseus__metric_number(plans->text, "perseus_plan_iteration_seconds", &label, 1, figures->time_s);
}

static void
write_plans(struct perseus__jobs *jobs, struct perseus__text *text)
{
	struct plans plans = {.text = text};
	perseus__metric_head(text, "perseus_plan_iteration_seconds", "gauge", "Time of an iteration, as planned.");
	perseus__jobs_visit_figures(jobs, write_plan, &plans);
	plans.is_energy = true;
	perseus__metric_head(text, "perseus_plan_energy_joules", "gauge", "Energy of an iteration, as planned.");
	perseus__jobs_visit_figures(jobs, write_plan, &plans);
}

static void
write_jobs(struct perseus__jobs *jobs, struct perseus__text *text)
{
	struct perseus__jobs_counts counts;
	perseus__jobs_counts(jobs, &counts);
	const struct {
		const char *phase;
		int32_t n;
	} phases[] = {{"profiling", counts.n_profiling}, {"planned", counts.n_planned},
		{"other", counts.n_jobs - counts.n_profiling - counts.n_planned}};
	const struct metric metrics[] = {
		{"perseus_job_ranks_registered", "gauge", "Ranks that are present.", counts.n_ranks},
		{"perseus_schedule_waiters", "gauge", "Ranks that wait for news of their clocks.", counts.n_waiting},
		{"perseus_reports_total", "counter", "Reports of ranks.", (double)counts.n_reports},
		{"perseus_reported_steps_total", "counter", "Steps in them.", (double)counts.n_steps},
		{"perseus_revisions_total", "counter", "Revisions of plans that began.", (double)counts.n_revisions},
		{"perseus_stragglers_total", "counter", "Stragglers announced or detected.", (double)counts.n_stragglers},
		{"perseus_shapes_total", "counter", "Shapes of jobs that were asked for.", (double)counts.n_shapes},
		{"perseus_frontiers_total", "counter", "Frontiers computed for them; the others were shared.",
			(double)counts.n_frontiers},
		{"perseus_measured_energy_joules_total", "counter", "Energy of steps under a plan, as measured.",
			counts.measured_j},
		{"perseus_predicted_energy_joules_total", "counter", "The same as predicted.", counts.predicted_j},
		{"perseus_baseline_energy_joules_total", "counter", "The same at the highest clocks, as predicted.",
			counts.baseline_j},
	};
	perseus__metric_head(text, "perseus_jobs", "gauge", "Jobs that have not ended, by phase.");
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
		const struct perseus__label label = {"phase", phases[i].phase};
		perseus__metric_integer(text, "perseus_jobs", &label, 1, (uint64_t)phases[i].n);
	}
	write_metrics(metrics, sizeof metrics / sizeof *metrics, text);
	write_plans(jobs, text);
}

/* "GET /v1/jobs": one path may have several methods. */
static void
write_route_name(int32_t index, char *name, size_t bytes)
{
	const struct perseus__api_route *route = perseus__api_route_at(index);
	if (route)
		(void)snprintf(name, bytes, "%s %s", perseus__method_name(route->method), route->path);
}

void
perseus__serve_metrics(struct perseus__api *api, struct perseus__exchange *exchange)
{
	const struct perseus__label version = {"version", perseus_version()};
	struct perseus__text *text = &exchange->response.body;
	perseus__respond(exchange, 200);
	exchange->response.content = PERSEUS__CONTENT_METRICS;
	perseus__metric_head(text, "perseus_build_info", "gauge", "What runs here; always 1.");
	perseus__metric_integer(text, "perseus_build_info", &version, 1, 1);
	perseus__metric_head(text, "perseus_event_streams", "gauge", "Streams of events that are open.");
	perseus__metric_integer(text, "perseus_event_streams", NULL, 0, (uint64_t)perseus__events_n_streams(api->events));
	if (api->settings.store)
		write_store(api->settings.store, text);
	if (api->settings.jobs)
		write_jobs(api->settings.jobs, text);
	if (api->settings.zeus)
		write_zeus(api->settings.zeus, text);
	perseus__request_counters_write(&api->requests, write_route_name, text);
}
