/*
 * Bytes → profile CSV → profile. Whatever is taken must pass the checker, whatever is refused must say why.
 */
#include "../require.h"
#include "format/profile_csv.h"
#include "profile/class.h"

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

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus__measurements rows;
	struct perseus_error err = {.message = ""};
	if (perseus__profile_csv_decode((const char *)bytes, length, "fuzz.csv", &rows, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0', "refused without a message", &err);
		return 0;
	}
	require(rows.n_rows > 0, "taken without rows", &err);
	const double power_w = 83.64;
	const struct perseus_profile_settings settings = {
		.merge = PERSEUS_MERGE_SLOWEST, .blocking_power_w = &power_w, .n_blocking_power = 1};
	build(&rows, NULL);
	build(&rows, &settings);
	perseus__measurements_fini(&rows);
	return 0;
}
