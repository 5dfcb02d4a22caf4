/* Who may ask for what. */
#include "server/api_access.h"

#include "base/clock.h"
#include "server/api_route.h"
#include "service/log.h"

#include <stdio.h>

const char *const perseus__api_scopes[] = {"job-read", "job-write", "gpu-control", "gpu-read", "cpu-read", NULL};

/* "token alice", "user 1000", "10.0.0.7": who is counted, and named in the log. */
static void
identity_text(const struct perseus__exchange *exchange, char text[PERSEUS__IDENTITY_BYTES])
{
	if (*exchange->token.subject)
		(void)snprintf(text, PERSEUS__IDENTITY_BYTES, "token %s", exchange->token.subject);
	else
		perseus__peer_text(exchange->request.peer, text);
}

/* A line for whoever runs the server; what is wrong with a request itself is its sender's business alone. */
static void
log_refusal(const struct perseus__exchange *exchange, const char *why)
{
	struct perseus__log_line line;
	char identity[PERSEUS__IDENTITY_BYTES];
	identity_text(exchange, identity);
	perseus__log_begin(&line, PERSEUS__LOG_WARNING, "refused");
	perseus__log_text(&line, "who", identity);
	perseus__log_text(&line, "path", exchange->request.path);
	perseus__log_integer(&line, "code", exchange->response.code);
	perseus__log_text(&line, "why", why);
	perseus__log_end(&line);
}

static bool
refuse_token(struct perseus__exchange *exchange, const char *message)
{
	perseus__ask_refuse(exchange, 401, "%s", message);
	exchange->response.asks_for_token = true;
	log_refusal(exchange, message);
	return false;
}

static bool
check_token(const struct perseus__api *api, struct perseus__exchange *exchange)
{
	char message[PERSEUS__TOKEN_MESSAGE_BYTES];
	return perseus__exchange_check_token(exchange, api->settings.key, perseus__api_scopes,
				   "A token is needed: Authorization: Bearer TOKEN.", message)
			|| refuse_token(exchange, message);
}

/* The scope that a route needs; false where it needs none. */
static bool
find_scope(const struct perseus__api *api, const struct perseus__api_route *route, enum perseus__api_scope *scope)
{
	const enum perseus__api_scope of_method =
			route->method == PERSEUS__METHOD_GET ? PERSEUS__SCOPE_JOB_READ : PERSEUS__SCOPE_JOB_WRITE;
	if (api->settings.key.length == 0)
		return false;
	switch (route->access) {
	case PERSEUS__API_OPEN:
		return false;
	case PERSEUS__API_READ:
		*scope = PERSEUS__SCOPE_JOB_READ;
		return true;
	case PERSEUS__API_WRITE:
		*scope = PERSEUS__SCOPE_JOB_WRITE;
		return true;
	case PERSEUS__API_ZEUS:
		*scope = of_method;
		return api->settings.zeus_needs_token;
	}
	return false;
}

void
perseus__api_check_access(const struct perseus__api *api, struct perseus__exchange *exchange)
{
	const struct perseus__ask *ask = perseus__ask_of(exchange);
	enum perseus__api_scope scope = PERSEUS__SCOPE_JOB_WRITE;
	if (find_scope(api, ask->route, &scope)) {
		if (!check_token(api, exchange))
			return;
		if (!(exchange->token.scopes & 1U << scope)) {
			perseus__ask_refuse(exchange, 403, "The token of '%s' has not the scope '%s'.", exchange->token.subject,
					perseus__api_scopes[scope]);
			log_refusal(exchange, "the token lacks the scope");
			return;
		}
	}
	if (!api->rate)
		return;
	char identity[PERSEUS__IDENTITY_BYTES];
	identity_text(exchange, identity);
	if (!perseus__rate_take(api->rate, identity, perseus__clock_mono_ns())) {
		perseus__ask_refuse(exchange, 429, "More than %d requests in a second.", (int)api->settings.requests_per_s);
		exchange->response.asks_to_retry = true;
		log_refusal(exchange, "too many requests");
	}
}
