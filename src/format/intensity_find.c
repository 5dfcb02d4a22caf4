/* Looks up a zone in a table of intensities. */
#include "base/error.h"
#include "base/text.h"
#include "format/csv.h"
#include "format/intensity_internal.h"
#include "format/utc_time.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { N_NEAR = 3 };

struct range {
	size_t begin;
	size_t end;
};

static const char *
zone_at(const struct perseus__intensity_table *table, size_t row)
{
	return table->zones.bytes + table->rows[row].zone;
}

/* The first row whose zone is `zone` or, with `is_after`, comes behind it. */
static size_t
find_bound(const struct perseus__intensity_table *table, const char *zone, bool is_after)
{
	size_t low = 0, high = table->n_rows;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcasecmp(zone_at(table, middle), zone);
		if (order < 0 || (is_after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct range
zone_range(const struct perseus__intensity_table *table, const char *zone)
{
	return (struct range){find_bound(table, zone, false), find_bound(table, zone, true)};
}

static size_t
count_zones(const struct perseus__intensity_table *table)
{
	size_t n = 0;
	for (size_t row = 0; row < table->n_rows; row = find_bound(table, zone_at(table, row), true))
		n++;
	return n;
}

/* Adds up to N_NEAR zones ahead of `row` in the alphabet, and as many from it on. */
static void
add_near(const struct perseus__intensity_table *table, size_t row, struct perseus__text *text)
{
	for (int i = 0; i < N_NEAR && row > 0; i++)
		row = find_bound(table, zone_at(table, row - 1), false);
	for (int i = 0; i < 2 * N_NEAR && row < table->n_rows; i++) {
		perseus__text_addf(text, "%s%s", i ? ", " : "", zone_at(table, row));
		row = find_bound(table, zone_at(table, row), true);
	}
}

static enum perseus_status
fail_zone(const struct perseus__intensity_table *table, const char *zone, struct perseus_error *err)
{
	struct perseus__text near = perseus__text_init(1000);
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	const size_t n = count_zones(table);
	add_near(table, zone ? find_bound(table, zone, false) : 0, &near);
	const char *list = near.failed ? "" : near.bytes;
	if (zone)
		(void)perseus__fail(err, PERSEUS_INVALID,
				"%s: there is no zone \"%.100s\"; near it in the alphabet, of %zu: %s", table->label,
				perseus__csv_shown(zone, strlen(zone), shown), n, list);
	else
		(void)perseus__fail(err, PERSEUS_INVALID, "%s: name one of its %zu zones: %s, ...", table->label, n, list);
	perseus__text_fini(&near);
	return PERSEUS_INVALID;
}

static enum perseus_status
find_zone(
		const struct perseus__intensity_table *table, const char *zone, struct range *range, struct perseus_error *err)
{
	*range = zone_range(table, zone ? zone : zone_at(table, 0));
	const bool is_found = zone ? range->begin < range->end : range->end == table->n_rows;
	return is_found ? PERSEUS_OK : fail_zone(table, zone, err);
}

/* The row of a year, or of the latest. */
static enum perseus_status
find_year(const struct perseus__intensity_table *table, struct range range, int32_t year, size_t *row,
		struct perseus_error *err)
{
	*row = range.end - 1; /* in order of years */
	while (year != 0 && *row > range.begin && table->rows[*row].year > year)
		(*row)--;
	if (year == 0 || table->rows[*row].year == year)
		return PERSEUS_OK;
	size_t first = range.begin;
	first += table->rows[first].year == 0; /* there is at most one that does not say */
	if (first == range.end)
		return perseus__fail(err, PERSEUS_INVALID, "%s: zone \"%s\" has no value of %d: its year is not stated",
				table->label, zone_at(table, range.begin), (int)year);
	return perseus__fail(err, PERSEUS_INVALID, "%s: zone \"%s\" has no value of %d: its years are in %d to %d",
			table->label, zone_at(table, range.begin), (int)year, (int)table->rows[first].year,
			(int)table->rows[range.end - 1].year);
}

/* Sums of a walk over the hours of a run. */
struct mean {
	double weighted; /* value times ms */
	int64_t n_found;
	int64_t next;    /* the hour that should come next */
	int64_t missing; /* the first that is not there; PERSEUS__NO_HOUR: none so far */
};

static void
walk_hours(const struct perseus__intensity_table *table, struct range range, int64_t begin_ms, int64_t end_ms,
		struct mean *mean)
{
	for (size_t i = range.begin; i < range.end && table->rows[i].hour * PERSEUS__MS_PER_HOUR < end_ms; i++) {
		const struct perseus__intensity_row *row = &table->rows[i];
		const int64_t from = row->hour * PERSEUS__MS_PER_HOUR, to = from + PERSEUS__MS_PER_HOUR;
		if (to <= begin_ms)
			continue;
		if (row->hour != mean->next && mean->missing == PERSEUS__NO_HOUR)
			mean->missing = mean->next;
		mean->weighted +=
				row->gco2e_per_kwh * (double)((to < end_ms ? to : end_ms) - (from > begin_ms ? from : begin_ms));
		mean->n_found++;
		mean->next = row->hour + 1;
	}
}

static enum perseus_status
average_hours(const struct perseus__intensity_table *table, struct range range,
		const struct perseus__intensity_query *query, struct perseus__intensity *out, struct perseus_error *err)
{
	/* A run that takes no time is in the hour of its begin. */
	const int64_t begin_ms = query->begin_ms, end_ms = query->end_ms > begin_ms ? query->end_ms : begin_ms + 1;
	const int64_t first = begin_ms / PERSEUS__MS_PER_HOUR, last = (end_ms - 1) / PERSEUS__MS_PER_HOUR;
	struct mean mean = {.next = first, .missing = PERSEUS__NO_HOUR};
	walk_hours(table, range, begin_ms, end_ms, &mean);
	if (mean.missing == PERSEUS__NO_HOUR && mean.next <= last)
		mean.missing = mean.next;
	if (mean.missing != PERSEUS__NO_HOUR) {
		char hour[PERSEUS__UTC_BYTES];
		perseus__utc_text(mean.missing * PERSEUS__MS_PER_HOUR, hour);
		return perseus__fail(err, PERSEUS_INVALID,
				"%s: zone \"%s\" has no value for %.16sZ; of the %lld hours of the run, %lld are missing", table->label,
				zone_at(table, range.begin), hour, (long long)(last - first + 1),
				(long long)(last - first + 1 - mean.n_found));
	}
	char begin[PERSEUS__UTC_BYTES];
	perseus__utc_text(begin_ms, begin);
	out->gco2e_per_kwh = mean.weighted / (double)(end_ms - begin_ms);
	out->n_hours = (int32_t)mean.n_found;
	out->year = (begin[0] - '0') * 1000 + (begin[1] - '0') * 100 + (begin[2] - '0') * 10 + (begin[3] - '0');
	return PERSEUS_OK;
}

static bool
is_hourly(const struct perseus__intensity_table *table, struct range range)
{
	return table->rows[range.begin].hour != PERSEUS__NO_HOUR;
}

/* Range of the zone, and of a zone without hours the row. */
static enum perseus_status
find_row(const struct perseus__intensity_table *table, const struct perseus__intensity_query *query,
		struct range *range, size_t *row, struct perseus_error *err)
{
	const enum perseus_status status = find_zone(table, query->zone, range, err);
	if (status != PERSEUS_OK)
		return status;
	if (!is_hourly(table, *range))
		return find_year(table, *range, query->year, row, err);
	if (query->year != 0)
		return perseus__fail(err, PERSEUS_INVALID, "%s: zone \"%s\" has a series of hours: no year can be asked for",
				table->label, zone_at(table, range->begin));
	return PERSEUS_OK;
}

enum perseus_status
perseus__intensity_check(const struct perseus__intensity_table *table, const struct perseus__intensity_query *query,
		struct perseus_error *err)
{
	struct range range;
	size_t row;
	return find_row(table, query, &range, &row, err);
}

enum perseus_status
perseus__intensity_find(const struct perseus__intensity_table *table, const struct perseus__intensity_query *query,
		struct perseus__intensity *out, struct perseus_error *err)
{
	struct range range;
	size_t row = 0;
	enum perseus_status status = find_row(table, query, &range, &row, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__intensity found = {.type = table->type};
	(void)snprintf(found.zone, sizeof found.zone, "%s", zone_at(table, range.begin));
	(void)snprintf(found.source, sizeof found.source, "%s", table->source);
	if (is_hourly(table, range)) {
		status = average_hours(table, range, query, &found, err);
	} else {
		found.gco2e_per_kwh = table->rows[row].gco2e_per_kwh;
		found.year = table->rows[row].year;
	}
	if (status == PERSEUS_OK)
		*out = found;
	return status;
}

enum perseus_status
perseus__intensity_hours(const struct perseus__intensity_table *table, const struct perseus__hours_query *query,
		struct perseus__hours *out, struct perseus_error *err)
{
	struct range range;
	enum perseus_status status = find_zone(table, query->zone, &range, err);
	if (status != PERSEUS_OK)
		return status;
	const char *zone = zone_at(table, range.begin);
	if (!is_hourly(table, range))
		return perseus__fail(err, PERSEUS_INVALID, "%s: zone \"%s\" has years and no hours", table->label, zone);
	struct perseus__hours hours = {.unit = "gCO2e"};
	const char *type = perseus__intensity_type_name(table->type);
	(void)snprintf(hours.zone, sizeof hours.zone, "%s", zone);
	(void)snprintf(hours.source, sizeof hours.source, "%s%s%s", table->source, *type ? ", " : "", type);
	status = perseus__hours_begin(&hours, query, table->rows[range.begin].hour, err);
	if (status != PERSEUS_OK)
		return status;
	for (size_t i = range.begin; i < range.end; i++)
		perseus__hours_add(&hours, query, table->rows[i].hour, table->rows[i].gco2e_per_kwh);
	status = perseus__hours_end(&hours, query, table->label, err);
	if (status == PERSEUS_OK)
		*out = hours;
	return status;
}
