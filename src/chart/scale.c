/* Ticks, units, number text and the colour scale: everything about charts that needs no surface. */
#include "chart/scale.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { MAX_DECIMALS = 9 };

/* Absorbs the rounding of a division where a bound is itself a tick. */
static const double TICK_SLACK = 1e-9;

static struct perseus__ticks
ticks_of_step(double low, double high, double mantissa, int exponent)
{
	const double step = mantissa * pow(10, exponent);
	return (struct perseus__ticks){
		.step = step,
		.first = (int64_t)ceil(low / step - TICK_SLACK),
		.last = (int64_t)floor(high / step + TICK_SLACK),
		.decimals = exponent < 0 ? (exponent > -MAX_DECIMALS ? -exponent : MAX_DECIMALS) : 0,
	};
}

struct perseus__ticks
perseus__ticks_between(double low, double high, int32_t max_ticks)
{
	static const double mantissas[] = {1, 2, 5};
	/* Finer steps than this are below the resolution of a double at these bounds. */
	const double span = high - low;
	const double magnitude = fmax(fabs(low), fabs(high));
	if (!isfinite(span) || span <= magnitude * 1e-12) {
		const int64_t at = isfinite(low) && fabs(low) < 1e15 ? (int64_t)round(low) : 0;
		return (struct perseus__ticks){.step = 1, .first = at, .last = at};
	}
	const int exponent = (int)floor(log10(span / max_ticks));
	for (int i = 0;; i++) {
		const struct perseus__ticks ticks = ticks_of_step(low, high, mantissas[i % 3], exponent + i / 3);
		if (ticks.last - ticks.first < max_ticks)
			return ticks;
	}
}

double
perseus__ticks_value(const struct perseus__ticks *ticks, int64_t index)
{
	return (double)index * ticks->step;
}

void
perseus__number_text(double value, int decimals, char *text, size_t size)
{
	if (decimals > MAX_DECIMALS)
		decimals = MAX_DECIMALS;
	int64_t scale = 1;
	for (int i = 0; i < decimals; i++)
		scale *= 10;
	const double scaled = round(fabs(value) * (double)scale);
	if (!isfinite(value) || fabs(value) > 1e15 || scaled > 9e18) {
		(void)snprintf(text, size, "-");
		return;
	}
	const int64_t units = (int64_t)scaled;
	const char *sign = value < 0 && units > 0 ? "\xe2\x88\x92" : ""; /* U+2212, as wide as a digit */
	char fraction[MAX_DECIMALS + 2] = "";
	int64_t rest = units % scale;
	for (int i = decimals; i > 0; i--, rest /= 10)
		fraction[i] = (char)('0' + rest % 10);
	if (decimals > 0)
		fraction[0] = '.';
	(void)snprintf(text, size, "%s%" PRId64 "%s", sign, units / scale, fraction);
}

/* Decimals that show `value` with four significant digits at least. */
static int
four_digits(double value)
{
	double magnitude = fabs(value);
	int decimals = 3;
	while (decimals > 0 && magnitude >= 9.9995) {
		magnitude /= 10;
		decimals--;
	}
	return decimals;
}

struct perseus__unit
perseus__time_unit(double largest_s)
{
	if (largest_s >= 1 || largest_s <= 0)
		return (struct perseus__unit){"s", 1};
	if (largest_s >= 1e-3)
		return (struct perseus__unit){"ms", 1e3};
	return (struct perseus__unit){"\xc2\xb5s", 1e6};
}

struct perseus__unit
perseus__energy_unit(double largest_j)
{
	if (largest_j >= 1e9)
		return (struct perseus__unit){"GJ", 1e-9};
	if (largest_j >= 1e6)
		return (struct perseus__unit){"MJ", 1e-6};
	if (largest_j >= 1e3)
		return (struct perseus__unit){"kJ", 1e-3};
	if (largest_j >= 1 || largest_j <= 0)
		return (struct perseus__unit){"J", 1};
	return (struct perseus__unit){"mJ", 1e3};
}

void
perseus__quantity_text(double value, struct perseus__unit unit, char *text, size_t size)
{
	char number[32];
	perseus__number_text(value * unit.per_base, four_digits(value * unit.per_base), number, sizeof number);
	(void)snprintf(text, size, "%s %s", number, unit.name);
}

/*
 * Even steps of OKLab lightness (Ottosson 2020) from 0.93 to 0.28, hue from yellow (98 degrees) over orange and red to
 * violet (-50), chroma 0.10 to 0.17; rounded to 8 bits. Dark is more: on white paper more ink reads as more power.
 */
static const unsigned char heat_points[][3] = {
	{0xf9, 0xe9, 0x9a},
	{0xf3, 0xce, 0x75},
	{0xed, 0xb2, 0x51},
	{0xe7, 0x93, 0x34},
	{0xe0, 0x73, 0x2b},
	{0xd3, 0x52, 0x32},
	{0xba, 0x3c, 0x3f},
	{0x9f, 0x29, 0x46},
	{0x80, 0x1c, 0x50},
	{0x5c, 0x17, 0x55},
	{0x39, 0x12, 0x50},
};

struct perseus__rgb
perseus__heat(double fraction)
{
	const int n_steps = (int)(sizeof heat_points / sizeof *heat_points) - 1;
	const double at = fmin(fmax(fraction, 0), 1) * n_steps;
	const int below = at < n_steps ? (int)at : n_steps - 1;
	const double part = at - below;
	double mixed[3];
	for (int i = 0; i < 3; i++)
		mixed[i] = (heat_points[below][i] * (1 - part) + heat_points[below + 1][i] * part) / 255;
	return (struct perseus__rgb){mixed[0], mixed[1], mixed[2]};
}

static double
linear(double channel)
{
	return channel <= 0.04045 ? channel / 12.92 : pow((channel + 0.055) / 1.055, 2.4);
}

double
perseus__luminance(struct perseus__rgb rgb)
{
	return 0.2126 * linear(rgb.red) + 0.7152 * linear(rgb.green) + 0.0722 * linear(rgb.blue);
}
