/*
 * The routes of jobs: from an exchange to a call of the jobs and back. A call lives in the memory of its own that the
 * exchange is parked with, and answers it from whichever thread has the answer.
 */
#include "base/clock.h"
#include "base/memory.h"
#include "server/handlers.h"
#include "server/job_json.h"
#include "server/jobs.h"

#include <math.h>
#include <string.h>

#include <perseus/profile.h>

enum { MAX_WAIT_S = 300, WAIT_S = 50, REPORTS = 100, MAX_REPORTS = 10000, WORD_BYTES = 16 };

/* A call, and the exchange that waits for its reply. */
struct visit {
	struct perseus__call call; /* its user is the exchange */
	struct perseus__jobs *jobs;
	struct perseus__exchange *exchange;
};

static struct perseus__now
now(void)
{
	return (struct perseus__now){.mono_ns = perseus__clock_mono_ns(), .wall_ms = perseus__clock_wall_ms()};
}

static void
reply(struct perseus__call *call, int code, const char *content_type, struct perseus__text *body)
{
	struct perseus__exchange *exchange = call->user;
	if (body->failed) {
		perseus__text_fini(body);
		perseus__respond_unavailable(exchange, "out of memory");
	} else if (code == 204) {
		perseus__respond(exchange, code);
	} else {
		*perseus__respond_other(exchange, code, content_type) = *body;
		exchange->response.asks_to_retry = code == 503;
	}
	*body = perseus__text_init(0); /* moved */
	perseus__free(call);           /* the first member of its visit */
	exchange->finish(exchange);
}

/* NULL: answered already. */
static struct visit *
begin(const struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct visit *visit = api->settings.jobs ? perseus__new_array(1, sizeof *visit) : NULL;
	if (!visit) {
		if (api->settings.jobs)
			perseus__respond_unavailable(exchange, "out of memory");
		else
			perseus__respond_error(exchange, 404, "This server keeps no jobs.");
		exchange->finish(exchange);
		return NULL;
	}
	visit->call.reply = reply;
	visit->call.user = exchange;
	visit->jobs = api->settings.jobs;
	visit->exchange = exchange;
	return visit;
}

/* A value of the query or the path is none: 400 is in the response already. */
static void
give_up(struct visit *visit)
{
	struct perseus__exchange *exchange = visit->exchange;
	perseus__free(visit);
	exchange->finish(exchange);
}

static const char *
job_of(struct perseus__exchange *exchange)
{
	return perseus__ask_of(exchange)->path.values[0];
}

static struct perseus__message
message_of(const struct perseus__exchange *exchange)
{
	return (struct perseus__message){
		.bytes = exchange->request.body, .length = exchange->request.body_length, .now = now()};
}

/* The rank in the path; -1: it is none, and 404 has been responded. */
static int32_t
rank_of(struct perseus__exchange *exchange)
{
	const char *text = perseus__ask_of(exchange)->path.values[1];
	int32_t rank = 0;
	const size_t length = strlen(text);
	for (size_t i = 0; i < length && rank >= 0; i++)
		rank = text[i] >= '0' && text[i] <= '9' && length < 9 ? rank * 10 + (text[i] - '0') : -1;
	if (length > 0 && rank >= 0)
		return rank;
	perseus__respond_error(exchange, 404, "A rank is a number.");
	return -1;
}

void
perseus__serve_jobs(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct visit *visit = begin(api, exchange);
	if (visit)
		perseus__jobs_list(visit->jobs, &visit->call);
}

void
perseus__serve_job_new(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct visit *visit = begin(api, exchange);
	const struct perseus__message message = message_of(exchange);
	if (visit)
		perseus__jobs_register(visit->jobs, &visit->call, &message);
}

static void
view(struct perseus__api *api, struct perseus__exchange *exchange, enum perseus__job_view what)
{
	struct visit *visit = begin(api, exchange);
	if (visit)
		perseus__jobs_view(visit->jobs, &visit->call, job_of(exchange), what);
}

void
perseus__serve_job(struct perseus__api *api, struct perseus__exchange *exchange)
{
	view(api, exchange, PERSEUS__JOB_VIEW_SUMMARY);
}

void
perseus__serve_frontier(struct perseus__api *api, struct perseus__exchange *exchange)
{
	view(api, exchange, PERSEUS__JOB_VIEW_FRONTIER);
}

void
perseus__serve_plan(struct perseus__api *api, struct perseus__exchange *exchange)
{
	view(api, exchange, PERSEUS__JOB_VIEW_PLAN);
}

void
perseus__serve_plans(struct perseus__api *api, struct perseus__exchange *exchange)
{
	view(api, exchange, PERSEUS__JOB_VIEW_PLANS);
}

void
perseus__serve_stragglers(struct perseus__api *api, struct perseus__exchange *exchange)
{
	view(api, exchange, PERSEUS__JOB_VIEW_STRAGGLERS);
}

void
perseus__serve_profile(struct perseus__api *api, struct perseus__exchange *exchange)
{
	char format[WORD_BYTES];
	if (!perseus__ask_text(exchange, "format", format, sizeof format)) {
		exchange->finish(exchange);
	} else if (*format == '\0' || strcmp(format, "csv") == 0) {
		view(api, exchange, PERSEUS__JOB_VIEW_PROFILE_CSV);
	} else if (strcmp(format, "json") == 0) {
		view(api, exchange, PERSEUS__JOB_VIEW_PROFILE_JSON);
	} else {
		perseus__ask_refuse(exchange, 400, "format: expected csv or json");
		exchange->finish(exchange);
	}
}

void
perseus__serve_job_end(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct visit *visit = begin(api, exchange);
	if (visit)
		perseus__jobs_delete(visit->jobs, &visit->call, job_of(exchange), now());
}

void
perseus__serve_rank_new(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct visit *visit = begin(api, exchange);
	const struct perseus__message message = message_of(exchange);
	if (visit)
		perseus__jobs_register_rank(visit->jobs, &visit->call, job_of(exchange), &message);
}

void
perseus__serve_straggler_new(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct visit *visit = begin(api, exchange);
	const struct perseus__message message = message_of(exchange);
	if (visit)
		perseus__jobs_announce(visit->jobs, &visit->call, job_of(exchange), &message);
}

void
perseus__serve_target_new(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct visit *visit = begin(api, exchange);
	const struct perseus__message message = message_of(exchange);
	if (visit)
		perseus__jobs_set_target(visit->jobs, &visit->call, job_of(exchange), &message);
}

void
perseus__serve_rank_steps(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct visit *visit = begin(api, exchange);
	if (!visit)
		return;
	const struct perseus__message message = message_of(exchange);
	const int32_t rank = rank_of(exchange);
	if (rank < 0)
		give_up(visit);
	else
		perseus__jobs_report(visit->jobs, &visit->call, job_of(exchange), rank, &message);
}

/* The peer of a waiting poll is gone: only who takes the call away from the jobs finishes the exchange. */
static void
abandon(struct perseus__exchange *exchange)
{
	struct perseus__call *call = perseus__jobs_abandon(perseus__ask_of(exchange)->api->settings.jobs, exchange);
	if (!call)
		return;
	perseus__free(call);
	perseus__respond(exchange, 204);
	exchange->finish(exchange);
}

static bool
read_poll(struct perseus__exchange *exchange, struct perseus__poll *poll)
{
	int64_t wait_s = WAIT_S;
	poll->rank = rank_of(exchange);
	if (poll->rank < 0 || !perseus__ask_integer(exchange, "have", -1, PERSEUS__MAX_STEP, -1, &poll->have)
			|| !perseus__ask_integer(exchange, "start", -1, PERSEUS__MAX_STEP, -1, &poll->start)
			|| !perseus__ask_integer(exchange, "step", -1, PERSEUS__MAX_STEP, -1, &poll->step)
			|| !perseus__ask_integer(exchange, "wait_s", 0, MAX_WAIT_S, WAIT_S, &wait_s))
		return false;
	poll->wait_ns = wait_s * INT64_C(1000000000);
	return true;
}

void
perseus__serve_rank_plan(struct perseus__api *api, struct perseus__exchange *exchange)
{
	struct perseus__poll poll;
	struct visit *visit = begin(api, exchange);
	if (!visit)
		return;
	if (!read_poll(exchange, &poll)) {
		give_up(visit);
		return;
	}
	exchange->abandon = abandon;
	perseus__jobs_poll(visit->jobs, &visit->call, job_of(exchange), &poll, now());
}

void
perseus__serve_profile_new(struct perseus__api *api, struct perseus__exchange *exchange)
{
	double blocking_power_w = NAN;
	struct visit *visit = begin(api, exchange);
	if (!visit)
		return;
	const struct perseus__message message = message_of(exchange);
	if (!perseus__ask_number(exchange, "blocking_power_w", NAN, &blocking_power_w)) {
		give_up(visit);
	} else if (!isnan(blocking_power_w) && !(blocking_power_w >= 0 && blocking_power_w <= PERSEUS_MAX_POWER_W)) {
		perseus__ask_refuse(exchange, 400, "blocking_power_w: expected 0 to %g", PERSEUS_MAX_POWER_W);
		give_up(visit);
	} else {
		perseus__jobs_put_profile(visit->jobs, &visit->call, job_of(exchange), blocking_power_w, &message);
	}
}

void
perseus__serve_reports(struct perseus__api *api, struct perseus__exchange *exchange)
{
	int64_t rank = -1, limit = REPORTS;
	struct visit *visit = begin(api, exchange);
	if (!visit)
		return;
	if (!perseus__ask_integer(exchange, "rank", 0, INT32_MAX, -1, &rank)
			|| !perseus__ask_integer(exchange, "limit", 1, MAX_REPORTS, REPORTS, &limit))
		give_up(visit);
	else
		perseus__jobs_reports(visit->jobs, &visit->call, job_of(exchange), (int32_t)rank, (int32_t)limit);
}
