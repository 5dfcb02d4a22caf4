/*
 * Which of several processes of one job counts a device that all of them see: the first that claims it. A claim is a
 * lock on a file, one per device, in a directory of the job; it ends with its process, however that ends.
 */
#ifndef PERSEUS_METER_CLAIMS_H
#define PERSEUS_METER_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

/* Who has a claim. */
struct perseus__claimant {
	int32_t rank; /* -1: not known */
	int64_t pid;  /* 0: not known */
};

/* The claims of this process. */
struct perseus__claims;

/*
 * Begins to claim devices among the processes that name the same `directory` and `job`, for `rank`. The last part of
 * `directory` is made where it is missing; `job` may be any text. Free with perseus__claims_free.
 * Errors: DENIED where the directory could be written to by somebody else, who could then hide devices from us; IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__claims_new(
		const char *directory, const char *job, int32_t rank, struct perseus__claims **out, struct perseus_error *err);

/*
 * Claims a device. `*is_ours` says whether this process counts it; where not, `*other` says who does.
 * Errors: IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__claims_take(struct perseus__claims *claims,
		const struct perseus_device_info *device, bool *is_ours, struct perseus__claimant *other,
		struct perseus_error *err);

/* Gives the claims back, and removes what nobody needs any more. */
void perseus__claims_free(struct perseus__claims *claims);

#endif
