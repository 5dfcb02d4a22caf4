/*
 * Layers from measurements: rounding, merging and the rules of single rows are the profile's, with layers for stages.
 * Sums over runs of layers come from prefix sums.
 */
#include "partition/layers.h"

#include "base/error.h"
#include "base/memory.h"
#include "profile/class.h"

#include <perseus/schedule.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a profile of the layers says of class `c` of layer 0 in layer `l`, once all layers have the same classes. */
static const struct perseus_class *
class_of(const struct perseus_layers *layers, const struct perseus_profile *profile, int32_t l, int32_t c)
{
	return perseus_profile_class(profile, l * layers->n_classes + c);
}

/* Whether every class of layer `from` is a class of layer `to` as well. */
static enum perseus_status
check_has_classes(const struct perseus_profile *profile, int32_t from, int32_t to, struct perseus_error *err)
{
	for (int32_t i = 0; i < perseus_profile_n_classes(profile); i++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, i);
		if (class_->stage == from && !perseus_profile_find(profile, to, class_->name))
			return perseus__fail(err, PERSEUS_INVALID,
					"layer %d has no '%s', but layer %d has: all layers must have the same instructions", (int)to,
					class_->name, (int)from);
	}
	return PERSEUS_OK;
}

static enum perseus_status
check_same_classes(const struct perseus_profile *profile, int32_t n_classes, struct perseus_error *err)
{
	const int32_t n_all = perseus_profile_n_classes(profile);
	for (int32_t i = 0; i < n_all; i++) {
		const int32_t layer = i / n_classes;
		const struct perseus_class *class_ = perseus_profile_class(profile, i);
		const struct perseus_class *expected = perseus_profile_class(profile, i % n_classes);
		if (class_->stage == layer && strcmp(class_->name, expected->name) == 0)
			continue;
		/* layers before this one are alike, so either this one lacks a class or it has one too many */
		const int32_t odd = class_->stage < layer ? class_->stage : layer;
		const enum perseus_status status = check_has_classes(profile, 0, odd, err);
		return status == PERSEUS_OK ? check_has_classes(profile, odd, 0, err) : status;
	}
	return n_all % n_classes == 0 ? PERSEUS_OK
								  : check_has_classes(profile, 0, perseus_profile_n_stages(profile) - 1, err);
}

/* Index of a class by name; -1 where layers have none. */
static int32_t
find_class(const struct perseus_layers *layers, const char *name)
{
	for (int32_t c = 0; c < layers->n_classes; c++)
		if (strcmp(layers->classes[c].name, name) == 0)
			return c;
	return -1;
}

static enum perseus_status
set_cycle(struct perseus_layers *layers, struct perseus_error *err)
{
	static const char *const of_stages[] = {PERSEUS_TRANSFER_CLASS, "data_load"};
	for (size_t i = 0; i < sizeof of_stages / sizeof *of_stages; i++)
		if (find_class(layers, of_stages[i]) >= 0)
			return perseus__fail(err, PERSEUS_INVALID,
					"layers have '%s', which is a matter of stages: leave it out, and add it to theirs", of_stages[i]);
	layers->forward = find_class(layers, perseus_kind_name(PERSEUS_KIND_FORWARD));
	const int32_t backward = find_class(layers, perseus_kind_name(PERSEUS_KIND_BACKWARD));
	const int32_t input = find_class(layers, perseus_kind_name(PERSEUS_KIND_INPUT));
	const int32_t weight = find_class(layers, perseus_kind_name(PERSEUS_KIND_WEIGHT));
	if (layers->forward < 0)
		return perseus__fail(err, PERSEUS_INVALID, "layers have no 'forward'");
	if (backward < 0 && (input < 0 || weight < 0))
		return perseus__fail(err, PERSEUS_INVALID, "layers have neither 'backward' nor both 'input' and 'weight'");
	layers->cycle[layers->n_cycle++] = layers->forward;
	layers->cycle[layers->n_cycle++] = backward >= 0 ? backward : input;
	if (backward < 0)
		layers->cycle[layers->n_cycle++] = weight;
	return PERSEUS_OK;
}

static int
compare_falling(const void *left, const void *right)
{
	const int32_t a = *(const int32_t *)left;
	const int32_t b = *(const int32_t *)right;
	return (a < b) - (a > b);
}

/* All clocks of class `c` of any layer. */
static enum perseus_status
collect_clocks(
		struct perseus_layers *layers, int32_t c, const struct perseus_profile *profile, struct perseus_error *err)
{
	struct perseus__layer_class *class_ = &layers->classes[c];
	size_t capacity = 0;
	size_t n = 0;
	for (int32_t l = 0; l < layers->n_layers; l++) {
		const struct perseus_class *from = class_of(layers, profile, l, c);
		if (!perseus__reserve(&class_->frequency_mhz, &capacity, n + (size_t)from->n_choices, sizeof(int32_t)))
			return perseus__no_memory(err);
		for (int32_t i = 0; i < from->n_choices; i++)
			class_->frequency_mhz[n++] = from->choices[i].frequency_mhz;
		qsort(class_->frequency_mhz, n, sizeof(int32_t), compare_falling);
		size_t n_kept = 0;
		for (size_t i = 0; i < n; i++)
			if (n_kept == 0 || class_->frequency_mhz[i] != class_->frequency_mhz[n_kept - 1])
				class_->frequency_mhz[n_kept++] = class_->frequency_mhz[i];
		n = n_kept;
	}
	class_->n_clocks = (int32_t)n;
	return PERSEUS_OK;
}

/* Sums of class `c`; both lists of clocks fall, so one pass over each layer finds what it has. */
static enum perseus_status
sum_class(struct perseus_layers *layers, int32_t c, const struct perseus_profile *profile, struct perseus_error *err)
{
	struct perseus__layer_class *class_ = &layers->classes[c];
	const size_t row = (size_t)layers->n_layers + 1;
	class_->time_ns = perseus__new_array(row * (size_t)class_->n_clocks, sizeof(int64_t));
	class_->energy_nj = perseus__new_array(row * (size_t)class_->n_clocks, sizeof(int64_t));
	class_->n_missing = perseus__new_array(row * (size_t)class_->n_clocks, sizeof(int32_t));
	if (!class_->time_ns || !class_->energy_nj || !class_->n_missing)
		return perseus__no_memory(err);
	for (int32_t l = 0; l < layers->n_layers; l++) {
		const struct perseus_class *from = class_of(layers, profile, l, c);
		int32_t i = 0;
		for (int32_t k = 0; k < class_->n_clocks; k++) {
			const size_t at = (size_t)k * row + (size_t)l;
			const bool has = i < from->n_choices && from->choices[i].frequency_mhz == class_->frequency_mhz[k];
			class_->time_ns[at + 1] = class_->time_ns[at] + (has ? from->choices[i].time_ns : 0);
			class_->energy_nj[at + 1] = class_->energy_nj[at] + (has ? from->choices[i].energy_nj : 0);
			class_->n_missing[at + 1] = class_->n_missing[at] + !has;
			i += has;
		}
	}
	return PERSEUS_OK;
}

/*
 * All layers together, each at its slowest and at its hungriest, are within what one instruction of a profile may take:
 * then stages are, and no sum over a partition leaves 63 bits.
 */
static enum perseus_status
check_sums(const struct perseus_layers *layers, int32_t c, const struct perseus_profile *profile,
		struct perseus_error *err)
{
	perseus__wide time_ns = 0;
	perseus__wide energy_nj = 0;
	for (int32_t l = 0; l < layers->n_layers; l++) {
		const struct perseus_class *from = class_of(layers, profile, l, c);
		int64_t slowest_ns = 0;
		int64_t hungriest_nj = 0;
		for (int32_t i = 0; i < from->n_choices; i++) {
			slowest_ns = from->choices[i].time_ns > slowest_ns ? from->choices[i].time_ns : slowest_ns;
			hungriest_nj = from->choices[i].energy_nj > hungriest_nj ? from->choices[i].energy_nj : hungriest_nj;
		}
		time_ns += slowest_ns;
		energy_nj += hungriest_nj;
	}
	const char *name = layers->classes[c].name;
	if (time_ns > (perseus__wide)(PERSEUS_MAX_TIME_S * 1e9))
		return perseus__fail(err, PERSEUS_INVALID, "'%s' of all layers together takes more than 1e5 s", name);
	if (energy_nj > (perseus__wide)(PERSEUS_MAX_ENERGY_J * 1e9))
		return perseus__fail(err, PERSEUS_INVALID, "'%s' of all layers together takes more than 1e9 J", name);
	return PERSEUS_OK;
}

static enum perseus_status
check_shared_clock(const struct perseus_layers *layers, int32_t c, struct perseus_error *err)
{
	const struct perseus__layer_class *class_ = &layers->classes[c];
	const size_t row = (size_t)layers->n_layers + 1;
	for (int32_t k = 0; k < class_->n_clocks; k++)
		if (class_->n_missing[(size_t)k * row + (size_t)layers->n_layers] == 0)
			return PERSEUS_OK;
	return perseus__fail(
			err, PERSEUS_INVALID, "'%s': there is no clock at which every layer was measured", class_->name);
}

static enum perseus_status
add_classes(struct perseus_layers *layers, const struct perseus_profile *profile, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (int32_t c = 0; status == PERSEUS_OK && c < layers->n_classes; c++) {
		status = collect_clocks(layers, c, profile, err);
		if (status == PERSEUS_OK)
			status = sum_class(layers, c, profile, err);
		if (status == PERSEUS_OK)
			status = check_sums(layers, c, profile, err);
		if (status == PERSEUS_OK)
			status = check_shared_clock(layers, c, err);
		if (layers->classes[c].n_clocks > layers->max_clocks)
			layers->max_clocks = layers->classes[c].n_clocks;
	}
	return status;
}

static enum perseus_status
fill(struct perseus_layers *layers, const struct perseus_profile *profile, struct perseus_error *err)
{
	layers->n_layers = perseus_profile_n_stages(profile);
	if (layers->n_layers > PERSEUS_MAX_LAYERS)
		return perseus__fail(
				err, PERSEUS_INVALID, "%d layers are more than %d", (int)layers->n_layers, PERSEUS_MAX_LAYERS);
	int32_t n_classes = 1; /* a stage has one at least */
	while (n_classes < perseus_profile_n_classes(profile) && perseus_profile_class(profile, n_classes)->stage == 0)
		n_classes++;
	enum perseus_status status = check_same_classes(profile, n_classes, err);
	if (status != PERSEUS_OK)
		return status;
	layers->classes = perseus__new_array((size_t)n_classes, sizeof *layers->classes);
	if (!layers->classes)
		return perseus__no_memory(err);
	layers->n_classes = n_classes;
	for (int32_t c = 0; c < n_classes; c++) {
		layers->classes[c].name = perseus__copy_string(perseus_profile_class(profile, c)->name);
		if (!layers->classes[c].name)
			return perseus__no_memory(err);
	}
	status = set_cycle(layers, err);
	return status == PERSEUS_OK ? add_classes(layers, profile, err) : status;
}

/* A copy of the rows with energies that a profile takes: 0 where none was measured, which nothing asks for then. */
static enum perseus_status
copy_rows(const struct perseus_measurement *rows, size_t n_rows, struct perseus_measurement **out, bool *has_energy,
		struct perseus_error *err)
{
	size_t n_without = 0;
	for (size_t i = 0; i < n_rows; i++)
		n_without += isnan(rows[i].energy_j) != 0;
	*has_energy = n_without == 0;
	*out = perseus__new_array(n_rows > 0 ? n_rows : 1, sizeof **out);
	if (!*out)
		return perseus__no_memory(err);
	for (size_t i = 0; i < n_rows; i++) {
		(*out)[i] = rows[i];
		if (n_without == n_rows)
			(*out)[i].energy_j = 0;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus_layers_new(const struct perseus_measurement *rows, size_t n_rows, enum perseus_merge merge,
		struct perseus_layers **out, struct perseus_error *err)
{
	const struct perseus_profile_settings settings = {.merge = merge};
	struct perseus_measurement *copy = NULL;
	struct perseus_profile *profile = NULL;
	struct perseus_layers *layers = perseus__new_array(1, sizeof *layers);
	enum perseus_status status =
			layers ? copy_rows(rows, n_rows, &copy, &layers->has_energy, err) : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = perseus__profile_of("layer", copy, n_rows, &settings, &profile, err);
	if (status == PERSEUS_OK)
		status = fill(layers, profile, err);
	perseus_profile_free(profile);
	perseus__free(copy);
	if (status == PERSEUS_OK)
		*out = layers;
	else
		perseus_layers_free(layers);
	return status;
}

void
perseus_layers_free(struct perseus_layers *layers)
{
	if (!layers)
		return;
	for (int32_t c = 0; c < layers->n_classes; c++) {
		struct perseus__layer_class *class_ = &layers->classes[c];
		perseus__free(class_->name);
		perseus__free(class_->frequency_mhz);
		perseus__free(class_->time_ns);
		perseus__free(class_->energy_nj);
		perseus__free(class_->n_missing);
	}
	perseus__free(layers->classes);
	perseus__free(layers);
}

int32_t
perseus_layers_count(const struct perseus_layers *layers)
{
	return layers->n_layers;
}

bool
perseus_layers_have_energy(const struct perseus_layers *layers)
{
	return layers->has_energy;
}

/* Whether every layer of the span was measured at clock `k`, and where the sums before its ends stand. */
static bool
is_shared(const struct perseus_layers *layers, const struct perseus__layer_class *class_, int32_t k,
		struct perseus__span span, size_t *first, size_t *end)
{
	const size_t row = (size_t)k * ((size_t)layers->n_layers + 1);
	*first = row + (size_t)span.first;
	*end = row + (size_t)span.end;
	return class_->n_missing[*first] == class_->n_missing[*end];
}

int32_t
perseus__span_choices(const struct perseus_layers *layers, int32_t c, struct perseus__span span,
		int64_t blocking_power_uw, struct perseus_choice *choices)
{
	const struct perseus__layer_class *class_ = &layers->classes[c];
	int32_t n = 0;
	size_t first;
	size_t end;
	for (int32_t k = 0; k < class_->n_clocks; k++) {
		if (!is_shared(layers, class_, k, span, &first, &end))
			continue;
		const int64_t time_ns = class_->time_ns[end] - class_->time_ns[first];
		const int64_t energy_nj = class_->energy_nj[end] - class_->energy_nj[first];
		choices[n++] = (struct perseus_choice){
			.frequency_mhz = class_->frequency_mhz[k],
			.time_ns = time_ns,
			.energy_nj = energy_nj,
			.effective_nj = energy_nj - perseus__power_energy_nj(blocking_power_uw, time_ns),
		};
	}
	return n;
}

int64_t
perseus__span_time_ns(const struct perseus_layers *layers, int32_t c, struct perseus__span span)
{
	const struct perseus__layer_class *class_ = &layers->classes[c];
	size_t first;
	size_t end;
	int32_t k = 0;
	while (!is_shared(layers, class_, k, span, &first, &end)) /* there is one: perseus_layers_new has seen to it */
		k++;
	return class_->time_ns[end] - class_->time_ns[first];
}

int64_t
perseus__span_cycle_ns(const struct perseus_layers *layers, struct perseus__span span)
{
	int64_t sum_ns = 0;
	for (int32_t i = 0; i < layers->n_cycle; i++)
		sum_ns += perseus__span_time_ns(layers, layers->cycle[i], span);
	return sum_ns;
}

int64_t
perseus__span_fastest_ns(const struct perseus_layers *layers, struct perseus__span span)
{
	int64_t sum_ns = 0;
	for (int32_t i = 0; i < layers->n_cycle; i++) {
		const struct perseus__layer_class *class_ = &layers->classes[layers->cycle[i]];
		int64_t fastest_ns = INT64_MAX;
		size_t first;
		size_t end;
		for (int32_t k = 0; k < class_->n_clocks; k++)
			if (is_shared(layers, class_, k, span, &first, &end)
					&& class_->time_ns[end] - class_->time_ns[first] < fastest_ns)
				fastest_ns = class_->time_ns[end] - class_->time_ns[first];
		sum_ns += fastest_ns;
	}
	return sum_ns;
}
