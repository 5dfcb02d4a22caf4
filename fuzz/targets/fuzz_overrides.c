/*
 * Bytes → TOML → the agent's command overrides. Whatever is refused must say where; whatever is taken must have checked
 * every placeholder, so that a filled-in command holds no brace.
 */
#include "agent/override.h"
#include "agent/override_internal.h"

#include "base/memory.h"
#include "require.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* The input as one command, too: words that pass the check are filled in completely. */
static void
check_words(const char *text)
{
	const struct perseus__override_values values = {1, 2, 3};
	struct perseus__override_command command = {0};
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = perseus__override_split(text, &command, &err);
	require(status == PERSEUS_OK || status == PERSEUS_INVALID, "split", &err);
	for (size_t i = 0; i < command.n_words; i++) {
		if (perseus__override_check_word(PERSEUS__OVERRIDE_set_gpu_locked_clocks, command.words[i], &err)
				== PERSEUS_OK) {
			char *filled = perseus__override_fill(command.words[i], &values);
			require(filled && !strpbrk(filled, "{}"), "a brace is left", &err);
			perseus__free(filled);
		}
		perseus__free(command.words[i]);
	}
	perseus__free(command.words);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus__overrides *overrides = NULL;
	struct perseus_error err = {.message = ""};
	if (perseus__overrides_parse((const char *)bytes, length, "o.toml", &overrides, &err) != PERSEUS_OK) {
		require(strncmp(err.message, "o.toml:", 7) == 0, "refused without saying where", &err);
		require(!overrides, "refused, and yet there are overrides", &err);
	}
	perseus__overrides_free(overrides);
	char text[1024];
	const size_t n = length < sizeof text ? length : sizeof text - 1;
	if (n > 0)
		memcpy(text, bytes, n);
	text[n] = '\0';
	check_words(text);
	return 0;
}
