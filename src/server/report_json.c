/* Reports of ranks, decoded: by far the most frequent of what clients send. */
#include "base/error.h"
#include "base/memory.h"
#include "server/body.h"
#include "server/job_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define FIELD(type, member, name, ...) {.key = (name), .offset = offsetof(struct type, member), __VA_ARGS__}

#define MAX_REPORTED_S 1e6
#define MAX_REPORTED_J 1e12
#define MAX_LATENCY_S 60.0

/* A report, before its parts are read. */
struct report_text {
	json_t *steps, *windows;
	double switch_latency_s;
	const char *control;
};

/* Kinds on the wire: a letter, or the name of the class. */
static bool
find_kind(const char *text, enum perseus_kind *kind)
{
	static const struct {
		const char *letter;
		enum perseus_kind kind;
	} letters[] = {
		{"F", PERSEUS_KIND_FORWARD},
		{"B", PERSEUS_KIND_BACKWARD},
		{"I", PERSEUS_KIND_INPUT},
		{"W", PERSEUS_KIND_WEIGHT},
		{"R", PERSEUS_KIND_RECOMPUTE},
		{"O", PERSEUS_KIND_OVERLAP},
	};
	for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
		if (strcmp(text, letters[i].letter) == 0) {
			*kind = letters[i].kind;
			return true;
		}
	for (int k = 0; k <= PERSEUS_KIND_OTHER; k++)
		if (strcmp(text, perseus_kind_name((enum perseus_kind)k)) == 0) {
			*kind = (enum perseus_kind)k;
			return true;
		}
	return false;
}

static enum perseus_status
check_kind(const char *text, const char *path, enum perseus_kind *kind, struct perseus_error *err)
{
	if (find_kind(text, kind))
		return PERSEUS_OK;
	return perseus__body_fail(err, path, "kind", "expected F, B, I, W, R, O or the name of another class");
}

/* The parts of a step and of a window that its struct has no room for. */
struct step_text {
	struct perseus__step_report step;
	json_t *classes;
};

struct class_text {
	struct perseus__class_report report;
	const char *kind;
};

struct window_text {
	struct perseus__window_report window;
	json_t *busy;
};

struct busy_text {
	struct perseus__busy_report busy;
	const char *kind;
};

static enum perseus_status
read_class(json_t *object, const char *path, struct perseus__class_report *out, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(class_text, report.stage, "stage", .type = PERSEUS__FIELD_INT32, .most = PERSEUS__MAX_STAGE,
				.is_required = true),
		FIELD(class_text, kind, "kind", .type = PERSEUS__FIELD_TEXT, .most = 64, .is_required = true),
		FIELD(class_text, report.frequency_mhz, "frequency_mhz", .type = PERSEUS__FIELD_INT32,
				.most = PERSEUS_MAX_FREQUENCY_MHZ, .is_required = true),
		FIELD(class_text, report.count, "count", .type = PERSEUS__FIELD_INT32, .least = 1, .most = 1 << 24,
				.is_required = true),
		FIELD(class_text, report.mean_s, "mean_s", .type = PERSEUS__FIELD_NUMBER, .least = 1e-9, .most = MAX_REPORTED_S,
				.is_required = true),
		FIELD(class_text, report.deviation_s, "deviation_s", .type = PERSEUS__FIELD_NUMBER, .most = MAX_REPORTED_S,
				.may_be_null = true),
	};
	struct class_text text = {.kind = ""};
	enum perseus_status status = perseus__body_read(object, path, fields, sizeof fields / sizeof *fields, &text, err);
	if (status == PERSEUS_OK)
		status = check_kind(text.kind, path, &text.report.kind, err);
	*out = text.report;
	return status;
}

static enum perseus_status
read_busy(json_t *object, const char *path, struct perseus__busy_report *out, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(busy_text, busy.stage, "stage", .type = PERSEUS__FIELD_INT32, .most = PERSEUS__MAX_STAGE,
				.is_required = true),
		FIELD(busy_text, kind, "kind", .type = PERSEUS__FIELD_TEXT, .most = 64, .is_required = true),
		FIELD(busy_text, busy.frequency_mhz, "frequency_mhz", .type = PERSEUS__FIELD_INT32,
				.most = PERSEUS_MAX_FREQUENCY_MHZ, .is_required = true),
		FIELD(busy_text, busy.time_s, "time_s", .type = PERSEUS__FIELD_NUMBER, .most = MAX_REPORTED_S,
				.is_required = true),
	};
	struct busy_text text = {.kind = ""};
	enum perseus_status status = perseus__body_read(object, path, fields, sizeof fields / sizeof *fields, &text, err);
	if (status == PERSEUS_OK)
		status = check_kind(text.kind, path, &text.busy.kind, err);
	*out = text.busy;
	return status;
}

/* Room for the items of all parents, whose arrays are called `key`. */
static enum perseus_status
make_room(const json_t *parents, const char *key, size_t size, void **array, struct perseus_error *err)
{
	size_t n = 0;
	for (size_t i = 0; i < json_array_size(parents); i++)
		n += json_array_size(json_object_get(json_array_get(parents, i), key));
	*array = perseus__new_array(n, size);
	return *array ? PERSEUS_OK : perseus__no_memory(err);
}

static enum perseus_status
read_step(json_t *object, const char *path, struct perseus__report *report, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(step_text, step.step, "step", .type = PERSEUS__FIELD_INT64, .most = PERSEUS__MAX_STEP,
				.is_required = true),
		FIELD(step_text, step.revision, "revision", .type = PERSEUS__FIELD_INT64, .least = -1,
				.most = PERSEUS__MAX_STEP),
		FIELD(step_text, step.time_s, "time_s", .type = PERSEUS__FIELD_NUMBER, .least = 1e-9, .most = MAX_REPORTED_S,
				.is_required = true),
		FIELD(step_text, step.span_s, "span_s", .type = PERSEUS__FIELD_NUMBER, .most = MAX_REPORTED_S,
				.may_be_null = true),
		FIELD(step_text, step.energy_j, "energy_j", .type = PERSEUS__FIELD_NUMBER, .least = -MAX_REPORTED_J,
				.most = MAX_REPORTED_J, .may_be_null = true),
		FIELD(step_text, step.is_followed, "is_followed", .type = PERSEUS__FIELD_FLAG, .is_required = true),
		FIELD(step_text, classes, "classes", .type = PERSEUS__FIELD_ARRAY, .most = PERSEUS__MAX_CLASSES_OF_STEP),
	};
	struct step_text text = {.step = {.revision = -1, .span_s = NAN, .energy_j = NAN}};
	enum perseus_status status = perseus__body_read(object, path, fields, sizeof fields / sizeof *fields, &text, err);
	text.step.first_class = report->n_classes;
	text.step.n_classes = (int32_t)json_array_size(text.classes);
	for (int32_t i = 0; i < text.step.n_classes && status == PERSEUS_OK; i++) {
		char at[PERSEUS__BODY_PATH_BYTES];
		(void)snprintf(at, sizeof at, "%s.classes[%d]", path, i);
		status = read_class(json_array_get(text.classes, (size_t)i), at, &report->classes[report->n_classes++], err);
	}
	if (status == PERSEUS_OK && report->n_steps > 0 && text.step.step <= report->steps[report->n_steps - 1].step)
		return perseus__body_fail(err, path, "step", "expected steps in ascending order");
	report->steps[report->n_steps++] = text.step;
	return status;
}

static enum perseus_status
read_window(json_t *object, const char *path, struct perseus__report *report, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(window_text, window.time_s, "time_s", .type = PERSEUS__FIELD_NUMBER, .least = 1e-9,
				.most = MAX_REPORTED_S, .is_required = true),
		FIELD(window_text, window.energy_j, "energy_j", .type = PERSEUS__FIELD_NUMBER, .least = -MAX_REPORTED_J,
				.most = MAX_REPORTED_J, .is_required = true),
		FIELD(window_text, window.error_j, "error_j", .type = PERSEUS__FIELD_NUMBER, .most = MAX_REPORTED_J,
				.is_required = true),
		FIELD(window_text, window.unsettled_s, "unsettled_s", .type = PERSEUS__FIELD_NUMBER, .most = MAX_REPORTED_S),
		FIELD(window_text, busy, "busy", .type = PERSEUS__FIELD_ARRAY, .most = PERSEUS__MAX_CLASSES_OF_STEP),
	};
	struct window_text text = {.busy = NULL};
	enum perseus_status status = perseus__body_read(object, path, fields, sizeof fields / sizeof *fields, &text, err);
	text.window.first_busy = report->n_busy;
	text.window.n_busy = (int32_t)json_array_size(text.busy);
	for (int32_t i = 0; i < text.window.n_busy && status == PERSEUS_OK; i++) {
		char at[PERSEUS__BODY_PATH_BYTES];
		(void)snprintf(at, sizeof at, "%s.busy[%d]", path, i);
		status = read_busy(json_array_get(text.busy, (size_t)i), at, &report->busy[report->n_busy++], err);
	}
	report->windows[report->n_windows++] = text.window;
	return status;
}

static enum perseus_status
read_items(const json_t *array, const char *key,
		enum perseus_status (*read)(
				json_t *object, const char *path, struct perseus__report *report, struct perseus_error *err),
		struct perseus__report *report, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (size_t i = 0; i < json_array_size(array) && status == PERSEUS_OK; i++) {
		char path[PERSEUS__BODY_PATH_BYTES / 2];
		(void)snprintf(path, sizeof path, "%s[%zu]", key, i);
		status = read(json_array_get(array, i), path, report, err);
	}
	return status;
}

static enum perseus_status
read_arrays(const struct report_text *text, struct perseus__report *report, struct perseus_error *err)
{
	void *classes = NULL, *busy = NULL;
	enum perseus_status status = make_room(text->steps, "classes", sizeof *report->classes, &classes, err);
	report->classes = classes;
	if (status == PERSEUS_OK)
		status = make_room(text->windows, "busy", sizeof *report->busy, &busy, err);
	report->busy = busy;
	report->steps = perseus__new_array(json_array_size(text->steps), sizeof *report->steps);
	report->windows = perseus__new_array(json_array_size(text->windows), sizeof *report->windows);
	if (status == PERSEUS_OK && (!report->steps || !report->windows))
		status = perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = read_items(text->steps, "steps", read_step, report, err);
	if (status == PERSEUS_OK)
		status = read_items(text->windows, "windows", read_window, report, err);
	return status;
}

static enum perseus_status
read_report(json_t *document, struct perseus__report *report, struct perseus_error *err)
{
	static const struct perseus__field fields[] = {
		FIELD(report_text, steps, "steps", .type = PERSEUS__FIELD_ARRAY, .most = PERSEUS__MAX_STEPS_OF_REPORT),
		FIELD(report_text, windows, "windows", .type = PERSEUS__FIELD_ARRAY, .most = PERSEUS__MAX_WINDOWS_OF_REPORT),
		FIELD(report_text, switch_latency_s, "switch_latency_s", .type = PERSEUS__FIELD_NUMBER, .most = MAX_LATENCY_S,
				.may_be_null = true),
		FIELD(report_text, control, "control", .type = PERSEUS__FIELD_TEXT, .most = 16, .may_be_null = true),
	};
	struct report_text text = {.switch_latency_s = NAN};
	enum perseus_status status = perseus__body_read(document, "", fields, sizeof fields / sizeof *fields, &text, err);
	if (status != PERSEUS_OK)
		return status;
	report->switch_latency_s = text.switch_latency_s;
	report->has_control = text.control != NULL;
	if (text.control && !perseus__control_find(text.control, &report->control))
		return perseus__body_fail(err, "", "control", "expected one of agent, device, dry-run, none");
	return read_arrays(&text, report, err);
}

enum perseus_status
perseus__report_decode(const char *bytes, size_t length, struct perseus__report *out, struct perseus_error *err)
{
	struct perseus__report report = {.switch_latency_s = NAN};
	json_t *document = NULL;
	enum perseus_status status = perseus__body_parse(bytes, length, &document, err);
	if (status == PERSEUS_OK)
		status = read_report(document, &report, err);
	json_decref(document);
	if (status == PERSEUS_OK)
		*out = report;
	else
		perseus__report_fini(&report);
	return status;
}

void
perseus__report_fini(struct perseus__report *report)
{
	perseus__free(report->steps);
	perseus__free(report->classes);
	perseus__free(report->windows);
	perseus__free(report->busy);
	*report = (struct perseus__report){.steps = NULL};
}
