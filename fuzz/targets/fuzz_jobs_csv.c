/* Bytes → jobs of a site. Whatever is taken is in range and each name stands once; whatever is refused must say why. */
#include "../require.h"
#include "format/jobs_csv.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_row(const struct perseus__job_row *row, const struct perseus_error *err)
{
	require(row->name[0] != '\0' && row->profile[0] != '\0' && row->schedule[0] != '\0', "a name is empty", err);
	require(row->line > 1, "a row before the header", err);
	require(row->n_microbatches >= 0, "microbatches out of range", err);
	require(row->gpus_per_stage >= 1 && row->n_pipelines >= 1, "a count out of range", err);
	require(row->blocking_power_w >= 0 && row->blocking_power_w <= 1e6, "a power out of range", err);
	require(row->overhead_s >= 0 && row->overhead_s <= 1e6, "a time out of range", err);
	require(row->weight > 0 && row->weight <= 1e9, "a weight out of range", err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus__job_rows rows = {0};
	struct perseus_error err = {.message = ""};
	if (perseus__jobs_csv_decode((const char *)bytes, length, "fuzz.csv", &rows, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0' && !rows.items, "refused without a message, or with rows", &err);
		return 0;
	}
	require(rows.n > 0, "taken without rows", &err);
	for (int32_t i = 0; i < rows.n; i++) {
		check_row(&rows.items[i], &err);
		require(i == 0 || rows.items[i].line > rows.items[i - 1].line, "out of order", &err);
		require(i == 0 || strcmp(rows.items[i].name, rows.items[i - 1].name) != 0, "a name twice", &err);
	}
	perseus__job_rows_fini(&rows);
	return 0;
}
