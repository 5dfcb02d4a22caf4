/*
 * One rank of a training that computes nothing: a 1F1B pipeline whose instructions are work for a simulated GPU, told
 * to a client of Perseus as an adapter would. The cheapest whole loop of client, agent and server in real processes.
 *
 *   live_rank KEY=VALUE...
 *
 *   dir=DIR          where the ranks meet; a line per step goes to DIR/rank_R.jsonl
 *   rank=R pp=P dp=D microbatches=M
 *   forward_ms=A,B,… of each stage, at the highest clock; backward is twice that
 *   devices=SPEC     simulated GPUs, of which it takes number R
 *   server=URL agent=SOCKET control=NAME job=NAME
 *   steps=N          0: until DIR/stop is there
 *   free=N           steps before the client is opened
 */
#include "live_board.h"

#include "base/clock.h"
#include "device/sim.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <perseus/client.h>

enum { MAX_STAGES = 16, MAX_ORDER = 2 * BOARD_MAX_MICROBATCHES, ITEM_BYTES = 24 };

/* Backward keeps more of a GPU busy than forward; as examples/live/train.py. */
static const double FORWARD_LOAD = 0.85;
static const double BACKWARD_LOAD = 1;
static const double BACKWARD_COST = 2;

struct options {
	const char *dir;
	const char *devices;
	const char *server;
	const char *agent;
	const char *control;
	const char *job;
	double forward_ms[MAX_STAGES];
	int32_t rank;
	int32_t n_pp;
	int32_t n_dp;
	int32_t n_microbatches;
	int64_t n_steps;
	int64_t n_free;
};

struct instruction {
	enum perseus_kind kind;
	int32_t microbatch;
	char text[ITEM_BYTES];
};

struct rank {
	struct options options;
	struct board *board;
	struct perseus_node *node;
	struct perseus_client *client;
	FILE *log;
	struct instruction order[MAX_ORDER];
	int32_t n_order;
	int32_t pp;
	int32_t dp;
};

static void
require(enum perseus_status status, const struct perseus_error *err)
{
	if (status == PERSEUS_OK)
		return;
	(void)fprintf(stderr, "live_rank: %s\n", err->message);
	exit(perseus_status_exit_code(status));
}

static void
read_times(const char *text, double *forward_ms)
{
	char *end = NULL;
	for (int32_t stage = 0; stage < MAX_STAGES; stage++) {
		forward_ms[stage] = strtod(text, &end);
		text = *end == ',' ? end + 1 : text; /* the last one holds for all that follow */
	}
}

static void
read_option(struct options *options, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **text;
		int32_t *number;
		int64_t *count;
	} known[] = {
		{"dir", &options->dir, NULL, NULL},
		{"devices", &options->devices, NULL, NULL},
		{"server", &options->server, NULL, NULL},
		{"agent", &options->agent, NULL, NULL},
		{"control", &options->control, NULL, NULL},
		{"job", &options->job, NULL, NULL},
		{"rank", NULL, &options->rank, NULL},
		{"pp", NULL, &options->n_pp, NULL},
		{"dp", NULL, &options->n_dp, NULL},
		{"microbatches", NULL, &options->n_microbatches, NULL},
		{"steps", NULL, NULL, &options->n_steps},
		{"free", NULL, NULL, &options->n_free},
	};
	if (strcmp(name, "forward_ms") == 0) {
		read_times(value, options->forward_ms);
		return;
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (strcmp(name, known[i].name) != 0)
			continue;
		if (known[i].text)
			*known[i].text = value;
		else if (known[i].number)
			*known[i].number = (int32_t)strtol(value, NULL, 10);
		else
			*known[i].count = strtoll(value, NULL, 10);
		return;
	}
	(void)fprintf(stderr, "live_rank: what is '%s'?\n", name);
	exit(2);
}

static struct options
read_options(int argc, char **argv)
{
	struct options options = {.n_pp = 1, .n_dp = 1, .n_microbatches = 4, .control = "auto", .job = "live"};
	read_times("10", options.forward_ms);
	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		if (!value)
			read_option(&options, argv[i], "");
		*value = '\0';
		read_option(&options, argv[i], value + 1);
	}
	if (!options.dir || !options.devices || options.n_microbatches > BOARD_MAX_MICROBATCHES || options.n_pp > MAX_STAGES
			|| options.n_pp * options.n_dp > BOARD_MAX_RANKS) {
		(void)fprintf(stderr, "live_rank: dir, devices, and no more than there is room for\n");
		exit(2);
	}
	return options;
}

static void
add(struct rank *rank, enum perseus_kind kind, int32_t microbatch)
{
	struct instruction *item = &rank->order[rank->n_order++];
	*item = (struct instruction){.kind = kind, .microbatch = microbatch};
	(void)snprintf(
			item->text, sizeof item->text, "%d%s%d", rank->pp, kind == PERSEUS_KIND_FORWARD ? "F" : "B", microbatch);
}

/* 1F1B: forwards until the pipeline is full, one of each in turn, backwards until it is empty. */
static void
make_order(struct rank *rank)
{
	const int32_t n = rank->options.n_microbatches;
	const int32_t ahead = rank->options.n_pp - 1 - rank->pp;
	const int32_t n_first = ahead < n ? ahead : n;
	for (int32_t i = 0; i < n_first; i++)
		add(rank, PERSEUS_KIND_FORWARD, i);
	for (int32_t i = 0; i < n; i++) {
		if (n_first + i < n)
			add(rank, PERSEUS_KIND_FORWARD, n_first + i);
		add(rank, PERSEUS_KIND_BACKWARD, i);
	}
}

static void
log_line(void *user, const char *line)
{
	const struct rank *rank = user;
	(void)fprintf(stderr, "rank %d: %s\n", rank->options.rank, line);
}

static void
open_client(struct rank *rank, int64_t first_step)
{
	const struct options *options = &rank->options;
	const char *order[MAX_ORDER];
	for (int32_t i = 0; i < rank->n_order; i++)
		order[i] = rank->order[i].text;
	const char *const keys[] = {"model"};
	const char *const values[] = {"nothing"};
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.server_url = options->server;
	settings.job_name = options->job;
	settings.job_key = options->job;
	settings.n_dp = options->n_dp;
	settings.n_pp = options->n_pp;
	settings.fingerprint_keys = keys;
	settings.fingerprint_values = values;
	settings.n_fingerprint = 1;
	settings.rank = options->rank;
	settings.dp = rank->dp;
	settings.pp = rank->pp;
	settings.order = order;
	settings.n_order = rank->n_order;
	settings.first_step = first_step;
	settings.devices = options->devices;
	settings.gpu = options->rank;
	settings.agent_socket = options->agent;
	settings.log = log_line;
	settings.user = rank;
	if (!perseus_control_find(options->control, &settings.control)) {
		(void)fprintf(stderr, "live_rank: no control is called '%s'\n", options->control);
		exit(2);
	}
	struct perseus_error err;
	require(perseus_client_open(&settings, &rank->client, &err), &err);
}

/* Waits for what the instruction needs of a neighbour, and lets the GPU do it. */
static void
run_instruction(struct rank *rank, const struct instruction *item, int64_t step)
{
	const bool is_forward = item->kind == PERSEUS_KIND_FORWARD;
	const enum board_mark mark = is_forward ? BOARD_FORWARD : BOARD_BACKWARD;
	const int32_t me = rank->options.rank;
	if (is_forward && rank->pp > 0)
		board_wait(rank->board, me - 1, mark, item->microbatch, step);
	if (!is_forward && rank->pp < rank->options.n_pp - 1)
		board_wait(rank->board, me + 1, mark, item->microbatch, step);
	const double work_ms = rank->options.forward_ms[rank->pp] * (is_forward ? 1 : BACKWARD_COST);
	struct perseus_error err;
	perseus_client_begin(rank->client, item->kind, rank->pp, item->microbatch);
	require(perseus__sim_run(rank->node, me, is_forward ? FORWARD_LOAD : BACKWARD_LOAD, (int64_t)(work_ms * 1e6), &err),
			&err);
	perseus_client_end(rank->client);
	board_set(rank->board, me, mark, item->microbatch, step);
}

/* Gradients: nobody goes on before all have come. */
static void
reduce(struct rank *rank, int64_t step)
{
	board_set(rank->board, rank->options.rank, BOARD_STEP, 0, step);
	for (int32_t other = 0; other < rank->options.n_pp * rank->options.n_dp; other++)
		board_wait(rank->board, other, BOARD_STEP, 0, step);
}

struct moment {
	int64_t time_ns;
	int64_t span_ns; /* of the step's instructions */
	int64_t true_nj;
};

static struct moment
now(const struct rank *rank)
{
	struct moment moment = {.time_ns = perseus__clock_mono_ns()};
	struct perseus_error err;
	require(perseus__sim_true_energy(rank->node, rank->options.rank, &moment.true_nj, &err), &err);
	return moment;
}

static void
write_line(struct rank *rank, int64_t step, struct moment began, struct moment ended)
{
	struct perseus_client_info info = {.revision = -1};
	if (rank->client)
		perseus_client_info(rank->client, &info);
	(void)fprintf(rank->log,
			"{\"step\": %" PRId64
			", \"time_s\": %.9f, \"span_s\": %.9f, \"energy_j\": %.9f, \"ended_s\": %.9f, \"phase\": \"%s\", "
			"\"revision\": %" PRId64 ", \"acknowledged\": %" PRId64 ", \"followed\": %" PRId64 ", \"refused\": %" PRId64
			", \"lost\": %" PRId64 ", \"job\": \"%s\", \"control\": \"%s\"}\n",
			step, (double)(ended.time_ns - began.time_ns) / 1e9, (double)ended.span_ns / 1e9,
			(double)(ended.true_nj - began.true_nj) / 1e9, (double)ended.time_ns / 1e9, info.phase, info.revision,
			info.n_acknowledged, info.n_followed, info.n_clocks_refused, info.n_lost, info.job,
			perseus_control_name(info.control));
	(void)fflush(rank->log); /* the test sees what is missing */
}

static bool
is_over(const struct rank *rank, int64_t n_done)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof path, "%s/stop", rank->options.dir);
	return rank->options.n_steps > 0 ? n_done >= rank->options.n_steps : access(path, F_OK) == 0;
}

static void
train(struct rank *rank)
{
	int64_t step = board_join(rank->board, rank->options.rank, rank->options.n_pp * rank->options.n_dp);
	struct moment began = now(rank);
	for (int64_t n_done = 0; !is_over(rank, n_done); n_done++) {
		if (n_done == rank->options.n_free && rank->options.server)
			open_client(rank, step);
		board_begin(rank->board, rank->options.rank, step);
		perseus_client_step_begin(rank->client);
		for (int32_t i = 0; i < rank->n_order; i++)
			run_instruction(rank, &rank->order[i], step);
		perseus_client_step_end(rank->client);
		const int64_t instructions_ended_ns = perseus__clock_mono_ns();
		reduce(rank, step);
		struct moment ended = now(rank);
		ended.span_ns = instructions_ended_ns - began.time_ns;
		write_line(rank, step, began, ended);
		began = ended;
		step++;
	}
}

int
main(int argc, char **argv)
{
	static struct rank rank;
	char path[PATH_MAX];
	struct perseus_error err;
	rank.options = read_options(argc, argv);
	rank.pp = rank.options.rank % rank.options.n_pp;
	rank.dp = rank.options.rank / rank.options.n_pp;
	(void)snprintf(path, sizeof path, "%s/board", rank.options.dir);
	rank.board = board_open(path);
	(void)snprintf(path, sizeof path, "%s/rank_%d.jsonl", rank.options.dir, rank.options.rank);
	rank.log = fopen(path, "ae");
	if (!rank.board || !rank.log)
		return 1;
	require(perseus_node_open(rank.options.devices, NULL, &rank.node, &err), &err);
	require(perseus__sim_load(rank.node, rank.options.rank, PERSEUS__SIM_BLOCKING, &err), &err);
	make_order(&rank);
	train(&rank);
	perseus_client_close(rank.client);
	require(perseus__sim_load(rank.node, rank.options.rank, 0, &err), &err);
	perseus_node_close(rank.node);
	return fclose(rank.log) == 0 ? 0 : 1;
}
