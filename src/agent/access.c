/* Who may do what. */
#include "agent/access.h"

#include "agent/lease.h"
#include "agent/route.h"
#include "base/clock.h"
#include "service/log.h"

#include <inttypes.h>

#include <stdio.h>
#include <string.h>

/* A line for whoever runs the agent; what is wrong with a request itself is its sender's business alone. */
static void
log_refusal(struct perseus__exchange *exchange, const char *why)
{
	char holder[PERSEUS__HOLDER_TEXT_BYTES];
	struct perseus__log_line line;
	perseus__holder_text(&perseus__call_of(exchange)->holder, holder);
	perseus__log_begin(&line, PERSEUS__LOG_WARNING, "refused");
	perseus__log_text(&line, "holder", holder);
	perseus__log_text(&line, "path", exchange->request.path);
	perseus__log_integer(&line, "code", exchange->response.code);
	perseus__log_text(&line, "why", why);
	perseus__log_end(&line);
}

static bool
refuse_token(struct perseus__exchange *exchange, const char *message)
{
	perseus__respond_error(exchange, 401, "%s", message);
	exchange->response.asks_for_token = true;
	log_refusal(exchange, message);
	return false;
}

static bool
check_token(const struct perseus__front *front, struct perseus__exchange *exchange)
{
	char message[PERSEUS__TOKEN_MESSAGE_BYTES];
	return perseus__exchange_check_token(exchange, front->settings.key, perseus__agent_scopes,
				   "Authentication required. Provide an Authorization: Bearer <token> header.", message)
			|| refuse_token(exchange, message);
}

/* Over the Unix socket the process is the better holder, as its end is noticed. */
static void
set_holder(struct perseus__exchange *exchange)
{
	struct perseus__holder *holder = &perseus__call_of(exchange)->holder;
	if (holder->kind == PERSEUS__HOLDER_PROCESS)
		return;
	*holder = (struct perseus__holder){.kind = PERSEUS__HOLDER_TOKEN};
	(void)snprintf(holder->name, sizeof holder->name, "%s", exchange->token.subject);
}

static void
respond_missing_scope(struct perseus__exchange *exchange, enum perseus__group group)
{
	struct perseus__text scopes = perseus__text_init(256);
	for (int i = 0; i < PERSEUS__N_GROUPS; i++)
		if (exchange->token.scopes & perseus__group_bit((enum perseus__group)i))
			perseus__text_addf(
					&scopes, "%s'%s'", scopes.length ? ", " : "", perseus__group_name((enum perseus__group)i));
	perseus__respond_error(exchange, 403, "Token for user '%s' lacks required scope '%s'. Token scopes: [%s]",
			exchange->token.subject, perseus__group_name(group), scopes.length ? scopes.bytes : "");
	perseus__text_fini(&scopes);
	log_refusal(exchange, "the token lacks the scope");
}

bool
perseus__access_check(const struct perseus__front *front, struct perseus__exchange *exchange)
{
	const struct perseus__request *request = &exchange->request;
	struct perseus__call *call = perseus__call_of(exchange);
	enum perseus__group group = PERSEUS__GROUP_GPU_READ;
	/* Of the route where there is one: its number may be written in other ways, as %30 for 0. */
	const char *path = call->route ? call->route->path : request->path;
	const bool has_group = perseus__group_of_path(path, request->method == PERSEUS__METHOD_GET, &group);
	call->holder = perseus__caller_of(exchange)->holder;
	if (has_group && !(front->settings.groups & perseus__group_bit(group))) {
		perseus__respond_error(
				exchange, 404, "API group '%s' is not enabled on this server.", perseus__group_name(group));
		return false;
	}
	if (front->settings.key.length == 0) {
		if (strncmp(request->path, "/auth/", 6) != 0)
			return true;
		perseus__respond_error(exchange, 404, "Authentication is not enabled on this server.");
		return false;
	}
	if (call->route && call->route->is_open)
		return true;
	if (!check_token(front, exchange))
		return false;
	set_holder(exchange);
	if (has_group && !(exchange->token.scopes & perseus__group_bit(group))) {
		respond_missing_scope(exchange, group);
		return false;
	}
	return true;
}

/* What perseus__holder_is_one_identity compares. */
static void
identity_text(const struct perseus__holder *holder, char text[PERSEUS__IDENTITY_BYTES])
{
	if (holder->kind == PERSEUS__HOLDER_PROCESS)
		(void)snprintf(text, PERSEUS__IDENTITY_BYTES, "user %" PRIu32, holder->uid);
	else
		perseus__holder_text(holder, text);
}

bool
perseus__access_write(const struct perseus__front *front, struct perseus__exchange *exchange, uint64_t gpus)
{
	const struct perseus__holder *holder = &perseus__call_of(exchange)->holder;
	const uint64_t writable =
			holder->kind == PERSEUS__HOLDER_TOKEN ? UINT64_MAX : perseus__caller_of(exchange)->writable;
	char identity[PERSEUS__IDENTITY_BYTES];
	if (gpus & ~writable) {
		const int32_t first = __builtin_ctzll(gpus & ~writable);
		perseus__respond_error(
				exchange, 403, "The allow list does not let you write GPU %d.", (int)front->gpus[first].id);
		log_refusal(exchange, "not on the allow list");
		return false;
	}
	identity_text(holder, identity);
	if (front->rate && !perseus__rate_take(front->rate, identity, perseus__clock_mono_ns())) {
		perseus__respond_error(exchange, 429, "More than %d writes in a second.", (int)front->settings.writes_per_s);
		exchange->response.asks_to_retry = true;
		log_refusal(exchange, "too many writes");
		return false;
	}
	return true;
}

static uint64_t
gpus_of_rule(const struct perseus__front *front, const struct perseus__allow *rule)
{
	uint64_t gpus = rule->n_gpus == 0 ? UINT64_MAX : 0;
	for (int32_t i = 0; i < rule->n_gpus; i++)
		gpus |= UINT64_C(1) << perseus__front_find_gpu(front, rule->gpu_ids[i]);
	return gpus;
}

uint64_t
perseus__access_writable(const struct perseus__front *front, uint32_t uid, const uint32_t *gids, int32_t n_gids)
{
	uint64_t gpus = front->settings.n_allow == 0 ? UINT64_MAX : 0;
	for (int32_t i = 0; i < front->settings.n_allow; i++) {
		const struct perseus__allow *rule = &front->settings.allow[i];
		bool is_named = !rule->is_gid && rule->id == uid;
		for (int32_t k = 0; k < n_gids; k++)
			is_named = is_named || (rule->is_gid && rule->id == gids[k]);
		if (is_named)
			gpus |= gpus_of_rule(front, rule);
	}
	return gpus;
}
