/* Shared memory of simulated GPUs. */
#include "device/sim_store.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t MAGIC = 0x4d49535355455350; /* "PSEUSSIM" */
enum { VERSION = 2, BOOT_ID_BYTES = 40, MODE = 0666 };

/* A state and the copy that changes are made on. */
struct cell {
	pthread_mutex_t mutex;  /* robust, shared by processes */
	atomic_int_fast32_t at; /* index of the state; the other is the copy */
	struct perseus__sim_state states[2];
};

struct memory {
	_Atomic uint64_t magic; /* MAGIC once all the rest is there */
	uint32_t version;
	uint32_t cell_bytes; /* another build may lay it out otherwise */
	char boot_id[BOOT_ID_BYTES];
	struct perseus__sim_shape shape;
	uint64_t seed;
	struct cell cells[]; /* length shape.n_gpus */
};

struct perseus__sim_store {
	struct memory *memory;
	size_t bytes;
};

static size_t
bytes_of(const struct perseus__sim_shape *shape)
{
	return sizeof(struct memory) + (size_t)shape->n_gpus * sizeof(struct cell);
}

/* Which start of the system this is; "" where it does not say. */
static void
read_boot_id(char boot_id[BOOT_ID_BYTES])
{
	memset(boot_id, 0, BOOT_ID_BYTES);
	const int file = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return;
	const ssize_t n = read(file, boot_id, BOOT_ID_BYTES - 1);
	if (n < 0)
		boot_id[0] = '\0';
	(void)close(file); /* only read from */
}

/* Where either does not say, it is of this one: what others have open must not be begun anew. */
static bool
is_of_another_boot(const char boot_id[BOOT_ID_BYTES])
{
	char now[BOOT_ID_BYTES];
	read_boot_id(now);
	return now[0] != '\0' && boot_id[0] != '\0' && strncmp(now, boot_id, BOOT_ID_BYTES) != 0;
}

/* Differs between files. FNV-1a of the path that has no links. */
static uint64_t
seed_of(const char *path)
{
	char whole[PATH_MAX];
	uint64_t seed = 14695981039346656037U;
	for (const char *at = realpath(path, whole) ? whole : path; *at; at++)
		seed = (seed ^ (unsigned char)*at) * 1099511628211U;
	return seed;
}

static enum perseus_status
init_mutex(pthread_mutex_t *mutex, struct perseus_error *err)
{
	pthread_mutexattr_t attributes;
	int failure = pthread_mutexattr_init(&attributes);
	if (failure != 0)
		return perseus__fail(err, PERSEUS_IO, "cannot make a lock: %s", strerror(failure));
	failure = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	if (failure == 0)
		failure = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	if (failure == 0)
		failure = pthread_mutex_init(mutex, &attributes);
	(void)pthread_mutexattr_destroy(&attributes); /* cannot fail for one that was initialised */
	if (failure != 0)
		return perseus__fail(err, PERSEUS_IO, "cannot make a lock that processes share: %s", strerror(failure));
	return PERSEUS_OK;
}

static enum perseus_status
begin(struct memory *memory, const char *path, const struct perseus__sim_shape *shape,
		const struct perseus__sim_state *first, struct perseus_error *err)
{
	atomic_store_explicit(&memory->magic, 0, memory_order_release);
	memory->version = VERSION;
	memory->cell_bytes = sizeof(struct cell);
	read_boot_id(memory->boot_id);
	memory->shape = *shape;
	memory->seed = path ? seed_of(path) : 0;
	for (int32_t gpu = 0; gpu < shape->n_gpus; gpu++) {
		struct cell *cell = &memory->cells[gpu];
		memset(cell, 0, sizeof *cell);
		const enum perseus_status status = init_mutex(&cell->mutex, err);
		if (status != PERSEUS_OK)
			return status;
		cell->states[0] = first[gpu];
	}
	atomic_store_explicit(&memory->magic, MAGIC, memory_order_release);
	return PERSEUS_OK;
}

/* NULL where there is no room for it, which `err` says with IO. */
static struct memory *
map(int file, size_t bytes, struct perseus_error *err)
{
	const int flags = file < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
	if (memory != MAP_FAILED)
		return memory;
	(void)perseus__fail(err, PERSEUS_IO, "cannot map %zu bytes: %s", bytes, strerror(errno)); /* NULL says it */
	return NULL;
}

/* What the beginning of a file says, as far as it goes. */
struct head {
	uint64_t magic;
	uint32_t version;
	uint32_t cell_bytes;
	char boot_id[BOOT_ID_BYTES];
	struct perseus__sim_shape shape;
};

_Static_assert(
		offsetof(struct memory, shape) == offsetof(struct head, shape), "the head is what the memory begins with");

/* Whether a file is one whose making was cut short, and not just one that begins with zeros. */
static bool
is_unfinished(const struct head *head, off_t bytes)
{
	const struct perseus__sim_shape largest = {.n_gpus = PERSEUS__SIM_MAX_GPUS};
	return head->magic == 0 && (head->version == 0 || head->version == VERSION)
			&& (head->cell_bytes == 0 || head->cell_bytes == sizeof(struct cell)) && bytes <= (off_t)bytes_of(&largest);
}

/* Whether the file is to be begun; INVALID where it must not be touched. */
static enum perseus_status
judge(int file, const char *path, const struct perseus__sim_shape *shape, bool *must_begin, struct perseus_error *err)
{
	struct stat about;
	struct head head = {.magic = 0};
	if (fstat(file, &about) != 0 || pread(file, &head, sizeof head, 0) < 0)
		return perseus__fail(err, PERSEUS_IO, "cannot read %s: %s", path, strerror(errno));
	*must_begin = about.st_size == 0 || is_unfinished(&head, about.st_size);
	if (*must_begin)
		return PERSEUS_OK;
	if (head.magic != MAGIC)
		return perseus__fail(err, PERSEUS_INVALID, "%s is no state of simulated GPUs", path);
	*must_begin = is_of_another_boot(head.boot_id);
	if (*must_begin)
		return PERSEUS_OK;
	if (head.version != VERSION || head.cell_bytes != sizeof(struct cell))
		return perseus__fail(err, PERSEUS_INVALID, "%s was made by another version of this program: remove it", path);
	head.shape.text[sizeof head.shape.text - 1] = '\0';
	if (head.shape.hash != shape->hash || head.shape.n_gpus != shape->n_gpus)
		return perseus__fail(err, PERSEUS_INVALID, "%s holds the state of %s, not of %s%s", path, head.shape.text,
				shape->text, strcmp(head.shape.text, shape->text) == 0 ? " as it is now" : "");
	if ((size_t)about.st_size != bytes_of(shape))
		return perseus__fail(err, PERSEUS_INVALID, "%s is cut short", path);
	return PERSEUS_OK;
}

/* The same under the lock of the file, and its states in memory. */
static enum perseus_status
open_locked(int file, const char *path, const struct perseus__sim_shape *shape, const struct perseus__sim_state *first,
		struct memory **memory, struct perseus_error *err)
{
	bool must_begin = false;
	enum perseus_status status = judge(file, path, shape, &must_begin, err);
	if (status != PERSEUS_OK)
		return status;
	const size_t bytes = bytes_of(shape);
	if (must_begin) {
		/* Room for all of it now, as there is no good moment to find out later. */
		int failure = ftruncate(file, 0) == 0 ? 0 : errno;
		if (failure == 0)
			failure = posix_fallocate(file, 0, (off_t)bytes);
		if (failure != 0)
			return perseus__fail(err, PERSEUS_IO, "cannot make room in %s: %s", path, strerror(failure));
	}
	struct memory *mapped = map(file, bytes, err);
	if (!mapped)
		return PERSEUS_IO;
	if (must_begin)
		status = begin(mapped, path, shape, first, err);
	if (status == PERSEUS_OK)
		*memory = mapped;
	else
		(void)munmap(mapped, bytes); /* cannot fail for what was mapped */
	return status;
}

static enum perseus_status
open_file(const char *path, const struct perseus__sim_shape *shape, const struct perseus__sim_state *first,
		struct memory **memory, struct perseus_error *err)
{
	const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, MODE);
	if (file < 0)
		return perseus__fail(err, PERSEUS_IO, "cannot open %s: %s", path, strerror(errno));
	enum perseus_status status = PERSEUS_OK;
	while (flock(file, LOCK_EX) != 0 && status == PERSEUS_OK)
		if (errno != EINTR)
			status = perseus__fail(err, PERSEUS_IO, "cannot lock %s: %s", path, strerror(errno));
	if (status == PERSEUS_OK)
		status = open_locked(file, path, shape, first, memory, err);
	(void)flock(file, LOCK_UN); /* cannot fail for its holder; closing does not unlock, as the mapping keeps it open */
	(void)close(file);          /* nothing was written through it */
	return status;
}

static enum perseus_status
open_private(const struct perseus__sim_shape *shape, const struct perseus__sim_state *first, struct memory **memory,
		struct perseus_error *err)
{
	struct memory *mapped = map(-1, bytes_of(shape), err);
	if (!mapped)
		return PERSEUS_IO;
	const enum perseus_status status = begin(mapped, NULL, shape, first, err);
	if (status == PERSEUS_OK)
		*memory = mapped;
	else
		(void)munmap(mapped, bytes_of(shape)); /* cannot fail for what was mapped */
	return status;
}

enum perseus_status
perseus__sim_store_open(const char *path, const struct perseus__sim_shape *shape,
		const struct perseus__sim_state *first, struct perseus__sim_store **out, struct perseus_error *err)
{
	struct perseus__sim_store *store = perseus__new_array(1, sizeof *store);
	if (!store)
		return perseus__no_memory(err);
	store->bytes = bytes_of(shape);
	const enum perseus_status status =
			path ? open_file(path, shape, first, &store->memory, err) : open_private(shape, first, &store->memory, err);
	if (status != PERSEUS_OK) {
		perseus__free(store);
		return status;
	}
	*out = store;
	return PERSEUS_OK;
}

void
perseus__sim_store_close(struct perseus__sim_store *store)
{
	if (!store)
		return;
	(void)munmap(store->memory, store->bytes); /* cannot fail for what was mapped */
	perseus__free(store);
}

uint64_t
perseus__sim_store_seed(const struct perseus__sim_store *store)
{
	return store->memory->seed;
}

struct perseus__sim_state *
perseus__sim_store_hold(struct perseus__sim_store *store, int32_t gpu)
{
	struct cell *cell = &store->memory->cells[gpu];
	/* Its last holder died: whatever it did to the copy, the state is whole. */
	if (pthread_mutex_lock(&cell->mutex) == EOWNERDEAD)
		(void)pthread_mutex_consistent(&cell->mutex); /* cannot fail after EOWNERDEAD */
	const int_fast32_t at = atomic_load_explicit(&cell->at, memory_order_acquire);
	cell->states[1 - at] = cell->states[at];
	return &cell->states[1 - at];
}

void
perseus__sim_store_drop(struct perseus__sim_store *store, int32_t gpu)
{
	(void)pthread_mutex_unlock(&store->memory->cells[gpu].mutex); /* cannot fail for its holder */
}

void
perseus__sim_store_keep(struct perseus__sim_store *store, int32_t gpu)
{
	struct cell *cell = &store->memory->cells[gpu];
	const int_fast32_t at = atomic_load_explicit(&cell->at, memory_order_relaxed);
	atomic_store_explicit(&cell->at, 1 - at, memory_order_release);
	perseus__sim_store_drop(store, gpu);
}
