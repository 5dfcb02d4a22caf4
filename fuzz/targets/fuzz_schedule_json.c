/* Bytes → schedule JSON → schedule. Whatever is taken must pass the checker, whatever is refused must say why. */
#include "../require.h"
#include "format/schedule_json.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	if (perseus__schedule_json_parse("fuzz.json", (const char *)bytes, length, &schedule, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0' && !schedule, "refused without a message, or with a schedule", &err);
		return 0;
	}
	require(perseus_schedule_check(schedule, &err) == PERSEUS_OK, "what was taken does not pass the checker", &err);
	perseus_schedule_free(schedule);
	return 0;
}
