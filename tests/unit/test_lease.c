/*
 * The bookkeeping of leases, against a second one of flags and loops over every sequence of a few steps, and by hand
 * where words and limits count.
 */
#include "agent/lease.h"
#include "suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct perseus__holder
process(uint32_t uid, int32_t pid, uint64_t start_ticks)
{
	return (struct perseus__holder){
		.kind = PERSEUS__HOLDER_PROCESS, .uid = uid, .pid = pid, .start_ticks = start_ticks};
}

static struct perseus__holder
named(enum perseus__holder_kind kind, const char *name)
{
	struct perseus__holder holder = {.kind = kind};
	(void)snprintf(holder.name, sizeof holder.name, "%s", name);
	return holder;
}

/* Every sequence of DEPTH steps of four holders, of three identities, on two settings. */
enum { N_HOLDERS = 4, N_SETTINGS = 2, DEPTH = 4, TTL_NS = 2 };

enum step { WRITE_0, WRITE_1, RENEW, END, N_STEPS };

/* The second bookkeeping. */
struct model {
	struct {
		bool is_there;
		int identity;
		uint32_t settings;
		int64_t ttl_ns;
		int64_t expires_ns;
		uint64_t n_writes;
	} holders[N_HOLDERS];
	int64_t now_ns;
	uint64_t last_id;
};

static struct perseus__holder holders[N_HOLDERS];
static int64_t n_sequences;

static uint32_t
model_settings(const struct model *model)
{
	uint32_t settings = 0;
	for (int i = 0; i < N_HOLDERS; i++)
		if (model->holders[i].is_there)
			settings |= model->holders[i].settings;
	return settings;
}

static void
check_agreement(const struct model *model, struct perseus__lease_book *book)
{
	int64_t next_ns = INT64_MAX;
	int n = 0;
	for (int i = 0; i < N_HOLDERS; i++) {
		const struct perseus__lease_entry *entry = perseus__lease_find(book, &holders[i]);
		ck_assert_int_eq(entry != NULL, model->holders[i].is_there);
		if (!entry)
			continue;
		n++;
		ck_assert_uint_eq(entry->lease.settings, model->holders[i].settings);
		ck_assert_int_eq(entry->lease.expires_ns, model->holders[i].expires_ns);
		ck_assert_uint_eq(entry->lease.n_writes, model->holders[i].n_writes);
		ck_assert_int_eq(entry->lease.device, 7);
		if (model->holders[i].expires_ns < next_ns)
			next_ns = model->holders[i].expires_ns;
	}
	ck_assert_int_eq(book->n, n);
	ck_assert_int_eq(perseus__lease_next_expiry_ns(book), next_ns);
	ck_assert_uint_eq(perseus__lease_settings(book), model_settings(model));
	uint64_t id = 0;
	for (const struct perseus__lease *lease; (lease = perseus__lease_after(book, id)) != NULL; n--) {
		ck_assert_uint_gt(lease->lease_id, id);
		id = lease->lease_id;
	}
	ck_assert_int_eq(n, 0);
}

static void
end(struct model *model, struct perseus__lease_book *book, int i)
{
	const uint32_t before = model_settings(model);
	model->holders[i].is_there = false;
	const uint32_t expected = before & ~model_settings(model);
	ck_assert_uint_eq(perseus__lease_end(book, perseus__lease_find(book, &holders[i])), expected);
}

/* A write or a renewal, of a holder that may have no lease yet. */
static void
use(struct model *model, struct perseus__lease_book *book, int i, enum step step)
{
	const int64_t ttl_ns = holders[i].kind == PERSEUS__HOLDER_PROCESS ? INT64_MAX : TTL_NS;
	struct perseus__lease_entry *entry = perseus__lease_find(book, &holders[i]);
	if (!entry) {
		bool is_free = true;
		for (int other = 0; other < N_HOLDERS; other++)
			if (model->holders[other].is_there && model->holders[other].identity != model->holders[i].identity)
				is_free = false;
		struct perseus_error err = {.message = ""};
		ck_assert_int_eq(perseus__lease_admit(book, &holders[i], &err), is_free ? PERSEUS_OK : PERSEUS_BUSY);
		if (!is_free)
			return;
		entry = perseus__lease_begin(book, &holders[i], ++model->last_id, model->now_ns, ttl_ns);
		model->holders[i].is_there = true;
		model->holders[i].settings = 0;
		model->holders[i].n_writes = 0;
		model->holders[i].ttl_ns = ttl_ns;
	}
	if (step == RENEW) {
		/* Longer from now on, and so are the renewals after it. */
		if (ttl_ns != INT64_MAX)
			model->holders[i].ttl_ns = TTL_NS + 1;
		perseus__lease_renew(entry, model->now_ns, ttl_ns == INT64_MAX ? ttl_ns : TTL_NS + 1);
	} else {
		perseus__lease_wrote(entry, (enum perseus_setting)(step - WRITE_0));
		perseus__lease_renew(entry, model->now_ns, 0);
		model->holders[i].settings |= UINT32_C(1) << (step - WRITE_0);
		model->holders[i].n_writes++;
	}
	const int64_t left_ns = model->holders[i].ttl_ns;
	model->holders[i].expires_ns = left_ns == INT64_MAX ? INT64_MAX : model->now_ns + left_ns;
}

/* Time goes on, and what has expired is ended, one after the other. */
static void
tick(struct model *model, struct perseus__lease_book *book)
{
	model->now_ns++;
	struct perseus__lease_entry *entry;
	while ((entry = perseus__lease_ended(book, model->now_ns)) != NULL) {
		int i = 0;
		while (!perseus__holder_is_same(&holders[i], &entry->lease.holder))
			i++;
		ck_assert_int_le(model->holders[i].expires_ns, model->now_ns);
		end(model, book, i);
	}
	for (int i = 0; i < N_HOLDERS; i++)
		ck_assert(!model->holders[i].is_there || model->holders[i].expires_ns > model->now_ns);
}

/* A book is large and mostly empty. */
static void
copy_book(struct perseus__lease_book *to, const struct perseus__lease_book *from)
{
	to->device = from->device;
	to->gpu = from->gpu;
	to->n = from->n;
	memcpy(to->entries, from->entries, (size_t)from->n * sizeof from->entries[0]);
}

static void
explore(const struct model *model, const struct perseus__lease_book *book, int depth)
{
	static struct perseus__lease_book books[DEPTH];
	if (depth == DEPTH) {
		n_sequences++;
		return;
	}
	for (int i = 0; i < N_HOLDERS * N_STEPS + 1; i++) {
		struct model next = *model;
		copy_book(&books[depth], book);
		const int holder = i / N_STEPS;
		const enum step step = (enum step)(i % N_STEPS);
		if (holder == N_HOLDERS)
			tick(&next, &books[depth]);
		else if (step != END)
			use(&next, &books[depth], holder, step);
		else if (next.holders[holder].is_there)
			end(&next, &books[depth], holder);
		else
			continue;
		check_agreement(&next, &books[depth]);
		explore(&next, &books[depth], depth + 1);
	}
}

START_TEST(agrees_with_a_second_bookkeeping)
{
	struct model model = {.now_ns = 100};
	static struct perseus__lease_book book;
	holders[0] = process(1000, 10, 5);
	holders[1] = process(1000, 11, 5);
	holders[2] = named(PERSEUS__HOLDER_TOKEN, "alice");
	holders[3] = named(PERSEUS__HOLDER_PEER, "alice");
	model.holders[2].identity = 1;
	model.holders[3].identity = 2;
	perseus__lease_book_init(&book, 7, 3);
	explore(&model, &book, 0);
	ck_assert_int_gt(n_sequences, 30000);
}
END_TEST

static const struct {
	const char *name;
	bool is_same;
	bool is_one_identity;
	struct perseus__holder a;
	struct perseus__holder b;
} pairs[] = {
	{"itself", true, true, {.kind = PERSEUS__HOLDER_PROCESS, .uid = 1, .pid = 2, .start_ticks = 3},
		{.kind = PERSEUS__HOLDER_PROCESS, .uid = 1, .pid = 2, .start_ticks = 3}},
	{"a process of the same user", false, true, {.kind = PERSEUS__HOLDER_PROCESS, .uid = 1, .pid = 2, .start_ticks = 3},
		{.kind = PERSEUS__HOLDER_PROCESS, .uid = 1, .pid = 4, .start_ticks = 3}},
	{"its number used again", false, true, {.kind = PERSEUS__HOLDER_PROCESS, .uid = 1, .pid = 2, .start_ticks = 3},
		{.kind = PERSEUS__HOLDER_PROCESS, .uid = 1, .pid = 2, .start_ticks = 4}},
	{"another user", false, false, {.kind = PERSEUS__HOLDER_PROCESS, .uid = 1, .pid = 2, .start_ticks = 3},
		{.kind = PERSEUS__HOLDER_PROCESS, .uid = 2, .pid = 2, .start_ticks = 3}},
	{"a token of the same subject", true, true, {.kind = PERSEUS__HOLDER_TOKEN, .name = "a"},
		{.kind = PERSEUS__HOLDER_TOKEN, .name = "a"}},
	{"a longer subject", false, false, {.kind = PERSEUS__HOLDER_TOKEN, .name = "a"},
		{.kind = PERSEUS__HOLDER_TOKEN, .name = "ab"}},
	{"a peer called like a subject", false, false, {.kind = PERSEUS__HOLDER_TOKEN, .name = "a"},
		{.kind = PERSEUS__HOLDER_PEER, .name = "a"}},
};

START_TEST(tells_holders_apart)
{
	ck_assert_msg(perseus__holder_is_same(&pairs[_i].a, &pairs[_i].b) == pairs[_i].is_same, "%s", pairs[_i].name);
	ck_assert_msg(perseus__holder_is_one_identity(&pairs[_i].a, &pairs[_i].b) == pairs[_i].is_one_identity, "%s",
			pairs[_i].name);
}
END_TEST

START_TEST(says_who_holds)
{
	static struct perseus__lease_book book;
	struct perseus_error err;
	perseus__lease_book_init(&book, 7, 3);
	const struct perseus__holder first = process(1000, 4242, 1);
	const struct perseus__holder other = named(PERSEUS__HOLDER_TOKEN, "alice");
	(void)perseus__lease_begin(&book, &first, 1, 0, INT64_MAX);
	ck_assert_int_eq(perseus__lease_admit(&book, &other, &err), PERSEUS_BUSY);
	ck_assert_str_eq(err.message, "GPU 3 is held by process 4242 of user 1000");
	ck_assert_uint_eq(perseus__lease_end(&book, perseus__lease_find(&book, &first)), 0);
	(void)perseus__lease_begin(&book, &other, 2, 0, 10);
	ck_assert_int_eq(perseus__lease_admit(&book, &first, &err), PERSEUS_BUSY);
	ck_assert_str_eq(err.message, "GPU 3 is held by token alice");
}
END_TEST

START_TEST(has_room_for_so_many)
{
	static struct perseus__lease_book book;
	struct perseus_error err;
	perseus__lease_book_init(&book, 0, 0);
	for (int32_t i = 1; i <= PERSEUS__LEASE_MAX_HOLDERS; i++) {
		const struct perseus__holder holder = process(1, i, 1);
		ck_assert_int_eq(perseus__lease_admit(&book, &holder, &err), PERSEUS_OK);
		(void)perseus__lease_begin(&book, &holder, (uint64_t)i, 0, INT64_MAX);
	}
	const struct perseus__holder one_more = process(1, 1000, 1);
	ck_assert_int_eq(perseus__lease_admit(&book, &one_more, &err), PERSEUS_BUSY);
	ck_assert_str_eq(err.message, "GPU 0 is held by 64 holders, the most there can be");
}
END_TEST

START_TEST(ends_what_is_over_whatever_its_time)
{
	static struct perseus__lease_book book;
	perseus__lease_book_init(&book, 0, 0);
	const struct perseus__holder holder = process(1, 2, 3);
	struct perseus__lease_entry *entry = perseus__lease_begin(&book, &holder, 1, 0, INT64_MAX);
	ck_assert_int_eq(entry->lease.expires_ns, INT64_MAX);
	ck_assert_ptr_null(perseus__lease_ended(&book, INT64_MAX - 1));
	entry->is_over = true;
	ck_assert_ptr_eq(perseus__lease_ended(&book, 0), entry);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("lease");
	TCase *tcase = tcase_create("lease");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, agrees_with_a_second_bookkeeping);
	tcase_add_loop_test(tcase, tells_holders_apart, 0, sizeof pairs / sizeof *pairs);
	tcase_add_test(tcase, says_who_holds);
	tcase_add_test(tcase, has_room_for_so_many);
	tcase_add_test(tcase, ends_what_is_over_whatever_its_time);
	return run_suite(suite);
}
