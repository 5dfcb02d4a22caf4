/* Rounds of a job of Zeus's: who waits for what, and who is answered when. */
#include "server/zeus_jobs.h"

#include "base/memory.h"

void
perseus__zeus_round_fini(struct perseus__zeus_round *round)
{
	for (int32_t rank = 0; rank < round->n_ranks; rank++) {
		if (round->results[rank])
			perseus__zeus_result_fini(round->results[rank]);
		perseus__free(round->results[rank]);
	}
	perseus__free(round->results);
	perseus__free(round->lists);
	perseus__zeus_plan_unref(round->plan);
	*round = (struct perseus__zeus_round){.number = round->number};
}

static void
park(struct perseus__zeus_job *job, struct perseus__zeus_poll *poll)
{
	poll->job = job;
	poll->previous = NULL;
	poll->next = job->polls;
	if (job->polls)
		job->polls->previous = poll;
	job->polls = poll;
	job->n_asking += job->ranks[poll->rank].n_polls++ == 0;
}

static void
unpark(struct perseus__zeus_job *job, struct perseus__zeus_poll *poll)
{
	if (poll->previous)
		poll->previous->next = poll->next;
	else
		job->polls = poll->next;
	if (poll->next)
		poll->next->previous = poll->previous;
	job->n_asking -= --job->ranks[poll->rank].n_polls == 0;
	poll->job = NULL;
	poll->previous = NULL;
	poll->next = NULL;
}

bool
perseus__zeus_forget(struct perseus__zeus_poll *poll)
{
	if (!poll->job)
		return false;
	unpark(poll->job, poll);
	return true;
}

/* Which of the plan's lists is a rank's. */
static int32_t
list_of(const struct perseus__zeus_job *job, int32_t rank)
{
	return job->scheduler == PERSEUS__ZEUS_POINT_SOLUTION_3D ? job->ranks[rank].pp_rank : rank;
}

static bool
has_failed(const struct perseus__zeus_job *job)
{
	return job->state == PERSEUS__ZEUS_RUNNING && job->plan->failure;
}

/* What the plan says to a poll. */
static enum perseus__zeus_outcome
settle(const struct perseus__zeus_job *job, struct perseus__zeus_poll *poll)
{
	poll->plan = perseus__zeus_plan_ref(job->plan);
	poll->outcome = job->plan->failure ? PERSEUS__ZEUS_FAILED : PERSEUS__ZEUS_DONE;
	if (!job->plan->failure)
		poll->list = list_of(job, poll->rank);
	return poll->outcome;
}

static void
make_ready(struct perseus__zeus_poll *poll, struct perseus__zeus_ready *ready)
{
	poll->next = ready->first;
	ready->first = poll;
}

void
perseus__zeus_answer_all(
		struct perseus__zeus_job *job, enum perseus__zeus_outcome outcome, struct perseus__zeus_ready *ready)
{
	while (job->polls) {
		struct perseus__zeus_poll *poll = job->polls;
		unpark(job, poll);
		poll->outcome = outcome;
		make_ready(poll, ready);
	}
}

/* Whether every rank has a poll whose peer is still there. O(polls). */
static bool
is_everybody_there(struct perseus__zeus_job *job)
{
	int32_t n_there = 0;
	for (const struct perseus__zeus_poll *poll = job->polls; poll; poll = poll->next)
		job->ranks[poll->rank].is_there = false;
	for (struct perseus__zeus_poll *poll = job->polls; poll; poll = poll->next) {
		struct perseus__zeus_rank *rank = &job->ranks[poll->rank];
		if (rank->is_there || (poll->is_there && !poll->is_there(poll)))
			continue;
		rank->is_there = true;
		n_there++;
	}
	return n_there == job->info.world_size;
}

/* Answers everybody once all have asked. */
static void
open_round(struct perseus__zeus_job *job, int64_t now_ns, struct perseus__zeus_ready *ready)
{
	if (job->state != PERSEUS__ZEUS_RUNNING || has_failed(job) || job->is_open || job->n_asking < job->info.world_size
			|| !is_everybody_there(job))
		return;
	job->is_open = true;
	job->active_ns = now_ns;
	while (job->polls) {
		struct perseus__zeus_poll *poll = job->polls;
		unpark(job, poll);
		job->ranks[poll->rank].is_served = true;
		(void)settle(job, poll);
		make_ready(poll, ready);
	}
}

void
perseus__zeus_start(struct perseus__zeus_job *job, struct perseus__zeus_plan *plan, int64_t now_ns,
		struct perseus__zeus_ready *ready)
{
	job->plan = plan;
	job->state = PERSEUS__ZEUS_RUNNING;
	if (!plan->failure) {
		open_round(job, now_ns, ready);
		return;
	}
	while (job->polls) {
		struct perseus__zeus_poll *poll = job->polls;
		unpark(job, poll);
		(void)settle(job, poll);
		make_ready(poll, ready);
	}
}

enum perseus__zeus_outcome
perseus__zeus_ask(struct perseus__zeus_job *job, struct perseus__zeus_poll *poll, bool waits, int64_t now_ns,
		struct perseus__zeus_ready *ready)
{
	if (poll->rank >= job->info.world_size)
		return PERSEUS__ZEUS_OUTSIDE;
	if (has_failed(job))
		return settle(job, poll);
	if (!waits && job->state != PERSEUS__ZEUS_RUNNING)
		return PERSEUS__ZEUS_CLASH;
	struct perseus__zeus_rank *rank = &job->ranks[poll->rank];
	/* After a restart, whoever has not yet got what the others have: its answer was lost with the old process. */
	const bool is_late = job->is_open && !rank->is_served && !rank->has_result;
	if (!waits || is_late) {
		rank->is_served |= is_late;
		job->active_ns = now_ns;
		return settle(job, poll);
	}
	park(job, poll);
	open_round(job, now_ns, ready);
	return PERSEUS__ZEUS_PARKED;
}

/* Room for what the ranks of a round send. */
static bool
begin_collecting(struct perseus__zeus_job *job)
{
	struct perseus__zeus_round *round = &job->round;
	if (round->n_ranks > 0)
		return true;
	const size_t n = (size_t)job->info.world_size;
	round->results = perseus__new_array(n, sizeof(struct perseus__zeus_result *));
	round->lists = perseus__new_array(n, sizeof *round->lists);
	if (!round->results || !round->lists) {
		perseus__zeus_round_fini(round);
		return false;
	}
	round->n_ranks = job->info.world_size;
	round->plan = perseus__zeus_plan_ref(job->plan);
	for (int32_t rank = 0; rank < round->n_ranks; rank++)
		round->lists[rank] = list_of(job, rank);
	return true;
}

enum perseus__zeus_outcome
perseus__zeus_begin_result(struct perseus__zeus_job *job, struct perseus__zeus_result **result)
{
	const int32_t rank = (*result)->rank;
	if (rank >= job->info.world_size)
		return PERSEUS__ZEUS_OUTSIDE;
	if (has_failed(job))
		return PERSEUS__ZEUS_FAILED;
	if (job->state != PERSEUS__ZEUS_RUNNING)
		return PERSEUS__ZEUS_CLASH;
	if (!begin_collecting(job))
		return PERSEUS__ZEUS_NO_MEMORY;
	if (job->round.results[rank])
		return PERSEUS__ZEUS_CLASH;
	job->round.results[rank] = *result;
	*result = NULL;
	return PERSEUS__ZEUS_DONE;
}

/* Nobody has got or sent anything of this round yet. */
static void
reset_ranks(struct perseus__zeus_job *job)
{
	job->n_results = 0;
	for (int32_t i = 0; i < job->info.world_size; i++) {
		job->ranks[i].has_result = false;
		job->ranks[i].is_served = false;
	}
}

void
perseus__zeus_resume(struct perseus__zeus_job *job, int64_t round, bool is_open)
{
	perseus__zeus_round_fini(&job->round);
	reset_ranks(job);
	job->round.number = round;
	job->is_open = is_open;
}

bool
perseus__zeus_end_result(struct perseus__zeus_job *job, int32_t rank, bool is_durable, int64_t now_ns,
		struct perseus__zeus_round *over, struct perseus__zeus_ready *ready)
{
	if (!is_durable) {
		perseus__zeus_result_fini(job->round.results[rank]);
		perseus__free(job->round.results[rank]);
		job->round.results[rank] = NULL;
		return false;
	}
	job->active_ns = now_ns;
	job->ranks[rank].has_result = true;
	if (++job->n_results < job->info.world_size)
		return false;
	*over = job->round;
	job->round = (struct perseus__zeus_round){.number = over->number + 1};
	job->is_open = false;
	reset_ranks(job);
	open_round(job, now_ns, ready);
	return true;
}
