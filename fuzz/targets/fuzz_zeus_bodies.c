/*
 * Bytes → bodies of Zeus's routes. The first byte says which; what is taken must keep its bounds and be the same when
 * it is written and read again, and what is refused must be answered by JSON that says where.
 */
#include "require.h"

#include "server/zeus_json.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct perseus_error none = {.message = "zeus_bodies"};

enum { MAX_TEXT_BYTES = 1 << 24, N_KINDS = 4 };

static void
encode_job(const struct perseus__zeus_body *body, struct perseus__text *text, enum perseus_status *status,
		struct perseus__zeus_refusal *refusal)
{
	struct perseus__zeus_job_info info;
	*status = perseus__zeus_decode_job(body, &info, refusal);
	if (*status != PERSEUS_OK)
		return;
	require(info.pp_degree >= 1 && info.dp_degree >= 1 && info.tp_degree >= 1, "degrees", &none);
	require((int64_t)info.pp_degree * info.dp_degree * info.tp_degree == info.world_size, "world size", &none);
	require(info.world_size <= PERSEUS__ZEUS_MAX_WORLD_SIZE, "bound of the world size", &none);
	perseus__zeus_encode_job(text, &info);
	perseus__zeus_job_info_fini(&info);
}

static void
encode_rank(const struct perseus__zeus_body *body, struct perseus__text *text, enum perseus_status *status,
		struct perseus__zeus_refusal *refusal)
{
	struct perseus__zeus_rank_info info;
	*status = perseus__zeus_decode_rank(body, &info, refusal);
	if (*status != PERSEUS_OK)
		return;
	require(info.rank >= 0 && info.dp_rank >= 0 && info.pp_rank >= 0 && info.tp_rank >= 0, "ranks", &none);
	require(info.n_frequencies <= PERSEUS__ZEUS_MAX_FREQUENCIES, "number of clocks", &none);
	perseus__zeus_encode_rank(text, &info);
	perseus__zeus_rank_info_fini(&info);
}

static void
encode_result(const struct perseus__zeus_body *body, struct perseus__text *text, enum perseus_status *status,
		struct perseus__zeus_refusal *refusal)
{
	struct perseus__zeus_result result;
	*status = perseus__zeus_decode_result(body, &result, refusal);
	if (*status != PERSEUS_OK)
		return;
	require(result.rank >= 0, "rank", &none);
	perseus__zeus_encode_result(text, &result);
	perseus__zeus_result_fini(&result);
}

static void
encode(unsigned kind, const struct perseus__zeus_body *body, struct perseus__text *text, enum perseus_status *status,
		struct perseus__zeus_refusal *refusal)
{
	if (kind == 0)
		encode_job(body, text, status, refusal);
	else if (kind == 1)
		encode_rank(body, text, status, refusal);
	else
		encode_result(body, text, status, refusal);
}

static void
check_refusal(struct perseus__zeus_refusal *refusal)
{
	require(refusal->code == 422 || refusal->code == 400, "code of a refusal", &none);
	json_t *document = json_loadb(refusal->text.bytes, refusal->text.length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *detail = json_object_get(document, "detail");
	require(document != NULL, "a refusal that is no JSON", &none);
	require(refusal->code == 400 ? json_is_string(detail) : json_array_size(detail) >= 1, "a refusal without detail",
			&none);
	for (size_t i = 0; i < json_array_size(detail); i++)
		require(json_array_size(json_object_get(json_array_get(detail, i), "loc")) >= 1, "an error without place",
				&none);
	json_decref(document);
	perseus__text_fini(&refusal->text);
}

static void
check_rank(const uint8_t *bytes, size_t length)
{
	char text[64];
	int32_t rank = -1;
	struct perseus__zeus_refusal refusal;
	const size_t n = length < sizeof text ? length : sizeof text - 1;
	memcpy(text, bytes, n);
	text[n] = '\0';
	if (perseus__zeus_decode_query_rank(text, &rank, &refusal) == PERSEUS_OK)
		require(rank >= 0, "rank of a query", &none);
	else
		check_refusal(&refusal);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	const unsigned kind = bytes[0] % N_KINDS;
	if (kind == 3) {
		check_rank(bytes + 1, length - 1);
		return 0;
	}
	struct perseus__zeus_body body = {.bytes = (const char *)bytes + 1, .length = length - 1};
	struct perseus__zeus_refusal refusal;
	struct perseus__text text = perseus__text_init(MAX_TEXT_BYTES), again = perseus__text_init(MAX_TEXT_BYTES);
	enum perseus_status status;
	encode(kind, &body, &text, &status, &refusal);
	if (status == PERSEUS_INVALID)
		check_refusal(&refusal);
	require(status == PERSEUS_OK || status == PERSEUS_INVALID, "status", &none);
	if (status == PERSEUS_OK && !text.failed) {
		body = (struct perseus__zeus_body){.bytes = text.bytes, .length = text.length};
		encode(kind, &body, &again, &status, &refusal);
		require(status == PERSEUS_OK, "what was written is refused", &none);
		require(again.length == text.length && memcmp(again.bytes, text.bytes, text.length) == 0, "another body",
				&none);
	}
	perseus__text_fini(&text);
	perseus__text_fini(&again);
	return 0;
}
