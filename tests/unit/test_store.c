/*
 * The store of the job server: what is acknowledged is there after a kill -9; what is wrong with a file is said, and
 * the file is left as it is; a fault fails the writes under way and passes.
 */
#include "faulty_vfs.h"
#include "server/store.h"
#include "server/store_internal.h"
#include "suite.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 128, NOBODY = 65534 };

static char directory[64];
static char path[PATH_BYTES];

static void
make_directory(void)
{
	(void)snprintf(directory, sizeof directory, "/tmp/test-store-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof path, "%s/jobs.db", directory);
}

static void
remove_directory(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char name[PATH_BYTES + 8];
		(void)snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		(void)remove(name);
	}
	(void)rmdir(directory);
}

static struct perseus__store *
open_store(void)
{
	struct perseus__store *store = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__store_open(path, &store, &err) == PERSEUS_OK, "%s", err.message);
	return store;
}

static void
require_refused(enum perseus_status status, const char *before, const char *behind)
{
	struct perseus__store *store = NULL;
	struct perseus_error err = {.message = ""};
	char message[512];
	(void)snprintf(message, sizeof message, "%s%s%s", before, path, behind);
	const enum perseus_status found = perseus__store_open(path, &store, &err);
	ck_assert_str_eq(err.message, message);
	ck_assert_int_eq(found, status);
	ck_assert_ptr_null(store);
}

/* What became of a write. */
struct outcome {
	int n_calls;
	struct perseus_error err; /* status OK: durable */
};

static void
note(void *user, const struct perseus_error *err)
{
	struct outcome *outcome = user;
	outcome->n_calls++;
	outcome->err = err ? *err : (struct perseus_error){.status = PERSEUS_OK};
}

static void
put(struct perseus__store *store, const char *key, const char *text, struct outcome *outcome)
{
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__store_put_document(store, "test", key, text, note, outcome, &err) == PERSEUS_OK, "%s",
			err.message);
}

static enum perseus_status
add_line(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	(void)err;
	char *lines = user;
	ck_assert_int_eq(n_columns, 2);
	const size_t length = strlen(lines);
	(void)snprintf(lines + length, 4096 - length, "%s=%s;", columns[0].text, columns[1].text);
	return PERSEUS_OK;
}

static void
require_documents(struct perseus__store *store, const char *expected)
{
	char lines[4096] = "";
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__store_list_documents(store, "test", add_line, lines, &err) == PERSEUS_OK, "%s", err.message);
	ck_assert_str_eq(lines, expected);
}

START_TEST(keeps_documents)
{
	struct perseus__store *store = open_store();
	struct outcome outcomes[5] = {{.n_calls = 0}};
	put(store, "b", "2", &outcomes[0]);
	put(store, "a", "1", &outcomes[1]);
	put(store, "b", "3", &outcomes[2]);
	put(store, "c", "", &outcomes[3]);
	struct perseus_error err;
	ck_assert_int_eq(perseus__store_delete_document(store, "test", "nothing", note, &outcomes[4], &err), PERSEUS_OK);
	perseus__store_flush(store);
	for (size_t i = 0; i < 5; i++) {
		ck_assert_int_eq(outcomes[i].n_calls, 1);
		ck_assert_int_eq(outcomes[i].err.status, PERSEUS_OK);
	}
	require_documents(store, "a=1;b=3;c=;");
	char lines[4096] = "";
	ck_assert_int_eq(perseus__store_get_document(store, "test", "b", add_line, lines, &err), PERSEUS_OK);
	ck_assert_str_eq(lines, "b=3;");
	perseus__store_close(store);
	store = open_store();
	require_documents(store, "a=1;b=3;c=;");
	ck_assert_int_eq(perseus__store_delete_document(store, "test", "b", note, &outcomes[0], &err), PERSEUS_OK);
	perseus__store_flush(store);
	require_documents(store, "a=1;c=;");
	struct perseus__store_state state;
	perseus__store_state(store, &state);
	ck_assert(state.is_writable);
	ck_assert_uint_eq(state.n_writes, 1);
	ck_assert_uint_eq(state.n_waiting, 0);
	perseus__store_close(store);
}
END_TEST

/* Of one write all changes are made or none, and a write at fault by itself takes no other along. */
START_TEST(makes_all_changes_or_none)
{
	struct perseus__store *store = open_store();
	struct outcome outcomes[3] = {{.n_calls = 0}};
	struct perseus_error err;
	const struct perseus__value rank[] = {perseus__value_text("no such job"), perseus__value_integer(0)};
	for (size_t i = 0; i < 3; i++) {
		struct perseus__write *write = perseus__write_new();
		perseus__write_put_document(write, "test", i == 0 ? "a" : i == 1 ? "b" : "c", "x", 1);
		if (i == 1)
			perseus__write_add(write, "INSERT INTO ranks VALUES (?, ?, '{}', 0)", rank, 2);
		ck_assert_int_eq(perseus__store_submit(store, write, note, &outcomes[i], &err), PERSEUS_OK);
	}
	perseus__store_flush(store);
	ck_assert_int_eq(outcomes[0].err.status, PERSEUS_OK);
	ck_assert_int_eq(outcomes[1].err.status, PERSEUS_INTERNAL);
	ck_assert_ptr_nonnull(strstr(outcomes[1].err.message, "FOREIGN KEY"));
	ck_assert_int_eq(outcomes[2].err.status, PERSEUS_OK);
	require_documents(store, "a=x;c=x;");
	/* Nor does it say that the store cannot be written to. */
	struct perseus__write *write = perseus__write_new();
	perseus__write_add(write, "INSERT INTO ranks VALUES (?, ?, '{}', 0)", rank, 2);
	ck_assert_int_eq(perseus__store_submit(store, write, note, &outcomes[1], &err), PERSEUS_OK);
	perseus__store_flush(store);
	struct perseus__store_state state;
	perseus__store_state(store, &state);
	ck_assert_int_eq(outcomes[1].n_calls, 2);
	ck_assert(state.is_writable);
	perseus__store_close(store);
}
END_TEST

static void
tell(void *user, const struct perseus_error *err)
{
	const int *fd = user;
	if (!err && write(*fd, "x", 1) != 1)
		_exit(3);
}

/* Writes documents 0, 1, ... until it is killed, and tells of each that is durable. */
static void
write_until_killed(int fd)
{
	struct perseus__store *store = open_store();
	for (int i = 0;; i++) {
		char key[16];
		struct perseus_error err;
		(void)snprintf(key, sizeof key, "%08d", i);
		if (perseus__store_put_document(store, "test", key, key, tell, &fd, &err) != PERSEUS_OK)
			_exit(4);
		if (i % 100 == 99)
			perseus__store_flush(store);
	}
}

static enum perseus_status
count_in_order(void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err)
{
	(void)n_columns;
	(void)err;
	int *n = user;
	char key[16];
	(void)snprintf(key, sizeof key, "%08d", *n);
	ck_assert_str_eq(columns[0].text, key);
	++*n;
	return PERSEUS_OK;
}

START_TEST(loses_nothing_acknowledged_to_a_kill)
{
	int ends[2];
	ck_assert_int_eq(pipe(ends), 0);
	const pid_t child = fork();
	if (child == 0) {
		(void)close(ends[0]);
		write_until_killed(ends[1]);
	}
	(void)close(ends[1]);
	int n_told = 0;
	char byte;
	while (n_told < 500 + _i * 37 && read(ends[0], &byte, 1) == 1)
		n_told++;
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	while (read(ends[0], &byte, 1) == 1)
		n_told++;
	int status = 0;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	(void)close(ends[0]);
	struct perseus__store *store = open_store();
	int n_found = 0;
	struct perseus_error err;
	ck_assert_int_eq(perseus__store_list_documents(store, "test", count_in_order, &n_found, &err), PERSEUS_OK);
	ck_assert_int_ge(n_found, n_told);
	perseus__store_close(store);
}
END_TEST

START_TEST(is_of_one_server)
{
	struct perseus__store *store = open_store();
	require_refused(PERSEUS_BUSY, "the store ", " is in use by another server");
	perseus__store_close(store);
	perseus__store_close(open_store());
}
END_TEST

static void
write_file(const char *bytes, size_t length)
{
	FILE *file = fopen(path, "wb");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, length, file), length);
	ck_assert_int_eq(fclose(file), 0);
}

static size_t
read_file(char *bytes, size_t size)
{
	FILE *file = fopen(path, "rb");
	ck_assert_ptr_nonnull(file);
	const size_t length = fread(bytes, 1, size, file);
	ck_assert_int_eq(fclose(file), 0);
	return length;
}

static void
execute(const char *sql)
{
	sqlite3 *database = NULL;
	ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

/* What is no store, or not of this version, is refused, and not a byte of it is changed. */
static const struct {
	const char *sql; /* NULL: the file is `text` */
	const char *text;
	const char *before;
	const char *behind;
} others[] = {
	{NULL, "This is a text of which nobody would think that it is a database, and it is long enough to be sure.\n", "",
		" is no store of jobs: it is no SQLite database"},
	{"CREATE TABLE t (x)", NULL, "", " is no store of jobs: it is a database of another program"},
	{"PRAGMA application_id = 1347572549", NULL, "", " is no store of jobs: it is a database of another program"},
	{"PRAGMA application_id = 1347572563; PRAGMA user_version = 2", NULL, "the store ",
		" is of version 2, from a later perseus; this one reads up to version 1"},
};

START_TEST(leaves_alone_what_is_no_store)
{
	static char before[1 << 16], after[1 << 16];
	if (others[_i].sql)
		execute(others[_i].sql);
	else
		write_file(others[_i].text, strlen(others[_i].text));
	const size_t length = read_file(before, sizeof before);
	require_refused(PERSEUS_INVALID, others[_i].before, others[_i].behind);
	ck_assert_uint_eq(read_file(after, sizeof after), length);
	ck_assert_mem_eq(before, after, length);
}
END_TEST

START_TEST(says_where_it_cannot_be)
{
	(void)snprintf(path, sizeof path, "%s/nowhere/jobs.db", directory);
	struct perseus__store *store = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__store_open(path, &store, &err), PERSEUS_IO);
	ck_assert_ptr_nonnull(strstr(err.message, path));
	ck_assert_ptr_nonnull(strstr(err.message, "No such file"));
	(void)snprintf(path, sizeof path, "%s/jobs.db", directory);
}
END_TEST

START_TEST(says_that_it_may_not_write)
{
	perseus__store_close(open_store());
	ck_assert_int_eq(chmod(path, 0444), 0);
	if (geteuid() == 0) {
		char lock[PATH_BYTES + 8];
		(void)snprintf(lock, sizeof lock, "%s.lock", path);
		ck_assert_int_eq(chmod(directory, 0777), 0);
		ck_assert_int_eq(chmod(lock, 0666), 0);
		ck_assert_int_eq(seteuid(NOBODY), 0);
	}
	require_refused(PERSEUS_DENIED, "cannot write to the store ", ": it is read-only");
	if (getuid() == 0)
		ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static const struct {
	enum faulty_vfs_fault fault;
	enum perseus_status status;
	const char *text;
} faults[] = {
	{FAULTY_VFS_FULL, PERSEUS_IO, "its disk is full"},
	{FAULTY_VFS_READ_ONLY, PERSEUS_DENIED, "it is read-only"},
	{FAULTY_VFS_BROKEN, PERSEUS_IO, "cannot read or write"},
};

/* Writes fail while the fault lasts, reads go on where they can, and afterwards all is as if nothing had been. */
START_TEST(outlives_a_fault)
{
	struct perseus__store *store = open_store();
	struct outcome before = {.n_calls = 0}, during = {.n_calls = 0}, behind = {.n_calls = 0};
	put(store, "before", "1", &before);
	perseus__store_flush(store);
	faulty_vfs_set(faults[_i].fault);
	struct perseus__store_state state;
	for (int n = 1; n <= 3; n++) {
		put(store, "during", "1", &during);
		perseus__store_flush(store);
		ck_assert_int_eq(during.n_calls, n);
		ck_assert_msg(during.err.status == faults[_i].status, "%s", during.err.message);
		ck_assert_msg(strstr(during.err.message, faults[_i].text) != NULL, "%s", during.err.message);
		perseus__store_state(store, &state);
		ck_assert(!state.is_writable);
		ck_assert_str_eq(state.fault.message, during.err.message);
		ck_assert_uint_eq(state.n_failed, (uint64_t)n);
	}
	if (faults[_i].fault != FAULTY_VFS_BROKEN)
		require_documents(store, "before=1;");
	faulty_vfs_set(FAULTY_VFS_NONE);
	put(store, "behind", "1", &behind);
	perseus__store_flush(store);
	ck_assert_msg(behind.err.status == PERSEUS_OK, "%s", behind.err.message);
	perseus__store_state(store, &state);
	ck_assert(state.is_writable);
	require_documents(store, "before=1;behind=1;");
	perseus__store_close(store);
	store = open_store();
	require_documents(store, "before=1;behind=1;");
	perseus__store_close(store);
}
END_TEST

/* A file that rots under the server: what needs the rotten part is refused with a word of it. */
START_TEST(says_what_is_damaged)
{
	struct outcome outcome = {.n_calls = 0};
	struct perseus__store *store = open_store();
	for (int i = 0; i < 2000; i++) {
		char key[16];
		(void)snprintf(key, sizeof key, "%d", i);
		put(store, key, "some text that takes room", &outcome);
	}
	perseus__store_close(store);
	FILE *file = fopen(path, "r+b");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, 0, SEEK_END), 0);
	const long size = ftell(file);
	for (long offset = 4096; offset < size; offset += 4096) {
		ck_assert_int_eq(fseek(file, offset, SEEK_SET), 0);
		ck_assert_uint_eq(fwrite("rotten!!", 1, 8, file), 8);
	}
	ck_assert_int_eq(fclose(file), 0);
	struct perseus_error err = {.message = ""};
	char lines[4096] = "";
	enum perseus_status status = perseus__store_open(path, &store, &err);
	if (status == PERSEUS_OK) {
		status = perseus__store_list_documents(store, "test", add_line, lines, &err);
		put(store, "new", "text", &outcome);
		perseus__store_flush(store);
		ck_assert_int_eq(outcome.err.status, PERSEUS_INVALID);
		ck_assert_ptr_nonnull(strstr(outcome.err.message, "is damaged"));
		perseus__store_close(store);
	}
	ck_assert_int_eq(status, PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, "is damaged") != NULL, "%s", err.message);
}
END_TEST

int
main(void)
{
	faulty_vfs_install();
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");
	suite_add_tcase(suite, tcase);
	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, make_directory, remove_directory);
	tcase_add_test(tcase, keeps_documents);
	tcase_add_test(tcase, makes_all_changes_or_none);
	tcase_add_loop_test(tcase, loses_nothing_acknowledged_to_a_kill, 0, 8);
	tcase_add_test(tcase, is_of_one_server);
	tcase_add_loop_test(tcase, leaves_alone_what_is_no_store, 0, sizeof others / sizeof *others);
	tcase_add_test(tcase, says_where_it_cannot_be);
	tcase_add_test(tcase, says_that_it_may_not_write);
	tcase_add_loop_test(tcase, outlives_a_fault, 0, sizeof faults / sizeof *faults);
	tcase_add_test(tcase, says_what_is_damaged);
	return run_suite(suite);
}
