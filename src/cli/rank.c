/* Ranks by the environment, see the header. */
#include "cli/rank.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* NULL for what is unset or empty. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

/* The first of `names`, which end in NULL, that holds a number. */
static bool
find_number(const char *const *names, int32_t *number)
{
	for (; *names; names++) {
		const char *text = variable(*names);
		char *end = NULL;
		const long value = text ? strtol(text, &end, 10) : -1;
		if (text && *end == '\0' && value >= 0 && value <= INT32_MAX) {
			*number = (int32_t)value;
			return true;
		}
	}
	return false;
}

static void
name_job(char job[PERSEUS__JOB_BYTES])
{
	const char *slurm_job = variable("SLURM_JOB_ID");
	const char *slurm_step = variable("SLURM_STEP_ID");
	const char *run = variable("TORCHELASTIC_RUN_ID");
	const char *address = variable("MASTER_ADDR");
	const char *port = variable("MASTER_PORT");
	if (slurm_job)
		(void)snprintf(job, PERSEUS__JOB_BYTES, "slurm %s%s%s", slurm_job, slurm_step ? "." : "",
				slurm_step ? slurm_step : "");
	else if (run && strcmp(run, "none") != 0) /* what torchrun calls every run that was given no name */
		(void)snprintf(job, PERSEUS__JOB_BYTES, "torchrun %s", run);
	else if (address && port)
		(void)snprintf(job, PERSEUS__JOB_BYTES, "master %s:%s", address, port);
	else
		(void)snprintf(job, PERSEUS__JOB_BYTES, "process %" PRId64, (int64_t)getppid());
}

struct perseus__rank
perseus__rank_of_environment(void)
{
	static const char *const local[] = {"LOCAL_RANK", "SLURM_LOCALID", "OMPI_COMM_WORLD_LOCAL_RANK", NULL};
	static const char *const global[] = {"RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", NULL};
	struct perseus__rank rank = {.rank = -1};
	rank.is_known = find_number(local, &rank.rank);
	if (!rank.is_known)
		return rank;
	(void)find_number(global, &rank.rank);
	name_job(rank.job);
	const char *runtime = variable("XDG_RUNTIME_DIR");
	if (runtime)
		(void)snprintf(rank.directory, sizeof rank.directory, "%s/perseus", runtime);
	else
		(void)snprintf(rank.directory, sizeof rank.directory, "/tmp/perseus-%" PRIu64, (uint64_t)geteuid());
	return rank;
}
