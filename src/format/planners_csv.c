/* The frontiers of planners as CSV. */
#include "format/planners_csv.h"

#include "format/csv_writer.h"
#include "format/frontier_sample.h"

#include <string.h>

static const char *const knob_columns[] = {"frequency_mhz", "forward_time_s", "power_limit_w"};
enum { N_KNOB_COLUMNS = sizeof knob_columns / sizeof *knob_columns };

static void
write_header(struct perseus__csv_writer *csv)
{
	perseus__csv_put_text(csv, "planner");
	for (int i = 0; i < N_KNOB_COLUMNS; i++)
		perseus__csv_put_text(csv, knob_columns[i]);
	perseus__csv_put_text(csv, "iteration_time_s");
	perseus__csv_put_text(csv, "energy_j");
	perseus__csv_end_row(csv);
}

/* `key` is the knob's column, or NULL. */
static void
write_point(struct perseus__csv_writer *csv, const char *planner, const char *key, double knob, int64_t time_ns,
		double energy_j)
{
	perseus__csv_put_text(csv, planner);
	for (int i = 0; i < N_KNOB_COLUMNS; i++)
		perseus__csv_put_number(csv, key && strcmp(key, knob_columns[i]) == 0, knob);
	perseus__csv_put_number(csv, true, (double)time_ns / 1e9);
	perseus__csv_put_number(csv, true, energy_j);
	perseus__csv_end_row(csv);
}

static void
write_family(struct perseus__csv_writer *csv, const struct perseus_baseline_family *family, double scale)
{
	for (int32_t k = 0; k < family->n_members; k++) {
		const struct perseus_outcome outcome = family->members[k].plan->outcome;
		write_point(csv, perseus_baseline_name(family->baseline), perseus__knob_key(family->baseline),
				family->members[k].knob, outcome.iteration_time_ns, (double)outcome.energy_nj * scale / 1e9);
	}
}

void
perseus__planners_csv(struct perseus__text *text, const struct perseus__planners *planners)
{
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	const double scale = perseus__planners_scale(planners);
	const int32_t n =
			planners->n_samples ? planners->n_samples : perseus_frontier_info(planners->frontier).n_breakpoints;
	write_header(&csv);
	for (int b = 0; b < PERSEUS_N_BASELINES; b++)
		if (planners->families[b])
			write_family(&csv, planners->families[b], scale);
	for (int32_t i = 0; i < n; i++) {
		const struct perseus__frontier_sample sample =
				perseus__frontier_sample(planners->frontier, planners->n_samples, i, scale);
		write_point(&csv, "perseus", NULL, 0, sample.time_ns, sample.energy_j);
	}
}
