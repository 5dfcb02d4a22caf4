/* Tokens: those of others are read, what is wrong is refused. Tokens here were made by Python's hmac and base64. */
#include "service/jwt.h"
#include "suite.h"

#include "agent/group.h"

#include <check.h>
#include <string.h>

enum { NOW_S = 1000000 };

#define KEY "integration-test-signing-key!!!!"

static const struct perseus__signing_key key = {(const unsigned char *)KEY, sizeof KEY - 1};

static const char alice[] =
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."
		"eyJzdWIiOiJhbGljZSIsInNjb3BlcyI6WyJncHUtY29udHJvbCIsImdwdS1yZWFkIl0sImV4cCI6OTk5OTk5OTk5OX0."
		"Y8Tzxuaj9mFjhcJ5hmuQxumiz2dEU2RIL7Dt_WOAmwo";

static enum perseus_status
verify(const char *text, struct perseus__token *token, struct perseus_error *err)
{
	return perseus__jwt_verify(text, key, perseus__agent_scopes, NOW_S, token, err);
}

START_TEST(reads_one_of_python)
{
	struct perseus__token token;
	ck_assert_int_eq(verify(alice, &token, NULL), PERSEUS_OK);
	ck_assert_str_eq(token.subject, "alice");
	ck_assert_uint_eq(
			token.scopes, perseus__group_bit(PERSEUS__GROUP_GPU_CONTROL) | perseus__group_bit(PERSEUS__GROUP_GPU_READ));
	ck_assert(token.has_expiry);
	ck_assert_int_eq(token.expires_s, 9999999999);
}
END_TEST

START_TEST(issues_the_same_bytes)
{
	struct perseus__token token;
	ck_assert_int_eq(verify(alice, &token, NULL), PERSEUS_OK);
	struct perseus__text text = perseus__text_init(PERSEUS__JWT_MAX_BYTES);
	ck_assert_int_eq(perseus__jwt_issue(&token, key, perseus__agent_scopes, &text, NULL), PERSEUS_OK);
	ck_assert_str_eq(text.bytes, alice);
	perseus__text_fini(&text);
}
END_TEST

/* The key is the file as it is: with the end of its line it is another key. */
START_TEST(the_end_of_the_line_belongs_to_the_key)
{
	static const char bob[] = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IiLCJzY29wZXMiOlsiY3B1LXJlYWQiXX0."
							  "_MQt6BYVNh1qVLZ-Rl1MqMkGjVAVoUVvbqOSjEOXMbE";
	const struct perseus__signing_key whole = {(const unsigned char *)KEY "\n", sizeof KEY};
	struct perseus__token token;
	ck_assert_int_eq(perseus__jwt_verify(bob, whole, perseus__agent_scopes, NOW_S, &token, NULL), PERSEUS_OK);
	ck_assert_str_eq(token.subject, "bob");
	ck_assert(!token.has_expiry);
	ck_assert_int_eq(verify(bob, &token, NULL), PERSEUS_INVALID);
}
END_TEST

/* clang-format off: tokens are as long as they are */
static const struct {
	const char *name;
	const char *text;
	enum perseus_status status;
	const char *message;
} bad[] = {
	{"expired beyond the leeway",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXSwiZXhwIjo5OTk5Mzl9.OrKX92DMe_"
		"HoRLXHoI_6FPF2kAskkeY1BQtknYEBULw",
		PERSEUS_DENIED, "Token has expired."},
	{"aud",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXSwiYXVkIjoieCJ9.HgFqpDUP54zEaj"
		"V-I2v--nHeoK_PjhoSkteB9PwXmr0",
		PERSEUS_INVALID, "InvalidAudience"},
	{"unknown scope",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbImdwdS1yZWFkIiwicm9vdCJdfQ.k6La"
		"XyRiDi5skQij_l2Cj9-6FFj7CTBkeJ3puFjQDzk",
		PERSEUS_INVALID, "unknown scope"},
	{"scope that is no text",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbMV19.PnYs1QbBT9GPU9RisxV4cxvOG_"
		"C_9J5LngOdavEwO4A",
		PERSEUS_INVALID, "unknown scope"},
	{"no scopes", "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.SgCVQkjWNxBlDeg5I1kZ78hpkGDhaoC7gw20jzV4g_0",
		PERSEUS_INVALID, "'scopes' is no array"},
	{"no sub",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzY29wZXMiOltdfQ.PcPmOA9N3Y-09rz1uEU11mwT_6xhAtIR8EK_ufVo"
		"3DM",
		PERSEUS_INVALID, "'sub'"},
	{"empty sub",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIiLCJzY29wZXMiOltdfQ.nXr8SH9Y0EVceP1k-aCkNxfCSr0v"
		"_KscatTfoXBgh_E",
		PERSEUS_INVALID, "'sub'"},
	{"long sub",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWF"
		"hYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWF"
		"hYWFhYWFhYWFhYWFhYWFhYWFhYSIsInNjb3BlcyI6W119.9iTboKuseMySH90026--gsNfiWPLsbhnbJWorCetFIY",
		PERSEUS_INVALID, "'sub'"},
	{"sub with a zero byte",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhXHUwMDAwYiIsInNjb3BlcyI6W119.AFuE1FBw6atC1UaevI"
		"Dntw-shOtOWFYUcqzUcY1_178",
		PERSEUS_INVALID, "no JSON object"},
	{"sub that is no text",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOjEsInNjb3BlcyI6W119.0okgEPoYT-nVZ97zJe29QBU2KuqobQ"
		"4U-Lv0ZYa1Iqk",
		PERSEUS_INVALID, "'sub'"},
	{"exp that is no integer",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXSwiZXhwIjoxZTl9.QqUGsBQGXf_gOg"
		"grlDhS4LolYz4f7EwpgwbUDXpRazM",
		PERSEUS_INVALID, "'exp'"},
	{"negative exp",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXSwiZXhwIjotMX0.c1O4OIeFXkDbXaU"
		"xmWly79T1bg7Yu9nXcif__LEwfb0",
		PERSEUS_INVALID, "'exp'"},
	{"exp beyond 63 bits",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXSwiZXhwIjo5OTk5OTk5OTk5OTk5OTk"
		"5OTk5OX0.q6E38SWOsU-yczyKfFe9_A7alm0YLE1LbhrbKgEEGZE",
		PERSEUS_INVALID, "no JSON object"},
	{"a claim twice",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic3ViIjoicm9vdCIsInNjb3BlcyI6W119.lWgbw3igwM"
		"kj6e-IgFS3DZhZggfpnWBb-B7CV9ILN1c",
		PERSEUS_INVALID, "no JSON object"},
	{"claims that are no object",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.W10.p9gYRuTpuPfQBbKQOxsEUmwD2GzyCXhK6tlqUZAgSq4", PERSEUS_INVALID,
		"no JSON object"},
	{"claims that are no JSON",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOg.t4ygaOJxMpqHyoYn3eIA7Q_Fc8_4z_P79AMWoOSIG64", PERSEUS_INVALID,
		"no JSON object"},
	{"another key",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXX0.B8rHtITj7QhzXwpQaHbMuKtrx1x"
		"uMDlL1YhhBIUglMc",
		PERSEUS_INVALID, "InvalidSignature"},
	{"alg none, signed all the same",
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIiwic2NvcGVzIjpbXX0.RggdkNBVZYYS0DeF1baj8J00LcQKCiLPpUS1qXD7VZo",
		PERSEUS_INVALID, "header"},
	{"alg HS512", "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXX0.m35WRvrSjRbqh7tsp38V61unzx1iv0IMYop0hogJM4Y",
		PERSEUS_INVALID, "header"},
	{"no alg", "eyJ0eXAiOiJKV1QifQ.eyJzdWIiOiJhIiwic2NvcGVzIjpbXX0.09wDpFcTuzhh2SnYCEDKapNIcPAbj_IofQEGKdVGprs",
		PERSEUS_INVALID, "header"},
	{"crit",
		"eyJhbGciOiJIUzI1NiIsImNyaXQiOlsiZXhwIl19.eyJzdWIiOiJhIiwic2NvcGVzIjpbXX0.5CyKCMQRoKGbYP_5eb5UgJs"
		"RwG6OcHY1XHWTIAITWZs",
		PERSEUS_INVALID, "header"},
	{"nothing", "", PERSEUS_INVALID, "InvalidToken"},
	{"two parts", "e30.e30", PERSEUS_INVALID, "InvalidToken"},
	{"empty parts", "..", PERSEUS_INVALID, "InvalidSignature"},
	{"four parts", "e30.e30.e30.e30", PERSEUS_INVALID, "InvalidSignature"},
	{"no base64", "e30.e30.!!!", PERSEUS_INVALID, "InvalidSignature"},
};

static const struct {
	const char *name;
	const char *text;
} good[] = {
	{"leeway",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXSwiZXhwIjo5OTk5NDB9.5_A55F-S0l"
		"p4K_HZC9x2_aGFlBwtkRnujSQTN1PFqTk"},
	{"nbf, iat, iss and others",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXSwibmJmIjo5OTk5OTk5OTk5OSwiaWF"
		"0IjoxLCJpc3MiOiJ4IiwibW9yZSI6e319.v5fzFmv2L_QmmdwY6J85a8VgJld3eDoqT710Ueyds4o"},
	{"exp null",
		"eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIiwic2NvcGVzIjpbXSwiZXhwIjpudWxsfQ.5G1R-LGje4CC"
		"JCcj70n2WM_YJuKSsDeopoGtT_400iI"},
	{"header with more",
		"eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJhIiwic2NvcGVzIjpbXX0.-9v61YJydIgLonwvHad-900NZKeY8"
		"i6z1F7CQRAzprg"},
};
/* clang-format on */

START_TEST(refuses)
{
	struct perseus__token token = {.subject = "untouched"};
	struct perseus_error err = {.message = ""};
	ck_assert_msg(verify(bad[_i].text, &token, &err) == bad[_i].status, "%s: %s", bad[_i].name, err.message);
	ck_assert_msg(strstr(err.message, bad[_i].message) != NULL, "%s: %s", bad[_i].name, err.message);
	ck_assert_str_eq(token.subject, "untouched");
}
END_TEST

START_TEST(takes)
{
	struct perseus__token token;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(verify(good[_i].text, &token, &err) == PERSEUS_OK, "%s: %s", good[_i].name, err.message);
	ck_assert_str_eq(token.subject, "a");
}
END_TEST

/* Each bit of a token counts, the padding bits of base64 included. */
START_TEST(no_other_text_is_this_token)
{
	struct perseus__token token;
	char text[sizeof alice];
	for (size_t i = 0; i < sizeof alice - 1; i++) {
		for (int bit = 0; bit < 8; bit++) {
			memcpy(text, alice, sizeof alice);
			text[i] = (char)(text[i] ^ 1 << bit);
			ck_assert_msg(verify(text, &token, NULL) != PERSEUS_OK, "byte %zu, bit %d", i, bit);
		}
	}
}
END_TEST

START_TEST(too_long_is_refused_before_it_is_read)
{
	static char text[PERSEUS__JWT_MAX_BYTES + 100];
	struct perseus__token token;
	memset(text, 'a', sizeof text - 1);
	text[10] = text[20] = '.';
	ck_assert_int_eq(verify(text, &token, NULL), PERSEUS_INVALID);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("jwt");
	TCase *tcase = tcase_create("jwt");
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, reads_one_of_python);
	tcase_add_test(tcase, issues_the_same_bytes);
	tcase_add_test(tcase, the_end_of_the_line_belongs_to_the_key);
	tcase_add_loop_test(tcase, refuses, 0, sizeof bad / sizeof *bad);
	tcase_add_loop_test(tcase, takes, 0, sizeof good / sizeof *good);
	tcase_add_test(tcase, no_other_text_is_this_token);
	tcase_add_test(tcase, too_long_is_refused_before_it_is_read);
	return run_suite(suite);
}
