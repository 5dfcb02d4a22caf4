/* What the files of the ledger share: the open database, its errors, and values in and out of statements. */
#ifndef PERSEUS_METER_LEDGER_INTERNAL_H
#define PERSEUS_METER_LEDGER_INTERNAL_H

#include "meter/ledger.h"

#include <sqlite3.h>

struct perseus__ledger {
	sqlite3 *database;
	char *path;
};

/*
 * How the tables came to be: script i leads from version i to version i + 1. A script that has been released is never
 * changed. PRAGMA user_version holds the version.
 */
extern const char *const perseus__ledger_migrations[];
enum { PERSEUS__LEDGER_VERSION = 1 };

/* Marks a file as a ledger: PRAGMA application_id. */
enum { PERSEUS__LEDGER_APPLICATION_ID = 0x50525345 }; /* "PRSE" */

enum { PERSEUS__LEDGER_BUSY_MS = 10000 };

/* Fails with what SQLite says of its last call, which returned `code`. */
enum perseus_status perseus__ledger_fail(const struct perseus__ledger *ledger, int code, struct perseus_error *err);

/* A statement, its parameters bound and its columns taken in order. Errors are kept until the end. */
struct perseus__statement {
	const struct perseus__ledger *ledger;
	sqlite3_stmt *statement; /* NULL where it could not be prepared */
	int code;                /* of the first call that failed, else SQLITE_OK */
	int at;                  /* parameters bound so far, or columns taken */
};

struct perseus__statement perseus__statement_new(const struct perseus__ledger *ledger, const char *sql);

/* The next parameter. A text of NULL, and a value that is not there, is NULL. Texts are borrowed until the end. */
void perseus__bind_text(struct perseus__statement *statement, const char *text);
void perseus__bind_word(struct perseus__statement *statement, const char *text); /* of "" NULL */
void perseus__bind_integer(struct perseus__statement *statement, int64_t value);
void perseus__bind_integer_if(struct perseus__statement *statement, bool is_there, int64_t value);
void perseus__bind_real(struct perseus__statement *statement, double value);
void perseus__bind_real_if(struct perseus__statement *statement, bool is_there, double value);

/* Goes to the next row; false at the end, and where something failed. Columns are then taken from the first on. */
bool perseus__statement_step(struct perseus__statement *statement);

/* The next column. */
bool perseus__is_null(const struct perseus__statement *statement); /* does not go on */
int64_t perseus__take_integer(struct perseus__statement *statement, int64_t if_null);
double perseus__take_real(struct perseus__statement *statement, bool *is_there); /* 0 where it is not */
const char *perseus__take_text(struct perseus__statement *statement); /* NULL for NULL; until the next step */
/* Copies into an array of `size` bytes; "" for NULL, and what is longer is cut. */
void perseus__take_word(struct perseus__statement *statement, char *word, size_t size);

/* Frees the statement; the first error of all that was done with it. */
PERSEUS_MUST_USE enum perseus_status perseus__statement_end(
		struct perseus__statement *statement, struct perseus_error *err);

/* Runs a statement without parameters or rows. */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_execute(
		const struct perseus__ledger *ledger, const char *sql, struct perseus_error *err);

/* Ends a transaction: commits it where `status` is OK, else rolls it back and passes `status` on. */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_end_transaction(
		const struct perseus__ledger *ledger, enum perseus_status status, struct perseus_error *err);

#endif
