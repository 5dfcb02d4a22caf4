/* JSON Web Tokens, HS256 alone. */
#include "service/jwt.h"

#include "base/error.h"
#include "base/memory.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { SIGNATURE_BYTES = 32, MAX_PART_BYTES = PERSEUS__JWT_MAX_BYTES / 4 * 3 + 3 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* One part of a token, decoded. */
struct part {
	size_t length;
	unsigned char bytes[MAX_PART_BYTES];
};

/* Base64url without padding, RFC 4648 section 5; bits that no byte takes must be zero, so that each text is unique. */
static bool
decode(const char *text, size_t length, struct part *part)
{
	uint32_t bits = 0;
	int n_bits = 0;
	part->length = 0;
	for (size_t i = 0; i < length; i++) {
		const char *at = text[i] ? strchr(alphabet, text[i]) : NULL;
		if (!at)
			return false;
		bits = bits << 6 | (uint32_t)(at - alphabet);
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		part->bytes[part->length++] = (unsigned char)(bits >> n_bits);
		bits &= (1U << n_bits) - 1;
	}
	return n_bits < 6 && bits == 0;
}

static void
encode(const unsigned char *bytes, size_t length, struct perseus__text *text)
{
	uint32_t bits = 0;
	int n_bits = 0;
	for (size_t i = 0; i < length; i++) {
		bits = (bits << 8 | bytes[i]) & 0xffff;
		for (n_bits += 8; n_bits >= 6; n_bits -= 6)
			perseus__text_add(text, &alphabet[bits >> (n_bits - 6) & 63], 1);
	}
	if (n_bits > 0)
		perseus__text_add(text, &alphabet[bits << (6 - n_bits) & 63], 1);
}

static bool
sign(const char *text, size_t length, struct perseus__signing_key key, unsigned char signature[SIGNATURE_BYTES])
{
	unsigned n = 0;
	return HMAC(EVP_sha256(), key.bytes, (int)key.length, (const unsigned char *)text, length, signature, &n)
			&& n == SIGNATURE_BYTES;
}

/* A part that is a JSON object, or NULL. */
static json_t *
decode_object(const char *text, size_t length)
{
	struct part part;
	if (!decode(text, length, &part))
		return NULL;
	json_t *object = json_loadb((const char *)part.bytes, part.length, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(object))
		return object;
	json_decref(object);
	return NULL;
}

static enum perseus_status
check_header(const char *text, size_t length, struct perseus_error *err)
{
	json_t *header = decode_object(text, length);
	const char *algorithm = json_string_value(json_object_get(header, "alg"));
	const bool is_hs256 = algorithm && strcmp(algorithm, "HS256") == 0;
	const bool is_critical = json_object_get(header, "crit") != NULL; /* says what must be understood: we do not */
	json_decref(header);
	return is_hs256 && !is_critical ? PERSEUS_OK : perseus__fail(err, PERSEUS_INVALID, "its header is not HS256's");
}

static enum perseus_status
check_signature(const char *text, const char *dot, struct perseus__signing_key key, struct perseus_error *err)
{
	struct part given;
	unsigned char signature[SIGNATURE_BYTES];
	if (!decode(dot + 1, strlen(dot + 1), &given) || given.length != SIGNATURE_BYTES
			|| !sign(text, (size_t)(dot - text), key, signature)
			|| CRYPTO_memcmp(given.bytes, signature, SIGNATURE_BYTES) != 0)
		return perseus__fail(err, PERSEUS_INVALID, "InvalidSignature");
	return PERSEUS_OK;
}

static enum perseus_status
read_scopes(const json_t *array, const char *const *names, uint32_t *scopes, struct perseus_error *err)
{
	if (!json_is_array(array))
		return perseus__fail(err, PERSEUS_INVALID, "claim 'scopes' is no array");
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *name = json_string_value(json_array_get(array, i));
		int at = 0;
		while (names[at] && (!name || strcmp(names[at], name) != 0))
			at++;
		if (!names[at])
			return perseus__fail(err, PERSEUS_INVALID, "claim 'scopes' has an unknown scope");
		*scopes |= 1U << at;
	}
	return PERSEUS_OK;
}

static enum perseus_status
read_claims(const json_t *claims, const char *const *scopes, int64_t now_s, struct perseus__token *token,
		struct perseus_error *err)
{
	const json_t *subject = json_object_get(claims, "sub");
	const json_t *expiry = json_object_get(claims, "exp");
	const size_t length = json_string_length(subject);
	if (length == 0 || length >= sizeof token->subject)
		return perseus__fail(
				err, PERSEUS_INVALID, "claim 'sub' is no text of 1 to %d bytes", PERSEUS__JWT_SUBJECT_BYTES - 1);
	if (json_object_get(claims, "aud"))
		return perseus__fail(err, PERSEUS_INVALID, "InvalidAudience");
	memcpy(token->subject, json_string_value(subject), length + 1);
	token->has_expiry = expiry && !json_is_null(expiry);
	if (token->has_expiry && (!json_is_integer(expiry) || json_integer_value(expiry) < 0))
		return perseus__fail(err, PERSEUS_INVALID, "claim 'exp' is no number of seconds");
	token->expires_s = json_integer_value(expiry);
	const enum perseus_status status = read_scopes(json_object_get(claims, "scopes"), scopes, &token->scopes, err);
	if (status == PERSEUS_OK && token->has_expiry && token->expires_s < now_s - PERSEUS__JWT_LEEWAY_S)
		return perseus__fail(err, PERSEUS_DENIED, "Token has expired.");
	return status;
}

enum perseus_status
perseus__jwt_verify(const char *text, struct perseus__signing_key key, const char *const *scopes, int64_t now_s,
		struct perseus__token *token, struct perseus_error *err)
{
	const char *first = strchr(text, '.');
	const char *second = first ? strchr(first + 1, '.') : NULL;
	if (!second || strlen(text) > PERSEUS__JWT_MAX_BYTES)
		return perseus__fail(err, PERSEUS_INVALID, "InvalidToken");
	enum perseus_status status = check_signature(text, second, key, err);
	if (status == PERSEUS_OK)
		status = check_header(text, (size_t)(first - text), err);
	if (status != PERSEUS_OK)
		return status;
	json_t *claims = decode_object(first + 1, (size_t)(second - first) - 1);
	if (!claims)
		return perseus__fail(err, PERSEUS_INVALID, "its claims are no JSON object");
	struct perseus__token found = {.has_expiry = false};
	status = read_claims(claims, scopes, now_s, &found, err);
	json_decref(claims);
	if (status == PERSEUS_OK)
		*token = found;
	return status;
}

/* The claims as JSON, in a fixed order; freed with perseus__free. */
static char *
claims_text(const struct perseus__token *token, const char *const *names)
{
	json_t *claims = json_object();
	json_t *scopes = json_array();
	int failed = json_object_set_new(claims, "sub", json_string(token->subject));
	for (int i = 0; names[i]; i++)
		if (token->scopes & 1U << i)
			failed |= json_array_append_new(scopes, json_string(names[i]));
	failed |= json_object_set_new(claims, "scopes", scopes);
	if (token->has_expiry)
		failed |= json_object_set_new(claims, "exp", json_integer(token->expires_s));
	char *text = failed ? NULL : json_dumps(claims, JSON_COMPACT);
	json_decref(claims);
	return text;
}

enum perseus_status
perseus__jwt_issue(const struct perseus__token *token, struct perseus__signing_key key, const char *const *scopes,
		struct perseus__text *text, struct perseus_error *err)
{
	static const char header[] = "{\"typ\":\"JWT\",\"alg\":\"HS256\"}";
	unsigned char signature[SIGNATURE_BYTES];
	char *claims = claims_text(token, scopes);
	if (!claims)
		return perseus__no_memory(err);
	const size_t begin = text->length;
	encode((const unsigned char *)header, sizeof header - 1, text);
	perseus__text_addf(text, ".");
	encode((const unsigned char *)claims, strlen(claims), text);
	perseus__free(claims);
	if (text->failed || !sign(text->bytes + begin, text->length - begin, key, signature))
		return perseus__no_memory(err);
	perseus__text_addf(text, ".");
	encode(signature, sizeof signature, text);
	return text->failed ? perseus__no_memory(err) : PERSEUS_OK;
}
