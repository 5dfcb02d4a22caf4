/*
 * CPU packages and DRAM by the energy counters of Linux' powercap (RAPL: running average power limit). Below the root
 * lie zones "intel-rapl:N", AMD's too, one a package, named "package-N" or "package-N-die-M"; within them subzones
 * "intel-rapl:N:M", of which "dram" is beside the package while "core" and "uncore" are part of it. A zone "psys"
 * contains the packages, and "intel-rapl-mmio:N" counts a package once more: neither is a device. A device has the N of
 * its package's zone as its index.
 *
 * The counter's file stays open: a process that gives up its privileges, or the child that it forks, reads on. Each
 * process extends the counter on its own, from its first reading on.
 */
#include "device/device.h"
#include "device/rapl_zone.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/csv.h"
#include "format/output_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ROOT "/sys/class/powercap"

/* "Updated every ~1msec": Intel's Software Developer's Manual, volume 3B, of MSR_PKG_ENERGY_STATUS. */
enum { STEP_NS = 1000000, FILE_BYTES = 64 };

/* The counter of a package or its DRAM. */
struct zone {
	struct perseus_device_info info;
	const char *path; /* of energy_uj; owned */
	int file;         /* -1: not permitted */
	/* Held while the file is read: of two readings that change places one would look like a wrap. */
	pthread_mutex_t mutex;
	struct perseus__rapl_counter counter;
};

struct rapl {
	struct zone **zones;
	size_t n_zones;
	size_t cap_zones;
};

/* A directory "TYPE:N" below the root. */
struct package {
	const char *type;
	int32_t number;
	char directory[FILE_BYTES];
};

static const char *const types[] = {"intel-rapl", "intel-rapl-mmio"}; /* the first that has a package counts */
enum { N_TYPES = sizeof types / sizeof *types };

static enum perseus_status
fail_read(const char *path, int number, struct perseus_error *err)
{
	const bool is_denied = number == EACCES || number == EPERM;
	return perseus__fail(err, is_denied ? PERSEUS_DENIED : PERSEUS_IO, "cannot read %s: %s", path, strerror(number));
}

/* Reads a file from its beginning; IO where it does not fit. */
static enum perseus_status
read_text(int file, const char *path, char text[FILE_BYTES], size_t *length, struct perseus_error *err)
{
	const ssize_t n = pread(file, text, FILE_BYTES, 0);
	if (n < 0)
		return fail_read(path, errno, err);
	if (n == FILE_BYTES)
		return perseus__fail(err, PERSEUS_IO, "%s is too long", path);
	*length = (size_t)n;
	return PERSEUS_OK;
}

static enum perseus_status
fail_text(const char *path, const char *text, size_t length, const char *what, struct perseus_error *err)
{
	char shown[PERSEUS__CSV_SHOWN_BYTES];
	return perseus__fail(
			err, PERSEUS_IO, "%s holds '%s', which is no %s", path, perseus__csv_shown(text, length, shown), what);
}

static enum perseus_status
read_energy(int file, const char *path, int64_t *energy_uj, struct perseus_error *err)
{
	char text[FILE_BYTES];
	size_t length = 0;
	const enum perseus_status status = read_text(file, path, text, &length, err);
	if (status == PERSEUS_OK && !perseus__rapl_number(text, length, energy_uj))
		return fail_text(path, text, length, "energy in uJ", err);
	return status;
}

/* Opens "DIRECTORY/NAME". `*path` is the caller's to free, on failure too. */
static enum perseus_status
open_file(const char *directory, const char *name, const char **path, int *file, struct perseus_error *err)
{
	*path = perseus__output_path(directory, name);
	if (!*path)
		return perseus__no_memory(err);
	*file = open(*path, O_RDONLY | O_CLOEXEC);
	return *file < 0 ? fail_read(*path, errno, err) : PERSEUS_OK;
}

static enum perseus_status
read_name(const char *directory, char name[PERSEUS__RAPL_NAME_BYTES], struct perseus_error *err)
{
	const char *path = NULL;
	int file = -1;
	char text[FILE_BYTES];
	size_t length = 0;
	enum perseus_status status = open_file(directory, "name", &path, &file, err);
	if (status == PERSEUS_OK) {
		status = read_text(file, path, text, &length, err);
		(void)close(file);
	}
	if (status == PERSEUS_OK && !perseus__rapl_name(text, length, name))
		status = fail_text(path, text, length, "name of a zone", err);
	perseus__free(path);
	return status;
}

static enum perseus_status
read_range(const char *directory, int64_t *range_uj, struct perseus_error *err)
{
	const char *path = NULL;
	int file = -1;
	enum perseus_status status = open_file(directory, "max_energy_range_uj", &path, &file, err);
	if (status == PERSEUS_OK) {
		status = read_energy(file, path, range_uj, err);
		(void)close(file);
	}
	if (status == PERSEUS_OK && *range_uj == 0)
		status = perseus__fail(err, PERSEUS_IO, "%s holds 0, which is no range of a counter", path);
	perseus__free(path);
	return status;
}

static void
free_zone(struct zone *zone)
{
	if (zone->file >= 0)
		(void)close(zone->file);
	(void)pthread_mutex_destroy(&zone->mutex);
	perseus__free(zone->path);
	perseus__free(zone);
}

static void
close_rapl(void *backend)
{
	struct rapl *rapl = backend;
	for (size_t i = 0; i < rapl->n_zones; i++)
		free_zone(rapl->zones[i]);
	perseus__free(rapl->zones);
	perseus__free(rapl);
}

/* Adds the zone at `directory`. A counter that may not be read is no reason to hide it. */
static enum perseus_status
add_zone(struct rapl *rapl, const char *directory, const struct perseus_device_info *info, struct perseus_error *err)
{
	if (!perseus__reserve(&rapl->zones, &rapl->cap_zones, rapl->n_zones + 1, sizeof(struct zone *)))
		return perseus__no_memory(err);
	struct zone *zone = perseus__new_array(1, sizeof *zone);
	if (!zone)
		return perseus__no_memory(err);
	*zone = (struct zone){.info = *info, .file = -1, .mutex = PTHREAD_MUTEX_INITIALIZER};
	rapl->zones[rapl->n_zones++] = zone;
	const enum perseus_status status = read_range(directory, &zone->counter.range_uj, err);
	if (status != PERSEUS_OK)
		return status;
	const enum perseus_status opened = open_file(directory, "energy_uj", &zone->path, &zone->file, err);
	return opened == PERSEUS_DENIED ? PERSEUS_OK : opened;
}

/* The subzone "dram" of a package, where it has one. */
static enum perseus_status
add_dram(struct rapl *rapl, const struct package *package, const char *directory, const char *name,
		struct perseus_error *err)
{
	DIR *entries = opendir(directory);
	if (!entries)
		return fail_read(directory, errno, err);
	enum perseus_status status = PERSEUS_OK;
	bool is_found = false;
	const struct dirent *entry;
	while (status == PERSEUS_OK && !is_found && (entry = readdir(entries))) {
		int32_t number;
		char subname[PERSEUS__RAPL_NAME_BYTES];
		if (!perseus__rapl_is_zone(entry->d_name, package->directory, &number))
			continue;
		const char *subzone = perseus__output_path(directory, entry->d_name);
		status = subzone ? read_name(subzone, subname, err) : perseus__no_memory(err);
		is_found = status == PERSEUS_OK && strcmp(subname, "dram") == 0;
		if (is_found) {
			struct perseus_device_info info = {
				.kind = PERSEUS_DEVICE_DRAM, .index = package->number, .energy_step_ns = STEP_NS};
			(void)snprintf(info.name, sizeof info.name, "%.*s dram", PERSEUS__RAPL_NAME_BYTES, name);
			status = add_zone(rapl, subzone, &info, err);
		}
		perseus__free(subzone);
	}
	(void)closedir(entries);
	return status;
}

static bool
has_package(const struct rapl *rapl, const char *name)
{
	for (size_t i = 0; i < rapl->n_zones; i++)
		if (strcmp(rapl->zones[i]->info.name, name) == 0)
			return true;
	return false;
}

static enum perseus_status
add_package(struct perseus_node *node, struct rapl *rapl, const struct package *package, const char *directory,
		struct perseus_error *err)
{
	char name[PERSEUS__RAPL_NAME_BYTES];
	const enum perseus_status status = read_name(directory, name, err);
	if (status != PERSEUS_OK)
		return status;
	if (strncmp(name, "package-", strlen("package-")) != 0)
		return perseus__node_note(node, err, "rapl: %s (%s) is left out: %s", package->directory, name,
				strcmp(name, "psys") == 0 ? "it contains the packages" : "it is no package");
	if (has_package(rapl, name))
		return perseus__node_note(
				node, err, "rapl: %s (%s) is left out: it counts a package once more", package->directory, name);
	struct perseus_device_info info = {.kind = PERSEUS_DEVICE_CPU, .index = package->number, .energy_step_ns = STEP_NS};
	(void)snprintf(info.name, sizeof info.name, "%s", name);
	const enum perseus_status added = add_zone(rapl, directory, &info, err);
	return added == PERSEUS_OK ? add_dram(rapl, package, directory, name, err) : added;
}

static int
compare_packages(const void *left, const void *right)
{
	const struct package *a = left;
	const struct package *b = right;
	const int by_type = strcmp(a->type, b->type);
	return by_type ? by_type : (a->number > b->number) - (a->number < b->number);
}

/* Directories of the root that may be packages, in the order of types and numbers. */
static enum perseus_status
list_packages(const char *root, struct package **packages, size_t *n, struct perseus_error *err)
{
	DIR *entries = opendir(root);
	if (!entries && errno == ENOENT)
		return perseus__fail(err, PERSEUS_UNSUPPORTED,
				"there is no %s: no RAPL driver, as in most virtual machines and containers", root);
	if (!entries)
		return fail_read(root, errno, err);
	size_t capacity = 0;
	enum perseus_status status = PERSEUS_OK;
	const struct dirent *entry;
	while (status == PERSEUS_OK && (entry = readdir(entries))) {
		struct package package = {0};
		for (int i = 0; i < N_TYPES && !package.type; i++)
			if (perseus__rapl_is_zone(entry->d_name, types[i], &package.number))
				package.type = types[i];
		if (!package.type)
			continue;
		(void)snprintf(package.directory, sizeof package.directory, "%s:%d", package.type, (int)package.number);
		if (perseus__reserve(packages, &capacity, *n + 1, sizeof **packages))
			(*packages)[(*n)++] = package;
		else
			status = perseus__no_memory(err);
	}
	(void)closedir(entries);
	if (*n > 0)
		qsort(*packages, *n, sizeof **packages, compare_packages);
	return status;
}

static enum perseus_status
find_zones(struct perseus_node *node, struct rapl *rapl, const char *root, struct perseus_error *err)
{
	struct package *packages = NULL;
	size_t n = 0;
	enum perseus_status status = list_packages(root, &packages, &n, err);
	for (size_t i = 0; i < n && status == PERSEUS_OK; i++) {
		const char *directory = perseus__output_path(root, packages[i].directory);
		status = directory ? add_package(node, rapl, &packages[i], directory, err) : perseus__no_memory(err);
		perseus__free(directory);
	}
	perseus__free(packages);
	if (status == PERSEUS_OK && rapl->n_zones == 0)
		return perseus__fail(err, PERSEUS_UNSUPPORTED,
				"%s has no zone of a CPU package: no RAPL driver, as in most virtual machines and containers", root);
	return status;
}

static enum perseus_status
count_energy(struct zone *zone, int64_t *energy_uj, struct perseus_error *err)
{
	int64_t raw_uj;
	(void)pthread_mutex_lock(&zone->mutex);
	const enum perseus_status status = read_energy(zone->file, zone->path, &raw_uj, err);
	if (status == PERSEUS_OK)
		*energy_uj = perseus__rapl_count(&zone->counter, raw_uj);
	(void)pthread_mutex_unlock(&zone->mutex);
	return status;
}

static enum perseus_status
read_zone(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	struct zone *zone = self;
	if (quantity == PERSEUS_QUANTITY_POWER)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "RAPL counts energy; power is its mean between two readings");
	if (quantity != PERSEUS_QUANTITY_ENERGY)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "RAPL counts energy and has nothing else");
	if (zone->file < 0)
		return perseus__fail(err, PERSEUS_DENIED,
				"cannot read %s: since Linux 5.10 only root may (CVE-2020-8694); run as root, or let perseus agent "
				"read it",
				zone->path);
	return count_energy(zone, value, err);
}

/* Packages first, then the DRAM of each: the order of kinds. */
static enum perseus_status
add_devices(struct perseus_node *node, const struct rapl *rapl, struct perseus_error *err)
{
	static const struct perseus__device_ops ops = {.read = read_zone};
	static const enum perseus_device_kind kinds[] = {PERSEUS_DEVICE_CPU, PERSEUS_DEVICE_DRAM};
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		for (size_t i = 0; i < rapl->n_zones; i++) {
			if (rapl->zones[i]->info.kind != kinds[k])
				continue;
			const struct perseus__device device = {.info = rapl->zones[i]->info, .ops = &ops, .self = rapl->zones[i]};
			const enum perseus_status status = perseus__node_add(node, &device, err);
			if (status != PERSEUS_OK)
				return status;
		}
	return PERSEUS_OK;
}

enum perseus_status
perseus__rapl_open(struct perseus_node *node, const char *argument, const struct perseus_node_settings *settings,
		struct perseus_error *err)
{
	const char *root = argument ? argument : settings->rapl_root ? settings->rapl_root : DEFAULT_ROOT;
	if (*root == '\0')
		return perseus__fail(err, PERSEUS_INVALID, "the root of the powercap zones is empty");
	struct rapl *rapl = perseus__new_array(1, sizeof *rapl);
	if (!rapl)
		return perseus__no_memory(err);
	const enum perseus_status owned = perseus__node_own(node, rapl, close_rapl, err);
	if (owned != PERSEUS_OK) {
		close_rapl(rapl);
		return owned;
	}
	const enum perseus_status status = find_zones(node, rapl, root, err);
	return status == PERSEUS_OK ? add_devices(node, rapl, err) : status;
}
