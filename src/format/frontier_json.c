/* The frontier document as JSON. */
#include "format/frontier_json.h"

#include "format/frontier_sample.h"
#include "format/json_writer.h"
#include "format/plan_json.h"

static void
write_head(struct perseus__json *json, const struct perseus__frontier_document *document, double scale)
{
	const struct perseus_schedule *schedule = perseus_frontier_schedule(document->frontier);
	const struct perseus_frontier_info info = perseus_frontier_info(document->frontier);
	perseus__json_job(json, schedule, document->gpus_per_stage, document->n_pipelines);
	perseus__json_nano(json, "t_min_s", info.t_min_ns);
	perseus__json_nano(json, "t_star_s", info.t_star_ns);
	perseus__json_nano(json, "t_min_energy_s", info.t_min_energy_ns);
	perseus__json_number(json, "blocking_power_w", (double)info.blocking_power_uw * scale / 1e6);
	perseus__json_integer(json, "breakpoints", info.n_breakpoints);
	perseus__json_number(json, "loss_bound", info.loss_bound);
	perseus__json_boolean(json, "used_fallback", info.used_fallback);
	if (document->solve_s)
		perseus__json_number(json, "solve_s", *document->solve_s);
}

void
perseus__frontier_json(struct perseus__text *text, const struct perseus__frontier_document *document)
{
	struct perseus__json json = perseus__json_init(text);
	const double scale = (double)document->gpus_per_stage * (double)document->n_pipelines;
	const int32_t n_points =
			document->n_samples ? document->n_samples : perseus_frontier_info(document->frontier).n_breakpoints;
	perseus__json_open_object(&json, NULL, false);
	write_head(&json, document, scale);
	perseus__json_open_array(&json, "points", false);
	for (int32_t i = 0; i < n_points; i++) {
		const struct perseus__frontier_sample sample =
				perseus__frontier_sample(document->frontier, document->n_samples, i, scale);
		perseus__json_open_object(&json, NULL, true);
		perseus__json_nano(&json, "iteration_time_s", sample.time_ns);
		perseus__json_number(&json, "energy_j", sample.energy_j);
		perseus__json_number(&json, "effective_energy_j", sample.effective_energy_j);
		perseus__json_number(&json, "marginal_power_w", sample.marginal_power_w);
		perseus__json_close_object(&json);
	}
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
