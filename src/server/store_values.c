/* Values, the making of writes, readings, and documents. */
#include "base/error.h"
#include "base/memory.h"
#include "server/store_internal.h"

#include <math.h>
#include <string.h>

enum { MAX_COLUMNS = 16 };

static struct perseus__value
value_null(void)
{
	return (struct perseus__value){.type = PERSEUS__VALUE_NULL};
}

struct perseus__value
perseus__value_integer(int64_t integer)
{
	return (struct perseus__value){.type = PERSEUS__VALUE_INTEGER, .integer = integer};
}

struct perseus__value
perseus__value_real(double real)
{
	if (!isfinite(real))
		return value_null();
	return (struct perseus__value){.type = PERSEUS__VALUE_REAL, .real = real};
}

struct perseus__value
perseus__value_text(const char *text)
{
	return text ? perseus__value_bytes(text, strlen(text)) : value_null();
}

struct perseus__value
perseus__value_bytes(const char *bytes, size_t length)
{
	return (struct perseus__value){.type = PERSEUS__VALUE_TEXT, .text = bytes, .length = length};
}

struct perseus__write *
perseus__write_new(void)
{
	return perseus__new_array(1, sizeof(struct perseus__write));
}

void
perseus__write_free(struct perseus__write *write)
{
	if (!write)
		return;
	perseus__free(write->changes);
	perseus__free(write->values);
	perseus__free(write->bytes);
	perseus__free(write);
}

static bool
reserve(struct perseus__write *write, size_t n_values, size_t n_bytes)
{
	return perseus__reserve(&write->changes, &write->change_capacity, write->n_changes + 1, sizeof *write->changes)
			&& perseus__reserve(
					&write->values, &write->value_capacity, write->n_values + n_values, sizeof *write->values)
			&& perseus__reserve(&write->bytes, &write->byte_capacity, write->n_bytes + n_bytes, 1);
}

void
perseus__write_add(struct perseus__write *write, const char *sql, const struct perseus__value *values, size_t n)
{
	if (!write || write->failed)
		return;
	size_t n_bytes = 1; /* never nothing, so that a text of no length has an address */
	for (size_t i = 0; i < n; i++)
		n_bytes += values[i].length;
	if (!reserve(write, n, n_bytes)) {
		write->failed = true;
		return;
	}
	write->changes[write->n_changes++] =
			(struct perseus__change){.sql = sql, .first_value = write->n_values, .n_values = n};
	for (size_t i = 0; i < n; i++) {
		struct perseus__value *value = &write->values[write->n_values++];
		*value = values[i];
		if (value->type != PERSEUS__VALUE_TEXT)
			continue;
		if (value->length > 0)
			memcpy(write->bytes + write->n_bytes, value->text, value->length);
		value->integer = (int64_t)write->n_bytes;
		value->text = NULL;
		write->n_bytes += value->length;
	}
	write->n_bytes++;
}

static int
take_columns(sqlite3_stmt *statement, int n, struct perseus__value *columns)
{
	for (int i = 0; i < n; i++) {
		switch (sqlite3_column_type(statement, i)) {
		case SQLITE_INTEGER:
			columns[i] = perseus__value_integer(sqlite3_column_int64(statement, i));
			break;
		case SQLITE_FLOAT:
			columns[i] = perseus__value_real(sqlite3_column_double(statement, i));
			break;
		case SQLITE_TEXT: {
			const char *text = (const char *)sqlite3_column_text(statement, i);
			if (!text)
				return SQLITE_NOMEM;
			columns[i] = perseus__value_bytes(text, (size_t)sqlite3_column_bytes(statement, i));
			break;
		}
		default:
			columns[i] = value_null();
			break;
		}
	}
	return SQLITE_OK;
}

static enum perseus_status
read_rows(struct perseus__connection *connection, sqlite3_stmt *statement, perseus__store_row *row, void *user,
		struct perseus_error *err)
{
	struct perseus__value columns[MAX_COLUMNS];
	const int n = sqlite3_column_count(statement);
	if (n > MAX_COLUMNS)
		return perseus__fail(err, PERSEUS_INTERNAL, "a reading of the store has %d columns", n);
	for (;;) {
		int code = sqlite3_step(statement);
		if (code == SQLITE_DONE)
			return PERSEUS_OK;
		if (code == SQLITE_ROW)
			code = take_columns(statement, n, columns);
		if (code != SQLITE_OK)
			return perseus__connection_fail(connection, code, err);
		const enum perseus_status status = row(user, columns, n, err);
		if (status != PERSEUS_OK)
			return status;
	}
}

enum perseus_status
perseus__store_read(struct perseus__store *store, const char *sql, const struct perseus__value *values, size_t n,
		perseus__store_row *row, void *user, struct perseus_error *err)
{
	int code = SQLITE_OK;
	(void)pthread_mutex_lock(&store->read_mutex);
	sqlite3_stmt *statement = perseus__connection_statement(&store->reader, sql, values, n, &code);
	const enum perseus_status status = statement ? read_rows(&store->reader, statement, row, user, err)
												 : perseus__connection_fail(&store->reader, code, err);
	if (statement) {
		(void)sqlite3_reset(statement); /* ends its transaction, so that the log can be folded in */
		(void)sqlite3_clear_bindings(statement);
	}
	(void)pthread_mutex_unlock(&store->read_mutex);
	return status;
}

void
perseus__write_put_document(
		struct perseus__write *write, const char *collection, const char *key, const char *bytes, size_t length)
{
	const struct perseus__value values[] = {
		perseus__value_text(collection), perseus__value_text(key), perseus__value_bytes(bytes, length)};
	perseus__write_add(write, "INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", values, 3);
}

void
perseus__write_delete_document(struct perseus__write *write, const char *collection, const char *key)
{
	const struct perseus__value values[] = {perseus__value_text(collection), perseus__value_text(key)};
	perseus__write_add(write, "DELETE FROM documents WHERE collection = ? AND key = ?", values, 2);
}

enum perseus_status
perseus__store_put_document(struct perseus__store *store, const char *collection, const char *key, const char *text,
		perseus__write_done *done, void *user, struct perseus_error *err)
{
	struct perseus__write *write = perseus__write_new();
	perseus__write_put_document(write, collection, key, text, strlen(text));
	return perseus__store_submit(store, write, done, user, err);
}

enum perseus_status
perseus__store_delete_document(struct perseus__store *store, const char *collection, const char *key,
		perseus__write_done *done, void *user, struct perseus_error *err)
{
	struct perseus__write *write = perseus__write_new();
	perseus__write_delete_document(write, collection, key);
	return perseus__store_submit(store, write, done, user, err);
}

enum perseus_status
perseus__store_get_document(struct perseus__store *store, const char *collection, const char *key,
		perseus__store_row *row, void *user, struct perseus_error *err)
{
	const struct perseus__value values[] = {perseus__value_text(collection), perseus__value_text(key)};
	return perseus__store_read(
			store, "SELECT key, document FROM documents WHERE collection = ? AND key = ?", values, 2, row, user, err);
}

enum perseus_status
perseus__store_list_documents(struct perseus__store *store, const char *collection, perseus__store_row *row, void *user,
		struct perseus_error *err)
{
	const struct perseus__value values[] = {perseus__value_text(collection)};
	return perseus__store_read(
			store, "SELECT key, document FROM documents WHERE collection = ? ORDER BY key", values, 1, row, user, err);
}
