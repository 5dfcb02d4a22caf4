/* What the files of a powercap zone hold, and a counter that does not wrap around. */
#include "device/rapl_zone.h"

#include <string.h>

/* The digits at `text`, length `length`, all of them. */
static bool
read_digits(const char *text, size_t length, int64_t *value)
{
	int64_t sum = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9' || __builtin_mul_overflow(sum, 10, &sum)
				|| __builtin_add_overflow(sum, text[i] - '0', &sum))
			return false;
	}
	*value = sum;
	return length > 0;
}

/* Length without the newline that ends it. */
static size_t
cut_newline(const char *text, size_t length)
{
	return length > 0 && text[length - 1] == '\n' ? length - 1 : length;
}

bool
perseus__rapl_number(const char *text, size_t length, int64_t *value)
{
	return read_digits(text, cut_newline(text, length), value);
}

bool
perseus__rapl_name(const char *text, size_t length, char name[PERSEUS__RAPL_NAME_BYTES])
{
	const size_t n = cut_newline(text, length);
	if (n == 0 || n >= PERSEUS__RAPL_NAME_BYTES)
		return false;
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	memcpy(name, text, n);
	name[n] = '\0';
	return true;
}

bool
perseus__rapl_is_zone(const char *directory, const char *prefix, int32_t *number)
{
	const size_t n = strlen(prefix);
	int64_t value;
	if (strncmp(directory, prefix, n) != 0 || directory[n] != ':')
		return false;
	if (!read_digits(directory + n + 1, strlen(directory + n + 1), &value) || value > INT32_MAX)
		return false;
	*number = (int32_t)value;
	return true;
}

int64_t
perseus__rapl_count(struct perseus__rapl_counter *counter, int64_t raw_uj)
{
	int64_t step_uj = raw_uj - counter->raw_uj;
	if (counter->is_started && step_uj < 0)
		/* A last reading beyond the range, which no kernel should give, must not make the counter fall. */
		step_uj = counter->raw_uj > counter->range_uj ? raw_uj : step_uj + counter->range_uj;
	counter->is_started = true;
	counter->raw_uj = raw_uj;
	if (__builtin_add_overflow(counter->sum_uj, step_uj, &counter->sum_uj))
		counter->sum_uj = INT64_MAX;
	return counter->sum_uj;
}
