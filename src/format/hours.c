/* Consecutive hours out of the rows of a zone. */
#include "format/hours.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/csv.h"
#include "format/utc_time.h"

#include <stdio.h>
#include <string.h>

bool
perseus__hour_parse(const char *text, int64_t *hour)
{
	int64_t time_ms = 0;
	if (!perseus__utc_parse(text, &time_ms) || time_ms % PERSEUS__MS_PER_HOUR != 0)
		return false;
	*hour = time_ms / PERSEUS__MS_PER_HOUR;
	return true;
}

enum perseus_status
perseus__hours_begin(struct perseus__hours *hours, const struct perseus__hours_query *query, int64_t first_row,
		struct perseus_error *err)
{
	hours->first = query->first == PERSEUS__FIRST_HOUR ? first_row : query->first;
	hours->n = 0;
	hours->values = perseus__new_array((size_t)query->n_wanted, sizeof *hours->values);
	return hours->values ? PERSEUS_OK : perseus__no_memory(err);
}

void
perseus__hours_add(struct perseus__hours *hours, const struct perseus__hours_query *query, int64_t hour, double value)
{
	if (hours->n < query->n_wanted && hour == hours->first + hours->n)
		hours->values[hours->n++] = value;
}

enum perseus_status
perseus__hours_end(struct perseus__hours *hours, const struct perseus__hours_query *query, const char *label,
		struct perseus_error *err)
{
	if (hours->n >= query->n_needed)
		return PERSEUS_OK;
	char missing[PERSEUS__UTC_BYTES], zone[PERSEUS__ZONE_BYTES + 16] = "";
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	perseus__utc_text((hours->first + hours->n) * PERSEUS__MS_PER_HOUR, missing);
	if (*hours->zone)
		(void)snprintf(
				zone, sizeof zone, " zone \"%.60s\"", perseus__csv_shown(hours->zone, strlen(hours->zone), shown));
	const int32_t n = hours->n;
	perseus__hours_fini(hours);
	return perseus__fail(err, PERSEUS_INVALID, "%s:%s has no value for %.16sZ: %d hours are needed, and %d are there",
			label, zone, missing, (int)query->n_needed, (int)n);
}

void
perseus__hours_fini(struct perseus__hours *hours)
{
	perseus__free(hours->values);
	hours->values = NULL;
	hours->n = 0;
}
