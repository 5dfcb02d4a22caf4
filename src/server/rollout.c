/* Two steps from a program to what all ranks of a pipeline run. */
#include "server/rollout.h"

#include <string.h>

static void
drop(struct perseus__revision *revision)
{
	perseus__program_unref(revision->program);
	*revision = (struct perseus__revision){.from_step = -1, .batch = -1};
}

void
perseus__rollout_fini(struct perseus__rollout *rollout)
{
	drop(&rollout->started);
	drop(&rollout->coming);
}

struct perseus__revision *
perseus__rollout_add(struct perseus__rollout *rollout, struct perseus__program *program)
{
	drop(&rollout->coming);
	rollout->coming.program = program;
	rollout->coming.number = rollout->next_number++;
	rollout->coming.state = PERSEUS__REVISION_NEW;
	return &rollout->coming;
}

struct perseus__program *
perseus__rollout_latest(const struct perseus__rollout *rollout)
{
	return rollout->coming.program ? rollout->coming.program : rollout->started.program;
}

void
perseus__rollout_fix(struct perseus__rollout *rollout, int64_t begun, int64_t margin)
{
	struct perseus__revision *revision = &rollout->coming;
	const int64_t next = begun + 1 + margin;
	revision->from_step = next > revision->not_before ? next : revision->not_before;
	revision->state = PERSEUS__REVISION_TO_START;
}

static void
remember(struct perseus__rollout *rollout, const struct perseus__revision *revision)
{
	if (rollout->n_past < PERSEUS__N_PAST_REVISIONS)
		rollout->n_past++;
	memmove(rollout->past + 1, rollout->past, sizeof *rollout->past * (size_t)(rollout->n_past - 1));
	rollout->past[0] = (struct perseus__past_revision){
		.number = revision->number,
		.from_step = revision->from_step,
		.phase = revision->program->phase,
		.promise = revision->program->promise,
	};
}

void
perseus__rollout_start(struct perseus__rollout *rollout)
{
	perseus__program_unref(rollout->started.program);
	rollout->started = rollout->coming;
	rollout->started.state = PERSEUS__REVISION_STARTED;
	rollout->coming = (struct perseus__revision){.from_step = -1, .batch = -1};
	remember(rollout, &rollout->started);
}

void
perseus__rollout_restart(struct perseus__rollout *rollout)
{
	rollout->n_past = 0;
	if (rollout->coming.program) {
		/* Those who have it may have taken it for one that has begun: all get it under another number. */
		struct perseus__program *program = perseus__program_ref(rollout->coming.program);
		const int32_t batch = rollout->coming.batch;
		perseus__rollout_add(rollout, program)->batch = batch;
	} else if (rollout->started.program) {
		const int32_t batch = rollout->started.batch;
		perseus__rollout_add(rollout, perseus__program_ref(rollout->started.program))->batch = batch;
	}
	drop(&rollout->started);
}

void
perseus__rollout_clear(struct perseus__rollout *rollout)
{
	rollout->n_past = 0;
	drop(&rollout->started);
	drop(&rollout->coming);
}

const struct perseus__revision *
perseus__rollout_news(const struct perseus__rollout *rollout, int64_t have, int64_t start, bool *with_start)
{
	const struct perseus__revision *started = &rollout->started, *coming = &rollout->coming;
	/* A number from the future is of another store; whoever has it knows nothing of ours. */
	const int64_t known = have < rollout->next_number ? have : -1;
	*with_start = true;
	if (started->program && (known < started->number || (known == started->number && start != started->from_step)))
		return started;
	*with_start = false;
	const bool is_offered = coming->program && coming->state >= PERSEUS__REVISION_OFFERED;
	return is_offered && known < coming->number ? coming : NULL;
}

const struct perseus__past_revision *
perseus__rollout_at(const struct perseus__rollout *rollout, int64_t step)
{
	for (int32_t i = 0; i < rollout->n_past; i++)
		if (rollout->past[i].from_step <= step)
			return &rollout->past[i];
	return NULL;
}
