/* Who may do what: groups, tokens and their scopes, allow lists, rates. */
#ifndef PERSEUS_AGENT_ACCESS_H
#define PERSEUS_AGENT_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/front.h"

/*
 * The checks that every request must pass, in zeusd's order: its group is switched on, its token is good, the token has
 * the scope. Fills in the exchange's token and holder. False: the exchange has been answered.
 */
bool perseus__access_check(const struct perseus__front *front, struct perseus__exchange *exchange);

/* Whether the exchange's holder may write the GPUs at these positions, now. False: the exchange has been answered. */
bool perseus__access_write(const struct perseus__front *front, struct perseus__exchange *exchange, uint64_t gpus);

/*
 * The set of positions that a peer of the Unix socket may write by the allow rules: its user and groups, the effective
 * one and `n_gids` supplementary ones.
 */
uint64_t perseus__access_writable(
		const struct perseus__front *front, uint32_t uid, const uint32_t *gids, int32_t n_gids);

#endif
