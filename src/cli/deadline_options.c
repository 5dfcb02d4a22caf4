/* How long an iteration may take, as the command line says it. */
#include "cli/deadline_options.h"

#include "base/error.h"
#include "cli/option_value.h"

enum { KEY_DEADLINE = 'd', KEY_SLOWDOWN = 500, KEY_POINT };

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "How long an iteration may take (one of these; default --point tmin)", 4},
	{"deadline", KEY_DEADLINE, "SECONDS", 0, "This long, e.g. the iteration time of a straggling pipeline", 0},
	{"slowdown", KEY_SLOWDOWN, "FACTOR", 0, "The shortest possible time times this", 0},
	{"point", KEY_POINT, "tmin|min-energy|tstar", 0,
		"The shortest possible time; that of least total energy; that beyond which nothing saves more while a "
		"straggler makes us wait anyway",
		0},
	{0},
};

static void
set_target(const struct argp_state *state, struct perseus__deadline_options *options, enum perseus__target target,
		const char *option)
{
	if (options->option)
		argp_error(state, "%s and %s do not go together: one of --deadline, --slowdown and --point", option,
				options->option);
	options->option = option;
	options->target = target;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	static const char *const points[] = {"tmin", "min-energy", "tstar", NULL};
	struct perseus__deadline_options *options = state->input;
	switch (key) {
	case KEY_DEADLINE:
		set_target(state, options, PERSEUS__TARGET_SECONDS, "--deadline");
		options->deadline_ns = perseus__option_scaled(state, "--deadline", arg, 1000000000);
		return 0;
	case KEY_SLOWDOWN:
		set_target(state, options, PERSEUS__TARGET_FACTOR, "--slowdown");
		options->slowdown = perseus__option_decimal(state, "--slowdown", arg);
		return 0;
	case KEY_POINT:
		set_target(
				state, options, (enum perseus__target)perseus__option_word(state, "--point", arg, points), "--point");
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp perseus__deadline_argp = {.options = option_table, .parser = parse_option};

enum perseus_status
perseus__deadline_find(const struct perseus__deadline_options *options, const struct perseus_frontier *frontier,
		int64_t *deadline_ns, struct perseus_error *err)
{
	const struct perseus_frontier_info info = perseus_frontier_info(frontier);
	switch (options->target) {
	case PERSEUS__TARGET_TMIN:
		*deadline_ns = info.t_min_ns;
		return PERSEUS_OK;
	case PERSEUS__TARGET_MIN_ENERGY:
		*deadline_ns = info.t_min_energy_ns;
		return PERSEUS_OK;
	case PERSEUS__TARGET_TSTAR:
		*deadline_ns = info.t_star_ns;
		return PERSEUS_OK;
	case PERSEUS__TARGET_SECONDS:
		*deadline_ns = options->deadline_ns;
		return PERSEUS_OK;
	case PERSEUS__TARGET_FACTOR:
		if (!perseus__decimal_times(options->slowdown, info.t_min_ns, deadline_ns))
			return perseus__fail(err, PERSEUS_INVALID, "--slowdown: the deadline is too large");
		return PERSEUS_OK;
	}
	return PERSEUS_INTERNAL;
}
