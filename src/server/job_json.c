/* Registrations of jobs and ranks, targets and announcements. Reports are in report_json.c. */
#include "server/job_json.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "format/instruction_text.h"
#include "format/json_writer.h"
#include "server/announced.h"
#include "server/body.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_ORDER_BYTES = 4 << 20 };

#define MAX_LATENCY_S 60.0
#define MAX_DELAY_S 31536000.0 /* a year */

/* A field of struct `type`; the rest is type, least, most. */
#define FIELD(type, member, name, ...) {.key = (name), .offset = offsetof(struct type, member), __VA_ARGS__}

static const char *
control_name(enum perseus__control control)
{
	switch (control) {
#define X(name, text)             \
	case PERSEUS__CONTROL_##name: \
		return text;
		PERSEUS__CONTROL_MAP(X)
#undef X
	}
	return "unknown";
}

static enum perseus_status
read_parallel(
		json_t *object, const char *path, double least, struct perseus__parallel *parallel, struct perseus_error *err)
{
	const double most = PERSEUS__MAX_RANKS_OF_JOB;
	const struct perseus__field fields[] = {
		FIELD(perseus__parallel, dp, "dp", .type = PERSEUS__FIELD_INT32, .least = least, .most = most),
		FIELD(perseus__parallel, pp, "pp", .type = PERSEUS__FIELD_INT32, .least = least, .most = most),
		FIELD(perseus__parallel, tp, "tp", .type = PERSEUS__FIELD_INT32, .least = least, .most = most),
		FIELD(perseus__parallel, cp, "cp", .type = PERSEUS__FIELD_INT32, .least = least, .most = most),
		FIELD(perseus__parallel, ep, "ep", .type = PERSEUS__FIELD_INT32, .least = least, .most = most),
	};
	return perseus__body_read(object, path, fields, sizeof fields / sizeof *fields, parallel, err);
}

/* Raw target, before its kind is known. */
struct target_text {
	const char *kind;
	double slowdown;
	double power_w;
};

static enum perseus_status
read_target(json_t *object, const char *path, struct perseus__target *out, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(target_text, kind, "kind", .type = PERSEUS__FIELD_TEXT, .most = 16, .is_required = true),
		FIELD(target_text, slowdown, "slowdown", .type = PERSEUS__FIELD_NUMBER, .least = 0, .most = 1e9),
		FIELD(target_text, power_w, "power_w", .type = PERSEUS__FIELD_NUMBER, .least = 0, .most = 1e12),
	};
	struct target_text text = {.kind = "", .slowdown = NAN, .power_w = NAN};
	enum perseus_status status = perseus__body_read(object, path, fields, sizeof fields / sizeof *fields, &text, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__target target = {.slowdown = text.slowdown, .power_w = text.power_w};
	if (!perseus__target_kind_find(text.kind, &target.kind))
		return perseus__body_fail(err, path, "kind", "expected one of time, slowdown, energy, power");
	if (target.kind != PERSEUS__TARGET_SLOWDOWN && !isnan(text.slowdown))
		return perseus__body_fail(err, path, "slowdown", "goes with kind slowdown alone");
	if (target.kind != PERSEUS__TARGET_POWER && !isnan(text.power_w))
		return perseus__body_fail(err, path, "power_w", "goes with kind power alone");
	if (target.kind == PERSEUS__TARGET_SLOWDOWN && isnan(text.slowdown))
		return perseus__body_fail(err, path, "slowdown", "missing");
	if (target.kind == PERSEUS__TARGET_POWER && isnan(text.power_w))
		return perseus__body_fail(err, path, "power_w", "missing");
	struct perseus_error why = {.message = ""};
	status = perseus__target_check(&target, &why);
	if (status != PERSEUS_OK)
		return perseus__fail(err, status, "%s%s%s", path, *path ? "." : "", why.message);
	*out = target;
	return PERSEUS_OK;
}

enum perseus_status
perseus__target_decode(const char *bytes, size_t length, struct perseus__target *out, struct perseus_error *err)
{
	json_t *document = NULL;
	enum perseus_status status = perseus__body_parse(bytes, length, &document, err);
	if (status == PERSEUS_OK)
		status = read_target(document, "", out, err);
	json_decref(document);
	return status;
}

void
perseus__target_write(struct perseus__json *json, const char *key, const struct perseus__target *target)
{
	perseus__json_open_object(json, key, true);
	perseus__json_string(json, "kind", perseus__target_kind_name(target->kind));
	if (target->kind == PERSEUS__TARGET_SLOWDOWN)
		perseus__json_number(json, "slowdown", target->slowdown);
	if (target->kind == PERSEUS__TARGET_POWER)
		perseus__json_number(json, "power_w", target->power_w);
	perseus__json_close_object(json);
}

static enum perseus_status
check_fingerprint(json_t *fingerprint, struct perseus_error *err)
{
	const char *key;
	json_t *value;
	if (json_object_size(fingerprint) > PERSEUS__MAX_FINGERPRINT_KEYS)
		return perseus__body_fail(err, "fingerprint", "", "expected at most %d fields", PERSEUS__MAX_FINGERPRINT_KEYS);
	json_object_foreach(fingerprint, key, value)
	{
		const struct perseus__field field = {
			.key = "value", .type = PERSEUS__FIELD_TEXT, .most = PERSEUS__MAX_NAME_BYTES};
		json_t *wrapped = json_pack("{s:O}", "value", value);
		const char *text = NULL;
		const enum perseus_status status =
				wrapped ? perseus__body_read(wrapped, "fingerprint", &field, 1, &text, err) : perseus__no_memory(err);
		json_decref(wrapped);
		if (status != PERSEUS_OK)
			return status;
		if (strlen(key) > PERSEUS__MAX_NAME_BYTES)
			return perseus__body_fail(
					err, "fingerprint", "", "a field's name has more than %d bytes", PERSEUS__MAX_NAME_BYTES);
	}
	return PERSEUS_OK;
}

/* A job's request, before its parts are read. */
struct job_text {
	const char *name, *key, *granularity;
	json_t *parallel, *fingerprint, *target, *profiling;
};

static enum perseus_status
read_granularity(const char *text, enum perseus_granularity *granularity, struct perseus_error *err)
{
	for (int g = 0; g <= PERSEUS_GRANULARITY_JOB; g++) {
		if (strcmp(text, perseus_granularity_name((enum perseus_granularity)g)) != 0)
			continue;
		*granularity = (enum perseus_granularity)g;
		return PERSEUS_OK;
	}
	return perseus__body_fail(err, "", "granularity", "expected one of auto, instruction, kind, ends, stage, job");
}

static enum perseus_status
read_profiling(json_t *object, struct perseus__job_request *request, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(perseus__job_request, max_profile_steps, "max_steps", .type = PERSEUS__FIELD_INT32, .least = 1,
				.most = 1000000, .may_be_null = true),
		FIELD(perseus__job_request, blocking_power_w, "blocking_power_w", .type = PERSEUS__FIELD_NUMBER, .least = 0,
				.most = PERSEUS_MAX_POWER_W, .may_be_null = true),
	};
	return perseus__body_read(object, "profiling", fields, sizeof fields / sizeof *fields, request, err);
}

static enum perseus_status
check_degrees(const struct perseus__parallel *parallel, struct perseus_error *err)
{
	/* Each factor is at most 2^20, so that no product of two leaves 64 bits. */
	int64_t n = (int64_t)parallel->dp * parallel->pp;
	if (n <= PERSEUS__MAX_RANKS_OF_JOB)
		n *= parallel->tp;
	if (n <= PERSEUS__MAX_RANKS_OF_JOB)
		n *= parallel->cp;
	if (n > PERSEUS__MAX_RANKS_OF_JOB)
		return perseus__body_fail(
				err, "parallel", "", "dp * pp * tp * cp is more than %d ranks", PERSEUS__MAX_RANKS_OF_JOB);
	return PERSEUS_OK;
}

static enum perseus_status
read_job(struct perseus__job_request *request, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(job_text, name, "name", .type = PERSEUS__FIELD_TEXT, .most = PERSEUS__MAX_NAME_BYTES,
				.is_required = true),
		FIELD(job_text, key, "key", .type = PERSEUS__FIELD_TEXT, .most = PERSEUS__MAX_NAME_BYTES, .may_be_null = true),
		FIELD(job_text, parallel, "parallel", .type = PERSEUS__FIELD_OBJECT, .is_required = true),
		FIELD(job_text, fingerprint, "fingerprint", .type = PERSEUS__FIELD_OBJECT, .may_be_null = true),
		FIELD(job_text, target, "target", .type = PERSEUS__FIELD_OBJECT, .may_be_null = true),
		FIELD(job_text, profiling, "profiling", .type = PERSEUS__FIELD_OBJECT, .may_be_null = true),
		FIELD(job_text, granularity, "granularity", .type = PERSEUS__FIELD_TEXT, .most = 16, .may_be_null = true),
	};
	struct job_text text = {.name = NULL};
	enum perseus_status status =
			perseus__body_read(request->document, "", fields, sizeof fields / sizeof *fields, &text, err);
	if (status != PERSEUS_OK)
		return status;
	request->name = text.name;
	request->key = text.key && *text.key ? text.key : NULL;
	request->fingerprint = text.fingerprint;
	status = read_parallel(text.parallel, "parallel", 1, &request->parallel, err);
	if (status == PERSEUS_OK)
		status = check_degrees(&request->parallel, err);
	if (status == PERSEUS_OK && text.fingerprint)
		status = check_fingerprint(text.fingerprint, err);
	if (status == PERSEUS_OK && text.target)
		status = read_target(text.target, "target", &request->target, err);
	if (status == PERSEUS_OK && text.profiling)
		status = read_profiling(text.profiling, request, err);
	if (status == PERSEUS_OK && text.granularity)
		status = read_granularity(text.granularity, &request->granularity, err);
	return status;
}

enum perseus_status
perseus__job_request_decode(
		const char *bytes, size_t length, struct perseus__job_request *out, struct perseus_error *err)
{
	struct perseus__job_request request = {
		.parallel = {1, 1, 1, 1, 1},
		.target = {.kind = PERSEUS__TARGET_TIME},
		.blocking_power_w = NAN,
		.granularity = PERSEUS_GRANULARITY_AUTO,
	};
	enum perseus_status status = perseus__body_parse(bytes, length, &request.document, err);
	if (status == PERSEUS_OK)
		status = read_job(&request, err);
	if (status == PERSEUS_OK)
		*out = request;
	else
		perseus__job_request_fini(&request);
	return status;
}

void
perseus__job_request_fini(struct perseus__job_request *request)
{
	json_decref(request->document);
	request->document = NULL;
}

/* A rank's request, before its parts are read. */
struct rank_text {
	int32_t rank;
	struct perseus__parallel at;
	json_t *gpu, *clocks, *order;
	const char *control;
	double switch_latency_s;
};

bool
perseus__control_find(const char *text, enum perseus__control *control)
{
	for (int c = 0; c <= PERSEUS__CONTROL_NONE; c++) {
		if (strcmp(text, control_name((enum perseus__control)c)) != 0)
			continue;
		*control = (enum perseus__control)c;
		return true;
	}
	return false;
}

static enum perseus_status
read_gpu(json_t *object, struct perseus__rank_request *request, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(perseus__rank_request, gpu_name, "name", .type = PERSEUS__FIELD_TEXT, .most = PERSEUS__MAX_NAME_BYTES,
				.may_be_null = true),
		FIELD(perseus__rank_request, gpu_uuid, "uuid", .type = PERSEUS__FIELD_TEXT, .most = PERSEUS__MAX_NAME_BYTES,
				.may_be_null = true),
		FIELD(perseus__rank_request, gpu_driver, "driver", .type = PERSEUS__FIELD_TEXT, .most = PERSEUS__MAX_NAME_BYTES,
				.may_be_null = true),
		FIELD(perseus__rank_request, is_simulated, "is_simulated", .type = PERSEUS__FIELD_FLAG, .may_be_null = true),
	};
	return perseus__body_read(object, "gpu", fields, sizeof fields / sizeof *fields, request, err);
}

static enum perseus_status
read_clocks(json_t *array, struct perseus__rank_request *request, struct perseus_error *err)
{
	const size_t n = json_array_size(array);
	request->clocks_mhz = perseus__new_array(n, sizeof *request->clocks_mhz);
	if (!request->clocks_mhz)
		return perseus__no_memory(err);
	for (size_t i = 0; i < n; i++) {
		char path[PERSEUS__BODY_PATH_BYTES];
		(void)snprintf(path, sizeof path, "clocks_mhz[%zu]", i);
		const json_t *value = json_array_get(array, i);
		const json_int_t clock = json_integer_value(value);
		if (!json_is_integer(value) || clock < 1 || clock > PERSEUS_MAX_FREQUENCY_MHZ)
			return perseus__body_fail(err, path, "", "expected an integer from 1 to %d", PERSEUS_MAX_FREQUENCY_MHZ);
		if (i > 0 && clock >= request->clocks_mhz[i - 1])
			return perseus__body_fail(err, path, "", "expected clocks in descending order");
		request->clocks_mhz[i] = (int32_t)clock;
	}
	request->n_clocks = (int32_t)n;
	return PERSEUS_OK;
}

/* An optimizer step has no stage in its text: it is of the rank's first stage. */
static void
set_stages(struct perseus_instruction *order, int32_t n)
{
	int32_t stage = 0;
	for (int32_t i = 0; i < n; i++)
		if (order[i].kind != PERSEUS_KIND_OPTIMIZER_STEP) {
			stage = order[i].stage;
			break;
		}
	for (int32_t i = 0; i < n; i++)
		if (order[i].kind == PERSEUS_KIND_OPTIMIZER_STEP) {
			order[i].stage = stage;
			order[i].part[0].stage = stage;
		}
}

static enum perseus_status
read_order(json_t *array, struct perseus__rank_request *request, struct perseus_error *err)
{
	const size_t n = json_array_size(array);
	if (n == 0)
		return perseus__body_fail(err, "order", "", "expected one instruction at least");
	request->order = perseus__new_array(n, sizeof *request->order);
	if (!request->order)
		return perseus__no_memory(err);
	struct perseus__text joined = perseus__text_init(MAX_ORDER_BYTES);
	enum perseus_status status = PERSEUS_OK;
	for (size_t i = 0; i < n && status == PERSEUS_OK; i++) {
		char path[PERSEUS__BODY_PATH_BYTES];
		(void)snprintf(path, sizeof path, "order[%zu]", i);
		const char *text = json_string_value(json_array_get(array, i));
		struct perseus_error why = {.message = ""};
		if (!text)
			status = perseus__body_fail(err, path, "", "expected a string");
		else if (perseus__instruction_parse(text, &request->order[i], &why) != PERSEUS_OK)
			status = perseus__body_fail(err, path, "", "%s", why.message);
		else
			perseus__text_addf(&joined, "%s%s", i ? " " : "", text);
	}
	if (status == PERSEUS_OK && joined.failed)
		status = perseus__no_memory(err);
	set_stages(request->order, (int32_t)n);
	request->n_order = (int32_t)n;
	request->order_text = joined.bytes;
	return status;
}

static enum perseus_status
read_rank(struct perseus__rank_request *request, struct perseus_error *err)
{
	const double most = PERSEUS__MAX_RANKS_OF_JOB - 1;
	const struct perseus__field fields[] = {
		FIELD(rank_text, rank, "rank", .type = PERSEUS__FIELD_INT32, .most = most, .is_required = true),
		FIELD(rank_text, at.dp, "dp", .type = PERSEUS__FIELD_INT32, .most = most),
		FIELD(rank_text, at.pp, "pp", .type = PERSEUS__FIELD_INT32, .most = most),
		FIELD(rank_text, at.tp, "tp", .type = PERSEUS__FIELD_INT32, .most = most),
		FIELD(rank_text, at.cp, "cp", .type = PERSEUS__FIELD_INT32, .most = most),
		FIELD(rank_text, at.ep, "ep", .type = PERSEUS__FIELD_INT32, .most = most),
		FIELD(rank_text, gpu, "gpu", .type = PERSEUS__FIELD_OBJECT, .may_be_null = true),
		FIELD(rank_text, clocks, "clocks_mhz", .type = PERSEUS__FIELD_ARRAY, .most = PERSEUS__MAX_CLOCKS,
				.is_required = true),
		FIELD(rank_text, control, "control", .type = PERSEUS__FIELD_TEXT, .most = 16, .is_required = true),
		FIELD(rank_text, switch_latency_s, "switch_latency_s", .type = PERSEUS__FIELD_NUMBER, .most = MAX_LATENCY_S,
				.may_be_null = true),
		FIELD(rank_text, order, "order", .type = PERSEUS__FIELD_ARRAY, .most = PERSEUS__MAX_ORDER_OF_RANK,
				.is_required = true),
	};
	struct rank_text text = {.switch_latency_s = NAN, .control = ""};
	enum perseus_status status =
			perseus__body_read(request->document, "", fields, sizeof fields / sizeof *fields, &text, err);
	if (status != PERSEUS_OK)
		return status;
	request->rank = text.rank;
	request->at = text.at;
	request->switch_latency_s = text.switch_latency_s;
	if (!perseus__control_find(text.control, &request->control))
		return perseus__body_fail(err, "", "control", "expected one of agent, device, dry-run, none");
	if (text.gpu)
		status = read_gpu(text.gpu, request, err);
	if (status == PERSEUS_OK)
		status = read_clocks(text.clocks, request, err);
	if (status == PERSEUS_OK)
		status = read_order(text.order, request, err);
	return status;
}

enum perseus_status
perseus__rank_request_decode(
		const char *bytes, size_t length, struct perseus__rank_request *out, struct perseus_error *err)
{
	struct perseus__rank_request request = {.gpu_name = "", .gpu_uuid = "", .gpu_driver = ""};
	enum perseus_status status = perseus__body_parse(bytes, length, &request.document, err);
	if (status == PERSEUS_OK)
		status = read_rank(&request, err);
	if (status == PERSEUS_OK)
		*out = request;
	else
		perseus__rank_request_fini(&request);
	return status;
}

void
perseus__rank_request_fini(struct perseus__rank_request *request)
{
	json_decref(request->document);
	perseus__free(request->clocks_mhz);
	perseus__free(request->order);
	perseus__free(request->order_text);
	*request = (struct perseus__rank_request){.document = NULL};
}

enum perseus_status
perseus__order_parse(
		const char *order_text, struct perseus_instruction **order, int32_t *n_order, struct perseus_error *err)
{
	int32_t n = 1;
	for (const char *at = order_text; *at; at++)
		n += *at == ' ';
	struct perseus_instruction *made = perseus__new_array((size_t)n, sizeof *made);
	if (!made)
		return perseus__no_memory(err);
	enum perseus_status status = PERSEUS_OK;
	const char *at = order_text;
	for (int32_t i = 0; i < n && status == PERSEUS_OK; i++) {
		char text[PERSEUS__INSTRUCTION_BYTES];
		const size_t length = strcspn(at, " ");
		(void)snprintf(text, sizeof text, "%.*s", (int)(length < sizeof text ? length : sizeof text), at);
		status = perseus__instruction_parse(text, &made[i], err);
		at += length + (at[length] == ' ');
	}
	if (status != PERSEUS_OK) {
		perseus__free(made);
		return status;
	}
	set_stages(made, n);
	*order = made;
	*n_order = n;
	return PERSEUS_OK;
}

enum perseus_status
perseus__straggler_request_decode(
		const char *bytes, size_t length, struct perseus__straggler_request *out, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(perseus__straggler_request, pipeline, "pipeline", .type = PERSEUS__FIELD_INT32,
				.most = PERSEUS__MAX_RANKS_OF_JOB - 1, .is_required = true),
		FIELD(perseus__straggler_request, degree, "degree", .type = PERSEUS__FIELD_NUMBER, .least = 1,
				.most = PERSEUS__MAX_DEGREE, .is_required = true),
		FIELD(perseus__straggler_request, delay_s, "delay_s", .type = PERSEUS__FIELD_NUMBER, .most = MAX_DELAY_S,
				.may_be_null = true),
	};
	struct perseus__straggler_request request = {.degree = 1};
	json_t *document = NULL;
	enum perseus_status status = perseus__body_parse(bytes, length, &document, err);
	if (status == PERSEUS_OK)
		status = perseus__body_read(document, "", fields, sizeof fields / sizeof *fields, &request, err);
	json_decref(document);
	if (status == PERSEUS_OK)
		*out = request;
	return status;
}
