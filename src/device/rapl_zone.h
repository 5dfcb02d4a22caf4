/*
 * What the files of a powercap zone hold, and a counter that goes on where the zone's begins anew. Touches no file.
 * Linux' documentation: power/powercap/powercap.rst.
 */
#ifndef PERSEUS_DEVICE_RAPL_ZONE_H
#define PERSEUS_DEVICE_RAPL_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the whole text of a file, length `length`, as a number of 0 to INT64_MAX; a newline may follow it. */
bool perseus__rapl_number(const char *text, size_t length, int64_t *value);

enum { PERSEUS__RAPL_NAME_BYTES = 64 };

/*
 * Reads the whole text of a file as a zone's name: printable ASCII, not empty, without its newline. `name` is written
 * on success only.
 */
bool perseus__rapl_name(const char *text, size_t length, char name[PERSEUS__RAPL_NAME_BYTES]);

/* Whether `directory` is PREFIX, a colon and a number: "intel-rapl:2" with the prefix "intel-rapl". */
bool perseus__rapl_is_zone(const char *directory, const char *prefix, int32_t *number);

/*
 * An energy counter that wraps around at `range_uj`, extended to 63 bits. Right as long as it is read at least once a
 * wrap; at half a wrap there is room for delay. At 300 W Intel's 262 kJ last 14 minutes, AMD's 65 kJ 3.6.
 */
struct perseus__rapl_counter {
	int64_t range_uj; /* > 0: max_energy_range_uj */
	int64_t raw_uj;   /* last reading */
	int64_t sum_uj;
	bool is_started;
};

/* Takes the next reading; returns the extended counter, which begins at the first reading and never falls. */
int64_t perseus__rapl_count(struct perseus__rapl_counter *counter, int64_t raw_uj);

#endif
