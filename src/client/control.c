/* Who sets the GPU's clock, and what it was asked for last. */
#include "client/control.h"

#include "base/clock.h"
#include "base/error.h"

#include <stdio.h>

#define SECOND INT64_C(1000000000)
/* The agent answers in a millisecond; a driver may take longer. */
#define PROBE_NS SECOND
#define SET_NS (2 * SECOND)
#define FIRST_RETRY_NS (SECOND / 2)
#define LAST_RETRY_NS (30 * SECOND)
/* What was refused will not be granted at once. */
#define REFUSED_RETRY_NS (10 * SECOND)
#define RENEW_NS (5 * SECOND)
enum { URL_BYTES = 160, HTTP_OK = 200, HTTP_FIRST_REFUSAL = 400, HTTP_TOO_MANY = 429, HTTP_FIRST_FAILURE = 500 };

enum perseus_status
perseus__control_init(
		struct perseus__control *control, const struct perseus__control_settings *settings, struct perseus_error *err)
{
	*control = (struct perseus__control){.mode = settings->wanted,
		.node = settings->node,
		.device = settings->device,
		.gpu = settings->gpu,
		.timeline = settings->timeline,
		.speaker = settings->speaker,
		.latency = perseus__latency_init()};
	const bool is_auto = settings->wanted == PERSEUS_CONTROL_AUTO;
	control->is_chosen = !is_auto && settings->wanted != PERSEUS_CONTROL_DEVICE;
	if (!is_auto && settings->wanted != PERSEUS_CONTROL_AGENT)
		return PERSEUS_OK;
	return perseus__call_init(&control->call, settings->link, settings->agent_socket, NULL, err);
}

void
perseus__control_fini(struct perseus__control *control)
{
	perseus__call_fini(&control->call);
}

bool
perseus__control_can_set(const struct perseus__control *control)
{
	return control->is_chosen && (control->mode == PERSEUS_CONTROL_AGENT || control->mode == PERSEUS_CONTROL_DEVICE);
}

bool
perseus__control_is_up(const struct perseus__control *control)
{
	return perseus__control_can_set(control) && !control->is_down;
}

static void
note_change(struct perseus__control *control, int64_t now_ns, int32_t mhz)
{
	const struct perseus__clock_change change = {.from_ns = now_ns + perseus__latency_low_ns(&control->latency),
		.until_ns = now_ns + perseus__latency_high_ns(&control->latency),
		.frequency_mhz = mhz};
	perseus__timeline_change(control->timeline, &change);
	control->asked_mhz = mhz;
}

static void
back_off(struct perseus__control *control, int64_t now_ns, int64_t at_least_ns)
{
	const int64_t doubled_ns = control->backoff_ns * 2;
	control->backoff_ns = doubled_ns > LAST_RETRY_NS ? LAST_RETRY_NS : doubled_ns;
	if (control->backoff_ns < at_least_ns)
		control->backoff_ns = at_least_ns;
	control->retry_ns = now_ns + control->backoff_ns;
}

/* A request failed. `is_refusal`: by somebody who could have done it. */
static void
fail(struct perseus__control *control, int64_t now_ns, bool is_refusal, const char *why)
{
	const struct perseus__clock_change unknown = {.from_ns = now_ns, .until_ns = now_ns, .is_unknown = true};
	perseus__timeline_change(control->timeline, &unknown);
	perseus__latency_cancel(&control->latency);
	const bool was_set = control->errand_mhz != 0;
	control->asked_mhz = -1;
	control->n_refused += is_refusal;
	control->lets_go_first = is_refusal && was_set;
	back_off(control, now_ns, is_refusal ? REFUSED_RETRY_NS : FIRST_RETRY_NS);
	if (!control->is_down)
		perseus__say(control->speaker, "%s: %s; clocks are let go, and asked for again later",
				control->mode == PERSEUS_CONTROL_AGENT
						? (is_refusal ? "the agent refuses a clock" : "the agent cannot be reached")
						: "the driver refuses a clock",
				why);
	control->is_down = true;
}

static void
succeed(struct perseus__control *control, int32_t mhz)
{
	control->n_set += mhz != 0;
	control->backoff_ns = 0;
	/* That a clock could be let go does not show that another can be had. */
	if (control->is_down && mhz != 0) {
		control->is_down = false;
		perseus__say(control->speaker, "clocks are set again");
	}
}

static void
ask_device(struct perseus__control *control, int64_t now_ns, int32_t mhz)
{
	struct perseus_error err;
	const enum perseus_status status = mhz == 0
			? perseus_device_reset(control->node, control->device, PERSEUS_SETTING_SM_CLOCKS, &err)
			: perseus_device_set(control->node, control->device, PERSEUS_SETTING_SM_CLOCKS, mhz, mhz, &err);
	if (status == PERSEUS_OK)
		succeed(control, mhz);
	else
		fail(control, now_ns, true, err.message);
}

static void
send(struct perseus__control *control, enum perseus__control_errand errand, const char *method, const char *url)
{
	const struct perseus__request request = {
		.method = method, .url = url, .timeout_ns = errand == PERSEUS__ERRAND_PROBE ? PROBE_NS : SET_NS};
	control->errand = errand;
	perseus__call_send(&control->call, &request);
}

static void
ask_agent(struct perseus__control *control, int32_t mhz)
{
	char url[URL_BYTES];
	if (mhz == 0)
		(void)snprintf(url, sizeof url, "http://agent/gpu/reset_gpu_locked_clocks?gpu_ids=%d&block=true", control->gpu);
	else
		(void)snprintf(url, sizeof url,
				"http://agent/gpu/set_gpu_locked_clocks?gpu_ids=%d&min_clock_mhz=%d&max_clock_mhz=%d&block=true",
				control->gpu, mhz, mhz);
	send(control, PERSEUS__ERRAND_SET, "POST", url);
}

static void
ask(struct perseus__control *control, int64_t now_ns, int32_t mhz)
{
	if (mhz != control->asked_mhz) {
		note_change(control, now_ns, mhz);
		perseus__latency_begin(&control->latency, now_ns, mhz);
	}
	control->errand_mhz = mhz;
	control->sent_ns = now_ns;
	if (control->mode == PERSEUS_CONTROL_AGENT)
		ask_agent(control, mhz);
	else
		ask_device(control, now_ns, mhz);
}

/* Asks for what is wanted where nothing stands against it. */
static void
go_on(struct perseus__control *control, int64_t now_ns)
{
	if (!perseus__control_can_set(control) || control->errand != PERSEUS__ERRAND_NONE)
		return;
	if (control->lets_go_first) {
		control->lets_go_first = false;
		ask(control, now_ns, 0);
	} else if (control->wanted_mhz != control->asked_mhz && now_ns >= control->retry_ns)
		ask(control, now_ns, control->wanted_mhz);
}

void
perseus__control_want(struct perseus__control *control, int64_t now_ns, int32_t mhz)
{
	if (mhz == control->wanted_mhz)
		return;
	control->wanted_mhz = mhz;
	if (control->mode == PERSEUS_CONTROL_DRY_RUN)
		control->n_set += mhz != 0;
	go_on(control, now_ns);
}

void
perseus__control_renew(struct perseus__control *control, int64_t now_ns)
{
	const bool is_settled = control->asked_mhz > 0 && control->wanted_mhz == control->asked_mhz;
	if (control->mode == PERSEUS_CONTROL_AGENT && is_settled && control->errand == PERSEUS__ERRAND_NONE
			&& now_ns - control->sent_ns > RENEW_NS)
		ask(control, now_ns, control->asked_mhz);
}

/* Whether this process may set clocks by itself. */
static bool
may_set(const struct perseus__control *control, struct perseus_error *err)
{
	if (!control->node)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "no GPU is seen") == PERSEUS_OK;
	return perseus_device_check(control->node, control->device, PERSEUS_SETTING_SM_CLOCKS, err) == PERSEUS_OK;
}

static void
choose(struct perseus__control *control, bool has_agent, const char *why)
{
	struct perseus_error err = {.message = ""};
	const bool is_auto = control->mode == PERSEUS_CONTROL_AUTO;
	control->is_chosen = true;
	if (has_agent) {
		control->mode = PERSEUS_CONTROL_AGENT;
		perseus__say(control->speaker, "the agent sets the clock of GPU %d", control->gpu);
	} else if (may_set(control, &err)) {
		control->mode = PERSEUS_CONTROL_DEVICE;
		perseus__say(control->speaker, "this process sets the clock of GPU %d", control->gpu);
	} else {
		control->mode = PERSEUS_CONTROL_DRY_RUN;
		perseus__say(control->speaker, "clocks are not set, this is a dry run: %s%s%s", is_auto ? why : "",
				is_auto ? "; " : "", err.message);
	}
}

/* Answers of the agent. */
static void
take_answer(struct perseus__control *control, int64_t now_ns)
{
	const struct perseus__call *call = &control->call;
	const enum perseus__control_errand errand = control->errand;
	const bool is_ok = call->code == HTTP_OK;
	const char *said = call->code == 0 ? call->why : call->answer.bytes;
	control->errand = PERSEUS__ERRAND_NONE;
	if (errand == PERSEUS__ERRAND_PROBE) {
		choose(control, is_ok, said ? said : "no agent");
	} else if (is_ok) {
		succeed(control, control->errand_mhz);
	} else {
		const bool is_refusal =
				call->code >= HTTP_FIRST_REFUSAL && call->code < HTTP_FIRST_FAILURE && call->code != HTTP_TOO_MANY;
		fail(control, now_ns, is_refusal, said ? said : "no reason given");
	}
}

static bool
measure(struct perseus__control *control, int64_t now_ns)
{
	if (perseus__latency_due_ns(&control->latency) > now_ns)
		return false;
	if (!control->node) {
		perseus__latency_cancel(&control->latency);
		return false;
	}
	int64_t mhz = 0;
	const int64_t before_ns = perseus__clock_mono_ns();
	if (perseus_device_read(control->node, control->device, PERSEUS_QUANTITY_SM_CLOCK, &mhz, NULL) != PERSEUS_OK)
		mhz = 0;
	return perseus__latency_read(&control->latency, before_ns, perseus__clock_mono_ns(), (int32_t)mhz);
}

bool
perseus__control_run(struct perseus__control *control, int64_t now_ns)
{
	if (!control->is_chosen && control->mode == PERSEUS_CONTROL_DEVICE)
		choose(control, false, "");
	if (!control->is_chosen && control->errand == PERSEUS__ERRAND_NONE)
		send(control, PERSEUS__ERRAND_PROBE, "GET", "http://agent/healthz");
	if (perseus__call_take(&control->call))
		take_answer(control, now_ns);
	go_on(control, now_ns);
	return measure(control, now_ns);
}

int64_t
perseus__control_due_ns(const struct perseus__control *control)
{
	const int64_t due_ns = perseus__latency_due_ns(&control->latency);
	const bool waits = perseus__control_can_set(control) && control->errand == PERSEUS__ERRAND_NONE
			&& control->wanted_mhz != control->asked_mhz;
	return waits && control->retry_ns < due_ns ? control->retry_ns : due_ns;
}

void
perseus__control_release(struct perseus__control *control, int64_t now_ns)
{
	perseus__latency_cancel(&control->latency);
	control->wanted_mhz = 0;
	control->retry_ns = now_ns;
	control->lets_go_first = false;
	go_on(control, now_ns);
}

bool
perseus__control_is_released(const struct perseus__control *control, int64_t now_ns)
{
	if (!perseus__control_can_set(control))
		return true;
	return control->errand == PERSEUS__ERRAND_NONE && (control->asked_mhz == 0 || control->retry_ns > now_ns);
}
