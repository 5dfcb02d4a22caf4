/* Opens the ledger. */
#include "meter/ledger.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/output_file.h"
#include "meter/ledger_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/*
 * Makes the file, for its owner alone: command lines may hold what others must not read. SQLite gives the files beside
 * it the same mode.
 */
static enum perseus_status
create_file(const char *path, struct perseus_error *err)
{
	char *directory = perseus__copy_string(path);
	if (!directory)
		return perseus__no_memory(err);
	char *slash = strrchr(directory, '/');
	enum perseus_status status = PERSEUS_OK;
	if (slash && slash != directory) {
		*slash = '\0';
		status = perseus__output_directory(directory, err);
	}
	perseus__free(directory);
	if (status != PERSEUS_OK)
		return status;
	const int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file >= 0)
		(void)close(file);
	return PERSEUS_OK; /* SQLite says why, if it cannot be made */
}

/* The path as a URI of a file that nobody writes to. */
static char *
immutable_uri(const char *path)
{
	struct perseus__text uri = perseus__text_init(4 * strlen(path) + 64);
	perseus__text_addf(&uri, "file:");
	for (const char *at = path; *at; at++)
		perseus__text_addf(&uri, strchr("%?#", *at) ? "%%%02X" : "%c", (unsigned char)*at);
	perseus__text_addf(&uri, "?immutable=1");
	if (uri.failed)
		perseus__text_fini(&uri);
	return uri.bytes;
}

static bool
has_log(const char *path)
{
	struct perseus__text log = perseus__text_init(strlen(path) + 8);
	perseus__text_addf(&log, "%s-wal", path);
	const bool is_there = log.failed || access(log.bytes, F_OK) == 0;
	perseus__text_fini(&log);
	return is_there;
}

/*
 * Where the directory cannot be written to, SQLite cannot read a database in WAL mode, as it has to make files for
 * locks. Where there is no log nobody writes, and it can be read without.
 */
static int
open_database(struct perseus__ledger *ledger, enum perseus__ledger_mode mode)
{
	int code = sqlite3_open_v2(ledger->path, &ledger->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK && mode == PERSEUS__LEDGER_READ)
		code = sqlite3_exec(ledger->database, "PRAGMA user_version", NULL, NULL, NULL);
	const int reason = code & 0xff;
	if (mode != PERSEUS__LEDGER_READ || (reason != SQLITE_CANTOPEN && reason != SQLITE_READONLY)
			|| access(ledger->path, R_OK) != 0 || has_log(ledger->path))
		return code;
	char *uri = immutable_uri(ledger->path);
	if (!uri)
		return SQLITE_NOMEM;
	(void)sqlite3_close(ledger->database);
	ledger->database = NULL;
	code = sqlite3_open_v2(uri, &ledger->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
	perseus__free(uri);
	return code;
}

/*
 * Whether a file system is shared between machines. SQLite's write-ahead log needs memory that all processes share, so
 * there the rollback journal is used, which needs locks only.
 */
static bool
is_on_network(const char *path)
{
	static const uint64_t kinds[] = {NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, SMB2_SUPER_MAGIC, CIFS_SUPER_MAGIC,
		AFS_SUPER_MAGIC, CEPH_SUPER_MAGIC, V9FS_MAGIC, FUSE_SUPER_MAGIC, 0x0bd00bd0 /* Lustre */, 0x47504653 /* GPFS */,
		0x19830326 /* BeeGFS */};
	struct statfs info;
	if (statfs(path, &info) != 0)
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if ((uint64_t)info.f_type == kinds[i])
			return true;
	return false;
}

static enum perseus_status
read_number(const struct perseus__ledger *ledger, const char *sql, int64_t *number, struct perseus_error *err)
{
	struct perseus__statement statement = perseus__statement_new(ledger, sql);
	if (perseus__statement_step(&statement))
		*number = perseus__take_integer(&statement, 0);
	return perseus__statement_end(&statement, err);
}

/* Versions of what is in the file; `*is_empty` where there is nothing in it. Within a transaction. */
static enum perseus_status
read_version(const struct perseus__ledger *ledger, int64_t *version, bool *is_empty, struct perseus_error *err)
{
	int64_t application = 0, n_objects = 0;
	enum perseus_status status = read_number(ledger, "PRAGMA user_version", version, err);
	if (status == PERSEUS_OK)
		status = read_number(ledger, "PRAGMA application_id", &application, err);
	if (status == PERSEUS_OK)
		status = read_number(ledger, "SELECT count(*) FROM sqlite_schema", &n_objects, err);
	if (status != PERSEUS_OK)
		return status;
	*is_empty = n_objects == 0 && *version == 0 && application == 0;
	if (!*is_empty && application != PERSEUS__LEDGER_APPLICATION_ID)
		return perseus__fail(
				err, PERSEUS_INVALID, "%s is no ledger: it is a database of another program", ledger->path);
	if (*version > PERSEUS__LEDGER_VERSION)
		return perseus__fail(err, PERSEUS_INVALID,
				"the ledger %s is of version %lld, from a later perseus; this one reads up to version %d", ledger->path,
				(long long)*version, PERSEUS__LEDGER_VERSION);
	return PERSEUS_OK;
}

/* Inside a transaction: another process may have brought the file up to date since we looked. */
static enum perseus_status
migrate_locked(const struct perseus__ledger *ledger, struct perseus_error *err)
{
	int64_t version = 0;
	bool is_empty = false;
	enum perseus_status status = read_version(ledger, &version, &is_empty, err);
	for (; status == PERSEUS_OK && version < PERSEUS__LEDGER_VERSION; version++)
		status = perseus__ledger_execute(ledger, perseus__ledger_migrations[version], err);
	char sql[128];
	(void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d; PRAGMA application_id = %d", PERSEUS__LEDGER_VERSION,
			PERSEUS__LEDGER_APPLICATION_ID);
	return status == PERSEUS_OK ? perseus__ledger_execute(ledger, sql, err) : status;
}

static enum perseus_status
migrate(const struct perseus__ledger *ledger, enum perseus__ledger_mode mode, struct perseus_error *err)
{
	int64_t version = 0;
	bool is_empty = false;
	/* of one moment, as another process may be making the tables */
	enum perseus_status status = perseus__ledger_execute(ledger, "BEGIN", err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__ledger_end_transaction(ledger, read_version(ledger, &version, &is_empty, err), err);
	if (status != PERSEUS_OK || version == PERSEUS__LEDGER_VERSION)
		return status;
	if (is_empty && mode != PERSEUS__LEDGER_CREATE)
		return perseus__fail(err, PERSEUS_INVALID, "%s is no ledger: it is empty", ledger->path);
	status = perseus__ledger_execute(ledger, "BEGIN IMMEDIATE", err);
	if (status != PERSEUS_OK)
		return status;
	return perseus__ledger_end_transaction(ledger, migrate_locked(ledger, err), err);
}

/*
 * WAL stays with the file once it is set. To set it nobody else may be connected, which SQLite does not wait for; so it
 * is left to whoever is alone, and until then the file has a rollback journal, which is as safe and only slower.
 */
static enum perseus_status
set_journal(const struct perseus__ledger *ledger, struct perseus_error *err)
{
	const char *mode = is_on_network(ledger->path) ? "PRAGMA journal_mode = DELETE" : "PRAGMA journal_mode = WAL";
	struct perseus_error why;
	const enum perseus_status status = perseus__ledger_execute(ledger, mode, &why);
	if (status == PERSEUS_OK || status == PERSEUS_BUSY)
		return PERSEUS_OK;
	return perseus__fail(err, status, "%s", why.message);
}

/* What is acknowledged is on the disk: FULL. */
static enum perseus_status
prepare(struct perseus__ledger *ledger, enum perseus__ledger_mode mode, struct perseus_error *err)
{
	int code = open_database(ledger, mode);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(ledger->database, PERSEUS__LEDGER_BUSY_MS);
	if (code == SQLITE_OK && mode != PERSEUS__LEDGER_READ && sqlite3_db_readonly(ledger->database, "main"))
		code = SQLITE_READONLY;
	if (code != SQLITE_OK)
		return perseus__ledger_fail(ledger, code, err);
	enum perseus_status status =
			perseus__ledger_execute(ledger, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", err);
	if (status == PERSEUS_OK)
		status = migrate(ledger, mode, err);
	if (status == PERSEUS_OK && mode != PERSEUS__LEDGER_READ)
		status = set_journal(ledger, err);
	return status;
}

enum perseus_status
perseus__ledger_open(
		const char *path, enum perseus__ledger_mode mode, struct perseus__ledger **out, struct perseus_error *err)
{
	enum perseus_status status = mode == PERSEUS__LEDGER_CREATE ? create_file(path, err) : PERSEUS_OK;
	if (status != PERSEUS_OK)
		return status;
	if (mode != PERSEUS__LEDGER_CREATE && access(path, F_OK) != 0)
		return perseus__fail(err, PERSEUS_IO, "there is no ledger %s: %s", path, strerror(errno));
	struct perseus__ledger *ledger = perseus__new_array(1, sizeof *ledger);
	if (!ledger)
		return perseus__no_memory(err);
	ledger->path = perseus__copy_string(path);
	status = ledger->path ? prepare(ledger, mode, err) : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		*out = ledger;
	else
		perseus__ledger_close(ledger);
	return status;
}

void
perseus__ledger_close(struct perseus__ledger *ledger)
{
	if (!ledger)
		return;
	(void)sqlite3_close(ledger->database); /* no statement is left open */
	perseus__free(ledger->path);
	perseus__free(ledger);
}
