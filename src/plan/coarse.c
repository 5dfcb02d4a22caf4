/*
 * Groups of instructions that share a clock: who is in which, and what every clock costs it in time and energy.
 */
#include "plan/coarse.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "plan/evaluate.h"

#include <stdlib.h>
#include <string.h>

/* One instruction on its way into a cell. */
struct member {
	int32_t major; /* orders groups; INT32_MAX for constants */
	const struct perseus_class *class_;
	int32_t instruction;
};

static int
compare_names(const struct perseus_class *a, const struct perseus_class *b)
{
	if (a->stage != b->stage)
		return a->stage < b->stage ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* Classes of one name are composed ones, elements of one array: their addresses order them the same way every time. */
static int
compare_classes(const struct perseus_class *a, const struct perseus_class *b)
{
	const int names = compare_names(a, b);
	return names != 0 ? names : ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

static int
compare_members(const void *left, const void *right)
{
	const struct member *a = left;
	const struct member *b = right;
	if (a->major != b->major)
		return a->major < b->major ? -1 : 1;
	const int classes = compare_classes(a->class_, b->class_);
	if (classes != 0)
		return classes;
	return (a->instruction > b->instruction) - (a->instruction < b->instruction);
}

static bool
goes_up(const struct perseus_instruction *instruction)
{
	for (int32_t k = 0; k < instruction->n_parts; k++)
		if (instruction->part[k].kind == PERSEUS_KIND_BACKWARD || instruction->part[k].kind == PERSEUS_KIND_INPUT)
			return true;
	return false;
}

/*
 * Marks in `is_end`, length n_instructions, the first instruction of every stage on the rank, and its last on the way
 * up. `first` and `last`, length n_stages, hold -1 before and after.
 */
static void
mark_ends(const struct perseus__workload *workload, int32_t rank, int32_t *first, int32_t *last, bool *is_end)
{
	const struct perseus_schedule *schedule = workload->schedule;
	const int32_t begin = schedule->rank_begin[rank];
	const int32_t end = schedule->rank_begin[rank + 1];
	for (int32_t i = begin; i < end; i++) {
		const int32_t stage = schedule->instructions[i].stage;
		if (perseus__class_is_constant(workload->class_of[i]))
			continue;
		if (first[stage] < 0)
			first[stage] = i;
		const int32_t so_far = last[stage];
		if (so_far < 0 || goes_up(&schedule->instructions[i]) || !goes_up(&schedule->instructions[so_far]))
			last[stage] = i;
	}
	for (int32_t i = begin; i < end; i++) {
		const int32_t stage = schedule->instructions[i].stage;
		is_end[i] = i == first[stage] || i == last[stage];
	}
	for (int32_t i = begin; i < end; i++)
		first[schedule->instructions[i].stage] = last[schedule->instructions[i].stage] = -1;
}

static enum perseus_status
find_ends(const struct perseus__workload *workload, bool *is_end, struct perseus_error *err)
{
	const int32_t n_stages = workload->schedule->n_stages;
	int32_t *room = perseus__new_array(2 * (size_t)n_stages, sizeof *room);
	if (!room)
		return perseus__no_memory(err);
	for (int32_t s = 0; s < 2 * n_stages; s++)
		room[s] = -1;
	for (int32_t rank = 0; rank < workload->schedule->n_ranks; rank++)
		mark_ends(workload, rank, room, room + n_stages, is_end);
	perseus__free(room);
	return PERSEUS_OK;
}

static enum perseus_status
fill_members(const struct perseus__workload *workload, enum perseus_granularity granularity, struct member *members,
		struct perseus_error *err)
{
	const struct perseus_schedule *schedule = workload->schedule;
	bool *is_end = perseus__new_array((size_t)schedule->n_instructions, sizeof *is_end);
	if (!is_end)
		return perseus__no_memory(err);
	const enum perseus_status status = find_ends(workload, is_end, err);
	for (int32_t i = 0; status == PERSEUS_OK && i < schedule->n_instructions; i++) {
		const int32_t stage = schedule->instructions[i].stage;
		members[i] = (struct member){.class_ = workload->class_of[i], .instruction = i};
		if (perseus__class_is_constant(workload->class_of[i]))
			members[i].major = INT32_MAX;
		else if (granularity == PERSEUS_GRANULARITY_ENDS)
			members[i].major = 2 * stage + !is_end[i];
		else if (granularity == PERSEUS_GRANULARITY_STAGE)
			members[i].major = stage;
	}
	perseus__free(is_end);
	return status;
}

/* Makes cells and groups of the sorted members. */
static void
fill_cells(struct perseus__coarse *coarse, const struct member *members, int32_t n)
{
	int32_t cell = -1;
	int32_t group = -1;
	for (int32_t k = 0; k < n; k++) {
		const struct member *member = &members[k];
		const bool is_other_class = k == 0 || compare_classes(member->class_, members[k - 1].class_) != 0;
		const bool is_other_major = k == 0 || member->major != members[k - 1].major;
		const bool is_other_kind = coarse->granularity == PERSEUS_GRANULARITY_KIND && member->major != INT32_MAX
				&& k > 0 && compare_names(member->class_, members[k - 1].class_) != 0;
		if (is_other_major || is_other_kind)
			coarse->cell_begin[++group] = cell + 1;
		if (is_other_major || is_other_class)
			coarse->cells[++cell] = (struct perseus__cell){.class_ = member->class_, .group = group};
		coarse->cells[cell].count++;
		coarse->cell_of[member->instruction] = cell;
	}
	coarse->n_cells = cell + 1;
	const bool has_constants = members[n - 1].major == INT32_MAX;
	coarse->n_groups = has_constants ? group : group + 1;
	if (!has_constants)
		coarse->cell_begin[coarse->n_groups] = coarse->n_cells;
	coarse->cell_begin[coarse->n_groups + 1] = coarse->n_cells;
}

/* Effective energy of all instructions of the group at a clock; false where some class lacks it. */
static bool
clock_energy(const struct perseus__coarse *coarse, int32_t group, int32_t frequency_mhz, perseus__wide *energy_nj)
{
	*energy_nj = 0;
	for (int32_t c = coarse->cell_begin[group]; c < coarse->cell_begin[group + 1]; c++) {
		const struct perseus_class *class_ = coarse->cells[c].class_;
		const int32_t k = perseus__class_choice(class_, frequency_mhz);
		if (k < 0)
			return false;
		*energy_nj += (perseus__wide)class_->choices[k].effective_nj * coarse->cells[c].count;
	}
	return true;
}

/* Whether clock a makes clock b dispensable in the group: no more energy and no cell slower; ties to the higher. */
static bool
beats(const struct perseus__coarse *coarse, int32_t group, int32_t a_mhz, int32_t b_mhz)
{
	perseus__wide a_nj;
	perseus__wide b_nj;
	if (!clock_energy(coarse, group, a_mhz, &a_nj) || !clock_energy(coarse, group, b_mhz, &b_nj) || a_nj > b_nj)
		return false;
	bool is_equal = a_nj == b_nj;
	for (int32_t c = coarse->cell_begin[group]; c < coarse->cell_begin[group + 1]; c++) {
		const struct perseus_class *class_ = coarse->cells[c].class_;
		const int64_t a_ns = class_->choices[perseus__class_choice(class_, a_mhz)].time_ns;
		const int64_t b_ns = class_->choices[perseus__class_choice(class_, b_mhz)].time_ns;
		if (a_ns > b_ns)
			return false;
		is_equal = is_equal && a_ns == b_ns;
	}
	return !is_equal || a_mhz > b_mhz;
}

/* Writes the clocks common to the group that nothing beats; returns how many there are. */
static int32_t
list_clocks(const struct perseus__coarse *coarse, int32_t group, int32_t *clocks_mhz)
{
	const struct perseus_class *first = coarse->cells[coarse->cell_begin[group]].class_;
	int32_t n_common = 0;
	perseus__wide energy_nj;
	for (int32_t k = 0; k < first->n_choices; k++)
		if (clock_energy(coarse, group, first->choices[k].frequency_mhz, &energy_nj))
			clocks_mhz[n_common++] = first->choices[k].frequency_mhz;
	int32_t n = 0;
	for (int32_t b = 0; b < n_common; b++) {
		bool is_beaten = false;
		for (int32_t a = 0; a < n && !is_beaten; a++)
			is_beaten = beats(coarse, group, clocks_mhz[a], clocks_mhz[b]);
		for (int32_t a = b + 1; a < n_common && !is_beaten; a++)
			is_beaten = beats(coarse, group, clocks_mhz[a], clocks_mhz[b]);
		if (!is_beaten)
			clocks_mhz[n++] = clocks_mhz[b];
	}
	return n;
}

static enum perseus_status
no_common_clock(const struct perseus__coarse *coarse, int32_t group, struct perseus_error *err)
{
	const struct perseus_class *a = coarse->cells[coarse->cell_begin[group]].class_;
	const struct perseus_class *b = coarse->cells[coarse->cell_begin[group + 1] - 1].class_;
	return perseus__fail(err, PERSEUS_INVALID,
			"granularity %s needs a clock common to all instructions of a group, and there is none in the group from "
			"stage %d %s (%d clocks, %d to %d MHz) to stage %d %s (%d clocks, %d to %d MHz)",
			perseus_granularity_name(coarse->granularity), a->stage, a->name, a->n_choices,
			a->choices[a->n_choices - 1].frequency_mhz, a->choices[0].frequency_mhz, b->stage, b->name, b->n_choices,
			b->choices[b->n_choices - 1].frequency_mhz, b->choices[0].frequency_mhz);
}

/* Energies of the options, and rows of choices and times. False where an energy leaves the range that sums need. */
static bool
fill_group(struct perseus__coarse *coarse, int32_t group)
{
	const int32_t begin = coarse->option_begin[group];
	for (int32_t o = begin; o < coarse->option_begin[group + 1]; o++) {
		perseus__wide energy_nj = 0;
		(void)clock_energy(coarse, group, coarse->option_mhz[o], &energy_nj); /* common: see list_clocks */
		/* 2^61 over all groups: sums and differences of two assignments stay in 63 bits. */
		const perseus__wide limit = ((perseus__wide)1 << 61) / coarse->n_groups;
		if (energy_nj > limit || energy_nj < -limit)
			return false;
		coarse->option_nj[o] = (int64_t)energy_nj;
		for (int32_t c = coarse->cell_begin[group]; c < coarse->cell_begin[group + 1]; c++) {
			const int32_t row = coarse->cells[c].table + o - begin;
			coarse->choice[row] = perseus__class_choice(coarse->cells[c].class_, coarse->option_mhz[o]);
			coarse->time_ns[row] = coarse->cells[c].class_->choices[coarse->choice[row]].time_ns;
		}
	}
	return true;
}

/* Places of the rows of every cell; returns their total length. */
static size_t
place_rows(struct perseus__coarse *coarse)
{
	int32_t length = 0;
	for (int32_t c = 0; c < coarse->n_cells; c++) {
		const int32_t group = coarse->cells[c].group;
		coarse->cells[c].table = length;
		length += group < coarse->n_groups ? coarse->option_begin[group + 1] - coarse->option_begin[group] : 1;
	}
	return (size_t)length;
}

static enum perseus_status
fill_options(struct perseus__coarse *coarse, struct perseus_error *err)
{
	size_t capacity = 0;
	for (int32_t g = 0; g < coarse->n_groups; g++)
		capacity += (size_t)coarse->cells[coarse->cell_begin[g]].class_->n_choices;
	coarse->option_begin = perseus__new_array((size_t)coarse->n_groups + 1, sizeof *coarse->option_begin);
	coarse->option_mhz = perseus__new_array(capacity, sizeof *coarse->option_mhz);
	coarse->option_nj = perseus__new_array(capacity, sizeof *coarse->option_nj);
	if (!coarse->option_begin || !coarse->option_mhz || !coarse->option_nj)
		return perseus__no_memory(err);
	for (int32_t g = 0; g < coarse->n_groups; g++) {
		const int32_t begin = coarse->option_begin[g];
		const int32_t n = list_clocks(coarse, g, coarse->option_mhz + begin);
		if (n == 0)
			return no_common_clock(coarse, g, err);
		coarse->option_begin[g + 1] = begin + n;
	}
	const size_t length = place_rows(coarse);
	coarse->choice = perseus__new_array(length, sizeof *coarse->choice);
	coarse->time_ns = perseus__new_array(length, sizeof *coarse->time_ns);
	if (!coarse->choice || !coarse->time_ns)
		return perseus__no_memory(err);
	for (int32_t g = 0; g < coarse->n_groups; g++)
		if (!fill_group(coarse, g))
			return perseus__fail(err, PERSEUS_INVALID, "the energy of one iteration is too large to plan with");
	for (int32_t c = coarse->cell_begin[coarse->n_groups]; c < coarse->n_cells; c++)
		coarse->time_ns[coarse->cells[c].table] = coarse->cells[c].class_->choices[0].time_ns;
	return PERSEUS_OK;
}

enum perseus_status
perseus__coarse_init(struct perseus__coarse *coarse, const struct perseus__workload *workload,
		enum perseus_granularity granularity, struct perseus_error *err)
{
	const int32_t n = workload->schedule->n_instructions;
	struct perseus__coarse made = {.workload = workload, .granularity = granularity};
	struct member *members = perseus__new_array((size_t)n, sizeof *members);
	made.cell_of = perseus__new_array((size_t)n, sizeof *made.cell_of);
	made.cells = perseus__new_array((size_t)n, sizeof *made.cells);
	made.cell_begin = perseus__new_array((size_t)n + 2, sizeof *made.cell_begin);
	enum perseus_status status = PERSEUS_OK;
	if (!members || !made.cell_of || !made.cells || !made.cell_begin) {
		status = perseus__no_memory(err);
		goto fail;
	}
	status = fill_members(workload, granularity, members, err);
	if (status != PERSEUS_OK)
		goto fail;
	qsort(members, (size_t)n, sizeof *members, compare_members);
	fill_cells(&made, members, n);
	status = fill_options(&made, err);
	if (status != PERSEUS_OK)
		goto fail;
	perseus__free(members);
	*coarse = made;
	return PERSEUS_OK;
fail:
	perseus__free(members);
	perseus__coarse_fini(&made);
	return status;
}

void
perseus__coarse_fini(struct perseus__coarse *coarse)
{
	perseus__free(coarse->cell_of);
	perseus__free(coarse->cells);
	perseus__free(coarse->cell_begin);
	perseus__free(coarse->option_begin);
	perseus__free(coarse->option_mhz);
	perseus__free(coarse->option_nj);
	perseus__free(coarse->choice);
	perseus__free(coarse->time_ns);
	*coarse = (struct perseus__coarse){0};
}

int32_t
perseus__coarse_option(const struct perseus__coarse *coarse, int32_t group, int32_t frequency_mhz)
{
	perseus__wide energy_nj;
	if (!clock_energy(coarse, group, frequency_mhz, &energy_nj))
		return -1;
	const int32_t begin = coarse->option_begin[group];
	for (int32_t o = begin; o < coarse->option_begin[group + 1]; o++)
		if (coarse->option_mhz[o] == frequency_mhz || beats(coarse, group, coarse->option_mhz[o], frequency_mhz))
			return o - begin;
	return -1;
}

void
perseus__coarse_spell(const struct perseus__coarse *coarse, const int32_t *option, int32_t *choice)
{
	for (int32_t i = 0; i < coarse->workload->schedule->n_instructions; i++) {
		const struct perseus__cell *cell = &coarse->cells[coarse->cell_of[i]];
		choice[i] = cell->group < coarse->n_groups ? coarse->choice[cell->table + option[cell->group]] : 0;
	}
}
