/* A model of a simulated GPU from a profile CSV. */
#include "device/sim_model.h"

#include "base/error.h"
#include "format/profile_csv.h"

#include <perseus/profile.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * What a profile does not tell. Of the power at the lowest clock measured: blocking 83.64 W of 237 W on the A100 and
 * 70.38 W of 177 W on the A40 (sources in sim_model.c).
 */
static const double WAITING_SHARE = 0.37;
/* The least power limit over the highest: 100 W of 500 W on the A100. */
enum { LIMIT_SPAN = 5 };

static bool
has_clock(const struct perseus__sim_model *model, int32_t mhz)
{
	const int32_t clock = perseus__sim_model_clock(model, mhz);
	return clock < model->n_clocks && model->clock_mhz[clock] == mhz;
}

/* Keeps the clocks descending. False where there is no room. */
static bool
add_clock(struct perseus__sim_model *model, int32_t mhz)
{
	if (has_clock(model, mhz))
		return true;
	if (model->n_clocks == PERSEUS_MAX_CLOCKS)
		return false;
	const int32_t at = perseus__sim_model_clock(model, mhz);
	memmove(&model->clock_mhz[at + 1], &model->clock_mhz[at],
			(size_t)(model->n_clocks - at) * sizeof *model->clock_mhz);
	model->clock_mhz[at] = mhz;
	model->n_clocks++;
	return true;
}

/* What was measured at one clock does not follow it. */
static bool
is_of_use(const struct perseus_class *class_)
{
	return class_->n_choices > 1;
}

static enum perseus_status
find_clocks(const struct perseus_profile *profile, struct perseus__sim_model *model, struct perseus_error *err)
{
	for (int32_t c = 0; c < perseus_profile_n_classes(profile); c++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, c);
		for (int32_t i = 0; is_of_use(class_) && i < class_->n_choices; i++)
			if (!add_clock(model, class_->choices[i].frequency_mhz))
				return perseus__fail(err, PERSEUS_INVALID, "more than %d clocks", PERSEUS_MAX_CLOCKS);
	}
	if (model->n_clocks == 0)
		return perseus__fail(err, PERSEUS_INVALID, "no class was measured at two clocks or more");
	return PERSEUS_OK;
}

/* Adds time and energy of a class at a clock; its choices have the highest clock first. */
static void
add_class(const struct perseus_class *class_, int32_t mhz, double *time_ns, double *energy_nj)
{
	int32_t below = 0;
	while (below < class_->n_choices - 1 && class_->choices[below].frequency_mhz > mhz)
		below++;
	const struct perseus_choice *low = &class_->choices[below];
	const struct perseus_choice *high = &class_->choices[below > 0 ? below - 1 : 0];
	const int32_t gap_mhz = high->frequency_mhz - low->frequency_mhz;
	double share = gap_mhz > 0 ? (double)(mhz - low->frequency_mhz) / gap_mhz : 0;
	share = fmax(share, 0);
	*time_ns += (double)low->time_ns + share * (double)(high->time_ns - low->time_ns);
	*energy_nj += (double)low->energy_nj + share * (double)(high->energy_nj - low->energy_nj);
}

static enum perseus_status
fill_responses(const struct perseus_profile *profile, struct perseus__sim_model *model, struct perseus_error *err)
{
	double top_time_ns = 0;
	for (int32_t i = 0; i < model->n_clocks; i++) {
		double time_ns = 0;
		double energy_nj = 0;
		for (int32_t c = 0; c < perseus_profile_n_classes(profile); c++) {
			const struct perseus_class *class_ = perseus_profile_class(profile, c);
			if (is_of_use(class_))
				add_class(class_, model->clock_mhz[i], &time_ns, &energy_nj);
		}
		top_time_ns = i == 0 ? time_ns : top_time_ns;
		const double power_w = energy_nj / time_ns; /* nJ / ns */
		if (power_w > PERSEUS_MAX_POWER_W)
			return perseus__fail(err, PERSEUS_INVALID, "%g W at %d MHz is too much", power_w, model->clock_mhz[i]);
		model->busy_uw[i] = llround(power_w * 1e6);
		model->slowdown[i] = fmax(1, time_ns / top_time_ns);
	}
	return PERSEUS_OK;
}

static void
fill_limits(struct perseus__sim_model *model)
{
	int64_t highest_uw = 0;
	for (int32_t i = 0; i < model->n_clocks; i++)
		highest_uw = model->busy_uw[i] > highest_uw ? model->busy_uw[i] : highest_uw;
	model->limit_max_mw = (highest_uw / 50000000 + 1) * 50000; /* the next 50 W */
	model->limit_min_mw = model->limit_max_mw / LIMIT_SPAN;
	model->blocking_uw = llround(WAITING_SHARE * (double)model->busy_uw[model->n_clocks - 1]);
	model->idle_uw = model->blocking_uw;
}

static enum perseus_status
fill_model(const struct perseus_profile *profile, struct perseus__sim_model *model, struct perseus_error *err)
{
	*model = (struct perseus__sim_model){.architecture = ""};
	enum perseus_status status = find_clocks(profile, model, err);
	if (status == PERSEUS_OK)
		status = fill_responses(profile, model, err);
	if (status == PERSEUS_OK)
		fill_limits(model);
	return status;
}

static void
name_model(const char *path, struct perseus__sim_model *model)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	(void)snprintf(model->name, sizeof model->name, "GPU of %.*s", PERSEUS_DEVICE_TEXT_BYTES - 8, file);
	(void)snprintf(model->note, sizeof model->note,
			"simulated: busy as the profile %.*s measured it; what it draws idle and blocked was not measured",
			PERSEUS_DEVICE_TEXT_BYTES, file);
}

enum perseus_status
perseus__sim_model_profile(const char *path, struct perseus__sim_model *model, struct perseus_error *err)
{
	struct perseus__measurements rows;
	enum perseus_status status = perseus__profile_csv_read(path, &rows, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_profile *profile = NULL;
	struct perseus_error why = {.message = ""};
	status = perseus_profile_new(rows.rows, rows.n_rows, NULL, &profile, &why);
	perseus__measurements_fini(&rows);
	if (status == PERSEUS_OK)
		status = fill_model(profile, model, &why);
	perseus_profile_free(profile);
	if (status != PERSEUS_OK)
		return perseus__fail(err, status, "%s: %s", path, why.message);
	name_model(path, model);
	return PERSEUS_OK;
}
