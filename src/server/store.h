/*
 * What the job server keeps: one SQLite file (WAL), written by one thread that commits whatever has come in meanwhile
 * at once, and tells each writer when its changes are durable.
 *
 * Durable means against the death of the process, kill -9 included: synchronous is NORMAL, so that a commit costs a
 * write and no flush. After a power failure the last commits may be missing; the file is whole even then.
 *
 * A fault while running (disk full, read-only, damaged) fails the writes under way and nothing else: what was committed
 * stays, later writes are tried anew, and succeed once the fault is gone.
 */
#ifndef PERSEUS_SERVER_STORE_H
#define PERSEUS_SERVER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

struct perseus__store;

/*
 * Opens the store in the file `path`, which is made where it is not there (its directory must be), and brought up to
 * this version where it is of an earlier one. One process at a time: `path`.lock is locked until it is closed.
 * Errors, all with the path: IO, DENIED, NO_MEMORY; BUSY where another process has it; INVALID for a file that is no
 * store, is damaged, or is of a later version. Nothing is written to such a file.
 */
PERSEUS_MUST_USE enum perseus_status perseus__store_open(
		const char *path, struct perseus__store **out, struct perseus_error *err);

/* Commits what was submitted, calls what waits for it, and closes. NULL is fine. */
void perseus__store_close(struct perseus__store *store);

/*
 * Before anything is submitted: what is submitted from now on waits, so that who takes up what is in the store and
 * finds it damaged has not written to it meanwhile. Then perseus__store_let_go: it is written, or else it is dropped,
 * its `done` hears CANCELLED in the calling thread, and the files stay as they are. Without a hold that does nothing.
 */
void perseus__store_hold(struct perseus__store *store);
void perseus__store_let_go(struct perseus__store *store, bool is_written);

/* A parameter of a statement, or a column of a row. */
enum perseus__value_type { PERSEUS__VALUE_NULL, PERSEUS__VALUE_INTEGER, PERSEUS__VALUE_REAL, PERSEUS__VALUE_TEXT };

struct perseus__value {
	enum perseus__value_type type;
	int64_t integer;
	double real;
	const char *text; /* `length` bytes, and a NUL behind them; borrowed */
	size_t length;
};

struct perseus__value perseus__value_integer(int64_t integer);
struct perseus__value perseus__value_real(double real);      /* NULL where it is not finite */
struct perseus__value perseus__value_text(const char *text); /* NULL for NULL */
struct perseus__value perseus__value_bytes(const char *bytes, size_t length);

/* Changes that are made together or not at all. */
struct perseus__write;

/* NULL where there is no memory; perseus__write_add and perseus__store_submit take that. */
struct perseus__write *perseus__write_new(void);
void perseus__write_free(struct perseus__write *write);

/*
 * Adds a statement with `n` parameters, which are copied. `sql` is a constant text that outlives the store: it is
 * prepared once. A lack of memory shows when the write is submitted.
 */
void perseus__write_add(struct perseus__write *write, const char *sql, const struct perseus__value *values, size_t n);

/* `err` is NULL where the changes are durable. Called from the store's thread, in the order of submission. */
typedef void perseus__write_done(void *user, const struct perseus_error *err);

/*
 * Takes `write`, whatever comes of it. `done` (may be NULL) is called exactly once where OK is returned, and never
 * otherwise. Errors: NO_MEMORY; BUSY where more waits than there is room for. Never waits for the disk.
 */
PERSEUS_MUST_USE enum perseus_status perseus__store_submit(struct perseus__store *store, struct perseus__write *write,
		perseus__write_done *done, void *user, struct perseus_error *err);

/* Waits until everything submitted before was committed or failed, and its `done` has returned. Not from a `done`. */
void perseus__store_flush(struct perseus__store *store);

/* One row; another status than OK ends the reading with it. */
typedef enum perseus_status perseus__store_row(
		void *user, const struct perseus__value *columns, int n_columns, struct perseus_error *err);

/*
 * Reads what is durable, in the calling thread; from any, one at a time. `sql` is a constant text.
 * Errors as for perseus__store_open, and whatever `row` returns.
 */
PERSEUS_MUST_USE enum perseus_status perseus__store_read(struct perseus__store *store, const char *sql,
		const struct perseus__value *values, size_t n, perseus__store_row *row, void *user, struct perseus_error *err);

/*
 * Documents of a collection by key, for whoever needs no tables of its own. Deleting what is not there is fine.
 * perseus__store_put_document and perseus__store_delete_document are writes of their own.
 */
PERSEUS_MUST_USE enum perseus_status perseus__store_put_document(struct perseus__store *store, const char *collection,
		const char *key, const char *text, perseus__write_done *done, void *user, struct perseus_error *err);
PERSEUS_MUST_USE enum perseus_status perseus__store_delete_document(struct perseus__store *store,
		const char *collection, const char *key, perseus__write_done *done, void *user, struct perseus_error *err);

/* The same as part of a larger write. */
void perseus__write_put_document(
		struct perseus__write *write, const char *collection, const char *key, const char *bytes, size_t length);
void perseus__write_delete_document(struct perseus__write *write, const char *collection, const char *key);

/* Columns: key, document; one row, or none. */
PERSEUS_MUST_USE enum perseus_status perseus__store_get_document(struct perseus__store *store, const char *collection,
		const char *key, perseus__store_row *row, void *user, struct perseus_error *err);

/* Columns: key, document; by key, all of the collection. */
PERSEUS_MUST_USE enum perseus_status perseus__store_list_documents(struct perseus__store *store, const char *collection,
		perseus__store_row *row, void *user, struct perseus_error *err);

/* How the store is. */
struct perseus__store_state {
	bool is_writable;           /* the last write was made durable, or there was none yet */
	struct perseus_error fault; /* why not */
	uint64_t n_writes;          /* durable ones */
	uint64_t n_failed;
	uint64_t n_commits;
	size_t n_waiting;
};

void perseus__store_state(struct perseus__store *store, struct perseus__store_state *state);

#endif
