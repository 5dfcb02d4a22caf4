/* Checks of commands. */
#include "agent/check.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/* No setting of any hardware is near it, and drivers take 32 bits. */
static const int64_t MAX_VALUE = INT32_MAX;

/* A shape is a row of what a kind names; all else is 0. */
struct shape {
	bool is_control;
	bool has_holder;
	bool has_setting;
	bool has_low; /* LIST's lease id, too */
	bool has_high;
	bool has_ttl;
};

static bool
find_shape(uint32_t kind, struct shape *shape)
{
	switch ((enum perseus__command_kind)kind) {
	case PERSEUS__COMMAND_NONE:
		return false;
	case PERSEUS__COMMAND_SET:
		*shape = (struct shape){.has_holder = true, .has_setting = true, .has_low = true, .has_high = true};
		return true;
	case PERSEUS__COMMAND_RESET:
		*shape = (struct shape){.has_holder = true, .has_setting = true};
		return true;
	case PERSEUS__COMMAND_LEASE:
		*shape = (struct shape){.has_holder = true, .has_ttl = true};
		return true;
	case PERSEUS__COMMAND_RELEASE:
		*shape = (struct shape){.has_holder = true};
		return true;
	case PERSEUS__COMMAND_LIST:
		*shape = (struct shape){.is_control = true, .has_low = true};
		return true;
	case PERSEUS__COMMAND_PING:
		*shape = (struct shape){.is_control = true};
		return true;
	}
	return false;
}

static bool
is_zero(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < length; i++)
		if (at[i] != 0)
			return false;
	return true;
}

/* What is wrong with a holder; NULL for nothing. */
static const char *
complaint_about_holder(const struct perseus__holder *holder)
{
	const char *end = memchr(holder->name, '\0', sizeof holder->name);
	if (holder->reserved != 0)
		return "a reserved field of the holder";
	if (!end || !is_zero(end, (size_t)(holder->name + sizeof holder->name - end)))
		return "the end of the holder's name";
	switch ((enum perseus__holder_kind)holder->kind) {
	case PERSEUS__HOLDER_PROCESS:
		return holder->pid <= 0 || end != holder->name ? "the holder is no process" : NULL;
	case PERSEUS__HOLDER_TOKEN:
	case PERSEUS__HOLDER_PEER:
		return holder->uid != 0 || holder->pid != 0 || holder->start_ticks != 0 || end == holder->name
				? "the holder has no name, or is a process"
				: NULL;
	}
	return "the kind of the holder";
}

static const char *
complaint_about_fields(const struct perseus__command *command, const struct shape *shape)
{
	if (command->reserved != 0)
		return "a reserved field";
	if (shape->has_setting ? command->setting >= PERSEUS_N_SETTINGS : command->setting != 0)
		return "the setting";
	if (!shape->has_low && command->low != 0)
		return "low";
	if (!shape->has_high && command->high != 0)
		return "high";
	if (!shape->has_ttl && command->ttl_ns != 0)
		return "the time to live";
	if (shape->has_holder)
		return complaint_about_holder(&command->holder);
	return is_zero(&command->holder, sizeof command->holder) ? NULL : "a holder where none belongs";
}

enum perseus_status
perseus__check_shape(
		const void *bytes, size_t length, int32_t channel, struct perseus__command *command, struct perseus_error *err)
{
	struct shape shape;
	if (length != sizeof *command)
		return perseus__fail(err, PERSEUS_INTERNAL, "malformed command: %zu bytes, not %zu", length, sizeof *command);
	memcpy(command, bytes, sizeof *command);
	if (!find_shape(command->kind, &shape))
		return perseus__fail(err, PERSEUS_INTERNAL, "malformed command: kind %" PRIu32, command->kind);
	const bool is_control = channel == PERSEUS__CONTROL_CHANNEL;
	if (shape.is_control != is_control || command->device != (is_control ? 0 : channel))
		return perseus__fail(err, PERSEUS_INTERNAL,
				"malformed command: kind %" PRIu32 " for device %" PRId32 " on the channel of %" PRId32, command->kind,
				command->device, channel);
	const char *complaint = complaint_about_fields(command, &shape);
	if (complaint)
		return perseus__fail(
				err, PERSEUS_INTERNAL, "malformed command: kind %" PRIu32 ": %s", command->kind, complaint);
	return PERSEUS_OK;
}

static const char *
unit(enum perseus_setting setting)
{
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		return " MHz";
	case PERSEUS_SETTING_POWER_LIMIT:
		return " mW";
	case PERSEUS_SETTING_PERSISTENCE:
		return "";
	}
	return "";
}

enum perseus_status
perseus__check_range(enum perseus_setting setting, const struct perseus__range *range, int64_t low, int64_t high,
		struct perseus_error *err)
{
	const bool is_open = range->low == 0 && range->high == 0;
	if (is_open || (low >= range->low && high <= range->high))
		return PERSEUS_OK;
	return perseus__fail(err, PERSEUS_DENIED,
			"%s: %" PRId64 " .. %" PRId64 "%s is beyond what is allowed here, %" PRId64 " .. %" PRId64 "%s",
			perseus_setting_name(setting), low, high, unit(setting), range->low, range->high, unit(setting));
}

static enum perseus_status
check_values(const struct perseus__command *command, struct perseus_error *err)
{
	const enum perseus_setting setting = (enum perseus_setting)command->setting;
	const char *name = perseus_setting_name(setting);
	if (command->low < 0 || command->low > command->high || command->high > MAX_VALUE)
		return perseus__fail(
				err, PERSEUS_INVALID, "%s: %" PRId64 " .. %" PRId64 " is no range", name, command->low, command->high);
	const bool is_single = setting == PERSEUS_SETTING_POWER_LIMIT || setting == PERSEUS_SETTING_PERSISTENCE;
	if (is_single && command->low != command->high)
		return perseus__fail(err, PERSEUS_INVALID, "%s takes one value, not %" PRId64 " .. %" PRId64, name,
				command->low, command->high);
	return PERSEUS_OK;
}

static enum perseus_status
check_ttl(const struct perseus__command *command, int64_t max_ns, struct perseus_error *err)
{
	if (command->ttl_ns < 0 || command->ttl_ns > max_ns)
		return perseus__fail(err, PERSEUS_INVALID, "a lease lasts at most %" PRId64 " s here", max_ns / 1000000000);
	if (command->ttl_ns != 0 && command->holder.kind == PERSEUS__HOLDER_PROCESS)
		return perseus__fail(
				err, PERSEUS_INVALID, "the lease of a process ends with the process: it takes no time to live");
	return PERSEUS_OK;
}

enum perseus_status
perseus__check_allowed(const struct perseus__command *command, const struct perseus__executor_settings *settings,
		struct perseus_error *err)
{
	if (command->kind == PERSEUS__COMMAND_LEASE)
		return check_ttl(command, settings->max_lease_ttl_ns, err);
	if (command->kind != PERSEUS__COMMAND_SET)
		return PERSEUS_OK;
	const enum perseus_status status = check_values(command, err);
	if (status != PERSEUS_OK)
		return status;
	return perseus__check_range((enum perseus_setting)command->setting, &settings->ranges[command->setting],
			command->low, command->high, err);
}
