/* What a profile holds, as JSON. */
#include "format/profile_json.h"

#include "format/json_writer.h"

#include <stddef.h>

static const struct {
	enum perseus_class_oddity bit;
	const char *text;
} oddities[] = {
	{PERSEUS_ODD_SINGLE_CLOCK, "one clock only"},
	{PERSEUS_ODD_NON_MONOTONE, "some lower clock is faster"},
	{PERSEUS_ODD_GAPS, "clocks unevenly spaced"},
	{PERSEUS_ODD_OTHER_CLOCKS, "clocks differ from most classes"},
};

enum { N_ODDITIES = sizeof oddities / sizeof *oddities };

const char *
perseus__oddity_text(int index)
{
	return index < N_ODDITIES ? oddities[index].text : NULL;
}

bool
perseus__class_has_oddity(const struct perseus_class *class_, int index)
{
	return index < N_ODDITIES && (class_->oddities & (unsigned)oddities[index].bit) != 0;
}

struct perseus__class_range
perseus__class_range(const struct perseus_class *class_)
{
	const struct perseus_choice *first = &class_->choices[0];
	struct perseus__class_range range = {
		first->frequency_mhz, first->frequency_mhz, first->time_ns, first->time_ns, first->energy_nj, first->energy_nj};
	for (int32_t i = 1; i < class_->n_choices; i++) {
		const struct perseus_choice *choice = &class_->choices[i];
		range.min_mhz = choice->frequency_mhz < range.min_mhz ? choice->frequency_mhz : range.min_mhz;
		range.max_mhz = choice->frequency_mhz > range.max_mhz ? choice->frequency_mhz : range.max_mhz;
		range.min_ns = choice->time_ns < range.min_ns ? choice->time_ns : range.min_ns;
		range.max_ns = choice->time_ns > range.max_ns ? choice->time_ns : range.max_ns;
		range.min_nj = choice->energy_nj < range.min_nj ? choice->energy_nj : range.min_nj;
		range.max_nj = choice->energy_nj > range.max_nj ? choice->energy_nj : range.max_nj;
	}
	return range;
}

static void
write_ranges(struct perseus__json *json, const struct perseus_class *class_)
{
	const struct perseus__class_range range = perseus__class_range(class_);
	perseus__json_open_object(json, "frequency_mhz", true);
	perseus__json_integer(json, "min", range.min_mhz);
	perseus__json_integer(json, "max", range.max_mhz);
	perseus__json_close_object(json);
	perseus__json_open_object(json, "time_s", true);
	perseus__json_nano(json, "min", range.min_ns);
	perseus__json_nano(json, "max", range.max_ns);
	perseus__json_close_object(json);
	perseus__json_open_object(json, "energy_j", true);
	perseus__json_nano(json, "min", range.min_nj);
	perseus__json_nano(json, "max", range.max_nj);
	perseus__json_close_object(json);
}

static void
write_fit(struct perseus__json *json, const struct perseus_class *class_)
{
	struct perseus_exp_fit fit;
	if (perseus_class_fit(class_, &fit, NULL) != PERSEUS_OK) {
		perseus__json_null(json, "fit");
		return;
	}
	perseus__json_open_object(json, "fit", true);
	perseus__json_number(json, "a", fit.a);
	perseus__json_number(json, "b", fit.b);
	perseus__json_number(json, "c", fit.c);
	perseus__json_number(json, "rmse_j", fit.rmse_j);
	perseus__json_number(json, "max_error_j", fit.max_error_j);
	perseus__json_close_object(json);
}

static void
write_class(struct perseus__json *json, const struct perseus_class *class_, bool with_fit)
{
	perseus__json_open_object(json, NULL, true);
	perseus__json_integer(json, "stage", class_->stage);
	perseus__json_string(json, "instruction", class_->name);
	perseus__json_integer(json, "measurements", class_->n_measurements);
	perseus__json_integer(json, "points", class_->n_choices);
	perseus__json_integer(json, "kept", class_->n_pareto);
	perseus__json_integer(json, "hull", class_->n_hull);
	write_ranges(json, class_);
	perseus__json_open_array(json, "odd", true);
	for (int i = 0; perseus__oddity_text(i); i++)
		if (perseus__class_has_oddity(class_, i))
			perseus__json_string(json, NULL, perseus__oddity_text(i));
	perseus__json_close_array(json);
	if (with_fit)
		write_fit(json, class_);
	perseus__json_close_object(json);
}

void
perseus__profile_json(struct perseus__text *text, const struct perseus_profile *profile, bool with_fit)
{
	struct perseus__json json = perseus__json_init(text);
	const int32_t n_stages = perseus_profile_n_stages(profile);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_integer(&json, "version", 1);
	perseus__json_integer(&json, "stages", n_stages);
	perseus__json_open_array(&json, "blocking_power_w", true);
	for (int32_t stage = 0; stage < n_stages; stage++)
		perseus__json_number(&json, NULL, (double)perseus_profile_blocking_power_uw(profile, stage) / 1e6);
	perseus__json_close_array(&json);
	perseus__json_open_array(&json, "classes", false);
	for (int32_t i = 0; i < perseus_profile_n_classes(profile); i++)
		write_class(&json, perseus_profile_class(profile, i), with_fit);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
