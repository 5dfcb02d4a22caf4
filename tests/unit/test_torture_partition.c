/* Every allocation of layers, partitions and their checker fails in turn. */
#include "failing_alloc.h"
#include "suite.h"
#include "torture.h"

#include <perseus/perseus.h>

#include <check.h>

enum { N_LAYERS = 7, N_CLOCKS = 4, N_ROWS = N_LAYERS * 2 * N_CLOCKS };

static struct perseus_measurement rows[N_ROWS];

/* What is worked on, made with an allocator that works. */
static struct {
	struct perseus_layers *layers;
	struct perseus_partition_settings settings;
	struct perseus_partition *partition;
} given;

static void
fill_rows(void)
{
	size_t n = 0;
	for (int32_t layer = 0; layer < N_LAYERS; layer++)
		for (int32_t class_ = 0; class_ < 2; class_++)
			for (int32_t clock = 0; clock < N_CLOCKS; clock++)
				rows[n++] = (struct perseus_measurement){
					.stage = layer,
					.instruction = class_ ? "backward" : "forward",
					.frequency_mhz = 1000 + 100 * clock,
					.time_s = (1 + class_) * (1 + 0.1 * layer) / (1 + 0.2 * clock),
					.energy_j = 100 + 10 * clock,
				};
	ck_assert_uint_eq(n, N_ROWS);
}

static enum perseus_status
make_layers(void **out, struct perseus_error *err)
{
	struct perseus_layers *layers = *out;
	const enum perseus_status status = perseus_layers_new(rows, N_ROWS, PERSEUS_MERGE_MEAN, &layers, err);
	*out = layers;
	return status;
}

static void
destroy_layers(void *layers)
{
	perseus_layers_free(layers);
}

static enum perseus_status
make_partition(void **out, struct perseus_error *err)
{
	struct perseus_partition *partition = *out;
	const enum perseus_status status = perseus_partition_new(given.layers, &given.settings, &partition, err);
	*out = partition;
	return status;
}

static void
destroy_partition(void *partition)
{
	perseus_partition_free(partition);
}

/* A checker makes nothing that lasts: its output is that it was content. */
static enum perseus_status
check_partition(void **out, struct perseus_error *err)
{
	const enum perseus_status status = perseus_partition_check(given.partition, given.layers, &given.settings, err);
	if (status == PERSEUS_OK)
		*out = given.partition;
	return status;
}

static void
destroy_nothing(void *object)
{
	(void)object;
}

START_TEST(layers)
{
	const struct torture_scenario scenario = {"layers_new", make_layers, destroy_layers};
	torture_run(&scenario, (enum failing_alloc_mode)_i);
}
END_TEST

START_TEST(partitions)
{
	struct perseus_error err;
	static const int32_t boundaries[] = {0, 1, 2, N_LAYERS};
	given.settings = perseus_partition_settings_default();
	given.settings.n_stages = 3;
	given.settings.boundaries = boundaries;
	given.settings.objective = (enum perseus_partition_objective)(_i / 2);
	ck_assert_int_eq(perseus_layers_new(rows, N_ROWS, PERSEUS_MERGE_MEAN, &given.layers, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus_partition_new(given.layers, &given.settings, &given.partition, &err), PERSEUS_OK);
	const struct torture_scenario scenarios[] = {
		{"partition_new", make_partition, destroy_partition},
		{"partition_check", check_partition, destroy_nothing},
	};
	for (size_t k = 0; k < sizeof scenarios / sizeof scenarios[0]; k++)
		torture_run(&scenarios[k], (enum failing_alloc_mode)(_i % 2));
	perseus_partition_free(given.partition);
	perseus_layers_free(given.layers);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("torture_partition");
	TCase *tests = tcase_create("every allocation fails in turn");
	tcase_add_unchecked_fixture(tests, fill_rows, NULL);
	tcase_add_loop_test(tests, layers, FAILING_ALLOC_ONE, FAILING_ALLOC_REST + 1);
	tcase_add_loop_test(tests, partitions, 0, 2 * PERSEUS_N_PARTITION_OBJECTIVES);
	suite_add_tcase(suite, tests);
	return run_suite(suite);
}
