/* A file system for SQLite that fails on purpose. */
#include "faulty_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static sqlite3_vfs *original;
static sqlite3_vfs faulty;
static atomic_int current = FAULTY_VFS_NONE;

/* A file of ours, and the original's so many times its size behind it, aligned for anything. */
enum { INNER_AT = 2 };
_Static_assert(INNER_AT * sizeof(sqlite3_file) % _Alignof(max_align_t) == 0, "the original's file is aligned");

static sqlite3_file *
inner_of(sqlite3_file *file)
{
	return file + INNER_AT;
}

static int
code_of(int on_read)
{
	switch ((enum faulty_vfs_fault)atomic_load(&current)) {
	case FAULTY_VFS_NONE:
		return SQLITE_OK;
	case FAULTY_VFS_FULL:
		return on_read ? SQLITE_OK : SQLITE_FULL;
	case FAULTY_VFS_READ_ONLY:
		return on_read ? SQLITE_OK : SQLITE_READONLY;
	case FAULTY_VFS_BROKEN:
		return on_read ? SQLITE_IOERR_READ : SQLITE_IOERR_WRITE;
	}
	return SQLITE_MISUSE;
}

static int
do_close(sqlite3_file *file)
{
	return inner_of(file)->pMethods->xClose(inner_of(file));
}

static int
do_read(sqlite3_file *file, void *bytes, int n, sqlite3_int64 offset)
{
	const int code = code_of(1);
	return code == SQLITE_OK ? inner_of(file)->pMethods->xRead(inner_of(file), bytes, n, offset) : code;
}

static int
do_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
	const int code = code_of(0);
	return code == SQLITE_OK ? inner_of(file)->pMethods->xWrite(inner_of(file), bytes, n, offset) : code;
}

static int
do_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return inner_of(file)->pMethods->xTruncate(inner_of(file), size);
}

static int
do_sync(sqlite3_file *file, int flags)
{
	return inner_of(file)->pMethods->xSync(inner_of(file), flags);
}

static int
do_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return inner_of(file)->pMethods->xFileSize(inner_of(file), size);
}

static int
do_lock(sqlite3_file *file, int kind)
{
	return inner_of(file)->pMethods->xLock(inner_of(file), kind);
}

static int
do_unlock(sqlite3_file *file, int kind)
{
	return inner_of(file)->pMethods->xUnlock(inner_of(file), kind);
}

static int
do_check_lock(sqlite3_file *file, int *is_reserved)
{
	return inner_of(file)->pMethods->xCheckReservedLock(inner_of(file), is_reserved);
}

static int
do_control(sqlite3_file *file, int what, void *argument)
{
	return inner_of(file)->pMethods->xFileControl(inner_of(file), what, argument);
}

static int
do_sector(sqlite3_file *file)
{
	return inner_of(file)->pMethods->xSectorSize(inner_of(file));
}

static int
do_device(sqlite3_file *file)
{
	return inner_of(file)->pMethods->xDeviceCharacteristics(inner_of(file));
}

static int
do_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
	return inner_of(file)->pMethods->xShmMap(inner_of(file), page, size, extend, memory);
}

static int
do_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return inner_of(file)->pMethods->xShmLock(inner_of(file), offset, n, flags);
}

static void
do_barrier(sqlite3_file *file)
{
	inner_of(file)->pMethods->xShmBarrier(inner_of(file));
}

static int
do_unmap(sqlite3_file *file, int remove)
{
	return inner_of(file)->pMethods->xShmUnmap(inner_of(file), remove);
}

/* Version 2: no memory mapping of the file, which would go past us. */
static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = do_close,
	.xRead = do_read,
	.xWrite = do_write,
	.xTruncate = do_truncate,
	.xSync = do_sync,
	.xFileSize = do_size,
	.xLock = do_lock,
	.xUnlock = do_unlock,
	.xCheckReservedLock = do_check_lock,
	.xFileControl = do_control,
	.xSectorSize = do_sector,
	.xDeviceCharacteristics = do_device,
	.xShmMap = do_map,
	.xShmLock = do_shm_lock,
	.xShmBarrier = do_barrier,
	.xShmUnmap = do_unmap,
};

static int
do_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *out_flags)
{
	(void)vfs;
	const int code = original->xOpen(original, name, inner_of(file), flags, out_flags);
	file->pMethods = code == SQLITE_OK ? &methods : NULL;
	return code;
}

void
faulty_vfs_install(void)
{
	original = sqlite3_vfs_find(NULL);
	if (!original)
		abort();
	faulty = *original;
	faulty.zName = "faulty";
	faulty.szOsFile = INNER_AT * (int)sizeof(sqlite3_file) + original->szOsFile;
	faulty.xOpen = do_open;
	if (sqlite3_vfs_register(&faulty, 1) != SQLITE_OK)
		abort(); /* before any test runs, where Check has nowhere to tell it */
}

void
faulty_vfs_set(enum faulty_vfs_fault fault)
{
	atomic_store(&current, (int)fault);
}
