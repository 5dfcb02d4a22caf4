/* Moments in ISO 8601, UTC, whatever the time zone and locale of the process. */
#ifndef PERSEUS_FORMAT_UTC_TIME_H
#define PERSEUS_FORMAT_UTC_TIME_H

#include <stdbool.h>
#include <stdint.h>

enum { PERSEUS__UTC_BYTES = 32 };

/* Unix time in ms as "2026-08-01T12:00:00.250Z". Years 1970 to 9999; what lies outside becomes the nearest inside. */
void perseus__utc_text(int64_t time_ms, char text[PERSEUS__UTC_BYTES]);

/*
 * Reads "2026-08-01", or with a time behind 'T' or a blank: "12:00", "12:00:00", "12:00:00.25", and Z or +00:00 behind
 * it, or nothing, which is UTC, too. False for anything else: other offsets, days that are not in the calendar.
 */
bool perseus__utc_parse(const char *text, int64_t *time_ms);

#endif
