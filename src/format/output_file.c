/* Whole files out. */
#include "format/output_file.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum perseus_status
fail(struct perseus_error *err, const char *what, const char *path, int reason)
{
	const bool is_denied = reason == EACCES || reason == EPERM || reason == EROFS;
	return perseus__fail(
			err, is_denied ? PERSEUS_DENIED : PERSEUS_IO, "cannot %s %s: %s", what, path, strerror(reason));
}

static bool
write_all(int file, const char *bytes, size_t length)
{
	while (length > 0) {
		const ssize_t written = write(file, bytes, length);
		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
	return true;
}

/* Writes and closes; 0 or the reason of failure. */
static int
finish(int file, const char *bytes, size_t length)
{
	int reason = write_all(file, bytes, length) ? 0 : errno;
	if (close(file) != 0 && reason == 0)
		reason = errno;
	return reason;
}

/* A new file beside `path`, its name in `temporary`; -1 and errno on failure. */
static int
open_temporary(const char *path, char *temporary, size_t size)
{
	int file = -1;
	for (int attempt = 0; attempt < 100; attempt++) {
		(void)snprintf(temporary, size, "%s.%ld-%d.tmp", path, (long)getpid(), attempt);
		file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (file >= 0 || errno != EEXIST)
			break;
	}
	return file;
}

/* 0 or the reason of failure. */
static int
replace_file(const char *path, char *temporary, size_t size, const char *bytes, size_t length)
{
	const int file = open_temporary(path, temporary, size);
	if (file < 0)
		return errno;
	int reason = finish(file, bytes, length);
	if (reason == 0 && rename(temporary, path) != 0)
		reason = errno;
	if (reason != 0)
		(void)unlink(temporary);
	return reason;
}

/* Devices and pipes, such as /dev/stdout, are written to: renaming a file over them would take them away. */
static bool
is_special(const char *path)
{
	struct stat about;
	return stat(path, &about) == 0 && !S_ISREG(about.st_mode) && !S_ISDIR(about.st_mode);
}

enum perseus_status
perseus__output_file(const char *path, const char *bytes, size_t length, struct perseus_error *err)
{
	if (is_special(path)) {
		const int file = open(path, O_WRONLY | O_CLOEXEC);
		const int reason = file < 0 ? errno : finish(file, bytes, length);
		return reason ? fail(err, "write", path, reason) : PERSEUS_OK;
	}
	const size_t size = strlen(path) + 48;
	char *temporary = perseus__new_array(size, 1);
	if (!temporary)
		return perseus__no_memory(err);
	const int reason = replace_file(path, temporary, size, bytes, length);
	perseus__free(temporary);
	return reason ? fail(err, "write", path, reason) : PERSEUS_OK;
}

enum perseus_status
perseus__output_check(const char *path, struct perseus_error *err)
{
	struct stat about;
	if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
		return fail(err, "write", path, EISDIR);
	if (is_special(path))
		return access(path, W_OK) == 0 ? PERSEUS_OK : fail(err, "write", path, errno);
	char *directory = perseus__copy_string(path);
	if (!directory)
		return perseus__no_memory(err);
	char *slash = strrchr(directory, '/');
	if (slash)
		slash[slash == directory] = '\0'; /* the root keeps its slash */
	const int reason = access(slash ? directory : ".", W_OK | X_OK) == 0 ? 0 : errno;
	perseus__free(directory);
	return reason ? fail(err, "write", path, reason) : PERSEUS_OK;
}

/* The text of `path` is cut at each '/' in turn. */
static enum perseus_status
make_parents(char *path, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (char *slash = strchr(path + 1, '/'); slash && status == PERSEUS_OK; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) != 0 && errno != EEXIST)
			status = fail(err, "make directory", path, errno);
		*slash = '/';
	}
	return status;
}

enum perseus_status
perseus__output_parents(const char *path, struct perseus_error *err)
{
	if (*path == '\0')
		return PERSEUS_OK;
	char *copy = perseus__copy_string(path);
	if (!copy)
		return perseus__no_memory(err);
	const enum perseus_status status = make_parents(copy, err);
	perseus__free(copy);
	return status;
}

enum perseus_status
perseus__output_directory(const char *path, struct perseus_error *err)
{
	if (*path == '\0')
		return perseus__fail(err, PERSEUS_INVALID, "the output directory has an empty name");
	const enum perseus_status status = perseus__output_parents(path, err);
	if (status != PERSEUS_OK)
		return status;
	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		return fail(err, "make directory", path, errno);
	struct stat about;
	if (stat(path, &about) != 0)
		return fail(err, "use directory", path, errno);
	if (!S_ISDIR(about.st_mode))
		return fail(err, "use as a directory", path, ENOTDIR);
	if (access(path, W_OK | X_OK) != 0)
		return fail(err, "write into directory", path, errno);
	return PERSEUS_OK;
}

char *
perseus__output_path(const char *directory, const char *name)
{
	const size_t directory_length = strlen(directory);
	const size_t name_length = strlen(name);
	char *path = perseus__new_array(directory_length + name_length + 2, 1);
	if (!path)
		return NULL;
	memcpy(path, directory, directory_length);
	path[directory_length] = '/';
	memcpy(path + directory_length + 1, name, name_length);
	return path;
}
