/*
 * Bytes → Zeus's tuples. Whatever is taken must keep its bounds and survive being written and read again; whatever is
 * refused must say where.
 */
#include "format/zeus_tuples.h"

#include "base/memory.h"

#include <perseus/profile.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
require(int is_true, const char *what)
{
	if (is_true)
		return;
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static void
check(const struct perseus__zeus_solution *solution)
{
	require(solution->n_ranks > 0 && solution->n_ranks <= PERSEUS__ZEUS_MAX_RANKS, "number of ranks");
	require(solution->n_names <= PERSEUS__ZEUS_MAX_NAMES, "number of names");
	require(solution->rank_begin[0] == 0, "the first rank begins at 0");
	for (int32_t rank = 0; rank < solution->n_ranks; rank++)
		require(solution->rank_begin[rank] <= solution->rank_begin[rank + 1], "ranks in order");
	for (size_t i = 0; i < solution->rank_begin[solution->n_ranks]; i++) {
		require(strlen(solution->entries[i].name) <= PERSEUS__ZEUS_MAX_NAME_BYTES, "length of a name");
		require(solution->entries[i].frequency_mhz >= 0
						&& solution->entries[i].frequency_mhz <= PERSEUS_MAX_FREQUENCY_MHZ,
				"a clock out of range");
	}
}

/* The solution as a plan of instructions of kind OTHER, which are written by the name of their class. */
static void
write_again(const struct perseus__zeus_solution *solution, struct perseus__text *text)
{
	const size_t n = solution->rank_begin[solution->n_ranks];
	struct perseus_instruction *instructions = perseus__new_array(n, sizeof *instructions);
	struct perseus_step *steps = perseus__new_array(n, sizeof *steps);
	int32_t *rank_begin = perseus__new_array((size_t)solution->n_ranks + 1, sizeof *rank_begin);
	require(instructions && steps && rank_begin, "no memory");
	for (size_t i = 0; i < n; i++) {
		instructions[i].kind = PERSEUS_KIND_OTHER;
		instructions[i].class_name = solution->entries[i].name;
		steps[i].frequency_mhz = solution->entries[i].frequency_mhz;
	}
	for (int32_t rank = 0; rank <= solution->n_ranks; rank++)
		rank_begin[rank] = (int32_t)solution->rank_begin[rank];
	const struct perseus_schedule schedule = {
		.n_ranks = solution->n_ranks, .instructions = instructions, .rank_begin = rank_begin};
	const struct perseus_plan plan = {.steps = steps};
	perseus__zeus_write(text, &schedule, &plan);
	require(!text->failed, "no memory to write");
	perseus__free(instructions);
	perseus__free(steps);
	perseus__free(rank_begin);
}

static void
require_equal(const struct perseus__zeus_solution *a, const struct perseus__zeus_solution *b)
{
	require(a->n_ranks == b->n_ranks, "other ranks");
	for (int32_t rank = 0; rank <= a->n_ranks; rank++)
		require(a->rank_begin[rank] == b->rank_begin[rank], "other lengths");
	for (size_t i = 0; i < a->rank_begin[a->n_ranks]; i++) {
		require(strcmp(a->entries[i].name, b->entries[i].name) == 0, "another name");
		require(a->entries[i].frequency_mhz == b->entries[i].frequency_mhz, "another clock");
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus__zeus_solution *solution = NULL;
	struct perseus__zeus_solution *again = NULL;
	struct perseus_error err = {.message = ""};
	if (perseus__zeus_parse((const char *)bytes, length, &solution, &err) != PERSEUS_OK) {
		require(strncmp(err.message, "line ", 5) == 0, "refused without saying where");
		require(!solution, "refused, and yet there is a solution");
		return 0;
	}
	check(solution);
	struct perseus__text text = perseus__text_init((size_t)1 << 30);
	write_again(solution, &text);
	require(perseus__zeus_parse(text.bytes, text.length, &again, &err) == PERSEUS_OK, err.message);
	require_equal(solution, again);
	perseus__text_fini(&text);
	perseus__zeus_free(again);
	perseus__zeus_free(solution);
	return 0;
}
