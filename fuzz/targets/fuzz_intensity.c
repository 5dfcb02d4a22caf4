/*
 * Bytes → table of carbon intensities. Whatever is taken has zones that can be looked up, with values in range;
 * whatever is refused must say why. The first byte only chooses what is looked up.
 */
#include "../require.h"
#include "format/intensity_file.h"
#include "format/intensity_internal.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_found(const struct perseus__intensity *found, const char *zone, const struct perseus_error *err)
{
	require(strcmp(found->zone, zone) == 0 || strcasecmp(found->zone, zone) == 0, "another zone", err);
	/* a mean of doubles may leave the range of what it is the mean of by a little */
	require(found->gco2e_per_kwh >= 0 && found->gco2e_per_kwh <= PERSEUS__MAX_GCO2E_PER_KWH * (1 + 1e-9),
			"a value out of range", err);
	require(found->year == 0 || (found->year >= 1900 && found->year <= 9999), "a year out of range", err);
	require(found->n_hours >= 0, "hours", err);
}

/* Looks up the zone of every row, over the hour of that row and for a span that `choice` sets. */
static void
check(const struct perseus__intensity_table *table, int64_t choice)
{
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct perseus__intensity_row *row = &table->rows[i];
		const char *zone = table->zones.bytes + row->zone;
		struct perseus_error err = {.message = ""};
		struct perseus__intensity found;
		struct perseus__intensity_query query = {.zone = zone};
		if (row->hour >= 0) {
			query.begin_ms = row->hour * 3600000;
			query.end_ms = query.begin_ms + choice * 1000;
		} else {
			query.year = row->year;
		}
		const enum perseus_status status = perseus__intensity_find(table, &query, &found, &err);
		require(status == PERSEUS_OK || (row->hour >= 0 && err.message[0]), "a zone is not found", &err);
		if (status == PERSEUS_OK)
			check_found(&found, zone, &err);
		require(perseus__intensity_check(table, &query, &err) == PERSEUS_OK, "find and check differ", &err);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	struct perseus__intensity_table *table = NULL;
	struct perseus_error err = {.message = ""};
	const char *text = (const char *)bytes + 1;
	if (perseus__intensity_table_parse("fuzz", text, length - 1, &table, &err) != PERSEUS_OK) {
		require(strncmp(err.message, "fuzz:", 5) == 0 && !table, "refused without saying where, or with a table", &err);
		return 0;
	}
	require(table->n_rows > 0, "an empty table", &err);
	check(table, (int64_t)bytes[0] * 60);
	const struct perseus__intensity_query unknown = {.zone = "nowhere at all"};
	struct perseus__intensity found;
	(void)!perseus__intensity_find(table, &unknown, &found, &err);
	perseus__intensity_table_free(table);
	return 0;
}
