/* Sums of many doubles to the last bit or two (Neumaier 1974). */
#ifndef PERSEUS_FLEET_SUM_H
#define PERSEUS_FLEET_SUM_H

/* Zero before. */
struct perseus__sum {
	double high;
	double low; /* what `high` has lost to rounding */
};

void perseus__sum_add(struct perseus__sum *sum, double value);

double perseus__sum_total(const struct perseus__sum *sum);

#endif
