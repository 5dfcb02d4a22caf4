/* Connections to the file of the store: what it is, its version, statements, and SQLite's errors in words. */
#include "base/error.h"
#include "server/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The system's reason where it has one, else SQLite's. */
static const char *
reason(const struct perseus__connection *connection, int code)
{
	const int system = connection->database ? sqlite3_system_errno(connection->database) : 0;
	return system ? strerror(system) : sqlite3_errstr(code);
}

static const char *
message(const struct perseus__connection *connection, int code)
{
	return connection->database ? sqlite3_errmsg(connection->database) : sqlite3_errstr(code);
}

enum perseus_status
perseus__connection_fail(const struct perseus__connection *connection, int code, struct perseus_error *err)
{
	const char *path = connection->path;
	const int system = connection->database ? sqlite3_system_errno(connection->database) : 0;
	switch (code & 0xff) { /* without SQLite's finer distinctions */
	case SQLITE_NOMEM:
		return perseus__no_memory(err);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return perseus__fail(err, PERSEUS_BUSY, "the store %s is in use by another process, for more than %d s", path,
				PERSEUS__STORE_BUSY_MS / 1000);
	case SQLITE_FULL:
		return perseus__fail(err, PERSEUS_IO, "cannot write to the store %s: its disk is full", path);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return perseus__fail(err, PERSEUS_DENIED, "cannot write to the store %s: it is read-only", path);
	case SQLITE_CANTOPEN:
		return perseus__fail(err, system == EACCES || system == EROFS || system == EPERM ? PERSEUS_DENIED : PERSEUS_IO,
				"cannot open the store %s: %s", path, reason(connection, code));
	case SQLITE_IOERR:
		return perseus__fail(err, PERSEUS_IO, "cannot read or write the store %s: %s", path, reason(connection, code));
	case SQLITE_NOTADB:
		return perseus__fail(err, PERSEUS_INVALID, "%s is no store of jobs: it is no SQLite database", path);
	case SQLITE_CORRUPT:
	case SQLITE_ERROR: /* a table or column that should be there is not */
		return perseus__fail(err, PERSEUS_INVALID, "the store %s is damaged: %s", path, message(connection, code));
	default:
		return perseus__fail(err, PERSEUS_INTERNAL, "the store %s: %s", path, message(connection, code));
	}
}

static int
bind(sqlite3_stmt *statement, int at, const struct perseus__value *value)
{
	switch (value->type) {
	case PERSEUS__VALUE_NULL:
		return sqlite3_bind_null(statement, at);
	case PERSEUS__VALUE_INTEGER:
		return sqlite3_bind_int64(statement, at, value->integer);
	case PERSEUS__VALUE_REAL:
		return sqlite3_bind_double(statement, at, value->real);
	case PERSEUS__VALUE_TEXT:
		return sqlite3_bind_text64(statement, at, value->text, value->length, SQLITE_STATIC, SQLITE_UTF8);
	}
	return SQLITE_MISUSE;
}

static sqlite3_stmt *
find_statement(struct perseus__connection *connection, const char *sql, int *code)
{
	for (int32_t i = 0; i < connection->n_statements; i++)
		if (connection->statements[i].sql == sql)
			return connection->statements[i].statement;
	if (connection->n_statements == PERSEUS__STORE_MAX_STATEMENTS) {
		/* More than this program has; the oldest is prepared again when it is needed. */
		(void)sqlite3_finalize(connection->statements[0].statement);
		connection->n_statements--;
		memmove(connection->statements, connection->statements + 1,
				sizeof *connection->statements * (size_t)connection->n_statements);
	}
	sqlite3_stmt *statement = NULL;
	*code = sqlite3_prepare_v3(connection->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
	if (*code != SQLITE_OK)
		return NULL;
	connection->statements[connection->n_statements++] = (struct perseus__prepared){sql, statement};
	return statement;
}

sqlite3_stmt *
perseus__connection_statement(struct perseus__connection *connection, const char *sql,
		const struct perseus__value *values, size_t n, int *code)
{
	*code = SQLITE_OK;
	sqlite3_stmt *statement = find_statement(connection, sql, code);
	if (!statement)
		return NULL;
	(void)sqlite3_reset(statement); /* says again what its last step said */
	for (size_t i = 0; i < n && *code == SQLITE_OK; i++)
		*code = bind(statement, (int)i + 1, &values[i]);
	return *code == SQLITE_OK ? statement : NULL;
}

/* Runs statements without parameters or rows. */
static enum perseus_status
execute(const struct perseus__connection *connection, const char *sql, struct perseus_error *err)
{
	const int code = sqlite3_exec(connection->database, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? PERSEUS_OK : perseus__connection_fail(connection, code, err);
}

void
perseus__connection_close(struct perseus__connection *connection)
{
	for (int32_t i = 0; i < connection->n_statements; i++)
		(void)sqlite3_finalize(connection->statements[i].statement);
	(void)sqlite3_close(connection->database); /* no statement is left open */
	*connection = (struct perseus__connection){.path = NULL};
}

void
perseus__connection_set_folds(const struct perseus__connection *connection, bool folds)
{
	/* Cannot fail. */
	(void)sqlite3_db_config(connection->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !folds, NULL);
}

static enum perseus_status
read_number(struct perseus__connection *connection, const char *sql, int64_t *number, struct perseus_error *err)
{
	int code = SQLITE_OK;
	sqlite3_stmt *statement = perseus__connection_statement(connection, sql, NULL, 0, &code);
	if (statement)
		code = sqlite3_step(statement);
	if (code == SQLITE_ROW)
		*number = sqlite3_column_int64(statement, 0);
	const enum perseus_status status =
			code == SQLITE_ROW ? PERSEUS_OK : perseus__connection_fail(connection, code, err);
	if (statement)
		(void)sqlite3_reset(statement);
	return status;
}

/* The version of the file, 0 where it is empty. Nothing has been written to it yet. */
static enum perseus_status
read_version(struct perseus__connection *connection, int64_t *version, struct perseus_error *err)
{
	int64_t application = 0, n_objects = 0;
	enum perseus_status status = read_number(connection, "PRAGMA user_version", version, err);
	if (status == PERSEUS_OK)
		status = read_number(connection, "PRAGMA application_id", &application, err);
	if (status == PERSEUS_OK)
		status = read_number(connection, "SELECT count(*) FROM sqlite_schema", &n_objects, err);
	if (status != PERSEUS_OK)
		return status;
	const bool is_empty = n_objects == 0 && *version == 0 && application == 0;
	if (!is_empty && application != PERSEUS__STORE_APPLICATION_ID)
		return perseus__fail(
				err, PERSEUS_INVALID, "%s is no store of jobs: it is a database of another program", connection->path);
	if (*version > PERSEUS__STORE_VERSION)
		return perseus__fail(err, PERSEUS_INVALID,
				"the store %s is of version %lld, from a later perseus; this one reads up to version %d",
				connection->path, (long long)*version, PERSEUS__STORE_VERSION);
	return PERSEUS_OK;
}

static enum perseus_status
migrate(struct perseus__connection *connection, int64_t version, struct perseus_error *err)
{
	if (version == PERSEUS__STORE_VERSION)
		return PERSEUS_OK;
	enum perseus_status status = execute(connection, "BEGIN IMMEDIATE", err);
	for (int64_t v = version; status == PERSEUS_OK && v < PERSEUS__STORE_VERSION; v++)
		status = execute(connection, perseus__store_migrations[v], err);
	char sql[128];
	(void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d; PRAGMA application_id = %d; COMMIT",
			PERSEUS__STORE_VERSION, PERSEUS__STORE_APPLICATION_ID);
	if (status == PERSEUS_OK)
		status = execute(connection, sql, err);
	if (status != PERSEUS_OK)
		(void)sqlite3_exec(connection->database, "ROLLBACK", NULL, NULL, NULL); /* may be done already */
	return status;
}

static enum perseus_status
open_database(struct perseus__connection *connection, const char *path, int flags, struct perseus_error *err)
{
	connection->path = path;
	int code = sqlite3_open_v2(path, &connection->database, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_extended_result_codes(connection->database, 1);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(connection->database, PERSEUS__STORE_BUSY_MS);
	return code == SQLITE_OK ? PERSEUS_OK : perseus__connection_fail(connection, code, err);
}

enum perseus_status
perseus__connection_open_writer(struct perseus__connection *connection, const char *path, struct perseus_error *err)
{
	int64_t version = 0;
	enum perseus_status status = open_database(connection, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
	if (status == PERSEUS_OK)
		perseus__connection_set_folds(connection, false);
	if (status == PERSEUS_OK && sqlite3_db_readonly(connection->database, "main"))
		status = perseus__connection_fail(connection, SQLITE_READONLY, err);
	if (status == PERSEUS_OK)
		status = read_version(connection, &version, err);
	/* Only now that the file is known to be ours is anything written to it. */
	if (status == PERSEUS_OK)
		status = execute(connection,
				"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
				"PRAGMA journal_size_limit = 67108864",
				err);
	if (status == PERSEUS_OK)
		status = migrate(connection, version, err);
	if (status == PERSEUS_OK)
		perseus__connection_set_folds(connection, true);
	return status;
}

enum perseus_status
perseus__connection_open_reader(struct perseus__connection *connection, const char *path, struct perseus_error *err)
{
	return open_database(connection, path, SQLITE_OPEN_READONLY, err);
}
