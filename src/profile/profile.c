/*
 * Builds a profile from measurements: rounds once to integers, merges rows of the same clock, makes the classes.
 * What is made of one class is in class.c and hull.c.
 */
#include "profile/class.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct perseus_profile {
	const char *noun; /* what messages call a stage; constant text */
	int32_t n_stages;
	int32_t n_classes;
	struct perseus_class *classes; /* length n_classes, by stage, then by name; owned */
	int64_t *blocking_power_uw;    /* length n_stages; owned */
};

/* A measurement in integers; `name` is borrowed from the caller's row. */
struct sample {
	const char *name;
	int32_t stage;
	int32_t frequency_mhz;
	int64_t time_ns;
	int64_t energy_nj;
};

static int
compare_classes(int32_t stage_a, const char *name_a, int32_t stage_b, const char *name_b)
{
	if (stage_a != stage_b)
		return stage_a < stage_b ? -1 : 1;
	return name_a == name_b ? 0 : strcmp(name_a, name_b);
}

/* By class, then highest clock first. What has the same clock is summed, so its order does not matter. */
static int
compare_samples(const void *left, const void *right)
{
	const struct sample *a = left;
	const struct sample *b = right;
	const int by_class = compare_classes(a->stage, a->name, b->stage, b->name);
	if (by_class != 0)
		return by_class;
	return (a->frequency_mhz < b->frequency_mhz) - (a->frequency_mhz > b->frequency_mhz);
}

static enum perseus_status
fail_row(const struct perseus_measurement *row, size_t index, const char *noun, enum perseus__column column,
		const char *problem, struct perseus_error *err)
{
	char where[32];
	if (row->line > 0)
		(void)snprintf(where, sizeof where, "line %lld", (long long)row->line);
	else
		(void)snprintf(where, sizeof where, "row %zu", index);
	const char *name = row->instruction ? row->instruction : "";
	switch (column) {
	case PERSEUS__COLUMN_STAGE:
		return perseus__fail(err, PERSEUS_INVALID, "%s: %s %d %s", where, noun, row->stage, problem);
	case PERSEUS__COLUMN_INSTRUCTION:
		return perseus__fail(err, PERSEUS_INVALID, "%s, %s %d: instruction %s", where, noun, row->stage, problem);
	case PERSEUS__COLUMN_FREQUENCY:
		return perseus__fail(err, PERSEUS_INVALID, "%s, %s %d, %s: frequency %d MHz %s", where, noun, row->stage, name,
				row->frequency_mhz, problem);
	case PERSEUS__COLUMN_TIME:
		return perseus__fail(err, PERSEUS_INVALID, "%s, %s %d, %s at %d MHz: time %g s %s", where, noun, row->stage,
				name, row->frequency_mhz, row->time_s, problem);
	case PERSEUS__COLUMN_ENERGY:
		return perseus__fail(err, PERSEUS_INVALID, "%s, %s %d, %s at %d MHz: energy %g J %s", where, noun, row->stage,
				name, row->frequency_mhz, row->energy_j, problem);
	}
	return PERSEUS_INTERNAL;
}

static enum perseus_status
take_samples(const struct perseus_measurement *rows, size_t n_rows, const char *noun, struct sample *samples,
		struct perseus_error *err)
{
	for (size_t i = 0; i < n_rows; i++) {
		enum perseus__column column;
		const char *problem = perseus__measurement_problem(&rows[i], &column);
		if (problem)
			return fail_row(&rows[i], i, noun, column, problem, err);
		samples[i] = (struct sample){
			.name = rows[i].instruction,
			.stage = rows[i].stage,
			.frequency_mhz = rows[i].frequency_mhz,
			.time_ns = llround(rows[i].time_s * 1e9),
			.energy_nj = llround(rows[i].energy_j * 1e9),
		};
	}
	qsort(samples, n_rows, sizeof *samples, compare_samples);
	return PERSEUS_OK;
}

/* Stages of the sorted samples are 0..n-1; the line of the first row behind a hole is looked up for the message. */
static enum perseus_status
check_stages(const struct sample *samples, const struct perseus_measurement *rows, size_t n_rows, const char *noun,
		struct perseus_error *err)
{
	int32_t expected = 0;
	for (size_t i = 0; i < n_rows; i++) {
		if (samples[i].stage > expected) {
			size_t row = 0;
			while (rows[row].stage != samples[i].stage)
				row++;
			if (rows[row].line > 0)
				return perseus__fail(err, PERSEUS_INVALID,
						"%s %d has no rows, but %s %d has (line %lld): %ss must be 0, 1, 2, … without holes", noun,
						expected, noun, samples[i].stage, (long long)rows[row].line, noun);
			return perseus__fail(err, PERSEUS_INVALID,
					"%s %d has no rows, but %s %d has: %ss must be 0, 1, 2, … without holes", noun, expected, noun,
					samples[i].stage, noun);
		}
		if (samples[i].stage == expected && (i + 1 == n_rows || samples[i + 1].stage > expected))
			expected++;
	}
	return PERSEUS_OK;
}

static enum perseus_status
set_blocking_power(
		struct perseus_profile *profile, const struct perseus_profile_settings *settings, struct perseus_error *err)
{
	const int32_t n_given = settings->n_blocking_power;
	if (n_given != 0 && n_given != 1 && n_given != profile->n_stages)
		return perseus__fail(err, PERSEUS_INVALID,
				"%d blocking powers for %d stages: give one for all stages or one for each", n_given,
				profile->n_stages);
	profile->blocking_power_uw = perseus__new_array((size_t)profile->n_stages, sizeof *profile->blocking_power_uw);
	if (!profile->blocking_power_uw)
		return perseus__no_memory(err);
	for (int32_t s = 0; n_given > 0 && s < profile->n_stages; s++) {
		const double power_w = settings->blocking_power_w[n_given == 1 ? 0 : s];
		if (!(power_w >= 0 && power_w <= PERSEUS_MAX_POWER_W))
			return perseus__fail(err, PERSEUS_INVALID, "stage %d: blocking power %g W must be in 0..1e6 W", s, power_w);
		profile->blocking_power_uw[s] = llround(power_w * 1e6);
	}
	return PERSEUS_OK;
}

/* Mean of a sum of non-negative values, rounded to the nearest, halves up. */
static int64_t
mean(perseus__wide sum, size_t n)
{
	return (int64_t)((sum + (perseus__wide)(n / 2)) / (perseus__wide)n);
}

/* `samples`, length `n` >= 1, are of one class and one clock. */
static enum perseus_status
merge_samples(const struct sample *samples, size_t n, enum perseus_merge merge, int64_t blocking_power_uw,
		struct perseus_choice *choice, struct perseus_error *err)
{
	perseus__wide time_sum_ns = 0;
	perseus__wide energy_sum_nj = 0;
	int64_t slowest_ns = 0;
	for (size_t i = 0; i < n; i++) {
		time_sum_ns += samples[i].time_ns;
		energy_sum_nj += samples[i].energy_nj;
		slowest_ns = samples[i].time_ns > slowest_ns ? samples[i].time_ns : slowest_ns;
	}
	const int64_t energy_nj = mean(energy_sum_nj, n);
	const int64_t time_ns = merge == PERSEUS_MERGE_SLOWEST ? slowest_ns : mean(time_sum_ns, n);
	/* At most 1e6 W · 1e5 s = 1e20 nJ, which 63 bits cannot hold: ask in 128. */
	if ((perseus__wide)blocking_power_uw * time_ns / 1000000 > (perseus__wide)(PERSEUS_MAX_ENERGY_J * 1e9))
		return perseus__fail(err, PERSEUS_INVALID,
				"stage %d, %s at %d MHz: blocking power %g W for %g s must be at most 1e9 J", samples->stage,
				samples->name, samples->frequency_mhz, (double)blocking_power_uw * 1e-6, (double)time_ns * 1e-9);
	*choice = (struct perseus_choice){
		.frequency_mhz = samples->frequency_mhz,
		.time_ns = time_ns,
		.energy_nj = energy_nj,
		.effective_nj = energy_nj - perseus__power_energy_nj(blocking_power_uw, time_ns),
	};
	return PERSEUS_OK;
}

/* `samples`, length `n` >= 1, are of one class; `scratch` has room for `n` choices. */
static enum perseus_status
add_class(struct perseus_profile *profile, const struct sample *samples, size_t n, enum perseus_merge merge,
		struct perseus_choice *scratch, struct perseus_error *err)
{
	int32_t n_choices = 0;
	for (size_t begin = 0, end; begin < n; begin = end) {
		for (end = begin + 1; end < n && samples[end].frequency_mhz == samples[begin].frequency_mhz; end++)
			;
		enum perseus_status status = merge_samples(samples + begin, end - begin, merge,
				profile->blocking_power_uw[samples->stage], &scratch[n_choices++], err);
		if (status != PERSEUS_OK)
			return status;
	}
	if (n_choices > 1 && scratch[n_choices - 1].frequency_mhz == 0)
		return perseus__fail(err, PERSEUS_INVALID,
				"%s %d, %s: frequency 0, for a clock that does not matter, beside others up to %d MHz", profile->noun,
				samples->stage, samples->name, scratch[0].frequency_mhz);
	struct perseus_class *class_ = &profile->classes[profile->n_classes];
	enum perseus_status status =
			perseus__class_from_choices(class_, samples->stage, samples->name, scratch, n_choices, err);
	if (status != PERSEUS_OK)
		return status;
	class_->n_measurements = (int32_t)n;
	profile->n_classes++;
	return PERSEUS_OK;
}

static enum perseus_status
add_classes(struct perseus_profile *profile, const struct sample *samples, size_t n_rows, enum perseus_merge merge,
		struct perseus_error *err)
{
	size_t n_classes = 1;
	for (size_t i = 1; i < n_rows; i++)
		n_classes += compare_classes(samples[i - 1].stage, samples[i - 1].name, samples[i].stage, samples[i].name) != 0;
	profile->classes = perseus__new_array(n_classes, sizeof *profile->classes);
	struct perseus_choice *scratch = perseus__new_array(n_rows, sizeof *scratch);
	enum perseus_status status = PERSEUS_OK;
	if (!profile->classes || !scratch)
		status = perseus__no_memory(err);
	for (size_t begin = 0, end; status == PERSEUS_OK && begin < n_rows; begin = end) {
		for (end = begin + 1; end < n_rows; end++)
			if (compare_classes(samples[begin].stage, samples[begin].name, samples[end].stage, samples[end].name) != 0)
				break;
		status = add_class(profile, samples + begin, end - begin, merge, scratch, err);
	}
	perseus__free(scratch);
	return status;
}

/* Orders pointers to classes by their lists of clocks. */
static int
compare_clock_lists(const void *left, const void *right)
{
	const struct perseus_class *a = *(const struct perseus_class *const *)left;
	const struct perseus_class *b = *(const struct perseus_class *const *)right;
	if (a->n_choices != b->n_choices)
		return a->n_choices < b->n_choices ? -1 : 1;
	for (int32_t i = 0; i < a->n_choices; i++) {
		const int32_t diff_mhz = a->choices[i].frequency_mhz - b->choices[i].frequency_mhz;
		if (diff_mhz != 0)
			return diff_mhz;
	}
	return 0;
}

/*
 * Marks the classes whose clocks are not those that most have (of equally many: the longer list). Classes with one
 * clock neither count nor are marked: constant-time instructions have one by nature.
 */
static enum perseus_status
mark_other_clocks(struct perseus_profile *profile, struct perseus_error *err)
{
	struct perseus_class **sorted = perseus__new_array((size_t)profile->n_classes, sizeof *sorted);
	if (!sorted)
		return perseus__no_memory(err);
	size_t n = 0;
	for (int32_t c = 0; c < profile->n_classes; c++)
		if (profile->classes[c].n_choices > 1)
			sorted[n++] = &profile->classes[c];
	qsort(sorted, n, sizeof *sorted, compare_clock_lists);
	size_t usual_begin = 0;
	size_t usual_end = 0;
	for (size_t begin = 0, end; begin < n; begin = end) {
		for (end = begin + 1; end < n && compare_clock_lists(&sorted[begin], &sorted[end]) == 0; end++)
			;
		if (end - begin >= usual_end - usual_begin) {
			usual_begin = begin;
			usual_end = end;
		}
	}
	for (size_t i = 0; i < n; i++)
		if (i < usual_begin || i >= usual_end)
			sorted[i]->oddities |= PERSEUS_ODD_OTHER_CLOCKS;
	perseus__free(sorted);
	return PERSEUS_OK;
}

struct perseus_profile_settings
perseus_profile_settings_default(void)
{
	return (struct perseus_profile_settings){.merge = PERSEUS_MERGE_MEAN};
}

enum perseus_status
perseus__profile_of(const char *noun, const struct perseus_measurement *rows, size_t n_rows,
		const struct perseus_profile_settings *settings, struct perseus_profile **out, struct perseus_error *err)
{
	if (n_rows == 0 || n_rows > INT32_MAX)
		return perseus__fail(err, PERSEUS_INVALID, "a profile needs 1 to 2147483647 measurements, not %zu", n_rows);
	const struct perseus_profile_settings defaults = perseus_profile_settings_default();
	if (!settings)
		settings = &defaults;
	enum perseus_status status = PERSEUS_OK;
	struct sample *samples = perseus__new_array(n_rows, sizeof *samples);
	struct perseus_profile *profile = perseus__new_array(1, sizeof *profile);
	if (!samples || !profile) {
		status = perseus__no_memory(err);
		goto fail;
	}
	profile->noun = noun;
	status = take_samples(rows, n_rows, noun, samples, err);
	if (status != PERSEUS_OK)
		goto fail;
	status = check_stages(samples, rows, n_rows, noun, err);
	if (status != PERSEUS_OK)
		goto fail;
	profile->n_stages = samples[n_rows - 1].stage + 1;
	status = set_blocking_power(profile, settings, err);
	if (status != PERSEUS_OK)
		goto fail;
	status = add_classes(profile, samples, n_rows, settings->merge, err);
	if (status != PERSEUS_OK)
		goto fail;
	status = mark_other_clocks(profile, err);
	if (status != PERSEUS_OK)
		goto fail;
	perseus__free(samples);
	*out = profile;
	return PERSEUS_OK;
fail:
	perseus__free(samples);
	perseus_profile_free(profile);
	return status;
}

enum perseus_status
perseus_profile_new(const struct perseus_measurement *rows, size_t n_rows,
		const struct perseus_profile_settings *settings, struct perseus_profile **out, struct perseus_error *err)
{
	return perseus__profile_of("stage", rows, n_rows, settings, out, err);
}

void
perseus_profile_free(struct perseus_profile *profile)
{
	if (!profile)
		return;
	for (int32_t c = 0; c < profile->n_classes; c++)
		perseus__class_fini(&profile->classes[c]);
	perseus__free(profile->classes);
	perseus__free(profile->blocking_power_uw);
	perseus__free(profile);
}

int32_t
perseus_profile_n_stages(const struct perseus_profile *profile)
{
	return profile->n_stages;
}

int32_t
perseus_profile_n_classes(const struct perseus_profile *profile)
{
	return profile->n_classes;
}

const struct perseus_class *
perseus_profile_class(const struct perseus_profile *profile, int32_t index)
{
	return &profile->classes[index];
}

const struct perseus_class *
perseus_profile_find(const struct perseus_profile *profile, int32_t stage, const char *name)
{
	int32_t begin = 0;
	int32_t end = profile->n_classes;
	while (begin < end) {
		const int32_t middle = begin + (end - begin) / 2;
		const struct perseus_class *class_ = &profile->classes[middle];
		const int order = compare_classes(class_->stage, class_->name, stage, name);
		if (order == 0)
			return class_;
		if (order < 0)
			begin = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

int64_t
perseus_profile_blocking_power_uw(const struct perseus_profile *profile, int32_t stage)
{
	return profile->blocking_power_uw[stage];
}
