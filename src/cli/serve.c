/* perseus serve */
#include "cli/command.h"
#include "cli/serve_options.h"

#include <unistd.h>

int
perseus__run_serve(int argc, char **argv)
{
	struct perseus__serve_options options;
	struct perseus_error err;
	perseus__serve_options_init(&options);
	(void)argp_parse(&perseus__serve_argp, argc, argv, 0, NULL, &options);
	enum perseus_status status = perseus__serve_options_finish(&options, environ, &err);
	if (status == PERSEUS_OK) {
		perseus__log_open(STDERR_FILENO, options.log_level);
		status = perseus__serve_run(&options.settings, &err);
	}
	perseus__serve_options_fini(&options);
	return status == PERSEUS_OK ? 0 : perseus__print_error(&err);
}
