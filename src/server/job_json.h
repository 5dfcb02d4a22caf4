/*
 * What clients send under /v1, decoded: docs/jobs.md has the wire. Decoders are strict: unknown fields, wrong types and
 * values out of range are INVALID with the path of the field. Texts are borrowed from the document, which each struct
 * owns; free with its _fini. `*out` is untouched on failure.
 */
#ifndef PERSEUS_SERVER_JOB_JSON_H
#define PERSEUS_SERVER_JOB_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/target.h"

#include <perseus/plan.h>
#include <perseus/status.h>

/* Bounds of what one request may hold. */
enum {
	PERSEUS__MAX_NAME_BYTES = 200,
	PERSEUS__MAX_FINGERPRINT_KEYS = 64,
	PERSEUS__MAX_RANKS_OF_JOB = 1 << 20,
	PERSEUS__MAX_CLOCKS = 512,
	PERSEUS__MAX_ORDER_OF_RANK = 1 << 17,
	PERSEUS__MAX_STEPS_OF_REPORT = 4096,
	PERSEUS__MAX_CLASSES_OF_STEP = 4096,
	PERSEUS__MAX_WINDOWS_OF_REPORT = 65536,
	PERSEUS__MAX_STAGE = 65535,
};

/* The highest step or revision: exact as a double, and with room for what is counted from it. */
#define PERSEUS__MAX_STEP INT64_C(9000000000000000)

/* Degrees of a job, or coordinates of a rank. */
struct perseus__parallel {
	int32_t dp, pp, tp, cp, ep;
};

struct perseus__job_request {
	json_t *document;
	const char *name;
	const char *key; /* NULL: none */
	struct perseus__parallel parallel;
	json_t *fingerprint; /* an object of strings; NULL: none */
	struct perseus__target target;
	int32_t max_profile_steps; /* 0: not said */
	double blocking_power_w;   /* NaN: not said */
	enum perseus_granularity granularity;
};

PERSEUS_MUST_USE enum perseus_status perseus__job_request_decode(
		const char *bytes, size_t length, struct perseus__job_request *out, struct perseus_error *err);
void perseus__job_request_fini(struct perseus__job_request *request);

/* X(name, text): how a rank's clocks are set. */
#define PERSEUS__CONTROL_MAP(X) \
	X(AGENT, "agent")           \
	X(DEVICE, "device")         \
	X(DRY_RUN, "dry-run")       \
	X(NONE, "none")

enum perseus__control {
#define X(name, text) PERSEUS__CONTROL_##name,
	PERSEUS__CONTROL_MAP(X)
#undef X
};

/* False where there is none of that name. */
bool perseus__control_find(const char *text, enum perseus__control *control);

struct perseus__rank_request {
	json_t *document;
	int32_t rank;
	struct perseus__parallel at;
	const char *gpu_name, *gpu_uuid, *gpu_driver; /* "" where not known */
	bool is_simulated;
	int32_t *clocks_mhz; /* strictly descending */
	int32_t n_clocks;
	enum perseus__control control;
	double switch_latency_s; /* NaN: not known */
	struct perseus_instruction *order;
	int32_t n_order;
	char *order_text; /* its texts, joined by blanks */
};

/* Of the order every instruction is read; what they are together is for the schedule. */
PERSEUS_MUST_USE enum perseus_status perseus__rank_request_decode(
		const char *bytes, size_t length, struct perseus__rank_request *out, struct perseus_error *err);
void perseus__rank_request_fini(struct perseus__rank_request *request);

/* The instructions of an order_text. Free with perseus__free. Errors: INVALID; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__order_parse(
		const char *order_text, struct perseus_instruction **order, int32_t *n_order, struct perseus_error *err);

/* Settled instructions of one class at one clock in one step. */
struct perseus__class_report {
	int32_t stage;
	enum perseus_kind kind;
	int32_t frequency_mhz; /* 0: free */
	int32_t count;         /* >= 1 */
	double mean_s;         /* > 0 */
	double deviation_s;
};

struct perseus__step_report {
	int64_t step;
	int64_t revision; /* -1: none */
	double time_s;    /* from its begin to the next step's */
	double span_s;    /* of its instructions; NaN: none */
	double energy_j;  /* NaN: not measured */
	bool is_followed;
	int32_t first_class, n_classes; /* into perseus__report.classes */
};

struct perseus__busy_report {
	int32_t stage;
	enum perseus_kind kind;
	int32_t frequency_mhz;
	double time_s;
};

struct perseus__window_report {
	double time_s, energy_j, error_j, unsettled_s;
	int32_t first_busy, n_busy; /* into perseus__report.busy */
};

struct perseus__report {
	struct perseus__step_report *steps; /* ascending step */
	struct perseus__class_report *classes;
	struct perseus__window_report *windows;
	struct perseus__busy_report *busy;
	int32_t n_steps, n_classes, n_windows, n_busy;
	double switch_latency_s; /* NaN: not said */
	bool has_control;
	enum perseus__control control;
};

/* Owns nothing of the document. */
PERSEUS_MUST_USE enum perseus_status perseus__report_decode(
		const char *bytes, size_t length, struct perseus__report *out, struct perseus_error *err);
void perseus__report_fini(struct perseus__report *report);

struct perseus__straggler_request {
	int32_t pipeline;
	double degree;
	double delay_s;
};

PERSEUS_MUST_USE enum perseus_status perseus__straggler_request_decode(
		const char *bytes, size_t length, struct perseus__straggler_request *out, struct perseus_error *err);

/* {"kind": ..., "slowdown": ..., "power_w": ...} */
PERSEUS_MUST_USE enum perseus_status perseus__target_decode(
		const char *bytes, size_t length, struct perseus__target *out, struct perseus_error *err);

struct perseus__json;

/* Adds a target as it is decoded. */
void perseus__target_write(struct perseus__json *json, const char *key, const struct perseus__target *target);

#endif
