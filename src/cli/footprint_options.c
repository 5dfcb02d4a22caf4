/* Options of carbon and cost. */
#include "cli/footprint_options.h"

#include "base/memory.h"
#include "cli/option_value.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { KEY_INTENSITY = 500, KEY_ZONE, KEY_YEAR, KEY_PRICE, KEY_PUE, KEY_EMBODIED };

static const double MAX_PRICE = 1e9;
static const double MAX_PUE = 100;
static const double MAX_EMBODIED_KG = 1e9;
static const double MAX_LIFESPAN_YEARS = 100;
static const double DEFAULT_LIFESPAN_YEARS = 4; /* as the examples of ISO/IEC 21031 have it */

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Carbon and cost. What is not given is not computed.", 4},
	{"intensity", KEY_INTENSITY, "G|FILE", 0,
		"Carbon intensity of electricity: grams of CO2 equivalent per kWh, or a CSV or JSON file of zones", 0},
	{"zone", KEY_ZONE, "ZONE", 0, "Zone of that file (needed unless it has only one)", 0},
	{"intensity-year", KEY_YEAR, "YEAR", 0, "Year of that file (default: the latest of the zone)", 0},
	{"price", KEY_PRICE, "P[:CURRENCY]", 0, "Price of a kWh", 0},
	{"pue", KEY_PUE, "X", 0, "Energy of the whole facility over that of its computers (default 1)", 0},
	{"embodied", KEY_EMBODIED, "KG[:YEARS[:SHARE]]", 0,
		"CO2 equivalent of making the hardware, its lifespan (default 4 years) and the share of it that is used "
		"(default 1)",
		0},
	{0},
};

static void
take_price(const struct argp_state *state, struct perseus__factors *factors, const char *arg)
{
	char *copy = perseus__copy_string(arg);
	if (!copy) {
		perseus__option_no_memory(state);
		return;
	}
	char *colon = strchr(copy, ':');
	const char *currency = colon ? colon + 1 : "";
	if (colon) {
		*colon = '\0';
		bool is_good = *currency && strlen(currency) < sizeof factors->currency;
		for (const char *at = currency; *at; at++)
			is_good = is_good && (unsigned char)*at > 0x20 && *at != 0x7f;
		if (!is_good)
			argp_error(state, "--price takes a currency of 1 to %d bytes behind its colon, not '%s'",
					PERSEUS__CURRENCY_BYTES - 1, currency);
	}
	factors->has_price = true;
	factors->price_per_kwh = perseus__option_number(state, "--price", copy, MAX_PRICE);
	(void)snprintf(factors->currency, sizeof factors->currency, "%s", currency);
	perseus__free(copy);
}

/* Cuts `text` at its next colon; what is behind it, or NULL. */
static char *
cut_at_colon(char *text)
{
	char *colon = strchr(text, ':');
	if (colon)
		*colon = '\0';
	return colon ? colon + 1 : NULL;
}

static void
take_embodied(const struct argp_state *state, struct perseus__factors *factors, const char *arg)
{
	char *copy = perseus__copy_string(arg);
	if (!copy) {
		perseus__option_no_memory(state);
		return;
	}
	const char *years = cut_at_colon(copy);
	const char *share = NULL;
	if (years)
		share = cut_at_colon(copy + strlen(copy) + 1);
	factors->has_embodied = true;
	factors->embodied_kg = perseus__option_number(state, "--embodied", copy, MAX_EMBODIED_KG);
	factors->lifespan_years =
			years ? perseus__option_number(state, "--embodied", years, MAX_LIFESPAN_YEARS) : DEFAULT_LIFESPAN_YEARS;
	factors->share = share ? perseus__option_number(state, "--embodied", share, 1) : 1;
	if (!(factors->lifespan_years > 0) || !(factors->share > 0))
		argp_error(state, "--embodied takes YEARS and SHARE above zero, not '%s'", arg);
	perseus__free(copy);
}

static void
take_pue(const struct argp_state *state, struct perseus__factors *factors, const char *arg)
{
	factors->pue = perseus__option_number(state, "--pue", arg, MAX_PUE);
	if (factors->pue < 1)
		argp_error(state, "--pue takes a number of 1 or more, not '%s'", arg);
}

/* A number is a value, anything else a file. */
static void
take_intensity(const struct argp_state *state, struct perseus__footprint_options *options, const char *arg)
{
	struct perseus__decimal decimal;
	struct perseus__factors *factors = &options->factors;
	const bool is_number = perseus__decimal_parse(arg, &decimal);
	options->intensity_file = is_number ? NULL : arg;
	factors->has_intensity = is_number;
	factors->intensity = (struct perseus__intensity){.source = "--intensity"};
	if (is_number)
		factors->intensity.gco2e_per_kwh =
				perseus__option_number(state, "--intensity", arg, PERSEUS__MAX_GCO2E_PER_KWH);
}

static void
check(const struct argp_state *state, const struct perseus__footprint_options *options)
{
	if (options->zone && !options->intensity_file)
		argp_error(state, "--zone needs --intensity=FILE, a CSV or JSON file of zones");
	if (options->year && !options->intensity_file)
		argp_error(state, "--intensity-year needs --intensity=FILE, a CSV or JSON file of zones");
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct perseus__footprint_options *options = state->input;
	switch (key) {
	case KEY_INTENSITY:
		take_intensity(state, options, arg);
		return 0;
	case KEY_ZONE:
		options->zone = arg;
		return 0;
	case KEY_YEAR:
		options->year = perseus__option_count(state, "--intensity-year", arg, 1900, 2999);
		return 0;
	case KEY_PRICE:
		take_price(state, &options->factors, arg);
		return 0;
	case KEY_PUE:
		take_pue(state, &options->factors, arg);
		return 0;
	case KEY_EMBODIED:
		take_embodied(state, &options->factors, arg);
		return 0;
	case ARGP_KEY_SUCCESS:
		check(state, options);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp perseus__footprint_argp = {.options = option_table, .parser = parse_option};

struct perseus__footprint_options
perseus__footprint_options_init(void)
{
	return (struct perseus__footprint_options){.factors = perseus__factors_default()};
}

enum perseus_status
perseus__footprint_options_load(struct perseus__footprint_options *options, struct perseus_error *err)
{
	if (!options->intensity_file)
		return PERSEUS_OK;
	const enum perseus_status status = perseus__intensity_table_read(options->intensity_file, &options->table, err);
	const struct perseus__intensity_query query = {.zone = options->zone, .year = options->year};
	return status == PERSEUS_OK ? perseus__intensity_check(options->table, &query, err) : status;
}

enum perseus_status
perseus__footprint_options_resolve(const struct perseus__footprint_options *options, int64_t begin_ms, int64_t end_ms,
		struct perseus__factors *factors, struct perseus_error *err)
{
	*factors = options->factors;
	if (!options->table)
		return PERSEUS_OK;
	const struct perseus__intensity_query query = {
		.zone = options->zone, .year = options->year, .begin_ms = begin_ms, .end_ms = end_ms};
	const enum perseus_status status = perseus__intensity_find(options->table, &query, &factors->intensity, err);
	factors->has_intensity = status == PERSEUS_OK;
	return status;
}

void
perseus__footprint_options_fini(struct perseus__footprint_options *options)
{
	perseus__intensity_table_free(options->table);
	*options = perseus__footprint_options_init();
}
