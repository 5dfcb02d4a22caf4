/* Commands that no honest front sends, and those that ask for too much. */
#include "agent/check.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICE = 2 };

#define PROCESS_HOLDER {.kind = PERSEUS__HOLDER_PROCESS, .uid = 1000, .pid = 42, .start_ticks = 7}
#define TOKEN_HOLDER {.kind = PERSEUS__HOLDER_TOKEN, .name = "alice"}

static const struct perseus__command good_set = {.id = 9,
	.kind = PERSEUS__COMMAND_SET,
	.device = DEVICE,
	.setting = PERSEUS_SETTING_SM_CLOCKS,
	.low = 600,
	.high = 1200,
	.holder = PROCESS_HOLDER};

static const struct {
	const char *name;
	int32_t channel;
	struct perseus__command command;
} good[] = {
	{"set", DEVICE,
		{.kind = PERSEUS__COMMAND_SET, .device = DEVICE, .setting = 3, .low = 1, .high = 1, .holder = TOKEN_HOLDER}},
	{"set to nonsense, which is for the answer to say", DEVICE,
		{.kind = PERSEUS__COMMAND_SET, .device = DEVICE, .low = 7, .high = -1, .holder = PROCESS_HOLDER}},
	{"reset", DEVICE, {.kind = PERSEUS__COMMAND_RESET, .device = DEVICE, .setting = 2, .holder = PROCESS_HOLDER}},
	{"lease", DEVICE, {.kind = PERSEUS__COMMAND_LEASE, .device = DEVICE, .ttl_ns = 5, .holder = TOKEN_HOLDER}},
	{"release", DEVICE, {.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE, .holder = TOKEN_HOLDER}},
	{"peer", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE,
			.device = DEVICE,
			.holder = {.kind = PERSEUS__HOLDER_PEER, .name = "10.0.0.7"}}},
	{"list", PERSEUS__CONTROL_CHANNEL, {.kind = PERSEUS__COMMAND_LIST, .low = 12}},
	{"ping", PERSEUS__CONTROL_CHANNEL, {.kind = PERSEUS__COMMAND_PING}},
};

START_TEST(takes_what_an_honest_front_sends)
{
	struct perseus__command command;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(
			perseus__check_shape(&good[_i].command, sizeof command, good[_i].channel, &command, &err) == PERSEUS_OK,
			"%s: %s", good[_i].name, err.message);
	ck_assert_int_eq(memcmp(&command, &good[_i].command, sizeof command), 0);
}
END_TEST

static const struct {
	const char *complaint; /* ends the message */
	int32_t channel;
	struct perseus__command command;
} bad[] = {
	{"kind 0", DEVICE, {.kind = 0, .device = DEVICE, .holder = TOKEN_HOLDER}},
	{"kind 7", DEVICE, {.kind = PERSEUS__COMMAND_PING + 1, .device = DEVICE, .holder = TOKEN_HOLDER}},
	{"kind 4294967295", DEVICE, {.kind = UINT32_MAX, .device = DEVICE, .holder = TOKEN_HOLDER}},
	{"kind 4 for device 1 on the channel of 2", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE, .device = 1, .holder = TOKEN_HOLDER}},
	{"kind 4 for device -1 on the channel of -1", PERSEUS__CONTROL_CHANNEL,
		{.kind = PERSEUS__COMMAND_RELEASE, .device = -1, .holder = TOKEN_HOLDER}},
	{"kind 6 for device 2 on the channel of 2", DEVICE, {.kind = PERSEUS__COMMAND_PING, .device = DEVICE}},
	{"kind 5 for device 1 on the channel of -1", PERSEUS__CONTROL_CHANNEL,
		{.kind = PERSEUS__COMMAND_LIST, .device = 1}},
	{": a reserved field", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE, .reserved = 1, .holder = TOKEN_HOLDER}},
	{": a reserved field of the holder", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE,
			.device = DEVICE,
			.holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "a", .reserved = 1}}},
	{": the setting", DEVICE,
		{.kind = PERSEUS__COMMAND_RESET, .device = DEVICE, .setting = PERSEUS_N_SETTINGS, .holder = TOKEN_HOLDER}},
	{": the setting", DEVICE, {.kind = PERSEUS__COMMAND_LEASE, .device = DEVICE, .setting = 1, .holder = TOKEN_HOLDER}},
	{": low", DEVICE, {.kind = PERSEUS__COMMAND_RESET, .device = DEVICE, .low = 1, .holder = TOKEN_HOLDER}},
	{": low", PERSEUS__CONTROL_CHANNEL, {.kind = PERSEUS__COMMAND_PING, .low = 1}},
	{": high", DEVICE, {.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE, .high = 1, .holder = TOKEN_HOLDER}},
	{": high", PERSEUS__CONTROL_CHANNEL, {.kind = PERSEUS__COMMAND_LIST, .high = 1}},
	{": the time to live", DEVICE,
		{.kind = PERSEUS__COMMAND_SET, .device = DEVICE, .ttl_ns = 1, .holder = TOKEN_HOLDER}},
	{": a holder where none belongs", PERSEUS__CONTROL_CHANNEL,
		{.kind = PERSEUS__COMMAND_PING, .holder = TOKEN_HOLDER}},
	{": the kind of the holder", DEVICE, {.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE}},
	{": the kind of the holder", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE, .holder = {.kind = 4, .name = "a"}}},
	{": the holder is no process", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE, .holder = {.kind = PERSEUS__HOLDER_PROCESS}}},
	{": the holder is no process", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE, .holder = {.kind = PERSEUS__HOLDER_PROCESS, .pid = -1}}},
	{": the holder is no process", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE,
			.device = DEVICE,
			.holder = {.kind = PERSEUS__HOLDER_PROCESS, .pid = 1, .name = "a"}}},
	{": the holder has no name, or is a process", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE, .holder = {.kind = PERSEUS__HOLDER_TOKEN}}},
	{": the holder has no name, or is a process", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE,
			.device = DEVICE,
			.holder = {.kind = PERSEUS__HOLDER_PEER, .pid = 1, .name = "a"}}},
	{": the holder has no name, or is a process", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE,
			.device = DEVICE,
			.holder = {.kind = PERSEUS__HOLDER_PEER, .uid = 1, .name = "a"}}},
	{": the end of the holder's name", DEVICE,
		{.kind = PERSEUS__COMMAND_RELEASE,
			.device = DEVICE,
			.holder = {.kind = PERSEUS__HOLDER_TOKEN, .name = "a\0b"}}},
};

START_TEST(finds_what_is_malformed)
{
	struct perseus__command command;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(
			perseus__check_shape(&bad[_i].command, sizeof command, bad[_i].channel, &command, &err) == PERSEUS_INTERNAL,
			"%s", bad[_i].complaint);
	const size_t length = strlen(bad[_i].complaint);
	ck_assert_uint_ge(strlen(err.message), length);
	ck_assert_str_eq(err.message + strlen(err.message) - length, bad[_i].complaint);
	ck_assert_int_eq(strncmp(err.message, "malformed command: ", 19), 0);
}
END_TEST

START_TEST(finds_a_name_without_end)
{
	struct perseus__command sent = {.kind = PERSEUS__COMMAND_RELEASE, .device = DEVICE, .holder = TOKEN_HOLDER};
	struct perseus__command command;
	memset(sent.holder.name, 'a', sizeof sent.holder.name);
	ck_assert_int_eq(perseus__check_shape(&sent, sizeof sent, DEVICE, &command, NULL), PERSEUS_INTERNAL);
	sent.holder.name[sizeof sent.holder.name - 1] = '\0';
	ck_assert_int_eq(perseus__check_shape(&sent, sizeof sent, DEVICE, &command, NULL), PERSEUS_OK);
}
END_TEST

/* Every length but the right one; what is read is at most what is there. */
START_TEST(finds_another_size)
{
	struct perseus__command command;
	for (size_t length = 0; length < sizeof command + 40; length++) {
		char *bytes = malloc(length ? length : 1);
		for (size_t i = 0; i < length; i++)
			bytes[i] = i < sizeof good_set ? ((const char *)&good_set)[i] : 0;
		const enum perseus_status expected = length == sizeof command ? PERSEUS_OK : PERSEUS_INTERNAL;
		ck_assert_int_eq(perseus__check_shape(bytes, length, DEVICE, &command, NULL), expected);
		free(bytes);
	}
}
END_TEST

static const struct perseus__executor_settings settings = {
	.ranges = {[PERSEUS_SETTING_SM_CLOCKS] = {600, 1200}, [PERSEUS_SETTING_POWER_LIMIT] = {100000, 300000}},
	.lease_ttl_ns = 1000000000,
	.max_lease_ttl_ns = 60000000000,
};

static const struct {
	enum perseus_status status;
	enum perseus__command_kind kind;
	enum perseus_setting setting;
	int64_t low;
	int64_t high;
	int64_t ttl_ns;
	bool is_token;
	const char *message; /* NULL: OK */
} asked[] = {
	{PERSEUS_OK, PERSEUS__COMMAND_SET, PERSEUS_SETTING_SM_CLOCKS, 600, 1200, 0, false, NULL},
	{PERSEUS_OK, PERSEUS__COMMAND_SET, PERSEUS_SETTING_MEMORY_CLOCKS, 0, 9000, 0, false, NULL},
	{PERSEUS_OK, PERSEUS__COMMAND_SET, PERSEUS_SETTING_POWER_LIMIT, 100000, 100000, 0, false, NULL},
	{PERSEUS_OK, PERSEUS__COMMAND_RESET, PERSEUS_SETTING_SM_CLOCKS, 0, 0, 0, false, NULL},
	{PERSEUS_DENIED, PERSEUS__COMMAND_SET, PERSEUS_SETTING_SM_CLOCKS, 599, 1200, 0, false,
		"sm_clocks: 599 .. 1200 MHz is beyond what is allowed here, 600 .. 1200 MHz"},
	{PERSEUS_DENIED, PERSEUS__COMMAND_SET, PERSEUS_SETTING_SM_CLOCKS, 600, 1201, 0, false,
		"sm_clocks: 600 .. 1201 MHz is beyond what is allowed here, 600 .. 1200 MHz"},
	{PERSEUS_DENIED, PERSEUS__COMMAND_SET, PERSEUS_SETTING_POWER_LIMIT, 300001, 300001, 0, false,
		"power_limit: 300001 .. 300001 mW is beyond what is allowed here, 100000 .. 300000 mW"},
	{PERSEUS_INVALID, PERSEUS__COMMAND_SET, PERSEUS_SETTING_SM_CLOCKS, 1200, 600, 0, false,
		"sm_clocks: 1200 .. 600 is no range"},
	{PERSEUS_INVALID, PERSEUS__COMMAND_SET, PERSEUS_SETTING_MEMORY_CLOCKS, -1, 600, 0, false,
		"memory_clocks: -1 .. 600 is no range"},
	{PERSEUS_INVALID, PERSEUS__COMMAND_SET, PERSEUS_SETTING_MEMORY_CLOCKS, 0, INT64_C(1) << 32, 0, false,
		"memory_clocks: 0 .. 4294967296 is no range"},
	{PERSEUS_INVALID, PERSEUS__COMMAND_SET, PERSEUS_SETTING_POWER_LIMIT, 150000, 200000, 0, false,
		"power_limit takes one value, not 150000 .. 200000"},
	{PERSEUS_INVALID, PERSEUS__COMMAND_SET, PERSEUS_SETTING_PERSISTENCE, 0, 1, 0, false,
		"persistence takes one value, not 0 .. 1"},
	{PERSEUS_OK, PERSEUS__COMMAND_LEASE, 0, 0, 0, 0, false, NULL},
	{PERSEUS_OK, PERSEUS__COMMAND_LEASE, 0, 0, 0, 60000000000, true, NULL},
	{PERSEUS_INVALID, PERSEUS__COMMAND_LEASE, 0, 0, 0, 60000000001, true, "a lease lasts at most 60 s here"},
	{PERSEUS_INVALID, PERSEUS__COMMAND_LEASE, 0, 0, 0, -1, true, "a lease lasts at most 60 s here"},
	{PERSEUS_INVALID, PERSEUS__COMMAND_LEASE, 0, 0, 0, 1, false,
		"the lease of a process ends with the process: it takes no time to live"},
};

START_TEST(allows_what_the_site_allows)
{
	struct perseus__command command = {.kind = asked[_i].kind,
		.setting = asked[_i].setting,
		.low = asked[_i].low,
		.high = asked[_i].high,
		.ttl_ns = asked[_i].ttl_ns,
		.holder = {.kind = asked[_i].is_token ? PERSEUS__HOLDER_TOKEN : PERSEUS__HOLDER_PROCESS}};
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__check_allowed(&command, &settings, &err), asked[_i].status);
	ck_assert_str_eq(err.message, asked[_i].message ? asked[_i].message : "");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("check");
	TCase *tcase = tcase_create("check");
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, takes_what_an_honest_front_sends, 0, sizeof good / sizeof *good);
	tcase_add_loop_test(tcase, finds_what_is_malformed, 0, sizeof bad / sizeof *bad);
	tcase_add_test(tcase, finds_a_name_without_end);
	tcase_add_test(tcase, finds_another_size);
	tcase_add_loop_test(tcase, allows_what_the_site_allows, 0, sizeof asked / sizeof *asked);
	return run_suite(suite);
}
