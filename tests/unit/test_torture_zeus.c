/* Every allocation of our own fails in turn, in what Zeus's server reads and makes; see torture.h. */
#include "failing_alloc.h"
#include "suite.h"
#include "torture.h"

#include "base/error.h"
#include "base/memory.h"
#include "server/zeus_merge.h"
#include "server/zeus_plan.h"
#include "server/zeus_settings.h"

#include <check.h>
#include <string.h>

static const char job_json[] =
		"{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_metadata\":NaN}";
static const char rank_json[] =
		"{\"rank\":0,\"dp_rank\":0,\"pp_rank\":0,\"tp_rank\":0,\"available_frequencies\":[1410,\"1395\"]}";
static const char result_json[] = "{\"rank\":0,\"iter_time\":[0.5],\"iter_energy\":[\"1_0\"],"
								  "\"time_breakdown\":{\"forward\":[[1,2],[]],\"backward\":[]}}";
static const char bad_json[] = "{\"rank\":-1,\"iter_time\":[null],\"iter_energy\":5}";
static const char broken_json[] = "{\"rank\": NaN x";
static const char solution[] = "[[('forward', 1410)], [('backward', 0)]]";

#define BODY(text) {(text), sizeof(text) - 1, NULL}

/* Decoders have no error but the refusal. */
static enum perseus_status
told(enum perseus_status status, struct perseus_error *err)
{
	return status == PERSEUS_NO_MEMORY ? perseus__no_memory(err) : status;
}

static enum perseus_status
read_job(void **out, struct perseus_error *err)
{
	static struct perseus__zeus_job_info info;
	const struct perseus__zeus_body body = BODY(job_json);
	struct perseus__zeus_refusal refusal;
	const enum perseus_status status = perseus__zeus_decode_job(&body, &info, &refusal);
	if (status == PERSEUS_OK)
		*out = &info;
	return told(status, err);
}

static void
destroy_job(void *info)
{
	perseus__zeus_job_info_fini(info);
}

static enum perseus_status
read_rank(void **out, struct perseus_error *err)
{
	static struct perseus__zeus_rank_info info;
	const struct perseus__zeus_body body = BODY(rank_json);
	struct perseus__zeus_refusal refusal;
	const enum perseus_status status = perseus__zeus_decode_rank(&body, &info, &refusal);
	if (status == PERSEUS_OK)
		*out = &info;
	return told(status, err);
}

static void
destroy_rank(void *info)
{
	perseus__zeus_rank_info_fini(info);
}

static struct perseus__zeus_result first;

static enum perseus_status
read_result(void **out, struct perseus_error *err)
{
	static struct perseus__zeus_result result;
	const struct perseus__zeus_body body = BODY(result_json);
	struct perseus__zeus_refusal refusal;
	const enum perseus_status status = perseus__zeus_decode_result(&body, &result, &refusal);
	if (status == PERSEUS_OK)
		*out = &result;
	return told(status, err);
}

static void
destroy_result(void *result)
{
	perseus__zeus_result_fini(result);
}

/* A refusal is what is made, where there is memory for it. */
static enum perseus_status
refuse(const struct perseus__zeus_body *body, void **out)
{
	static struct perseus__zeus_refusal refusal;
	struct perseus__zeus_result result;
	const enum perseus_status status = perseus__zeus_decode_result(body, &result, &refusal);
	if (status != PERSEUS_INVALID)
		return status;
	*out = &refusal;
	return PERSEUS_OK;
}

static enum perseus_status
refuse_bad(void **out, struct perseus_error *err)
{
	const struct perseus__zeus_body body = BODY(bad_json);
	return told(refuse(&body, out), err);
}

static enum perseus_status
refuse_broken(void **out, struct perseus_error *err)
{
	const struct perseus__zeus_body body = BODY(broken_json);
	return told(refuse(&body, out), err);
}

static void
destroy_refusal(void *refusal)
{
	perseus__text_fini(&((struct perseus__zeus_refusal *)refusal)->text);
}

static enum perseus_status
merge(void **out, struct perseus_error *err)
{
	static struct perseus__zeus_result merged;
	const struct perseus__zeus_result *const results[] = {&first, &first};
	const enum perseus_status status = perseus__zeus_merge(results, 2, 0, &merged, err);
	if (status == PERSEUS_OK)
		*out = &merged;
	return status;
}

static enum perseus_status
make_plan(void **out, struct perseus_error *err)
{
	struct perseus__zeus_plan *plan = NULL;
	const enum perseus_status status = perseus__zeus_plan_parse("s.py", solution, sizeof solution - 1, 2, &plan, err);
	if (status == PERSEUS_OK)
		*out = plan;
	return status;
}

/* A plan that says why there is none. */
static enum perseus_status
make_failure(void **out, struct perseus_error *err)
{
	struct perseus__zeus_plan *plan = NULL;
	const enum perseus_status status = perseus__zeus_plan_parse("s.py", solution, sizeof solution - 1, 3, &plan, err);
	if (status == PERSEUS_OK)
		*out = plan;
	return status;
}

static void
destroy_plan(void *plan)
{
	perseus__zeus_plan_unref(plan);
}

static enum perseus_status
read_settings(void **out, struct perseus_error *err)
{
	static struct perseus__zeus_settings settings;
	static char scheduler[] = "ZEUS_PFO_SCHEDULER_ARGS={\"solution_path\": \"a.py\"}",
				directory[] = "ZEUS_PFO_DUMP_DIR=x";
	char *const environment[] = {scheduler, directory, NULL};
	enum perseus_status status = perseus__zeus_settings_init(&settings, err);
	if (status == PERSEUS_OK) {
		status = perseus__zeus_settings_read(&settings, environment, err);
		if (status != PERSEUS_OK)
			perseus__zeus_settings_fini(&settings);
	}
	if (status == PERSEUS_OK)
		*out = &settings;
	return status;
}

static void
destroy_settings(void *settings)
{
	perseus__zeus_settings_fini(settings);
}

/* A job with a rank and a result. */
static enum perseus_status
make_jobs(void **out, struct perseus_error *err)
{
	static struct perseus__zeus_jobs jobs;
	struct perseus__zeus_job_info info = {1, 1, 1, 1, NULL};
	const struct perseus__zeus_rank_info rank = {0};
	struct perseus__text text = perseus__text_init(1024);
	struct perseus__zeus_job *job;
	struct perseus__zeus_plan *plan = NULL;
	struct perseus__zeus_ready ready = {0};
	const char *member;
	int32_t limit;
	jobs = (struct perseus__zeus_jobs){0};
	perseus__zeus_encode_rank(&text, &rank);
	struct perseus__zeus_result *result = perseus__new_array(1, sizeof *result);
	bool is_good = !text.failed && result
			&& perseus__zeus_jobs_add(&jobs, "j", &info, PERSEUS__ZEUS_POINT_SOLUTION, 0, &job) == PERSEUS__ZEUS_DONE
			&& perseus__zeus_begin_rank(job, &rank, &text.bytes, &member, &limit) == PERSEUS__ZEUS_DONE
			&& perseus__zeus_end_rank(job, 0, true, 0)
			&& perseus__zeus_plan_parse("s.py", "[[('f', 1)]]", 12, 1, &plan, err) == PERSEUS_OK;
	if (is_good) {
		perseus__zeus_start(job, plan, 0, &ready);
		is_good = perseus__zeus_begin_result(job, &result) == PERSEUS__ZEUS_DONE;
	}
	perseus__free(text.bytes);
	perseus__free(result);
	if (!is_good) {
		perseus__zeus_jobs_fini(&jobs);
		return perseus__no_memory(err);
	}
	*out = &jobs;
	return PERSEUS_OK;
}

static void
destroy_jobs(void *jobs)
{
	perseus__zeus_jobs_fini(jobs);
}

static const struct torture_scenario scenarios[] = {
	{"body of a job", read_job, destroy_job},
	{"body of a rank", read_rank, destroy_rank},
	{"body of a result", read_result, destroy_result},
	{"refusal of values", refuse_bad, destroy_refusal},
	{"refusal of JSON", refuse_broken, destroy_refusal},
	{"results of a stage", merge, destroy_result},
	{"plan", make_plan, destroy_plan},
	{"plan that is none", make_failure, destroy_plan},
	{"settings", read_settings, destroy_settings},
	{"jobs", make_jobs, destroy_jobs},
};
enum { N_SCENARIOS = sizeof scenarios / sizeof *scenarios };

START_TEST(zeus)
{
	void *made = NULL;
	ck_assert_int_eq(read_result(&made, NULL), PERSEUS_OK);
	first = *(struct perseus__zeus_result *)made;
	torture_run(&scenarios[_i / 2], (enum failing_alloc_mode)(_i % 2));
	perseus__zeus_result_fini(&first);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("torture of Zeus's server");
	TCase *tests = tcase_create("every allocation fails in turn");
	tcase_add_loop_test(tests, zeus, 0, 2 * N_SCENARIOS);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
