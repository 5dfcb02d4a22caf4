/* The classes of instruction whose clocks a baseline chooses, each once. */
#include "baseline/uses.h"

#include "base/error.h"
#include "base/memory.h"
#include "plan/evaluate.h"

#include <stdlib.h>
#include <string.h>

/* An instruction and its class, for sorting. */
struct member {
	const struct perseus_class *class_;
	int32_t instruction;
};

/* By stage and name. Composed classes may share both; which of them comes first changes no answer. */
static int
compare_members(const void *left, const void *right)
{
	const struct member *a = left;
	const struct member *b = right;
	if (a->class_->stage != b->class_->stage)
		return a->class_->stage < b->class_->stage ? -1 : 1;
	const int names = strcmp(a->class_->name, b->class_->name);
	if (names != 0)
		return names;
	if (a->class_ != b->class_)
		return (uintptr_t)a->class_ < (uintptr_t)b->class_ ? -1 : 1;
	return a->instruction < b->instruction ? -1 : a->instruction > b->instruction;
}

/* Clocked instructions into `members`; returns how many. */
static int32_t
collect(struct perseus__uses *uses, struct member *members)
{
	int32_t n = 0;
	for (int32_t i = 0; i < uses->workload->schedule->n_instructions; i++) {
		const struct perseus_class *class_ = uses->workload->class_of[i];
		uses->of[i] = -1;
		if (!perseus__class_is_constant(class_))
			members[n++] = (struct member){class_, i};
	}
	return n;
}

enum perseus_status
perseus__uses_init(struct perseus__uses *uses, const struct perseus__workload *workload, struct perseus_error *err)
{
	const size_t n_instructions = (size_t)workload->schedule->n_instructions;
	struct perseus__uses made = {.workload = workload};
	struct member *members = perseus__new_array(n_instructions, sizeof *members);
	made.classes = perseus__new_array(n_instructions, sizeof *made.classes);
	made.count = perseus__new_array(n_instructions, sizeof *made.count);
	made.of = perseus__new_array(n_instructions, sizeof *made.of);
	if (!members || !made.classes || !made.count || !made.of) {
		perseus__free(members);
		perseus__uses_fini(&made);
		return perseus__no_memory(err);
	}
	const int32_t n_members = collect(&made, members);
	qsort(members, (size_t)n_members, sizeof *members, compare_members);
	for (int32_t k = 0; k < n_members; k++) {
		if (k == 0 || members[k].class_ != members[k - 1].class_)
			made.classes[made.n++] = members[k].class_;
		made.of[members[k].instruction] = made.n - 1;
		made.count[made.n - 1]++;
	}
	perseus__free(members);
	*uses = made;
	return PERSEUS_OK;
}

void
perseus__uses_fini(struct perseus__uses *uses)
{
	perseus__free(uses->classes);
	perseus__free(uses->count);
	perseus__free(uses->of);
	*uses = (struct perseus__uses){0};
}

int32_t
perseus__uses_stage_end(const struct perseus__uses *uses, int32_t begin)
{
	int32_t end = begin;
	while (end < uses->n && uses->classes[end]->stage == uses->classes[begin]->stage)
		end++;
	return end;
}

enum perseus_status
perseus__uses_shared_clocks(const struct perseus__uses *uses, int32_t begin, int32_t end, int32_t *mhz, int32_t *n,
		struct perseus_error *err)
{
	*n = 0;
	if (begin == end)
		return PERSEUS_OK;
	const struct perseus_class *first = uses->classes[begin];
	for (int32_t k = first->n_choices - 1; k >= 0; k--)
		mhz[(*n)++] = first->choices[k].frequency_mhz;
	for (int32_t c = begin + 1; c < end; c++) {
		int32_t n_left = 0;
		for (int32_t k = 0; k < *n; k++)
			if (perseus__class_choice(uses->classes[c], mhz[k]) >= 0)
				mhz[n_left++] = mhz[k];
		*n = n_left;
		if (n_left == 0)
			return perseus__fail(err, PERSEUS_INVALID,
					"no clock is common to the '%s' of stage %d and the '%s' of stage %d, and those between",
					first->name, (int)first->stage, uses->classes[c]->name, (int)uses->classes[c]->stage);
	}
	return PERSEUS_OK;
}

void
perseus__uses_spread(const struct perseus__uses *uses, const int32_t *of_class, int32_t *choice)
{
	for (int32_t i = 0; i < uses->workload->schedule->n_instructions; i++)
		choice[i] = uses->of[i] < 0 ? 0 : of_class[uses->of[i]];
}
