/* Quantities as people read them. */
#ifndef PERSEUS_CLI_QUANTITY_H
#define PERSEUS_CLI_QUANTITY_H

#include "base/text.h"

/* A unit in which a column of numbers is readable: print value / divisor with so many decimals. */
struct perseus__column_unit {
	const char *name;
	double divisor;
	int decimals;
};

/* The unit of energy for values up to `largest_j`: J, kJ, MJ, GJ. */
struct perseus__column_unit perseus__energy_column(double largest_j);

/* The unit of time for values up to `largest_s`: us, ms, s. */
struct perseus__column_unit perseus__time_column(double largest_s);

/* The unit of how long a whole run takes, up to `largest_s`: those of perseus__time_column, min, h. */
struct perseus__column_unit perseus__elapsed_column(double largest_s);

/* The unit of power for values up to `largest_w`: mW, W, kW, MW. */
struct perseus__column_unit perseus__power_column(double largest_w);

/* The unit of emissions for values up to `largest_g`: mgCO2e, gCO2e, kgCO2e, tCO2e. */
struct perseus__column_unit perseus__carbon_column(double largest_g);

/* Adds a value and its unit: "15.679 s". `value` is in the base unit. */
void perseus__quantity_add(struct perseus__text *text, double value, struct perseus__column_unit unit);

enum { PERSEUS__MONEY_BYTES = 352 }; /* holds any double and a currency */

/* An amount of money, "12.5 EUR": four digits, and as many as it takes for the hundredths of 100 and more. */
void perseus__money_text(double amount, const char *currency, char text[PERSEUS__MONEY_BYTES]);

/* 100 · (to / from - 1), and 0 where there is nothing to compare with; never "-0.00". */
double perseus__percent_change(double from, double to);

/* 100 · part / whole, and 0 of a whole of 0. */
double perseus__percent_of(double part, double whole);

#endif
