/* Every allocation of our own fails in turn, in tables of intensities and in the ledger; see torture.h. */
#include "example_runs.h"
#include "failing_alloc.h"
#include "suite.h"
#include "torture.h"

#include "base/memory.h"
#include "format/intensity_file.h"
#include "meter/ledger.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char csv[] = "zone,year,gCO2e_per_kWh\n"
						  "DE,2023,380\n"
						  "DE,2024,340.5\n"
						  "FR,2024,44\n";

static const char json[] = "{\"zones\":{\"DE\":{\"gco2e_per_kwh\":344},\"FR\":{\"gco2e_per_kwh\":44}}}";

static char directory[64];
static char path[128];
static struct perseus__ledger *ledger;
static struct perseus__run example;

static enum perseus_status
parse(const char *text, void **out, struct perseus_error *err)
{
	struct perseus__intensity_table *table = *out;
	const enum perseus_status status = perseus__intensity_table_parse("zones", text, strlen(text), &table, err);
	*out = table;
	return status;
}

static enum perseus_status
parse_csv(void **out, struct perseus_error *err)
{
	return parse(csv, out, err);
}

static enum perseus_status
parse_json(void **out, struct perseus_error *err)
{
	return parse(json, out, err);
}

static void
destroy_table(void *table)
{
	perseus__intensity_table_free(table);
}

static enum perseus_status
open_ledger(void **out, struct perseus_error *err)
{
	struct perseus__ledger *opened = *out;
	const enum perseus_status status = perseus__ledger_open(path, PERSEUS__LEDGER_CREATE, &opened, err);
	*out = opened;
	return status;
}

static void
close_ledger(void *opened)
{
	perseus__ledger_close(opened);
}

static enum perseus_status
begin_run(void **out, struct perseus_error *err)
{
	example.uuid[0] = '\0';
	const enum perseus_status status = perseus__ledger_begin_run(ledger, &example, err);
	if (status == PERSEUS_OK)
		*out = &example;
	return *example.uuid && status != PERSEUS_OK ? PERSEUS_INTERNAL : status;
}

static void
keep_example(void *run)
{
	ck_assert_uint_eq(strlen(((const struct perseus__run *)run)->uuid), 36);
}

static enum perseus_status
get_run(void **out, struct perseus_error *err)
{
	static struct perseus__run run;
	const enum perseus_status status = perseus__ledger_get(ledger, 1, &run, err);
	if (status == PERSEUS_OK)
		*out = &run;
	return status;
}

static void
destroy_run(void *run)
{
	perseus__run_fini(run);
}

static enum perseus_status
list_runs(void **out, struct perseus_error *err)
{
	static const struct perseus__ledger_filter all = {.limit = 1};
	int64_t *ids = *out;
	size_t n = 0;
	const enum perseus_status status = perseus__ledger_list(ledger, &all, &ids, &n, err);
	*out = ids;
	return status;
}

static void
destroy_list(void *ids)
{
	perseus__free(ids);
}

static const struct torture_scenario scenarios[] = {
	{"CSV of intensities", parse_csv, destroy_table},
	{"JSON of intensities", parse_json, destroy_table},
	{"opening the ledger", open_ledger, close_ledger},
	{"beginning a run", begin_run, keep_example},
	{"reading a run", get_run, destroy_run},
	{"listing runs", list_runs, destroy_list},
};
enum { N_SCENARIOS = sizeof scenarios / sizeof scenarios[0] };

static void
make_ledger(void)
{
	(void)snprintf(directory, sizeof directory, "/tmp/test-ledger-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof path, "%s/runs.db", directory);
	ck_assert_int_eq(perseus__ledger_open(path, PERSEUS__LEDGER_CREATE, &ledger, NULL), PERSEUS_OK);
	example = example_run(0);
	ck_assert_int_eq(perseus__ledger_begin_run(ledger, &example, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__ledger_finish_run(ledger, &example, NULL), PERSEUS_OK);
}

static void
remove_ledger(void)
{
	perseus__run_fini(&example);
	perseus__ledger_close(ledger);
	(void)unlink(path);
	(void)rmdir(directory);
}

START_TEST(ledger_and_intensities)
{
	torture_run(&scenarios[_i / 2], (enum failing_alloc_mode)(_i % 2));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("torture of the ledger");
	TCase *tests = tcase_create("every allocation fails in turn");
	tcase_add_checked_fixture(tests, make_ledger, remove_ledger);
	tcase_add_loop_test(tests, ledger_and_intensities, 0, 2 * N_SCENARIOS);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
