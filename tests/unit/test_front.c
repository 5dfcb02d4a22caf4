/* Routes, access and handlers of the front, without sockets and without an executor. */
#include "client.h"
#include "fake_link.h"
#include "suite.h"

#include "agent/access.h"
#include "agent/route.h"
#include "device/device.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#define KEY "integration-test-signing-key!!!!"
#define ALL ((1U << PERSEUS__N_GROUPS) - 1)

/* Signed with KEY by Python: alice has gpu-control and gpu-read until 2286, bob has cpu-read for ever. */
#define ALICE                                                                                      \
	"Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9."                                                 \
	"eyJzdWIiOiJhbGljZSIsInNjb3BlcyI6WyJncHUtY29udHJvbCIsImdwdS1yZWFkIl0sImV4cCI6OTk5OTk5OTk5OX0." \
	"Y8Tzxuaj9mFjhcJ5hmuQxumiz2dEU2RIL7Dt_WOAmwo"

static struct perseus_node *node;
static struct perseus__link fake_link;
static struct perseus__front *front;
static struct perseus__front_settings settings;
static struct client client;

/* A package whose counter rises by 10 mJ, and its memory by 5 mJ, with each reading. */
static struct counter {
	int64_t step_uj;
	int64_t energy_uj;
	int n_reads;
	enum perseus_status status;
} package, memory;

static enum perseus_status
read_counter(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	struct counter *counter = self;
	(void)err;
	if (quantity != PERSEUS_QUANTITY_ENERGY)
		return PERSEUS_UNSUPPORTED;
	if (counter->status != PERSEUS_OK)
		return counter->status;
	counter->n_reads++;
	*value = counter->energy_uj += counter->step_uj;
	return PERSEUS_OK;
}

static const struct perseus__device_ops counter_ops = {.read = read_counter};

static void
add_cpu(void)
{
	struct perseus__device device = {.info = {.kind = PERSEUS_DEVICE_CPU}, .ops = &counter_ops, .self = &package};
	package = (struct counter){.step_uj = 10000};
	memory = (struct counter){.step_uj = 5000};
	ck_assert_int_eq(perseus__node_add(node, &device, NULL), PERSEUS_OK);
	device.info.kind = PERSEUS_DEVICE_DRAM;
	device.self = &memory;
	ck_assert_int_eq(perseus__node_add(node, &device, NULL), PERSEUS_OK);
}

/* A front as `settings` say. */
static void
start(void)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__front_new(node, &fake_link, &settings, &front, &err) == PERSEUS_OK, "%s", err.message);
	client = (struct client){.front = front, .peer = &client_process};
}

static void
set_up(void)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus_node_open("sim:a100x4", NULL, &node, &err) == PERSEUS_OK, "%s", err.message);
	add_cpu();
	memset(&fake_link, 0, sizeof fake_link);
	fake_link.status = PERSEUS_OK;
	fake_link.only_device = -1;
	settings = (struct perseus__front_settings){.groups = ALL, .gpu_poll_hz = 100, .cpu_poll_hz = 100};
}

static void
tear_down(void)
{
	if (front) {
		perseus__front_stop(front);
		perseus__front_free(front);
	}
	front = NULL;
	perseus_node_close(node);
}

static void
use_tokens(void)
{
	settings.key = (struct perseus__signing_key){(const unsigned char *)KEY, sizeof KEY - 1};
}

/* Requests, what they are answered and what is sent to the executor. */
struct exchange {
	const char *request;
	int code;
	const char *part;    /* of the body; "": it is empty */
	const char *history; /* of the executor */
};

static void
check_exchange(const struct exchange *expected)
{
	const struct reply *reply = client_ask(&client, expected->request);
	ck_assert_msg(reply->code == expected->code, "%s: %d, expected %d: %s", expected->request, reply->code,
			expected->code, reply->body);
	const bool has_part = *expected->part ? strstr(reply->body, expected->part) != NULL : !*reply->body;
	ck_assert_msg(has_part, "%s: '%s' is not in '%s'", expected->request, expected->part, reply->body);
	const char *history = fake_link_history(&fake_link);
	ck_assert_msg(strcmp(history, expected->history) == 0, "%s: did '%s', expected '%s'", expected->request, history,
			expected->history);
}

static const struct exchange exchanges[] = {
	{"GET /nothing", 404, "", ""},
	{"GET /", 404, "", ""},
	{"POST /discover", 404, "", ""},
	{"GET /gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000&block=true", 404, "", ""},
	{"HEAD /time", 404, "", ""},
	{"GET /gpu/get_power/", 404, "", ""},
	{"GET /gpu%2Fget_power", 404, "", ""},
	{"GET /time", 200, "\"timestamp_ms\": ", ""},
	{"GET /time?any=thing", 200, "\"timestamp_ms\": ", ""},
	{"GET /version", 200, "\"name\": \"perseus\"", ""},
	{"GET /auth/whoami", 404, "Authentication is not enabled", ""},
	{"GET /auth/other", 404, "Authentication is not enabled", ""},
	{"POST /gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000&block=true", 200, "",
		"set power_limit 250000..250000 on 0"},
	{"POST /gpu/set_power_limit?gpu_ids=3,1&power_limit_mw=250000&block=false", 200, "",
		"set power_limit 250000..250000 on 1; set power_limit 250000..250000 on 3"},
	{"POST /gpu/set_power_limit?gpu_ids=0&power_limit_w=250&block=true", 400, "Query deserialize error: unknown field",
		""},
	{"POST /gpu/set_power_limit?gpu_ids=0&power_limit_mw=x&block=true", 400, "invalid digit", ""},
	{"POST /gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000", 400, "missing field `block`", ""},
	{"POST /gpu/set_power_limit?gpu_ids=5&power_limit_mw=250000&block=true", 400, "GPU index 5 does not exist.", ""},
	{"POST /gpu/set_power_limit?gpu_ids=0,5&power_limit_mw=250000&block=false", 400, "GPU index 5 does not exist.", ""},
	{"POST /gpu/set_power_limit?gpu_ids=&power_limit_mw=250000&block=true", 400, "{\"error\": \"Invalid id", ""},
	{"POST /gpu/set_power_limit?gpu_ids=0,&power_limit_mw=250000&block=true", 400, "{\"error\": \"Invalid id", ""},
	{"POST /gpu/set_persistence_mode?gpu_ids=0&enabled=true&block=true", 200, "", "set persistence 1..1 on 0"},
	{"POST /gpu/set_persistence_mode?gpu_ids=0&enabled=false&block=true", 200, "", "set persistence 0..0 on 0"},
	{"POST /gpu/set_persistence_mode?gpu_ids=0&enabled=1&block=true", 400, "not `true` or `false`", ""},
	{"POST /gpu/set_gpu_locked_clocks?gpu_ids=2&min_clock_mhz=855&max_clock_mhz=1410&block=true", 200, "",
		"set sm_clocks 855..1410 on 2"},
	{"POST /gpu/set_gpu_locked_clocks?gpu_ids=2&min_clock_mhz=1410&max_clock_mhz=855&block=true", 200, "",
		"set sm_clocks 1410..855 on 2"},
	{"POST /gpu/reset_gpu_locked_clocks?gpu_ids=2&block=true", 200, "", "reset sm_clocks on 2"},
	{"POST /gpu/reset_gpu_locked_clocks?gpu_ids=2&block=true&min_clock_mhz=1", 400, "unknown field", ""},
	{"POST /gpu/set_mem_locked_clocks?gpu_ids=2&min_clock_mhz=1593&max_clock_mhz=1593&block=true", 200, "",
		"set memory_clocks 1593..1593 on 2"},
	{"POST /gpu/reset_mem_locked_clocks?gpu_ids=2&block=true", 200, "", "reset memory_clocks on 2"},
	{"POST /gpu/reset_locked_clocks?gpu_ids=0,1&block=true", 200, "",
		"reset sm_clocks on 0; reset memory_clocks on 0; reset sm_clocks on 1; reset memory_clocks on 1"},
	{"GET /gpu/get_cumulative_energy?gpu_ids=1", 200, "{\"1\": {\"energy_mj\": ", ""},
	{"GET /gpu/get_power_limit?gpu_ids=0", 200, "\"power_limit_mw\": ", ""},
	{"GET /gpu/get_power_limit_constraints?gpu_ids=0", 200, "\"max_power_limit_mw\": ", ""},
	{"GET /gpu/get_persistence_mode?gpu_ids=0", 200, "\"enabled\": ", ""},
	{"GET /gpu/get_power?gpu_ids=0%2C2", 200, "\"power_mw\": {\"0\": ", ""},
	{"GET /gpu/get_power?gpu_ids=99", 400, "{\"error\": \"GPU 99 not found\"}", ""},
	{"GET /gpu/get_power?gpu_ids=a", 400, "{\"error\": ", ""},
	{"GET /gpu/get_power?cpu_ids=0", 400, "unknown field `cpu_ids`", ""},
	{"GET /gpu/stream_power?gpu_ids=0,7,9", 400, "Unknown GPU indices: [7, 9]. Available: [0, 1, 2, 3]", ""},
	{"GET /cpu/get_cumulative_energy?cpu_ids=0&cpu=true&dram=false", 200,
		"{\"0\": {\"cpu_energy_uj\": 10000, \"dram_energy_uj\": null}}", ""},
	{"GET /cpu/get_cumulative_energy?cpu=false&dram=true", 200,
		"{\"0\": {\"cpu_energy_uj\": null, \"dram_energy_uj\": 5000}}", ""},
	{"GET /cpu/get_cumulative_energy?cpu_ids=0&cpu=true", 400, "missing field `dram`", ""},
	{"GET /cpu/get_cumulative_energy?cpu_ids=1&cpu=true&dram=true", 400, "{\"error\": \"CPU 1 not found\"}", ""},
	{"GET /cpu/get_power?gpu_ids=0", 400, "unknown field `gpu_ids`", ""},
	{"GET /cpu/get_power", 200, "\"power_mw\": {\"0\": {\"cpu_mw\": ", ""},
	{"GET /cpu/stream_power?cpu_ids=3", 400, "Unknown CPU indices: [3]. Available: [0]", ""},
	{"GET /cpu/0/supports_dram_energy", 200, "{\"dram_available\": true}", ""},
	{"GET /cpu/1/supports_dram_energy", 400, "CPU 1 not found", ""},
	{"GET /v1/leases", 200, "\"leases\": []", "list"},
	{"POST /v1/leases?gpu_ids=1", 200,
		"\"gpu_id\": 1, \"holder\": {\"kind\": \"process\", \"pid\": 4242, \"uid\": 1000}", "lease on 1"},
	{"POST /v1/leases?gpu_ids=1&ttl_s=60", 400, "ends with your process", ""},
	{"POST /v1/leases", 400, "missing field `gpu_ids`", ""},
	{"DELETE /v1/leases?gpu_ids=1,2", 200, "", "release on 1; release on 2"},
	{"DELETE /v1/leases/3", 404, "There is no lease 3", "list"},
	{"DELETE /v1/leases/x", 404, "", ""},
};

START_TEST(answers)
{
	start();
	check_exchange(&exchanges[_i]);
}
END_TEST

START_TEST(reads_take_each_device_when_none_is_named)
{
	start();
	const char *const paths[] = {"GET /gpu/get_cumulative_energy", "GET /gpu/get_power_limit", "GET /gpu/get_power"};
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		const struct reply *reply = client_ask(&client, paths[i]);
		ck_assert_int_eq(reply->code, 200);
		ck_assert_int_eq(reply->content, PERSEUS__CONTENT_JSON);
		const char *const keys[] = {"\"0\": ", "\"1\": ", "\"2\": ", "\"3\": ", "\"simulated\": true"};
		for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
			ck_assert_msg(strstr(reply->body, keys[k]) != NULL, "%s: %s", paths[i], reply->body);
	}
}
END_TEST

START_TEST(discover_is_for_every_client)
{
	start();
	const char *const parts[] = {"\"gpus\": [{\"id\": 0, \"name\": \"",
		"\"pci_address\": \"0000:", "\"cumulative_energy_available\": true", "\"simulated\": true",
		"\"gpu_ids\": [0, 1, 2, 3]", "\"cpus\": [{\"id\": 0, \"dram_available\": true}]", "\"cpu_ids\": [0]",
		"\"dram_available\": [true]", "\"enabled_api_groups\": [\"gpu-control\", \"gpu-read\", \"cpu-read\"]",
		"\"auth_required\": false"};
	const struct reply *reply = client_ask(&client, "GET /discover");
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		ck_assert_msg(strstr(reply->body, parts[i]) != NULL, "'%s' is not in '%s'", parts[i], reply->body);
	ck_assert_ptr_null(strstr(reply->body, "vendor"));
}
END_TEST

static const struct {
	uint32_t groups;
	struct exchange exchange;
} disabled[] = {
	{2,
		{"POST /gpu/set_power_limit?gpu_ids=0&power_limit_mw=250000&block=true", 404,
			"API group 'gpu-control' is not enabled on this server.", ""}},
	{2, {"POST /gpu/set_nothing", 404, "API group 'gpu-control' is not enabled", ""}},
	{2, {"POST /gpu/0/set_power_limit", 404, "API group 'gpu-control' is not enabled", ""}},
	{2, {"POST /gpu/%30/set_power_limit", 404, "API group 'gpu-control' is not enabled", ""}},
	{2, {"POST /gpu/%30/set_nothing", 404, "", ""}},
	{2, {"POST /v1/leases?gpu_ids=0", 404, "API group 'gpu-control' is not enabled", ""}},
	{2, {"DELETE /v1/leases/1", 404, "API group 'gpu-control' is not enabled", ""}},
	{2, {"GET /v1/leases", 200, "leases", "list"}},
	{2, {"GET /cpu/get_power", 404, "API group 'cpu-read' is not enabled", ""}},
	{2, {"GET /gpu/get_power", 200, "power_mw", ""}},
	{2, {"GET /discover", 200, "\"gpu_ids\": [0, 1, 2, 3], \"cpus\": [], \"cpu_ids\": [], \"dram_available\": []", ""}},
	{1, {"GET /gpu/get_power", 404, "API group 'gpu-read' is not enabled", ""}},
	{1, {"GET /gpu/stream_power", 404, "API group 'gpu-read' is not enabled", ""}},
	{1, {"POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true", 200, "", "reset sm_clocks on 0"}},
	{4, {"GET /discover", 200, "\"gpus\": [], \"gpu_ids\": [], \"cpus\": [{\"id\": 0", ""}},
	{0, {"GET /healthz", 503, "executor", ""}},
};

START_TEST(groups_are_switched_off)
{
	settings.groups = disabled[_i].groups;
	start();
	check_exchange(&disabled[_i].exchange);
}
END_TEST

static const struct {
	enum perseus_status status;
	int code;
	const char *body;
	bool asks_to_retry;
} failures[] = {
	{PERSEUS_INVALID, 400, "{\"errors\": {\"1\": \"Invalid request: why\"}}\n", false},
	{PERSEUS_UNSUPPORTED, 400, "{\"errors\": {\"1\": \"why\"}}\n", false},
	{PERSEUS_DENIED, 403, "{\"errors\": {\"1\": \"why\"}}\n", false},
	{PERSEUS_BUSY, 409, "{\"errors\": {\"1\": \"why\"}, \"error\": \"why\"}\n", false},
	{PERSEUS_IO, 500, "{\"errors\": {\"1\": \"why\"}}\n", false},
	{PERSEUS_CANCELLED, 503, "{\"errors\": {\"1\": \"why\"}}\n", true},
};

/* Other GPUs did what they were told; the answer is about those that did not. */
START_TEST(failures_are_told_by_device)
{
	start();
	fake_link.status = failures[_i].status;
	fake_link.message = "why";
	fake_link.only_device = 1;
	const struct reply *reply = client_ask(&client, "POST /gpu/reset_locked_clocks?gpu_ids=0,1,2&block=true");
	ck_assert_int_eq(reply->code, failures[_i].code);
	ck_assert_str_eq(reply->body, failures[_i].body);
	ck_assert_int_eq(reply->asks_to_retry, failures[_i].asks_to_retry);
	reply = client_ask(&client, "POST /gpu/reset_locked_clocks?gpu_ids=0,1,2&block=false");
	ck_assert_int_eq(reply->code, 200);
}
END_TEST

START_TEST(blocking_waits_for_the_answer)
{
	start();
	fake_link.holds_back = true;
	client_begin(&client, "POST /gpu/reset_gpu_locked_clocks?gpu_ids=0,1&block=true");
	ck_assert(!reply_is_there());
	fake_link_answer(&fake_link);
	ck_assert_int_eq(reply_wait()->code, 200);
	client_begin(&client, "POST /gpu/reset_gpu_locked_clocks?gpu_ids=0,1&block=false");
	ck_assert(reply_is_there());
	ck_assert_int_eq(reply_wait()->code, 200);
	fake_link_answer(&fake_link);
}
END_TEST

START_TEST(full_queues_are_to_be_tried_again)
{
	start();
	fake_link.is_full = true;
	const char *const requests[] = {"POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true",
		"POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=false", "POST /v1/leases?gpu_ids=0"};
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		const struct reply *reply = client_ask(&client, requests[i]);
		ck_assert_int_eq(reply->code, 503);
		ck_assert(reply->asks_to_retry);
		ck_assert_ptr_nonnull(strstr(reply->body, "too many commands wait"));
	}
}
END_TEST

START_TEST(a_dead_executor_is_told)
{
	start();
	fake_link.is_gone = true;
	ck_assert_int_eq(client_ask(&client, "POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true")->code, 503);
	ck_assert_int_eq(client_ask(&client, "GET /v1/leases")->code, 503);
	perseus__front_ping(front);
	ck_assert_int_eq(client_ask(&client, "GET /healthz")->code, 503);
	ck_assert_int_eq(client_ask(&client, "GET /gpu/get_power")->code, 200);
	ck_assert_ptr_null(strstr(client_ask(&client, "GET /metrics")->body, "perseus_lease_active"));
}
END_TEST

START_TEST(health_is_that_of_the_executor)
{
	start();
	ck_assert_int_eq(client_ask(&client, "GET /healthz")->code, 503);
	perseus__front_ping(front);
	ck_assert_int_eq(client_ask(&client, "GET /healthz")->code, 200);
}
END_TEST

/* One that sends the id of another client's lease, and one whose it is. */
START_TEST(leases_are_ended_by_their_own)
{
	start();
	fake_link.leases[0] = (struct perseus__lease){
		.lease_id = 3, .device = 2, .settings = 1, .expires_ns = INT64_MAX, .holder = client_process.holder};
	fake_link.leases[1] = (struct perseus__lease){
		.lease_id = 9, .device = 1, .settings = 5, .expires_ns = INT64_MAX, .holder = client_remote.holder};
	fake_link.n_leases = 2;
	struct perseus__caller shell = client_process;
	shell.holder.pid = 5000;
	client.peer = &shell;
	check_exchange(&(struct exchange){"DELETE /v1/leases/3", 200, "", "list; release on 2"});
	check_exchange(&(struct exchange){"DELETE /v1/leases/9", 403, "another's", "list"});
	check_exchange(&(struct exchange){"DELETE /v1/leases/4", 404, "no lease 4", "list"});
	check_exchange(&(struct exchange){"DELETE /v1/leases/0", 404, "no lease 0", ""});
	const struct reply *reply = client_ask(&client, "GET /v1/leases");
	ck_assert_ptr_nonnull(strstr(reply->body, "\"id\": 3, \"gpu_id\": 2"));
	ck_assert_ptr_nonnull(strstr(reply->body, "{\"kind\": \"peer\", \"name\": \"10.0.0.7\"}"));
	ck_assert_ptr_nonnull(strstr(reply->body, "[\"sm_clocks\", \"power_limit\"]"));
	ck_assert_ptr_nonnull(strstr(client_ask(&client, "GET /metrics")->body, "perseus_lease_active{gpu=\"2\"} 1"));
}
END_TEST

START_TEST(old_clients_send_bodies)
{
	start();
	client.body = "{\"power_limit_mw\": 250000, \"block\": true}";
	check_exchange(&(struct exchange){"POST /gpu/3/set_power_limit", 200, "", "set power_limit 250000..250000 on 3"});
	check_exchange(&(struct exchange){"POST /gpu/4/set_power_limit", 400, "GPU index 4 does not exist.", ""});
	check_exchange(&(struct exchange){"POST /gpu/0/set_persistence_mode", 400, "Json deserialize error", ""});
	client.body = "{\"block\": true}";
	check_exchange(&(struct exchange){"POST /gpu/0/reset_mem_locked_clocks", 200, "", "reset memory_clocks on 0"});
	client.body = "{\"cpu\": true, \"dram\": true}";
	check_exchange(&(struct exchange){
		"POST /cpu/0/get_index_energy", 200, "{\"cpu_energy_uj\": 10000, \"dram_energy_uj\": 5000}", ""});
	client.body = NULL;
	check_exchange(&(struct exchange){"POST /gpu/0/reset_mem_locked_clocks", 400, "Json deserialize error", ""});
}
END_TEST

START_TEST(allow_lists_say_who_may_write)
{
	const struct perseus__allow allow[] = {{.id = 1000, .n_gpus = 2, .gpu_ids = {0, 2}}, {.is_gid = true, .id = 50},
		{.id = 7, .n_gpus = 1, .gpu_ids = {3}}};
	settings.allow = allow;
	settings.n_allow = 3;
	start();
	const uint32_t gids[] = {4, 50};
	ck_assert_uint_eq(perseus__access_writable(front, 1000, gids, 1), 0x5);
	ck_assert_uint_eq(perseus__access_writable(front, 1000, gids, 2), UINT64_MAX);
	ck_assert_uint_eq(perseus__access_writable(front, 7, NULL, 0), 0x8);
	ck_assert_uint_eq(perseus__access_writable(front, 0, gids, 1), 0);
	struct perseus__caller peer = client_process;
	peer.writable = 0x5;
	client.peer = &peer;
	check_exchange(&(struct exchange){"POST /gpu/reset_gpu_locked_clocks?gpu_ids=0,2&block=true", 200, "",
		"reset sm_clocks on 0; reset sm_clocks on 2"});
	check_exchange(&(struct exchange){
		"POST /gpu/reset_gpu_locked_clocks?gpu_ids=0,1&block=false", 403, "does not let you write GPU 1", ""});
	check_exchange(&(struct exchange){"POST /v1/leases?gpu_ids=3", 403, "does not let you write GPU 3", ""});
	check_exchange(&(struct exchange){"GET /gpu/get_power?gpu_ids=3", 200, "power_mw", ""});
}
END_TEST

START_TEST(allow_lists_name_gpus_that_are_there)
{
	const struct perseus__allow allow = {.id = 1, .n_gpus = 1, .gpu_ids = {4}};
	struct perseus_error err = {.message = ""};
	settings.allow = &allow;
	settings.n_allow = 1;
	ck_assert_int_eq(perseus__front_new(node, &fake_link, &settings, &front, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "GPU 4"));
}
END_TEST

START_TEST(writes_are_counted)
{
	settings.writes_per_s = 3;
	start();
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(client_ask(&client, "POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true")->code, 200);
	const struct reply *reply = client_ask(&client, "POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true");
	ck_assert_int_eq(reply->code, 429);
	ck_assert(reply->asks_to_retry);
	ck_assert_int_eq(client_ask(&client, "GET /gpu/get_power")->code, 200);
	client.peer = &client_remote;
	ck_assert_int_eq(client_ask(&client, "POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true")->code, 200);
}
END_TEST

static const struct {
	const char *authorization;
	const char *request;
	int code;
	const char *part;
} tokens[] = {
	{NULL, "GET /discover", 200, "\"auth_required\": true"},
	{NULL, "GET /time", 200, ""},
	{NULL, "GET /version", 200, ""},
	{NULL, "GET /metrics", 200, ""},
	{NULL, "GET /gpu/get_power", 401, "Authentication required"},
	{NULL, "GET /nothing", 401, "Authentication required"},
	{NULL, "GET /v1/leases", 401, "Authentication required"},
	{"Bearer", "GET /gpu/get_power", 401, "Authentication required"},
	{"bearer x.y.z", "GET /gpu/get_power", 401, "Authentication required"},
	{"Bearer x.y.z", "GET /gpu/get_power", 401, "Invalid token: "},
	{"Bearer ", "GET /gpu/get_power", 401, "Invalid token: "},
	{"Bearer  " /* two blanks */ "x.y.z", "GET /gpu/get_power", 401, "Invalid token: "},
	{ALICE, "GET /gpu/get_power", 200, "power_mw"},
	{ALICE, "GET /cpu/get_power", 403,
		"Token for user 'alice' lacks required scope 'cpu-read'. Token scopes: ['gpu-control', 'gpu-read']"},
	{ALICE, "GET /nothing", 404, ""},
	{ALICE, "GET /v1/leases", 200, "leases"},
	{ALICE, "GET /auth/whoami", 200,
		"{\"sub\": \"alice\", \"scopes\": [\"gpu-control\", \"gpu-read\"], \"exp\": 9999999999}"},
};

START_TEST(tokens_are_checked)
{
	use_tokens();
	start();
	client.authorization = tokens[_i].authorization;
	const struct reply *reply = client_ask(&client, tokens[_i].request);
	ck_assert_msg(reply->code == tokens[_i].code, "%s: %d: %s", tokens[_i].request, reply->code, reply->body);
	ck_assert_msg(strstr(reply->body, tokens[_i].part) != NULL, "%s: %s", tokens[_i].request, reply->body);
	ck_assert_int_eq(reply->asks_for_token, reply->code == 401);
}
END_TEST

/* A disabled group is told of before any token is asked for. */
START_TEST(groups_come_before_tokens)
{
	use_tokens();
	settings.groups = perseus__group_bit(PERSEUS__GROUP_GPU_READ);
	start();
	const char *const authorizations[] = {NULL, "Bearer x", ALICE};
	for (size_t i = 0; i < sizeof authorizations / sizeof *authorizations; i++) {
		client.authorization = authorizations[i];
		ck_assert_int_eq(client_ask(&client, "GET /cpu/get_power")->code, 404);
	}
}
END_TEST

/* Over TCP the token's subject holds; over the Unix socket the process, whose end is noticed. */
START_TEST(tokens_make_holders)
{
	use_tokens();
	start();
	client.authorization = ALICE;
	client.peer = &client_remote;
	(void)client_ask(&client, "POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true");
	ck_assert_uint_eq(fake_link.sent[0].holder.kind, PERSEUS__HOLDER_TOKEN);
	ck_assert_str_eq(fake_link.sent[0].holder.name, "alice");
	ck_assert_int_eq(client_ask(&client, "POST /v1/leases?gpu_ids=0&ttl_s=60")->code, 200);
	ck_assert_int_eq(fake_link.sent[1].ttl_ns, 60000000000);
	client.peer = &client_process;
	(void)client_ask(&client, "POST /gpu/reset_gpu_locked_clocks?gpu_ids=0&block=true");
	ck_assert_uint_eq(fake_link.sent[2].holder.kind, PERSEUS__HOLDER_PROCESS);
	ck_assert_int_eq(fake_link.sent[2].holder.pid, 4242);
}
END_TEST

START_TEST(cpus_that_cannot_be_read_are_errors)
{
	start();
	package.status = PERSEUS_DENIED;
	ck_assert_int_eq(client_ask(&client, "GET /cpu/get_cumulative_energy?cpu=true&dram=true")->code, 403);
	ck_assert_int_eq(client_ask(&client, "GET /cpu/get_power")->code, 403);
	ck_assert_int_eq(client_ask(&client, "GET /cpu/stream_power")->code, 403);
	ck_assert_int_eq(client_ask(&client, "GET /cpu/get_cumulative_energy?cpu=false&dram=true")->code, 200);
	ck_assert_ptr_null(strstr(client_ask(&client, "GET /metrics")->body, "domain=\"package\""));
}
END_TEST

START_TEST(cpus_are_read_at_every_tick)
{
	settings.groups = perseus__group_bit(PERSEUS__GROUP_GPU_READ);
	start();
	perseus__front_application(front).tick(front);
	ck_assert_int_eq(package.n_reads, 0);
	tear_down();
	set_up();
	start();
	perseus__front_application(front).tick(front);
	ck_assert_int_eq(package.n_reads, 1);
	package.status = PERSEUS_DENIED;
	perseus__front_application(front).tick(front);
	ck_assert_int_eq(memory.n_reads, 2);
}
END_TEST

START_TEST(metrics_have_all_families)
{
	start();
	(void)client_ask(
			&client, "POST /gpu/set_gpu_locked_clocks?gpu_ids=2&min_clock_mhz=855&max_clock_mhz=1410&block=true");
	const char *const lines[] = {"perseus_build_info{version=", "perseus_gpu_energy_joules_total{gpu=\"3\"",
		"perseus_gpu_power_watts{", "perseus_gpu_power_limit_watts{", "perseus_gpu_sm_clock_hertz{",
		"perseus_gpu_mem_clock_hertz{", "perseus_gpu_temperature_celsius{", "simulated=\"true\"",
		"perseus_cpu_energy_joules_total{package=\"0\",domain=\"dram\"} ", "perseus_lease_active{gpu=\"0\"} 0",
		"perseus_gpu_clock_sets_total{gpu=\"2\",result=\"ok\"} 1",
		"perseus_gpu_set_duration_seconds_bucket{le=\"+Inf\"} 1", "perseus_gpu_set_duration_seconds_count 1"};
	const struct reply *reply = client_ask(&client, "GET /metrics");
	ck_assert_int_eq(reply->content, PERSEUS__CONTENT_METRICS);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		ck_assert_msg(strstr(reply->body, lines[i]) != NULL, "'%s' is not in '%s'", lines[i], reply->body);
}
END_TEST

static int n_written;

static enum perseus_status
note_set(void *self, enum perseus_setting setting, int64_t low, int64_t high, struct perseus_error *err)
{
	(void)self;
	(void)setting;
	(void)low;
	(void)high;
	(void)err;
	n_written++;
	return PERSEUS_OK;
}

static enum perseus_status
note_reset(void *self, enum perseus_setting setting, struct perseus_error *err)
{
	return note_set(self, setting, 0, 0, err);
}

/* A GPU that could be written. */
static void
add_recorder(void)
{
	static const struct perseus__device_ops ops = {.read = read_counter, .set = note_set, .reset = note_reset};
	static struct counter counter;
	const struct perseus__device device = {
		.info = {.kind = PERSEUS_DEVICE_GPU, .index = 4}, .ops = &ops, .self = &counter};
	ck_assert_int_eq(perseus__node_add(node, &device, NULL), PERSEUS_OK);
}

/* What cannot write has no link; the group is off as well, so nothing gets so far. */
START_TEST(reading_only_needs_no_executor)
{
	add_recorder();
	settings.groups &= ~perseus__group_bit(PERSEUS__GROUP_GPU_CONTROL);
	ck_assert_int_eq(perseus__front_new(node, NULL, &settings, &front, NULL), PERSEUS_OK);
	client = (struct client){.front = front, .peer = &client_process};
	ck_assert_ptr_nonnull(strstr(client_ask(&client, "GET /healthz")->body, "\"can_write\": false"));
	ck_assert_int_eq(client_ask(&client, "GET /v1/leases")->code, 200);
	for (int32_t i = 0; perseus__route_at(i); i++) {
		const struct perseus__route *route = perseus__route_at(i);
		if (route->method == PERSEUS__METHOD_GET || strncmp(route->path, "/cpu", 4) == 0)
			continue;
		char request[128];
		(void)snprintf(request, sizeof request, "%s %s", perseus__method_name(route->method), route->path);
		char *id = strstr(request, "{id}");
		if (id)
			memmove(id, id + 3, strlen(id + 3) + 1);
		if (id)
			*id = '4';
		ck_assert_msg(client_ask(&client, request)->code == 404, "%s", request);
	}
	ck_assert_int_eq(
			client_ask(&client, "POST /gpu/set_power_limit?gpu_ids=4&power_limit_mw=250000&block=true")->code, 404);
	ck_assert_int_eq(client_ask(&client, "GET /gpu/get_cumulative_energy?gpu_ids=4")->code, 200);
	ck_assert_int_eq(n_written, 0);
}
END_TEST

static void
add_tests(TCase *tcase)
{
	tcase_add_loop_test(tcase, answers, 0, sizeof exchanges / sizeof *exchanges);
	tcase_add_test(tcase, reads_take_each_device_when_none_is_named);
	tcase_add_test(tcase, discover_is_for_every_client);
	tcase_add_loop_test(tcase, groups_are_switched_off, 0, sizeof disabled / sizeof *disabled);
	tcase_add_loop_test(tcase, failures_are_told_by_device, 0, sizeof failures / sizeof *failures);
	tcase_add_test(tcase, blocking_waits_for_the_answer);
	tcase_add_test(tcase, full_queues_are_to_be_tried_again);
	tcase_add_test(tcase, a_dead_executor_is_told);
	tcase_add_test(tcase, health_is_that_of_the_executor);
	tcase_add_test(tcase, leases_are_ended_by_their_own);
	tcase_add_test(tcase, old_clients_send_bodies);
	tcase_add_test(tcase, allow_lists_say_who_may_write);
	tcase_add_test(tcase, allow_lists_name_gpus_that_are_there);
	tcase_add_test(tcase, writes_are_counted);
	tcase_add_loop_test(tcase, tokens_are_checked, 0, sizeof tokens / sizeof *tokens);
	tcase_add_test(tcase, groups_come_before_tokens);
	tcase_add_test(tcase, tokens_make_holders);
	tcase_add_test(tcase, cpus_that_cannot_be_read_are_errors);
	tcase_add_test(tcase, cpus_are_read_at_every_tick);
	tcase_add_test(tcase, metrics_have_all_families);
	tcase_add_test(tcase, reading_only_needs_no_executor);
}

int
main(void)
{
	Suite *suite = suite_create("front");
	TCase *tcase = tcase_create("front");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	add_tests(tcase);
	return run_suite(suite);
}
