/* The simple rules, and the table of all. */
#include "baseline/rules.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/evaluate.h"

#include <math.h>
#include <string.h>

enum perseus_status
perseus__knobs_add(struct perseus__knobs *knobs, double value, struct perseus_error *err)
{
	if (!perseus__reserve(&knobs->values, &knobs->capacity, knobs->n + 1, sizeof *knobs->values))
		return perseus__no_memory(err);
	knobs->values[knobs->n++] = value;
	return PERSEUS_OK;
}

static enum perseus_status
choose_highest(const struct perseus__uses *uses, double knob, int32_t *choice, struct perseus_error *err)
{
	(void)knob;
	(void)err;
	memset(choice, 0, (size_t)uses->workload->schedule->n_instructions * sizeof *choice);
	return PERSEUS_OK;
}

static enum perseus_status
list_clocks(const struct perseus__uses *uses, struct perseus__knobs *knobs, struct perseus_error *err)
{
	int32_t n = 0;
	int32_t *mhz = perseus__new_array(uses->n > 0 ? (size_t)uses->classes[0]->n_choices : 1, sizeof *mhz);
	if (!mhz)
		return perseus__no_memory(err);
	enum perseus_status status = perseus__uses_shared_clocks(uses, 0, uses->n, mhz, &n, err);
	for (int32_t k = 0; k < n && status == PERSEUS_OK; k++)
		status = perseus__knobs_add(knobs, mhz[k], err);
	perseus__free(mhz);
	return status;
}

static enum perseus_status
choose_clock(const struct perseus__uses *uses, double knob, int32_t *choice, struct perseus_error *err)
{
	const int32_t mhz = knob <= PERSEUS_MAX_FREQUENCY_MHZ && floor(knob) == knob ? (int32_t)knob : -1;
	int32_t *of_class = perseus__new_array((size_t)uses->n + 1, sizeof *of_class);
	if (!of_class)
		return perseus__no_memory(err);
	enum perseus_status status = PERSEUS_OK;
	for (int32_t c = 0; c < uses->n && status == PERSEUS_OK; c++) {
		of_class[c] = perseus__class_choice(uses->classes[c], mhz);
		if (of_class[c] < 0)
			status = perseus__fail(err, PERSEUS_INVALID, "'%s' of stage %d was not measured at %.9g MHz",
					uses->classes[c]->name, (int)uses->classes[c]->stage, knob);
	}
	if (status == PERSEUS_OK)
		perseus__uses_spread(uses, of_class, choice);
	perseus__free(of_class);
	return status;
}

static double
power_w(const struct perseus_choice *choice)
{
	/* nJ / ns = W; what takes no time draws nothing. */
	return choice->time_ns > 0 ? (double)choice->energy_nj / (double)choice->time_ns : 0;
}

static double
least_power_w(const struct perseus_class *class_)
{
	double least_w = power_w(&class_->choices[0]);
	for (int32_t k = 1; k < class_->n_choices; k++)
		least_w = fmin(least_w, power_w(&class_->choices[k]));
	return least_w;
}

/* The class that needs most power at the clock where it needs least: no lower limit can be kept. 0 of no classes. */
static int32_t
hungriest_class(const struct perseus__uses *uses)
{
	int32_t hungriest = 0;
	for (int32_t c = 1; c < uses->n; c++)
		if (least_power_w(uses->classes[c]) > least_power_w(uses->classes[hungriest]))
			hungriest = c;
	return hungriest;
}

static enum perseus_status
list_limits(const struct perseus__uses *uses, struct perseus__knobs *knobs, struct perseus_error *err)
{
	const double least_w = uses->n > 0 ? least_power_w(uses->classes[hungriest_class(uses)]) : 0;
	for (int32_t c = 0; c < uses->n; c++)
		for (int32_t k = 0; k < uses->classes[c]->n_choices; k++) {
			const double limit_w = power_w(&uses->classes[c]->choices[k]);
			const enum perseus_status status =
					limit_w >= least_w ? perseus__knobs_add(knobs, limit_w, err) : PERSEUS_OK;
			if (status != PERSEUS_OK)
				return status;
		}
	return PERSEUS_OK;
}

static enum perseus_status
choose_within_limit(const struct perseus__uses *uses, double knob, int32_t *choice, struct perseus_error *err)
{
	const int32_t hungriest = hungriest_class(uses);
	if (uses->n > 0 && least_power_w(uses->classes[hungriest]) > knob)
		return perseus__fail(err, PERSEUS_INFEASIBLE,
				"a power limit of %.6g W cannot be kept: '%s' of stage %d takes %.6g W at least", knob,
				uses->classes[hungriest]->name, (int)uses->classes[hungriest]->stage,
				least_power_w(uses->classes[hungriest]));
	int32_t *of_class = perseus__new_array((size_t)uses->n + 1, sizeof *of_class);
	if (!of_class)
		return perseus__no_memory(err);
	for (int32_t c = 0; c < uses->n; c++)
		while (power_w(&uses->classes[c]->choices[of_class[c]]) > knob)
			of_class[c]++;
	perseus__uses_spread(uses, of_class, choice);
	perseus__free(of_class);
	return PERSEUS_OK;
}

const struct perseus__rule *
perseus__baseline_rule(enum perseus_baseline baseline)
{
	static const struct perseus__rule rules[PERSEUS_N_BASELINES] = {
		[PERSEUS_BASELINE_MAX_CLOCK] = {NULL, choose_highest},
		[PERSEUS_BASELINE_SINGLE_CLOCK] = {list_clocks, choose_clock},
		[PERSEUS_BASELINE_BALANCED_STAGES] = {perseus__balanced_list, perseus__balanced_choose},
		[PERSEUS_BASELINE_ENVPIPE] = {NULL, perseus__envpipe_choose},
		[PERSEUS_BASELINE_POWER_LIMIT] = {list_limits, choose_within_limit},
	};
	return (unsigned)baseline < PERSEUS_N_BASELINES ? &rules[baseline] : NULL;
}
