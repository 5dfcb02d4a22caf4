/* Lengths of time. */
#include "cli/duration.h"

#include <stddef.h>
#include <string.h>

static const int64_t MAX_SECONDS = INT64_C(31557600000);

/* The units that humantime knows, which zeusd reads durations with; none below a second. */
static const struct {
	const char *names; /* each with a blank behind it */
	int64_t seconds;
} units[] = {
	{"s sec secs second seconds ", 1},
	{"m min mins minute minutes ", 60},
	{"h hr hrs hour hours ", 3600},
	{"d day days ", 86400},
	{"w wk wks week weeks ", 604800},
	{"M month months ", 2630016},
	{"y yr yrs year years ", 31557600},
};

/* Whether a unit's list of names has this one. */
static bool
has_name(const char *names, const char *name, size_t length)
{
	for (const char *at = names; *at; at += strcspn(at, " ") + 1)
		if (strcspn(at, " ") == length && strncmp(at, name, length) == 0)
			return true;
	return false;
}

static int64_t
find_unit(const char *name, size_t length)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (has_name(units[i].names, name, length))
			return units[i].seconds;
	return 0;
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

/* One number and its unit; moves `*at` behind it. */
static bool
parse_part(const char **at, int64_t *seconds)
{
	int64_t number = 0;
	const char *text = *at;
	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++)
		if ((number = number * 10 + (*text - '0')) > MAX_SECONDS)
			return false;
	text = skip_blanks(text);
	const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	const int64_t unit_s = find_unit(text, length);
	if (unit_s == 0 || number > MAX_SECONDS / unit_s)
		return false;
	*seconds += number * unit_s;
	*at = skip_blanks(text + length);
	return *seconds <= MAX_SECONDS;
}

bool
perseus__duration_parse(const char *text, int64_t *seconds)
{
	int64_t sum = 0;
	const char *at = skip_blanks(text);
	if (!*at)
		return false;
	while (*at)
		if (!parse_part(&at, &sum))
			return false;
	*seconds = sum;
	return true;
}
