/*
 * Bytes → table of hourly prices. Whatever is taken has hours that can be looked up, with prices in range and in order;
 * whatever is refused must say why. The first byte is how many hours are asked for.
 */
#include "../require.h"
#include "format/price_csv.h"
#include "format/price_internal.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Looks up the zone of every row, from that row on. */
static void
check(const struct perseus__price_table *table, int32_t n_wanted)
{
	struct perseus_error err = {.message = ""};
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct perseus__price_row *row = &table->rows[i];
		const char *zone = table->zones.bytes + row->zone;
		const struct perseus__hours_query query = {
			.zone = *zone ? zone : NULL, .first = row->hour, .n_needed = 1, .n_wanted = n_wanted};
		struct perseus__hours hours;
		require(perseus__price_hours(table, &query, &hours, &err) == PERSEUS_OK, "an hour is not found", &err);
		require(hours.first == row->hour && hours.n >= 1 && hours.n <= n_wanted, "other hours", &err);
		require(hours.values[0] == row->per_kwh, "another price", &err);
		for (int32_t k = 0; k < hours.n; k++)
			require(fabs(hours.values[k]) <= PERSEUS__MAX_PRICE_PER_KWH, "a price out of range", &err);
		perseus__hours_fini(&hours);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	struct perseus__price_table *table = NULL;
	struct perseus_error err = {.message = ""};
	if (perseus__price_table_parse("fuzz", (const char *)bytes + 1, length - 1, &table, &err) != PERSEUS_OK) {
		require(strncmp(err.message, "fuzz:", 5) == 0 && !table, "refused without saying where, or with a table", &err);
		return 0;
	}
	require(table->n_rows > 0, "an empty table", &err);
	check(table, 1 + bytes[0] % 16);
	const struct perseus__hours_query unknown = {.zone = "nowhere at all", .n_needed = 1, .n_wanted = 1};
	struct perseus__hours hours;
	if (perseus__price_hours(table, &unknown, &hours, &err) == PERSEUS_OK)
		perseus__hours_fini(&hours);
	perseus__price_table_free(table);
	return 0;
}
