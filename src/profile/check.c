/* Re-checks what the optimizer relies on, from the public accessors alone. */
#include "profile/class.h"

#include "base/error.h"

#include <stdbool.h>
#include <string.h>

static enum perseus_status
broken(const struct perseus_class *class_, int32_t index, const char *what, struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_INTERNAL, "profile, stage %d, %s, point %d: %s", class_->stage,
			class_->name ? class_->name : "(no name)", index, what);
}

static bool
is_same(const struct perseus_choice *a, const struct perseus_choice *b)
{
	return a->frequency_mhz == b->frequency_mhz && a->time_ns == b->time_ns && a->energy_nj == b->energy_nj
			&& a->effective_nj == b->effective_nj;
}

static enum perseus_status
check_choices(const struct perseus_class *class_, int64_t blocking_power_uw, struct perseus_error *err)
{
	if (class_->n_choices < 1 || class_->n_measurements < class_->n_choices)
		return broken(class_, 0, "fewer choices than one, or than measurements make", err);
	for (int32_t i = 0; i < class_->n_choices; i++) {
		const struct perseus_choice *choice = &class_->choices[i];
		if (i > 0 && choice->frequency_mhz >= choice[-1].frequency_mhz)
			return broken(class_, i, "choices are not in descending order of clocks", err);
		if (choice->time_ns <= 0 || choice->energy_nj < 0)
			return broken(class_, i, "a choice takes no time, or negative energy", err);
		if (choice->effective_nj != choice->energy_nj - perseus__power_energy_nj(blocking_power_uw, choice->time_ns))
			return broken(class_, i, "effective energy is not energy minus blocking power times time", err);
	}
	return PERSEUS_OK;
}

/* The Pareto points dominate every choice: the last one that is not slower costs no more. */
static enum perseus_status
check_dominance(const struct perseus_class *class_, struct perseus_error *err)
{
	for (int32_t i = 0; i < class_->n_choices; i++) {
		const struct perseus_choice *choice = &class_->choices[i];
		int32_t begin = 0;
		int32_t end = class_->n_pareto;
		while (begin < end) {
			const int32_t middle = begin + (end - begin) / 2;
			if (class_->pareto[middle].time_ns <= choice->time_ns)
				begin = middle + 1;
			else
				end = middle;
		}
		if (begin == 0 || class_->pareto[begin - 1].effective_nj > choice->effective_nj)
			return broken(class_, i, "a choice is not dominated by any Pareto point", err);
	}
	return PERSEUS_OK;
}

static enum perseus_status
check_pareto(const struct perseus_class *class_, struct perseus_error *err)
{
	if (class_->n_pareto < 1 || class_->n_pareto > class_->n_choices)
		return broken(class_, 0, "no Pareto point, or more than choices", err);
	for (int32_t i = 0; i < class_->n_pareto; i++) {
		const struct perseus_choice *point = &class_->pareto[i];
		if (i > 0 && (point->time_ns <= point[-1].time_ns || point->effective_nj >= point[-1].effective_nj))
			return broken(class_, i, "Pareto points do not ascend in time and descend in effective energy", err);
		int32_t begin = 0;
		int32_t end = class_->n_choices;
		while (begin < end) {
			const int32_t middle = begin + (end - begin) / 2;
			if (class_->choices[middle].frequency_mhz > point->frequency_mhz)
				begin = middle + 1;
			else
				end = middle;
		}
		if (begin == class_->n_choices || !is_same(&class_->choices[begin], point))
			return broken(class_, i, "a Pareto point is no choice", err);
	}
	return check_dominance(class_, err);
}

/* Strictly convex, made of Pareto points, ends included, and no Pareto point below it. */
static enum perseus_status
check_hull(const struct perseus_class *class_, struct perseus_error *err)
{
	const struct perseus_choice *hull = class_->hull;
	const struct perseus_choice *pareto = class_->pareto;
	if (class_->n_hull < 1 || class_->n_hull > class_->n_pareto || !is_same(&hull[0], &pareto[0])
			|| !is_same(&hull[class_->n_hull - 1], &pareto[class_->n_pareto - 1]))
		return broken(class_, 0, "the hull does not have the ends of the Pareto points", err);
	for (int32_t i = 1; i + 1 < class_->n_hull; i++)
		if (perseus__bend(&hull[i - 1], &hull[i], &hull[i + 1]) <= 0)
			return broken(class_, i, "the hull is not strictly convex", err);
	int32_t next = 0; /* first hull point at or behind the Pareto point */
	for (int32_t i = 0; i < class_->n_pareto; i++) {
		if (hull[next].time_ns < pareto[i].time_ns)
			next++;
		const bool is_vertex = next < class_->n_hull && hull[next].time_ns == pareto[i].time_ns;
		if (next == class_->n_hull || hull[next].time_ns < pareto[i].time_ns
				|| (is_vertex && !is_same(&hull[next], &pareto[i])))
			return broken(class_, i, "the hull has a point that is no Pareto point", err);
		if (!is_vertex && perseus__bend(&hull[next - 1], &pareto[i], &hull[next]) > 0)
			return broken(class_, i, "a Pareto point is below the hull", err);
	}
	return PERSEUS_OK;
}

/* `last` is NULL for the first class. */
static bool
is_in_order(const struct perseus_class *last, const struct perseus_class *class_, int32_t n_stages)
{
	if (class_->stage >= n_stages)
		return false;
	if (!last)
		return class_->stage == 0;
	if (class_->stage == last->stage)
		return strcmp(last->name, class_->name) < 0;
	return class_->stage == last->stage + 1;
}

enum perseus_status
perseus_profile_check(const struct perseus_profile *profile, struct perseus_error *err)
{
	const int32_t n_classes = perseus_profile_n_classes(profile);
	const int32_t n_stages = perseus_profile_n_stages(profile);
	const struct perseus_class *last = NULL;
	for (int32_t c = 0; c < n_classes; c++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, c);
		if (!is_in_order(last, class_, n_stages) || (c + 1 == n_classes && class_->stage != n_stages - 1))
			return broken(class_, 0, "classes are not ordered by stage and name, or a stage has none", err);
		enum perseus_status status =
				check_choices(class_, perseus_profile_blocking_power_uw(profile, class_->stage), err);
		if (status == PERSEUS_OK)
			status = check_pareto(class_, err);
		if (status == PERSEUS_OK)
			status = check_hull(class_, err);
		if (status != PERSEUS_OK)
			return status;
		last = class_;
	}
	return PERSEUS_OK;
}
