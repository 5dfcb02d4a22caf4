/*
 * Tokens: JSON Web Tokens signed with HMAC-SHA256 (RFC 7519, HS256), such that tokens of zeusd work here and ours
 * there. Claims: sub, scopes (names that the application gives), exp (absent: never).
 */
#ifndef PERSEUS_SERVICE_JWT_H
#define PERSEUS_SERVICE_JWT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

#include <perseus/status.h>

enum {
	PERSEUS__JWT_MAX_BYTES = 4096,
	PERSEUS__JWT_SUBJECT_BYTES = 128, /* the NUL included: what a holder's name has room for */
	PERSEUS__JWT_LEEWAY_S = 60,       /* that zeusd's library gives to clocks that differ */
};

struct perseus__signing_key {
	const unsigned char *bytes; /* of the key file, all of them */
	size_t length;
};

struct perseus__token {
	char subject[PERSEUS__JWT_SUBJECT_BYTES];
	uint32_t scopes; /* bit i: the scope of that index */
	bool has_expiry;
	int64_t expires_s; /* since 1970 */
};

/*
 * `scopes` are the names of all scopes there are, at most 32 and then NULL.
 *
 * Checks signature and claims at `now_s`; `*token` is filled in on success alone. Errors: DENIED where the token has
 * expired; INVALID for all else that is wrong with it; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__jwt_verify(const char *text, struct perseus__signing_key key,
		const char *const *scopes, int64_t now_s, struct perseus__token *token, struct perseus_error *err);

/* Adds the token's text. Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__jwt_issue(const struct perseus__token *token,
		struct perseus__signing_key key, const char *const *scopes, struct perseus__text *text,
		struct perseus_error *err);

#endif
