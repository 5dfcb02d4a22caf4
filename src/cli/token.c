/* perseus token issue, perseus token show; zeusd token issue */
#include "agent/group.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/option_value.h"
#include "cli/signing_key.h"
#include "format/json_writer.h"
#include "service/jwt.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { KEY_SIGNING_KEY = 500, KEY_USER, KEY_SCOPE, KEY_EXPIRES };

struct options {
	bool shows; /* else it issues */
	const char *key_path;
	const char *user;
	uint32_t scopes;
	const char *expires;
	const char *text; /* the token to show */
};

static const struct argp_option option_table[] = {
	{"signing-key-path", KEY_SIGNING_KEY, "FILE", 0, "The key, as the agent or the server has it", 0},
	{"user", KEY_USER, "NAME", 0, "Whom the token is for", 0},
	{"scope", KEY_SCOPE, "SCOPE[,SCOPE...]", 0,
		"What it allows: gpu-control, gpu-read, cpu-read of the agent, job-read, job-write of the server", 0},
	{"expires", KEY_EXPIRES, "DURATION", 0, "For how long: 1h, 7d, 30d, ... or never", 0},
	{0},
};

static void
check_all(const struct options *options, const struct argp_state *state)
{
	if (!options->key_path)
		argp_error(state, "--signing-key-path is missing");
	else if (options->shows && !options->text)
		argp_error(state, "the token to show is missing");
	else if (!options->shows && !options->user)
		argp_error(state, "--user is missing");
	else if (!options->shows && !options->expires)
		argp_error(state, "--expires is missing");
	else if (!options->shows && (!*options->user || strlen(options->user) >= PERSEUS__JWT_SUBJECT_BYTES))
		argp_error(state, "--user takes a name of 1 to %d bytes", PERSEUS__JWT_SUBJECT_BYTES - 1);
}

static void
take_scope(const struct argp_state *state, int32_t index, const char *piece, void *user)
{
	struct options *options = user;
	(void)index;
	options->scopes |= 1U << perseus__option_word(state, "--scope", piece, perseus__agent_scopes);
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;
	switch (key) {
	case KEY_SIGNING_KEY:
		options->key_path = arg;
		return 0;
	case KEY_USER:
		options->user = arg;
		return 0;
	case KEY_SCOPE:
		(void)perseus__option_list(state, arg, take_scope, options);
		return 0;
	case KEY_EXPIRES:
		options->expires = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (!options->shows || options->text)
			return ARGP_ERR_UNKNOWN;
		options->text = arg;
		return 0;
	case ARGP_KEY_END:
		check_all(options, state);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static enum perseus_status
set_expiry(const char *expires, struct perseus__token *token, struct perseus_error *err)
{
	int64_t seconds = 0;
	if (strcasecmp(expires, "never") == 0 || strcmp(expires, "0") == 0)
		return PERSEUS_OK;
	if (!perseus__duration_parse(expires, &seconds))
		return perseus__fail(
				err, PERSEUS_INVALID, "--expires takes a duration such as 1h or 7d, or never, not '%s'", expires);
	token->has_expiry = true;
	token->expires_s = perseus__clock_wall_ms() / 1000 + seconds;
	return PERSEUS_OK;
}

static enum perseus_status
issue(const struct options *options, struct perseus__signing_key key, struct perseus__text *text,
		struct perseus_error *err)
{
	struct perseus__token token = {.scopes = options->scopes};
	(void)snprintf(token.subject, sizeof token.subject, "%s", options->user);
	enum perseus_status status = set_expiry(options->expires, &token, err);
	if (status == PERSEUS_OK)
		status = perseus__jwt_issue(&token, key, perseus__agent_scopes, text, err);
	perseus__text_addf(text, "\n");
	return status;
}

static enum perseus_status
show(const struct options *options, struct perseus__signing_key key, struct perseus__text *text,
		struct perseus_error *err)
{
	struct perseus__token token;
	const enum perseus_status status = perseus__jwt_verify(
			options->text, key, perseus__agent_scopes, perseus__clock_wall_ms() / 1000, &token, err);
	if (status == PERSEUS_INVALID)
		return perseus__fail(err, status, "the token is not valid: %s",
				strcmp(err->message, "InvalidSignature") == 0 ? "its signature is not of this key" : err->message);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, true);
	perseus__json_string(&json, "sub", token.subject);
	perseus__json_open_array(&json, "scopes", true);
	for (int i = 0; perseus__agent_scopes[i]; i++)
		if (token.scopes & 1U << i)
			perseus__json_string(&json, NULL, perseus__agent_scopes[i]);
	perseus__json_close_array(&json);
	if (token.has_expiry)
		perseus__json_integer(&json, "exp", token.expires_s);
	else
		perseus__json_null(&json, "exp");
	perseus__json_close_object(&json);
	return PERSEUS_OK;
}

int
perseus__run_token(int argc, char **argv)
{
	static const struct argp argp = {
		.options = option_table,
		.parser = parse_option,
		.args_doc = "issue\nshow TOKEN",
		.doc = "Issues tokens for the agent and the job server, and shows what a token says.",
	};
	struct options options = {.shows = argc > 1 && strcmp(argv[1], "show") == 0};
	const bool has_verb = argc > 1 && (options.shows || strcmp(argv[1], "issue") == 0);
	if (has_verb) {
		argv[1] = argv[0];
		argc--;
		argv++;
	}
	(void)argp_parse(&argp, argc, argv, 0, NULL, &options);
	struct perseus_error err;
	struct perseus__signing_key key = {NULL, 0};
	struct perseus__text text = perseus__result_text();
	enum perseus_status status = perseus__signing_key_read(options.key_path, &key, &err);
	if (status == PERSEUS_OK)
		status = options.shows ? show(&options, key, &text, &err) : issue(&options, key, &text, &err);
	const int exit_code = status == PERSEUS_OK ? perseus__print_result(&text) : perseus__print_error(&err);
	perseus__free(key.bytes);
	perseus__text_fini(&text);
	return exit_code;
}
