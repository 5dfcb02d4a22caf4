/* Moments in ISO 8601. */
#include "format/utc_time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const int64_t MAX_S = 253402300799; /* the last of the year 9999 */

void
perseus__utc_text(int64_t time_ms, char text[PERSEUS__UTC_BYTES])
{
	time_ms = time_ms < 0 ? 0 : time_ms > MAX_S * 1000 ? MAX_S * 1000 : time_ms;
	const time_t time_s = (time_t)(time_ms / 1000);
	struct tm tm;
	(void)gmtime_r(&time_s, &tm); /* cannot fail in these years */
	(void)snprintf(text, PERSEUS__UTC_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (tm.tm_year + 1900) % 10000,
			(tm.tm_mon + 1) % 100, tm.tm_mday % 100, tm.tm_hour % 100, tm.tm_min % 100, tm.tm_sec % 100,
			(int)(time_ms % 1000));
}

/* Reads `n` digits at `*at` and goes behind them. */
static bool
read_digits(const char **at, int n, int *value)
{
	*value = 0;
	for (int i = 0; i < n; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		*value = *value * 10 + (**at - '0');
	}
	return true;
}

static bool
skip(const char **at, char byte)
{
	if (**at != byte)
		return false;
	(*at)++;
	return true;
}

static bool
read_date(const char **at, struct tm *tm)
{
	if (!read_digits(at, 4, &tm->tm_year) || !skip(at, '-') || !read_digits(at, 2, &tm->tm_mon) || !skip(at, '-')
			|| !read_digits(at, 2, &tm->tm_mday))
		return false;
	tm->tm_year -= 1900;
	tm->tm_mon--;
	return tm->tm_year >= 70;
}

/* Thousandths of a second; digits beyond the third are dropped. */
static bool
read_fraction(const char **at, int *ms)
{
	int n = 0;
	for (int digit = 0; **at >= '0' && **at <= '9'; n++) {
		(void)read_digits(at, 1, &digit);
		if (n < 3)
			*ms = *ms * 10 + digit;
	}
	for (int i = n; i < 3; i++)
		*ms *= 10;
	return n > 0;
}

static bool
read_time(const char **at, struct tm *tm, int *ms)
{
	if (!read_digits(at, 2, &tm->tm_hour) || !skip(at, ':') || !read_digits(at, 2, &tm->tm_min))
		return false;
	if (skip(at, ':') && !read_digits(at, 2, &tm->tm_sec))
		return false;
	if (skip(at, '.') && !read_fraction(at, ms))
		return false;
	if (!skip(at, 'Z') && strncmp(*at, "+00:00", 6) == 0)
		*at += 6;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

bool
perseus__utc_parse(const char *text, int64_t *time_ms)
{
	struct tm tm = {0};
	int ms = 0;
	const char *at = text;
	if (!read_date(&at, &tm))
		return false;
	if ((skip(&at, 'T') || skip(&at, ' ')) && !read_time(&at, &tm, &ms))
		return false;
	const struct tm given = tm;
	const time_t time_s = timegm(&tm); /* makes 30 February 1 or 2 March */
	if (*at != '\0' || tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday)
		return false;
	*time_ms = (int64_t)time_s * 1000 + ms;
	return true;
}
