/* Writes: commands to the executor, one after the other on each GPU, and what becomes of their answers. */
#include "agent/handlers.h"

#include "agent/access.h"
#include "agent/lease.h"
#include "agent/lease_json.h"
#include "agent/route.h"
#include "agent/selection.h"
#include "base/clock.h"
#include "base/memory.h"
#include "service/log.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

enum { MAX_ACTIONS = 2, NO_KEY = -1 };

/* One command for a GPU; its values come from keys of the query. */
struct action {
	enum perseus__command_kind kind;
	enum perseus_setting setting;
	int low_key;
	int high_key;
};

struct perseus__operation {
	int32_t n_actions;
	struct action actions[MAX_ACTIONS];
	bool answers_leases; /* else nothing but a code */
};

const struct perseus__operation perseus__set_power_limit = {1,
	{{PERSEUS__COMMAND_SET, PERSEUS_SETTING_POWER_LIMIT, PERSEUS__KEY_POWER_LIMIT_MW, PERSEUS__KEY_POWER_LIMIT_MW}},
	false};
const struct perseus__operation perseus__set_persistence = {
	1, {{PERSEUS__COMMAND_SET, PERSEUS_SETTING_PERSISTENCE, PERSEUS__KEY_ENABLED, PERSEUS__KEY_ENABLED}}, false};
const struct perseus__operation perseus__set_sm_clocks = {1,
	{{PERSEUS__COMMAND_SET, PERSEUS_SETTING_SM_CLOCKS, PERSEUS__KEY_MIN_CLOCK_MHZ, PERSEUS__KEY_MAX_CLOCK_MHZ}}, false};
const struct perseus__operation perseus__set_memory_clocks = {1,
	{{PERSEUS__COMMAND_SET, PERSEUS_SETTING_MEMORY_CLOCKS, PERSEUS__KEY_MIN_CLOCK_MHZ, PERSEUS__KEY_MAX_CLOCK_MHZ}},
	false};
const struct perseus__operation perseus__reset_sm_clocks = {
	1, {{PERSEUS__COMMAND_RESET, PERSEUS_SETTING_SM_CLOCKS, NO_KEY, NO_KEY}}, false};
const struct perseus__operation perseus__reset_memory_clocks = {
	1, {{PERSEUS__COMMAND_RESET, PERSEUS_SETTING_MEMORY_CLOCKS, NO_KEY, NO_KEY}}, false};
const struct perseus__operation perseus__reset_all_clocks = {2,
	{{PERSEUS__COMMAND_RESET, PERSEUS_SETTING_SM_CLOCKS, NO_KEY, NO_KEY},
		{PERSEUS__COMMAND_RESET, PERSEUS_SETTING_MEMORY_CLOCKS, NO_KEY, NO_KEY}},
	false};
const struct perseus__operation perseus__begin_lease = {1, {{.kind = PERSEUS__COMMAND_LEASE, .low_key = NO_KEY}}, true};
const struct perseus__operation perseus__end_lease = {
	1, {{.kind = PERSEUS__COMMAND_RELEASE, .low_key = NO_KEY}}, false};

/* One command under way. */
struct part {
	struct job *job;
	const struct action *action;
	int32_t gpu; /* its position */
	int64_t sent_ns;
	bool is_unsent; /* no answer comes */
	int code;       /* HTTP's */
	char message[PERSEUS__ANSWER_MESSAGE_BYTES];
	struct perseus__lease lease;
};

/* The commands of one request. */
struct job {
	struct perseus__front *front;
	struct perseus__exchange *exchange; /* NULL: nobody waits for the answers */
	bool answers_leases;
	struct perseus__holder holder;
	atomic_int n_left; /* answers, and one more until all commands are sent */
	int32_t n_parts;
	struct part parts[];
};

static void
add_failure(const struct part *part, int32_t *last_gpu, struct perseus__failures *failures)
{
	/* One for each GPU: the first. */
	if (part->gpu != *last_gpu)
		perseus__failures_add(failures, part->job->front->gpus[part->gpu].id, part->code, part->message);
	*last_gpu = part->gpu;
}

static void
respond_leases(const struct job *job, struct perseus__exchange *exchange)
{
	const int64_t now_ns = perseus__clock_mono_ns();
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_open_array(&json, "leases", false);
	for (int32_t i = 0; i < job->n_parts; i++)
		perseus__lease_write(&job->parts[i].lease, job->front->gpus[job->parts[i].gpu].id, now_ns, &json);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}

static void
respond(const struct job *job, struct perseus__exchange *exchange)
{
	struct perseus__failures failures;
	int32_t last_gpu = -1;
	perseus__failures_init(&failures);
	for (int32_t i = 0; i < job->n_parts; i++)
		if (job->parts[i].code != 200)
			add_failure(&job->parts[i], &last_gpu, &failures);
	if (perseus__failures_respond(&failures, exchange))
		return;
	if (job->answers_leases)
		respond_leases(job, exchange);
	else
		perseus__respond(exchange, 200);
}

/* Nobody waits for answers: all there is to tell is which commands could not even be sent. */
static void
respond_sent(const struct job *job, struct perseus__exchange *exchange)
{
	struct perseus__failures failures;
	int32_t last_gpu = -1;
	perseus__failures_init(&failures);
	for (int32_t i = 0; i < job->n_parts; i++)
		if (job->parts[i].is_unsent)
			add_failure(&job->parts[i], &last_gpu, &failures);
	if (!perseus__failures_respond(&failures, exchange))
		perseus__respond(exchange, 200);
}

/* Nobody waits: what failed is only told to whoever runs the agent. */
static void
log_failures(const struct job *job)
{
	char holder[PERSEUS__HOLDER_TEXT_BYTES];
	perseus__holder_text(&job->holder, holder);
	for (int32_t i = 0; i < job->n_parts; i++) {
		const struct part *part = &job->parts[i];
		if (part->code == 200 || part->is_unsent)
			continue;
		struct perseus__log_line line;
		perseus__log_begin(&line, PERSEUS__LOG_WARNING, "unheard-failure");
		perseus__log_text(&line, "holder", holder);
		perseus__log_integer(&line, "gpu", job->front->gpus[part->gpu].id);
		perseus__log_integer(&line, "code", part->code);
		perseus__log_text(&line, "why", part->message);
		perseus__log_end(&line);
	}
}

/* So many answers, or the end of sending, have come; the last concludes the job. */
static void
count_down(struct job *job, int32_t n)
{
	if (atomic_fetch_sub(&job->n_left, n) > n)
		return;
	struct perseus__exchange *exchange = job->exchange;
	if (exchange)
		respond(job, exchange);
	else
		log_failures(job);
	perseus__free(job);
	if (exchange)
		exchange->finish(exchange);
}

static bool
is_set(const struct action *action)
{
	return action->kind == PERSEUS__COMMAND_SET || action->kind == PERSEUS__COMMAND_RESET;
}

static bool
is_of_clocks(const struct action *action)
{
	return is_set(action)
			&& (action->setting == PERSEUS_SETTING_SM_CLOCKS || action->setting == PERSEUS_SETTING_MEMORY_CLOCKS);
}

static void
take_answer(void *user, const struct perseus__answer *answer)
{
	struct part *part = user;
	struct job *job = part->job;
	const enum perseus_status status = (enum perseus_status)answer->status;
	part->code = perseus__http_code(status);
	part->lease = answer->lease;
	(void)snprintf(part->message, sizeof part->message, "%s%.*s", status == PERSEUS_INVALID ? "Invalid request: " : "",
			PERSEUS__ANSWER_MESSAGE_BYTES - 32, answer->message);
	if (is_set(part->action))
		perseus__count_set_time(&job->front->counters, perseus__clock_mono_ns() - part->sent_ns);
	if (is_of_clocks(part->action))
		perseus__count_clock_set(&job->front->counters, part->gpu, status);
	count_down(job, 1);
}

static void
send_part(struct part *part, const struct perseus__query *query)
{
	struct perseus_error err;
	struct job *job = part->job;
	const struct action *action = part->action;
	struct perseus__command command = {
		.kind = action->kind,
		.device = job->front->gpus[part->gpu].device,
		.setting = action->setting,
		.low = action->low_key == NO_KEY ? 0 : query->values[action->low_key],
		.high = action->low_key == NO_KEY ? 0 : query->values[action->high_key],
		.ttl_ns = action->kind == PERSEUS__COMMAND_LEASE ? query->values[PERSEUS__KEY_TTL_S] * 1000000000 : 0,
		.holder = job->holder,
	};
	part->sent_ns = perseus__clock_mono_ns();
	if (perseus__link_send(job->front->link, &command, take_answer, part, &err) == PERSEUS_OK)
		return;
	/* The executor is gone, or too much waits on this GPU: in both cases later may be better. */
	part->is_unsent = true;
	part->code = 503;
	(void)snprintf(part->message, sizeof part->message, "%.*s", PERSEUS__ANSWER_MESSAGE_BYTES - 1, err.message);
}

/* The commands of GPU after GPU. */
static struct job *
new_job(struct perseus__front *front, struct perseus__exchange *exchange, const struct perseus__selection *selection)
{
	const struct perseus__operation *operation = perseus__call_of(exchange)->route->operation;
	const int32_t n_parts = selection->n * operation->n_actions;
	struct job *job = perseus__new_array(1, sizeof *job + (size_t)n_parts * sizeof *job->parts);
	if (!job)
		return NULL;
	job->front = front;
	job->answers_leases = operation->answers_leases;
	job->holder = perseus__call_of(exchange)->holder;
	job->n_parts = n_parts;
	atomic_init(&job->n_left, n_parts + 1);
	for (int32_t i = 0; i < n_parts; i++) {
		struct part *part = &job->parts[i];
		part->job = job;
		part->code = 200;
		part->gpu = selection->positions[i / operation->n_actions];
		part->action = &operation->actions[i % operation->n_actions];
	}
	return job;
}

/* GPUs of the path or of gpu_ids; what is wrong is told as zeusd tells it of writes. */
static bool
select_gpus(
		const struct perseus__front *front, struct perseus__exchange *exchange, struct perseus__selection *selection)
{
	const struct perseus__call *call = perseus__call_of(exchange);
	struct perseus_error err;
	int32_t ids[PERSEUS__MAX_IDS] = {(int32_t)call->path_id};
	selection->n = 1;
	if (call->query.given & PERSEUS__HAS_GPU_IDS
			&& perseus__query_ids(call->query.ids_text, ids, &selection->n, &err) != PERSEUS_OK) {
		perseus__respond_error(exchange, 400, "%s", err.message);
		return false;
	}
	for (int32_t i = 0; i < selection->n; i++) {
		selection->positions[i] = perseus__front_find_gpu(front, ids[i]);
		if (selection->positions[i] < 0) {
			perseus__respond_text(exchange, 400, "GPU index %" PRId32 " does not exist.", ids[i]);
			return false;
		}
	}
	return true;
}

/* The lease of a process lasts as long as the process. */
static bool
check_ttl(struct perseus__exchange *exchange)
{
	const struct perseus__call *call = perseus__call_of(exchange);
	if (call->holder.kind != PERSEUS__HOLDER_PROCESS || call->query.values[PERSEUS__KEY_TTL_S] == 0)
		return true;
	perseus__respond_error(exchange, 400, "Your lease ends with your process: `ttl_s` is for those of tokens and TCP.");
	return false;
}

static bool
may_write(const struct perseus__front *front, struct perseus__exchange *exchange,
		const struct perseus__selection *selection)
{
	uint64_t gpus = 0;
	for (int32_t i = 0; i < selection->n; i++)
		gpus |= UINT64_C(1) << selection->positions[i];
	return perseus__access_write(front, exchange, gpus);
}

void
perseus__handle_write(struct perseus__front *front, struct perseus__exchange *exchange)
{
	const struct perseus__query *query = &perseus__call_of(exchange)->query;
	struct perseus__selection selection;
	if (!select_gpus(front, exchange, &selection) || !check_ttl(exchange) || !may_write(front, exchange, &selection)) {
		exchange->finish(exchange);
		return;
	}
	struct job *job = new_job(front, exchange, &selection);
	if (!job) {
		perseus__respond_unavailable(exchange, "out of memory");
		exchange->finish(exchange);
		return;
	}
	/* Leases are waited for always: they have no key `block`. */
	const bool waits = !(query->given & PERSEUS__HAS_BLOCK) || query->values[PERSEUS__KEY_BLOCK];
	if (waits)
		job->exchange = exchange;
	int32_t n_unsent = 0;
	for (int32_t i = 0; i < job->n_parts; i++) {
		send_part(&job->parts[i], query);
		n_unsent += job->parts[i].is_unsent;
	}
	if (!waits) {
		respond_sent(job, exchange);
		exchange->finish(exchange);
	}
	count_down(job, n_unsent + 1);
}
