/*
 * A letter, then bytes → one of the bodies that training jobs send, or a document that the store gives back. What is
 * taken keeps to its bounds, what is refused says why.
 */
#include "../require.h"
#include "base/memory.h"
#include "base/text.h"
#include "server/job_json.h"
#include "server/profile_document.h"
#include "server/program.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { MAX_BYTES = 1 << 24 };

static enum perseus_status
try_job(const char *bytes, size_t length, struct perseus_error *err)
{
	struct perseus__job_request request;
	const enum perseus_status status = perseus__job_request_decode(bytes, length, &request, err);
	if (status != PERSEUS_OK)
		return status;
	const struct perseus__parallel n = request.parallel;
	require(n.dp >= 1 && (int64_t)n.dp * n.pp * n.tp * n.cp <= PERSEUS__MAX_RANKS_OF_JOB, "degrees out of range", err);
	require(perseus__target_check(&request.target, err) == PERSEUS_OK, "a target that does not pass its check", err);
	perseus__job_request_fini(&request);
	return status;
}

static enum perseus_status
try_rank(const char *bytes, size_t length, struct perseus_error *err)
{
	struct perseus__rank_request request;
	struct perseus_instruction *order = NULL;
	int32_t n = 0;
	const enum perseus_status status = perseus__rank_request_decode(bytes, length, &request, err);
	if (status != PERSEUS_OK)
		return status;
	/* As it is kept and read back. */
	require(perseus__order_parse(request.order_text, &order, &n, err) == PERSEUS_OK && n == request.n_order,
			"an order that does not come back", err);
	for (int32_t i = 0; i < n; i++)
		require(order[i].kind == request.order[i].kind && order[i].stage == request.order[i].stage
						&& order[i].microbatch == request.order[i].microbatch,
				"another instruction came back", err);
	perseus__free(order);
	for (int32_t i = 1; i < request.n_clocks; i++)
		require(request.clocks_mhz[i] < request.clocks_mhz[i - 1], "clocks do not descend", err);
	perseus__rank_request_fini(&request);
	return status;
}

static enum perseus_status
try_report(const char *bytes, size_t length, struct perseus_error *err)
{
	struct perseus__report report;
	const enum perseus_status status = perseus__report_decode(bytes, length, &report, err);
	if (status != PERSEUS_OK)
		return status;
	for (int32_t i = 0; i < report.n_steps; i++) {
		const struct perseus__step_report *step = &report.steps[i];
		require(step->time_s > 0 && step->first_class + step->n_classes <= report.n_classes, "a step out of range",
				err);
		require(i == 0 || step->step > report.steps[i - 1].step, "steps do not ascend", err);
	}
	for (int32_t i = 0; i < report.n_classes; i++)
		require(report.classes[i].mean_s > 0 && report.classes[i].count > 0, "a class out of range", err);
	for (int32_t i = 0; i < report.n_windows; i++)
		require(report.windows[i].first_busy + report.windows[i].n_busy <= report.n_busy, "a window out of range", err);
	perseus__report_fini(&report);
	return status;
}

static enum perseus_status
try_profile(const char *bytes, size_t length, struct perseus_error *err)
{
	struct perseus__profile_document document, again;
	const enum perseus_status status = perseus__profile_document_read(bytes, length, &document, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__text text = perseus__text_init(MAX_BYTES);
	perseus__profile_document_write(&document, &text);
	require(perseus__profile_document_read(text.bytes, text.length, &again, err) == PERSEUS_OK,
			"what was written is refused", err);
	require(again.n_rows == document.n_rows && again.n_stages == document.n_stages, "rows got lost", err);
	perseus__text_fini(&text);
	perseus__profile_document_fini(&document);
	perseus__profile_document_fini(&again);
	return status;
}

static enum perseus_status
try_program(const char *bytes, size_t length, struct perseus_error *err)
{
	struct perseus__program *program = NULL, *again = NULL;
	struct perseus__text text = perseus__text_init(MAX_BYTES), written = perseus__text_init(MAX_BYTES);
	perseus__text_add(&text, bytes, length);
	const enum perseus_status status =
			perseus__program_read(PERSEUS__PHASE_PLAN, text.bytes ? text.bytes : "", NULL, &program, err);
	if (status == PERSEUS_OK) {
		perseus__program_write(program, &written);
		require(perseus__program_read(PERSEUS__PHASE_PLAN, written.bytes, NULL, &again, err) == PERSEUS_OK
						&& perseus__program_equals(program, again),
				"another program came back", err);
	}
	perseus__program_unref(program);
	perseus__program_unref(again);
	perseus__text_fini(&text);
	perseus__text_fini(&written);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus_error err = {.message = ""};
	struct perseus__straggler_request straggler;
	struct perseus__target target;
	enum perseus_status status = PERSEUS_OK;
	if (length == 0)
		return 0;
	const char *body = (const char *)bytes + 1;
	switch (bytes[0]) {
	case 'j':
		status = try_job(body, length - 1, &err);
		break;
	case 'r':
		status = try_rank(body, length - 1, &err);
		break;
	case 's':
		status = try_report(body, length - 1, &err);
		break;
	case 'a':
		status = perseus__straggler_request_decode(body, length - 1, &straggler, &err);
		break;
	case 't':
		status = perseus__target_decode(body, length - 1, &target, &err);
		break;
	case 'p':
		status = try_profile(body, length - 1, &err);
		break;
	case 'g':
		status = try_program(body, length - 1, &err);
		break;
	default:
		return 0;
	}
	require(status == PERSEUS_OK || err.message[0] != '\0', "refused without a message", &err);
	return 0;
}
