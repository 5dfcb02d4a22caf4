/* The public operations on devices: arguments are checked here, once for every backend. */
#include "device/device.h"

#include "base/error.h"

#include <string.h>

#define X(name, text) text,
static const char *const kind_names[] = {PERSEUS_DEVICE_KIND_MAP(X)};
static const char *const quantity_names[] = {PERSEUS_QUANTITY_MAP(X)};
static const char *const setting_names[] = {PERSEUS_SETTING_MAP(X)};
#undef X

const char *
perseus_device_kind_name(enum perseus_device_kind kind)
{
	return kind_names[kind];
}

const char *
perseus_quantity_name(enum perseus_quantity quantity)
{
	return quantity_names[quantity];
}

const char *
perseus_setting_name(enum perseus_setting setting)
{
	return setting_names[setting];
}

const char *
perseus_reason_name(enum perseus_reason reason)
{
	switch (reason) {
#define X(name, text, bit)      \
	case PERSEUS_REASON_##name: \
		return text;
		PERSEUS_REASON_MAP(X)
#undef X
	}
	return NULL;
}

static enum perseus_status
unsupported(const struct perseus__device *device, const char *what, struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_UNSUPPORTED, "%s devices have no %s", device->info.backend, what);
}

enum perseus_status
perseus_device_read(const struct perseus_node *node, int32_t device, enum perseus_quantity quantity, int64_t *value,
		struct perseus_error *err)
{
	const struct perseus__device *at = perseus__node_at(node, device);
	return at->ops->read ? at->ops->read(at->self, quantity, value, err)
						 : unsupported(at, perseus_quantity_name(quantity), err);
}

enum perseus_status
perseus_device_clocks(const struct perseus_node *node, int32_t device, enum perseus_setting setting, int32_t *mhz,
		int32_t *n, struct perseus_error *err)
{
	const struct perseus__device *at = perseus__node_at(node, device);
	if (setting != PERSEUS_SETTING_SM_CLOCKS && setting != PERSEUS_SETTING_MEMORY_CLOCKS)
		return perseus__fail(err, PERSEUS_INVALID, "%s is no range of clocks", perseus_setting_name(setting));
	return at->ops->clocks ? at->ops->clocks(at->self, setting, mhz, n, err) : unsupported(at, "clocks", err);
}

enum perseus_status
perseus_device_check(
		const struct perseus_node *node, int32_t device, enum perseus_setting setting, struct perseus_error *err)
{
	const struct perseus__device *at = perseus__node_at(node, device);
	if (!at->ops->set)
		return unsupported(at, "settings", err);
	return at->ops->check ? at->ops->check(at->self, setting, err) : PERSEUS_OK;
}

/* Shape of the values of a setting; whether the device takes them is its own to say. */
static enum perseus_status
check_values(enum perseus_setting setting, int64_t low, int64_t high, struct perseus_error *err)
{
	const bool is_range = setting == PERSEUS_SETTING_SM_CLOCKS || setting == PERSEUS_SETTING_MEMORY_CLOCKS;
	const int64_t most = setting == PERSEUS_SETTING_PERSISTENCE ? 1 : UINT32_MAX;
	if (low < 0 || high > most || low > high || (!is_range && low != high))
		return perseus__fail(err, PERSEUS_INVALID, "%s cannot be set to %lld..%lld", perseus_setting_name(setting),
				(long long)low, (long long)high);
	return PERSEUS_OK;
}

enum perseus_status
perseus_device_set(const struct perseus_node *node, int32_t device, enum perseus_setting setting, int64_t low,
		int64_t high, struct perseus_error *err)
{
	const struct perseus__device *at = perseus__node_at(node, device);
	if (!at->ops->set)
		return unsupported(at, "settings", err);
	const enum perseus_status status = check_values(setting, low, high, err);
	return status == PERSEUS_OK ? at->ops->set(at->self, setting, low, high, err) : status;
}

enum perseus_status
perseus_device_reset(
		const struct perseus_node *node, int32_t device, enum perseus_setting setting, struct perseus_error *err)
{
	const struct perseus__device *at = perseus__node_at(node, device);
	return at->ops->reset ? at->ops->reset(at->self, setting, err) : unsupported(at, "settings", err);
}
