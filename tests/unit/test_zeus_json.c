/*
 * Bodies of Zeus's routes: what is taken, as what, and what is refused with which list of errors. The rows of `refused`
 * are answers of Zeus 0.16's own server (FastAPI 0.98, pydantic 1.10).
 */
#include "server/zeus_json.h"
#include "server/zeus_lax.h"
#include "server/zeus_python.h"
#include "suite.h"

#include <check.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON "application/json"

enum body_kind { JOB, RANK, RESULT };

/* From an exact copy without a NUL at the end; encoded again into `text` where it is taken. */
static enum perseus_status
decode(enum body_kind kind, const char *bytes, size_t length, const char *content_type, struct perseus__text *text,
		struct perseus__zeus_refusal *refusal)
{
	char *copy = malloc(length > 0 ? length : 1);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, bytes, length);
	const struct perseus__zeus_body body = {copy, length, content_type};
	struct perseus__zeus_job_info job = {0};
	struct perseus__zeus_rank_info rank = {0};
	struct perseus__zeus_result result = {0};
	enum perseus_status status = PERSEUS_INTERNAL;
	switch (kind) {
	case JOB:
		status = perseus__zeus_decode_job(&body, &job, refusal);
		if (status == PERSEUS_OK)
			perseus__zeus_encode_job(text, &job);
		break;
	case RANK:
		status = perseus__zeus_decode_rank(&body, &rank, refusal);
		if (status == PERSEUS_OK)
			perseus__zeus_encode_rank(text, &rank);
		break;
	case RESULT:
		status = perseus__zeus_decode_result(&body, &result, refusal);
		if (status == PERSEUS_OK)
			perseus__zeus_encode_result(text, &result);
		break;
	}
	perseus__zeus_job_info_fini(&job);
	perseus__zeus_rank_info_fini(&rank);
	perseus__zeus_result_fini(&result);
	free(copy);
	return status;
}

/* What pydantic says with a type. */
static const struct {
	const char *type;
	const char *message;
} messages[] = {
	{"value_error.missing", "field required"},
	{"type_error.none.not_allowed", "none is not an allowed value"},
	{"type_error.integer", "value is not a valid integer"},
	{"type_error.float", "value is not a valid float"},
	{"type_error.str", "str type expected"},
	{"type_error.list", "value is not a valid list"},
	{"type_error.dict", "value is not a valid dict"},
	{"assertion_error", ""},
	{"value_error.number.not_ge", "ensure this value is greater than or equal to %lld"},
	{"value_error.number.not_le", "ensure this value is less than or equal to %lld"},
	{"value_error.number.not_lt", "ensure this value is less than %lld"},
	{"value_error.list.max_items", "ensure this value has at most %lld items"},
};

static void
check_message(const char *type, const char *message, long long limit)
{
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		if (strcmp(messages[i].type, type) != 0)
			continue;
		char expected[128];
		const char *mark = strstr(messages[i].message, "%lld");
		if (mark)
			(void)snprintf(expected, sizeof expected, "%.*s%lld%s", (int)(mark - messages[i].message),
					messages[i].message, limit, mark + 4);
		ck_assert_str_eq(message, mark ? expected : messages[i].message);
		return;
	}
	ck_abort_msg("no such type: %s", type);
}

/* "body.pp_degree missing; body.world_size number.not_ge 1" */
static void
spell(const struct perseus__zeus_refusal *refusal, char *spelled, size_t size)
{
	json_t *document = json_loadb(refusal->text.bytes, refusal->text.length, 0, NULL);
	ck_assert_msg(document, "no JSON: %s", refusal->text.bytes);
	ck_assert_uint_eq(json_object_size(document), 1);
	size_t i, k, length = 0;
	json_t *error, *part;
	json_array_foreach(json_object_get(document, "detail"), i, error)
	{
		const char *type = json_string_value(json_object_get(error, "type"));
		const json_t *limit = json_object_get(json_object_get(error, "ctx"), "limit_value");
		length += (size_t)snprintf(spelled + length, size - length, "%s", i ? "; " : "");
		json_array_foreach(json_object_get(error, "loc"), k, part)
		{
			length += (size_t)snprintf(spelled + length, size - length, "%s", k ? "." : "");
			if (json_is_string(part))
				length += (size_t)snprintf(spelled + length, size - length, "%s", json_string_value(part));
			else
				length +=
						(size_t)snprintf(spelled + length, size - length, "%lld", (long long)json_integer_value(part));
		}
		check_message(type, json_string_value(json_object_get(error, "msg")), (long long)json_integer_value(limit));
		const char *shown = strncmp(type, "value_error.", 12) == 0 ? type + 12 : type;
		shown = strncmp(type, "type_error.", 11) == 0 ? type + 11 : shown;
		length += (size_t)snprintf(spelled + length, size - length, " %s", shown);
		if (limit)
			length += (size_t)snprintf(spelled + length, size - length, " %lld", (long long)json_integer_value(limit));
		ck_assert_uint_lt(length, size);
	}
	json_decref(document);
}

static const struct {
	enum body_kind kind;
	const char *body;
	const char *content_type;
	const char *spelled;
} refused[] = {
	/* clang-format off */
	{JOB, "", JSON,
		"body missing"},
	{JOB, "[]", JSON,
		"body.pp_degree missing; body.dp_degree missing; body.tp_degree missing; body.world_size missing"},
	{JOB, "null", JSON,
		"body missing"},
	{JOB, "5", JSON,
		"body dict"},
	{JOB, "\"x\"", JSON,
		"body dict"},
	{JOB, "[[\"pp_degree\",2]]", JSON,
		"body.dp_degree missing; body.tp_degree missing; body.world_size missing"},
	{JOB, "{}", JSON,
		"body.pp_degree missing; body.dp_degree missing; body.tp_degree missing; body.world_size missing"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2}", "text/plain",
		"body dict"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2}", "application/x-www-form-urlencoded",
		"body dict"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_id\":\"x\"}", JSON,
		"body.job_id assertion_error"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_id\":null}", JSON,
		"body.job_id none.not_allowed"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_id\":[]}", JSON,
		"body.job_id str"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_id\":0}", JSON,
		"body.job_id assertion_error"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_id\":true}", JSON,
		"body.job_id assertion_error"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_metadata\":{}}", JSON,
		"body.job_metadata str"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_metadata\":[1]}", JSON,
		"body.job_metadata str"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":3}", JSON,
		"body.world_size assertion_error"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":0}", JSON,
		"body.world_size number.not_ge 1"},
	{JOB, "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":null}", JSON,
		"body.world_size none.not_allowed"},
	{JOB, "{\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree missing; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"2.0\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"0x2\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"-0\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree number.not_ge 1; body.world_size missing"},
	{JOB, "{\"pp_degree\":-0.5,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree number.not_ge 1; body.world_size missing"},
	{JOB, "{\"pp_degree\":0.99,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree number.not_ge 1; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"1e3\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":NaN,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":Infinity,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":-Infinity,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":false,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree number.not_ge 1; body.world_size missing"},
	{JOB, "{\"pp_degree\":[],\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":{},\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":null,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree none.not_allowed; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"nan\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":-1,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree number.not_ge 1; body.world_size missing"},
	{JOB, "{\"pp_degree\":1e400,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"_2\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"2_\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"2__0\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"00\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree number.not_ge 1; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"+\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\"- 1\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.pp_degree integer; body.world_size missing"},
	{JOB, "{\"pp_degree\":\" 2 \",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.world_size missing"},
	{JOB, "{\"pp_degree\":\"1_0\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.world_size missing"},
	{JOB, "{\"pp_degree\":\"+2\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.world_size missing"},
	{JOB, "{\"pp_degree\":2.0,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.world_size missing"},
	{JOB, "{\"pp_degree\":1e3,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.world_size missing"},
	{JOB, "{\"pp_degree\":\"\\n2\",\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.world_size missing"},
	{JOB, "{\"pp_degree\":true,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.world_size missing"},
	{JOB, "{\"pp_degree\":1.9,\"dp_degree\":1,\"tp_degree\":1}", JSON,
		"body.world_size missing"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"0x1\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\".\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[null],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 none.not_allowed; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[[]],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"1e\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"1d\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"0x1p3\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"in\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"nan(1)\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"1_e3\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"_1\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"1__0\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"1_.5\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"1._5\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[{}],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"e5\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{\"rank\":0,\"iter_time\":[\"+-1\"],\"iter_energy\":[],\"time_breakdown\":0}", JSON,
		"body.iter_time.0 float; body.time_breakdown dict"},
	{RESULT, "{}", JSON,
		"body.rank missing; body.iter_time missing; body.iter_energy missing"},
	{RESULT, "{\"rank\":-1,\"iter_time\":1.0,\"iter_energy\":\"ab\"}", JSON,
		"body.rank number.not_ge 0; body.iter_time list; body.iter_energy list"},
	{RESULT, "{\"rank\":-1,\"iter_time\":{},\"iter_energy\":[1,\"x\",null,[]]}", JSON,
		"body.rank number.not_ge 0; body.iter_time list; body.iter_energy.1 float; "
			"body.iter_energy.2 none.not_allowed; body.iter_energy.3 float"},
	{RESULT, "{\"rank\":-1,\"iter_time\":[],\"iter_energy\":[],\"time_breakdown\":{\"forward\":[[1,\"x\"],"
		"2,null,[\"1.5\"]],\"b\":3,\"c\":null},\"energy_breakdown\":[5]}", JSON,
		"body.rank number.not_ge 0; body.time_breakdown.forward.0.1 float; "
			"body.time_breakdown.forward.1 list; body.time_breakdown.forward.2 none.not_allowed; "
			"body.time_breakdown.b list; body.time_breakdown.c none.not_allowed; body.energy_breakdown dict"},
	{RESULT, "{\"rank\":-1,\"iter_time\":[],\"iter_energy\":[],\"time_breakdown\":null,\"energy_breakdown\":5}", JSON,
		"body.rank number.not_ge 0; body.time_breakdown none.not_allowed; body.energy_breakdown dict"},
	{RESULT, "{\"rank\":-1,\"iter_time\":[],\"iter_energy\":[],\"time_breakdown\":[[\"a\",[]]]}", JSON,
		"body.rank number.not_ge 0"},
	{RANK, "{}", JSON,
		"body.rank missing; body.dp_rank missing; body.pp_rank missing; body.tp_rank missing; "
			"body.available_frequencies missing"},
	{RANK, "{\"rank\":-1,\"dp_rank\":-1,\"pp_rank\":\"a\",\"tp_rank\":null,"
		"\"available_frequencies\":[\"a\",1.5,null]}", JSON,
		"body.rank number.not_ge 0; body.dp_rank number.not_ge 0; body.pp_rank integer; "
			"body.tp_rank none.not_allowed; body.available_frequencies.0 integer; "
			"body.available_frequencies.2 none.not_allowed"},
	{RANK, "{\"rank\":-1,\"dp_rank\":0,\"pp_rank\":0,\"tp_rank\":0,\"available_frequencies\":5}", JSON,
		"body.rank number.not_ge 0; body.available_frequencies list"},
	{RANK, "{\"rank\":-1,\"dp_rank\":0,\"pp_rank\":0,\"tp_rank\":0,\"available_frequencies\":null}", JSON,
		"body.rank number.not_ge 0; body.available_frequencies none.not_allowed"},
	{RANK, "{\"rank\":-1,\"dp_rank\":0,\"pp_rank\":0,\"tp_rank\":0,\"available_frequencies\":{\"a\":1}}", JSON,
		"body.rank number.not_ge 0; body.available_frequencies list"},
	/* What Zeus's server fails at, or lets pass, and we refuse. */
	{JOB, "{\"pp_degree\":0,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2}",
		JSON, "body.pp_degree number.not_ge 1"},
	{JOB, "{\"pp_degree\":\"x\",\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2}", JSON, "body.pp_degree integer"},
	{JOB, "{\"pp_degree\":65537,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":1e9}", JSON,
		"body.pp_degree number.not_le 65536; body.world_size number.not_le 65536"},
	{JOB, "{\"pp_degree\":123456789012345678901234567890,\"dp_degree\":-123456789012345678901234567890,"
		"\"tp_degree\":1e200}", JSON,
		"body.pp_degree number.not_le 65536; body.dp_degree number.not_ge 1; "
			"body.tp_degree number.not_le 65536; body.world_size missing"},
	{RANK, "{\"rank\":2147483648,\"dp_rank\":0,\"pp_rank\":0,\"tp_rank\":0,"
		"\"available_frequencies\":[9223372036854775807]}", JSON,
		"body.rank number.not_le 2147483647; body.available_frequencies.0 number.not_le 9223372036854775806"},
	/* clang-format on */
};

START_TEST(refuses)
{
	char spelled[2048] = "";
	struct perseus__text text = perseus__text_init(65536);
	struct perseus__zeus_refusal refusal = {0};
	const enum perseus_status status = decode(
			refused[_i].kind, refused[_i].body, strlen(refused[_i].body), refused[_i].content_type, &text, &refusal);
	ck_assert_msg(status == PERSEUS_INVALID, "%s was taken", refused[_i].body);
	ck_assert_int_eq(refusal.code, 422);
	spell(&refusal, spelled, sizeof spelled);
	ck_assert_msg(strcmp(spelled, refused[_i].spelled) == 0, "%s: '%s', expected '%s'", refused[_i].body, spelled,
			refused[_i].spelled);
	perseus__text_fini(&refusal.text);
}
END_TEST

#define JOB_WITH(rest) "{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2" rest "}"
#define JOB_IS(metadata) \
	"{\"pp_degree\": 2, \"dp_degree\": 1, \"tp_degree\": 1, \"world_size\": 2, \"job_metadata\": " metadata "}"
#define RANK_WITH(clocks) \
	"{\"rank\":0,\"dp_rank\":0,\"pp_rank\":0,\"tp_rank\":0,\"available_frequencies\":" clocks ",\"other\":null}"
#define RANK_IS(clocks) \
	"{\"rank\": 0, \"dp_rank\": 0, \"pp_rank\": 0, \"tp_rank\": 0, \"available_frequencies\": " clocks "}"
#define RESULT_WITH(times, rest) "{\"rank\":1,\"iter_time\":" times ",\"iter_energy\":[2]" rest "}"
#define RESULT_IS(times, time, energy)                                                           \
	"{\"rank\": 1, \"iter_time\": " times ", \"iter_energy\": [2.0], \"time_breakdown\": {" time \
	"}, \"energy_breakdown\": {" energy "}}"

/* What is taken, and how json.dumps of Zeus's model writes it. */
static const struct {
	enum body_kind kind;
	const char *body;
	const char *content_type;
	const char *again;
} taken[] = {
	{JOB, JOB_WITH(""), JSON, JOB_IS("null")},
	{JOB, JOB_WITH(""), NULL, JOB_IS("null")},
	{JOB, JOB_WITH(""), "", JOB_IS("null")},
	{JOB, JOB_WITH(""), "APPLICATION/JSON", JOB_IS("null")},
	{JOB, JOB_WITH(""), "application/vnd.x+json; charset=utf-8", JOB_IS("null")},
	{JOB, JOB_WITH(",\"job_id\":\"\",\"x\":[1]"), JSON, JOB_IS("null")},
	{JOB, JOB_WITH(",\"job_metadata\":null"), JSON, JOB_IS("null")},
	{JOB, JOB_WITH(",\"job_metadata\":\"\""), JSON, JOB_IS("\"\"")},
	{JOB, JOB_WITH(",\"job_metadata\":5"), JSON, JOB_IS("\"5\"")},
	{JOB, JOB_WITH(",\"job_metadata\":1.50"), JSON, JOB_IS("\"1.5\"")},
	{JOB, JOB_WITH(",\"job_metadata\":1e22"), JSON, JOB_IS("\"1e+22\"")},
	{JOB, JOB_WITH(",\"job_metadata\":0.00001"), JSON, JOB_IS("\"1e-05\"")},
	{JOB, JOB_WITH(",\"job_metadata\":NaN"), JSON, JOB_IS("\"nan\"")},
	{JOB, JOB_WITH(",\"job_metadata\":-Infinity"), JSON, JOB_IS("\"-inf\"")},
	{JOB, JOB_WITH(",\"job_metadata\":true"), JSON, JOB_IS("\"True\"")},
	{JOB, JOB_WITH(",\"job_metadata\":\"NaN \\\" -Infinity 12345678901234567890\""), JSON,
		JOB_IS("\"NaN \\\" -Infinity 12345678901234567890\"")},
	{JOB, JOB_WITH(",\"job_metadata\":\"\xc3\xa9\xf0\x9f\x98\x80\\n\x7f\""), JSON,
		JOB_IS("\"\\u00e9\\ud83d\\ude00\\n\\u007f\"")},
	{JOB, "{\"pp_degree\":\"2\",\"dp_degree\":1.9,\"tp_degree\":true,\"world_size\":\" 2\\n\"}", JSON, JOB_IS("null")},
	{JOB, "{\"pp_degree\":9,\"pp_degree\":\"+2\",\"dp_degree\":\"0_1\",\"tp_degree\":1e0,\"world_size\":2.0}", JSON,
		JOB_IS("null")},
	{JOB, "[[\"pp_degree\",2],[\"dp_degree\",1],[\"tp_degree\",1],[\"world_size\",2],[5,6]]", JSON, JOB_IS("null")},
	{RANK, RANK_WITH("[]"), JSON, RANK_IS("[]")},
	{RANK, RANK_WITH("[1410, \"1395\", 1380.9, true, -1]"), JSON, RANK_IS("[1410, 1395, 1380, 1, -1]")},
	{RESULT, RESULT_WITH("[]", ""), JSON, RESULT_IS("[]", "", "")},
	{RESULT, RESULT_WITH("[1,true,\"1e3\",\" +1_0.5e0_1 \",\"1.\",\".5\",\"007\",\"-0\"]", ""), JSON,
		RESULT_IS("[1.0, 1.0, 1000.0, 105.0, 1.0, 0.5, 7.0, -0.0]", "", "")},
	{RESULT, RESULT_WITH("[NaN,Infinity,-Infinity,\"nan\",\"-INF\",\"infinity\"]", ""), JSON,
		RESULT_IS("[NaN, Infinity, -Infinity, NaN, -Infinity, Infinity]", "", "")},
	{RESULT, RESULT_WITH("[1e400,-1e400,\"1e400\",1e-400,123456789012345678901234567890]", ""), JSON,
		RESULT_IS("[Infinity, -Infinity, Infinity, 0.0, 1.2345678901234568e+29]", "", "")},
	{RESULT,
		RESULT_WITH("[0.1]", ",\"time_breakdown\":{\"b\":[[1],[]],\"a\":[]},\"energy_breakdown\":[[\"f\",[[\"3\"]]]]"),
		JSON, RESULT_IS("[0.1]", "\"b\": [[1.0], []], \"a\": []", "\"f\": [[3.0]]")},
};

START_TEST(takes)
{
	struct perseus__text text = perseus__text_init(65536), twice = perseus__text_init(65536);
	struct perseus__zeus_refusal refusal = {0};
	const enum perseus_status status =
			decode(taken[_i].kind, taken[_i].body, strlen(taken[_i].body), taken[_i].content_type, &text, &refusal);
	ck_assert_msg(status == PERSEUS_OK, "%s: %s", taken[_i].body, refusal.text.bytes);
	ck_assert_str_eq(text.bytes, taken[_i].again);
	/* What is written reads back as the same. */
	ck_assert_int_eq(decode(taken[_i].kind, text.bytes, text.length, JSON, &twice, &refusal), PERSEUS_OK);
	ck_assert_str_eq(twice.bytes, text.bytes);
	perseus__text_fini(&text);
	perseus__text_fini(&twice);
}
END_TEST

/* Bodies that are no JSON, and where. */
static const struct {
	const char *body;
	int position, line, column;
} broken[] = {
	{"{\"pp_degree\":2,", 15, 1, 16},
	{"{", 1, 1, 2},
	{"{} x", 4, 1, 5},
	{"{\"a\": NaN,\n\"\xc3\xa9\": x}", 17, 2, 7},
	{"{\"a\": [NaN, -Infinity, x]}", 24, 1, 25},
	{"NaNx", 4, 1, 5},
	{"{\"a\": \"\\u0000\"}", 14, 1, 15},
};

START_TEST(tells_where_json_is_broken)
{
	struct perseus__text text = perseus__text_init(65536);
	struct perseus__zeus_refusal refusal = {0};
	ck_assert_int_eq(decode(JOB, broken[_i].body, strlen(broken[_i].body), JSON, &text, &refusal), PERSEUS_INVALID);
	ck_assert_int_eq(refusal.code, 422);
	json_t *document = json_loadb(refusal.text.bytes, refusal.text.length, 0, NULL);
	const char *outer, *type, *message, *inner, *body;
	int place, position, line, column;
	ck_assert_int_eq(json_unpack(document, "{s:[{s:[s,i!],s:s,s:s,s:{s:s,s:s,s:i,s:i,s:i!}!}!]!}", "detail", "loc",
							 &outer, &place, "msg", &message, "type", &type, "ctx", "msg", &inner, "doc", &body, "pos",
							 &position, "lineno", &line, "colno", &column),
			0);
	ck_assert_str_eq(outer, "body");
	ck_assert_str_eq(type, "value_error.jsondecode");
	ck_assert_str_eq(body, broken[_i].body);
	ck_assert_ptr_nonnull(strstr(message, inner));
	ck_assert_int_eq(place, position);
	ck_assert_msg(position == broken[_i].position && line == broken[_i].line && column == broken[_i].column,
			"%s: %d, line %d, column %d", broken[_i].body, position, line, column);
	json_decref(document);
	perseus__text_fini(&refusal.text);
}
END_TEST

START_TEST(refuses_what_is_no_utf8)
{
	static const char body[] = "{\"a\":\"\xff\"}";
	struct perseus__text text = perseus__text_init(65536);
	struct perseus__zeus_refusal refusal = {0};
	ck_assert_int_eq(decode(RANK, body, sizeof body - 1, JSON, &text, &refusal), PERSEUS_INVALID);
	ck_assert_int_eq(refusal.code, 400);
	ck_assert_str_eq(refusal.text.bytes, "{\"detail\": \"There was an error parsing the body\"}\n");
	perseus__text_fini(&refusal.text);
}
END_TEST

/* A list of a million wrong elements is answered with the first errors. */
START_TEST(bounds_the_refusal)
{
	struct perseus__text body = perseus__text_init(1 << 20), text = perseus__text_init(64);
	struct perseus__zeus_refusal refusal = {0};
	perseus__text_addf(&body, "{\"rank\":0,\"iter_energy\":[],\"iter_time\":[null");
	for (int i = 0; i < 100000; i++)
		perseus__text_addf(&body, ",null");
	perseus__text_addf(&body, "]}");
	ck_assert_int_eq(decode(RESULT, body.bytes, body.length, JSON, &text, &refusal), PERSEUS_INVALID);
	json_t *document = json_loadb(refusal.text.bytes, refusal.text.length, 0, NULL);
	ck_assert_uint_eq(json_array_size(json_object_get(document, "detail")), PERSEUS__ZEUS_MAX_ERRORS);
	json_decref(document);
	perseus__text_fini(&refusal.text);
	perseus__text_fini(&body);
}
END_TEST

START_TEST(bounds_the_clocks_of_a_rank)
{
	for (int n = PERSEUS__ZEUS_MAX_FREQUENCIES; n <= PERSEUS__ZEUS_MAX_FREQUENCIES + 1; n++) {
		struct perseus__text body = perseus__text_init(1 << 20), text = perseus__text_init(1 << 20);
		struct perseus__zeus_refusal refusal = {0};
		char spelled[256] = "";
		perseus__text_addf(&body, "{\"rank\":0,\"dp_rank\":0,\"pp_rank\":0,\"tp_rank\":0,\"available_frequencies\":[1");
		for (int i = 1; i < n; i++)
			perseus__text_addf(&body, ",1");
		perseus__text_addf(&body, "]}");
		const enum perseus_status status = decode(RANK, body.bytes, body.length, JSON, &text, &refusal);
		ck_assert_int_eq(status, n <= PERSEUS__ZEUS_MAX_FREQUENCIES ? PERSEUS_OK : PERSEUS_INVALID);
		if (status == PERSEUS_INVALID) {
			spell(&refusal, spelled, sizeof spelled);
			ck_assert_str_eq(spelled, "body.available_frequencies list.max_items 4096");
		}
		perseus__text_fini(&refusal.text);
		perseus__text_fini(&body);
		perseus__text_fini(&text);
	}
}
END_TEST

static const struct {
	const char *text;
	int32_t rank;
	const char *spelled; /* NULL: it is taken */
} ranks[] = {
	{"0", 0, NULL},
	{" 12 ", 12, NULL},
	{"1_0", 10, NULL},
	{NULL, 0, "query.rank missing"},
	{"", 0, "query.rank integer"},
	{"x", 0, "query.rank integer"},
	{"1.5", 0, "query.rank integer"},
	{"-1", 0, "query.rank number.not_ge 0"},
	{"99999999999999999999", 0, "query.rank number.not_le 2147483647"},
};

START_TEST(reads_the_rank_of_a_query)
{
	int32_t rank = -1;
	char spelled[256] = "";
	struct perseus__zeus_refusal refusal = {0};
	const enum perseus_status status = perseus__zeus_decode_query_rank(ranks[_i].text, &rank, &refusal);
	ck_assert_int_eq(status, ranks[_i].spelled ? PERSEUS_INVALID : PERSEUS_OK);
	if (status == PERSEUS_OK) {
		ck_assert_int_eq(rank, ranks[_i].rank);
		return;
	}
	spell(&refusal, spelled, sizeof spelled);
	ck_assert_str_eq(spelled, ranks[_i].spelled);
	perseus__text_fini(&refusal.text);
}
END_TEST

START_TEST(refuses_what_is_not_less)
{
	char spelled[256] = "";
	struct perseus__zeus_refusal refusal = {0};
	ck_assert_int_eq(perseus__zeus_refuse_not_less("body", "rank", 2, &refusal), PERSEUS_INVALID);
	spell(&refusal, spelled, sizeof spelled);
	ck_assert_str_eq(spelled, "body.rank number.not_lt 2");
	perseus__text_fini(&refusal.text);
}
END_TEST

/* repr() of Python. */
static const struct {
	double value;
	const char *text;
} reprs[] = {
	{0, "0.0"},
	{-0.0, "-0.0"},
	{1, "1.0"},
	{0.1, "0.1"},
	{100, "100.0"},
	{123456789, "123456789.0"},
	{1e15, "1000000000000000.0"},
	{1e16, "1e+16"},
	{1.5e16, "1.5e+16"},
	{1234567890123456, "1234567890123456.0"},
	{1.2345678901234568e16, "1.2345678901234568e+16"},
	{0.001, "0.001"},
	{0.0001, "0.0001"},
	{0.00012345, "0.00012345"},
	{0.00001, "1e-05"},
	{0.000012, "1.2e-05"},
	{1e-100, "1e-100"},
	{5e-324, "5e-324"},
	{1.7976931348623157e308, "1.7976931348623157e+308"},
	{-2.5, "-2.5"},
	{-2.2250738585072014e-308, "-2.2250738585072014e-308"},
};

START_TEST(writes_doubles_as_python)
{
	char text[PERSEUS__PYTHON_NUMBER_BYTES];
	perseus__python_repr(reprs[_i].value, text);
	ck_assert_str_eq(text, reprs[_i].text);
	perseus__python_repr((double)NAN, text);
	ck_assert_str_eq(text, "nan");
	perseus__python_repr(-(double)INFINITY, text);
	ck_assert_str_eq(text, "-inf");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("zeus_json");
	TCase *tcase = tcase_create("zeus_json");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, refuses, 0, sizeof refused / sizeof *refused);
	tcase_add_loop_test(tcase, takes, 0, sizeof taken / sizeof *taken);
	tcase_add_loop_test(tcase, tells_where_json_is_broken, 0, sizeof broken / sizeof *broken);
	tcase_add_test(tcase, refuses_what_is_no_utf8);
	tcase_add_test(tcase, bounds_the_refusal);
	tcase_add_test(tcase, bounds_the_clocks_of_a_rank);
	tcase_add_loop_test(tcase, reads_the_rank_of_a_query, 0, sizeof ranks / sizeof *ranks);
	tcase_add_test(tcase, refuses_what_is_not_less);
	tcase_add_loop_test(tcase, writes_doubles_as_python, 0, sizeof reprs / sizeof *reprs);
	return run_suite(suite);
}
