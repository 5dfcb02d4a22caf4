/* Who may ask for what: tokens and their scopes, and how often. */
#ifndef PERSEUS_SERVER_API_ACCESS_H
#define PERSEUS_SERVER_API_ACCESS_H

#include "server/api.h"

/*
 * The checks that every request of a route must pass: its token is good, the token has the scope, its identity has not
 * asked too often. Fills in token and identity. Where one fails, the exchange has been responded to.
 */
void perseus__api_check_access(const struct perseus__api *api, struct perseus__exchange *exchange);

#endif
