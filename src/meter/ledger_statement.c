/* Values in and out of SQLite, and its errors in words. */
#include "meter/ledger_internal.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The system's reason where it has one, else SQLite's. */
static const char *
reason(const struct perseus__ledger *ledger, int code)
{
	const int system = ledger->database ? sqlite3_system_errno(ledger->database) : 0;
	return system ? strerror(system) : sqlite3_errstr(code);
}

enum perseus_status
perseus__ledger_fail(const struct perseus__ledger *ledger, int code, struct perseus_error *err)
{
	const char *path = ledger->path;
	const int system = ledger->database ? sqlite3_system_errno(ledger->database) : 0;
	switch (code & 0xff) { /* without SQLite's finer distinctions */
	case SQLITE_NOMEM:
		return perseus__no_memory(err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return perseus__fail(err, PERSEUS_BUSY, "the ledger %s is in use by another process, for more than %d s", path,
				PERSEUS__LEDGER_BUSY_MS / 1000);
	case SQLITE_FULL:
		return perseus__fail(err, PERSEUS_IO, "cannot write to the ledger %s: its disk is full", path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return perseus__fail(err, PERSEUS_DENIED, "cannot write to the ledger %s: it is read-only", path);
	case SQLITE_CANTOPEN:
		return perseus__fail(err, system == EACCES || system == EROFS || system == EPERM ? PERSEUS_DENIED : PERSEUS_IO,
				"cannot open the ledger %s: %s", path, reason(ledger, code));
	case SQLITE_IOERR:
		return perseus__fail(err, PERSEUS_IO, "cannot read or write the ledger %s: %s", path, reason(ledger, code));
	case SQLITE_NOTADB:
		return perseus__fail(err, PERSEUS_INVALID, "%s is no ledger: it is no SQLite database", path);
	case SQLITE_CORRUPT:
	case SQLITE_ERROR: /* a table or column that should be there is not */
		return perseus__fail(err, PERSEUS_INVALID, "the ledger %s is damaged: %s", path,
				ledger->database ? sqlite3_errmsg(ledger->database) : sqlite3_errstr(code));
	default:
		return perseus__fail(err, PERSEUS_INTERNAL, "the ledger %s: %s", path,
				ledger->database ? sqlite3_errmsg(ledger->database) : sqlite3_errstr(code));
	}
}

struct perseus__statement
perseus__statement_new(const struct perseus__ledger *ledger, const char *sql)
{
	struct perseus__statement statement = {.ledger = ledger};
	statement.code = sqlite3_prepare_v2(ledger->database, sql, -1, &statement.statement, NULL);
	return statement;
}

/* Whether to go on with the next parameter. */
static bool
go_on(struct perseus__statement *statement)
{
	statement->at++;
	return statement->code == SQLITE_OK;
}

void
perseus__bind_text(struct perseus__statement *statement, const char *text)
{
	if (go_on(statement) && text)
		statement->code = sqlite3_bind_text(statement->statement, statement->at, text, -1, SQLITE_STATIC);
}

void
perseus__bind_word(struct perseus__statement *statement, const char *text)
{
	perseus__bind_text(statement, *text ? text : NULL);
}

void
perseus__bind_integer_if(struct perseus__statement *statement, bool is_there, int64_t value)
{
	if (go_on(statement) && is_there)
		statement->code = sqlite3_bind_int64(statement->statement, statement->at, value);
}

void
perseus__bind_integer(struct perseus__statement *statement, int64_t value)
{
	perseus__bind_integer_if(statement, true, value);
}

void
perseus__bind_real_if(struct perseus__statement *statement, bool is_there, double value)
{
	if (go_on(statement) && is_there)
		statement->code = sqlite3_bind_double(statement->statement, statement->at, value);
}

void
perseus__bind_real(struct perseus__statement *statement, double value)
{
	perseus__bind_real_if(statement, true, value);
}

bool
perseus__statement_step(struct perseus__statement *statement)
{
	if (statement->code != SQLITE_OK)
		return false;
	const int code = sqlite3_step(statement->statement);
	statement->at = 0;
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		statement->code = code;
	return code == SQLITE_ROW;
}

bool
perseus__is_null(const struct perseus__statement *statement)
{
	return sqlite3_column_type(statement->statement, statement->at) == SQLITE_NULL;
}

int64_t
perseus__take_integer(struct perseus__statement *statement, int64_t if_null)
{
	const bool is_null = perseus__is_null(statement);
	const int64_t value = sqlite3_column_int64(statement->statement, statement->at++);
	return is_null ? if_null : value;
}

double
perseus__take_real(struct perseus__statement *statement, bool *is_there)
{
	*is_there = !perseus__is_null(statement);
	return sqlite3_column_double(statement->statement, statement->at++);
}

const char *
perseus__take_text(struct perseus__statement *statement)
{
	const bool is_null = perseus__is_null(statement);
	const unsigned char *text = sqlite3_column_text(statement->statement, statement->at++);
	if (!text && !is_null && statement->code == SQLITE_OK)
		statement->code = SQLITE_NOMEM; /* where it had to be converted */
	return (const char *)text;
}

void
perseus__take_word(struct perseus__statement *statement, char *word, size_t size)
{
	const char *text = perseus__take_text(statement);
	(void)snprintf(word, size, "%s", text ? text : "");
}

enum perseus_status
perseus__statement_end(struct perseus__statement *statement, struct perseus_error *err)
{
	const enum perseus_status status =
			statement->code == SQLITE_OK ? PERSEUS_OK : perseus__ledger_fail(statement->ledger, statement->code, err);
	(void)sqlite3_finalize(statement->statement); /* says again what its last step said */
	return status;
}

enum perseus_status
perseus__ledger_execute(const struct perseus__ledger *ledger, const char *sql, struct perseus_error *err)
{
	const int code = sqlite3_exec(ledger->database, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? PERSEUS_OK : perseus__ledger_fail(ledger, code, err);
}

enum perseus_status
perseus__ledger_end_transaction(
		const struct perseus__ledger *ledger, enum perseus_status status, struct perseus_error *err)
{
	if (status == PERSEUS_OK)
		status = perseus__ledger_execute(ledger, "COMMIT", err);
	if (status != PERSEUS_OK)
		(void)sqlite3_exec(ledger->database, "ROLLBACK", NULL, NULL, NULL); /* fails where SQLite did it already */
	return status;
}
