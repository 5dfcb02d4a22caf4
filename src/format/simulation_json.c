/* The simulation document as JSON. */
#include "format/simulation_json.h"

#include "format/json_writer.h"
#include "format/plan_json.h"

double
perseus__split_sum_j(const struct perseus_energy_split *split)
{
	return split->useful_j + split->intrinsic_j + split->extrinsic_j + split->blocking_j;
}

int64_t
perseus__unanswered(const struct perseus__simulation_document *document, int32_t index)
{
	const struct perseus_simulated_total *total = &document->totals[index];
	return document->simulation->policies[index].n_plans > 1 ? total->n_unanswered : total->n_straggling;
}

static void
write_random(struct perseus__json *json, const struct perseus__simulation_document *document)
{
	if (document->n_processes > 0)
		perseus__json_integer(json, "seed", document->seed);
	else
		perseus__json_null(json, "seed");
	perseus__json_open_array(json, "random", false);
	for (int32_t i = 0; i < document->n_processes; i++) {
		const struct perseus_straggler_process *process = &document->processes[i];
		perseus__json_open_object(json, NULL, true);
		perseus__json_string(json, "cause", perseus_straggler_cause_name(process->cause));
		perseus__json_number(json, "mean_between_iterations", process->mean_between_iterations);
		perseus__json_number(json, "mean_duration_iterations", process->mean_duration_iterations);
		perseus__json_number(json, "least_degree", process->least_degree);
		perseus__json_number(json, "greatest_degree", process->greatest_degree);
		perseus__json_close_object(json);
	}
	perseus__json_close_array(json);
}

static void
write_head(struct perseus__json *json, const struct perseus__simulation_document *document)
{
	const struct perseus_simulation *simulation = document->simulation;
	const struct perseus_frontier_info info = perseus_frontier_info(simulation->frontier);
	perseus__json_job(
			json, perseus_frontier_schedule(simulation->frontier), simulation->gpus_per_stage, simulation->n_pipelines);
	perseus__json_nano(json, "t_min_s", info.t_min_ns);
	perseus__json_nano(json, "t_star_s", info.t_star_ns);
	perseus__json_integer(json, "iterations", simulation->n_iterations);
	perseus__json_nano(json, "sync_s", simulation->sync_ns);
	perseus__json_nano(json, "reaction_s", simulation->reaction_ns);
	perseus__json_string(json, "granularity", perseus_granularity_name(document->granularity));
	perseus__json_integer(json, "events", simulation->n_events);
	write_random(json, document);
	perseus__json_string(json, "policy", simulation->policies[document->chosen].name);
	perseus__json_string(json, "reference", simulation->policies[document->reference].name);
}

static void
write_policy(struct perseus__json *json, const struct perseus__simulation_document *document, int32_t index)
{
	const struct perseus_policy *policy = &document->simulation->policies[index];
	const struct perseus_simulated_total *total = &document->totals[index];
	const struct perseus_simulated_total *reference = &document->totals[document->reference];
	const double energy_j = perseus__split_sum_j(&total->energy);
	perseus__json_open_object(json, NULL, false);
	perseus__json_string(json, "name", policy->name);
	perseus__json_integer(json, "plans", policy->n_plans);
	perseus__json_nano(json, "fastest_s", policy->plans[0].time_ns);
	perseus__json_nano(json, "slowest_s", policy->plans[policy->n_plans - 1].time_ns);
	perseus__json_integer(json, "iterations", total->n_iterations);
	perseus__json_integer(json, "straggling_iterations", total->n_straggling);
	perseus__json_integer(json, "unanswered_iterations", perseus__unanswered(document, index));
	perseus__json_number(json, "time_s", total->time_s);
	perseus__json_number(json, "time_lost_s", total->time_s - reference->time_s);
	perseus__json_number(json, "energy_j", energy_j);
	perseus__json_number(json, "average_power_w", energy_j / total->time_s);
	perseus__json_number(json, "useful_j", total->energy.useful_j);
	perseus__json_number(json, "intrinsic_j", total->energy.intrinsic_j);
	perseus__json_number(json, "extrinsic_j", total->energy.extrinsic_j);
	perseus__json_number(json, "blocking_j", total->energy.blocking_j);
	perseus__json_number(json, "saving", 1 - energy_j / perseus__split_sum_j(&reference->energy));
	perseus__json_close_object(json);
}

void
perseus__simulation_json(struct perseus__text *text, const struct perseus__simulation_document *document)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	write_head(&json, document);
	perseus__json_open_array(&json, "policies", false);
	for (int32_t i = 0; i < document->simulation->n_policies; i++)
		write_policy(&json, document, i);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
