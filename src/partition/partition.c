/*
 * Partitions: what is asked for is checked, searched, and described. Searches are in spans.c, imbalance.c and energy.c.
 */
#include "partition/partition.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "partition/energy.h"
#include "partition/spans.h"

#include <math.h>
#include <string.h>

/* What the caller gets, and what it owns beside. */
struct whole {
	struct perseus_partition partition; /* first: the caller's pointer is to it */
	int32_t n_names;
	char **names;
};

const char *
perseus_partition_objective_name(enum perseus_partition_objective objective)
{
	static const char *const names[PERSEUS_N_PARTITION_OBJECTIVES] = {
#define X(name, text) text,
		PERSEUS_PARTITION_MAP(X)
#undef X
	};
	return names[objective];
}

struct perseus_partition_settings
perseus_partition_settings_default(void)
{
	return (struct perseus_partition_settings){.objective = PERSEUS_PARTITION_LEAST_BOTTLENECK};
}

/* The longest that one class of all layers together can take. */
static int64_t
longest_ns(const struct perseus_layers *layers)
{
	int64_t longest = 0;
	for (int32_t c = 0; c < layers->n_classes; c++)
		for (int32_t k = 0; k < layers->classes[c].n_clocks; k++) {
			const size_t last = (size_t)(k + 1) * ((size_t)layers->n_layers + 1) - 1;
			longest = layers->classes[c].time_ns[last] > longest ? layers->classes[c].time_ns[last] : longest;
		}
	return longest;
}

enum perseus_status
perseus__partition_blocking(const struct perseus_layers *layers, const struct perseus_partition_settings *settings,
		int64_t *out, struct perseus_error *err)
{
	const int32_t n_given = settings->n_blocking_power;
	if (n_given != 0 && n_given != 1 && n_given != settings->n_stages)
		return perseus__fail(err, PERSEUS_INVALID,
				"%d blocking powers for %d stages: give one for all stages or one for each", (int)n_given,
				(int)settings->n_stages);
	const int64_t time_ns = longest_ns(layers);
	for (int32_t s = 0; s < settings->n_stages; s++) {
		const double power_w = n_given == 0 ? 0 : settings->blocking_power_w[n_given == 1 ? 0 : s];
		if (!(power_w >= 0 && power_w <= PERSEUS_MAX_POWER_W))
			return perseus__fail(
					err, PERSEUS_INVALID, "stage %d: blocking power %g W must be in 0..1e6 W", (int)s, power_w);
		out[s] = llround(power_w * 1e6);
		if ((perseus__wide)out[s] * time_ns / 1000000 > (perseus__wide)(PERSEUS_MAX_ENERGY_J * 1e9))
			return perseus__fail(
					err, PERSEUS_INVALID, "blocking power %g W over the time of all layers is above 1e9 J", power_w);
	}
	return PERSEUS_OK;
}

static enum perseus_status
check_boundaries(const struct perseus_layers *layers, const struct perseus_partition_settings *settings,
		struct perseus_error *err)
{
	const int32_t *boundaries = settings->boundaries;
	if (boundaries[0] != 0)
		return perseus__fail(err, PERSEUS_INVALID, "boundaries begin with layer %d, not 0", (int)boundaries[0]);
	for (int32_t s = 0; s < settings->n_stages; s++)
		if (boundaries[s + 1] <= boundaries[s])
			return perseus__fail(err, PERSEUS_INVALID, "boundaries must ascend: %d does not come after %d",
					(int)boundaries[s + 1], (int)boundaries[s]);
	if (boundaries[settings->n_stages] != layers->n_layers)
		return perseus__fail(err, PERSEUS_INVALID, "boundaries end at %d, but there are %d layers",
				(int)boundaries[settings->n_stages], (int)layers->n_layers);
	return PERSEUS_OK;
}

static enum perseus_status
check_settings(const struct perseus_layers *layers, const struct perseus_partition_settings *settings,
		struct perseus_error *err)
{
	if (settings->n_stages < 1)
		return perseus__fail(err, PERSEUS_INVALID, "%d stages: there must be one at least", (int)settings->n_stages);
	if (settings->n_stages > layers->n_layers)
		return perseus__fail(err, PERSEUS_INVALID, "%d layers are too few for %d stages", (int)layers->n_layers,
				(int)settings->n_stages);
	if (settings->limit_ns < 0)
		return perseus__fail(err, PERSEUS_INVALID, "the limit of the cycle is negative");
	if (settings->objective == PERSEUS_PARTITION_LEAST_ENERGY && !layers->has_energy)
		return perseus__fail(err, PERSEUS_INVALID, "energies were not measured: there is no partition of least energy");
	return settings->objective == PERSEUS_PARTITION_GIVEN ? check_boundaries(layers, settings, err) : PERSEUS_OK;
}

/* Boundaries of the searched objectives; a limit that is not given becomes the least bottleneck where it is needed. */
static enum perseus_status
search(struct perseus__spans *spans, const struct perseus_partition_settings *settings,
		const int64_t *blocking_power_uw, int64_t *limit_ns, int32_t *boundaries, struct perseus_error *err)
{
	struct perseus__bounds bounds = perseus__no_bounds();
	if (settings->objective == PERSEUS_PARTITION_LEAST_IMBALANCE)
		return perseus__least_imbalance(spans, bounds, boundaries, err);
	perseus__narrow(spans, &bounds);
	if (settings->objective == PERSEUS_PARTITION_LEAST_BOTTLENECK)
		return perseus__least_imbalance(spans, bounds, boundaries, err);
	*limit_ns = *limit_ns > 0 ? *limit_ns : bounds.most_cycle_ns;
	struct perseus__energy energy;
	enum perseus_status status = perseus__energy_init(&energy, spans->layers, *limit_ns, err);
	if (status == PERSEUS_OK)
		status = perseus__least_energy(spans, &energy, blocking_power_uw, boundaries, err);
	perseus__energy_fini(&energy);
	return status;
}

static enum perseus_status
find_boundaries(const struct perseus_layers *layers, const struct perseus_partition_settings *settings,
		const int64_t *blocking_power_uw, int64_t *limit_ns, int32_t *boundaries, struct perseus_error *err)
{
	const int32_t p = settings->n_stages;
	if (settings->objective == PERSEUS_PARTITION_GIVEN) {
		memcpy(boundaries, settings->boundaries, ((size_t)p + 1) * sizeof *boundaries);
		return PERSEUS_OK;
	}
	if (settings->objective == PERSEUS_PARTITION_EQUAL_LAYERS) {
		for (int32_t s = 0; s <= p; s++)
			boundaries[s] = (int32_t)((int64_t)s * layers->n_layers / p);
		return PERSEUS_OK;
	}
	struct perseus__spans spans;
	enum perseus_status status = perseus__spans_init(&spans, layers, p, err);
	if (status == PERSEUS_OK)
		status = search(&spans, settings, blocking_power_uw, limit_ns, boundaries, err);
	perseus__spans_fini(&spans);
	return status;
}

static enum perseus_status
describe_times(const struct perseus_layers *layers, struct perseus_partition *partition, struct perseus_error *err)
{
	int64_t *forward_ns = perseus__new_array((size_t)partition->n_stages, sizeof *forward_ns);
	partition->forward_ns = forward_ns;
	int64_t *cycle_ns = perseus__new_array((size_t)partition->n_stages, sizeof *cycle_ns);
	partition->cycle_ns = cycle_ns;
	if (!forward_ns || !cycle_ns)
		return perseus__no_memory(err);
	int64_t shortest_ns = INT64_MAX;
	int64_t longest = 0;
	for (int32_t s = 0; s < partition->n_stages; s++) {
		const struct perseus__span span = {partition->boundaries[s], partition->boundaries[s + 1]};
		forward_ns[s] = perseus__span_time_ns(layers, layers->forward, span);
		cycle_ns[s] = perseus__span_cycle_ns(layers, span);
		shortest_ns = forward_ns[s] < shortest_ns ? forward_ns[s] : shortest_ns;
		longest = forward_ns[s] > longest ? forward_ns[s] : longest;
		partition->bottleneck_ns = cycle_ns[s] > partition->bottleneck_ns ? cycle_ns[s] : partition->bottleneck_ns;
	}
	partition->imbalance = (double)longest / (double)shortest_ns;
	return PERSEUS_OK;
}

static enum perseus_status
describe_energy(const struct perseus_layers *layers, const int64_t *blocking_power_uw,
		struct perseus_partition *partition, struct perseus_error *err)
{
	if (partition->limit_ns == 0 || !layers->has_energy)
		return PERSEUS_OK;
	struct perseus__energy energy;
	const enum perseus_status status = perseus__energy_init(&energy, layers, partition->limit_ns, err);
	partition->has_effective = status == PERSEUS_OK;
	for (int32_t s = 0; partition->has_effective && s < partition->n_stages; s++) {
		const struct perseus__span span = {partition->boundaries[s], partition->boundaries[s + 1]};
		const int64_t stage_nj = perseus__span_energy_nj(&energy, span, blocking_power_uw[s]);
		partition->has_effective = stage_nj != PERSEUS__NO_WAY;
		partition->effective_nj = partition->has_effective ? partition->effective_nj + stage_nj : 0;
	}
	perseus__energy_fini(&energy);
	return status;
}

static enum perseus_status
copy_names(const struct perseus_layers *layers, struct whole *whole, struct perseus_error *err)
{
	whole->names = perseus__new_array((size_t)layers->n_classes, sizeof *whole->names);
	if (!whole->names)
		return perseus__no_memory(err);
	whole->n_names = layers->n_classes;
	for (int32_t c = 0; c < layers->n_classes; c++) {
		whole->names[c] = perseus__copy_string(layers->classes[c].name);
		if (!whole->names[c])
			return perseus__no_memory(err);
	}
	return PERSEUS_OK;
}

static enum perseus_status
describe_rows(const struct perseus_layers *layers, struct whole *whole, struct perseus_error *err)
{
	struct perseus_partition *partition = &whole->partition;
	enum perseus_status status = copy_names(layers, whole, err);
	if (status != PERSEUS_OK)
		return status;
	size_t n_most = 0;
	for (int32_t c = 0; c < layers->n_classes; c++)
		n_most += (size_t)layers->classes[c].n_clocks * (size_t)partition->n_stages;
	struct perseus_measurement *rows = perseus__new_array(n_most, sizeof *rows);
	partition->rows = rows;
	struct perseus_choice *choices = perseus__new_array((size_t)layers->max_clocks, sizeof *choices);
	if (!rows || !choices)
		status = perseus__no_memory(err);
	for (int32_t s = 0; status == PERSEUS_OK && s < partition->n_stages; s++)
		for (int32_t c = 0; c < layers->n_classes; c++) {
			const struct perseus__span span = {partition->boundaries[s], partition->boundaries[s + 1]};
			const int32_t n = perseus__span_choices(layers, c, span, 0, choices);
			for (int32_t i = 0; i < n; i++)
				rows[partition->n_rows++] = (struct perseus_measurement){
					.stage = s,
					.instruction = whole->names[c],
					.frequency_mhz = choices[i].frequency_mhz,
					.time_s = (double)choices[i].time_ns / 1e9,
					.energy_j = layers->has_energy ? (double)choices[i].energy_nj / 1e9 : (double)NAN,
				};
		}
	perseus__free(choices);
	return status;
}

static enum perseus_status
fill(const struct perseus_layers *layers, const struct perseus_partition_settings *settings, int64_t *blocking_power_uw,
		struct whole *whole, struct perseus_error *err)
{
	struct perseus_partition *partition = &whole->partition;
	partition->objective = settings->objective;
	partition->n_stages = settings->n_stages;
	partition->limit_ns = settings->limit_ns;
	enum perseus_status status = perseus__partition_blocking(layers, settings, blocking_power_uw, err);
	if (status != PERSEUS_OK)
		return status;
	int32_t *boundaries = perseus__new_array((size_t)settings->n_stages + 1, sizeof *boundaries);
	partition->boundaries = boundaries;
	if (!boundaries)
		return perseus__no_memory(err);
	status = find_boundaries(layers, settings, blocking_power_uw, &partition->limit_ns, boundaries, err);
	if (status == PERSEUS_OK)
		status = describe_times(layers, partition, err);
	if (status == PERSEUS_OK)
		status = describe_energy(layers, blocking_power_uw, partition, err);
	return status == PERSEUS_OK ? describe_rows(layers, whole, err) : status;
}

enum perseus_status
perseus_partition_new(const struct perseus_layers *layers, const struct perseus_partition_settings *settings,
		struct perseus_partition **out, struct perseus_error *err)
{
	enum perseus_status status = check_settings(layers, settings, err);
	if (status != PERSEUS_OK)
		return status;
	struct whole *whole = perseus__new_array(1, sizeof *whole);
	int64_t *blocking_power_uw = perseus__new_array((size_t)settings->n_stages, sizeof *blocking_power_uw);
	status = whole && blocking_power_uw ? fill(layers, settings, blocking_power_uw, whole, err)
										: perseus__no_memory(err);
	perseus__free(blocking_power_uw);
	if (status == PERSEUS_OK)
		*out = &whole->partition;
	else if (whole)
		perseus_partition_free(&whole->partition);
	return status;
}

void
perseus_partition_free(struct perseus_partition *partition)
{
	if (!partition)
		return;
	struct whole *whole = (struct whole *)partition;
	for (int32_t c = 0; c < whole->n_names; c++)
		perseus__free(whole->names[c]);
	perseus__free(whole->names);
	perseus__free(partition->boundaries);
	perseus__free(partition->forward_ns);
	perseus__free(partition->cycle_ns);
	perseus__free(partition->rows);
	perseus__free(whole);
}
