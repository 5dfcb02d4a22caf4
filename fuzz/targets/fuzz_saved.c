/*
 * Bytes → saved settings: what is taken is written again as the same bytes, what is refused says why. As nearly no
 * input has the right checksum, it is tried a second time with that added.
 */
#include "../require.h"
#include "agent/saved.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct perseus_error none = {.message = ""};

static void
check(const char *bytes, size_t length)
{
	struct perseus__saved saved;
	struct perseus_error err = {.message = ""};
	if (perseus__saved_decode(bytes, length, &saved, &err) != PERSEUS_OK) {
		require(err.status == PERSEUS_INVALID && err.message[0] != '\0', "refused without a reason", &err);
		return;
	}
	require(perseus__saved_is_uuid(saved.uuid), "a UUID that cannot name a file", &none);
	require(saved.settings >> PERSEUS_N_SETTINGS == 0, "settings that there are", &none);
	for (int i = 0; i < PERSEUS_N_SETTINGS; i++)
		require(saved.found[i].low >= 0 && saved.found[i].low <= saved.found[i].high, "a range", &none);
	char again[PERSEUS__SAVED_MAX_BYTES];
	size_t again_length;
	perseus__saved_encode(&saved, again, &again_length);
	require(again_length == length && memcmp(again, bytes, length) == 0, "written otherwise", &none);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	check((const char *)bytes, length);
	char summed[PERSEUS__SAVED_MAX_BYTES + 1];
	enum { SUM_BYTES = sizeof "checksum 0123456789abcdef\n" };
	if (length > sizeof summed - SUM_BYTES)
		return 0;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < length; i++) {
		summed[i] = (char)bytes[i];
		sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	}
	(void)snprintf(summed + length, SUM_BYTES, "checksum %016llx\n", (unsigned long long)sum);
	check(summed, length + SUM_BYTES - 1);
	return 0;
}
