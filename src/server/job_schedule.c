/* What the ranks of a job run, once all are there: its schedule, its classes, and the fingerprint of its profile. */
#include "base/error.h"
#include "base/memory.h"
#include "server/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NAMES = 8 };

static const struct perseus__rank *
first_rank(const struct perseus__job *job, int32_t pp)
{
	const struct perseus__parallel *n = &job->request.parallel;
	return &job->ranks[job->rank_at[(int64_t)pp * n->tp * n->cp]];
}

/* Ranks of one stage run the same: "" or what is wrong. */
static void
check_orders(const struct perseus__job *job, char problem[PERSEUS__PROBLEM_BYTES])
{
	problem[0] = '\0';
	for (int32_t r = 0; r < job->n_ranks; r++) {
		const struct perseus__rank *rank = &job->ranks[r], *first = first_rank(job, rank->at.pp);
		if (rank->order == first->order)
			continue;
		(void)snprintf(problem, PERSEUS__PROBLEM_BYTES,
				"ranks %d and %d are both at position %d of a pipeline and run different orders of instructions",
				(int)(first - job->ranks), (int)r, rank->at.pp);
		return;
	}
}

static bool
is_same_schedule(const struct perseus__job *job)
{
	if (!job->schedule)
		return false;
	for (int32_t pp = 0; pp < job->request.parallel.pp; pp++)
		if (job->schedule_orders[pp] != first_rank(job, pp)->order)
			return false;
	return true;
}

/* The instructions of all positions, one after the other. */
static enum perseus_status
collect(const struct perseus__job *job, int32_t *rank_begin, struct perseus_instruction **out,
		struct perseus_error *err)
{
	const int32_t n_pp = job->request.parallel.pp;
	int64_t n = 0;
	for (int32_t pp = 0; pp < n_pp; pp++) {
		rank_begin[pp] = (int32_t)n;
		n += job->orders[first_rank(job, pp)->order].n;
		if (n > INT32_MAX)
			return perseus__fail(err, PERSEUS_INVALID, "the pipeline has more than %d instructions", INT32_MAX);
	}
	rank_begin[n_pp] = (int32_t)n;
	struct perseus_instruction *instructions = perseus__new_array((size_t)n, sizeof *instructions);
	if (!instructions)
		return perseus__no_memory(err);
	for (int32_t pp = 0; pp < n_pp; pp++) {
		struct perseus_instruction *order = NULL;
		int32_t length = 0;
		const enum perseus_status status =
				perseus__order_parse(job->orders[first_rank(job, pp)->order].text, &order, &length, err);
		if (status != PERSEUS_OK) {
			perseus__free(instructions);
			return status;
		}
		memcpy(instructions + rank_begin[pp], order, sizeof *order * (size_t)length);
		perseus__free(order);
	}
	*out = instructions;
	return PERSEUS_OK;
}

static enum perseus_status
import_schedule(struct perseus__job *job, const struct perseus_schedule **out, struct perseus_error *err)
{
	const int32_t n_pp = job->request.parallel.pp;
	int32_t *rank_begin = perseus__new_array((size_t)n_pp + 1, sizeof *rank_begin);
	struct perseus_instruction *instructions = NULL;
	enum perseus_status status = rank_begin ? collect(job, rank_begin, &instructions, err) : perseus__no_memory(err);
	if (status == PERSEUS_OK) {
		const struct perseus_order order = {
			.name = "observed", .n_ranks = n_pp, .rank_begin = rank_begin, .instructions = instructions};
		status = perseus_schedule_import(&order, out, err);
	}
	perseus__free(rank_begin);
	perseus__free(instructions);
	return status;
}

static int32_t
find_class(const struct perseus__job_class *classes, int32_t n, int32_t stage, const char *name)
{
	for (int32_t c = 0; c < n; c++)
		if (classes[c].stage == stage && strcmp(classes[c].name, name) == 0)
			return c;
	return -1;
}

int32_t
perseus__job_class_index(const struct perseus__job *job, int32_t stage, enum perseus_kind kind)
{
	return find_class(job->classes, job->n_classes, stage, perseus_kind_name(kind));
}

/* Numbers the classes as the schedule first mentions them. There are no more than instructions. */
static enum perseus_status
number_classes(struct perseus__job *job, struct perseus_error *err)
{
	const struct perseus_schedule *schedule = job->schedule;
	const size_t n = (size_t)schedule->n_instructions;
	struct perseus__job_class *classes = perseus__new_array(n, sizeof *classes);
	int32_t *class_of = perseus__new_array(n, sizeof *class_of);
	int32_t n_classes = 0;
	for (int32_t i = 0; classes && class_of && i < schedule->n_instructions; i++) {
		const struct perseus_instruction *instruction = &schedule->instructions[i];
		class_of[i] = find_class(classes, n_classes, instruction->stage, instruction->class_name);
		if (class_of[i] < 0) {
			class_of[i] = n_classes++;
			classes[class_of[i]] = (struct perseus__job_class){
				.stage = instruction->stage, .name = instruction->class_name, .pp = instruction->rank};
		}
		classes[class_of[i]].n_per_step++;
	}
	perseus__free(job->classes);
	perseus__free(job->class_of);
	job->classes = classes;
	job->class_of = class_of;
	job->n_classes = n_classes;
	return classes && class_of ? PERSEUS_OK : perseus__no_memory(err);
}

/* Adds the distinct texts of all ranks, joined; more than a few are a class of their own. */
static enum perseus_status
add_texts(json_t *object, const char *key, const struct perseus__job *job, size_t offset, struct perseus_error *err)
{
	const char *names[MAX_NAMES];
	int n = 0;
	json_t *array = json_array();
	for (int32_t r = 0; r < job->n_ranks; r++) {
		const char *name;
		memcpy(&name, (const char *)&job->ranks[r] + offset, sizeof name);
		int i = 0;
		while (i < n && strcmp(names[i], name) != 0)
			i++;
		if (i == n && n < MAX_NAMES) {
			names[n++] = name;
			(void)json_array_append_new(array, json_string(name));
		}
	}
	return json_object_set_new(object, key, array) == 0 ? PERSEUS_OK : perseus__no_memory(err);
}

static json_t *
classes_json(const struct perseus__job *job)
{
	json_t *array = json_array();
	for (int32_t c = 0; c < job->n_classes; c++)
		(void)json_array_append_new(
				array, json_sprintf("%d %s at %d", job->classes[c].stage, job->classes[c].name, job->classes[c].pp));
	return array;
}

/*
 * What a profile hangs on, as canonical JSON. A job that does not say what it trains has a profile of its own: classes
 * of the same names take other times with another model.
 */
static enum perseus_status
make_fingerprint(struct perseus__job *job, struct perseus_error *err)
{
	const struct perseus__parallel *n = &job->request.parallel;
	json_t *object = job->request.fingerprint ? json_pack("{s:O}", "user", job->request.fingerprint)
											  : json_pack("{s:s}", "job", job->id);
	int32_t n_clocks = 0, *clocks = NULL;
	(void)perseus__job_highest_mhz(job, &n_clocks, &clocks);
	json_t *clocks_json = json_array();
	for (int32_t i = 0; i < n_clocks; i++)
		(void)json_array_append_new(clocks_json, json_integer(clocks[i]));
	perseus__free(clocks);
	enum perseus_status status = add_texts(object, "gpu", job, offsetof(struct perseus__rank, gpu_name), err);
	if (status == PERSEUS_OK)
		status = add_texts(object, "driver", job, offsetof(struct perseus__rank, gpu_driver), err);
	const bool is_set = json_object_set_new(object, "clocks_mhz", clocks_json) == 0
			&& json_object_set_new(object, "classes", classes_json(job)) == 0
			&& json_object_set_new(object, "is_simulated", json_boolean(job->ranks[0].is_simulated)) == 0
			&& json_object_set_new(object, "parallel", json_pack("[i,i,i,i]", n->pp, n->tp, n->cp, n->ep)) == 0;
	char *text = status == PERSEUS_OK && is_set ? json_dumps(object, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	json_decref(object);
	perseus__free(job->fingerprint);
	job->fingerprint = text; /* of libc's allocator, as ours is */
	return text ? PERSEUS_OK : perseus__no_memory(err);
}

/* The clocks that all ranks have, highest first; the highest, 0 where there is none. Free `*clocks`. */
int32_t
perseus__job_highest_mhz(const struct perseus__job *job, int32_t *n_clocks, int32_t **clocks)
{
	const struct perseus__rank *first = &job->ranks[0];
	int32_t n = 0;
	int32_t *common = perseus__new_array((size_t)first->n_clocks, sizeof *common);
	for (int32_t i = 0; common && i < first->n_clocks; i++) {
		bool is_common = true;
		for (int32_t r = 1; r < job->n_ranks && is_common; r++) {
			const struct perseus__rank *rank = &job->ranks[r];
			is_common = false;
			for (int32_t k = 0; k < rank->n_clocks && !is_common; k++)
				is_common = rank->clocks_mhz[k] == first->clocks_mhz[i];
		}
		if (is_common)
			common[n++] = first->clocks_mhz[i];
	}
	const int32_t highest = n > 0 ? common[0] : 0;
	*n_clocks = n;
	*clocks = common;
	return highest;
}

/* What goes with a schedule, made anew. */
static enum perseus_status
make_parts(struct perseus__job *job, struct perseus_error *err)
{
	const int32_t dp = job->request.parallel.dp;
	enum perseus_status status = number_classes(job, err);
	if (status == PERSEUS_OK)
		status = make_fingerprint(job, err);
	perseus__steps_fini(&job->steps);
	perseus__detector_free(job->detector);
	perseus__drift_free(job->drift);
	job->detector = NULL;
	job->drift = NULL;
	if (status == PERSEUS_OK)
		status = perseus__steps_init(&job->steps, dp, job->n_classes, err);
	if (status == PERSEUS_OK && dp > 1)
		status = perseus__detector_new(dp, NULL, &job->detector, err);
	struct perseus__drift_settings settings = perseus__drift_settings_default();
	settings.n_series = job->n_classes;
	if (status == PERSEUS_OK && !(job->drift = perseus__drift_new(&settings)))
		status = perseus__no_memory(err);
	return status;
}

static enum perseus_status
adopt(struct perseus__job *job, const struct perseus_schedule *schedule, struct perseus_error *err)
{
	const int32_t n_pp = job->request.parallel.pp;
	if (!job->schedule_orders) {
		job->schedule_orders = perseus__new_array((size_t)n_pp, sizeof *job->schedule_orders);
		if (!job->schedule_orders)
			return perseus__no_memory(err);
	}
	perseus_schedule_free(job->schedule);
	job->schedule = schedule;
	for (int32_t pp = 0; pp < n_pp; pp++)
		job->schedule_orders[pp] = first_rank(job, pp)->order;
	return make_parts(job, err);
}

/* Forgets what hangs on the schedule before. */
static void
leave_schedule(struct perseus__job *job)
{
	perseus__job_drop_walk(job);
	perseus__job_drop_shape(job);
	for (int32_t p = 0; p < job->request.parallel.dp; p++) {
		perseus__rollout_clear(&job->pipelines[p].rollout);
		job->pipelines[p].n_have = 0;
		job->pipelines[p].detected = 1;
	}
	if (job->has_profile && !job->profile.is_uploaded) {
		perseus__profile_document_fini(&job->profile);
		job->has_profile = false;
	}
}

static enum perseus_status
take_document(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	(void)n_columns;
	struct perseus__profile_document document;
	const enum perseus_status status =
			perseus__profile_document_read(columns[0].text, columns[0].length, &document, err);
	if (status == PERSEUS_OK)
		perseus__job_set_profile(user, &document);
	return status;
}

/* A profile of the same fingerprint, of this job or an earlier one. */
static void
look_up_profile(struct perseus__job *job)
{
	const struct perseus__value fingerprint = perseus__value_text(job->fingerprint);
	struct perseus_error err;
	if (perseus__store_read(job->jobs->settings.store, "SELECT document FROM profiles WHERE fingerprint = ?",
				&fingerprint, 1, take_document, job, &err)
			!= PERSEUS_OK)
		perseus__job_warn(job, "the profile of an earlier run cannot be read: %s", err.message);
	if (!job->has_profile)
		return;
	job->is_profile_saved = true;
	perseus__job_tell(job, PERSEUS__JOB_EVENT_PROFILE, "{\"source\":\"earlier run\"}");
	const struct perseus__value values[] = {fingerprint, perseus__value_text(job->id)};
	struct perseus__write *write = perseus__write_new();
	perseus__write_add(write, "UPDATE jobs SET profile = ? WHERE id = ?", values, 2);
	(void)perseus__job_save(job, write, &(struct perseus__saving){.saved = NULL}, &err); /* looked up again else */
}

void
perseus__job_assemble(struct perseus__job *job)
{
	char problem[PERSEUS__PROBLEM_BYTES];
	if (job->phase == PERSEUS__JOB_PHASE_ENDED || job->n_registered < job->n_ranks)
		return;
	check_orders(job, problem);
	if (*problem) {
		perseus__job_give_up(job, problem);
		return;
	}
	if (is_same_schedule(job) && job->phase != PERSEUS__JOB_PHASE_FREE)
		return;
	struct perseus_error err = {.message = ""};
	const struct perseus_schedule *schedule = NULL;
	enum perseus_status status = import_schedule(job, &schedule, &err);
	if (status == PERSEUS_OK) {
		if (job->schedule)
			leave_schedule(job);
		status = adopt(job, schedule, &err);
	}
	if (status != PERSEUS_OK) {
		(void)snprintf(problem, sizeof problem, "the ranks' orders make no schedule: %.400s", err.message);
		perseus__job_give_up(job, problem);
		return;
	}
	if (!job->has_profile)
		look_up_profile(job);
	if (job->has_profile)
		perseus__job_ask_plan(job);
	else
		perseus__job_start_walk(job);
}
