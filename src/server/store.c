/* Opening and closing the store, and the thread that writes to it. */
#include "server/store.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "server/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_WRITES_PER_COMMIT = 8192, MAX_WAITING_BYTES = 256 << 20, MAX_PATH_BYTES = 4096 };

/* Whether an error is of the whole file, so that trying each write alone would only fail as often. */
static bool
is_fault(int code)
{
	switch (code & 0xff) {
	case SQLITE_NOMEM:
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_FULL:
	case SQLITE_READONLY:
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
	case SQLITE_IOERR:
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
		return true;
	default:
		return false;
	}
}

static int
apply(struct perseus__connection *connection, struct perseus__write *write)
{
	for (size_t i = 0; i < write->n_values; i++)
		if (write->values[i].type == PERSEUS__VALUE_TEXT)
			write->values[i].text = write->bytes + write->values[i].integer;
	for (size_t i = 0; i < write->n_changes; i++) {
		const struct perseus__change *change = &write->changes[i];
		int code = SQLITE_OK;
		sqlite3_stmt *statement = perseus__connection_statement(
				connection, change->sql, write->values + change->first_value, change->n_values, &code);
		if (statement) {
			do
				code = sqlite3_step(statement);
			while (code == SQLITE_ROW);
			(void)sqlite3_reset(statement);
		}
		if (code != SQLITE_DONE)
			return code;
	}
	return SQLITE_OK;
}

/* Commits the writes from `first` up to `end` (NULL: all) in one transaction. On failure none is made. */
static int
commit(struct perseus__connection *connection, struct perseus__write *first, const struct perseus__write *end,
		struct perseus_error *err)
{
	int code = sqlite3_exec(connection->database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	for (struct perseus__write *write = first; write != end && code == SQLITE_OK; write = write->next)
		code = apply(connection, write);
	if (code == SQLITE_OK)
		code = sqlite3_exec(connection->database, "COMMIT", NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return SQLITE_OK;
	(void)perseus__connection_fail(connection, code, err);
	if (!sqlite3_get_autocommit(connection->database))
		(void)sqlite3_exec(connection->database, "ROLLBACK", NULL, NULL, NULL);
	return code;
}

/*
 * Tells the writes from `first` up to `end` what became of them, and frees them. What is at fault by itself says
 * nothing of the store.
 */
static void
answer(struct perseus__store *store, struct perseus__write *first, const struct perseus__write *end, int code,
		const struct perseus_error *failure)
{
	const struct perseus_error *err = code == SQLITE_OK ? NULL : failure;
	uint64_t n = 0;
	for (const struct perseus__write *write = first; write != end; write = write->next)
		n++;
	(void)pthread_mutex_lock(&store->mutex);
	if (!err)
		store->state.is_writable = true;
	else if (is_fault(code)) {
		store->state.is_writable = false;
		store->state.fault = *err;
	}
	if (err) {
		store->state.n_failed += n;
	} else {
		store->state.n_writes += n;
		store->state.n_commits++;
	}
	(void)pthread_mutex_unlock(&store->mutex);
	while (first != end) {
		struct perseus__write *write = first;
		first = write->next;
		if (write->done)
			write->done(write->user, err);
		perseus__write_free(write);
	}
}

/* All of them at once; where one is at fault by itself, each alone, so that it takes no other along. */
static void
write_all(struct perseus__store *store, struct perseus__write *first)
{
	struct perseus_error err = {.status = PERSEUS_OK};
	int code = commit(&store->writer, first, NULL, &err);
	if (code == SQLITE_OK || is_fault(code) || !first->next) {
		answer(store, first, NULL, code, &err);
		return;
	}
	while (first) {
		struct perseus__write *next = first->next;
		code = commit(&store->writer, first, next, &err);
		answer(store, first, next, code, &err);
		first = next;
	}
}

/* Takes what waits; NULL where nothing will come any more. */
static struct perseus__write *
take(struct perseus__store *store)
{
	(void)pthread_mutex_lock(&store->mutex);
	store->is_writing = false;
	while ((!store->first || store->is_held) && !store->is_ending) {
		(void)pthread_cond_broadcast(&store->idle);
		(void)pthread_cond_wait(&store->wake, &store->mutex);
	}
	struct perseus__write *first = store->first, *last = first;
	for (int n = 1; last && n < MAX_WRITES_PER_COMMIT && last->next; n++)
		last = last->next;
	if (last) {
		store->first = last->next;
		last->next = NULL;
		if (!store->first)
			store->last = NULL;
	}
	for (const struct perseus__write *write = first; write; write = write->next) {
		store->n_bytes -= write->n_bytes;
		store->state.n_waiting--;
	}
	store->is_writing = first != NULL;
	if (!first)
		(void)pthread_cond_broadcast(&store->idle);
	(void)pthread_mutex_unlock(&store->mutex);
	return first;
}

static void *
run(void *user)
{
	struct perseus__store *store = user;
	struct perseus__write *first = NULL;
	while ((first = take(store)))
		write_all(store, first);
	return NULL;
}

enum perseus_status
perseus__store_submit(struct perseus__store *store, struct perseus__write *write, perseus__write_done *done, void *user,
		struct perseus_error *err)
{
	if (!write || write->failed) {
		perseus__write_free(write);
		return perseus__no_memory(err);
	}
	write->done = done;
	write->user = user;
	(void)pthread_mutex_lock(&store->mutex);
	const bool has_room = !store->is_ending && store->n_bytes + write->n_bytes <= MAX_WAITING_BYTES;
	if (has_room) {
		if (store->last)
			store->last->next = write;
		else
			store->first = write;
		store->last = write;
		store->n_bytes += write->n_bytes;
		store->state.n_waiting++;
		(void)pthread_cond_signal(&store->wake);
	}
	(void)pthread_mutex_unlock(&store->mutex);
	if (has_room)
		return PERSEUS_OK;
	perseus__write_free(write);
	return perseus__fail(err, PERSEUS_BUSY, "too much waits to be written to the store %s", store->path);
}

void
perseus__store_hold(struct perseus__store *store)
{
	(void)pthread_mutex_lock(&store->mutex);
	store->is_held = true;
	perseus__connection_set_folds(&store->writer, false);
	(void)pthread_mutex_unlock(&store->mutex);
}

void
perseus__store_let_go(struct perseus__store *store, bool is_written)
{
	struct perseus__write *dropped = NULL;
	struct perseus_error err;
	(void)perseus__fail(&err, PERSEUS_CANCELLED, "nothing is written to the store %s", store->path);
	(void)pthread_mutex_lock(&store->mutex);
	if (store->is_held && is_written) {
		perseus__connection_set_folds(&store->writer, true);
	} else if (store->is_held) {
		dropped = store->first;
		store->first = store->last = NULL;
		store->n_bytes = store->state.n_waiting = 0;
	}
	store->is_held = false;
	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->mutex);
	answer(store, dropped, NULL, SQLITE_ABORT, &err);
}

void
perseus__store_flush(struct perseus__store *store)
{
	(void)pthread_mutex_lock(&store->mutex);
	while (store->first || store->is_writing)
		(void)pthread_cond_wait(&store->idle, &store->mutex);
	(void)pthread_mutex_unlock(&store->mutex);
}

void
perseus__store_state(struct perseus__store *store, struct perseus__store_state *state)
{
	(void)pthread_mutex_lock(&store->mutex);
	*state = store->state;
	(void)pthread_mutex_unlock(&store->mutex);
}

/* The kernel lets the lock go when the process dies, however it does. */
static enum perseus_status
lock_file(struct perseus__store *store, struct perseus_error *err)
{
	struct perseus__text path = perseus__text_init(MAX_PATH_BYTES);
	perseus__text_addf(&path, "%s.lock", store->path);
	if (path.failed) {
		perseus__text_fini(&path);
		return perseus__fail(err, PERSEUS_INVALID, "the path of the store is too long");
	}
	store->lock_fd = open(path.bytes, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const int open_errno = errno;
	enum perseus_status status = PERSEUS_OK;
	if (store->lock_fd < 0)
		status = perseus__fail(err, open_errno == EACCES || open_errno == EROFS ? PERSEUS_DENIED : PERSEUS_IO,
				"cannot open %s: %s", path.bytes, strerror(open_errno));
	else if (flock(store->lock_fd, LOCK_EX | LOCK_NB) != 0)
		status = errno == EWOULDBLOCK
				? perseus__fail(err, PERSEUS_BUSY, "the store %s is in use by another server", store->path)
				: perseus__fail(err, PERSEUS_IO, "cannot lock %s: %s", path.bytes, strerror(errno));
	perseus__text_fini(&path);
	return status;
}

static enum perseus_status
prepare(struct perseus__store *store, struct perseus_error *err)
{
	enum perseus_status status = lock_file(store, err);
	if (status == PERSEUS_OK)
		status = perseus__connection_open_writer(&store->writer, store->path, err);
	if (status == PERSEUS_OK)
		status = perseus__connection_open_reader(&store->reader, store->path, err);
	if (status != PERSEUS_OK)
		return status;
	const int code = pthread_create(&store->thread, NULL, run, store);
	return code == 0 ? PERSEUS_OK : perseus__fail(err, PERSEUS_IO, "cannot start a thread: %s", strerror(code));
}

static void
destroy(struct perseus__store *store)
{
	perseus__connection_close(&store->reader);
	perseus__connection_close(&store->writer);
	if (store->lock_fd >= 0)
		(void)close(store->lock_fd);
	(void)pthread_mutex_destroy(&store->mutex);
	(void)pthread_mutex_destroy(&store->read_mutex);
	(void)pthread_cond_destroy(&store->wake);
	(void)pthread_cond_destroy(&store->idle);
	perseus__free(store->path);
	perseus__free(store);
}

enum perseus_status
perseus__store_open(const char *path, struct perseus__store **out, struct perseus_error *err)
{
	struct perseus__store *store = perseus__new_array(1, sizeof *store);
	if (!store)
		return perseus__no_memory(err);
	store->lock_fd = -1;
	store->state.is_writable = true;
	(void)pthread_mutex_init(&store->mutex, NULL);
	(void)pthread_mutex_init(&store->read_mutex, NULL);
	(void)pthread_cond_init(&store->wake, NULL);
	(void)pthread_cond_init(&store->idle, NULL);
	store->path = perseus__copy_string(path);
	const enum perseus_status status = store->path ? prepare(store, err) : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		*out = store;
	else
		destroy(store);
	return status;
}

void
perseus__store_close(struct perseus__store *store)
{
	if (!store)
		return;
	perseus__store_let_go(store, false);
	(void)pthread_mutex_lock(&store->mutex);
	store->is_ending = true;
	(void)pthread_cond_signal(&store->wake);
	(void)pthread_mutex_unlock(&store->mutex);
	(void)pthread_join(store->thread, NULL);
	destroy(store);
}
