/*
 * Bytes → PyTorch pipeline CSV → schedule → CSV again. Whatever is taken must pass the checker and come back the same,
 * whatever is refused must say why.
 */
#include "../require.h"
#include "format/pytorch_csv.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int32_t
count_computations(const struct perseus_schedule *schedule)
{
	int32_t n = 0;
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		n += schedule->instructions[i].kind <= PERSEUS_KIND_OVERLAP;
	return n;
}

/* The writer refuses pairs that torch has no word for; all else comes back. */
static void
write_and_read(const struct perseus_schedule *schedule)
{
	struct perseus_error err = {.message = ""};
	struct perseus__text text = perseus__text_init(1 << 24);
	const struct perseus_schedule *back = NULL;
	if (perseus__pytorch_csv_write(schedule, &text, &err) == PERSEUS_OK) {
		const enum perseus_status status =
				perseus__pytorch_csv_parse("back.csv", text.bytes, text.length, &back, NULL, &err);
		require(status == PERSEUS_OK, "what was written is refused", &err);
		require(back->n_instructions == count_computations(schedule) && back->n_stages == schedule->n_stages,
				"what was written reads otherwise", &err);
	}
	perseus_schedule_free(back);
	perseus__text_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	const struct perseus_schedule *schedule = NULL;
	struct perseus_error err = {.message = ""};
	char note[PERSEUS__PYTORCH_NOTE_BYTES];
	if (perseus__pytorch_csv_parse("fuzz.csv", (const char *)bytes, length, &schedule, note, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0' && !schedule, "refused without a message, or with a schedule", &err);
		return 0;
	}
	require(memchr(note, '\0', sizeof note) != NULL, "the note does not end", &err);
	require(perseus_schedule_check(schedule, &err) == PERSEUS_OK, "what was taken does not pass the checker", &err);
	write_and_read(schedule);
	perseus_schedule_free(schedule);
	return 0;
}
