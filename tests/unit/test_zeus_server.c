/*
 * Zeus's routes behind the api, without sockets: codes and bodies of what can go wrong, dump files, a store that fails,
 * and a new process that takes up every job where it was.
 */
#include "api_client.h"
#include "faulty_vfs.h"
#include "suite.h"

#include "base/clock.h"
#include "base/memory.h"
#include "format/input_file.h"
#include "server/zeus.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512, LAST = 9 };

static const char solution[] = "[[('forward', 1410), ('backward', 0)],\n [('forward', 1200),],\n]\n# total cost: 1\n";

static char directory[64];
static char id[PERSEUS__ZEUS_ID_BYTES];
static struct perseus__zeus_settings settings;
static struct perseus__store *store;
static struct perseus__zeus *zeus;
static struct perseus__events *events;
static struct perseus__api *api;

static const char *
path_of(const char *name)
{
	static char path[PATH_BYTES];
	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	return path;
}

static void
write_solution(const char *text)
{
	FILE *file = fopen(path_of("solution.py"), "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* A process begins. */
static void
start(void)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__store_open(path_of("store"), &store, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_msg(perseus__zeus_server_new(&settings, store, &zeus, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_int_eq(perseus__events_new(&events, &err), PERSEUS_OK);
	const struct perseus__api_settings api_settings = {.store = store, .zeus = zeus};
	ck_assert_int_eq(perseus__api_new(&api_settings, events, &api, &err), PERSEUS_OK);
}

static void
stop(void)
{
	perseus__api_stop(api);
	perseus__store_close(store);
	perseus__api_free(api);
	perseus__zeus_server_free(zeus);
	perseus__events_free(events);
}

static void
set_up(void)
{
	(void)snprintf(directory, sizeof directory, "/tmp/perseus-zeus-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	write_solution(solution);
	ck_assert_int_eq(perseus__zeus_settings_init(&settings, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__zeus_settings_text(&settings.solution_path, path_of("solution.py"), NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__zeus_settings_text(&settings.dump_dir, path_of("dump"), NULL), PERSEUS_OK);
	start();
}

static void
remove_all(const char *path)
{
	DIR *entries = opendir(path);
	for (const struct dirent *entry; entries && (entry = readdir(entries));) {
		char inner[PATH_BYTES];
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		(void)snprintf(inner, sizeof inner, "%s/%.250s", path, entry->d_name);
		if (remove(inner) != 0)
			remove_all(inner);
	}
	if (entries)
		(void)closedir(entries);
	(void)remove(path);
}

static void
tear_down(void)
{
	stop();
	perseus__zeus_settings_fini(&settings);
	remove_all(directory);
}

/* "POST /register_rank/{id}" and the like; `body` is JSON, or NULL. */
static void
expand(const char *request, char *target, size_t bytes)
{
	const char *mark = strstr(request, "{id}");
	if (mark)
		(void)snprintf(target, bytes, "%.*s%s%s", (int)(mark - request), request, id, mark + 4);
	else
		(void)snprintf(target, bytes, "%s", request);
}

static struct api_client
client_with(const char *body)
{
	return (struct api_client){
		.api = api, .peer = &api_client_remote, .body = body, .content_type = body ? "application/json" : NULL};
}

static const struct reply *
ask(const char *request, const char *body)
{
	char target[512];
	const struct api_client client = client_with(body);
	expand(request, target, sizeof target);
	return api_client_ask(&client, target);
}

static void
check(const char *request, const char *body, int code, const char *part)
{
	const struct reply *reply = ask(request, body);
	ck_assert_msg(
			reply->code == code, "%s %s: %d, not %d: %s", request, body ? body : "", reply->code, code, reply->body);
	ck_assert_msg(strstr(reply->body, part) != NULL, "%s: '%s' is not in '%s'", request, part, reply->body);
	ck_assert_int_eq(reply->asks_to_retry, code == 503 || code == 429);
}

#define JOB(pp, world) "{\"pp_degree\":" #pp ",\"dp_degree\":1,\"tp_degree\":1,\"world_size\":" #world "}"
#define RANK(rank, pp) \
	"{\"rank\":" #rank ",\"dp_rank\":0,\"pp_rank\":" #pp ",\"tp_rank\":0,\"available_frequencies\":[1410,1200]}"
#define RESULT(rank) "{\"rank\":" #rank ",\"iter_time\":[0.5],\"iter_energy\":[100]}"

static void
register_job(const char *body)
{
	const struct reply *reply = ask("POST /register_job", body);
	ck_assert_msg(reply->code == 200, "%s", reply->body);
	ck_assert_int_eq(reply->content, PERSEUS__CONTENT_JSON);
	const size_t length = strlen(reply->body);
	ck_assert(length > 2 && reply->body[0] == '"' && reply->body[length - 1] == '"');
	(void)snprintf(id, sizeof id, "%.*s", (int)(length - 2), reply->body + 1);
}

/* A job of two ranks whose plan is there. */
static void
register_two(void)
{
	register_job(JOB(2, 2));
	check("POST /register_rank/{id}", RANK(0, 0), 200, "null");
	check("POST /register_rank/{id}", RANK(1, 1), 200, "null");
	while (ask("GET /schedule/{id}?rank=0&wait=0", NULL)->code == 409)
		(void)usleep(1000);
}

/* Someone else who waits. */
struct other {
	struct perseus__zeus_waiter waiter;
	_Atomic int n_answers;
	enum perseus__zeus_outcome outcome;
	int32_t list;
};

static void
note(void *user, const struct perseus__zeus_answer *answer)
{
	struct other *other = user;
	other->outcome = answer->outcome;
	other->list = answer->list;
	other->n_answers++;
}

static void
wait_as(struct other *other, int32_t rank)
{
	*other = (struct other){.waiter = {.poll = {.rank = rank}, .done = note, .user = other}};
	perseus__zeus_wait(zeus, id, &other->waiter, true);
}

static void
require_answer(const struct other *other, enum perseus__zeus_outcome outcome)
{
	for (int i = 0; other->n_answers == 0 && i < 10000; i++)
		(void)usleep(1000);
	ck_assert_int_eq(other->n_answers, 1);
	ck_assert_int_eq(other->outcome, outcome);
}

static void
require_schedule(const struct other *other, int32_t list)
{
	require_answer(other, PERSEUS__ZEUS_DONE);
	ck_assert_int_eq(other->list, list);
}

#define FIRST "{\"rank\": 0, \"frequencies\": [[\"forward\", 1410], [\"backward\", 0]]}"
#define SECOND "{\"rank\": 1, \"frequencies\": [[\"forward\", 1200]]}"

START_TEST(answers_all_when_all_have_asked)
{
	struct other other;
	register_two();
	wait_as(&other, 1);
	ck_assert_int_eq(other.n_answers, 0);
	check("GET /schedule/{id}?rank=0", NULL, 200, FIRST);
	require_schedule(&other, 1);
	ck_assert(!perseus__zeus_leave(zeus, &other.waiter));
}
END_TEST

START_TEST(waits_before_all_are_registered)
{
	struct other others[2];
	register_job(JOB(2, 2));
	wait_as(&others[0], 0);
	wait_as(&others[1], 1);
	check("POST /register_rank/{id}", RANK(1, 1), 200, "null");
	check("GET /schedule/{id}?rank=0&wait=0", NULL, 409, "{\"detail\": \"There is no schedule yet: ");
	check("POST /result/{id}", RESULT(0), 409, "{\"detail\": \"There is no schedule yet: ");
	ck_assert_int_eq(others[0].n_answers + others[1].n_answers, 0);
	check("POST /register_rank/{id}", RANK(0, 0), 200, "null");
	require_schedule(&others[0], 0);
	require_schedule(&others[1], 1);
}
END_TEST

/* The table of what Zeus's server fails at, and what is sane. */
START_TEST(refuses_what_cannot_be)
{
	register_two();
	check("POST /register_rank/none", RANK(0, 0), 404, "{\"detail\": \"Job 'none' is not known: ");
	check("GET /schedule/none?rank=0", NULL, 404, "{\"detail\": \"Job 'none' is not known: ");
	check("POST /result/none", RESULT(0), 404, "{\"detail\": \"Job 'none' is not known: ");
	check("POST /result/a%20b+c%2fd", RESULT(0), 404, "Job 'a b+c/d' is not known");
	check("POST /register_rank/{id}", RANK(0, 0), 200, "null");
	check("POST /register_rank/{id}", RANK(0, 1), 409, "{\"detail\": \"Rank 0 is registered already");
	check("POST /register_rank/{id}", RANK(2, 0), 422,
			"{\"detail\": [{\"loc\": [\"body\", \"rank\"], \"msg\": \"ensure this value is less than 2\", "
			"\"type\": \"value_error.number.not_lt\", \"ctx\": {\"limit_value\": 2}}]}\n");
	check("POST /register_rank/{id}", "{", 422, "value_error.jsondecode");
	check("GET /schedule/{id}", NULL, 422, "[\"query\", \"rank\"], \"msg\": \"field required\"");
	check("GET /schedule/{id}?rank=x", NULL, 422, "[\"query\", \"rank\"], \"msg\": \"value is not a valid integer\"");
	check("GET /schedule/{id}?rank=-1", NULL, 422, "\"value_error.number.not_ge\", \"ctx\": {\"limit_value\": 0}");
	check("GET /schedule/{id}?rank=2", NULL, 422, "\"value_error.number.not_lt\", \"ctx\": {\"limit_value\": 2}");
	check("GET /schedule/{id}?rank=0%00", NULL, 422,
			"[\"query\", \"rank\"], \"msg\": \"value is not a valid integer\"");
	check("GET /schedule/{id}?rank=x&rank=+0&wait=0&other=1", NULL, 200, FIRST);
	check("POST /result/{id}", RESULT(2), 422, "\"value_error.number.not_lt\", \"ctx\": {\"limit_value\": 2}");
	check("POST /result/{id}", RESULT(0), 200, "null");
	check("POST /result/{id}", RESULT(0), 409, "This rank has sent its result of this round already.");
	check("POST /register_job", JOB(2, 3), 422, "\"world_size\"], \"msg\": \"\", \"type\": \"assertion_error\"");
	check("POST /register_job", NULL, 422, "{\"loc\": [\"body\"], \"msg\": \"field required\"");
}
END_TEST

START_TEST(ids_differ_in_one_second)
{
	char first[sizeof id];
	register_job(JOB(2, 2));
	memcpy(first, id, sizeof id);
	register_job(JOB(2, 2));
	ck_assert_str_ne(first, id);
}
END_TEST

START_TEST(errors_stick)
{
	struct other other;
	write_solution("[[('forward', 1410)]]");
	register_job(JOB(2, 2));
	wait_as(&other, 1);
	check("POST /register_rank/{id}", RANK(0, 0), 200, "null");
	check("POST /register_rank/{id}", RANK(1, 1), 200, "null");
	for (int i = 0; i < 2; i++) {
		check("GET /schedule/{id}?rank=0", NULL, 500, "solution.py has the clocks of 1 ranks, but the job has 2");
		check("GET /schedule/{id}?rank=1", NULL, 500, "solution.py has the clocks of 1 ranks, but the job has 2");
	}
	check("POST /result/{id}", RESULT(0), 500, "The job has failed");
	require_answer(&other, PERSEUS__ZEUS_FAILED);
	stop();
	write_solution(solution);
	start();
	check("GET /schedule/{id}?rank=0", NULL, 500, "solution.py has the clocks of 1 ranks, but the job has 2");
}
END_TEST

START_TEST(a_peer_that_goes_is_forgotten)
{
	char target[512];
	struct other other;
	const struct api_client client = client_with(NULL);
	register_two();
	expand("GET /schedule/{id}?rank=0", target, sizeof target);
	api_client_begin(&client, target);
	ck_assert(!reply_is_there());
	api_client_abandon();
	ck_assert_int_eq(reply_wait()->code, 503);
	wait_as(&other, 1);
	ck_assert_int_eq(other.n_answers, 0);
	check("GET /schedule/{id}?rank=0", NULL, 200, FIRST);
	require_schedule(&other, 1);
}
END_TEST

START_TEST(who_waits_at_the_end_is_told)
{
	char target[512];
	const struct api_client client = client_with(NULL);
	register_two();
	expand("GET /schedule/{id}?rank=0", target, sizeof target);
	api_client_begin(&client, target);
	perseus__zeus_end(zeus);
	const struct reply *reply = reply_wait();
	ck_assert_int_eq(reply->code, 503);
	ck_assert(reply->asks_to_retry);
	ck_assert_str_eq(reply->body, "{\"detail\": \"The server is ending.\"}\n");
	check("GET /schedule/{id}?rank=0", NULL, 503, "The server is ending.");
	check("POST /register_job", JOB(2, 2), 503, "The server is ending.");
}
END_TEST

START_TEST(idle_jobs_are_dropped)
{
	struct other other;
	const int64_t week_ns = (int64_t)7 * 24 * 3600 * 1000000000;
	register_two();
	wait_as(&other, 1);
	perseus__zeus_tick(zeus, perseus__clock_mono_ns() + week_ns - 100000000000);
	check("GET /schedule/{id}?rank=0&wait=0", NULL, 200, FIRST);
	perseus__zeus_tick(zeus, perseus__clock_mono_ns() + week_ns + 1000000000);
	require_answer(&other, PERSEUS__ZEUS_UNKNOWN);
	check("GET /schedule/{id}?rank=0", NULL, 404, "is not known");
	stop();
	start();
	check("GET /schedule/{id}?rank=0", NULL, 404, "is not known");
}
END_TEST

START_TEST(without_a_solution_no_job)
{
	stop();
	perseus__free(settings.solution_path);
	settings.solution_path = NULL;
	start();
	check("POST /register_job", JOB(2, 2), 503, "ZEUS_PFO_SCHEDULER_ARGS is not set");
	check("POST /register_job", "{}", 422, "field required");
}
END_TEST

static void
require_file(const char *name, const char *expected)
{
	char path[PATH_BYTES];
	char *bytes = NULL;
	size_t length = 0;
	(void)snprintf(path, sizeof path, "%s/dump/%s/%s", directory, id, name);
	for (int i = 0; i < 10000 && access(path, R_OK) != 0; i++)
		(void)usleep(1000);
	ck_assert_int_eq(perseus__input_file(path, 1 << 20, &bytes, &length, NULL), PERSEUS_OK);
	bytes[length] = '\0';
	ck_assert_str_eq(bytes, expected);
	perseus__free(bytes);
}

#define RANK_DUMP(rank, pp)                                                        \
	"{\"rank\": " #rank ", \"dp_rank\": 0, \"pp_rank\": " #pp ", \"tp_rank\": 0, " \
	"\"available_frequencies\": [1410, 1200]}"
#define RESULT_DUMP(rank)                                                                            \
	"{\"rank\": " #rank ", \"iter_time\": [0.5], \"iter_energy\": [100.0], \"time_breakdown\": {}, " \
	"\"energy_breakdown\": {}}"

START_TEST(leaves_dump_files)
{
	register_two();
	require_file("ranks.json", "[" RANK_DUMP(0, 0) ", " RANK_DUMP(1, 1) "]");
	for (int round = 0; round < 2; round++) {
		char name[32];
		check("POST /result/{id}", RESULT(1), 200, "null");
		check("POST /result/{id}", RESULT(0), 200, "null");
		(void)snprintf(name, sizeof name, "%d.prof.json", round);
		require_file(name, "[" RESULT_DUMP(0) ", " RESULT_DUMP(1) "]");
		(void)snprintf(name, sizeof name, "%d.sched.json", round);
		require_file(name, "[" FIRST ", " SECOND "]");
	}
}
END_TEST

/* Four ranks of two stages. */
START_TEST(stages_share_clocks_and_results)
{
	stop();
	settings.scheduler = PERSEUS__ZEUS_POINT_SOLUTION_3D;
	start();
	register_job("{\"pp_degree\":2,\"dp_degree\":2,\"tp_degree\":1,\"world_size\":4}");
	ck_assert_ptr_nonnull(strstr(id, "+dp2+pp2+tp1+PointSolution3D"));
	check("POST /register_rank/{id}", RANK(0, 2), 422, "[\"body\", \"pp_rank\"]");
	check("POST /register_rank/{id}", RANK(0, 0), 200, "null");
	check("POST /register_rank/{id}", RANK(1, 0), 200, "null");
	check("POST /register_rank/{id}", RANK(2, 1), 200, "null");
	check("POST /register_rank/{id}", RANK(3, 1), 200, "null");
	while (ask("GET /schedule/{id}?rank=0&wait=0", NULL)->code == 409)
		(void)usleep(1000);
	check("GET /schedule/{id}?rank=1&wait=0", NULL, 200,
			"{\"rank\": 1, \"frequencies\": [[\"forward\", 1410], [\"backward\", 0]]}");
	check("GET /schedule/{id}?rank=3&wait=0", NULL, 200, "{\"rank\": 3, \"frequencies\": [[\"forward\", 1200]]}");
	check("POST /result/{id}", RESULT(0), 200, "null");
	check("POST /result/{id}", RESULT(1), 200, "null");
	check("POST /result/{id}", RESULT(2), 200, "null");
	check("POST /result/{id}", "{\"rank\":3,\"iter_time\":[0.7],\"iter_energy\":[50]}", 200, "null");
	require_file("0.stage.json",
			"[{\"rank\": 0, \"iter_time\": [0.5], \"iter_energy\": [200.0], \"time_breakdown\": {}, "
			"\"energy_breakdown\": {}}, {\"rank\": 1, \"iter_time\": [0.7], \"iter_energy\": [150.0], "
			"\"time_breakdown\": {}, \"energy_breakdown\": {}}]");
}
END_TEST

static void
restart(void)
{
	stop();
	/* What is running stays as it was, whatever becomes of the file. */
	write_solution("[]");
	start();
}

START_TEST(a_new_process_takes_up_where_it_was)
{
	struct other other;
	register_job(
			"{\"pp_degree\":2,\"dp_degree\":1,\"tp_degree\":1,\"world_size\":2,\"job_metadata\":\"a/b \xc3\xa9\"}");
	ck_assert_ptr_nonnull(strstr(id, "+a_b \xc3\xa9"));
	check("POST /register_rank/{id}", RANK(0, 0), 200, "null");
	stop();
	start();
	check("POST /register_rank/{id}", RANK(0, 1), 409, "registered already");
	check("POST /register_rank/{id}", RANK(1, 1), 200, "null");
	while (ask("GET /schedule/{id}?rank=0&wait=0", NULL)->code == 409)
		(void)usleep(1000);
	perseus__store_flush(store);
	restart();
	wait_as(&other, 1);
	ck_assert_int_eq(other.n_answers, 0);
	check("GET /schedule/{id}?rank=0", NULL, 200, FIRST);
	require_schedule(&other, 1);
	restart();
	/* The answers may have been lost with the old process: each gets its own again, alone, once. */
	check("GET /schedule/{id}?rank=0", NULL, 200, FIRST);
	check("GET /schedule/{id}?rank=1", NULL, 200, SECOND);
	check("POST /result/{id}", RESULT(0), 200, "null");
	restart();
	check("POST /result/{id}", RESULT(0), 409, "already");
	check("POST /result/{id}", RESULT(1), 200, "null");
	require_file("0.prof.json", "[" RESULT_DUMP(0) ", " RESULT_DUMP(1) "]");
	restart();
	check("POST /result/{id}", RESULT(1), 200, "null");
	wait_as(&other, 0);
	ck_assert_int_eq(other.n_answers, 0);
	check("POST /result/{id}", RESULT(0), 200, "null");
	check("GET /schedule/{id}?rank=1", NULL, 200, SECOND);
	require_schedule(&other, 0);
	require_file("1.prof.json", "[" RESULT_DUMP(0) ", " RESULT_DUMP(1) "]");
}
END_TEST

static enum perseus_status
refuse_row(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	(void)user;
	(void)n_columns;
	(void)err;
	ck_abort_msg("still in the store: %s", columns[0].text);
	return PERSEUS_OK;
}

START_TEST(a_dropped_job_leaves_nothing)
{
	static const char *const collections[] = {"zeus_job", "zeus_rank", "zeus_plan", "zeus_round", "zeus_result"};
	register_two();
	check("POST /result/{id}", RESULT(0), 200, "null");
	check("POST /result/{id}", RESULT(1), 200, "null");
	perseus__zeus_tick(zeus, INT64_MAX);
	perseus__store_flush(store);
	for (size_t i = 0; i < sizeof collections / sizeof *collections; i++)
		ck_assert_int_eq(perseus__store_list_documents(store, collections[i], refuse_row, NULL, NULL), PERSEUS_OK);
}
END_TEST

/* The process died after the last registration, or the last result, and before what follows from it. */
START_TEST(what_follows_from_the_last_is_made_up_for)
{
	register_two();
	check("POST /result/{id}", RESULT(0), 200, "null");
	check("POST /result/{id}", RESULT(1), 200, "null");
	perseus__store_flush(store);
	ck_assert_int_eq(perseus__store_delete_document(store, "zeus_plan", id, NULL, NULL, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__store_delete_document(store, "zeus_round", id, NULL, NULL, NULL), PERSEUS_OK);
	char key[sizeof id + 8];
	for (int rank = 0; rank < 2; rank++) {
		(void)snprintf(key, sizeof key, "%s/%d", id, rank);
		ck_assert_int_eq(perseus__store_delete_document(store, "zeus_result", key, NULL, NULL, NULL), PERSEUS_OK);
	}
	stop();
	start();
	while (ask("GET /schedule/{id}?rank=0&wait=0", NULL)->code == 409)
		(void)usleep(1000);
	check("POST /result/{id}", RESULT(0), 200, "null");
	check("POST /result/{id}", RESULT(1), 200, "null");
	perseus__store_flush(store);
	static const char before[] = "{\"round\": 0, \"is_open\": true}";
	ck_assert_int_eq(perseus__store_put_document(store, "zeus_round", id, before, NULL, NULL, NULL), PERSEUS_OK);
	stop();
	start();
	/* The round that was complete is over, so its results may come again, as those of the next. */
	check("POST /result/{id}", RESULT(0), 200, "null");
	check("POST /result/{id}", RESULT(1), 200, "null");
	require_file("1.prof.json", "[" RESULT_DUMP(0) ", " RESULT_DUMP(1) "]");
}
END_TEST

START_TEST(refuses_a_store_with_something_else)
{
	static const struct {
		const char *collection, *key, *text;
	} rows[] = {
		{"zeus_job", "j", "{}"},
		{"zeus_job", "j", JOB(1, 1)},
		{"zeus_rank", "none/0", RANK(0, 0)},
		{"zeus_plan", "none", "failure\nx"},
		{"zeus_round", "none", "{\"round\": 0, \"is_open\": true}"},
		{"zeus_result", "none/0", RESULT(0) "\n0"},
	};
	struct perseus__zeus *other = NULL;
	struct perseus_error err = {.message = ""};
	char expected[128];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		ck_assert_int_eq(
				perseus__store_put_document(store, rows[i].collection, rows[i].key, rows[i].text, NULL, NULL, NULL),
				PERSEUS_OK);
		perseus__store_flush(store);
		ck_assert_int_eq(perseus__zeus_server_new(&settings, store, &other, &err), PERSEUS_INVALID);
		(void)snprintf(expected, sizeof expected, "the store's %s of %s is not what it should be", rows[i].collection,
				rows[i].key);
		ck_assert_str_eq(err.message, expected);
		ck_assert_ptr_null(other);
		ck_assert_int_eq(
				perseus__store_delete_document(store, rows[i].collection, rows[i].key, NULL, NULL, NULL), PERSEUS_OK);
	}
}
END_TEST

/* What cannot be kept is not acknowledged, and may come again. */
START_TEST(a_full_disk_loses_nothing)
{
	register_job(JOB(2, 2));
	faulty_vfs_set(FAULTY_VFS_FULL);
	check("POST /register_job", JOB(2, 2), 503, "The job cannot be kept: ");
	check("POST /register_rank/{id}", RANK(0, 0), 503, "The rank cannot be kept: ");
	faulty_vfs_set(FAULTY_VFS_NONE);
	check("POST /register_rank/{id}", RANK(0, 1), 200, "null");
	check("POST /register_rank/{id}", RANK(1, 1), 200, "null");
	while (ask("GET /schedule/{id}?rank=0&wait=0", NULL)->code == 409)
		(void)usleep(1000);
	faulty_vfs_set(FAULTY_VFS_FULL);
	check("POST /result/{id}", RESULT(0), 503, "The result cannot be kept: ");
	faulty_vfs_set(FAULTY_VFS_NONE);
	check("POST /result/{id}", RESULT(0), 200, "null");
	/* A round that was never noted is the one of its results. */
	perseus__store_flush(store);
	ck_assert_int_eq(perseus__store_delete_document(store, "zeus_plan", id, NULL, NULL, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__store_delete_document(store, "zeus_round", id, NULL, NULL, NULL), PERSEUS_OK);
	stop();
	start();
	check("POST /register_rank/{id}", RANK(0, 0), 409, "registered already");
	check("POST /result/{id}", RESULT(0), 409, "already");
	check("POST /result/{id}", RESULT(1), 200, "null");
	check("POST /result/{id}", RESULT(1), 200, "null");
	perseus__store_flush(store);
	ck_assert_int_eq(perseus__store_delete_document(store, "zeus_round", id, NULL, NULL, NULL), PERSEUS_OK);
	stop();
	start();
	check("POST /result/{id}", RESULT(1), 409, "already");
	check("POST /result/{id}", RESULT(0), 200, "null");
	require_file("1.prof.json", "[" RESULT_DUMP(0) ", " RESULT_DUMP(1) "]");
}
END_TEST

int
main(void)
{
	faulty_vfs_install();
	Suite *suite = suite_create("zeus_server");
	TCase *tcase = tcase_create("zeus_server");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, answers_all_when_all_have_asked);
	tcase_add_test(tcase, waits_before_all_are_registered);
	tcase_add_test(tcase, refuses_what_cannot_be);
	tcase_add_test(tcase, ids_differ_in_one_second);
	tcase_add_test(tcase, errors_stick);
	tcase_add_test(tcase, a_peer_that_goes_is_forgotten);
	tcase_add_test(tcase, who_waits_at_the_end_is_told);
	tcase_add_test(tcase, idle_jobs_are_dropped);
	tcase_add_test(tcase, without_a_solution_no_job);
	tcase_add_test(tcase, leaves_dump_files);
	tcase_add_test(tcase, stages_share_clocks_and_results);
	tcase_add_test(tcase, a_new_process_takes_up_where_it_was);
	tcase_add_test(tcase, a_dropped_job_leaves_nothing);
	tcase_add_test(tcase, what_follows_from_the_last_is_made_up_for);
	tcase_add_test(tcase, refuses_a_store_with_something_else);
	tcase_add_test(tcase, a_full_disk_loses_nothing);
	return run_suite(suite);
}
