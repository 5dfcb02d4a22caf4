/* What the files of the store share. */
#ifndef PERSEUS_SERVER_STORE_INTERNAL_H
#define PERSEUS_SERVER_STORE_INTERNAL_H

#include "server/store.h"

#include <pthread.h>
#include <sqlite3.h>

/*
 * How the tables came to be: script i leads from version i to version i + 1. A script that has been released is never
 * changed. PRAGMA user_version holds the version.
 */
extern const char *const perseus__store_migrations[];
enum { PERSEUS__STORE_VERSION = 1 };

/* Marks a file as a store: PRAGMA application_id. */
enum { PERSEUS__STORE_APPLICATION_ID = 0x50525353 }; /* "PRSS" */

enum { PERSEUS__STORE_BUSY_MS = 10000, PERSEUS__STORE_MAX_STATEMENTS = 64 };

/* A connection with its prepared statements, found again by the address of their text. Of one thread at a time. */
struct perseus__connection {
	sqlite3 *database;
	const char *path; /* borrowed */
	int32_t n_statements;
	struct perseus__prepared {
		const char *sql;
		sqlite3_stmt *statement;
	} statements[PERSEUS__STORE_MAX_STATEMENTS];
};

/* Fails with what SQLite says of its last call, which returned `code`. */
enum perseus_status perseus__connection_fail(
		const struct perseus__connection *connection, int code, struct perseus_error *err);

/* The statement of `sql`, prepared, reset, with `values` bound; NULL with `*code` set. */
sqlite3_stmt *perseus__connection_statement(struct perseus__connection *connection, const char *sql,
		const struct perseus__value *values, size_t n, int *code);

void perseus__connection_close(struct perseus__connection *connection);

/* Whether closing folds the log into the file. Where the connection is used by nobody at the moment. */
void perseus__connection_set_folds(const struct perseus__connection *connection, bool folds);

/* Opens the connection for writing, checks what the file is, and brings its tables up to this version. */
PERSEUS_MUST_USE enum perseus_status perseus__connection_open_writer(
		struct perseus__connection *connection, const char *path, struct perseus_error *err);

/* Opens a connection that only reads; the file is there. */
PERSEUS_MUST_USE enum perseus_status perseus__connection_open_reader(
		struct perseus__connection *connection, const char *path, struct perseus_error *err);

struct perseus__change {
	const char *sql;
	size_t first_value;
	size_t n_values;
};

struct perseus__write {
	struct perseus__write *next;
	perseus__write_done *done;
	void *user;
	bool failed; /* out of memory */
	struct perseus__change *changes;
	size_t n_changes, change_capacity;
	struct perseus__value *values; /* a text is an offset into `bytes`, kept in `integer` */
	size_t n_values, value_capacity;
	char *bytes;
	size_t n_bytes, byte_capacity;
};

struct perseus__store {
	char *path;
	int lock_fd;
	struct perseus__connection writer; /* of the thread */

	pthread_mutex_t mutex; /* of what follows */
	pthread_cond_t wake;   /* the thread has something to do */
	pthread_cond_t idle;   /* the thread has done all there was */
	bool is_ending;
	bool is_writing;
	bool is_held; /* nothing is written */
	struct perseus__write *first, *last;
	size_t n_bytes; /* that wait */
	struct perseus__store_state state;
	pthread_t thread;

	pthread_mutex_t read_mutex; /* of the reader */
	struct perseus__connection reader;
};

#endif
