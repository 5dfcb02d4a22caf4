/* Settings as they are found, and back again. */
#include "agent/restore.h"

#include "base/error.h"
#include "service/log.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static enum perseus_status
read_value(const struct perseus_node *node, int32_t device, enum perseus_quantity quantity,
		struct perseus__found *found, struct perseus_error *err)
{
	int64_t value = 0;
	const enum perseus_status status = perseus_device_read(node, device, quantity, &value, err);
	if (status == PERSEUS_OK)
		*found = (struct perseus__found){.low = value, .high = value};
	return status;
}

enum perseus_status
perseus__setting_find(const struct perseus_node *node, int32_t device, enum perseus_setting setting,
		const struct perseus__range *standing_sm_clocks, struct perseus__found *found, struct perseus_error *err)
{
	/* Nothing is saved for a write that cannot be. */
	const enum perseus_status status = perseus_device_check(node, device, setting, err);
	if (status != PERSEUS_OK)
		return status;
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
		*found = (struct perseus__found){
			.is_free = standing_sm_clocks->low == 0 && standing_sm_clocks->high == 0,
			.low = standing_sm_clocks->low,
			.high = standing_sm_clocks->high,
		};
		return PERSEUS_OK;
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		*found = (struct perseus__found){.is_free = true};
		return PERSEUS_OK;
	case PERSEUS_SETTING_POWER_LIMIT:
		return read_value(node, device, PERSEUS_QUANTITY_POWER_LIMIT, found, err);
	case PERSEUS_SETTING_PERSISTENCE:
		return read_value(node, device, PERSEUS_QUANTITY_PERSISTENCE, found, err);
	}
	return perseus__fail(err, PERSEUS_INTERNAL, "setting %d", (int)setting);
}

static void
log_restore(const struct perseus_device_info *info, enum perseus_setting setting, const struct perseus__found *found,
		enum perseus_status status, const struct perseus_error *why)
{
	struct perseus__log_line line;
	perseus__log_begin(&line, status == PERSEUS_OK ? PERSEUS__LOG_NOTICE : PERSEUS__LOG_ERROR, "restore");
	perseus__log_integer(&line, "gpu", info->index);
	perseus__log_text(&line, "uuid", info->uuid);
	perseus__log_text(&line, "setting", perseus_setting_name(setting));
	if (found->is_free)
		perseus__log_text(&line, "value", "free");
	else {
		perseus__log_integer(&line, "low", found->low);
		perseus__log_integer(&line, "high", found->high);
	}
	perseus__log_text(&line, "result", perseus_status_text(status));
	if (status != PERSEUS_OK)
		perseus__log_text(&line, "message", why->message);
	perseus__log_end(&line);
}

/* Puts one setting back, and says so in the log, whether it went or not. Errors: those of the device. */
static enum perseus_status
put_back(const struct perseus_node *node, int32_t device, enum perseus_setting setting,
		const struct perseus__found *found, struct perseus_error *err)
{
	struct perseus_error why = {.message = ""};
	const enum perseus_status status = found->is_free
			? perseus_device_reset(node, device, setting, &why)
			: perseus_device_set(node, device, setting, found->low, found->high, &why);
	const struct perseus_device_info *info = perseus_node_device(node, device);
	log_restore(info, setting, found, status, &why);
	if (status != PERSEUS_OK)
		return perseus__fail(err, status, "GPU %" PRId32 " (%s): cannot put back %s: %s", info->index, info->uuid,
				perseus_setting_name(setting), why.message);
	return PERSEUS_OK;
}

enum perseus_status
perseus__saved_put_back(const struct perseus_node *node, int32_t device, int directory, struct perseus__saved *saved,
		uint32_t wanted, int32_t *n_restored, struct perseus_error *err)
{
	enum perseus_status result = PERSEUS_OK;
	const uint32_t before = saved->settings;
	for (int setting = 0; setting < PERSEUS_N_SETTINGS; setting++) {
		const uint32_t bit = UINT32_C(1) << setting;
		if (!(saved->settings & wanted & bit))
			continue;
		if (put_back(node, device, (enum perseus_setting)setting, &saved->found[setting], err) != PERSEUS_OK) {
			result = PERSEUS_IO;
			continue;
		}
		saved->settings &= ~bit;
		if (n_restored)
			++*n_restored;
	}
	/* A file that still lists what is back does no harm but work: the same value would be put back again. */
	if (saved->settings != before && perseus__saved_store(directory, saved, err) != PERSEUS_OK)
		result = PERSEUS_IO;
	if (result != PERSEUS_OK && err)
		err->status = result;
	return result;
}

/* One file after the other, each of which may fail on its own. */
struct restoring {
	const struct perseus_node *node;
	int directory;
	int32_t n_restored;
	int32_t n_failed;
	struct perseus_error why; /* of the first that failed */
};

static int32_t
find_device(const struct perseus_node *node, const char *uuid)
{
	for (int32_t device = 0; device < perseus_node_n_devices(node); device++) {
		const struct perseus_device_info *info = perseus_node_device(node, device);
		if (info->kind == PERSEUS_DEVICE_GPU && strcmp(info->uuid, uuid) == 0)
			return device;
	}
	return -1;
}

static enum perseus_status
restore_gpu(struct restoring *restoring, const char *uuid, struct perseus_error *err)
{
	struct perseus__saved saved;
	const enum perseus_status status = perseus__saved_load(restoring->directory, uuid, &saved, err);
	if (status != PERSEUS_OK)
		return status;
	const int32_t device = find_device(restoring->node, uuid);
	if (device < 0)
		return perseus__fail(err, PERSEUS_IO, "GPU %s is not there: its settings stay saved", uuid);
	return perseus__saved_put_back(
			restoring->node, device, restoring->directory, &saved, saved.settings, &restoring->n_restored, err);
}

static void
restore_each(void *user, const char *uuid)
{
	struct restoring *restoring = user;
	struct perseus_error why = {.message = ""};
	if (restore_gpu(restoring, uuid, &why) == PERSEUS_OK)
		return;
	perseus__log_message(PERSEUS__LOG_ERROR, "not_restored", "%s", why.message);
	if (restoring->n_failed++ == 0)
		restoring->why = why;
}

enum perseus_status
perseus__restore_directory(
		const struct perseus_node *node, int directory, int32_t *n_restored, struct perseus_error *err)
{
	struct restoring restoring = {.node = node, .directory = directory};
	const enum perseus_status status = perseus__saved_list(directory, restore_each, &restoring, err);
	*n_restored = restoring.n_restored;
	if (status != PERSEUS_OK)
		return status;
	if (restoring.n_failed == 1)
		return perseus__fail(err, PERSEUS_IO, "%s", restoring.why.message);
	if (restoring.n_failed > 1)
		return perseus__fail(
				err, PERSEUS_IO, "%s (and %" PRId32 " more GPUs)", restoring.why.message, restoring.n_failed - 1);
	return PERSEUS_OK;
}

enum perseus_status
perseus__executor_restore(
		const struct perseus_node *node, const char *state_dir, int32_t *n_restored, struct perseus_error *err)
{
	int directory;
	enum perseus_status status = perseus__saved_open(state_dir, &directory, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__restore_directory(node, directory, n_restored, err);
	(void)close(directory);
	return status;
}
