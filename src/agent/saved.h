/*
 * The settings found before a lease's first write, on disk until they are back: what a start after a crash puts back.
 * One file for each GPU in the agent's state directory, named by its UUID, written whole or not at all:
 *
 *   perseus saved settings 1
 *   gpu GPU-6c1f3a52-0000-4000-8000-000000000000
 *   sm_clocks free
 *   power_limit 400000
 *   persistence 0
 *   checksum 0123456789abcdef
 *
 * A line for each setting that a lease has written, in the order of PERSEUS_SETTING_MAP: "free" for clocks that nothing
 * held, "low high" for clocks that hold where no lease does, else one value in the setting's unit. The checksum
 * (FNV-1a, 64 bits, of all bytes ahead of its line) tells a damaged file, not a forged one: the directory is root's.
 */
#ifndef PERSEUS_AGENT_SAVED_H
#define PERSEUS_AGENT_SAVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

enum { PERSEUS__SAVED_MAX_BYTES = 1024, PERSEUS__SAVED_NAME_BYTES = PERSEUS_DEVICE_TEXT_BYTES + 16 };

/* What a setting was. */
struct perseus__found {
	bool is_free; /* clocks: nothing held them */
	int64_t low;  /* >= 0 */
	int64_t high;
};

struct perseus__saved {
	char uuid[PERSEUS_DEVICE_TEXT_BYTES];
	uint32_t settings; /* bit set: those that were found */
	struct perseus__found found[PERSEUS_N_SETTINGS];
};

/* Whether a UUID can name a file: 1 .. 95 letters, digits, '-' and '_'. */
bool perseus__saved_is_uuid(const char *uuid);

/* The text of a file. `bytes` has length PERSEUS__SAVED_MAX_BYTES. */
void perseus__saved_encode(const struct perseus__saved *saved, char *bytes, size_t *length);

/* Takes what perseus__saved_encode writes, and no other byte. INVALID says what is wrong. */
PERSEUS_MUST_USE enum perseus_status perseus__saved_decode(
		const char *bytes, size_t length, struct perseus__saved *saved, struct perseus_error *err);

/*
 * Opens the directory, which is made where missing, mode 0700, and locks it until it is closed.
 * Removes what a crash left half written. Errors: BUSY where another agent has it; DENIED where others could write into
 * it; IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__saved_open(const char *path, int *directory, struct perseus_error *err);

/*
 * Makes the disk agree with `saved`: its file is replaced, or removed where nothing is saved. What holds on disk is
 * durable when this returns OK, and whole at any time. Errors: IO, with the reason.
 */
PERSEUS_MUST_USE enum perseus_status perseus__saved_store(
		int directory, const struct perseus__saved *saved, struct perseus_error *err);

/* What is saved of the GPU `uuid`; no settings where there is no file. INVALID for a damaged file, IO; both name it. */
PERSEUS_MUST_USE enum perseus_status perseus__saved_load(
		int directory, const char *uuid, struct perseus__saved *saved, struct perseus_error *err);

/* Calls `each` with the UUID of every file, in the order of their names. Errors: IO, NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__saved_list(
		int directory, void (*each)(void *user, const char *uuid), void *user, struct perseus_error *err);

#endif
