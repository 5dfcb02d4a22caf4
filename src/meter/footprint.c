/* From joules to carbon and money. */
#include "meter/footprint.h"

#include "base/units.h"

struct perseus__factors
perseus__factors_default(void)
{
	return (struct perseus__factors){.pue = 1};
}

struct perseus__footprint
perseus__footprint_make(const struct perseus__energy *energy, double time_s, const struct perseus__factors *factors)
{
	struct perseus__footprint footprint = {.energy = *energy};
	if (energy->n_measured > 0) {
		footprint.has_facility = true;
		footprint.facility_kwh = energy->energy_j * factors->pue / PERSEUS__J_PER_KWH;
		footprint.has_operational = factors->has_intensity;
		if (factors->has_intensity)
			footprint.operational_gco2e = footprint.facility_kwh * factors->intensity.gco2e_per_kwh;
		footprint.has_cost = factors->has_price;
		if (factors->has_price)
			footprint.cost = footprint.facility_kwh * factors->price_per_kwh;
	}
	footprint.has_embodied = factors->has_embodied;
	if (factors->has_embodied) {
		const double lifespan_s = factors->lifespan_years * (PERSEUS__H_PER_YEAR * PERSEUS__S_PER_H);
		footprint.embodied_gco2e = factors->embodied_kg * PERSEUS__G_PER_KG * (time_s / lifespan_s) * factors->share;
	}
	return footprint;
}

bool
perseus__footprint_sci(const struct perseus__footprint *footprint, double n_units, double *gco2e_per_unit)
{
	if (!footprint->has_operational || !footprint->has_embodied || !(n_units > 0))
		return false;
	*gco2e_per_unit = (footprint->operational_gco2e + footprint->embodied_gco2e) / n_units;
	return true;
}
