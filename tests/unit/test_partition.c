/* Partitions of layers into stages, against cases worked by hand, and everything that is refused. */
#include "suite.h"

#include <perseus/perseus.h>

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 32, MAX_ROWS = 512 };

static struct perseus_measurement rows[MAX_ROWS];
static size_t n_rows;
static struct perseus_error err;

static void
add(int32_t layer, const char *name, int32_t mhz, double time_s, double energy_j)
{
	ck_assert_uint_lt(n_rows, MAX_ROWS);
	rows[n_rows++] = (struct perseus_measurement){
		.stage = layer, .instruction = name, .frequency_mhz = mhz, .time_s = time_s, .energy_j = energy_j};
}

static struct perseus_layers *
make_layers(void)
{
	struct perseus_layers *layers = NULL;
	err.message[0] = '\0';
	ck_assert_msg(perseus_layers_new(rows, n_rows, PERSEUS_MERGE_MEAN, &layers, &err) == PERSEUS_OK, "%s", err.message);
	return layers;
}

static void
expect_refused(const char *message)
{
	struct perseus_layers *layers = NULL;
	ck_assert_int_eq(perseus_layers_new(rows, n_rows, PERSEUS_MERGE_MEAN, &layers, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, message);
	ck_assert_ptr_null(layers);
}

static struct perseus_partition *
make(const struct perseus_layers *layers, const struct perseus_partition_settings *settings)
{
	struct perseus_partition *partition = NULL;
	ck_assert_msg(perseus_partition_new(layers, settings, &partition, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus_partition_check(partition, layers, settings, &err) == PERSEUS_OK, "%s", err.message);
	return partition;
}

static void
expect_boundaries(const struct perseus_partition *partition, const int32_t *expected, const char *name)
{
	for (int32_t s = 0; s <= partition->n_stages; s++)
		ck_assert_msg(partition->boundaries[s] == expected[s], "%s: boundary %d is %d, not %d", name, (int)s,
				(int)partition->boundaries[s], (int)expected[s]);
}

/* Layers with forwards of so many units of 10 ms, backwards twice as long; times alone. */
static const struct {
	const char *name;
	int32_t n_layers;
	double forward[MAX_LAYERS];
	int32_t n_stages;
	int32_t equal[8];
	int32_t imbalance[8];
	int32_t bottleneck[8];
	double least_imbalance;
	double least_bottleneck; /* units */
} cases[] = {
	{"one stage", 3, {1, 2, 3}, 1, {0, 3}, {0, 3}, {0, 3}, 1, 18},
	{"a layer each", 3, {1, 2, 4}, 3, {0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}, 4, 12},
	{"alike", 12, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 4, {0, 3, 6, 9, 12}, {0, 3, 6, 9, 12}, {0, 3, 6, 9, 12}, 1, 9},
	{"alike, but not to be shared out", 10, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, 4, {0, 2, 5, 7, 10}, {0, 3, 6, 8, 10},
		{0, 3, 6, 8, 10}, 1.5, 9},
	/* 24 layers and a head of 1.3 of them, with the imbalance that SOSP'24, table 1, has for such models: 1.17 */
	{"a heavier last", 25, {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1.3}, 4,
		{0, 6, 12, 18, 25}, {0, 7, 13, 19, 25}, {0, 7, 13, 19, 25}, 7.0 / 6, 21},
	/* 4 | 4 | 7 against 6 | 6 | 3 */
	{"either balance or speed", 5, {4, 2, 2, 4, 3}, 3, {0, 1, 3, 5}, {0, 1, 3, 5}, {0, 2, 4, 5}, 1.75, 18},
};

START_TEST(test_cases)
{
	n_rows = 0;
	for (int32_t l = 0; l < cases[_i].n_layers; l++) {
		add(l, "forward", 1410, 0.01 * cases[_i].forward[l], NAN);
		add(l, "backward", 1410, 0.02 * cases[_i].forward[l], NAN);
	}
	struct perseus_layers *layers = make_layers();
	ck_assert_int_eq(perseus_layers_count(layers), cases[_i].n_layers);
	ck_assert(!perseus_layers_have_energy(layers));
	struct perseus_partition_settings settings = perseus_partition_settings_default();
	settings.n_stages = cases[_i].n_stages;
	struct perseus_partition *partition = make(layers, &settings);
	expect_boundaries(partition, cases[_i].bottleneck, cases[_i].name);
	ck_assert_int_eq(partition->bottleneck_ns, llround(cases[_i].least_bottleneck * 1e7));
	ck_assert(!partition->has_effective);
	ck_assert(isnan(partition->rows[0].energy_j));
	perseus_partition_free(partition);
	settings.objective = PERSEUS_PARTITION_LEAST_IMBALANCE;
	partition = make(layers, &settings);
	expect_boundaries(partition, cases[_i].imbalance, cases[_i].name);
	ck_assert_double_eq_tol(partition->imbalance, cases[_i].least_imbalance, 1e-12);
	perseus_partition_free(partition);
	settings.objective = PERSEUS_PARTITION_EQUAL_LAYERS;
	partition = make(layers, &settings);
	expect_boundaries(partition, cases[_i].equal, cases[_i].name);
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

/* Layer 0 gains nothing by the lower clock, 1 and 2 do: 2 s and 6 J instead of 1 s and 10 J, forward and backward. */
static struct perseus_layers *
three_layers(void)
{
	n_rows = 0;
	for (int32_t l = 0; l < 3; l++)
		for (int i = 0; i < 2; i++) {
			add(l, i ? "backward" : "forward", 1000, 1, 10);
			add(l, i ? "backward" : "forward", 500, 2, l == 0 ? 10 : 6);
		}
	return make_layers();
}

static const struct {
	const char *name;
	double limit_s; /* 0: none is given */
	double blocking_w;
	int32_t boundary; /* of two stages */
	double limit_used_s;
	double effective_j;
} energies[] = {
	/* 0,1 | 2: 40 J without slack, and 12 J with 2 s of it; 0 | 1,2 would be 20 + 40 */
	{"at the least bottleneck", 0, 0, 2, 4, 52},
	{"the same, given", 4, 0, 2, 4, 52},
	/* the first stage has a second: half of what takes a forward of its layers from 20 J to 16 */
	{"a second more", 5, 0, 2, 5, 50},
	{"a nanosecond more", 4.000000001, 0, 2, 4.000000001, 51.999999998},
	/* without a limit every stage is at its least: 20 + 6 J for each of four */
	{"no hurry", 100, 0, 2, 100, 44},
	/* 1 W less for each second: 36 J, and 8 J */
	{"waiting costs as well", 4, 1, 2, 4, 44},
};

START_TEST(test_energies)
{
	struct perseus_layers *layers = three_layers();
	ck_assert(perseus_layers_have_energy(layers));
	struct perseus_partition_settings settings = {
		.objective = PERSEUS_PARTITION_LEAST_ENERGY,
		.n_stages = 2,
		.limit_ns = llround(energies[_i].limit_s * 1e9),
		.blocking_power_w = &energies[_i].blocking_w,
		.n_blocking_power = 1,
	};
	struct perseus_partition *partition = make(layers, &settings);
	const int32_t expected[] = {0, energies[_i].boundary, 3};
	expect_boundaries(partition, expected, energies[_i].name);
	ck_assert_int_eq(partition->limit_ns, llround(energies[_i].limit_used_s * 1e9));
	ck_assert(partition->has_effective);
	ck_assert_int_eq(partition->effective_nj, llround(energies[_i].effective_j * 1e9));
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

/* Forward saves 0.5 J a second, for 2 s; backward 10 J for one second, then 3 J; what is above the hull is not used. */
static const struct {
	int64_t slack_ns;
	int64_t effective_nj;
} slacks[] = {
	{0, 30000000000},
	{1, 29999999990},
	{1000000000, 20000000000},
	{1500000000, 18500000000},
	{2000000000, 17000000000},
	{2000000001, 17000000000}, /* half a nJ less is rounded up */
	{2000000003, 16999999999},
	{4000000000, 16000000000},
	{9000000000, 16000000000},
};

START_TEST(test_slack)
{
	n_rows = 0;
	add(0, "forward", 1000, 1, 10);
	add(0, "forward", 800, 1.5, 9.9);
	add(0, "forward", 600, 3, 9);
	add(0, "backward", 1000, 1, 20);
	add(0, "backward", 800, 2, 10);
	add(0, "backward", 600, 3, 7);
	struct perseus_layers *layers = make_layers();
	const struct perseus_partition_settings settings = {
		.objective = PERSEUS_PARTITION_LEAST_ENERGY, .n_stages = 1, .limit_ns = 2000000000 + slacks[_i].slack_ns};
	struct perseus_partition *partition = make(layers, &settings);
	ck_assert_int_eq(partition->effective_nj, slacks[_i].effective_nj);
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

/* Each stage has a blocking power of its own. */
START_TEST(test_blocking_of_stages)
{
	struct perseus_layers *layers = three_layers();
	const double blocking_w[] = {0, 8};
	const struct perseus_partition_settings settings = {.objective = PERSEUS_PARTITION_LEAST_ENERGY,
		.n_stages = 2,
		.blocking_power_w = blocking_w,
		.n_blocking_power = 2};
	struct perseus_partition *partition = make(layers, &settings);
	/* 0,1 | 2: 40 + 2 (6 - 16) = 20; 0 | 1,2: 20 + 4 (10 - 8) = 28 */
	ck_assert_int_eq(partition->boundaries[1], 2);
	ck_assert_int_eq(partition->effective_nj, 20000000000);
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

/* Where every partition takes the same energy, no stage is slower than it must be; then most layers are in front. */
START_TEST(test_equal_energies)
{
	n_rows = 0;
	for (int32_t l = 0; l < 5; l++) {
		add(l, "forward", 1000, 1, 10);
		add(l, "backward", 1000, 2, 20);
	}
	struct perseus_layers *layers = make_layers();
	const int32_t expected[] = {0, 2, 4, 5};
	const struct perseus_partition_settings settings = {
		.objective = PERSEUS_PARTITION_LEAST_ENERGY, .n_stages = 3, .limit_ns = 100000000000};
	struct perseus_partition *partition = make(layers, &settings);
	expect_boundaries(partition, expected, "equal energies");
	ck_assert_int_eq(partition->bottleneck_ns, 6000000000);
	ck_assert_int_eq(partition->effective_nj, 150000000000);
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

START_TEST(test_limit)
{
	struct perseus_layers *layers = three_layers();
	struct perseus_partition_settings settings = {
		.objective = PERSEUS_PARTITION_LEAST_ENERGY, .n_stages = 2, .limit_ns = 3999999999};
	struct perseus_partition *partition = NULL;
	ck_assert_int_eq(perseus_partition_new(layers, &settings, &partition, &err), PERSEUS_INFEASIBLE);
	ck_assert_str_eq(err.message,
			"no partition into 2 stages keeps a cycle of 3.999999999 s: the slowest stage takes 4.000000000 s at "
			"least");
	ck_assert_ptr_null(partition);
	const int32_t boundaries[] = {0, 1, 3};
	settings.objective = PERSEUS_PARTITION_GIVEN;
	settings.boundaries = boundaries;
	partition = make(layers, &settings);
	ck_assert(!partition->has_effective);
	perseus_partition_free(partition);
	settings.limit_ns = 4000000000;
	partition = make(layers, &settings);
	ck_assert_int_eq(partition->effective_nj, 60000000000);
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

/* A stage has the clocks that all of its layers have; its times are those at the highest of them. */
START_TEST(test_rows)
{
	n_rows = 0;
	add(0, "forward", 1000, 1, 5);
	add(0, "forward", 800, 1.25, 4);
	add(1, "forward", 900, 1.5, 3);
	add(1, "forward", 800, 1.75, 2);
	add(2, "forward", 1000, 1, 7);
	add(2, "forward", 800, 1.5, 1);
	for (int32_t l = 0; l < 3; l++) {
		add(l, "backward", 1000, 2, 10 + l);
		add(l, "optimizer_step", 0, 0.5, 1);
	}
	struct perseus_layers *layers = make_layers();
	const int32_t boundaries[] = {0, 2, 3};
	const struct perseus_partition_settings settings = {
		.objective = PERSEUS_PARTITION_GIVEN, .n_stages = 2, .boundaries = boundaries};
	struct perseus_partition *partition = make(layers, &settings);
	static const struct perseus_measurement expected[] = {
		{0, "backward", 1000, 4, 21, 0},
		{0, "forward", 800, 3, 6, 0},
		{0, "optimizer_step", 0, 1, 2, 0},
		{1, "backward", 1000, 2, 12, 0},
		{1, "forward", 1000, 1, 7, 0},
		{1, "forward", 800, 1.5, 1, 0},
		{1, "optimizer_step", 0, 0.5, 1, 0},
	};
	ck_assert_uint_eq(partition->n_rows, sizeof expected / sizeof *expected);
	for (size_t i = 0; i < partition->n_rows; i++) {
		const struct perseus_measurement *row = &partition->rows[i];
		ck_assert_int_eq(row->stage, expected[i].stage);
		ck_assert_str_eq(row->instruction, expected[i].instruction);
		ck_assert_int_eq(row->frequency_mhz, expected[i].frequency_mhz);
		ck_assert_double_eq(row->time_s, expected[i].time_s);
		ck_assert_double_eq(row->energy_j, expected[i].energy_j);
	}
	ck_assert_int_eq(partition->forward_ns[0], 3000000000);
	ck_assert_int_eq(partition->cycle_ns[0], 7000000000); /* optimizer steps are no part of the cycle */
	ck_assert_double_eq(partition->imbalance, 3);
	struct perseus_profile *profile = NULL;
	ck_assert_int_eq(perseus_profile_new(partition->rows, partition->n_rows, NULL, &profile, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus_profile_n_stages(profile), 2);
	perseus_profile_free(profile);
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

/* Without a backward, input and weight gradients make the cycle. */
START_TEST(test_split_backward)
{
	n_rows = 0;
	for (int32_t l = 0; l < 2; l++) {
		add(l, "forward", 1000, 1, 5);
		add(l, "input", 1000, 1.5 + l, 5);
		add(l, "weight", 1000, 0.5, 5);
	}
	struct perseus_layers *layers = make_layers();
	struct perseus_partition_settings settings = perseus_partition_settings_default();
	settings.n_stages = 2;
	struct perseus_partition *partition = make(layers, &settings);
	ck_assert_int_eq(partition->cycle_ns[0], 3000000000);
	ck_assert_int_eq(partition->bottleneck_ns, 4000000000);
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

START_TEST(test_bad_layers)
{
	n_rows = 0;
	expect_refused("a profile needs 1 to 2147483647 measurements, not 0");
	add(0, "forward", 1000, 1, 5);
	expect_refused("layers have neither 'backward' nor both 'input' and 'weight'");
	add(0, "input", 1000, 1, 5);
	expect_refused("layers have neither 'backward' nor both 'input' and 'weight'");
	add(0, "backward", 1000, 1, 5);
	add(2, "forward", 1000, 1, 5);
	expect_refused("layer 1 has no rows, but layer 2 has: layers must be 0, 1, 2, … without holes");
	rows[3].stage = 1;
	expect_refused("layer 1 has no 'backward', but layer 0 has: all layers must have the same instructions");
	add(1, "backward", 1000, 1, 5);
	expect_refused("layer 1 has no 'input', but layer 0 has: all layers must have the same instructions");
	add(1, "input", 1000, 1, 5);
	add(1, "weight", 1000, 1, 5);
	expect_refused("layer 0 has no 'weight', but layer 1 has: all layers must have the same instructions");
	add(0, "weight", 900, 1, 5);
	expect_refused("'weight': there is no clock at which every layer was measured");
	rows[n_rows - 1].frequency_mhz = 1000;
	rows[0].energy_j = NAN;
	expect_refused("row 0, layer 0, forward at 1000 MHz: energy nan J must be finite");
	rows[0].energy_j = 5;
	add(0, "forward", 0, 1, 5);
	expect_refused("layer 0, forward: frequency 0, for a clock that does not matter, beside others up to 1000 MHz");
	rows[n_rows - 1].instruction = "transfer";
	add(1, "transfer", 0, 1, 5);
	expect_refused("layers have 'transfer', which is a matter of stages: leave it out, and add it to theirs");
	rows[n_rows - 1].instruction = rows[n_rows - 2].instruction = "other";
	rows[0].time_s = rows[3].time_s = 60000;
	expect_refused("'forward' of all layers together takes more than 1e5 s");
	rows[0].time_s = rows[3].time_s = 1;
	rows[0].energy_j = rows[3].energy_j = 6e8;
	expect_refused("'forward' of all layers together takes more than 1e9 J");
	rows[0].instruction = rows[3].instruction = "other";
	rows[n_rows - 1].instruction = rows[n_rows - 2].instruction = "another";
	rows[0].energy_j = rows[3].energy_j = 5;
	expect_refused("layers have no 'forward'");
}
END_TEST

START_TEST(test_too_many_layers)
{
	static struct perseus_measurement many[2 * (PERSEUS_MAX_LAYERS + 1)];
	for (int32_t i = 0; i < 2 * (PERSEUS_MAX_LAYERS + 1); i++)
		many[i] = (struct perseus_measurement){
			.stage = i / 2, .instruction = i % 2 ? "forward" : "backward", .time_s = 1, .energy_j = 1};
	struct perseus_layers *layers = NULL;
	const enum perseus_merge mean = PERSEUS_MERGE_MEAN;
	ck_assert_int_eq(
			perseus_layers_new(many, 2 * (size_t)PERSEUS_MAX_LAYERS + 2, mean, &layers, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "1025 layers are more than 1024");
	ck_assert_int_eq(perseus_layers_new(many, 2 * (size_t)PERSEUS_MAX_LAYERS, mean, &layers, &err), PERSEUS_OK);
	perseus_layers_free(layers);
}
END_TEST

static const double negative_w = -1;
static const double huge_w = 1e6;
static const struct {
	struct perseus_partition_settings settings;
	int32_t boundaries[4];
	bool is_without_energy;
	const char *message;
} bad_settings[] = {
	{{.n_stages = 0}, {0}, false, "0 stages: there must be one at least"},
	{{.n_stages = 4}, {0}, false, "3 layers are too few for 4 stages"},
	{{.n_stages = 2, .limit_ns = -1}, {0}, false, "the limit of the cycle is negative"},
	{{.n_stages = 2, .blocking_power_w = &negative_w, .n_blocking_power = 1}, {0}, false,
		"stage 0: blocking power -1 W must be in 0..1e6 W"},
	{{.n_stages = 3, .blocking_power_w = &negative_w, .n_blocking_power = 2}, {0}, false,
		"2 blocking powers for 3 stages: give one for all stages or one for each"},
	{{.n_stages = 2, .objective = PERSEUS_PARTITION_LEAST_ENERGY}, {0}, true,
		"energies were not measured: there is no partition of least energy"},
	{{.n_stages = 2, .objective = PERSEUS_PARTITION_GIVEN}, {1, 2, 3}, false, "boundaries begin with layer 1, not 0"},
	{{.n_stages = 2, .objective = PERSEUS_PARTITION_GIVEN}, {0, 3, 3}, false,
		"boundaries must ascend: 3 does not come after 3"},
	{{.n_stages = 2, .objective = PERSEUS_PARTITION_GIVEN}, {0, 1, 2}, false,
		"boundaries end at 2, but there are 3 layers"},
};

START_TEST(test_bad_settings)
{
	perseus_layers_free(three_layers());
	for (size_t i = 0; bad_settings[_i].is_without_energy && i < n_rows; i++)
		rows[i].energy_j = NAN;
	struct perseus_layers *layers = make_layers();
	struct perseus_partition_settings settings = bad_settings[_i].settings;
	settings.boundaries = bad_settings[_i].boundaries;
	struct perseus_partition *partition = NULL;
	ck_assert_int_eq(perseus_partition_new(layers, &settings, &partition, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, bad_settings[_i].message);
	ck_assert_ptr_null(partition);
	perseus_layers_free(layers);
}
END_TEST

/* Power times time beyond what an energy may be, which would not fit 63 bits. */
START_TEST(test_too_much_blocking)
{
	n_rows = 0;
	add(0, "forward", 1000, 2000, 5);
	add(0, "backward", 1000, 1, 5);
	struct perseus_layers *layers = make_layers();
	const struct perseus_partition_settings settings = {
		.n_stages = 1, .blocking_power_w = &huge_w, .n_blocking_power = 1};
	struct perseus_partition *partition = NULL;
	ck_assert_int_eq(perseus_partition_new(layers, &settings, &partition, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "blocking power 1e+06 W over the time of all layers is above 1e9 J");
	perseus_layers_free(layers);
}
END_TEST

static void
forge_boundary(struct perseus_partition *partition)
{
	static const int32_t boundaries[] = {0, 1, 3};
	partition->boundaries = boundaries;
}

static void
forge_empty_stage(struct perseus_partition *partition)
{
	static const int32_t boundaries[] = {0, 3, 3};
	partition->boundaries = boundaries;
}

static void
forge_end(struct perseus_partition *partition)
{
	static const int32_t boundaries[] = {0, 1, 2};
	partition->boundaries = boundaries;
}

static void
forge_forward(struct perseus_partition *partition)
{
	static const int64_t forward_ns[] = {2000000000, 1000000001};
	partition->forward_ns = forward_ns;
}

static void
forge_cycle(struct perseus_partition *partition)
{
	static const int64_t cycle_ns[] = {3999999999, 2000000000};
	partition->cycle_ns = cycle_ns;
}

static void
forge_imbalance(struct perseus_partition *partition)
{
	partition->imbalance = nextafter(partition->imbalance, 3);
}

static void
forge_bottleneck(struct perseus_partition *partition)
{
	partition->bottleneck_ns--;
}

static void
forge_less(struct perseus_partition *partition)
{
	partition->effective_nj--;
}

static void
forge_more(struct perseus_partition *partition)
{
	partition->effective_nj++;
}

static void
forge_without(struct perseus_partition *partition)
{
	partition->has_effective = false;
}

static void
forge_rows(struct perseus_partition *partition)
{
	partition->n_rows--;
}

static void
forge_objective(struct perseus_partition *partition)
{
	partition->objective = PERSEUS_PARTITION_LEAST_BOTTLENECK;
}

static const struct {
	void (*forge)(struct perseus_partition *partition);
	const char *message;
} forgeries[] = {
	{forge_boundary, "partition, stage 0: rows are not the sums of its layers"},
	{forge_empty_stage, "partition, stage 1: has no layers"},
	{forge_end, "partition: stages are not all of the layers"},
	{forge_forward, "partition, stage 1: forward is not the sum of its layers at the highest clock"},
	{forge_cycle, "partition, stage 0: cycle is not the sum of its layers at the highest clock"},
	{forge_imbalance, "partition: imbalance is not longest over shortest forward"},
	{forge_bottleneck, "partition: bottleneck is not the longest cycle"},
	{forge_less, "partition: the effective energy is not the least"},
	{forge_more, "partition: the effective energy is not the least"},
	{forge_without, "partition: whether there is an effective energy is wrong"},
	{forge_rows, "partition, stage 1: rows are not the sums of its layers"},
	{forge_objective, "partition: it is not what the settings ask for"},
};

START_TEST(test_forgeries)
{
	struct perseus_layers *layers = three_layers();
	struct perseus_partition_settings settings = {.objective = PERSEUS_PARTITION_LEAST_ENERGY, .n_stages = 2};
	struct perseus_partition *partition = make(layers, &settings);
	struct perseus_partition forged = *partition;
	forgeries[_i].forge(&forged);
	ck_assert_int_eq(perseus_partition_check(&forged, layers, &settings, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, forgeries[_i].message);
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

/* A partition that is not the best is found out by moving a boundary. */
START_TEST(test_not_the_best)
{
	struct perseus_layers *layers = three_layers();
	const int32_t boundaries[] = {0, 1, 3};
	struct perseus_partition_settings settings = {
		.objective = PERSEUS_PARTITION_GIVEN, .n_stages = 2, .limit_ns = 4000000000, .boundaries = boundaries};
	struct perseus_partition *partition = make(layers, &settings);
	struct perseus_partition claimed = *partition;
	settings.objective = claimed.objective = PERSEUS_PARTITION_LEAST_ENERGY;
	ck_assert_int_eq(perseus_partition_check(&claimed, layers, &settings, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "partition, stage 1: begins elsewhere in a better partition");
	perseus_partition_free(partition);
	perseus_layers_free(layers);
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(perseus_partition_objective_name(PERSEUS_PARTITION_LEAST_IMBALANCE), "least-imbalance");
	ck_assert_str_eq(perseus_partition_objective_name(PERSEUS_PARTITION_GIVEN), "given");
	perseus_layers_free(NULL);
	perseus_partition_free(NULL);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("partition");
	TCase *tcase = tcase_create("partition");
	tcase_add_loop_test(tcase, test_cases, 0, sizeof cases / sizeof *cases);
	tcase_add_loop_test(tcase, test_energies, 0, sizeof energies / sizeof *energies);
	tcase_add_loop_test(tcase, test_slack, 0, sizeof slacks / sizeof *slacks);
	tcase_add_test(tcase, test_blocking_of_stages);
	tcase_add_test(tcase, test_equal_energies);
	tcase_add_test(tcase, test_limit);
	tcase_add_test(tcase, test_rows);
	tcase_add_test(tcase, test_split_backward);
	tcase_add_test(tcase, test_bad_layers);
	tcase_add_test(tcase, test_too_many_layers);
	tcase_add_loop_test(tcase, test_bad_settings, 0, sizeof bad_settings / sizeof *bad_settings);
	tcase_add_test(tcase, test_too_much_blocking);
	tcase_add_loop_test(tcase, test_forgeries, 0, sizeof forgeries / sizeof *forgeries);
	tcase_add_test(tcase, test_not_the_best);
	tcase_add_test(tcase, test_names);
	suite_add_tcase(suite, tcase);
	return run_suite(suite);
}
