/* perseus profile */
#include "cli/command.h"
#include "cli/input.h"
#include "cli/table.h"
#include "format/profile_json.h"

#include <perseus/profile.h>

#include <argp.h>
#include <string.h>

enum { KEY_JSON = 'j', KEY_FIT = 'f' };

struct options {
	struct perseus__input input;
	bool with_fit;
	bool as_json;
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Results", 2},
	{"fit", KEY_FIT, NULL, 0, "Fit a exp(b t) + c to the kept points of each class, for comparison: plans use the hull",
		0},
	{"json", KEY_JSON, NULL, 0, "Print JSON", 0},
	{0},
};

static error_t
parse_option(int key, char *arg, struct argp_state *state) /* NOLINT(readability-non-const-parameter): argp's */
{
	(void)arg;
	struct options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options->input;
		return 0;
	case KEY_FIT:
		options->with_fit = true;
		return 0;
	case KEY_JSON:
		options->as_json = true;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static void
add_heading(const struct options *options, struct perseus__table *table)
{
	static const char *const headings[] = {
		"stage", "instruction", "rows", "clocks", "kept", "hull", "MHz", "time ms", "energy J"};
	static const char *const fit_headings[] = {"a J", "b 1/s", "c J", "rmse J"};
	for (size_t i = 0; i < sizeof headings / sizeof *headings; i++)
		perseus__table_add(table, "%s", headings[i]);
	for (size_t i = 0; options->with_fit && i < sizeof fit_headings / sizeof *fit_headings; i++)
		perseus__table_add(table, "%s", fit_headings[i]);
	perseus__table_add(table, "odd");
}

static void
add_fit(const struct perseus_class *class_, struct perseus__table *table)
{
	struct perseus_exp_fit fit;
	if (perseus_class_fit(class_, &fit, NULL) != PERSEUS_OK) {
		for (int i = 0; i < 4; i++)
			perseus__table_add(table, "-");
		return;
	}
	perseus__table_add(table, "%.5g", fit.a);
	perseus__table_add(table, "%.5g", fit.b);
	perseus__table_add(table, "%.5g", fit.c);
	perseus__table_add(table, "%.3g", fit.rmse_j);
}

static void
add_oddities(const struct perseus_class *class_, struct perseus__table *table)
{
	struct perseus__text text = perseus__text_init(256);
	for (int i = 0; perseus__oddity_text(i); i++)
		if (perseus__class_has_oddity(class_, i))
			perseus__text_addf(&text, "%s%s", text.length ? "; " : "", perseus__oddity_text(i));
	table->failed = table->failed || text.failed;
	perseus__table_add(table, "%s", text.length ? text.bytes : "");
	perseus__text_fini(&text);
}

/* "5.2-7.9", or one number where both ends are the same. */
static void
add_range(struct perseus__table *table, int64_t min_nano, int64_t max_nano, double divisor)
{
	if (min_nano == max_nano)
		perseus__table_add(table, "%.5g", (double)min_nano / divisor);
	else
		perseus__table_add(table, "%.5g-%.5g", (double)min_nano / divisor, (double)max_nano / divisor);
}

static void
add_class(const struct options *options, const struct perseus_class *class_, struct perseus__table *table)
{
	const struct perseus__class_range range = perseus__class_range(class_);
	perseus__table_add(table, "%d", (int)class_->stage);
	perseus__table_add(table, "%s", class_->name);
	perseus__table_add(table, "%d", (int)class_->n_measurements);
	perseus__table_add(table, "%d", (int)class_->n_choices);
	perseus__table_add(table, "%d", (int)class_->n_pareto);
	perseus__table_add(table, "%d", (int)class_->n_hull);
	add_range(table, range.min_mhz, range.max_mhz, 1);
	add_range(table, range.min_ns, range.max_ns, 1e6);
	add_range(table, range.min_nj, range.max_nj, 1e9);
	if (options->with_fit)
		add_fit(class_, table);
	add_oddities(class_, table);
}

static void
write_report(const struct options *options, const struct perseus_profile *profile, struct perseus__text *text)
{
	struct perseus__table table = perseus__table_init(options->with_fit ? "rlrrrrrrrrrrrl" : "rlrrrrrrrl");
	const int32_t n_classes = perseus_profile_n_classes(profile);
	add_heading(options, &table);
	for (int32_t i = 0; i < n_classes; i++)
		add_class(options, perseus_profile_class(profile, i), &table);
	perseus__text_addf(
			text, "%d stages, %d classes of instructions\n\n", (int)perseus_profile_n_stages(profile), (int)n_classes);
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
	perseus__text_addf(
			text, "\nkept: not beaten in both time and energy over waiting; hull: of those, what plans mix.\n");
	if (options->with_fit)
		perseus__text_addf(text,
				"Fit: energy over waiting = a exp(b t) + c, t in s; a dash where fewer than three points "
				"are kept.\n");
}

int
perseus__run_profile(int argc, char **argv)
{
	static const struct argp_child children[] = {{&perseus__input_argp, 0, NULL, 0}, {0}};
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "PROFILE.csv",
		.doc = "Reports what a file of measurements holds, class by class, and what is odd about it.",
		.children = children,
	};
	struct options options = {.input = {0}};
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	struct perseus_error err;
	struct perseus_profile *profile = NULL;
	int exit_code;
	if (perseus__input_load(&options.input, &profile, &err) == PERSEUS_OK) {
		perseus__input_note(&options.input);
		struct perseus__text text = perseus__result_text();
		if (options.as_json)
			perseus__profile_json(&text, profile, options.with_fit);
		else
			write_report(&options, profile, &text);
		exit_code = perseus__print_result(&text);
	} else {
		exit_code = perseus__print_error(&err);
	}
	perseus_profile_free(profile);
	perseus__input_fini(&options.input);
	return exit_code;
}
