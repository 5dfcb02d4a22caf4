/*
 * Values of options. All of these end the program with a usage message, as argp_error does, where the text is not what
 * the option takes; `option` is its name as the user writes it.
 */
#ifndef PERSEUS_CLI_OPTION_VALUE_H
#define PERSEUS_CLI_OPTION_VALUE_H

#include <perseus/plan.h>

#include <argp.h>
#include <stdint.h>

#include "format/number.h"

/* An integer from `min` to `max`. */
int32_t perseus__option_count(
		const struct argp_state *state, const char *option, const char *arg, int32_t min, int32_t max);

/* A decimal of zero or more, exactly as written. */
struct perseus__decimal perseus__option_decimal(const struct argp_state *state, const char *option, const char *arg);

/* floor(arg · unit) exactly, e.g. seconds as nanoseconds with unit 10^9. */
int64_t perseus__option_scaled(const struct argp_state *state, const char *option, const char *arg, int64_t unit);

/* A number of zero or more, up to `max`. */
double perseus__option_number(const struct argp_state *state, const char *option, const char *arg, double max);

/* Permissions of a file: an octal number up to 777. */
uint32_t perseus__option_mode(const struct argp_state *state, const char *option, const char *arg);

/* Index of `arg` in `words`, a list that ends in NULL; an option's own words come first, then all in the message. */
int perseus__option_word(const struct argp_state *state, const char *option, const char *arg, const char *const *words);

/* What --granularity takes. */
enum perseus_granularity perseus__option_granularity(const struct argp_state *state, const char *arg);

/*
 * A list "1,2,3" cut at its commas: calls `take` with each piece and its index. Returns the number of pieces.
 * Memory for the pieces is the function's own.
 */
int32_t perseus__option_list(const struct argp_state *state, const char *arg,
		void (*take)(const struct argp_state *state, int32_t index, const char *piece, void *user), void *user);

/* Ends the program as where memory runs out. */
void perseus__option_no_memory(const struct argp_state *state);

#endif
