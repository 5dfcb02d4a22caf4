/* Values of options. */
#include "cli/option_value.h"

#include "base/memory.h"
#include "base/text.h"

#include <perseus/status.h>

#include <stdlib.h>
#include <string.h>

int32_t
perseus__option_count(const struct argp_state *state, const char *option, const char *arg, int32_t min, int32_t max)
{
	int64_t value = 0;
	const char *at = arg;
	for (; *at >= '0' && *at <= '9' && value <= INT32_MAX; at++)
		value = value * 10 + (*at - '0');
	if (at == arg || *at != '\0' || value < min || value > max)
		argp_error(state, "%s takes an integer from %d to %d, not '%s'", option, (int)min, (int)max, arg);
	return (int32_t)value;
}

struct perseus__decimal
perseus__option_decimal(const struct argp_state *state, const char *option, const char *arg)
{
	struct perseus__decimal decimal = {0};
	if (!perseus__decimal_parse(arg, &decimal))
		argp_error(state, "%s takes a number of zero or more, not '%s'", option, arg);
	return decimal;
}

int64_t
perseus__option_scaled(const struct argp_state *state, const char *option, const char *arg, int64_t unit)
{
	int64_t value = 0;
	if (!perseus__decimal_times(perseus__option_decimal(state, option, arg), unit, &value))
		argp_error(state, "%s: %s is too large", option, arg);
	return value;
}

uint32_t
perseus__option_mode(const struct argp_state *state, const char *option, const char *arg)
{
	char *end = NULL;
	const unsigned long mode = strtoul(arg, &end, 8);
	if (*arg < '0' || *arg > '7' || *end || mode > 0777)
		argp_error(state, "%s takes an octal number up to 777, not '%s'", option, arg);
	return (uint32_t)mode;
}

double
perseus__option_number(const struct argp_state *state, const char *option, const char *arg, double max)
{
	const double value = perseus__decimal_value(perseus__option_decimal(state, option, arg));
	if (!(value <= max))
		argp_error(state, "%s takes a number from 0 to %g, not '%s'", option, max, arg);
	return value;
}

int
perseus__option_word(const struct argp_state *state, const char *option, const char *arg, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], arg) == 0)
			return i;
	struct perseus__text list = perseus__text_init(4096);
	for (int i = 0; words[i]; i++)
		perseus__text_addf(&list, "%s%s", i ? ", " : "", words[i]);
	argp_error(state, "%s takes one of %s, not '%s'", option, list.failed ? "its words" : list.bytes, arg);
	perseus__text_fini(&list);
	return 0;
}

enum perseus_granularity
perseus__option_granularity(const struct argp_state *state, const char *arg)
{
	static const char *const granularities[] = {
#define X(name, text) text,
		PERSEUS_GRANULARITY_MAP(X)
#undef X
				NULL
	};
	return (enum perseus_granularity)perseus__option_word(state, "--granularity", arg, granularities);
}

int32_t
perseus__option_list(const struct argp_state *state, const char *arg,
		void (*take)(const struct argp_state *state, int32_t index, const char *piece, void *user), void *user)
{
	char *copy = perseus__copy_string(arg);
	if (!copy) {
		perseus__option_no_memory(state);
		return 0;
	}
	int32_t n = 0;
	char *piece = copy;
	for (char *comma = strchr(piece, ','); comma; comma = strchr(piece, ',')) {
		*comma = '\0';
		take(state, n++, piece, user);
		piece = comma + 1;
	}
	take(state, n++, piece, user);
	perseus__free(copy);
	return n;
}

void
perseus__option_no_memory(const struct argp_state *state)
{
	argp_failure(state, perseus_status_exit_code(PERSEUS_NO_MEMORY), 0, "%s", perseus_status_text(PERSEUS_NO_MEMORY));
}
