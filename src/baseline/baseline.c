/*
 * The answers of a baseline: every standing of its knob is tried, and what none beats becomes plans.
 */
#include <perseus/baseline.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/wide.h"
#include "baseline/rules.h"
#include "dag/dag.h"

#include <math.h>
#include <stdlib.h>

/* What comes of one standing. */
struct candidate {
	double knob;
	int64_t time_ns;
	perseus__wide effective_nj; /* of the clocked instructions; the others' is the same for all */
};

/* The answers of one baseline on one workload. */
struct survey {
	const struct perseus_frontier *frontier; /* borrowed */
	const struct perseus__rule *rule;
	struct perseus__uses uses;
	int32_t *choice; /* these of length n_instructions: the standing that was looked at last */
	int32_t *frequency_mhz;
	int64_t *time_ns;
	int64_t *start_ns;
	struct candidate *members; /* length n_members, as struct perseus_baseline_family says */
	int32_t n_members;
};

const char *
perseus_baseline_name(enum perseus_baseline baseline)
{
	static const char *const names[] = {
#define X(name, text) text,
		PERSEUS_BASELINE_MAP(X)
#undef X
	};
	return (unsigned)baseline < PERSEUS_N_BASELINES ? names[baseline] : "unknown";
}

static void
survey_fini(struct survey *survey)
{
	perseus__uses_fini(&survey->uses);
	perseus__free(survey->choice);
	perseus__free(survey->frequency_mhz);
	perseus__free(survey->time_ns);
	perseus__free(survey->start_ns);
	perseus__free(survey->members);
}

/* Prepares a survey; finds no members yet. Free with survey_fini, also where it fails. */
static enum perseus_status
survey_init(struct survey *survey, const struct perseus_frontier *frontier, enum perseus_baseline baseline,
		struct perseus_error *err)
{
	const struct perseus__workload *workload = perseus__frontier_workload(frontier);
	const size_t n = (size_t)workload->schedule->n_instructions;
	*survey = (struct survey){.frontier = frontier, .rule = perseus__baseline_rule(baseline)};
	if (!survey->rule)
		return perseus__fail(err, PERSEUS_INVALID, "no baseline has the number %d", (int)baseline);
	survey->choice = perseus__new_array(n, sizeof *survey->choice);
	survey->frequency_mhz = perseus__new_array(n, sizeof *survey->frequency_mhz);
	survey->time_ns = perseus__new_array(n, sizeof *survey->time_ns);
	survey->start_ns = perseus__new_array(n, sizeof *survey->start_ns);
	if (!survey->choice || !survey->frequency_mhz || !survey->time_ns || !survey->start_ns)
		return perseus__no_memory(err);
	return perseus__uses_init(&survey->uses, workload, err);
}

static enum perseus_status
try_knob(struct survey *survey, double knob, struct candidate *candidate, struct perseus_error *err)
{
	const struct perseus__workload *workload = survey->uses.workload;
	const enum perseus_status status = survey->rule->choose(&survey->uses, knob, survey->choice, err);
	if (status != PERSEUS_OK)
		return status;
	*candidate = (struct candidate){.knob = knob};
	for (int32_t i = 0; i < workload->schedule->n_instructions; i++) {
		const struct perseus_choice *chosen = &workload->class_of[i]->choices[survey->choice[i]];
		survey->time_ns[i] = chosen->time_ns;
		candidate->effective_nj += survey->uses.of[i] < 0 ? 0 : chosen->effective_nj;
	}
	candidate->time_ns = perseus__dag_earliest(&workload->dag, survey->time_ns, workload->lag_ns, survey->start_ns);
	return PERSEUS_OK;
}

static int
compare_values(const void *left, const void *right)
{
	const double a = *(const double *)left;
	const double b = *(const double *)right;
	return (a > b) - (a < b);
}

static int
compare_candidates(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	if (a->effective_nj != b->effective_nj)
		return a->effective_nj < b->effective_nj ? -1 : 1;
	return compare_values(&a->knob, &b->knob);
}

/* Every standing, ascending, each once; a rule without a knob, or with nothing to turn it for, has one at 0. */
static enum perseus_status
list_knobs(const struct survey *survey, struct perseus__knobs *knobs, struct perseus_error *err)
{
	enum perseus_status status = survey->rule->list ? survey->rule->list(&survey->uses, knobs, err) : PERSEUS_OK;
	if (status == PERSEUS_OK && knobs->n == 0)
		status = perseus__knobs_add(knobs, 0, err);
	if (status != PERSEUS_OK)
		return status;
	qsort(knobs->values, knobs->n, sizeof *knobs->values, compare_values);
	size_t n = 1;
	for (size_t k = 1; k < knobs->n; k++)
		if (knobs->values[k] > knobs->values[n - 1])
			knobs->values[n++] = knobs->values[k];
	knobs->n = n;
	return PERSEUS_OK;
}

/* Keeps of `members`, in the order of compare_candidates, those that none before beats or equals. */
static void
keep_unbeaten(struct survey *survey)
{
	int32_t n = 1;
	for (int32_t k = 1; k < survey->n_members; k++)
		if (survey->members[k].effective_nj < survey->members[n - 1].effective_nj)
			survey->members[n++] = survey->members[k];
	survey->n_members = n;
}

static enum perseus_status
find_members(struct survey *survey, struct perseus_error *err)
{
	struct perseus__knobs knobs = {0};
	enum perseus_status status = list_knobs(survey, &knobs, err);
	if (status == PERSEUS_OK) {
		survey->members = perseus__new_array(knobs.n, sizeof *survey->members);
		status = survey->members ? PERSEUS_OK : perseus__no_memory(err);
	}
	for (size_t k = 0; k < knobs.n && status == PERSEUS_OK; k++)
		status = try_knob(survey, knobs.values[k], &survey->members[survey->n_members++], err);
	perseus__free(knobs.values);
	if (status != PERSEUS_OK)
		return status;
	qsort(survey->members, (size_t)survey->n_members, sizeof *survey->members, compare_candidates);
	keep_unbeaten(survey);
	return PERSEUS_OK;
}

/* The plan of a standing. */
static enum perseus_status
make_plan(struct survey *survey, double knob, int64_t deadline_ns, struct perseus_plan **out, struct perseus_error *err)
{
	const struct perseus__workload *workload = survey->uses.workload;
	struct perseus_plan_settings settings = perseus_plan_settings_default();
	settings.deadline_ns = deadline_ns;
	const enum perseus_status status = survey->rule->choose(&survey->uses, knob, survey->choice, err);
	if (status != PERSEUS_OK)
		return status;
	for (int32_t i = 0; i < workload->schedule->n_instructions; i++)
		survey->frequency_mhz[i] = workload->class_of[i]->choices[survey->choice[i]].frequency_mhz;
	return perseus_plan_evaluate(survey->frontier, survey->frequency_mhz, &settings, out, err);
}

static enum perseus_status
fill_family(struct survey *survey, struct perseus_baseline_family *family, struct perseus_error *err)
{
	family->members = perseus__new_array((size_t)survey->n_members, sizeof *family->members);
	if (!family->members)
		return perseus__no_memory(err);
	for (int32_t k = 0; k < survey->n_members; k++) {
		const struct candidate *candidate = &survey->members[k];
		struct perseus_baseline_member *member = &family->members[family->n_members++];
		member->knob = candidate->knob;
		const enum perseus_status status = make_plan(survey, candidate->knob, candidate->time_ns, &member->plan, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus_baseline_family_new(const struct perseus_frontier *frontier, enum perseus_baseline baseline,
		struct perseus_baseline_family **out, struct perseus_error *err)
{
	struct survey survey;
	struct perseus_baseline_family *family = NULL;
	enum perseus_status status = survey_init(&survey, frontier, baseline, err);
	if (status == PERSEUS_OK)
		status = find_members(&survey, err);
	if (status == PERSEUS_OK) {
		family = perseus__new_array(1, sizeof *family);
		status = family ? PERSEUS_OK : perseus__no_memory(err);
	}
	if (status == PERSEUS_OK) {
		family->baseline = baseline;
		status = fill_family(&survey, family, err);
	}
	survey_fini(&survey);
	if (status != PERSEUS_OK) {
		perseus_baseline_family_free(family);
		return status;
	}
	*out = family;
	return PERSEUS_OK;
}

void
perseus_baseline_family_free(struct perseus_baseline_family *family)
{
	if (!family)
		return;
	for (int32_t k = 0; k < family->n_members; k++)
		perseus_plan_free(family->members[k].plan);
	perseus__free(family->members);
	perseus__free(family);
}

enum perseus_status
perseus_baseline_plan(const struct perseus_frontier *frontier, enum perseus_baseline baseline, int64_t deadline_ns,
		struct perseus_plan **out, struct perseus_error *err)
{
	struct survey survey;
	enum perseus_status status = survey_init(&survey, frontier, baseline, err);
	if (status == PERSEUS_OK)
		status = find_members(&survey, err);
	if (status == PERSEUS_OK && survey.members[0].time_ns > deadline_ns)
		status = perseus__fail(err, PERSEUS_INFEASIBLE,
				"%s cannot keep a deadline of %.9f s: its shortest iteration takes %.9f s",
				perseus_baseline_name(baseline), (double)deadline_ns / 1e9, (double)survey.members[0].time_ns / 1e9);
	if (status == PERSEUS_OK) {
		int32_t k = survey.n_members - 1;
		while (survey.members[k].time_ns > deadline_ns)
			k--;
		status = make_plan(&survey, survey.members[k].knob, deadline_ns, out, err);
	}
	survey_fini(&survey);
	return status;
}

enum perseus_status
perseus_baseline_plan_at(const struct perseus_frontier *frontier, enum perseus_baseline baseline, double knob,
		int64_t deadline_ns, struct perseus_plan **out, struct perseus_error *err)
{
	if (!isfinite(knob) || knob < 0)
		return perseus__fail(err, PERSEUS_INVALID, "a knob of %g is out of range", knob);
	struct survey survey;
	enum perseus_status status = survey_init(&survey, frontier, baseline, err);
	if (status == PERSEUS_OK)
		status = make_plan(&survey, knob, deadline_ns, out, err);
	survey_fini(&survey);
	return status;
}
