/*
 * Bytes → a token. As they are, they must never be a good one: nobody but the key's owner makes those. Then as header
 * and claims, a line each, which are signed here with the key, so that what lies behind the signature is reached:
 * whatever is taken keeps its bounds, and survives being issued and read again.
 */
#include "agent/group.h"
#include "base/memory.h"
#include "require.h"
#include "service/jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <string.h>

enum { NOW_S = 1000000, SIGNATURE_BYTES = 32 };

static const struct perseus__signing_key key = {(const unsigned char *)"a key of this target", 20};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
add_base64url(struct perseus__text *text, const unsigned char *bytes, size_t length)
{
	unsigned char *encoded = perseus__new_array(length / 3 * 4 + 8, 1);
	struct perseus_error err = {.message = ""};
	require(encoded != NULL, "no memory", &err);
	const int n = EVP_EncodeBlock(encoded, bytes, (int)length);
	for (int i = 0; i < n && encoded[i] != '='; i++) {
		const char byte = encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : (char)encoded[i];
		perseus__text_add(text, &byte, 1);
	}
	perseus__free(encoded);
}

/* The token of these parts, signed. */
static void
make_token(const uint8_t *header, size_t header_length, const uint8_t *claims, size_t claims_length,
		struct perseus__text *text)
{
	unsigned char signature[SIGNATURE_BYTES];
	unsigned n = 0;
	add_base64url(text, header, header_length);
	perseus__text_addf(text, ".");
	add_base64url(text, claims, claims_length);
	(void)HMAC(
			EVP_sha256(), key.bytes, (int)key.length, (const unsigned char *)text->bytes, text->length, signature, &n);
	perseus__text_addf(text, ".");
	add_base64url(text, signature, n);
}

static void
check_token(const struct perseus__token *token)
{
	struct perseus_error err = {.message = ""};
	struct perseus__token again;
	struct perseus__text text = perseus__text_init(65536);
	const size_t length = strlen(token->subject);
	require(length > 0 && length < PERSEUS__JWT_SUBJECT_BYTES, "length of the subject", &err);
	require(token->scopes < 1U << (PERSEUS__N_GROUPS + 2), "scopes that are not there", &err);
	require(!token->has_expiry || token->expires_s >= NOW_S - PERSEUS__JWT_LEEWAY_S, "expired, and yet taken", &err);
	require(perseus__jwt_issue(token, key, perseus__agent_scopes, &text, &err) == PERSEUS_OK, "not issued", &err);
	require(perseus__jwt_verify(text.bytes, key, perseus__agent_scopes, NOW_S, &again, &err) == PERSEUS_OK,
			"not read again", &err);
	require(strcmp(again.subject, token->subject) == 0 && again.scopes == token->scopes
					&& again.has_expiry == token->has_expiry
					&& (!token->has_expiry || again.expires_s == token->expires_s),
			"another token", &err);
	perseus__text_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct perseus_error err = {.message = ""};
	struct perseus__token token;
	struct perseus__text text = perseus__text_init(1 << 20);
	perseus__text_add(&text, (const char *)bytes, length);
	if (length > 1 << 16 || text.failed) {
		perseus__text_fini(&text);
		return 0;
	}
	require(perseus__jwt_verify(text.bytes, key, perseus__agent_scopes, NOW_S, &token, &err) != PERSEUS_OK,
			"a token out of nothing", &err);
	perseus__text_fini(&text);
	const uint8_t *newline = length > 0 ? memchr(bytes, '\n', length) : NULL;
	if (!newline)
		return 0;
	const size_t header_length = (size_t)(newline - bytes);
	make_token(bytes, header_length, newline + 1, length - header_length - 1, &text);
	const enum perseus_status status = perseus__jwt_verify(text.bytes, key, perseus__agent_scopes, NOW_S, &token, &err);
	if (status == PERSEUS_OK)
		check_token(&token);
	else
		require(*err.message != '\0', "refused without a word", &err);
	perseus__text_fini(&text);
	return 0;
}
