/* What a job of Zeus's gets. */
#include "server/zeus_plan.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/input_file.h"
#include "server/zeus_python.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A byte may become six. */
enum { MAX_QUOTED_BYTES = 8 * PERSEUS__ZEUS_MAX_NAME_BYTES };

static bool
ends_in(const char *path, const char *suffix)
{
	const size_t length = strlen(path), n = strlen(suffix);
	return length > n && strcmp(path + length - n, suffix) == 0;
}

static enum perseus_status
new_plan(struct perseus__zeus_plan **out, struct perseus_error *err)
{
	struct perseus__zeus_plan *plan = perseus__new_array(1, sizeof *plan);
	if (!plan)
		return perseus__no_memory(err);
	atomic_init(&plan->n_references, 1);
	*out = plan;
	return PERSEUS_OK;
}

enum perseus_status
perseus__zeus_plan_fail(const char *failure, struct perseus__zeus_plan **out, struct perseus_error *err)
{
	struct perseus__zeus_plan *plan;
	const enum perseus_status status = new_plan(&plan, err);
	if (status != PERSEUS_OK)
		return status;
	plan->failure = perseus__copy_string(failure);
	if (!plan->failure) {
		perseus__zeus_plan_unref(plan);
		return perseus__no_memory(err);
	}
	*out = plan;
	return PERSEUS_OK;
}

static int
compare_quoted(const void *a, const void *b)
{
	const uintptr_t left = (uintptr_t)((const struct perseus__zeus_quoted *)a)->name;
	const uintptr_t right = (uintptr_t)((const struct perseus__zeus_quoted *)b)->name;
	return left < right ? -1 : left > right;
}

/* Quotes every name once. False: no memory. */
static bool
quote_names(struct perseus__zeus_plan *plan)
{
	const struct perseus__zeus_solution *solution = plan->solution;
	bool is_good = true;
	plan->quoted = perseus__new_array(solution->n_names > 0 ? (size_t)solution->n_names : 1, sizeof *plan->quoted);
	for (int32_t i = 0; plan->quoted && i < solution->n_names; i++) {
		struct perseus__zeus_quoted *quoted = &plan->quoted[i];
		quoted->name = solution->names[i];
		quoted->text = perseus__text_init(MAX_QUOTED_BYTES);
		perseus__text_add(&quoted->text, "[", 1);
		perseus__python_add_string(&quoted->text, quoted->name);
		perseus__text_add(&quoted->text, ", ", 2);
		is_good &= !quoted->text.failed;
	}
	if (plan->quoted)
		qsort(plan->quoted, (size_t)solution->n_names, sizeof *plan->quoted, compare_quoted);
	return plan->quoted && is_good;
}

/* A text that was read, with room for a NUL behind it; taken over whatever comes of it. */
static enum perseus_status
parse_taken(const char *path, char *text, size_t length, int32_t n_lists, struct perseus__zeus_plan **out,
		struct perseus_error *err)
{
	struct perseus_error why, whole;
	struct perseus__zeus_solution *solution = NULL;
	const enum perseus_status parsed = perseus__zeus_parse(text, length, &solution, &why);
	enum perseus_status status;
	text[length] = '\0';
	if (parsed == PERSEUS_NO_MEMORY) {
		status = perseus__no_memory(err);
	} else if (parsed != PERSEUS_OK) {
		(void)perseus__fail(&whole, PERSEUS_INVALID, "%s: %s", path, why.message);
		status = perseus__zeus_plan_fail(whole.message, out, err);
	} else if (solution->n_ranks != n_lists) {
		(void)perseus__fail(&whole, PERSEUS_INVALID, "%s has the clocks of %d ranks, but the job has %d", path,
				solution->n_ranks, n_lists);
		status = perseus__zeus_plan_fail(whole.message, out, err);
	} else {
		struct perseus__zeus_plan *plan;
		status = new_plan(&plan, err);
		if (status == PERSEUS_OK) {
			plan->solution = solution;
			plan->text = text;
			plan->length = length;
			if (quote_names(plan)) {
				*out = plan;
				return PERSEUS_OK;
			}
			perseus__zeus_plan_unref(plan);
			return perseus__no_memory(err);
		}
	}
	perseus__zeus_free(solution);
	perseus__free(text);
	return status;
}

enum perseus_status
perseus__zeus_plan_parse(const char *path, const char *text, size_t length, int32_t n_lists,
		struct perseus__zeus_plan **out, struct perseus_error *err)
{
	char *copy = perseus__new_array(length + 1, 1);
	if (!copy)
		return perseus__no_memory(err);
	memcpy(copy, text, length);
	return parse_taken(path, copy, length, n_lists, out, err);
}

enum perseus_status
perseus__zeus_plan_load(const char *path, int32_t n_lists, struct perseus__zeus_plan **out, struct perseus_error *err)
{
	struct perseus_error why;
	char *text;
	size_t length;
	if (!ends_in(path, ".py") && !ends_in(path, ".json")) {
		(void)perseus__fail(&why, PERSEUS_INVALID, "%s: the name of a solution file ends in .py or .json", path);
		return perseus__zeus_plan_fail(why.message, out, err);
	}
	const enum perseus_status status =
			perseus__input_file(path, PERSEUS__ZEUS_MAX_SOLUTION_BYTES, &text, &length, &why);
	if (status == PERSEUS_NO_MEMORY)
		return perseus__no_memory(err);
	if (status != PERSEUS_OK)
		return perseus__zeus_plan_fail(why.message, out, err);
	return parse_taken(path, text, length, n_lists, out, err);
}

struct perseus__zeus_plan *
perseus__zeus_plan_ref(struct perseus__zeus_plan *plan)
{
	atomic_fetch_add(&plan->n_references, 1);
	return plan;
}

void
perseus__zeus_plan_unref(struct perseus__zeus_plan *plan)
{
	if (!plan || atomic_fetch_sub(&plan->n_references, 1) > 1)
		return;
	for (int32_t i = 0; plan->quoted && i < plan->solution->n_names; i++)
		perseus__text_fini(&plan->quoted[i].text);
	perseus__free(plan->quoted);
	perseus__zeus_free(plan->solution);
	perseus__free(plan->failure);
	perseus__free(plan->text);
	perseus__free(plan);
}

static void
add_clock(struct perseus__text *text, int32_t frequency_mhz)
{
	char digits[12];
	char *at = digits + sizeof digits;
	*--at = ']';
	do {
		*--at = (char)('0' + frequency_mhz % 10);
		frequency_mhz /= 10;
	} while (frequency_mhz > 0);
	perseus__text_add(text, at, (size_t)(digits + sizeof digits - at));
}

void
perseus__zeus_plan_encode(struct perseus__text *text, const struct perseus__zeus_plan *plan, int32_t list, int32_t rank)
{
	const struct perseus__zeus_solution *solution = plan->solution;
	perseus__text_addf(text, "{\"rank\": %d, \"frequencies\": [", rank);
	for (size_t i = solution->rank_begin[list]; i < solution->rank_begin[list + 1]; i++) {
		const struct perseus__zeus_quoted key = {.name = solution->entries[i].name};
		const struct perseus__zeus_quoted *quoted =
				bsearch(&key, plan->quoted, (size_t)solution->n_names, sizeof key, compare_quoted);
		if (i > solution->rank_begin[list])
			perseus__text_add(text, ", ", 2);
		perseus__text_add(text, quoted->text.bytes, quoted->text.length);
		add_clock(text, solution->entries[i].frequency_mhz);
	}
	perseus__text_addf(text, "]}");
}
