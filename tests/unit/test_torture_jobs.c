/* Every allocation of what decodes jobs' bodies and documents fails in turn. */
#include "server/job_json.h"
#include "server/profile_document.h"
#include "server/program.h"
#include "server/rollout.h"
#include "server/steps.h"
#include "suite.h"
#include "torture.h"

#include "base/memory.h"

#include <check.h>
#include <string.h>

static const char rank_body[] =
		"{\"rank\":0,\"gpu\":{\"name\":\"A100\"},\"clocks_mhz\":[1410,1395],\"control\":\"agent\","
		"\"order\":[\"0F0\",\"0B0\"]}";
static const char report_body[] =
		"{\"steps\":[{\"step\":1,\"time_s\":1,\"is_followed\":true,\"classes\":[{\"stage\":0,\"kind\":\"F\","
		"\"frequency_mhz\":1410,\"count\":1,\"mean_s\":0.1}]}],\"windows\":[{\"time_s\":0.1,\"energy_j\":20,"
		"\"error_j\":0.1,\"busy\":[{\"stage\":0,\"kind\":\"F\",\"frequency_mhz\":1410,\"time_s\":0.1}]}]}";
static const char csv[] = "stage,instruction,frequency,time,energy\n0,forward,1410,0.1,20\n0,backward,1410,0.2,50\n";
static const char program_text[] = "{\"by_class\":true,\"columns\":2,\"steps\":[3,0],\"mhz\":[1410,1395,1380,0]}";

/* Each decoder fills a struct; the scenario wants an object. */
#define SCENARIO(name, type, call, fini)                                          \
	static enum perseus_status make_##name(void **out, struct perseus_error *err) \
	{                                                                             \
		struct type made;                                                         \
		const enum perseus_status status = (call);                                \
		if (status != PERSEUS_OK)                                                 \
			return status;                                                        \
		struct type *copy = perseus__new_array(1, sizeof *copy);                  \
		if (!copy) {                                                              \
			fini(&made);                                                          \
			err->status = PERSEUS_NO_MEMORY;                                      \
			return PERSEUS_NO_MEMORY;                                             \
		}                                                                         \
		*copy = made;                                                             \
		*out = copy;                                                              \
		return PERSEUS_OK;                                                        \
	}                                                                             \
	static void destroy_##name(void *object)                                      \
	{                                                                             \
		fini(object);                                                             \
		perseus__free(object);                                                    \
	}

SCENARIO(rank, perseus__rank_request, perseus__rank_request_decode(rank_body, strlen(rank_body), &made, err),
		perseus__rank_request_fini)
SCENARIO(report, perseus__report, perseus__report_decode(report_body, strlen(report_body), &made, err),
		perseus__report_fini)
SCENARIO(profile, perseus__profile_document, perseus__profile_document_from_csv(csv, strlen(csv), 80, &made, err),
		perseus__profile_document_fini)
SCENARIO(steps, perseus__steps, perseus__steps_init(&made, 2, 3, err), perseus__steps_fini)

static enum perseus_status
make_program(void **out, struct perseus_error *err)
{
	struct perseus__program *program = NULL;
	const enum perseus_status status = perseus__program_read(PERSEUS__PHASE_PLAN, program_text, NULL, &program, err);
	if (status == PERSEUS_OK)
		*out = program;
	return status;
}

static void
destroy_program(void *object)
{
	perseus__program_unref(object);
}

static const struct torture_scenario scenarios[] = {
	{"rank", make_rank, destroy_rank},
	{"report", make_report, destroy_report},
	{"profile", make_profile, destroy_profile},
	{"steps", make_steps, destroy_steps},
	{"program", make_program, destroy_program},
};

START_TEST(survives_failing_allocations)
{
	torture_run(&scenarios[_i], FAILING_ALLOC_ONE);
	torture_run(&scenarios[_i], FAILING_ALLOC_REST);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("torture jobs");
	TCase *tcase = tcase_create("torture jobs");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, survives_failing_allocations, 0, sizeof scenarios / sizeof *scenarios);
	return run_suite(suite);
}
