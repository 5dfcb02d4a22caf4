/* Numbers on charts: ticks at round values, units, text without a locale, and the colour scale of power. */
#ifndef PERSEUS_CHART_SCALE_H
#define PERSEUS_CHART_SCALE_H

#include <stddef.h>
#include <stdint.h>

/* Multiples first·step .. last·step of a round step (1, 2 or 5 times a power of ten). */
struct perseus__ticks {
	double step;
	int64_t first;
	int64_t last;
	int decimals; /* how many digits after the point tell neighbours apart */
};

/*
 * The finest round ticks of which at most `max_ticks` (>= 2) lie in [low, high]. Where high <= low or either is not
 * finite, one tick of step 1 at the nearest integer to low (0 where low is not finite).
 */
struct perseus__ticks perseus__ticks_between(double low, double high, int32_t max_ticks);

/* The value of multiple `index`, first <= index <= last. */
double perseus__ticks_value(const struct perseus__ticks *ticks, int64_t index);

/*
 * Writes `value` with `decimals` (at most 9) digits after a point, whatever the locale; "-" for what is not finite or
 * beyond 1e15. Negative zero has no sign. Always terminates `text`, length `size`.
 */
void perseus__number_text(double value, int decimals, char *text, size_t size);

/* A unit that keeps numbers readable: value in the base unit · per_base = value in this unit. */
struct perseus__unit {
	const char *name;
	double per_base;
};

/* For values up to `largest` seconds: s, ms or us. */
struct perseus__unit perseus__time_unit(double largest_s);

/* For values up to `largest` joules: mJ, J, kJ, MJ or GJ. */
struct perseus__unit perseus__energy_unit(double largest_j);

/* Writes `value` in `unit` with four significant digits and the unit, e.g. "156.8 s". */
void perseus__quantity_text(double value, struct perseus__unit unit, char *text, size_t size);

/* A colour of the sRGB space, each part in 0..1. */
struct perseus__rgb {
	double red;
	double green;
	double blue;
};

/*
 * The colour of `fraction`, clamped to 0 (light yellow) .. 1 (dark violet). Lightness falls evenly, so that order
 * survives grey print and every kind of colour vision.
 */
struct perseus__rgb perseus__heat(double fraction);

/* Relative luminance (WCAG 2, sRGB), 0 black .. 1 white. */
double perseus__luminance(struct perseus__rgb rgb);

#endif
