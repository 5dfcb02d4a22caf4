/* The jobs of Zeus's clients, and their ranks; rounds are in zeus_rounds.c. */
#include "server/zeus_jobs.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

/* For a suffix that tells equal ids apart, as "+4096". */
enum { SUFFIX_BYTES = 12 };

const char *
perseus__zeus_scheduler_name(enum perseus__zeus_scheduler scheduler)
{
	switch (scheduler) {
#define X(name, text)          \
	case PERSEUS__ZEUS_##name: \
		return text;
		PERSEUS__ZEUS_SCHEDULER_MAP(X)
#undef X
	}
	return "unknown";
}

/*
 * Bytes of the character at `at` where it can stand in an id; 0 where it cannot: what ends a path's segment in a URL or
 * a file system, what begins an escape, and controls.
 */
static size_t
safe_length(const char *at)
{
	const size_t length = perseus__utf8_length(at);
	const bool is_control = length == 0 || *at == 0x7f || ((unsigned char)*at == 0xc2 && (unsigned char)at[1] < 0xa0);
	return is_control || strchr("/\\?#%", *at) ? 0 : length;
}

void
perseus__zeus_make_id(char id[PERSEUS__ZEUS_ID_BYTES], const struct tm *local,
		const struct perseus__zeus_job_info *info, enum perseus__zeus_scheduler scheduler)
{
	const size_t room = PERSEUS__ZEUS_ID_BYTES - SUFFIX_BYTES;
	size_t length = strftime(id, room, "%Y-%m-%d-%H-%M-%S", local);
	length += (size_t)snprintf(id + length, room - length, "+dp%d+pp%d+tp%d+%s", info->dp_degree, info->pp_degree,
			info->tp_degree, perseus__zeus_scheduler_name(scheduler));
	if (!info->metadata || !*info->metadata)
		return;
	id[length++] = '+';
	for (const char *at = info->metadata; *at;) {
		const size_t n = safe_length(at);
		if (length + (n ? n : 1) >= room)
			break;
		memcpy(id + length, n ? at : "_", n ? n : 1);
		length += n ? n : 1;
		at += n ? n : 1;
	}
	id[length] = '\0';
}

/* Position of the first job whose id is not below `id`. */
static size_t
lower_bound(const struct perseus__zeus_jobs *jobs, const char *id)
{
	size_t low = 0, high = jobs->n_jobs;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (strcmp(jobs->jobs[middle]->id, id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct perseus__zeus_job *
perseus__zeus_jobs_find(const struct perseus__zeus_jobs *jobs, const char *id)
{
	const size_t at = lower_bound(jobs, id);
	return at < jobs->n_jobs && strcmp(jobs->jobs[at]->id, id) == 0 ? jobs->jobs[at] : NULL;
}

static void
free_job(struct perseus__zeus_job *job)
{
	for (int32_t rank = 0; job->ranks && rank < job->info.world_size; rank++)
		perseus__free(job->ranks[rank].text);
	perseus__free(job->ranks);
	perseus__zeus_round_fini(&job->round);
	perseus__zeus_job_info_fini(&job->info);
	perseus__zeus_plan_unref(job->plan);
	perseus__free(job);
}

void
perseus__zeus_jobs_fini(struct perseus__zeus_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n_jobs; i++)
		free_job(jobs->jobs[i]);
	perseus__free(jobs->jobs);
	*jobs = (struct perseus__zeus_jobs){0};
}

static void
choose_id(const struct perseus__zeus_jobs *jobs, const char *wanted, char id[PERSEUS__ZEUS_ID_BYTES])
{
	(void)snprintf(id, PERSEUS__ZEUS_ID_BYTES, "%s", wanted);
	/* Ends: there are fewer jobs than suffixes. */
	for (int i = 2; perseus__zeus_jobs_find(jobs, id); i++)
		(void)snprintf(id, PERSEUS__ZEUS_ID_BYTES, "%.*s+%d", PERSEUS__ZEUS_ID_BYTES - SUFFIX_BYTES, wanted, i);
}

enum perseus__zeus_outcome
perseus__zeus_jobs_add(struct perseus__zeus_jobs *jobs, const char *id, struct perseus__zeus_job_info *info,
		enum perseus__zeus_scheduler scheduler, int64_t now_ns, struct perseus__zeus_job **out)
{
	if (jobs->n_jobs >= PERSEUS__ZEUS_MAX_JOBS || jobs->n_ranks + info->world_size > PERSEUS__ZEUS_MAX_TOTAL_RANKS)
		return PERSEUS__ZEUS_TOO_MANY;
	if (!perseus__reserve(&jobs->jobs, &jobs->capacity, jobs->n_jobs + 1, sizeof(struct perseus__zeus_job *)))
		return PERSEUS__ZEUS_NO_MEMORY;
	struct perseus__zeus_job *job = perseus__new_array(1, sizeof *job);
	if (!job)
		return PERSEUS__ZEUS_NO_MEMORY;
	job->ranks = perseus__new_array((size_t)info->world_size, sizeof *job->ranks);
	if (!job->ranks) {
		perseus__free(job);
		return PERSEUS__ZEUS_NO_MEMORY;
	}
	choose_id(jobs, id, job->id);
	job->info = *info;
	*info = (struct perseus__zeus_job_info){0};
	job->serial = jobs->n_added++;
	job->scheduler = scheduler;
	job->active_ns = now_ns;
	const size_t at = lower_bound(jobs, job->id);
	memmove(jobs->jobs + at + 1, jobs->jobs + at, (jobs->n_jobs - at) * sizeof(struct perseus__zeus_job *));
	jobs->jobs[at] = job;
	jobs->n_jobs++;
	jobs->n_ranks += job->info.world_size;
	*out = job;
	return PERSEUS__ZEUS_DONE;
}

void
perseus__zeus_jobs_remove(struct perseus__zeus_jobs *jobs, struct perseus__zeus_job *job,
		enum perseus__zeus_outcome outcome, struct perseus__zeus_ready *ready)
{
	const size_t at = lower_bound(jobs, job->id);
	perseus__zeus_answer_all(job, outcome, ready);
	jobs->n_jobs--;
	jobs->n_ranks -= job->info.world_size;
	memmove(jobs->jobs + at, jobs->jobs + at + 1, (jobs->n_jobs - at) * sizeof(struct perseus__zeus_job *));
	free_job(job);
}

static bool
is_outside(int32_t number, int32_t bound, const char *name, const char **member, int32_t *limit)
{
	if (number < bound)
		return false;
	*member = name;
	*limit = bound;
	return true;
}

enum perseus__zeus_outcome
perseus__zeus_begin_rank(struct perseus__zeus_job *job, const struct perseus__zeus_rank_info *info, char **text,
		const char **member, int32_t *limit)
{
	if (is_outside(info->rank, job->info.world_size, "rank", member, limit))
		return PERSEUS__ZEUS_OUTSIDE;
	/* Only where it is used: frameworks differ in what they call the other two. */
	if (job->scheduler == PERSEUS__ZEUS_POINT_SOLUTION_3D
			&& is_outside(info->pp_rank, job->info.pp_degree, "pp_rank", member, limit))
		return PERSEUS__ZEUS_OUTSIDE;
	struct perseus__zeus_rank *rank = &job->ranks[info->rank];
	if (rank->text && strcmp(rank->text, *text) != 0)
		return PERSEUS__ZEUS_CLASH;
	if (rank->text) {
		perseus__free(*text);
	} else {
		rank->text = *text;
		rank->pp_rank = info->pp_rank;
	}
	*text = NULL;
	rank->n_being_stored++;
	return PERSEUS__ZEUS_DONE;
}

bool
perseus__zeus_end_rank(struct perseus__zeus_job *job, int32_t rank, bool is_durable, int64_t now_ns)
{
	struct perseus__zeus_rank *registered = &job->ranks[rank];
	registered->n_being_stored--;
	if (is_durable) {
		job->active_ns = now_ns;
		job->n_registered += !registered->is_registered;
		registered->is_registered = true;
	} else if (!registered->is_registered && registered->n_being_stored == 0) {
		perseus__free(registered->text);
		registered->text = NULL;
	}
	if (job->state != PERSEUS__ZEUS_JOINING || job->n_registered < job->info.world_size)
		return false;
	job->state = PERSEUS__ZEUS_STARTING;
	return true;
}

int32_t
perseus__zeus_n_lists(const struct perseus__zeus_job *job)
{
	return job->scheduler == PERSEUS__ZEUS_POINT_SOLUTION_3D ? job->info.pp_degree : job->info.world_size;
}
