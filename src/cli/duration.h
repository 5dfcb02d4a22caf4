/* Lengths of time as people write them. */
#ifndef PERSEUS_CLI_DURATION_H
#define PERSEUS_CLI_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Reads "30s", "1h", "7d", "1h 30m", "2 weeks" as seconds: numbers with a unit each, of s, m, h, d, w and their longer
 * names, and M (30.44 days) and y (365.25 days). False for anything else, and beyond 1000 years.
 */
bool perseus__duration_parse(const char *text, int64_t *seconds);

#endif
