/* Options of the agent. */
#include "cli/agent_options.h"

#include "base/error.h"
#include "cli/option_value.h"
#include "cli/signing_key.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_MODE = 500,
	KEY_SOCKET_PATH,
	KEY_SOCKET_PERMISSIONS,
	KEY_SOCKET_UID,
	KEY_SOCKET_GID,
	KEY_TCP_ADDRESS,
	KEY_WORKERS,
	KEY_GPU_HZ,
	KEY_CPU_HZ,
	KEY_BACKEND,
	KEY_ENABLE,
	KEY_OVERRIDES,
	KEY_SIGNING_KEY,
	KEY_USER,
	KEY_ALLOW,
	KEY_RATE,
	KEY_CLOCK_RANGE,
	KEY_POWER_RANGE,
	KEY_STANDING_CLOCKS,
	KEY_LEASE_TTL,
	KEY_STATE_DIR,
	KEY_STRICT_MEMORY,
	KEY_SSE_FORMAT,
	KEY_READ_ONLY,
	KEY_RESTORE,
	KEY_LOG_LEVEL,
};

static const int64_t SECOND_NS = 1000000000;
static const int64_t DAY_S = 86400;

static const struct argp_option serve_table[] = {
	{NULL, 0, NULL, 0, "As `zeusd serve` has them", 1},
	{"mode", KEY_MODE, "uds|tcp|both", 0, "Which sockets to serve on (default uds)", 0},
	{"socket-path", KEY_SOCKET_PATH, "PATH", 0,
		"The Unix socket (default /run/perseus/agent.sock; of zeusd /run/zeusd/zeusd.sock)", 0},
	{"socket-permissions", KEY_SOCKET_PERMISSIONS, "OCTAL", 0, "Its mode (default 660; of zeusd 666)", 0},
	{"socket-uid", KEY_SOCKET_UID, "UID", 0, "Its owner", 0},
	{"socket-gid", KEY_SOCKET_GID, "GID", 0, "Its group (default perseus, where there is one; of zeusd none)", 0},
	{"tcp-bind-address", KEY_TCP_ADDRESS, "HOST:PORT", 0, "The TCP socket (default 127.0.0.1:4938)", 0},
	{"num-workers", KEY_WORKERS, "N", 0, "Threads that serve each socket (default 4)", 0},
	{"gpu-power-poll-hz", KEY_GPU_HZ, "HZ", 0, "How often streams poll a GPU (default 20)", 0},
	{"cpu-power-poll-hz", KEY_CPU_HZ, "HZ", 0, "How often streams poll a CPU (default 10)", 0},
	{"gpu-backend", KEY_BACKEND, "auto|nvml|amdsmi", 0, "auto and nvml are the same; there is no amdsmi", 0},
	{"enable", KEY_ENABLE, "GROUP[,GROUP...]", 0,
		"API groups: gpu-control, gpu-read, cpu-read (default: those that work here)", 0},
	{"gpu-command-overrides", KEY_OVERRIDES, "FILE.toml", 0, "Site commands in the place of the driver's calls", 0},
	{"signing-key-path", KEY_SIGNING_KEY, "FILE", 0, "Ask for tokens that are signed with this key", 0},
	{0},
};

static const struct argp_option agent_table[] = {
	{NULL, 0, NULL, 0, "Access", 2},
	{"allow", KEY_ALLOW, "USER[:GPU,...]", 0,
		"Who may write over the Unix socket: a user, a UID or a @GROUP, all GPUs or those listed; may be repeated "
		"(default: whoever can open the socket)",
		0},
	{"rate", KEY_RATE, "N", 0, "Writes per second of one user, token or address (default: any number)", 0},
	{"clock-range", KEY_CLOCK_RANGE, "MIN-MAX", 0, "SM clocks that may be set, in MHz", 0},
	{"power-range", KEY_POWER_RANGE, "MIN-MAX", 0, "Power limits that may be set, in W", 0},
	{"strict-memory-clocks", KEY_STRICT_MEMORY, NULL, 0,
		"Refuse to lock memory clocks where the GPU cannot; else that counts as done, as Zeus' clock controller ends "
		"otherwise",
		0},
	{NULL, 0, NULL, 0, "Leases", 3},
	{"lease-ttl", KEY_LEASE_TTL, "SECONDS", 0,
		"How long settings last that came by token or TCP and name no time (default 86400); those of a process on the "
		"Unix socket last as long as it does",
		0},
	{"standing-clocks", KEY_STANDING_CLOCKS, "MIN-MAX", 0,
		"SM clocks that hold where nobody has a lease, in MHz, as the driver cannot tell (default: free)", 0},
	{"state-dir", KEY_STATE_DIR, "DIR", 0, "Where settings found are kept (default /run/perseus/saved)", 0},
	{"restore", KEY_RESTORE, NULL, 0, "Put back what an agent left in the state directory, and end", 0},
	{NULL, 0, NULL, 0, "Process", 4},
	{"read-only", KEY_READ_ONLY, NULL, 0, "Serve reads alone, from a process that cannot write", 0},
	{"user", KEY_USER, "NAME", 0, "Who serves HTTP where the agent is root (default perseus, else nobody)", 0},
	{"sse-format", KEY_SSE_FORMAT, "device|snapshot", 0,
		"Events of streams: one device each, or all at once as up to zeusd 0.4 (default device)", 0},
	{"log-level", KEY_LOG_LEVEL, "LEVEL", 0, "error, warning, notice, info (default) or debug", 0},
	{0},
};

void
perseus__agent_options_init(struct perseus__agent_options *options, bool as_zeusd)
{
	*options = (struct perseus__agent_options){
		.is_zeusd = as_zeusd,
		.mode = PERSEUS__MODE_UDS,
		.socket_path = as_zeusd ? "/run/zeusd/zeusd.sock" : "/run/perseus/agent.sock",
		.tcp_address = "127.0.0.1:4938",
		.log_level = PERSEUS__LOG_INFO,
		.settings =
				{
					.socket = {.mode = as_zeusd ? 0666 : 0660},
					.must_offer = as_zeusd,
					.front = {.groups = (1U << PERSEUS__N_GROUPS) - 1, .gpu_poll_hz = 20, .cpu_poll_hz = 10},
					.server = perseus__server_settings_default(),
					.executor =
							{
								.state_dir = "/run/perseus/saved",
								.lease_ttl_ns = DAY_S * SECOND_NS,
								.max_lease_ttl_ns = 30 * DAY_S * SECOND_NS,
								.is_lenient_memory_clocks = true,
							},
				},
	};
	const struct group *group = as_zeusd ? NULL : getgrnam("perseus");
	if (group) {
		options->settings.socket.has_gid = true;
		options->settings.socket.gid = group->gr_gid;
	}
}

/* "855-1410", in units of which the range has `unit` each. */
static struct perseus__range
parse_range(const struct argp_state *state, const char *option, const char *arg, int64_t unit)
{
	char low[64] = "";
	const char *dash = strchr(arg, '-');
	if (!dash || (size_t)(dash - arg) >= sizeof low) {
		argp_error(state, "%s takes MIN-MAX, not '%s'", option, arg);
		return (struct perseus__range){0};
	}
	memcpy(low, arg, (size_t)(dash - arg));
	const struct perseus__range range = {
		perseus__option_scaled(state, option, low, unit), perseus__option_scaled(state, option, dash + 1, unit)};
	if (range.low > range.high || range.high == 0)
		argp_error(state, "%s: %s is no range", option, arg);
	return range;
}

static error_t
parse_socket_option(int key, const char *arg, const struct argp_state *state)
{
	static const char *const modes[] = {"uds", "tcp", "both", NULL};
	static const char *const zeusd_modes[] = {"uds", "tcp", NULL};
	struct perseus__agent_options *options = state->input;
	struct perseus__unix_socket *socket = &options->settings.socket;
	switch (key) {
	case KEY_MODE:
		options->has_mode = true;
		options->mode = (enum perseus__agent_mode)perseus__option_word(
				state, "--mode", arg, options->is_zeusd ? zeusd_modes : modes);
		return 0;
	case KEY_SOCKET_PATH:
		options->socket_path = arg;
		return 0;
	case KEY_SOCKET_PERMISSIONS:
		socket->mode = (mode_t)perseus__option_mode(state, "--socket-permissions", arg);
		return 0;
	case KEY_SOCKET_UID:
		socket->has_uid = true;
		socket->uid = (uid_t)perseus__option_count(state, "--socket-uid", arg, 0, INT32_MAX);
		return 0;
	case KEY_SOCKET_GID:
		socket->has_gid = true;
		socket->gid = (gid_t)perseus__option_count(state, "--socket-gid", arg, 0, INT32_MAX);
		return 0;
	case KEY_TCP_ADDRESS:
		options->has_tcp_address = true;
		options->tcp_address = arg;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse_serve_option(int key, char *arg, struct argp_state *state)
{
	static const char *const backends[] = {"auto", "nvml", "amdsmi", NULL};
	struct perseus__agent_options *options = state->input;
	struct perseus__agent_settings *settings = &options->settings;
	switch (key) {
	case KEY_WORKERS:
		settings->server.n_threads = perseus__option_count(state, "--num-workers", arg, 1, PERSEUS__SERVER_MAX_THREADS);
		return 0;
	case KEY_GPU_HZ:
		settings->front.gpu_poll_hz = perseus__option_count(state, "--gpu-power-poll-hz", arg, 1, 1000);
		return 0;
	case KEY_CPU_HZ:
		settings->front.cpu_poll_hz = perseus__option_count(state, "--cpu-power-poll-hz", arg, 1, 1000);
		return 0;
	case KEY_BACKEND:
		options->wants_amdsmi = perseus__option_word(state, "--gpu-backend", arg, backends) == 2;
		return 0;
	case KEY_ENABLE:
		settings->front.groups = perseus__groups_parse(state, "--enable", arg);
		settings->must_offer = true;
		return 0;
	case KEY_OVERRIDES:
		settings->overrides = arg;
		return 0;
	case KEY_SIGNING_KEY:
		options->key_path = arg;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return parse_socket_option(key, arg, state);
	}
}

static void
parse_log_level(struct perseus__agent_options *options, const struct argp_state *state, const char *arg)
{
	if (!perseus__log_level_parse(arg, &options->log_level))
		argp_error(state, "--log-level takes error, warning, notice, info or debug, not '%s'", arg);
}

static void
add_allow(struct perseus__agent_options *options, const struct argp_state *state, const char *arg)
{
	struct perseus__front_settings *front = &options->settings.front;
	if (front->n_allow == PERSEUS__MAX_ALLOW)
		argp_error(state, "more than %d times --allow", PERSEUS__MAX_ALLOW);
	perseus__allow_parse(state, arg, &options->allow[front->n_allow++]);
}

static error_t
parse_limit_option(int key, const char *arg, const struct argp_state *state)
{
	struct perseus__agent_options *options = state->input;
	struct perseus__executor_settings *executor = &options->settings.executor;
	switch (key) {
	case KEY_ALLOW:
		add_allow(options, state, arg);
		return 0;
	case KEY_RATE:
		options->settings.front.writes_per_s = perseus__option_count(state, "--rate", arg, 1, 1000000);
		return 0;
	case KEY_CLOCK_RANGE:
		executor->ranges[PERSEUS_SETTING_SM_CLOCKS] = parse_range(state, "--clock-range", arg, 1);
		return 0;
	case KEY_POWER_RANGE:
		executor->ranges[PERSEUS_SETTING_POWER_LIMIT] = parse_range(state, "--power-range", arg, 1000);
		return 0;
	case KEY_STANDING_CLOCKS:
		executor->standing_sm_clocks = parse_range(state, "--standing-clocks", arg, 1);
		return 0;
	case KEY_LEASE_TTL:
		executor->lease_ttl_ns = SECOND_NS
				* perseus__option_count(
						state, "--lease-ttl", arg, 1, (int32_t)(executor->max_lease_ttl_ns / SECOND_NS));
		return 0;
	case KEY_STRICT_MEMORY:
		executor->is_lenient_memory_clocks = false;
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t
parse_agent_option(int key, char *arg, struct argp_state *state)
{
	static const char *const formats[] = {"device", "snapshot", NULL};
	struct perseus__agent_options *options = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = options;
		state->child_inputs[1] = &options->node;
		return 0;
	case KEY_USER:
		options->settings.user = arg;
		return 0;
	case KEY_STATE_DIR:
		options->settings.executor.state_dir = arg;
		return 0;
	case KEY_SSE_FORMAT:
		options->settings.front.is_snapshot = perseus__option_word(state, "--sse-format", arg, formats) == 1;
		return 0;
	case KEY_READ_ONLY:
		options->settings.is_read_only = true;
		return 0;
	case KEY_RESTORE:
		options->wants_restore = true;
		return 0;
	case KEY_LOG_LEVEL:
		parse_log_level(options, state, arg);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return parse_limit_option(key, arg, state);
	}
}

const struct argp perseus__serve_argp = {.options = serve_table, .parser = parse_serve_option};

static const struct argp_child children[] = {
	{&perseus__serve_argp, 0, NULL, 0}, {&perseus__node_argp, 0, NULL, 0}, {0}};
const struct argp perseus__agent_argp = {
	.options = agent_table,
	.parser = parse_agent_option,
	.doc = "Serves measurement and control of this machine's devices to its users, and puts every setting back when "
		   "its holder has gone. Speaks zeusd's API.",
	.children = children,
};

enum perseus_status
perseus__agent_options_finish(struct perseus__agent_options *options, struct perseus_error *err)
{
	struct perseus__agent_settings *settings = &options->settings;
	if (options->wants_amdsmi)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "--gpu-backend amdsmi: AMD's GPUs are not supported");
	if (options->has_tcp_address && !options->has_mode && !options->is_zeusd)
		options->mode = PERSEUS__MODE_BOTH;
	settings->devices = options->node.devices;
	/* The agent serves every job, whatever its own environment shows it. */
	settings->node = (struct perseus_node_settings){.rapl_root = options->node.rapl_root};
	settings->socket.path = options->mode == PERSEUS__MODE_TCP ? NULL : options->socket_path;
	settings->tcp_address = options->mode == PERSEUS__MODE_UDS ? NULL : options->tcp_address;
	settings->front.allow = options->allow;
	return options->key_path ? perseus__signing_key_read(options->key_path, &settings->front.key, err) : PERSEUS_OK;
}
