/* Reads a job's profile and schedule. */
#include "cli/job.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "format/input_file.h"
#include "format/pytorch_csv.h"
#include "format/schedule_json.h"

#include <string.h>

#define MAX_FILE_BYTES ((size_t)512 << 20)

static bool
ends_with(const char *text, const char *ending)
{
	const size_t length = strlen(text);
	const size_t ending_length = strlen(ending);
	return length > ending_length && strcmp(text + length - ending_length, ending) == 0;
}

/* Stages of each rank where the schedule is defined with more than one. */
static int32_t
own_stages_per_rank(const char *name)
{
	return strcmp(name, "zbv") == 0 || strcmp(name, "dualpipev") == 0 ? 2 : 1;
}

int32_t
perseus__job_stages_per_rank(const struct perseus__job *job)
{
	return job->stages_per_rank ? job->stages_per_rank : own_stages_per_rank(job->schedule_name);
}

static enum perseus_status
find_ranks(const struct perseus__job *job, int32_t *n_ranks, struct perseus_error *err)
{
	const int32_t n_stages = perseus_profile_n_stages(job->profile);
	const int32_t per_rank = perseus__job_stages_per_rank(job);
	*n_ranks = job->n_ranks ? job->n_ranks : n_stages / per_rank;
	if (!job->n_ranks && n_stages % per_rank != 0)
		return perseus__fail(err, PERSEUS_INVALID,
				"%s has %d stages, which do not spread over ranks with %d stages each; say how many --ranks there are",
				job->input.path, (int)n_stages, (int)per_rank);
	if ((int64_t)*n_ranks * per_rank > n_stages)
		return perseus__fail(err, PERSEUS_INVALID,
				"%d ranks with %d stage%s each are %lld stages, but %s has measurements of only %d", (int)*n_ranks,
				(int)per_rank, per_rank == 1 ? "" : "s", (long long)*n_ranks * per_rank, job->input.path,
				(int)n_stages);
	if ((int64_t)*n_ranks * per_rank < n_stages)
		perseus__print_note("%s has %d stages, the schedule uses the first %lld of them", job->input.path,
				(int)n_stages, (long long)*n_ranks * per_rank);
	return PERSEUS_OK;
}

static enum perseus_status
generate(struct perseus__job *job, struct perseus_error *err)
{
	if (job->n_microbatches == 0)
		return perseus__fail(err, PERSEUS_INVALID, "--microbatches is missing: how many does an iteration have?");
	struct perseus_schedule_settings settings = perseus_schedule_settings_default();
	settings.name = job->schedule_name;
	settings.n_microbatches = job->n_microbatches;
	settings.stages_per_rank = job->stages_per_rank;
	settings.group_size = job->group_size;
	settings.layout = job->layout;
	settings.extra_warmup = job->extra_warmup;
	const enum perseus_status status = find_ranks(job, &settings.n_ranks, err);
	if (status != PERSEUS_OK)
		return status;
	if (job->n_extra_warmup > 0 && job->n_extra_warmup != settings.n_ranks)
		return perseus__fail(err, PERSEUS_INVALID, "--extra-warmup has %d values for %d ranks",
				(int)job->n_extra_warmup, (int)settings.n_ranks);
	settings.data_load = perseus_profile_find(job->profile, 0, perseus_kind_name(PERSEUS_KIND_DATA_LOAD)) != NULL;
	settings.grad_reduce = perseus_profile_find(job->profile, 0, perseus_kind_name(PERSEUS_KIND_GRAD_REDUCE)) != NULL;
	settings.optimizer_step =
			perseus_profile_find(job->profile, 0, perseus_kind_name(PERSEUS_KIND_OPTIMIZER_STEP)) != NULL;
	return perseus_schedule_generate(&settings, &job->schedule, err);
}

/* The first option that shapes a generated schedule, which a file has already; NULL where none is given. */
static const char *
shape_option(const struct perseus__job *job)
{
	if (job->stages_per_rank)
		return "--stages-per-rank";
	if (job->group_size)
		return "--group-size";
	if (job->layout != PERSEUS_LAYOUT_DEFAULT)
		return "--layout";
	return job->n_extra_warmup ? "--extra-warmup" : NULL;
}

static enum perseus_status
check_file(const struct perseus__job *job, struct perseus_error *err)
{
	const struct perseus_schedule *schedule = job->schedule;
	if (job->n_microbatches && job->n_microbatches != schedule->n_microbatches)
		return perseus__fail(err, PERSEUS_INVALID, "--microbatches is %d, but %s has %d", (int)job->n_microbatches,
				job->schedule_name, (int)schedule->n_microbatches);
	if (job->n_ranks && job->n_ranks != schedule->n_ranks)
		return perseus__fail(err, PERSEUS_INVALID, "--ranks is %d, but %s has %d", (int)job->n_ranks,
				job->schedule_name, (int)schedule->n_ranks);
	const int32_t n_stages = perseus_profile_n_stages(job->profile);
	if (schedule->n_stages > n_stages)
		return perseus__fail(err, PERSEUS_INVALID, "%s has %d stages, but %s has measurements of only %d",
				job->schedule_name, (int)schedule->n_stages, job->input.path, (int)n_stages);
	if (schedule->n_stages < n_stages)
		perseus__print_note("%s has %d stages, the schedule uses the first %d of them", job->input.path, (int)n_stages,
				(int)schedule->n_stages);
	return PERSEUS_OK;
}

static enum perseus_status
parse_file(struct perseus__job *job, const char *bytes, size_t length, bool is_json, struct perseus_error *err)
{
	if (is_json)
		return perseus__schedule_json_parse(job->schedule_name, bytes, length, &job->schedule, err);
	char note[PERSEUS__PYTORCH_NOTE_BYTES];
	const enum perseus_status status =
			perseus__pytorch_csv_parse(job->schedule_name, bytes, length, &job->schedule, note, err);
	if (status == PERSEUS_OK && *note)
		perseus__print_note("%s: %s", job->schedule_name, note);
	return status;
}

static enum perseus_status
read_file(struct perseus__job *job, bool is_json, struct perseus_error *err)
{
	const char *option = shape_option(job);
	if (option)
		return perseus__fail(
				err, PERSEUS_INVALID, "%s does not go with a schedule file: the file has its shape already", option);
	char *bytes = NULL;
	size_t length = 0;
	enum perseus_status status = perseus__input_file(job->schedule_name, MAX_FILE_BYTES, &bytes, &length, err);
	if (status == PERSEUS_OK)
		status = parse_file(job, bytes, length, is_json, err);
	perseus__free(bytes);
	return status == PERSEUS_OK ? check_file(job, err) : status;
}

/* Says where a constant instruction of the options is not in the schedule. */
static void
note_unused_constants(const struct perseus__job *job)
{
	for (int i = 0; i < PERSEUS__N_CONSTANTS; i++) {
		if (!job->input.constants[i].is_given || strcmp(perseus__constant_class(i), PERSEUS_TRANSFER_CLASS) == 0)
			continue;
		bool is_used = false;
		for (int32_t k = 0; k < job->schedule->n_instructions && !is_used; k++)
			is_used = strcmp(job->schedule->instructions[k].class_name, perseus__constant_class(i)) == 0;
		if (!is_used)
			perseus__print_note("%s has no effect: %s has no %s instructions", perseus__constant_option(i),
					job->schedule_name, perseus__constant_class(i));
	}
}

/* Where waiting takes more than computing, one of the two powers is likely not of one GPU, or mistyped. */
static void
note_high_blocking_power(const struct perseus_profile *profile)
{
	for (int32_t c = 0; c < perseus_profile_n_classes(profile); c++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, c);
		for (int32_t k = 0; k < class_->n_choices; k++) {
			const struct perseus_choice *choice = &class_->choices[k];
			if (choice->frequency_mhz == 0 || choice->energy_nj == 0 || choice->effective_nj >= 0)
				continue;
			perseus__print_note(
					"stage %d, %s at %d MHz draws %.4g W, less than the blocking power of %.4g W: energy over "
					"waiting is below zero",
					(int)class_->stage, class_->name, (int)choice->frequency_mhz,
					(double)choice->energy_nj / (double)choice->time_ns,
					(double)perseus_profile_blocking_power_uw(profile, class_->stage) * 1e-6);
			return;
		}
	}
}

enum perseus_status
perseus__job_schedule(struct perseus__job *job, struct perseus_error *err)
{
	const bool is_csv = ends_with(job->schedule_name, ".csv");
	const bool is_json = ends_with(job->schedule_name, ".json");
	const enum perseus_status status = is_csv || is_json ? read_file(job, is_json, err) : generate(job, err);
	if (status == PERSEUS_OK) {
		note_unused_constants(job);
		perseus__input_note(&job->input);
		note_high_blocking_power(job->profile);
	}
	return status;
}

bool
perseus__schedule_is_file(const char *name)
{
	return ends_with(name, ".csv") || ends_with(name, ".json");
}

enum perseus_status
perseus__job_load(struct perseus__job *job, struct perseus_error *err)
{
	const enum perseus_status status = perseus__input_load(&job->input, &job->profile, err);
	return status == PERSEUS_OK ? perseus__job_schedule(job, err) : status;
}
