/* Settings of a client: what makes sense, and copies of their texts. */
#include "client/settings.h"

#include "base/error.h"
#include "base/memory.h"
#include "client/order.h"

#include <string.h>

static const char default_socket[] = "/run/perseus/agent.sock";
enum { MAX_DEGREE = 1 << 20, MAX_FINGERPRINT = 256 };

const char *
perseus_control_name(enum perseus_control control)
{
	static const char *const names[] = {
#define X(name, text) text,
		PERSEUS_CONTROL_MAP(X)
#undef X
	};
	return names[control];
}

bool
perseus_control_find(const char *name, enum perseus_control *control)
{
#define X(constant, text)                      \
	if (strcmp(name, text) == 0) {             \
		*control = PERSEUS_CONTROL_##constant; \
		return true;                           \
	}
	PERSEUS_CONTROL_MAP(X)
#undef X
	return false;
}

struct perseus_client_settings
perseus_client_settings_default(void)
{
	return (struct perseus_client_settings){.n_dp = 1, .n_pp = 1, .n_tp = 1, .n_cp = 1, .n_ep = 1};
}

enum { N_DEGREES = 5 };
struct degree {
	const char *name;
	int32_t n;
	const char *place_name;
	int32_t place;
};

static enum perseus_status
check_places(const struct perseus_client_settings *settings, struct perseus_error *err)
{
	const struct degree degrees[N_DEGREES] = {
		{"n_dp", settings->n_dp, "dp", settings->dp},
		{"n_pp", settings->n_pp, "pp", settings->pp},
		{"n_tp", settings->n_tp, "tp", settings->tp},
		{"n_cp", settings->n_cp, "cp", settings->cp},
		{"n_ep", settings->n_ep, "ep", settings->ep},
	};
	int64_t n_ranks = 1;
	for (int i = 0; i < N_DEGREES; i++) {
		const struct degree *degree = &degrees[i];
		const int32_t n = degree->n > 0 ? degree->n : 1;
		if (degree->n < 0 || degree->n > MAX_DEGREE)
			return perseus__fail(err, PERSEUS_INVALID, "%s: expected 1 to %d, not %d", degree->name, (int)MAX_DEGREE,
					(int)degree->n);
		if (degree->place < 0 || degree->place >= n)
			return perseus__fail(err, PERSEUS_INVALID, "%s: expected 0 to %d, not %d", degree->place_name, (int)n - 1,
					(int)degree->place);
		/* Expert parallelism is among the ranks that there are. */
		if (degree != &degrees[N_DEGREES - 1])
			n_ranks = n_ranks * n > MAX_DEGREE ? MAX_DEGREE + 1 : n_ranks * n;
	}
	if (n_ranks > MAX_DEGREE)
		return perseus__fail(err, PERSEUS_INVALID, "the job has more than %d ranks", (int)MAX_DEGREE);
	if (settings->rank < 0 || settings->rank >= n_ranks)
		return perseus__fail(
				err, PERSEUS_INVALID, "rank: expected 0 to %d, not %d", (int)n_ranks - 1, (int)settings->rank);
	if (n_ranks > 1 && settings->server_url && !settings->job_key)
		return perseus__fail(err, PERSEUS_INVALID, "job_key: a job of %d ranks needs one", (int)n_ranks);
	return PERSEUS_OK;
}

enum perseus_status
perseus__settings_check(const struct perseus_client_settings *settings, struct perseus_error *err)
{
	if (settings->server_url && !settings->job_name)
		return perseus__fail(err, PERSEUS_INVALID, "job_name: a job has a name");
	if (settings->n_fingerprint < 0 || settings->n_fingerprint > MAX_FINGERPRINT)
		return perseus__fail(err, PERSEUS_INVALID, "n_fingerprint: expected 0 to %d, not %d", (int)MAX_FINGERPRINT,
				(int)settings->n_fingerprint);
	if (settings->n_order < 0 || settings->n_order > PERSEUS__MAX_ORDER)
		return perseus__fail(err, PERSEUS_INVALID, "n_order: expected 0 to %d, not %d", (int)PERSEUS__MAX_ORDER,
				(int)settings->n_order);
	if (settings->gpu < 0)
		return perseus__fail(err, PERSEUS_INVALID, "gpu: expected 0 or more, not %d", (int)settings->gpu);
	if (settings->first_step < 0)
		return perseus__fail(
				err, PERSEUS_INVALID, "first_step: expected 0 or more, not %lld", (long long)settings->first_step);
	return check_places(settings, err);
}

/* Replaces a text by a copy. */
static bool
copy_text(const char **text)
{
	if (!*text)
		return true;
	char *copy = perseus__copy_string(*text);
	*text = copy;
	return copy != NULL;
}

static bool
copy_texts(const char *const **texts, int32_t n)
{
	const char *const *from = *texts;
	const char **copies = perseus__new_array((size_t)n, sizeof *copies);
	*texts = (const char *const *)copies;
	bool is_copied = copies != NULL;
	for (int32_t i = 0; i < n && is_copied; i++) {
		copies[i] = from[i];
		is_copied = copy_text(&copies[i]);
	}
	return is_copied;
}

/* The order is taken into an order of ours, and the device's texts are used up in opening it. */
bool
perseus__settings_copy(struct perseus_client_settings *copy, const struct perseus_client_settings *settings)
{
	*copy = *settings;
	copy->order = NULL;
	copy->n_order = 0;
	copy->devices = NULL;
	copy->visible_gpus = NULL;
	const bool has_server = settings->server_url && settings->server_url[0] != '\0';
	copy->server_url = has_server ? settings->server_url : NULL;
	copy->agent_socket = settings->agent_socket ? settings->agent_socket : default_socket;
	bool is_copied = true;
	const char **texts[] = {&copy->server_url, &copy->token, &copy->job_name, &copy->job_key, &copy->target,
		&copy->granularity, &copy->agent_socket};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		is_copied = copy_text(texts[i]) && is_copied;
	is_copied = copy_texts(&copy->fingerprint_keys, copy->n_fingerprint) && is_copied;
	return copy_texts(&copy->fingerprint_values, copy->n_fingerprint) && is_copied;
}

static void
free_texts(const char *const *texts, int32_t n)
{
	for (int32_t i = 0; i < n && texts; i++)
		perseus__free(texts[i]);
	perseus__free(texts);
}

void
perseus__settings_fini(struct perseus_client_settings *settings)
{
	const char *const texts[] = {settings->server_url, settings->token, settings->job_name, settings->job_key,
		settings->target, settings->granularity, settings->agent_socket};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		perseus__free(texts[i]);
	free_texts(settings->fingerprint_keys, settings->n_fingerprint);
	free_texts(settings->fingerprint_values, settings->n_fingerprint);
}
