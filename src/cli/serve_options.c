/* Options of the job server. */
#include "cli/serve_options.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/duration.h"
#include "cli/option_value.h"
#include "cli/signing_key.h"
#include "format/output_file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	KEY_LISTEN = 500,
	KEY_SOCKET,
	KEY_SOCKET_PERMISSIONS,
	KEY_DATABASE,
	KEY_TOKEN_KEY,
	KEY_ZEUS_TOKEN,
	KEY_RATE,
	KEY_MAX_IDLE,
	KEY_PLANNERS,
	KEY_THREADS,
	KEY_ZEUS_SOLUTION,
	KEY_ZEUS_SCHEDULER,
	KEY_ZEUS_DUMP_DIR,
	KEY_ZEUS_NO_DUMPS,
	KEY_LOG_LEVEL,
};

static const struct argp_option option_table[] = {
	{NULL, 0, NULL, 0, "Where", 1},
	{"listen", KEY_LISTEN, "HOST:PORT", 0, "A TCP socket; may be repeated (default 127.0.0.1:7787, unless --socket)",
		0},
	{"socket", KEY_SOCKET, "PATH", 0, "A Unix socket", 0},
	{"socket-permissions", KEY_SOCKET_PERMISSIONS, "OCTAL", 0, "Its mode (default 660)", 0},
	{"database", KEY_DATABASE, "FILE", 0,
		"Where jobs are kept (default server.db in $STATE_DIRECTORY, else in perseus below $XDG_STATE_HOME or "
		"~/.local/state)",
		0},
	{"max-idle", KEY_MAX_IDLE, "DURATION", 0, "After how long a job that nobody speaks of is ended (default 7d)", 0},
	{NULL, 0, NULL, 0, "Access", 2},
	{"token-key", KEY_TOKEN_KEY, "FILE", 0, "Ask for tokens that are signed with this key", 0},
	{"require-token-for-zeus", KEY_ZEUS_TOKEN, NULL, 0, "Of Zeus's clients, too, which send none by themselves", 0},
	{"rate", KEY_RATE, "N", 0, "Requests per second of one token, user or address (default: any number)", 0},
	{NULL, 0, NULL, 0, "Zeus's clients", 3},
	{"zeus-solution", KEY_ZEUS_SOLUTION, "FILE", 0, "The clocks that they get: a solution file, .py or .json", 0},
	{"zeus-scheduler", KEY_ZEUS_SCHEDULER, "NAME", 0, "PointSolution (default) or PointSolution3D", 0},
	{"zeus-dump-dir", KEY_ZEUS_DUMP_DIR, "DIR", 0, "Where their jobs are written down (default ./dump)", 0},
	{"no-zeus-dumps", KEY_ZEUS_NO_DUMPS, NULL, 0, "Do not write them down", 0},
	{NULL, 0, NULL, 0, "Process", 4},
	{"planner-threads", KEY_PLANNERS, "N", 0, "Threads that plan (default 2)", 0},
	{"threads", KEY_THREADS, "N", 0, "Threads that serve each socket (default 2)", 0},
	{"log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warning, notice, info (default) or debug", 0},
	{0},
};

void
perseus__serve_options_init(struct perseus__serve_options *options)
{
	*options = (struct perseus__serve_options){
		.settings = perseus__serve_settings_default(),
		.log_level = PERSEUS__LOG_INFO,
	};
}

static void
add_address(struct perseus__serve_options *options, const struct argp_state *state, const char *arg)
{
	if (options->settings.n_tcp_addresses == PERSEUS__SERVER_MAX_SOCKETS)
		argp_error(state, "more than %d times --listen", PERSEUS__SERVER_MAX_SOCKETS);
	else
		options->addresses[options->settings.n_tcp_addresses++] = arg;
}

static error_t
parse_zeus_option(int key, const char *arg, const struct argp_state *state)
{
	struct perseus__serve_options *options = state->input;
	switch (key) {
	case KEY_ZEUS_TOKEN:
		options->settings.api.zeus_needs_token = true;
		return 0;
	case KEY_ZEUS_SOLUTION:
		options->zeus_solution = arg;
		return 0;
	case KEY_ZEUS_SCHEDULER:
		options->zeus_scheduler = arg;
		return 0;
	case KEY_ZEUS_DUMP_DIR:
		options->zeus_dump_dir = arg;
		return 0;
	case KEY_ZEUS_NO_DUMPS:
		options->has_no_zeus_dumps = true;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct perseus__serve_options *options = state->input;
	switch (key) {
	case KEY_LISTEN:
		add_address(options, state, arg);
		return 0;
	case KEY_SOCKET:
		options->settings.socket.path = arg;
		return 0;
	case KEY_SOCKET_PERMISSIONS:
		options->settings.socket.mode = (mode_t)perseus__option_mode(state, "--socket-permissions", arg);
		return 0;
	case KEY_DATABASE:
		options->database = arg;
		return 0;
	case KEY_TOKEN_KEY:
		options->key_path = arg;
		return 0;
	case KEY_RATE:
		options->settings.api.requests_per_s = perseus__option_count(state, "--rate", arg, 1, 1000000);
		return 0;
	case KEY_THREADS:
		options->settings.server.n_threads =
				perseus__option_count(state, "--threads", arg, 1, PERSEUS__SERVER_MAX_THREADS);
		return 0;
	case KEY_PLANNERS:
		options->settings.planner.n_threads =
				perseus__option_count(state, "--planner-threads", arg, 1, PERSEUS__SERVER_MAX_THREADS);
		return 0;
	case KEY_MAX_IDLE:
		if (!perseus__duration_parse(arg, &options->max_idle_s) || options->max_idle_s <= 0)
			argp_error(state, "--max-idle takes a duration such as 12h or 7d, not '%s'", arg);
		return 0;
	case KEY_LOG_LEVEL:
		options->has_log_level = true;
		if (!perseus__log_level_parse(arg, &options->log_level))
			argp_error(state, "--log-level takes error, warning, notice, info or debug, not '%s'", arg);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return parse_zeus_option(key, arg, state);
	}
}

const struct argp perseus__serve_argp = {
	.options = option_table,
	.parser = parse_option,
	.doc = "Plans the clocks of training jobs while they train: profiles them, gives every rank its clocks, watches "
		   "for stragglers. Serves Zeus's pipeline frequency clients, too; ZEUS_PFO_* in the environment say what they "
		   "say to Zeus's own server, where no option does.",
};

/* NULL for what is unset or empty. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

static enum perseus_status
find_database(struct perseus__serve_options *options, struct perseus_error *err)
{
	const char *service = variable("STATE_DIRECTORY");
	const char *state = variable("XDG_STATE_HOME");
	const char *home = variable("HOME");
	char *path = NULL;
	if (options->database)
		path = perseus__copy_string(options->database);
	else if (service)
		path = perseus__output_path(service, "server.db");
	else if (state || home)
		path = perseus__output_path(
				state ? state : home, state ? "perseus/server.db" : ".local/state/perseus/server.db");
	else
		return perseus__fail(err, PERSEUS_INVALID, "where are jobs to be kept? --database says it, or HOME");
	if (!path)
		return perseus__no_memory(err);
	options->database_path = path;
	options->settings.database = path;
	return options->database ? PERSEUS_OK : perseus__output_parents(path, err);
}

/* Zeus's levels. Its default, DEBUG, is ours only where it is said. */
static enum perseus_status
take_zeus_level(struct perseus__serve_options *options, struct perseus_error *err)
{
	static const struct {
		const char *name;
		enum perseus__log_level level;
	} levels[] = {{"DEBUG", PERSEUS__LOG_DEBUG}, {"INFO", PERSEUS__LOG_INFO}, {"WARNING", PERSEUS__LOG_WARNING},
		{"ERROR", PERSEUS__LOG_ERROR}, {"CRITICAL", PERSEUS__LOG_ERROR}};
	const char *given = options->settings.zeus.log_level;
	if (!given || options->has_log_level)
		return PERSEUS_OK;
	for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
		if (strcasecmp(given, levels[i].name) == 0) {
			options->log_level = levels[i].level;
			return PERSEUS_OK;
		}
	return perseus__fail(err, PERSEUS_INVALID, "ZEUS_PFO_LOG_LEVEL: '%s' is no level", given);
}

static enum perseus_status
finish_zeus(struct perseus__serve_options *options, char *const *environment, struct perseus_error *err)
{
	struct perseus__zeus_settings *zeus = &options->settings.zeus;
	enum perseus_status status = perseus__zeus_settings_init(zeus, err);
	if (status == PERSEUS_OK)
		status = perseus__zeus_settings_read(zeus, environment, err);
	if (status == PERSEUS_OK && options->zeus_scheduler)
		status = perseus__zeus_settings_set(zeus, "SCHEDULER", options->zeus_scheduler, err);
	if (status == PERSEUS_OK && options->zeus_solution)
		status = perseus__zeus_settings_text(&zeus->solution_path, options->zeus_solution, err);
	if (status == PERSEUS_OK && options->zeus_dump_dir)
		status = perseus__zeus_settings_text(&zeus->dump_dir, options->zeus_dump_dir, err);
	if (options->max_idle_s > 0)
		zeus->max_idle_s = options->max_idle_s;
	options->settings.jobs.max_idle_ms = zeus->max_idle_s * 1000;
	if (options->has_no_zeus_dumps)
		zeus->has_dumps = false;
	return status == PERSEUS_OK ? take_zeus_level(options, err) : status;
}

enum perseus_status
perseus__serve_options_finish(
		struct perseus__serve_options *options, char *const *environment, struct perseus_error *err)
{
	struct perseus__serve_settings *settings = &options->settings;
	enum perseus_status status = finish_zeus(options, environment, err);
	if (settings->n_tcp_addresses == 0 && !settings->socket.path)
		options->addresses[settings->n_tcp_addresses++] = "127.0.0.1:7787";
	settings->tcp_addresses = options->addresses;
	if (status == PERSEUS_OK)
		status = find_database(options, err);
	if (status == PERSEUS_OK && settings->api.zeus_needs_token && !options->key_path)
		return perseus__fail(err, PERSEUS_INVALID, "--require-token-for-zeus needs --token-key");
	if (status == PERSEUS_OK && options->key_path)
		status = perseus__signing_key_read(options->key_path, &settings->api.key, err);
	return status;
}

void
perseus__serve_options_fini(struct perseus__serve_options *options)
{
	perseus__zeus_settings_fini(&options->settings.zeus);
	perseus__free(options->settings.api.key.bytes);
	perseus__free(options->database_path);
}
