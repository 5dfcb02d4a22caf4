/*
 * Claims as locked files: DIRECTORY/claims/JOB/DEVICE, whose text says who holds it.
 *
 * A holder removes its file before it lets go of the lock, so that nothing piles up. Whoever locks a file that has been
 * removed in the meantime holds nothing, and tries again.
 */
#include "meter/claims.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	NAME_BYTES = 256, /* of a file, as Linux has it */
	MAX_TRIES = 100,  /* each means that somebody else has just given back a claim */
	READ_TRIES = 50,  /* the holder writes its name a moment after it has the lock */
	READ_PAUSE_NS = 1000000,
};

struct claim {
	int file;
	char name[NAME_BYTES];
};

struct perseus__claims {
	int base; /* DIRECTORY/claims */
	int directory;
	int32_t rank;
	char job[NAME_BYTES]; /* as a file is called */
	struct claim *claims;
	size_t n_claims;
	size_t cap_claims;
};

/*
 * Makes a file's name of any text: letters, digits, '-' and '_' stay, other bytes become %XX. Where that is too long,
 * the middle becomes a hash (FNV-1a, 64 bits): this keeps names apart, it is no protection.
 */
static void
file_name(const char *text, char name[NAME_BYTES])
{
	enum { KEPT = 100 };
	uint64_t hash = 14695981039346656037u;
	size_t length = 0;
	for (const char *at = text; *at; at++) {
		const unsigned char byte = (unsigned char)*at;
		hash = (hash ^ byte) * 1099511628211u;
		const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')
				|| (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
		if (length < KEPT)
			length += (size_t)snprintf(name + length, NAME_BYTES - length, is_plain ? "%c" : "%%%02X", byte);
	}
	if (length >= KEPT)
		(void)snprintf(name + length, NAME_BYTES - length, "%%%016" PRIX64, hash);
	else if (length == 0)
		(void)snprintf(name, NAME_BYTES, "%%");
}

/* Opens a directory below `at`, making it where it is missing. -1, with errno. */
static int
open_directory(int at, const char *name)
{
	if (mkdirat(at, name, 0700) != 0 && errno != EEXIST)
		return -1;
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* In /tmp anybody may have made the directory ahead of us. */
static enum perseus_status
check_is_ours(int directory, const char *path, struct perseus_error *err)
{
	struct stat info;
	if (fstat(directory, &info) != 0)
		return perseus__fail(err, PERSEUS_IO, "%s: %s", path, strerror(errno));
	if (info.st_uid != geteuid())
		return perseus__fail(err, PERSEUS_DENIED, "%s belongs to another user", path);
	if (info.st_mode & (S_IWGRP | S_IWOTH))
		return perseus__fail(err, PERSEUS_DENIED, "%s can be written to by others", path);
	return PERSEUS_OK;
}

static enum perseus_status
open_base(struct perseus__claims *claims, const char *path, struct perseus_error *err)
{
	const int directory = open_directory(AT_FDCWD, path);
	if (directory < 0)
		return perseus__fail(
				err, errno == EACCES || errno == EROFS ? PERSEUS_DENIED : PERSEUS_IO, "%s: %s", path, strerror(errno));
	enum perseus_status status = check_is_ours(directory, path, err);
	if (status == PERSEUS_OK) {
		claims->base = open_directory(directory, "claims");
		if (claims->base < 0)
			status = perseus__fail(err, PERSEUS_IO, "%s/claims: %s", path, strerror(errno));
	}
	(void)close(directory);
	return status;
}

/* Another process may remove the directory, empty as it is, before we have a file in it. */
static enum perseus_status
open_job(struct perseus__claims *claims, struct perseus_error *err)
{
	if (claims->directory >= 0)
		(void)close(claims->directory);
	claims->directory = open_directory(claims->base, claims->job);
	for (int i = 0; claims->directory < 0 && errno == ENOENT && i < MAX_TRIES; i++)
		claims->directory = open_directory(claims->base, claims->job);
	if (claims->directory >= 0)
		return PERSEUS_OK;
	return perseus__fail(err, PERSEUS_IO, "claims/%s: %s", claims->job, strerror(errno));
}

enum perseus_status
perseus__claims_new(
		const char *directory, const char *job, int32_t rank, struct perseus__claims **out, struct perseus_error *err)
{
	struct perseus__claims *claims = perseus__new_array(1, sizeof *claims);
	if (!claims)
		return perseus__no_memory(err);
	claims->base = -1;
	claims->directory = -1;
	claims->rank = rank;
	file_name(job, claims->job);
	enum perseus_status status = open_base(claims, directory, err);
	if (status == PERSEUS_OK)
		status = open_job(claims, err);
	if (status == PERSEUS_OK)
		*out = claims;
	else
		perseus__claims_free(claims);
	return status;
}

/* What a holder has written, once it has. */
static void
read_claimant(int file, struct perseus__claimant *claimant)
{
	*claimant = (struct perseus__claimant){.rank = -1};
	char text[64];
	for (int i = 0; i < READ_TRIES; i++) {
		const ssize_t length = pread(file, text, sizeof text - 1, 0);
		if (length > 0 && text[length - 1] == '\n') {
			char *end = text;
			text[length] = '\0';
			claimant->rank = (int32_t)strtol(text, &end, 10);
			claimant->pid = strtol(end, NULL, 10);
			return;
		}
		const struct timespec pause = {.tv_nsec = READ_PAUSE_NS};
		(void)nanosleep(&pause, NULL);
	}
}

static enum perseus_status
claim_failed(const char *name, struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_IO, "claim of %s: %s", name, strerror(errno));
}

/* Locks a file that is still there, `*file`; -1 where another process holds it. */
static enum perseus_status
lock(struct perseus__claims *claims, const char *name, int *file, struct perseus__claimant *other,
		struct perseus_error *err)
{
	for (int i = 0; i < MAX_TRIES; i++) {
		*file = openat(claims->directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (*file < 0 && errno == ENOENT) { /* the directory was removed */
			if (open_job(claims, err) != PERSEUS_OK)
				return PERSEUS_IO;
			continue;
		}
		struct stat info;
		if (*file < 0)
			return claim_failed(name, err);
		if (flock(*file, LOCK_EX | LOCK_NB) != 0) {
			const bool is_held = errno == EWOULDBLOCK;
			if (is_held)
				read_claimant(*file, other);
			else
				(void)claim_failed(name, err);
			(void)close(*file);
			*file = -1;
			return is_held ? PERSEUS_OK : PERSEUS_IO;
		}
		if (fstat(*file, &info) == 0 && info.st_nlink > 0)
			return PERSEUS_OK;
		(void)close(*file);
	}
	return perseus__fail(err, PERSEUS_IO, "claim of %s: it changes hands too fast", name);
}

static enum perseus_status
write_claimant(int file, const char *name, int32_t rank, struct perseus_error *err)
{
	char text[64];
	const int length = snprintf(text, sizeof text, "%" PRId32 " %" PRId64 "\n", rank, (int64_t)getpid());
	/* What a holder that was killed has left may be longer. */
	if (ftruncate(file, 0) == 0 && pwrite(file, text, (size_t)length, 0) == length)
		return PERSEUS_OK;
	return claim_failed(name, err);
}

static void
give_back(const struct perseus__claims *claims, const struct claim *claim)
{
	(void)unlinkat(claims->directory, claim->name, 0); /* one left over does no harm */
	(void)close(claim->file);
}

enum perseus_status
perseus__claims_take(struct perseus__claims *claims, const struct perseus_device_info *device, bool *is_ours,
		struct perseus__claimant *other, struct perseus_error *err)
{
	if (!perseus__reserve(&claims->claims, &claims->cap_claims, claims->n_claims + 1, sizeof *claims->claims))
		return perseus__no_memory(err);
	char text[PERSEUS_DEVICE_TEXT_BYTES + 32];
	(void)snprintf(text, sizeof text, "%s-%s", perseus_device_kind_name(device->kind), device->uuid);
	if (!*device->uuid)
		(void)snprintf(text, sizeof text, "%s-%s-%d", device->backend, perseus_device_kind_name(device->kind),
				(int)device->index);
	struct claim claim;
	file_name(text, claim.name);
	enum perseus_status status = lock(claims, claim.name, &claim.file, other, err);
	if (status != PERSEUS_OK)
		return status;
	if (claim.file < 0) {
		*is_ours = false;
		return PERSEUS_OK;
	}
	status = write_claimant(claim.file, claim.name, claims->rank, err);
	if (status != PERSEUS_OK) {
		give_back(claims, &claim);
		return status;
	}
	claims->claims[claims->n_claims++] = claim;
	*is_ours = true;
	return PERSEUS_OK;
}

void
perseus__claims_free(struct perseus__claims *claims)
{
	if (!claims)
		return;
	for (size_t i = 0; i < claims->n_claims; i++)
		give_back(claims, &claims->claims[i]);
	if (claims->directory >= 0)
		(void)close(claims->directory);
	if (claims->base >= 0) {
		(void)unlinkat(claims->base, claims->job, AT_REMOVEDIR); /* fails while there are claims in it */
		(void)close(claims->base);
	}
	perseus__free(claims->claims);
	perseus__free(claims);
}
