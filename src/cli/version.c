/* perseus version */
#include "cli/command.h"
#include "format/json_writer.h"

#include <perseus/version.h>

#include <argp.h>

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	bool *as_json = state->input;
	if (key == 'j')
		*as_json = true;
	else if (key == ARGP_KEY_ARG)
		argp_error(state, "'%s' is one argument too many", arg);
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

int
perseus__run_version(int argc, char **argv)
{
	static const struct argp_option options[] = {{"json", 'j', NULL, 0, "Print JSON", 0}, {0}};
	static const struct argp argp = {.options = options, .parser = parse_option, .doc = "Prints the version."};
	bool as_json = false;
	(void)argp_parse(&argp, argc, argv, 0, NULL, &as_json);
	struct perseus__text text = perseus__result_text();
	if (as_json) {
		struct perseus__json json = perseus__json_init(&text);
		perseus__json_open_object(&json, NULL, false);
		perseus__json_string(&json, "name", "perseus");
		perseus__json_string(&json, "version", perseus_version());
		perseus__json_close_object(&json);
	} else {
		perseus__text_addf(&text, "perseus %s\n", perseus_version());
	}
	return perseus__print_result(&text);
}
