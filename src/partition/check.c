/*
 * Re-checks a partition. Sums are taken layer by layer, the energy is proven by its dual: for any price of time, the
 * least energy and price of each class, less the price of the limit, is a lower bound, and the best price, one of the
 * slopes of the hulls or 0, reaches the optimum (duality of linear programs).
 */
#include "partition/partition.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "partition/energy.h"
#include "profile/class.h"

#include <math.h>
#include <string.h>

struct checker {
	const struct perseus_partition *partition;
	const struct perseus_layers *layers;
	struct perseus_error *err;
	struct perseus__energy energy; /* also: room for choices */
	struct perseus_choice *single; /* room for the choices of one layer */
	int64_t *blocking_power_uw;    /* length n_stages */
	size_t row;                    /* of partition->rows: the next one */
};

static enum perseus_status
broken(const struct checker *checker, int32_t stage, const char *what)
{
	return perseus__fail(checker->err, PERSEUS_INVALID, "partition, stage %d: %s", (int)stage, what);
}

static struct perseus__span
stage_span(const struct perseus_partition *partition, int32_t s)
{
	return (struct perseus__span){partition->boundaries[s], partition->boundaries[s + 1]};
}

/* What class `c` of a stage takes at one clock, layer by layer; false where a layer lacks the clock. */
static bool
sum_layers(struct checker *checker, int32_t c, struct perseus__span span, int32_t frequency_mhz, int64_t *time_ns,
		int64_t *energy_nj)
{
	*time_ns = 0;
	*energy_nj = 0;
	for (int32_t l = span.first; l < span.end; l++) {
		const struct perseus__span layer = {l, l + 1};
		const int32_t n = perseus__span_choices(checker->layers, c, layer, 0, checker->single);
		int32_t i = 0;
		while (i < n && checker->single[i].frequency_mhz != frequency_mhz)
			i++;
		if (i == n)
			return false;
		*time_ns += checker->single[i].time_ns;
		*energy_nj += checker->single[i].energy_nj;
	}
	return true;
}

static bool
is_row(const struct checker *checker, int32_t s, int32_t c, int32_t frequency_mhz, int64_t time_ns, int64_t energy_nj)
{
	if (checker->row >= checker->partition->n_rows)
		return false;
	const struct perseus_measurement *row = &checker->partition->rows[checker->row];
	const bool has_same_energy =
			checker->layers->has_energy ? row->energy_j == (double)energy_nj / 1e9 : isnan(row->energy_j) != 0;
	return row->stage == s && strcmp(row->instruction, checker->layers->classes[c].name) == 0
			&& row->frequency_mhz == frequency_mhz && row->time_s == (double)time_ns / 1e9 && has_same_energy;
}

/* Rows of a stage, and its times at the highest clock, which comes first. */
static enum perseus_status
check_stage(struct checker *checker, int32_t s)
{
	const struct perseus_layers *layers = checker->layers;
	int64_t cycle_ns = 0;
	for (int32_t c = 0; c < layers->n_classes; c++) {
		bool is_first = true;
		for (int32_t k = 0; k < layers->classes[c].n_clocks; k++) {
			const int32_t frequency_mhz = layers->classes[c].frequency_mhz[k];
			int64_t time_ns;
			int64_t energy_nj;
			if (!sum_layers(checker, c, stage_span(checker->partition, s), frequency_mhz, &time_ns, &energy_nj))
				continue;
			if (!is_row(checker, s, c, frequency_mhz, time_ns, energy_nj))
				return broken(checker, s, "rows are not the sums of its layers");
			checker->row++;
			for (int32_t i = 0; is_first && i < layers->n_cycle; i++)
				cycle_ns += layers->cycle[i] == c ? time_ns : 0;
			if (is_first && c == layers->forward && checker->partition->forward_ns[s] != time_ns)
				return broken(checker, s, "forward is not the sum of its layers at the highest clock");
			is_first = false;
		}
	}
	return checker->partition->cycle_ns[s] == cycle_ns
			? PERSEUS_OK
			: broken(checker, s, "cycle is not the sum of its layers at the highest clock");
}

static enum perseus_status
check_extremes(const struct checker *checker)
{
	const struct perseus_partition *partition = checker->partition;
	int64_t shortest_ns = INT64_MAX;
	int64_t longest_ns = 0;
	int64_t bottleneck_ns = 0;
	for (int32_t s = 0; s < partition->n_stages; s++) {
		shortest_ns = partition->forward_ns[s] < shortest_ns ? partition->forward_ns[s] : shortest_ns;
		longest_ns = partition->forward_ns[s] > longest_ns ? partition->forward_ns[s] : longest_ns;
		bottleneck_ns = partition->cycle_ns[s] > bottleneck_ns ? partition->cycle_ns[s] : bottleneck_ns;
	}
	if (partition->imbalance != (double)longest_ns / (double)shortest_ns)
		return perseus__fail(
				checker->err, PERSEUS_INVALID, "partition: imbalance is not longest over shortest forward");
	if (partition->bottleneck_ns != bottleneck_ns)
		return perseus__fail(checker->err, PERSEUS_INVALID, "partition: bottleneck is not the longest cycle");
	return PERSEUS_OK;
}

/* A lower bound at the price saved_nj / over_ns per time, rounded up as it is of integers. */
static perseus__wide
dual_nj(struct checker *checker, struct perseus__span span, int64_t power_uw, int64_t saved_nj, int64_t over_ns)
{
	const struct perseus_layers *layers = checker->layers;
	perseus__wide sum = -(perseus__wide)saved_nj * checker->energy.limit_ns;
	for (int32_t i = 0; i < layers->n_cycle; i++) {
		const struct perseus_choice *choices = checker->energy.choices;
		const int32_t n = perseus__span_choices(layers, layers->cycle[i], span, power_uw, checker->energy.choices);
		perseus__wide least = 0;
		for (int32_t k = 0; k < n; k++) {
			const perseus__wide cost =
					(perseus__wide)choices[k].effective_nj * over_ns + (perseus__wide)saved_nj * choices[k].time_ns;
			least = k == 0 || cost < least ? cost : least;
		}
		sum += least;
	}
	return sum >= 0 ? (sum + over_ns - 1) / over_ns : sum / over_ns; /* towards zero is up below zero */
}

/* The best of the lower bounds of a stage. */
static perseus__wide
stage_bound_nj(struct checker *checker, int32_t s)
{
	const struct perseus__span span = stage_span(checker->partition, s);
	const int64_t power_uw = checker->blocking_power_uw[s];
	perseus__wide best = dual_nj(checker, span, power_uw, 0, 1);
	for (int32_t i = 0; i < checker->layers->n_cycle; i++) {
		struct perseus_choice *hull = checker->energy.hulls[i];
		int32_t n = perseus__span_choices(
				checker->layers, checker->layers->cycle[i], span, power_uw, checker->energy.choices);
		n = perseus__pareto(checker->energy.choices, n, checker->energy.pareto);
		n = perseus__lower_hull(checker->energy.pareto, n, hull);
		for (int32_t k = 1; k < n; k++) {
			const perseus__wide bound = dual_nj(checker, span, power_uw,
					hull[k - 1].effective_nj - hull[k].effective_nj, hull[k].time_ns - hull[k - 1].time_ns);
			best = bound > best ? bound : best;
		}
	}
	return best;
}

static enum perseus_status
check_effective(struct checker *checker)
{
	const struct perseus_partition *partition = checker->partition;
	bool keeps_limit = partition->limit_ns > 0 && checker->layers->has_energy;
	perseus__wide sum_nj = 0;
	for (int32_t s = 0; keeps_limit && s < partition->n_stages; s++) {
		keeps_limit = perseus__span_fastest_ns(checker->layers, stage_span(partition, s)) <= partition->limit_ns;
		sum_nj += keeps_limit ? stage_bound_nj(checker, s) : 0;
	}
	if (partition->has_effective != keeps_limit)
		return perseus__fail(checker->err, PERSEUS_INVALID, "partition: whether there is an effective energy is wrong");
	if (partition->effective_nj != (keeps_limit ? sum_nj : 0))
		return perseus__fail(checker->err, PERSEUS_INVALID, "partition: the effective energy is not the least");
	return PERSEUS_OK;
}

/* What an objective counts of a partition: a fraction, less is better. */
struct score {
	perseus__wide of;
	perseus__wide over;
};

static struct score
score_of(struct checker *checker, const int32_t *boundaries)
{
	const struct perseus_layers *layers = checker->layers;
	const enum perseus_partition_objective objective = checker->partition->objective;
	int64_t shortest_ns = INT64_MAX;
	int64_t longest_ns = 0;
	perseus__wide energy_nj = 0;
	for (int32_t s = 0; s < checker->partition->n_stages; s++) {
		const struct perseus__span span = {boundaries[s], boundaries[s + 1]};
		int64_t time_ns = perseus__span_cycle_ns(layers, span);
		if (objective == PERSEUS_PARTITION_LEAST_IMBALANCE)
			time_ns = perseus__span_time_ns(layers, layers->forward, span);
		shortest_ns = time_ns < shortest_ns ? time_ns : shortest_ns;
		longest_ns = time_ns > longest_ns ? time_ns : longest_ns;
		if (objective == PERSEUS_PARTITION_LEAST_ENERGY)
			energy_nj += perseus__span_energy_nj(&checker->energy, span, checker->blocking_power_uw[s]);
	}
	if (objective == PERSEUS_PARTITION_LEAST_IMBALANCE)
		return (struct score){longest_ns, shortest_ns};
	return (struct score){objective == PERSEUS_PARTITION_LEAST_ENERGY ? energy_nj : longest_ns, 1};
}

/* No boundary alone has a better place between its neighbours. */
static enum perseus_status
check_moves(struct checker *checker)
{
	const struct perseus_partition *partition = checker->partition;
	if (partition->objective == PERSEUS_PARTITION_GIVEN || partition->objective == PERSEUS_PARTITION_EQUAL_LAYERS)
		return PERSEUS_OK;
	const size_t bytes = ((size_t)partition->n_stages + 1) * sizeof(int32_t);
	int32_t *moved = perseus__new_array(bytes, 1);
	if (!moved)
		return perseus__no_memory(checker->err);
	memcpy(moved, partition->boundaries, bytes);
	const struct score own = score_of(checker, moved);
	enum perseus_status status = PERSEUS_OK;
	for (int32_t s = 1; s < partition->n_stages; s++) {
		for (moved[s] = moved[s - 1] + 1; status == PERSEUS_OK && moved[s] < moved[s + 1]; moved[s]++) {
			const struct score other = score_of(checker, moved);
			if (other.of * own.over < own.of * other.over)
				status = broken(checker, s, "begins elsewhere in a better partition");
		}
		moved[s] = partition->boundaries[s];
	}
	perseus__free(moved);
	return status;
}

static enum perseus_status
check_boundaries(const struct checker *checker, const struct perseus_partition_settings *settings)
{
	const struct perseus_partition *partition = checker->partition;
	if (partition->n_stages != settings->n_stages || partition->objective != settings->objective)
		return perseus__fail(checker->err, PERSEUS_INVALID, "partition: it is not what the settings ask for");
	for (int32_t s = 0; s < partition->n_stages; s++)
		if (partition->boundaries[s] >= partition->boundaries[s + 1])
			return broken(checker, s, "has no layers");
	if (partition->boundaries[0] != 0 || partition->boundaries[partition->n_stages] != checker->layers->n_layers)
		return perseus__fail(checker->err, PERSEUS_INVALID, "partition: stages are not all of the layers");
	for (int32_t s = 0; partition->objective == PERSEUS_PARTITION_GIVEN && s <= partition->n_stages; s++)
		if (partition->boundaries[s] != settings->boundaries[s])
			return perseus__fail(checker->err, PERSEUS_INVALID, "partition: boundaries are not those given");
	if (settings->limit_ns > 0 && partition->limit_ns != settings->limit_ns)
		return perseus__fail(checker->err, PERSEUS_INVALID, "partition: the limit is not that of the settings");
	return PERSEUS_OK;
}

static enum perseus_status
check_all(struct checker *checker, const struct perseus_partition_settings *settings)
{
	enum perseus_status status = check_boundaries(checker, settings);
	if (status == PERSEUS_OK)
		status = perseus__partition_blocking(checker->layers, settings, checker->blocking_power_uw, checker->err);
	for (int32_t s = 0; status == PERSEUS_OK && s < checker->partition->n_stages; s++)
		status = check_stage(checker, s);
	if (status == PERSEUS_OK && checker->row != checker->partition->n_rows)
		status = perseus__fail(checker->err, PERSEUS_INVALID, "partition: there are rows too many");
	if (status == PERSEUS_OK)
		status = check_extremes(checker);
	if (status == PERSEUS_OK)
		status = check_effective(checker);
	return status == PERSEUS_OK ? check_moves(checker) : status;
}

enum perseus_status
perseus_partition_check(const struct perseus_partition *partition, const struct perseus_layers *layers,
		const struct perseus_partition_settings *settings, struct perseus_error *err)
{
	struct checker checker = {.partition = partition, .layers = layers, .err = err};
	enum perseus_status status = perseus__energy_init(&checker.energy, layers, partition->limit_ns, err);
	checker.single = perseus__new_array((size_t)layers->max_clocks, sizeof *checker.single);
	const size_t n_stages = settings->n_stages > 0 ? (size_t)settings->n_stages : 1;
	checker.blocking_power_uw = perseus__new_array(n_stages, sizeof(int64_t));
	if (status == PERSEUS_OK && (!checker.single || !checker.blocking_power_uw))
		status = perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = check_all(&checker, settings);
	perseus__energy_fini(&checker.energy);
	perseus__free(checker.single);
	perseus__free(checker.blocking_power_uw);
	return status;
}
