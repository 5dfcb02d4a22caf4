/* Binding a schedule to a profile. */
#include "frontier/workload.h"

#include "base/error.h"
#include "base/memory.h"
#include "profile/class.h"

#include <string.h>

/* Adds a class made of `choices`, unless there is one of the same make. */
static enum perseus_status
add_composed(struct perseus__workload *workload, const struct perseus__composed *make,
		const struct perseus_choice *choices, int32_t n, const struct perseus_class **out, struct perseus_error *err)
{
	struct perseus__composed *slot = &workload->composed[workload->n_composed];
	*slot = *make;
	const enum perseus_status status =
			perseus__class_from_choices(&slot->class_, make->class_.stage, make->class_.name, choices, n, err);
	if (status != PERSEUS_OK)
		return status;
	workload->n_composed++;
	*out = &slot->class_;
	return PERSEUS_OK;
}

/* The clocks both classes have, with the sum of their times and energies. Returns their number. */
static int32_t
add_choices(const struct perseus_class *first, const struct perseus_class *second, struct perseus_choice *choices)
{
	int32_t n = 0;
	for (int32_t i = 0; i < first->n_choices; i++)
		for (int32_t k = 0; k < second->n_choices; k++)
			if (first->choices[i].frequency_mhz == second->choices[k].frequency_mhz)
				choices[n++] = (struct perseus_choice){.frequency_mhz = first->choices[i].frequency_mhz,
					.time_ns = first->choices[i].time_ns + second->choices[k].time_ns,
					.energy_nj = first->choices[i].energy_nj + second->choices[k].energy_nj,
					.effective_nj = first->choices[i].effective_nj + second->choices[k].effective_nj};
	return n;
}

/* The choices of two classes run one after the other, at the clocks both have. */
static enum perseus_status
compose_series(struct perseus__workload *workload, const struct perseus__composed *make,
		const struct perseus_class **out, struct perseus_error *err)
{
	struct perseus_choice *choices = perseus__new_array((size_t)make->first->n_choices, sizeof *choices);
	if (!choices)
		return perseus__no_memory(err);
	const int32_t n = add_choices(make->first, make->second, choices);
	const enum perseus_status status = n > 0
			? add_composed(workload, make, choices, n, out, err)
			: perseus__fail(err, PERSEUS_INVALID,
					  "the profile has no '%s' for stage %d, and '%s' of stage %d and '%s' of stage %d share no clock "
					  "to compose it from",
					  make->class_.name, (int)make->class_.stage, make->first->name, (int)make->first->stage,
					  make->second->name, (int)make->second->stage);
	perseus__free(choices);
	return status;
}

static enum perseus_status
missing(const struct perseus__workload *workload, const struct perseus_instruction *instruction,
		struct perseus_error *err)
{
	const int32_t n_stages = perseus_profile_n_stages(workload->profile);
	char text[64];
	perseus_instruction_text(instruction, text, sizeof text);
	if (instruction->stage >= n_stages)
		return perseus__fail(err, PERSEUS_INVALID, "instruction %s: the schedule has %d stages, the profile only %d",
				text, (int)workload->schedule->n_stages, (int)n_stages);
	return perseus__fail(err, PERSEUS_INVALID, "instruction %s: the profile has no '%s' for stage %d", text,
			instruction->class_name, (int)instruction->stage);
}

/* What an instruction without a class of its own is made of; NULL where it cannot be. */
static const struct perseus_class *
part_class(const struct perseus__workload *workload, const struct perseus_instruction *instruction, int32_t part)
{
	const struct perseus_profile *profile = workload->profile;
	if (instruction->kind == PERSEUS_KIND_OVERLAP)
		return perseus_profile_find(
				profile, instruction->part[part].stage, perseus_kind_name(instruction->part[part].kind));
	const int32_t stage = instruction->stage;
	if (part == 1)
		return perseus_profile_find(profile, stage, perseus_kind_name(PERSEUS_KIND_BACKWARD));
	const struct perseus_class *recompute =
			perseus_profile_find(profile, stage, perseus_kind_name(PERSEUS_KIND_RECOMPUTE));
	return recompute ? recompute : perseus_profile_find(profile, stage, perseus_kind_name(PERSEUS_KIND_FORWARD));
}

static const struct perseus_class *
find_composed(const struct perseus__workload *workload, const struct perseus__composed *make)
{
	for (int32_t i = 0; i < workload->n_composed; i++) {
		const struct perseus__composed *made = &workload->composed[i];
		if (made->first == make->first && made->second == make->second && made->class_.stage == make->class_.stage
				&& strcmp(made->class_.name, make->class_.name) == 0)
			return &made->class_;
	}
	return NULL;
}

static enum perseus_status
compose_class(struct perseus__workload *workload, const struct perseus_instruction *instruction,
		const struct perseus_class **out, struct perseus_error *err)
{
	const enum perseus_kind kind = instruction->kind;
	struct perseus__composed make = {.class_ = {.stage = instruction->stage, .name = instruction->class_name}};
	const bool takes_nothing =
			kind == PERSEUS_KIND_UNSHARD || kind == PERSEUS_KIND_RESHARD || kind == PERSEUS_KIND_GRAD_REDUCE;
	if (!takes_nothing) {
		const bool is_series =
				kind == PERSEUS_KIND_OVERLAP || strcmp(instruction->class_name, PERSEUS_FORWARD_BACKWARD_CLASS) == 0;
		if (!is_series)
			return missing(workload, instruction, err);
		make.first = part_class(workload, instruction, 0);
		make.second = part_class(workload, instruction, 1);
		if (!make.first || !make.second)
			return missing(workload, instruction, err);
	}
	*out = find_composed(workload, &make);
	if (*out)
		return PERSEUS_OK;
	if (!takes_nothing)
		return compose_series(workload, &make, out, err);
	const struct perseus_choice nothing = {0};
	return add_composed(workload, &make, &nothing, 1, out, err);
}

/* The class in the profile. Instructions that recompute without a class of their own run a forward again. */
static const struct perseus_class *
find_measured(const struct perseus__workload *workload, const struct perseus_instruction *instruction)
{
	const struct perseus_class *found =
			perseus_profile_find(workload->profile, instruction->stage, instruction->class_name);
	if (!found && instruction->kind == PERSEUS_KIND_RECOMPUTE)
		found = perseus_profile_find(workload->profile, instruction->stage, perseus_kind_name(PERSEUS_KIND_FORWARD));
	return found;
}

static enum perseus_status
bind_classes(struct perseus__workload *workload, struct perseus_error *err)
{
	const struct perseus_schedule *schedule = workload->schedule;
	workload->class_of = perseus__new_array((size_t)schedule->n_instructions, sizeof *workload->class_of);
	if (!workload->class_of)
		return perseus__no_memory(err);
	size_t n_missing = 0;
	for (int32_t i = 0; i < schedule->n_instructions; i++) {
		workload->class_of[i] = find_measured(workload, &schedule->instructions[i]);
		n_missing += workload->class_of[i] == NULL;
	}
	/* Never grown, so that class_of may point into it. */
	workload->composed = perseus__new_array(n_missing, sizeof *workload->composed);
	if (!workload->composed)
		return perseus__no_memory(err);
	enum perseus_status status = PERSEUS_OK;
	for (int32_t i = 0; i < schedule->n_instructions && status == PERSEUS_OK; i++)
		if (!workload->class_of[i])
			status = compose_class(workload, &schedule->instructions[i], &workload->class_of[i], err);
	return status;
}

static enum perseus_status
bind_lags(struct perseus__workload *workload, struct perseus_error *err)
{
	const struct perseus_schedule *schedule = workload->schedule;
	workload->lag_ns = perseus__new_array((size_t)schedule->n_edges, sizeof *workload->lag_ns);
	if (!workload->lag_ns)
		return perseus__no_memory(err);
	for (int32_t e = 0; e < schedule->n_edges; e++) {
		if (!schedule->edges[e].is_transfer)
			continue;
		const int32_t stage = schedule->instructions[schedule->edges[e].from].stage;
		const struct perseus_class *transfer = perseus_profile_find(workload->profile, stage, PERSEUS_TRANSFER_CLASS);
		if (!transfer)
			continue;
		if (transfer->n_choices != 1)
			return perseus__fail(err, PERSEUS_INVALID,
					"stage %d: '%s' was measured at %d clocks; a transfer takes a constant time", (int)stage,
					transfer->name, (int)transfer->n_choices);
		workload->lag_ns[e] = transfer->choices[0].time_ns;
		workload->transfer_nj += transfer->choices[0].energy_nj;
	}
	return PERSEUS_OK;
}

/* A GPU waits with one power, so all stages of a rank must name the same. */
static enum perseus_status
bind_blocking_power(struct perseus__workload *workload, struct perseus_error *err)
{
	const struct perseus_schedule *schedule = workload->schedule;
	workload->rank_blocking_uw = perseus__new_array((size_t)schedule->n_ranks, sizeof *workload->rank_blocking_uw);
	if (!workload->rank_blocking_uw)
		return perseus__no_memory(err);
	for (int32_t r = 0; r < schedule->n_ranks; r++) {
		const int32_t begin = schedule->rank_begin[r];
		const int32_t first_stage = begin < schedule->rank_begin[r + 1] ? schedule->instructions[begin].stage : 0;
		const int64_t blocking_uw = perseus_profile_blocking_power_uw(workload->profile, first_stage);
		for (int32_t i = begin; i < schedule->rank_begin[r + 1]; i++) {
			const int32_t stage = schedule->instructions[i].stage;
			if (perseus_profile_blocking_power_uw(workload->profile, stage) != blocking_uw)
				return perseus__fail(err, PERSEUS_INVALID,
						"stages %d and %d share rank %d but have different blocking powers", (int)first_stage,
						(int)stage, (int)r);
		}
		workload->rank_blocking_uw[r] = blocking_uw;
		workload->blocking_uw += blocking_uw;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__workload_init(struct perseus__workload *workload, const struct perseus_profile *profile,
		const struct perseus_schedule *schedule, struct perseus_error *err)
{
	struct perseus__workload bound = {.profile = profile, .schedule = schedule};
	enum perseus_status status =
			perseus__dag_init(&bound.dag, schedule->n_instructions, schedule->edges, schedule->n_edges, err);
	if (status == PERSEUS_OK)
		status = bind_classes(&bound, err);
	if (status == PERSEUS_OK)
		status = bind_lags(&bound, err);
	if (status == PERSEUS_OK)
		status = bind_blocking_power(&bound, err);
	if (status == PERSEUS_OK)
		*workload = bound;
	else
		perseus__workload_fini(&bound);
	return status;
}

void
perseus__workload_fini(struct perseus__workload *workload)
{
	perseus__dag_fini(&workload->dag);
	for (int32_t i = 0; i < workload->n_composed; i++)
		perseus__class_fini(&workload->composed[i].class_);
	perseus__free(workload->composed);
	perseus__free(workload->class_of);
	perseus__free(workload->lag_ns);
	perseus__free(workload->rank_blocking_uw);
	*workload = (struct perseus__workload){0};
}
