/* A simulation as CSV. */
#include "format/simulation_csv.h"

#include "format/csv_writer.h"
#include "format/simulation_json.h"

#include <stdbool.h>

void
perseus__simulation_csv_header(struct perseus__text *text)
{
	perseus__text_addf(text,
			"iteration,policy,time_s,energy_j,useful_j,intrinsic_j,extrinsic_j,blocking_j,stragglers,"
			"slowest_pipeline,degree,answered\n");
}

void
perseus__simulation_csv_row(struct perseus__text *text, const struct perseus_policy *policy,
		const struct perseus_simulated_iteration *iteration)
{
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	const struct perseus_energy_split *energy = &iteration->energy;
	perseus__csv_put_integer(&csv, true, iteration->iteration);
	perseus__csv_put_text(&csv, policy->name);
	perseus__csv_put_number(&csv, true, (double)iteration->time_ns / 1e9);
	perseus__csv_put_number(&csv, true, perseus__split_sum_j(energy));
	perseus__csv_put_number(&csv, true, energy->useful_j);
	perseus__csv_put_number(&csv, true, energy->intrinsic_j);
	perseus__csv_put_number(&csv, true, energy->extrinsic_j);
	perseus__csv_put_number(&csv, true, energy->blocking_j);
	perseus__csv_put_integer(&csv, true, iteration->n_stragglers);
	perseus__csv_put_integer(&csv, true, iteration->slowest);
	perseus__csv_put_number(&csv, true, iteration->degree);
	perseus__csv_put_integer(&csv, true, policy->n_plans > 1 ? iteration->is_answered : iteration->n_stragglers == 0);
	perseus__csv_end_row(&csv);
}
