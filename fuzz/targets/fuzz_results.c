/*
 * Bytes → results that a command reports. Whatever is taken is a result that reads back the same from its own text, one
 * for each key and in their order; whatever is refused says in which line.
 */
#include "../require.h"
#include "base/memory.h"
#include "cli/results_file.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check(const struct perseus__result *result, const struct perseus_error *err)
{
	char line[PERSEUS__RESULT_KEY_BYTES + PERSEUS__RESULT_TEXT_BYTES];
	struct perseus__result again;
	(void)snprintf(line, sizeof line, "%s=%s", result->key, result->text);
	require(perseus__result_parse(line, &again, NULL) == PERSEUS_OK, "what was taken is refused", err);
	require(strcmp(again.key, result->key) == 0 && strcmp(again.text, result->text) == 0
					&& again.is_number == result->is_number,
			"what was taken reads otherwise", err);
	require(!result->is_number || isfinite(result->number), "a number that is none", err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus__run run = perseus__run_init();
	struct perseus_error err = {.message = ""};
	char *copy = perseus__new_array(length + 1, 1);
	if (!copy)
		return 0;
	if (length > 0)
		memcpy(copy, bytes, length);
	const enum perseus_status status = perseus__results_parse(copy, length, &run, &err);
	require(status == PERSEUS_OK || (status == PERSEUS_INVALID && strncmp(err.message, "line ", 5) == 0),
			"refused without a line", &err);
	for (int32_t i = 0; i < run.n_results; i++) {
		check(&run.results[i], &err);
		require(i == 0 || strcmp(run.results[i - 1].key, run.results[i].key) < 0, "keys out of order", &err);
	}
	perseus__run_fini(&run);
	perseus__free(copy);
	return 0;
}
