/*
 * The profile of a job: what was measured in vivo or uploaded, with standard errors, and what was calibrated beside it.
 * Kept as JSON, one object:
 *
 *     version           1
 *     source            "in vivo" or "uploaded"
 *     created_ms        Unix time
 *     steps             of profiling; null where it was uploaded
 *     is_simulated      the GPUs were
 *     blocking_power_w  per stage, null where not known
 *     blocking_error_w  standard errors of these, null where not known
 *     transfer_s        of one transfer between stages, calibrated; null where the rows have them
 *     overhead_s        of a step beyond its instructions; null where not measured
 *     baseline          {iteration_time_s, energy_j} of the job with everything at the highest clock, as measured; null
 *     rows              [{stage, instruction, frequency_mhz, time_s, time_error_s, energy_j, energy_error_j,
 *                         is_shared_power}], energy_j null where not known
 */
#ifndef PERSEUS_SERVER_PROFILE_DOCUMENT_H
#define PERSEUS_SERVER_PROFILE_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/profile.h>
#include <perseus/status.h>

enum { PERSEUS__PROFILE_NAME_BYTES = 72, PERSEUS__MAX_PROFILE_BYTES = 16 << 20 };

struct perseus__profile_row {
	int32_t stage;
	char instruction[PERSEUS__PROFILE_NAME_BYTES];
	int32_t frequency_mhz;
	double time_s, time_error_s;     /* the error NaN where not known */
	double energy_j, energy_error_j; /* NaN where not known */
	bool is_shared_power;
};

struct perseus__profile_document {
	bool is_uploaded;
	bool is_simulated;
	int64_t created_ms;
	int32_t n_steps; /* 0: not profiled here */
	int32_t n_stages;
	double *blocking_power_w, *blocking_error_w; /* length n_stages; NaN where not known */
	double transfer_s, overhead_s;               /* NaN where not known */
	double baseline_time_s, baseline_energy_j;   /* of the job; NaN where not measured */
	struct perseus__profile_row *rows;           /* length n_rows; of a class together, highest clock first */
	size_t n_rows;
	char *csv; /* as uploaded; NULL: none */
};

/* An empty document. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__profile_document_init(
		struct perseus__profile_document *document, int32_t n_stages, size_t n_rows, struct perseus_error *err);
void perseus__profile_document_fini(struct perseus__profile_document *document);

/*
 * From a CSV as uploaded, each clock of a class once (rows of several ranks are averaged). `blocking_power_w` NaN: not
 * known. Errors: INVALID with line and column; NO_MEMORY. `*out` is untouched on failure.
 */
PERSEUS_MUST_USE enum perseus_status perseus__profile_document_from_csv(const char *bytes, size_t length,
		double blocking_power_w, struct perseus__profile_document *out, struct perseus_error *err);

void perseus__profile_document_write(const struct perseus__profile_document *document, struct perseus__text *text);

/* What was written. Errors: INVALID with path; NO_MEMORY. `*out` is untouched on failure. */
PERSEUS_MUST_USE enum perseus_status perseus__profile_document_read(
		const char *bytes, size_t length, struct perseus__profile_document *out, struct perseus_error *err);

/* Whether it can be read again once it is written: what nobody can have measured is INVALID, with path; NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__profile_document_check(
		const struct perseus__profile_document *document, struct perseus_error *err);

/*
 * As a profile CSV, with columns time_error and energy_error behind those that every reader knows. Rows whose energy is
 * not known are left out.
 */
void perseus__profile_document_csv(const struct perseus__profile_document *document, struct perseus__text *text);

/* Mean blocking power of the stages where it is known; NaN where it is nowhere. */
double perseus__profile_document_blocking_w(const struct perseus__profile_document *document);

/* The row of a class at a clock, and at its highest clock (frequency_mhz < 0); NULL: there is none. */
const struct perseus__profile_row *perseus__profile_document_find(const struct perseus__profile_document *document,
		int32_t stage, const char *instruction, int32_t frequency_mhz);

#endif
