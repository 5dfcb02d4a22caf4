/* Judges runs: what is best, and which run is beaten by another in energy and quality. */
#include "base/error.h"
#include "base/memory.h"
#include "cli/runs_compare.h"

#include <string.h>

#define X(name, key) key,
static const char *const metric_keys[] = {PERSEUS__RUN_METRIC_MAP(X)};
#undef X

const char *
perseus__metric_key(enum perseus__run_metric metric)
{
	return metric_keys[metric];
}

/* A result that is a number. */
static struct perseus__metric
numeric_result(const struct perseus__run *run, const char *key)
{
	const struct perseus__result *result = key ? perseus__run_result(run, key) : NULL;
	const bool is_there = result && result->is_number;
	return (struct perseus__metric){.is_there = is_there, .value = is_there ? result->number : 0};
}

static void
set(struct perseus__verdict *verdict, enum perseus__run_metric metric, bool is_there, double value)
{
	verdict->metrics[metric] = (struct perseus__metric){.is_there = is_there, .value = is_there ? value : 0};
}

static void
fill(const struct perseus__comparison *comparison, const struct perseus__run *run, struct perseus__verdict *verdict)
{
	const struct perseus__footprint *footprint = &run->footprint;
	const double energy_j = footprint->energy.energy_j;
	const bool has_energy = footprint->energy.n_measured > 0;
	const struct perseus__metric given = numeric_result(run, comparison->per);
	const double n_units = comparison->per ? given.value : 1;
	double sci = 0;
	const bool has_sci = perseus__footprint_sci(footprint, n_units, &sci);
	set(verdict, PERSEUS__METRIC_TIME, run->state == PERSEUS__RUN_DONE, run->time_s);
	set(verdict, PERSEUS__METRIC_ENERGY, has_energy, energy_j);
	set(verdict, PERSEUS__METRIC_ENERGY_PER_UNIT, has_energy && n_units > 0, n_units > 0 ? energy_j / n_units : 0);
	set(verdict, PERSEUS__METRIC_OPERATIONAL, footprint->has_operational, footprint->operational_gco2e);
	set(verdict, PERSEUS__METRIC_SCI, has_sci, sci);
	set(verdict, PERSEUS__METRIC_COST, footprint->has_cost, footprint->cost);
	verdict->quality = numeric_result(run, comparison->quality);
	verdict->beaten_by = -1;
}

/* Whether two runs had the same devices of every kind, and as many of them measured. */
static bool
are_measured_alike(const struct perseus__run *a, const struct perseus__run *b)
{
	for (int kind = PERSEUS_DEVICE_GPU; kind <= PERSEUS_DEVICE_DRAM; kind++) {
		const struct perseus__energy x = perseus__run_energy_of(a, (enum perseus_device_kind)kind);
		const struct perseus__energy y = perseus__run_energy_of(b, (enum perseus_device_kind)kind);
		if (x.n_devices != y.n_devices || x.n_measured != y.n_measured)
			return false;
	}
	return true;
}

static bool
has_energy(const struct perseus__run *run)
{
	return run->state == PERSEUS__RUN_DONE && run->footprint.energy.n_measured > 0;
}

/* The energy of a run measured in part is too small to be held against another, unless both lack the same. */
static bool
do_compare(const struct perseus__run *a, const struct perseus__run *b)
{
	return has_energy(a) && has_energy(b)
			&& ((perseus__run_is_complete(a) && perseus__run_is_complete(b)) || are_measured_alike(a, b));
}

static void
choose_judged(const struct perseus__comparison *comparison)
{
	const struct perseus__run_list *list = comparison->list;
	bool do_all_compare = true;
	for (size_t i = 0; i < list->n_runs; i++)
		for (size_t k = 0; k < i; k++)
			if (has_energy(&list->runs[i]) && has_energy(&list->runs[k]))
				do_all_compare = do_all_compare && do_compare(&list->runs[i], &list->runs[k]);
	for (size_t i = 0; i < list->n_runs; i++)
		comparison->verdicts[i].is_judged =
				has_energy(&list->runs[i]) && (do_all_compare || perseus__run_is_complete(&list->runs[i]));
}

/* Finds the best of a column; `column` gives its cell in a verdict. */
static void
mark_best(const struct perseus__comparison *comparison, bool is_higher_better,
		struct perseus__metric *(*column)(struct perseus__verdict *verdict, int which), int which)
{
	const double sign = is_higher_better ? -1 : 1;
	double best = 0;
	bool is_found = false;
	for (size_t i = 0; i < comparison->list->n_runs; i++) {
		const struct perseus__metric *cell = column(&comparison->verdicts[i], which);
		if (!cell->is_there || !comparison->verdicts[i].is_judged || (is_found && sign * cell->value >= best))
			continue;
		best = sign * cell->value;
		is_found = true;
	}
	for (size_t i = 0; i < comparison->list->n_runs; i++) {
		struct perseus__metric *cell = column(&comparison->verdicts[i], which);
		cell->is_best = is_found && cell->is_there && comparison->verdicts[i].is_judged && sign * cell->value <= best;
	}
}

static struct perseus__metric *
metric_of(struct perseus__verdict *verdict, int which)
{
	return &verdict->metrics[which];
}

static struct perseus__metric *
quality_of(struct perseus__verdict *verdict, int which)
{
	(void)which;
	return &verdict->quality;
}

static bool
beats(const struct perseus__comparison *comparison, const struct perseus__verdict *a, const struct perseus__verdict *b)
{
	const double sign = comparison->is_higher_better ? -1 : 1;
	const double energy_a = a->metrics[PERSEUS__METRIC_ENERGY].value,
				 energy_b = b->metrics[PERSEUS__METRIC_ENERGY].value;
	const double quality_a = sign * a->quality.value, quality_b = sign * b->quality.value;
	return energy_a <= energy_b && quality_a <= quality_b && (energy_a < energy_b || quality_a < quality_b);
}

/* Pareto: a run that nobody beats in both is worth a look; one that is beaten costs energy and brings nothing. */
static void
find_beaten(const struct perseus__comparison *comparison)
{
	const size_t n = comparison->list->n_runs;
	const struct perseus__run *runs = comparison->list->runs;
	struct perseus__verdict *verdicts = comparison->verdicts;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n && verdicts[i].beaten_by < 0; k++)
			if (do_compare(&runs[i], &runs[k]) && verdicts[i].quality.is_there && verdicts[k].quality.is_there
					&& beats(comparison, &verdicts[k], &verdicts[i]))
				verdicts[i].beaten_by = (int32_t)k;
}

static bool
have_one_currency(const struct perseus__run_list *list)
{
	const char *currency = NULL;
	for (size_t i = 0; i < list->n_runs; i++) {
		const struct perseus__run *run = &list->runs[i];
		if (!run->footprint.has_cost)
			continue;
		if (currency && strcmp(currency, run->factors.currency) != 0)
			return false;
		currency = run->factors.currency;
	}
	return true;
}

enum perseus_status
perseus__comparison_judge(struct perseus__comparison *comparison, struct perseus_error *err)
{
	const size_t n = comparison->list->n_runs;
	comparison->verdicts = perseus__new_array(n + 1, sizeof *comparison->verdicts);
	if (!comparison->verdicts)
		return perseus__no_memory(err);
	for (size_t i = 0; i < n; i++)
		fill(comparison, &comparison->list->runs[i], &comparison->verdicts[i]);
	comparison->has_one_currency = have_one_currency(comparison->list);
	choose_judged(comparison);
	for (int metric = 0; metric < PERSEUS__N_METRICS; metric++)
		if (metric != PERSEUS__METRIC_COST || comparison->has_one_currency)
			mark_best(comparison, false, metric_of, metric);
	mark_best(comparison, comparison->is_higher_better, quality_of, 0);
	find_beaten(comparison);
	return PERSEUS_OK;
}

void
perseus__comparison_fini(struct perseus__comparison *comparison)
{
	perseus__free(comparison->verdicts);
	comparison->verdicts = NULL;
}
