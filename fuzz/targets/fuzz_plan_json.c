/*
 * Bytes → a program of the job server. What is taken is in bounds: every step has its clocks, as many as the first
 * segment's, and programs hold and are forgotten in order.
 */
#include "client/program.h"
#include "require.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_clocks(const struct perseus__program *program, int64_t step)
{
	const struct perseus_error err = {.message = ""};
	const int32_t *clocks = perseus__program_clocks(program, step);
	require((clocks != NULL) == (program->n_segments > 0), "clocks of a step", &err);
	for (int32_t i = 0; clocks && i < program->n_instructions; i++)
		require(clocks[i] >= 0 && clocks[i] <= 100000, "a clock", &err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus__program *program = NULL;
	struct perseus_error err = {.message = ""};
	if (perseus__program_decode((const char *)bytes, length, &program, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0', "a message", &err);
		return 0;
	}
	require(program->revision >= 0 && program->from_step >= -1, "revision and step", &err);
	struct perseus__programs programs = {.n = 0};
	const int64_t from_step = program->from_step < 0 ? 0 : program->from_step;
	program->from_step = from_step;
	const int64_t revision = program->revision;
	for (int64_t i = 0; i < 5; i++)
		check_clocks(program, from_step + i);
	check_clocks(program, INT64_MAX);
	perseus__programs_take(&programs, program);
	require(perseus__programs_look(&programs, from_step - 1) == NULL, "a program before its step", &err);
	require(perseus__programs_at(&programs, from_step)->revision == revision, "the program that holds", &err);
	perseus__programs_fini(&programs);
	return 0;
}
