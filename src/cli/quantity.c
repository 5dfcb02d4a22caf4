/* Quantities as people read them. */
#include "cli/quantity.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

/* About five significant digits for the largest value. */
static struct perseus__column_unit
pick(const struct perseus__column_unit *units, size_t n, double largest)
{
	size_t i = 0;
	while (i + 1 < n && largest < units[i].divisor * 0.9999995)
		i++;
	struct perseus__column_unit unit = units[i];
	const double value = largest / unit.divisor;
	unit.decimals = value >= 10000 ? 0 : value >= 1000 ? 1 : value >= 100 ? 2 : value >= 10 ? 3 : 4;
	return unit;
}

struct perseus__column_unit
perseus__energy_column(double largest_j)
{
	static const struct perseus__column_unit units[] = {
		{"GJ", 1e9, 0}, {"MJ", 1e6, 0}, {"kJ", 1e3, 0}, {"J", 1, 0}, {"mJ", 1e-3, 0}};
	return pick(units, sizeof units / sizeof *units, largest_j);
}

struct perseus__column_unit
perseus__time_column(double largest_s)
{
	static const struct perseus__column_unit units[] = {{"s", 1, 0}, {"ms", 1e-3, 0}, {"us", 1e-6, 0}};
	return pick(units, sizeof units / sizeof *units, largest_s);
}

struct perseus__column_unit
perseus__elapsed_column(double largest_s)
{
	static const struct perseus__column_unit hour = {"h", 3600, 0};
	static const struct perseus__column_unit minute = {"min", 60, 0};
	if (largest_s < 10 * minute.divisor)
		return perseus__time_column(largest_s);
	return pick(largest_s < 3 * hour.divisor ? &minute : &hour, 1, largest_s);
}

struct perseus__column_unit
perseus__power_column(double largest_w)
{
	static const struct perseus__column_unit units[] = {{"MW", 1e6, 0}, {"kW", 1e3, 0}, {"W", 1, 0}, {"mW", 1e-3, 0}};
	return pick(units, sizeof units / sizeof *units, largest_w);
}

struct perseus__column_unit
perseus__carbon_column(double largest_g)
{
	static const struct perseus__column_unit units[] = {
		{"tCO2e", 1e6, 0}, {"kgCO2e", 1e3, 0}, {"gCO2e", 1, 0}, {"mgCO2e", 1e-3, 0}};
	return pick(units, sizeof units / sizeof *units, largest_g);
}

void
perseus__quantity_add(struct perseus__text *text, double value, struct perseus__column_unit unit)
{
	perseus__text_addf(text, "%.*f %s", unit.decimals, value / unit.divisor, unit.name);
}

void
perseus__money_text(double amount, const char *currency, char text[PERSEUS__MONEY_BYTES])
{
	const int n_digits = amount < 100 ? 4 : (int)floor(log10(amount)) + 3;
	(void)snprintf(text, PERSEUS__MONEY_BYTES, "%.*g%s%s", n_digits, amount, *currency ? " " : "", currency);
}

double
perseus__percent_change(double from, double to)
{
	if (!(fabs(from) > 0))
		return 0;
	const double percent = 100 * (to / from - 1);
	return fabs(percent) < 0.005 ? 0 : percent;
}

double
perseus__percent_of(double part, double whole)
{
	return fabs(whole) > 0 ? 100 * part / whole : 0;
}
