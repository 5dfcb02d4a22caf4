/*
 * From joules to carbon and money: the arithmetic, and the factors it takes. Explained in docs/footprint.md.
 * What a factor was not given for is not computed, never 0.
 */
#ifndef PERSEUS_METER_FOOTPRINT_H
#define PERSEUS_METER_FOOTPRINT_H

#include "format/intensity_file.h"

#include <stdbool.h>
#include <stdint.h>

enum { PERSEUS__CURRENCY_BYTES = 16 };

/* What users know about where a run took place. */
struct perseus__factors {
	double pue; /* facility energy / IT energy (ISO/IEC 30134-2), >= 1; 1 counts the devices alone */
	bool has_intensity;
	struct perseus__intensity intensity;
	bool has_price;
	double price_per_kwh;
	char currency[PERSEUS__CURRENCY_BYTES]; /* "" where it is not stated */
	bool has_embodied;
	double embodied_kg;    /* CO2 equivalent of making the hardware */
	double lifespan_years; /* over which that is spread */
	double share;          /* of the hardware that the run held, above 0 to 1 */
};

/* No factor but a PUE of 1. */
struct perseus__factors perseus__factors_default(void);

/* Energy of some devices, and how many of them it is the energy of. */
struct perseus__energy {
	int32_t n_devices;
	int32_t n_measured;
	double energy_j; /* of those measured; nothing where n_measured is 0 */
	double error_j;  /* sum of theirs: at worst they all err the same way */
};

struct perseus__footprint {
	struct perseus__energy energy; /* with fewer measured than there are, everything below is of those alone */
	bool has_facility;
	double facility_kwh; /* energy times PUE */
	bool has_operational;
	double operational_gco2e; /* O of ISO/IEC 21031: facility energy times intensity */
	bool has_embodied;
	double embodied_gco2e; /* M of ISO/IEC 21031: total embodied · time / lifespan · share */
	bool has_cost;
	double cost; /* facility energy times price, in the currency of the price */
};

/* `time_s`: how long the hardware was held. */
struct perseus__footprint perseus__footprint_make(
		const struct perseus__energy *energy, double time_s, const struct perseus__factors *factors);

/*
 * Software Carbon Intensity of ISO/IEC 21031:2024, (O + M) / R, in gCO2e per functional unit, of which there were
 * `n_units`. False where operational or embodied emissions were not computed, or where there is no unit.
 */
bool perseus__footprint_sci(const struct perseus__footprint *footprint, double n_units, double *gco2e_per_unit);

#endif
