/* Every allocation of every reader that needs libc alone fails in turn; see torture.h. */
#include "failing_alloc.h"
#include "suite.h"
#include "torture.h"

#include "format/profile_csv.h"
#include "format/pytorch_csv.h"
#include "format/straggler_csv.h"
#include "format/zeus_tuples.h"

#include <check.h>
#include <string.h>

static const char profile_csv[] = "stage,instruction,frequency,time,energy\n"
								  "0,forward,1410,0.10,40\n"
								  "0,backward,1410,0.20,80\n"
								  "1,\"a, quoted \"\"class\"\"\",1395,0.11,41\n";

static const char pytorch_csv[] = "0F0,0F1,,0B0,,0B1\r\n"
								  ",1F0,1B0,1F1,1B1,\r\n";

static const char zeus_text[] =
		"[\n[(\"forward\", 1410), (\"backward\", 1395)],\n[(\"forward\", 1200), (\"backward\", 1110)],\n]\n";

static enum perseus_status
read_profile(void **out, struct perseus_error *err)
{
	static struct perseus__measurements measurements;
	const enum perseus_status status =
			perseus__profile_csv_decode(profile_csv, sizeof profile_csv - 1, "profile.csv", &measurements, err);
	if (status == PERSEUS_OK)
		*out = &measurements;
	return status;
}

static void
destroy_measurements(void *measurements)
{
	perseus__measurements_fini(measurements);
}

static enum perseus_status
read_pytorch(void **out, struct perseus_error *err)
{
	char note[PERSEUS__PYTORCH_NOTE_BYTES];
	const struct perseus_schedule *schedule = *out;
	const enum perseus_status status =
			perseus__pytorch_csv_parse("pipeline.csv", pytorch_csv, sizeof pytorch_csv - 1, &schedule, note, err);
	*out = (void *)(uintptr_t)schedule;
	return status;
}

static void
destroy_schedule(void *schedule)
{
	perseus_schedule_free(schedule);
}

static enum perseus_status
read_zeus(void **out, struct perseus_error *err)
{
	struct perseus__zeus_solution *solution = *out;
	const enum perseus_status status = perseus__zeus_parse(zeus_text, sizeof zeus_text - 1, &solution, err);
	*out = solution;
	return status;
}

static void
destroy_solution(void *solution)
{
	perseus__zeus_free(solution);
}

static enum perseus_status
read_stragglers(void **out, struct perseus_error *err)
{
	static const char text[] = "iteration,pipeline,degree\n5,1,2\n3,0,1.5\n";
	static const struct perseus__straggler_scope scope = {.n_pipelines = 2, .iteration_ns = 1};
	static struct perseus__straggler_trace trace;
	const enum perseus_status status =
			perseus__straggler_csv_decode(text, sizeof text - 1, "stragglers.csv", &scope, &trace, err);
	if (status == PERSEUS_OK)
		*out = &trace;
	return status;
}

static void
destroy_stragglers(void *trace)
{
	perseus__straggler_trace_fini(trace);
}

static const struct torture_scenario scenarios[] = {
	{"profile CSV", read_profile, destroy_measurements},
	{"PyTorch's CSV", read_pytorch, destroy_schedule},
	{"stragglers", read_stragglers, destroy_stragglers},
	{"Zeus's tuples", read_zeus, destroy_solution},
};
enum { N_SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

START_TEST(readers)
{
	torture_run(&scenarios[_i / 2], (enum failing_alloc_mode)(_i % 2));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("torture of readers");
	TCase *tests = tcase_create("every allocation fails in turn");
	tcase_add_loop_test(tests, readers, 0, 2 * N_SCENARIOS);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
