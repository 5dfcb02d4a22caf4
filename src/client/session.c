/* This rank at the server. */
#include "client/session.h"

#include "base/error.h"
#include "client/session_json.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#define SECOND INT64_C(1000000000)
#define FIRST_RETRY_NS (SECOND / 5)
#define LAST_RETRY_NS (5 * SECOND)
/* What a server refused it will refuse again, unless somebody mends something. */
#define REFUSED_RETRY_NS (30 * SECOND)
/* A job that is not known any more has been ended, or the server has begun anew. */
#define UNKNOWN_RETRY_NS (10 * SECOND)
#define CALL_NS (10 * SECOND)
/* Reports of short steps go together. */
#define REPORT_NS (SECOND / 20)
enum { WAIT_S = 50, URL_BYTES = 1024, MAX_BODY = 64 << 20, MAX_URL = 4096 };
enum {
	HTTP_OK = 200,
	HTTP_NOTHING = 204,
	HTTP_UNKNOWN = 404,
	HTTP_TOO_MANY = 429,
	HTTP_FIRST_REFUSAL = 400,
	HTTP_FIRST_FAILURE = 500
};

static enum perseus_status
init_line(struct perseus__line *line, const struct perseus__session *session, struct perseus__curl *link,
		struct perseus_error *err)
{
	return perseus__call_init(&line->call, link, NULL, session->settings->token, err);
}

enum perseus_status
perseus__session_init(struct perseus__session *session, const struct perseus_client_settings *settings,
		struct perseus__curl *link, struct perseus__speaker *speaker, struct perseus_error *err)
{
	*session = (struct perseus__session){.settings = settings,
		.speaker = speaker,
		.base = perseus__text_init(MAX_URL),
		.rank = perseus__text_init(MAX_BODY)};
	const char *url = settings->server_url;
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return perseus__fail(err, PERSEUS_INVALID, "server_url: '%.200s' does not begin with http:// or https://", url);
	size_t length = strlen(url);
	while (url[length - 1] == '/')
		length--;
	perseus__text_add(&session->base, url, length);
	enum perseus_status status = session->base.failed ? perseus__no_memory(err) : PERSEUS_OK;
	if (status == PERSEUS_OK)
		status = init_line(&session->entry, session, link, err);
	if (status == PERSEUS_OK)
		status = init_line(&session->plan, session, link, err);
	if (status == PERSEUS_OK)
		status = init_line(&session->steps, session, link, err);
	if (status != PERSEUS_OK)
		perseus__session_fini(session);
	return status;
}

void
perseus__session_fini(struct perseus__session *session)
{
	perseus__call_fini(&session->entry.call);
	perseus__call_fini(&session->plan.call);
	perseus__call_fini(&session->steps.call);
	perseus__programs_fini(&session->programs);
	perseus__reports_fini(&session->reports);
	perseus__text_fini(&session->base);
	perseus__text_fini(&session->rank);
}

bool
perseus__session_is_there(const struct perseus__session *session)
{
	return !session->is_gone;
}

static void
forget_programs(struct perseus__session *session)
{
	perseus__programs_fini(&session->programs);
	perseus__call_cancel(&session->plan.call);
	session->plan.retry_ns = 0;
}

void
perseus__session_enrol(struct perseus__session *session, const struct perseus__rank_facts *facts)
{
	perseus__text_fini(&session->rank);
	session->rank = perseus__text_init(MAX_BODY);
	perseus__write_rank(session->settings, facts, &session->rank);
	session->n_instructions = facts->order->n;
	forget_programs(session);
	if (session->state == PERSEUS__SESSION_ACTIVE)
		session->state = PERSEUS__SESSION_RANK;
	if (session->state == PERSEUS__SESSION_RANK)
		perseus__call_cancel(&session->entry.call); /* it may be about the order before */
}

/* The first words of what the server said. */
static const char *
reason(const struct perseus__call *call)
{
	if (call->code == 0)
		return call->why;
	return call->answer.bytes ? call->answer.bytes : "no reason given";
}

/* Somebody answered, be it what it may. */
static void
note_answer(struct perseus__session *session)
{
	if (session->is_gone)
		perseus__say(session->speaker, "the server is back");
	session->is_gone = false;
	session->failing_ns = 0;
}

static void
back_off(struct perseus__line *line, int64_t now_ns)
{
	const int64_t doubled_ns = line->backoff_ns * 2;
	line->backoff_ns = doubled_ns < FIRST_RETRY_NS ? FIRST_RETRY_NS : doubled_ns;
	if (line->backoff_ns > LAST_RETRY_NS)
		line->backoff_ns = LAST_RETRY_NS;
	/* Ranks that failed together do not come back together. */
	line->retry_ns = now_ns + line->backoff_ns - now_ns / 1000 % (line->backoff_ns / 2);
}

/* A request was not answered as it should be; what is to be done beside asking again. */
enum failure {
	FAILURE_OF_SERVER,  /* none, or it says it cannot now */
	FAILURE_IS_UNKNOWN, /* it does not know the job, or the rank */
	FAILURE_IS_REFUSAL,
};

static enum failure
note_failure(struct perseus__session *session, struct perseus__line *line, int64_t now_ns)
{
	const struct perseus__call *call = &line->call;
	back_off(line, now_ns);
	const bool is_refusal =
			call->code >= HTTP_FIRST_REFUSAL && call->code < HTTP_FIRST_FAILURE && call->code != HTTP_TOO_MANY;
	if (!is_refusal) {
		if (session->failing_ns == 0)
			session->failing_ns = now_ns;
		return FAILURE_OF_SERVER;
	}
	note_answer(session);
	const bool is_about_job = session->state != PERSEUS__SESSION_JOB;
	if (call->code == HTTP_UNKNOWN && is_about_job)
		return FAILURE_IS_UNKNOWN;
	line->retry_ns = now_ns + REFUSED_RETRY_NS;
	if (!session->has_complained)
		perseus__say(session->speaker, "the server refuses (%ld): %.160s", call->code, reason(call));
	session->has_complained = true;
	return FAILURE_IS_REFUSAL;
}

static void
note_success(struct perseus__session *session, struct perseus__line *line)
{
	note_answer(session);
	line->backoff_ns = 0;
	line->retry_ns = 0;
}

/* The server does not know the job any more: clocks are let go, and it is registered again later. */
static void
leave(struct perseus__session *session, int64_t now_ns)
{
	perseus__say(session->speaker, "the server does not know job %s any more: clocks are let go", session->job);
	session->state = PERSEUS__SESSION_JOB;
	session->job[0] = '\0';
	session->entry.retry_ns = now_ns + UNKNOWN_RETRY_NS;
	forget_programs(session);
}

/* The id in the answer to POST /v1/jobs; false where there is none, or one that is no part of a path. */
static bool
take_job(struct perseus__session *session, const struct perseus__text *answer)
{
	json_t *root = answer->bytes ? json_loadb(answer->bytes, answer->length, JSON_REJECT_DUPLICATES, NULL) : NULL;
	const char *job = json_string_value(json_object_get(root, "job"));
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	const bool is_good =
			job && job[0] != '\0' && strlen(job) < sizeof session->job && job[strspn(job, unreserved)] == '\0';
	if (is_good)
		(void)snprintf(session->job, sizeof session->job, "%s", job);
	json_decref(root);
	return is_good;
}

static void
take_entry(struct perseus__session *session, int64_t now_ns)
{
	struct perseus__line *line = &session->entry;
	if (line->call.code != HTTP_OK) {
		if (note_failure(session, line, now_ns) == FAILURE_IS_UNKNOWN)
			leave(session, now_ns);
		return;
	}
	if (session->state == PERSEUS__SESSION_JOB && !take_job(session, &line->call.answer)) {
		line->call.code = 0;
		(void)snprintf(line->call.why, sizeof line->call.why, "an answer without a job");
		(void)note_failure(session, line, now_ns);
		return;
	}
	note_success(session, line);
	if (session->state == PERSEUS__SESSION_JOB) {
		session->state = PERSEUS__SESSION_RANK;
	} else {
		session->state = PERSEUS__SESSION_ACTIVE;
		session->has_complained = false;
		perseus__say(session->speaker, "rank %d is registered, job %s", session->settings->rank, session->job);
	}
}

/* Whether the answer to a poll says more than was known. */
static bool
is_news(const struct perseus__session *session, const struct perseus__program *program)
{
	const struct perseus__program *newest = perseus__programs_newest(&session->programs);
	return !newest || program->revision > newest->revision
			|| (program->revision == newest->revision && program->from_step != newest->from_step);
}

static void
take_program(struct perseus__session *session, struct perseus__line *line, int64_t now_ns)
{
	struct perseus__program *program = NULL;
	struct perseus_error err = {.message = ""};
	enum perseus_status status = perseus__program_decode(
			line->call.answer.bytes ? line->call.answer.bytes : "", line->call.answer.length, &program, &err);
	if (status == PERSEUS_OK && program->n_segments > 0 && program->n_instructions != session->n_instructions) {
		status = perseus__fail(&err, PERSEUS_INVALID, "plan: %d clocks for %d instructions", program->n_instructions,
				session->n_instructions);
		perseus__program_free(program);
	}
	if (status != PERSEUS_OK) {
		if (!session->has_complained)
			perseus__say(session->speaker, "the server's answer makes no sense: %s", err.message);
		session->has_complained = true;
		line->call.code = 0;
		(void)note_failure(session, line, now_ns);
		return;
	}
	note_success(session, line);
	if (is_news(session, program)) {
		perseus__programs_take(&session->programs, program);
	} else {
		line->retry_ns = now_ns + SECOND; /* a server that repeats itself is not asked without end */
		perseus__program_free(program);
	}
}

static void
take_plan(struct perseus__session *session, int64_t now_ns)
{
	struct perseus__line *line = &session->plan;
	if (line->call.code == HTTP_OK)
		take_program(session, line, now_ns);
	else if (line->call.code == HTTP_NOTHING)
		note_success(session, line);
	else if (note_failure(session, line, now_ns) == FAILURE_IS_UNKNOWN)
		leave(session, now_ns);
}

static void
take_steps(struct perseus__session *session, int64_t now_ns)
{
	struct perseus__line *line = &session->steps;
	if (line->call.code == HTTP_OK) {
		note_success(session, line);
		perseus__reports_acknowledge(&session->reports);
		line->retry_ns = now_ns + REPORT_NS;
		return;
	}
	switch (note_failure(session, line, now_ns)) {
	case FAILURE_OF_SERVER:
		break;
	case FAILURE_IS_UNKNOWN:
		leave(session, now_ns);
		break;
	case FAILURE_IS_REFUSAL:
		perseus__reports_give_up(&session->reports);
		line->retry_ns = now_ns + SECOND;
		break;
	}
}

static void
send(struct perseus__session *session, struct perseus__line *line, const char *method, const char *path)
{
	char url[URL_BYTES + MAX_URL];
	(void)snprintf(url, sizeof url, "%s%s", session->base.bytes, path);
	const struct perseus__request request = {.method = method,
		.url = url,
		.has_body = line != &session->plan,
		.timeout_ns = line == &session->plan ? WAIT_S * SECOND + CALL_NS : CALL_NS};
	perseus__call_send(&line->call, &request);
}

static void
start_body(struct perseus__line *line)
{
	perseus__text_fini(&line->call.body);
	line->call.body = perseus__text_init(MAX_BODY);
}

static void
send_entry(struct perseus__session *session)
{
	struct perseus__line *line = &session->entry;
	char path[URL_BYTES];
	if (session->state == PERSEUS__SESSION_RANK && session->rank.length == 0)
		return;
	start_body(line);
	if (session->state == PERSEUS__SESSION_JOB) {
		perseus__write_job(session->settings, &line->call.body);
		send(session, line, "POST", "/v1/jobs");
		return;
	}
	perseus__text_add(&line->call.body, session->rank.bytes, session->rank.length);
	(void)snprintf(path, sizeof path, "/v1/jobs/%s/ranks", session->job);
	send(session, line, "POST", path);
}

static void
send_poll(struct perseus__session *session, int64_t step)
{
	const struct perseus__program *newest = perseus__programs_newest(&session->programs);
	char path[URL_BYTES];
	(void)snprintf(path, sizeof path, "/v1/jobs/%s/ranks/%d/plan?have=%lld&start=%lld&step=%lld&wait_s=%d",
			session->job, session->settings->rank, (long long)(newest ? newest->revision : -1),
			(long long)(newest ? newest->from_step : -1), (long long)step, WAIT_S);
	send(session, &session->plan, "GET", path);
}

static void
send_steps(struct perseus__session *session, const struct perseus__report_state *state)
{
	struct perseus__line *line = &session->steps;
	char path[URL_BYTES];
	/* What was sent and not acknowledged is sent again as it was. */
	if (session->reports.n_steps_sent == 0) {
		start_body(line);
		perseus__reports_write(&session->reports, state, &line->call.body);
	}
	(void)snprintf(path, sizeof path, "/v1/jobs/%s/ranks/%d/steps", session->job, session->settings->rank);
	send(session, line, "POST", path);
}

static bool
is_ready(const struct perseus__line *line, int64_t now_ns)
{
	return line->call.state == PERSEUS__CALL_IDLE && now_ns >= line->retry_ns;
}

static void
take_answers(struct perseus__session *session, int64_t now_ns)
{
	if (perseus__call_take(&session->entry.call))
		take_entry(session, now_ns);
	if (perseus__call_take(&session->plan.call))
		take_plan(session, now_ns);
	if (perseus__call_take(&session->steps.call))
		take_steps(session, now_ns);
}

static bool
wants_entry(const struct perseus__session *session)
{
	return session->state == PERSEUS__SESSION_JOB
			|| (session->state == PERSEUS__SESSION_RANK && session->rank.length > 0);
}

void
perseus__session_run(
		struct perseus__session *session, int64_t now_ns, int64_t step, const struct perseus__report_state *state)
{
	take_answers(session, now_ns);
	if (wants_entry(session) && is_ready(&session->entry, now_ns))
		send_entry(session);
	if (session->state == PERSEUS__SESSION_ACTIVE && is_ready(&session->plan, now_ns))
		send_poll(session, step);
	if (session->state == PERSEUS__SESSION_ACTIVE && is_ready(&session->steps, now_ns)
			&& perseus__reports_is_due(&session->reports))
		send_steps(session, state);
	if (session->failing_ns && !session->is_gone && now_ns - session->failing_ns > PERSEUS__GRACE_NS) {
		session->is_gone = true;
		perseus__say(session->speaker, "the server cannot be reached: clocks are let go");
	}
}

static int64_t
earlier(int64_t due_ns, bool is_wanted, const struct perseus__line *line)
{
	const bool waits = is_wanted && line->call.state == PERSEUS__CALL_IDLE;
	return waits && line->retry_ns < due_ns ? line->retry_ns : due_ns;
}

int64_t
perseus__session_due_ns(const struct perseus__session *session)
{
	const bool is_active = session->state == PERSEUS__SESSION_ACTIVE;
	int64_t due_ns = session->failing_ns && !session->is_gone ? session->failing_ns + PERSEUS__GRACE_NS : INT64_MAX;
	due_ns = earlier(due_ns, wants_entry(session), &session->entry);
	due_ns = earlier(due_ns, is_active, &session->plan);
	return earlier(due_ns, is_active && perseus__reports_is_due(&session->reports), &session->steps);
}

void
perseus__session_flush(struct perseus__session *session, int64_t now_ns, const struct perseus__report_state *state)
{
	perseus__call_cancel(&session->plan.call);
	take_answers(session, now_ns);
	/* One that was just answered is not held back for others to join. */
	if (session->steps.backoff_ns == 0)
		session->steps.retry_ns = now_ns;
	if (session->state == PERSEUS__SESSION_ACTIVE && is_ready(&session->steps, now_ns)
			&& perseus__reports_is_due(&session->reports))
		send_steps(session, state);
}

bool
perseus__session_is_flushed(const struct perseus__session *session)
{
	const bool is_idle = session->steps.call.state == PERSEUS__CALL_IDLE;
	const bool is_possible = session->state == PERSEUS__SESSION_ACTIVE && !session->is_gone;
	return is_idle && (!is_possible || !perseus__reports_is_due(&session->reports));
}
