/* Reads the jobs of perseus allocate. */
#include "cli/allocate.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/job.h"
#include "cli/progress.h"
#include "format/output_file.h"

#include <string.h>

/* A path that is relative to the file `base`; NULL where there is no memory. */
static char *
resolve(const char *base, const char *path)
{
	const char *slash = strrchr(base, '/');
	if (!slash || path[0] == '/')
		return perseus__copy_string(path);
	char *directory = perseus__copy_string(base);
	if (!directory)
		return NULL;
	directory[slash == base ? 1 : slash - base] = '\0';
	char *resolved = perseus__output_path(directory, path);
	perseus__free(directory);
	return resolved;
}

/* The same error, with the line and the job that it is about. */
static enum perseus_status
name_job(const char *path, const struct perseus__job_row *row, struct perseus_error *err)
{
	const struct perseus_error inner = *err;
	return perseus__fail(
			err, inner.status, "%s:%lld: job %s: %s", path, (long long)row->line, row->name, inner.message);
}

static enum perseus_status
solve(struct perseus__job *job, const struct perseus__job_row *row, struct perseus_operating_curve **curve,
		struct perseus_error *err)
{
	if (row->n_microbatches == 0 && !perseus__schedule_is_file(job->schedule_name))
		return perseus__fail(err, PERSEUS_INVALID, "how many microbatches does an iteration have?");
	job->input.blocking_power_w = perseus__new_array(1, sizeof *job->input.blocking_power_w);
	if (!job->input.blocking_power_w)
		return perseus__no_memory(err);
	job->input.blocking_power_w[0] = row->blocking_power_w;
	job->input.n_blocking_power = 1;
	job->n_microbatches = row->n_microbatches;
	job->gpus_per_stage = row->gpus_per_stage;
	job->n_pipelines = row->n_pipelines;
	enum perseus_status status = perseus__job_load(job, err);
	if (status == PERSEUS_OK)
		status = perseus__job_solve(job, err);
	if (status == PERSEUS_OK)
		status = perseus_operating_curve_new(
				job->frontier, row->n_pipelines, row->gpus_per_stage, row->overhead_s, curve, err);
	return status;
}

static enum perseus_status
load_job(const char *path, const struct perseus__job_row *row, struct perseus_operating_curve **curve,
		struct perseus_error *err)
{
	struct perseus__job job = perseus__job_init();
	char *profile = resolve(path, row->profile);
	char *schedule = perseus__schedule_is_file(row->schedule) ? resolve(path, row->schedule)
															  : perseus__copy_string(row->schedule);
	enum perseus_status status = PERSEUS_OK;
	if (profile && schedule) {
		job.input.path = profile;
		job.schedule_name = schedule;
		status = solve(&job, row, curve, err);
	} else {
		status = perseus__no_memory(err);
	}
	perseus__job_fini(&job);
	perseus__free(profile);
	perseus__free(schedule);
	return status == PERSEUS_OK || status == PERSEUS_NO_MEMORY ? status : name_job(path, row, err);
}

enum perseus_status
perseus__site_load(const char *path, struct perseus__site *site, struct perseus_error *err)
{
	enum perseus_status status = perseus__jobs_csv_read(path, &site->rows, err);
	if (status != PERSEUS_OK)
		return status;
	const size_t n = (size_t)site->rows.n;
	site->curves = perseus__new_array(n, sizeof *site->curves);
	site->jobs = perseus__new_array(n, sizeof *site->jobs);
	if (!site->curves || !site->jobs)
		return perseus__no_memory(err);
	struct perseus__progress progress = perseus__progress_init("solving the jobs");
	for (int32_t j = 0; j < site->rows.n && status == PERSEUS_OK; j++) {
		status = load_job(path, &site->rows.items[j], &site->curves[j], err);
		if (status == PERSEUS_OK) {
			site->jobs[j] = (struct perseus_allocation_job){site->curves[j], site->rows.items[j].weight};
			site->least_power_w += site->curves[j]->points[0].power_w;
		}
		perseus__progress_show((double)(j + 1) / site->rows.n, &progress);
	}
	perseus__progress_fini(&progress);
	return status;
}

void
perseus__site_fini(struct perseus__site *site)
{
	for (int32_t j = 0; site->curves && j < site->rows.n; j++)
		perseus_operating_curve_free(site->curves[j]);
	perseus__free(site->curves);
	perseus__free(site->jobs);
	perseus__job_rows_fini(&site->rows);
	*site = (struct perseus__site){0};
}
