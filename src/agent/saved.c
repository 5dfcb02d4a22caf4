/* Files of saved settings. */
#include "agent/saved.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/output_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char suffix[] = ".saved";
static const char temporary_suffix[] = ".saved.tmp";

static enum perseus_status
fail(struct perseus_error *err, const char *what, const char *name)
{
	return perseus__fail(err, PERSEUS_IO, "cannot %s %s: %s", what, name, strerror(errno));
}

static bool
has_suffix(const char *name, const char *ending)
{
	const size_t length = strlen(name);
	const size_t ending_length = strlen(ending);
	return length > ending_length && strcmp(name + length - ending_length, ending) == 0;
}

/* A stream over the directory's names that leaves `directory` as it was; NULL and errno on failure. */
static DIR *
open_names(int directory)
{
	const int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = copy >= 0 ? fdopendir(copy) : NULL;
	if (!names && copy >= 0)
		(void)close(copy);
	return names;
}

/* What a crash left half written was never renamed, so nothing of it holds. */
static void
remove_temporary(int directory)
{
	DIR *names = open_names(directory);
	if (!names)
		return;
	for (const struct dirent *entry; (entry = readdir(names)) != NULL;)
		if (has_suffix(entry->d_name, temporary_suffix))
			(void)unlinkat(directory, entry->d_name, 0);
	(void)closedir(names);
}

/* Whoever could write here could make root set a GPU to anything. */
static enum perseus_status
check_directory(int directory, const char *path, struct perseus_error *err)
{
	struct stat about;
	if (fstat(directory, &about) != 0)
		return fail(err, "look at", path);
	if (about.st_uid != geteuid() || (about.st_mode & 077) != 0)
		return perseus__fail(err, PERSEUS_DENIED, "%s must belong to user %u and be closed to all others (mode 0700)",
				path, (unsigned)geteuid());
	if (flock(directory, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? perseus__fail(err, PERSEUS_BUSY, "another agent is at work with %s", path)
									: fail(err, "lock", path);
	return PERSEUS_OK;
}

enum perseus_status
perseus__saved_open(const char *path, int *directory, struct perseus_error *err)
{
	enum perseus_status status = perseus__output_parents(path, err);
	if (status != PERSEUS_OK)
		return status;
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fail(err, "make directory", path);
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail(err, "open directory", path);
	status = check_directory(fd, path, err);
	if (status != PERSEUS_OK) {
		(void)close(fd);
		return status;
	}
	remove_temporary(fd);
	*directory = fd;
	return PERSEUS_OK;
}

/* Writes a new file, down to the disk; false and errno where it cannot. */
static bool
write_file(int directory, const char *name, const char *bytes, size_t length)
{
	const int file = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (file < 0)
		return false;
	ssize_t n;
	do
		n = write(file, bytes, length);
	while (n < 0 && errno == EINTR);
	/* A file this small is written at once or not at all. */
	if (n >= 0 && n != (ssize_t)length)
		errno = ENOSPC;
	const bool is_written = n == (ssize_t)length && fsync(file) == 0;
	const int reason = errno;
	(void)close(file);
	errno = reason;
	return is_written;
}

static bool
replace_file(int directory, const char *name, const char *bytes, size_t length)
{
	char temporary[PERSEUS__SAVED_NAME_BYTES + sizeof ".tmp"];
	(void)snprintf(temporary, sizeof temporary, "%s.tmp", name);
	if (write_file(directory, temporary, bytes, length) && renameat(directory, temporary, directory, name) == 0)
		return true;
	const int reason = errno;
	(void)unlinkat(directory, temporary, 0);
	errno = reason;
	return false;
}

enum perseus_status
perseus__saved_store(int directory, const struct perseus__saved *saved, struct perseus_error *err)
{
	char name[PERSEUS__SAVED_NAME_BYTES];
	if (!perseus__saved_is_uuid(saved->uuid))
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "the GPU has no UUID to save its settings under");
	(void)snprintf(name, sizeof name, "%s%s", saved->uuid, suffix);
	bool is_done;
	if (saved->settings == 0)
		is_done = unlinkat(directory, name, 0) == 0 || errno == ENOENT;
	else {
		char bytes[PERSEUS__SAVED_MAX_BYTES];
		size_t length;
		perseus__saved_encode(saved, bytes, &length);
		is_done = replace_file(directory, name, bytes, length);
	}
	if (!is_done || fsync(directory) != 0)
		return fail(err, "save settings in", name);
	return PERSEUS_OK;
}

/* Reads a file; one byte more than the maximum tells that it is too long. -1 and errno where it cannot. */
static ssize_t
read_file(int directory, const char *name, char bytes[PERSEUS__SAVED_MAX_BYTES + 1])
{
	const int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (file < 0)
		return -1;
	ssize_t n;
	do
		n = read(file, bytes, PERSEUS__SAVED_MAX_BYTES + 1);
	while (n < 0 && errno == EINTR);
	const int reason = errno;
	(void)close(file);
	errno = reason;
	return n;
}

enum perseus_status
perseus__saved_load(int directory, const char *uuid, struct perseus__saved *saved, struct perseus_error *err)
{
	char name[PERSEUS__SAVED_NAME_BYTES];
	char bytes[PERSEUS__SAVED_MAX_BYTES + 1];
	struct perseus__saved read = {.settings = 0};
	(void)snprintf(name, sizeof name, "%s%s", uuid, suffix);
	(void)snprintf(read.uuid, sizeof read.uuid, "%s", uuid);
	const ssize_t length = read_file(directory, name, bytes);
	if (length < 0 && errno != ENOENT)
		return fail(err, "read saved settings from", name);
	if (length >= 0) {
		struct perseus_error why = {.message = ""};
		enum perseus_status status = perseus__saved_decode(bytes, (size_t)length, &read, &why);
		if (status == PERSEUS_OK && strcmp(read.uuid, uuid) != 0)
			status = perseus__fail(&why, PERSEUS_INVALID, "is of another GPU, %s", read.uuid);
		if (status != PERSEUS_OK)
			return perseus__fail(err, status, "%s is damaged: %s", name, why.message);
	}
	*saved = read;
	return PERSEUS_OK;
}

static int
is_saved_file(const struct dirent *entry)
{
	return has_suffix(entry->d_name, suffix);
}

/* alphasort() goes by the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

enum perseus_status
perseus__saved_list(int directory, void (*each)(void *user, const char *uuid), void *user, struct perseus_error *err)
{
	struct dirent **entries = NULL;
	const int n = scandirat(directory, ".", &entries, is_saved_file, by_name);
	if (n < 0)
		return errno == ENOMEM ? perseus__no_memory(err) : fail(err, "list", "the saved settings");
	for (int i = 0; i < n; i++) {
		entries[i]->d_name[strlen(entries[i]->d_name) - (sizeof suffix - 1)] = '\0';
		each(user, entries[i]->d_name);
		perseus__free(entries[i]);
	}
	perseus__free(entries);
	return PERSEUS_OK;
}
