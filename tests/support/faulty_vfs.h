/*
 * A file system for SQLite that fails on purpose: the default one, until it is told that the disk is full, read-only or
 * broken. What was written before stays as it is.
 */
#ifndef PERSEUS_TESTS_FAULTY_VFS_H
#define PERSEUS_TESTS_FAULTY_VFS_H

enum faulty_vfs_fault {
	FAULTY_VFS_NONE,
	FAULTY_VFS_FULL,      /* what would be written finds no room */
	FAULTY_VFS_READ_ONLY, /* what would be written is refused */
	FAULTY_VFS_BROKEN,    /* what would be written or read fails */
};

/* Makes it the default of every connection opened from now on. Once in a process. */
void faulty_vfs_install(void);

/* From now on, in all threads. */
void faulty_vfs_set(enum faulty_vfs_fault fault);

#endif
