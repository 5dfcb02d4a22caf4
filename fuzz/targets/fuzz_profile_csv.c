/*
 * Bytes → profile CSV → profile, and bytes → CSV of layers → partitions. Whatever is taken must pass the checker,
 * whatever is refused must say why.
 */
#include "../require.h"
#include "format/profile_csv.h"
#include "profile/class.h"

#include <perseus/partition.h>

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
build(const struct perseus__measurements *rows, const struct perseus_profile_settings *settings)
{
	struct perseus_profile *profile = NULL;
	struct perseus_error err = {.message = ""};
	if (perseus_profile_new(rows->rows, rows->n_rows, settings, &profile, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0' && !profile, "refused without a message, or with a profile", &err);
		return;
	}
	require(perseus_profile_check(profile, &err) == PERSEUS_OK, "what was built does not pass the checker", &err);
	for (int32_t c = 0; c < perseus_profile_n_classes(profile); c++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, c);
		struct perseus_exp_fit fit;
		const int is_fit = perseus_class_fit(class_, &fit, &err) == PERSEUS_OK;
		require(is_fit == (class_->n_pareto >= 3), "three points are fitted, fewer are not", &err);
		require(!is_fit || fit.rmse_j >= 0, "the fit's error is not a number", &err);
	}
	perseus_profile_free(profile);
}

static void
take_profile(const char *bytes, size_t length)
{
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	if (perseus__profile_csv_decode(bytes, length, "fuzz.csv", &rows, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0', "refused without a message", &err);
		return;
	}
	require(rows.n_rows > 0, "taken without rows", &err);
	const double power_w = 83.64;
	const struct perseus_profile_settings settings = {
		.merge = PERSEUS_MERGE_SLOWEST, .blocking_power_w = &power_w, .n_blocking_power = 1};
	build(&rows, NULL);
	build(&rows, &settings);
	perseus__measurements_fini(&rows);
}

static void
cut(const struct perseus_layers *layers, enum perseus_partition_objective objective)
{
	struct perseus_partition_settings settings = perseus_partition_settings_default();
	settings.objective = objective;
	settings.n_stages = (perseus_layers_count(layers) + 1) / 2;
	struct perseus_partition *partition = NULL;
	struct perseus_error err = {.message = ""};
	if (perseus_partition_new(layers, &settings, &partition, &err) != PERSEUS_OK) {
		require(objective == PERSEUS_PARTITION_LEAST_ENERGY && !perseus_layers_have_energy(layers),
				"layers that can be cut were not", &err);
		return;
	}
	require(perseus_partition_check(partition, layers, &settings, &err) == PERSEUS_OK,
			"what was cut does not pass the checker", &err);
	perseus_partition_free(partition);
}

static void
take_layers(const char *bytes, size_t length)
{
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	if (perseus__layer_csv_decode(bytes, length, "fuzz.csv", &rows, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0', "refused without a message", &err);
		return;
	}
	struct perseus_layers *layers = NULL;
	if (perseus_layers_new(rows.rows, rows.n_rows, PERSEUS_MERGE_MEAN, &layers, &err) == PERSEUS_OK) {
		for (int objective = 0; objective < PERSEUS_PARTITION_GIVEN; objective++)
			cut(layers, (enum perseus_partition_objective)objective);
		perseus_layers_free(layers);
	} else {
		require(err.message[0] != '\0' && !layers, "refused without a message, or with layers", &err);
	}
	perseus__measurements_fini(&rows);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	take_profile((const char *)bytes, length);
	take_layers((const char *)bytes, length);
	return 0;
}
