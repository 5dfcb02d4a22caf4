/* Overrides: their file, and the table of operations that they put before a device's own. */
#include "agent/override.h"

#include "agent/override_internal.h"
#include "device/device.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/input_file.h"
#include "format/toml.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_S = 60, MAX_TIMEOUT_S = 86400, MAX_COMMANDS = 32, MAX_FILE_BYTES = 1 << 20 };

/* A GPU whose settings go through commands. */
struct overridden {
	struct perseus__device own; /* as its backend made it */
	const struct perseus__overrides *overrides;
};

struct perseus__overrides {
	struct perseus__override tables[PERSEUS__N_OVERRIDES];
	struct overridden *gpus; /* once a node has them */
};

static const struct {
	const char *table;
	enum perseus_setting setting;
	bool is_reset;
} kinds[] = {
#define X(table, setting, is_reset, placeholders) {#table, PERSEUS_SETTING_##setting, is_reset},
	PERSEUS__OVERRIDE_MAP(X)
#undef X
};

static enum perseus_status
find_kind(const char *table, enum perseus__override_kind *kind, struct perseus_error *err)
{
	for (int i = 0; i < PERSEUS__N_OVERRIDES; i++)
		if (strcmp(kinds[i].table, table) == 0) {
			*kind = (enum perseus__override_kind)i;
			return PERSEUS_OK;
		}
	if (*table == '\0')
		return perseus__fail(err, PERSEUS_INVALID, "a [table] named after an operation should come first");
	return perseus__fail(err, PERSEUS_INVALID, "[%s] is no operation", table);
}

static enum perseus_status
add_command(struct perseus__override *override, enum perseus__override_kind kind, const char *text,
		struct perseus_error *err)
{
	if (override->n_commands == MAX_COMMANDS)
		return perseus__fail(err, PERSEUS_INVALID, "there are more than %d commands", MAX_COMMANDS);
	if (!perseus__reserve(
				&override->commands, &override->cap_commands, override->n_commands + 1, sizeof *override->commands))
		return perseus__no_memory(err);
	struct perseus__override_command *command = &override->commands[override->n_commands++];
	*command = (struct perseus__override_command){0};
	enum perseus_status status = perseus__override_split(text, command, err);
	for (size_t i = 0; status == PERSEUS_OK && i < command->n_words; i++)
		status = perseus__override_check_word(kind, command->words[i], err);
	return status;
}

static enum perseus_status
take_commands(struct perseus__override *override, enum perseus__override_kind kind,
		const struct perseus__toml_entry *entry, struct perseus_error *err)
{
	if (entry->type != PERSEUS__TOML_STRINGS || entry->n_strings == 0)
		return perseus__fail(err, PERSEUS_INVALID, "commands takes an array of at least one string");
	enum perseus_status status = PERSEUS_OK;
	for (size_t i = 0; status == PERSEUS_OK && i < entry->n_strings; i++)
		status = add_command(override, kind, entry->strings[i], err);
	return status;
}

static enum perseus_status
take_pattern(struct perseus__override *override, const struct perseus__toml_entry *entry, struct perseus_error *err)
{
	if (entry->type != PERSEUS__TOML_STRING)
		return perseus__fail(err, PERSEUS_INVALID, "error_pattern takes a string");
	const int number = regcomp(&override->pattern, entry->strings[0], REG_EXTENDED | REG_NOSUB);
	if (number != 0) {
		char why[128];
		(void)regerror(number, &override->pattern, why, sizeof why);
		return perseus__fail(err, PERSEUS_INVALID, "error_pattern '%s': %s", entry->strings[0], why);
	}
	override->has_pattern = true;
	return PERSEUS_OK;
}

/* perseus__toml_take */
static enum perseus_status
take_entry(void *user, const struct perseus__toml_entry *entry, struct perseus_error *err)
{
	struct perseus__overrides *overrides = user;
	enum perseus__override_kind kind = PERSEUS__N_OVERRIDES;
	const enum perseus_status status = find_kind(entry->table, &kind, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__override *override = &overrides->tables[kind];
	if (entry->type == PERSEUS__TOML_TABLE) {
		override->line = entry->line;
		override->timeout_s = DEFAULT_TIMEOUT_S;
		return PERSEUS_OK;
	}
	if (strcmp(entry->key, "commands") == 0)
		return take_commands(override, kind, entry, err);
	if (strcmp(entry->key, "error_pattern") == 0)
		return take_pattern(override, entry, err);
	if (strcmp(entry->key, "timeout_s") != 0)
		return perseus__fail(err, PERSEUS_INVALID,
				"there is no key '%s': commands, error_pattern and timeout_s are known", entry->key);
	if (entry->type != PERSEUS__TOML_INTEGER || entry->integer < 1 || entry->integer > MAX_TIMEOUT_S)
		return perseus__fail(err, PERSEUS_INVALID, "timeout_s takes whole seconds from 1 to %d", MAX_TIMEOUT_S);
	override->timeout_s = entry->integer;
	return PERSEUS_OK;
}

/* A table without commands is an error of its own line, which the parser has left behind. */
static enum perseus_status
check_tables(const struct perseus__overrides *overrides, const char *label, struct perseus_error *err)
{
	for (int i = 0; i < PERSEUS__N_OVERRIDES; i++)
		if (overrides->tables[i].line > 0 && overrides->tables[i].n_commands == 0)
			return perseus__fail(err, PERSEUS_INVALID, "%s:%lld: [%s] has no commands", label,
					(long long)overrides->tables[i].line, kinds[i].table);
	return PERSEUS_OK;
}

enum perseus_status
perseus__overrides_parse(
		const char *text, size_t length, const char *label, struct perseus__overrides **out, struct perseus_error *err)
{
	struct perseus__overrides *overrides = perseus__new_array(1, sizeof *overrides);
	if (!overrides)
		return perseus__no_memory(err);
	enum perseus_status status = perseus__toml_parse(text, length, label, take_entry, overrides, err);
	if (status == PERSEUS_OK)
		status = check_tables(overrides, label, err);
	if (status == PERSEUS_OK)
		*out = overrides;
	else
		perseus__overrides_free(overrides);
	return status;
}

/* These commands run with the agent's rights: nobody else may have written them. */
static enum perseus_status
check_owner(const char *path, struct perseus_error *err)
{
	struct stat about;
	if (stat(path, &about) != 0)
		return perseus__fail(
				err, errno == EACCES ? PERSEUS_DENIED : PERSEUS_IO, "cannot read %s: %s", path, strerror(errno));
	if (about.st_uid != 0 && about.st_uid != geteuid())
		return perseus__fail(err, PERSEUS_DENIED, "%s belongs neither to root nor to this user", path);
	if (about.st_mode & (S_IWGRP | S_IWOTH))
		return perseus__fail(err, PERSEUS_DENIED, "%s can be written by others than its owner", path);
	return PERSEUS_OK;
}

enum perseus_status
perseus__overrides_load(const char *path, struct perseus__overrides **out, struct perseus_error *err)
{
	char *text = NULL;
	size_t length = 0;
	enum perseus_status status = check_owner(path, err);
	if (status == PERSEUS_OK)
		status = perseus__input_file(path, MAX_FILE_BYTES, &text, &length, err);
	if (status == PERSEUS_OK)
		status = perseus__overrides_parse(text, length, path, out, err);
	perseus__free(text);
	return status;
}

/* The table for setting or resetting `setting`; NULL where the file has none. */
static const struct perseus__override *
find_override(const struct perseus__overrides *overrides, enum perseus_setting setting, bool is_reset)
{
	for (int i = 0; i < PERSEUS__OVERRIDE_reset_locked_clocks; i++)
		if (kinds[i].setting == setting && kinds[i].is_reset == is_reset && overrides->tables[i].line > 0)
			return &overrides->tables[i];
	const struct perseus__override *both = &overrides->tables[PERSEUS__OVERRIDE_reset_locked_clocks];
	const bool is_clocks = setting == PERSEUS_SETTING_SM_CLOCKS || setting == PERSEUS_SETTING_MEMORY_CLOCKS;
	return is_reset && is_clocks && both->line > 0 ? both : NULL;
}

static enum perseus_status
read_own(void *self, enum perseus_quantity quantity, int64_t *value, struct perseus_error *err)
{
	const struct overridden *gpu = self;
	return gpu->own.ops->read(gpu->own.self, quantity, value, err);
}

static enum perseus_status
clocks_own(void *self, enum perseus_setting setting, int32_t *mhz, int32_t *n, struct perseus_error *err)
{
	const struct overridden *gpu = self;
	return gpu->own.ops->clocks(gpu->own.self, setting, mhz, n, err);
}

static enum perseus_status
check(void *self, enum perseus_setting setting, struct perseus_error *err)
{
	const struct overridden *gpu = self;
	if (find_override(gpu->overrides, setting, false) || !gpu->own.ops->check)
		return PERSEUS_OK;
	return gpu->own.ops->check(gpu->own.self, setting, err);
}

static enum perseus_status
set(void *self, enum perseus_setting setting, int64_t low, int64_t high, struct perseus_error *err)
{
	const struct overridden *gpu = self;
	const struct perseus__override *override = find_override(gpu->overrides, setting, false);
	const struct perseus__override_values values = {gpu->own.info.index, low, high};
	return override ? perseus__override_run(override, &values, err)
					: gpu->own.ops->set(gpu->own.self, setting, low, high, err);
}

static enum perseus_status
reset(void *self, enum perseus_setting setting, struct perseus_error *err)
{
	const struct overridden *gpu = self;
	const struct perseus__override *override = find_override(gpu->overrides, setting, true);
	const struct perseus__override_values values = {.gpu_id = gpu->own.info.index};
	return override ? perseus__override_run(override, &values, err) : gpu->own.ops->reset(gpu->own.self, setting, err);
}

static const struct perseus__device_ops override_ops = {read_own, clocks_own, check, set, reset};

static void
close_overrides(void *overrides)
{
	perseus__overrides_free(overrides);
}

enum perseus_status
perseus__node_override(struct perseus_node *node, struct perseus__overrides *overrides, struct perseus_error *err)
{
	const int32_t n_devices = perseus_node_n_devices(node);
	overrides->gpus = perseus__new_array((size_t)n_devices, sizeof *overrides->gpus);
	const enum perseus_status status =
			overrides->gpus ? perseus__node_own(node, overrides, close_overrides, err) : perseus__no_memory(err);
	if (status != PERSEUS_OK) {
		perseus__overrides_free(overrides);
		return status;
	}
	for (int32_t i = 0; i < n_devices; i++) {
		struct perseus__device *device = perseus__node_change(node, i);
		if (device->info.kind != PERSEUS_DEVICE_GPU || device->info.is_mig)
			continue;
		overrides->gpus[i] = (struct overridden){*device, overrides};
		device->ops = &override_ops;
		device->self = &overrides->gpus[i];
	}
	return PERSEUS_OK;
}

void
perseus__overrides_free(struct perseus__overrides *overrides)
{
	if (!overrides)
		return;
	for (int i = 0; i < PERSEUS__N_OVERRIDES; i++) {
		struct perseus__override *override = &overrides->tables[i];
		for (size_t k = 0; k < override->n_commands; k++) {
			for (size_t word = 0; word < override->commands[k].n_words; word++)
				perseus__free(override->commands[k].words[word]);
			perseus__free(override->commands[k].words);
		}
		perseus__free(override->commands);
		if (override->has_pattern)
			regfree(&override->pattern);
	}
	perseus__free(overrides->gpus);
	perseus__free(overrides);
}
