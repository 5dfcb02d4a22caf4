/* perseus pace */
#include "cli/pace.h"

#include "chart/canvas.h"
#include "cli/command.h"
#include "cli/option_value.h"
#include "format/intensity_file.h"
#include "format/output_file.h"
#include "format/pace_json.h"
#include "format/utc_time.h"

#include <argp.h>
#include <math.h>
#include <string.h>

enum {
	KEY_JSON = 'j',
	KEY_ITERATIONS = 'n',
	KEY_DURATION = 800,
	KEY_DEADLINE,
	KEY_FROM,
	KEY_OVERHEAD,
	KEY_CARBON,
	KEY_PRICE,
	KEY_ZONE,
	KEY_PUE,
	KEY_IDLE_POWER,
	KEY_EMBODIED,
	KEY_LIFETIME,
	KEY_GPU_HOUR_PRICE,
	KEY_CSV,
	KEY_CHART,
};

static const double MAX_ITERATIONS = 1e15;
static const double MAX_HOURS = 1e6;
static const double MAX_PUE = 100;
static const double MAX_POWER_W = 1e6;
static const double MAX_EMBODIED_KG = 1e9;
static const double MAX_LIFETIME_YEARS = 100;
static const double MAX_GPU_HOUR_PRICE = 1e9;
static const double MAX_OVERHEAD_S = 1e6;
static const double DEFAULT_LIFETIME_YEARS = 4; /* as the examples of ISO/IEC 21031 have it */

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Work", 5},
	{"iterations", KEY_ITERATIONS, "N", 0, "Iterations to do", 0},
	{"duration", KEY_DURATION, "HOURS", 0, "Or: as many as HOURS at full speed do", 0},
	{"deadline", KEY_DEADLINE, "HOURS|TIME", 0,
		"When they must be done (needed): hours from the beginning, a length of time such as '3d 12h', or a moment "
		"in UTC such as 2026-08-01T13:00Z",
		0},
	{"from", KEY_FROM, "TIME", 0, "When the job begins, UTC (default: the first hour of the file)", 0},
	{"overhead", KEY_OVERHEAD, "SECONDS", 0,
		"What an iteration takes beside its pipeline, at blocking power: gradient synchronisation, optimizer "
		"(default 0)",
		0},
	{NULL, 0, NULL, 0, "Where it runs: one of --carbon and --price is needed", 6},
	{"carbon", KEY_CARBON, "FILE", 0, "Hourly carbon intensities of zones, CSV: zone,hour,gCO2e_per_kWh", 0},
	{"price", KEY_PRICE, "FILE", 0,
		"Hourly prices, CSV: hour,price_per_kwh or price_per_mwh, or Ember's; may be negative", 0},
	{"zone", KEY_ZONE, "ZONE", 0, "Zone of that file (needed unless it has only one)", 0},
	{"pue", KEY_PUE, "X", 0, "Energy of the whole facility over that of the job (default 1)", 0},
	{"idle-power", KEY_IDLE_POWER, "W", 0,
		"Power of a GPU while the job is paused; pausing is not considered without it", 0},
	{"embodied", KEY_EMBODIED, "KG", 0,
		"CO2 equivalent of making a GPU and its share of the server: what is held longer emits more", 0},
	{"lifetime", KEY_LIFETIME, "YEARS", 0, "Over which that is spread (default 4)", 0},
	{"gpu-hour-price", KEY_GPU_HOUR_PRICE, "P", 0,
		"What an hour of a GPU costs beside its electricity, in the currency of --price", 0},
	{NULL, 0, NULL, 0, "Results", 7},
	{"json", KEY_JSON, NULL, 0, "Print JSON, every hour included", 0},
	{"csv", KEY_CSV, "FILE", 0, "Write every hour as CSV", 0},
	{"chart", KEY_CHART, "FILE", 0, "Draw factor and power over the hours (.svg, .png or .pdf)", 0},
	{0},
};

static double
above_zero(const struct argp_state *state, const char *option, const char *arg, double max)
{
	const double value = perseus__option_number(state, option, arg, max);
	if (!(value > 0))
		argp_error(state, "%s takes a number above zero, not '%s'", option, arg);
	return value;
}

static double
take_iterations(const struct argp_state *state, const char *arg)
{
	const double value = perseus__option_number(state, "--iterations", arg, MAX_ITERATIONS);
	if (value < 1 || value > floor(value))
		argp_error(state, "--iterations takes a whole number of 1 or more, not '%s'", arg);
	return value;
}

static void
take_pue(const struct argp_state *state, struct perseus__pace_options *options, const char *arg)
{
	options->pue = perseus__option_number(state, "--pue", arg, MAX_PUE);
	if (options->pue < 1)
		argp_error(state, "--pue takes a number of 1 or more, not '%s'", arg);
}

static void
take_from(const struct argp_state *state, struct perseus__pace_options *options, const char *arg)
{
	if (!perseus__utc_parse(arg, &options->from_ms))
		argp_error(state, "--from takes a moment in UTC such as 2026-08-01T13:00Z, not '%s'", arg);
}

static void
check(const struct argp_state *state, const struct perseus__pace_options *options)
{
	if (!options->carbon == !options->price)
		argp_error(state, "one of --carbon=FILE and --price=FILE is needed");
	if ((options->n_iterations > 0) == (options->duration_h > 0))
		argp_error(state, "one of --iterations=N and --duration=HOURS is needed");
	if (!options->deadline)
		argp_error(state, "--deadline=HOURS|TIME is needed");
	if (options->embodied_kg >= 0 && options->price)
		argp_error(state, "--embodied goes with --carbon; with --price it is --gpu-hour-price");
	if (options->lifetime_years > 0 && options->price)
		argp_error(state, "--lifetime goes with --carbon: it spreads what is embodied");
	if (options->gpu_hour_price >= 0 && options->carbon)
		argp_error(state, "--gpu-hour-price goes with --price; with --carbon it is --embodied");
}

static error_t
parse_place(int key, char *arg, struct argp_state *state)
{
	struct perseus__pace_options *options = state->input;
	switch (key) {
	case KEY_CARBON:
		options->carbon = arg;
		return 0;
	case KEY_PRICE:
		options->price = arg;
		return 0;
	case KEY_ZONE:
		options->zone = arg;
		return 0;
	case KEY_PUE:
		take_pue(state, options, arg);
		return 0;
	case KEY_IDLE_POWER:
		options->idle_power_w = perseus__option_number(state, "--idle-power", arg, MAX_POWER_W);
		return 0;
	case KEY_EMBODIED:
		options->embodied_kg = perseus__option_number(state, "--embodied", arg, MAX_EMBODIED_KG);
		return 0;
	case KEY_LIFETIME:
		options->lifetime_years = above_zero(state, "--lifetime", arg, MAX_LIFETIME_YEARS);
		return 0;
	case KEY_GPU_HOUR_PRICE:
		options->gpu_hour_price = perseus__option_number(state, "--gpu-hour-price", arg, MAX_GPU_HOUR_PRICE);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct perseus__pace_options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->job;
		return 0;
	case KEY_ITERATIONS:
		options->n_iterations = take_iterations(state, arg);
		return 0;
	case KEY_DURATION:
		options->duration_h = above_zero(state, "--duration", arg, MAX_HOURS);
		return 0;
	case KEY_DEADLINE:
		options->deadline = arg;
		return 0;
	case KEY_FROM:
		take_from(state, options, arg);
		return 0;
	case KEY_OVERHEAD:
		options->overhead_s = perseus__option_number(state, "--overhead", arg, MAX_OVERHEAD_S);
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	case KEY_CSV:
		options->csv = arg;
		return 0;
	case KEY_CHART:
		options->chart = arg;
		return 0;
	case ARGP_KEY_SUCCESS:
		check(state, options);
		return 0;
	default:
		return parse_place(key, arg, state);
	}
}

static enum perseus_status
write_outputs(
		const struct perseus__pace_options *options, const struct perseus__pace_run *run, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	if (options->csv) {
		struct perseus__text text = perseus__result_text();
		perseus__pace_csv(&text, &run->document);
		status = perseus__write_document(options->csv, &text, err);
		perseus__text_fini(&text);
	}
	if (status == PERSEUS_OK && options->chart)
		status = perseus__pace_draw(options->chart, &options->job, &run->document, err);
	return status;
}

static int
print_pace(const struct perseus__pace_options *options, const struct perseus__pace_run *run)
{
	struct perseus__text text = perseus__result_text();
	if (options->as_json)
		perseus__pace_json(&text, &run->document);
	else
		perseus__pace_report(&options->job, &run->document, &text);
	return perseus__print_result(&text);
}

/* Everything between options and exit code. */
static int
run_all(struct perseus__pace_options *options, struct perseus__pace_run *run)
{
	struct perseus_error err;
	enum perseus_status status = options->chart ? perseus__chart_path_check(options->chart, &err) : PERSEUS_OK;
	if (status == PERSEUS_OK && options->csv)
		status = perseus__output_check(options->csv, &err);
	if (status == PERSEUS_OK)
		status = perseus__job_load(&options->job, &err);
	if (status == PERSEUS_OK)
		status = perseus__job_solve(&options->job, &err);
	if (status == PERSEUS_OK)
		status = perseus__pace_run(options, run, &err);
	if (status == PERSEUS_OK)
		status = write_outputs(options, run, &err);
	return status == PERSEUS_OK ? print_pace(options, run) : perseus__print_error(&err);
}

int
perseus__run_pace(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__job_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "PROFILE.csv",
		.doc = "Runs a job that has time to spare by the hours of the grid: slower where electricity is dirty or dear, "
			   "so that all of its iterations emit or cost the least and are done in time.",
		.children = children,
	};
	struct perseus__pace_options options = {
		.job = perseus__job_init(),
		.from_ms = -1,
		.pue = 1,
		.idle_power_w = -1,
		.embodied_kg = -1,
		.gpu_hour_price = -1,
	};
	struct perseus__pace_run run = {0};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	if (!(options.lifetime_years > 0))
		options.lifetime_years = DEFAULT_LIFETIME_YEARS;
	const int exit_code = run_all(&options, &run);
	perseus__pace_run_fini(&run);
	perseus__job_fini(&options.job);
	return exit_code;
}
