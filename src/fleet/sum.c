/* Compensated sums. */
#include "fleet/sum.h"

#include <math.h>

void
perseus__sum_add(struct perseus__sum *sum, double value)
{
	const double total = sum->high + value;
	if (fabs(sum->high) >= fabs(value))
		sum->low += (sum->high - total) + value;
	else
		sum->low += (value - total) + sum->high;
	sum->high = total;
}

double
perseus__sum_total(const struct perseus__sum *sum)
{
	return sum->high + sum->low;
}
