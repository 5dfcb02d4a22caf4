/*
 * Bytes → the files of a powercap zone, a line each: directory, name, range, then readings of the counter. What is
 * taken reads back the same, and the extended counter never falls and never takes more than a wrap from one reading.
 */
#include "../require.h"
#include "device/rapl_zone.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { DIRECTORY, NAME, RANGE, READINGS };

static const struct perseus_error none = {.message = ""};

static void
check_directory(const char *line, size_t length)
{
	char directory[256] = "";
	char again[256];
	int32_t number = -1;
	memcpy(directory, line, length < sizeof directory ? length : sizeof directory - 1);
	if (!perseus__rapl_is_zone(directory, "intel-rapl", &number))
		return;
	require(number >= 0, "a zone has a number", &none);
	(void)snprintf(again, sizeof again, "intel-rapl:%d", (int)number);
	require(perseus__rapl_is_zone(again, "intel-rapl", &number), "a zone's directory reads back", &none);
}

static void
check_name(const char *line, size_t length)
{
	char name[PERSEUS__RAPL_NAME_BYTES];
	if (!perseus__rapl_name(line, length, name))
		return;
	const size_t n = strlen(name);
	require(n > 0 && n <= length && length - n <= 1 && memcmp(name, line, n) == 0, "a name is the line's", &none);
}

static void
check_number(int64_t value)
{
	char text[32];
	int64_t again = -1;
	const int n = snprintf(text, sizeof text, "%lld\n", (long long)value);
	require(value >= 0 && perseus__rapl_number(text, (size_t)n, &again) && again == value, "a number reads back",
			&none);
}

static void
count(struct perseus__rapl_counter *counter, int64_t raw_uj)
{
	const struct perseus__rapl_counter before = *counter;
	const int64_t sum_uj = perseus__rapl_count(counter, raw_uj);
	require(sum_uj >= before.sum_uj, "the counter never falls", &none);
	if (before.is_started && before.raw_uj <= before.range_uj && raw_uj <= before.range_uj)
		require(sum_uj - before.sum_uj <= before.range_uj, "one wrap a reading at most", &none);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus__rapl_counter counter = {.range_uj = 1};
	const char *at = (const char *)bytes;
	const char *end = at + length;
	for (int line = 0; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const size_t n = newline ? (size_t)(newline - at) + 1 : (size_t)(end - at);
		int64_t value;
		if (line == DIRECTORY)
			check_directory(at, newline ? n - 1 : n);
		else if (line == NAME)
			check_name(at, n);
		else if (perseus__rapl_number(at, n, &value)) {
			check_number(value);
			if (line >= READINGS)
				count(&counter, value);
			else if (value > 0)
				counter.range_uj = value;
		}
		at += n;
	}
	return 0;
}
