/* One GPU as the executor has it. */
#include "agent/gpu.h"

#include "agent/audit.h"
#include "agent/check.h"
#include "agent/process.h"
#include "agent/restore.h"
#include "base/clock.h"
#include "base/error.h"
#include "service/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* How often, and how far apart, a GPU that does not take a setting back is asked again. */
static const int64_t RETRY_PERIOD_NS = 1000000000;
enum { MAX_TRIES = 5 };

enum perseus_status
perseus__gpu_init(struct perseus__gpu *gpu, const struct perseus_node *node, int32_t device,
		const struct perseus__executor_settings *settings, int directory, atomic_ullong *last_lease_id,
		struct perseus_error *err)
{
	if (device < 0 || device >= perseus_node_n_devices(node)
			|| perseus_node_device(node, device)->kind != PERSEUS_DEVICE_GPU)
		return perseus__fail(err, PERSEUS_INTERNAL, "device %" PRId32 " is no GPU", device);
	*gpu = (struct perseus__gpu){
		.node = node,
		.device = device,
		.info = perseus_node_device(node, device),
		.settings = settings,
		.directory = directory,
		.last_lease_id = last_lease_id,
		.retry_ns = INT64_MAX,
	};
	perseus__lease_book_init(&gpu->book, device, gpu->info->index);
	const enum perseus_status status = perseus__saved_load(directory, gpu->info->uuid, &gpu->saved, err);
	if (status != PERSEUS_OK)
		return status;
	if (pthread_mutex_init(&gpu->lock, NULL) != 0)
		return perseus__no_memory(err);
	gpu->to_restore = gpu->saved.settings;
	if (gpu->to_restore)
		gpu->retry_ns = 0;
	return PERSEUS_OK;
}

void
perseus__gpu_fini(struct perseus__gpu *gpu)
{
	for (int32_t i = 0; i < gpu->book.n; i++)
		if (gpu->book.entries[i].process_fd >= 0)
			(void)close(gpu->book.entries[i].process_fd);
	(void)pthread_mutex_destroy(&gpu->lock);
}

/* Puts back what nobody holds, or plans to try again. */
static enum perseus_status
put_back(struct perseus__gpu *gpu, uint32_t settings, int64_t now_ns, struct perseus_error *err)
{
	gpu->to_restore |= settings & gpu->saved.settings;
	if (!gpu->to_restore)
		return PERSEUS_OK;
	const enum perseus_status status =
			perseus__saved_put_back(gpu->node, gpu->device, gpu->directory, &gpu->saved, gpu->to_restore, NULL, err);
	gpu->to_restore &= gpu->saved.settings;
	gpu->retry_ns = INT64_MAX;
	if (gpu->to_restore == 0)
		gpu->n_tries = 0;
	else if (++gpu->n_tries < MAX_TRIES)
		gpu->retry_ns = now_ns + RETRY_PERIOD_NS;
	else
		perseus__log_message(PERSEUS__LOG_ERROR, "not_restored",
				"GPU %" PRId32 " (%s) did not take its settings back %d times: they stay saved until the next start",
				gpu->info->index, gpu->info->uuid, gpu->n_tries);
	return status;
}

static enum perseus_status
end_lease(struct perseus__gpu *gpu, struct perseus__lease_entry *entry, const char *why, int64_t now_ns,
		struct perseus_error *err)
{
	const struct perseus__lease lease = entry->lease;
	if (entry->process_fd >= 0)
		(void)close(entry->process_fd);
	(void)pthread_mutex_lock(&gpu->lock);
	const uint32_t settings = perseus__lease_end(&gpu->book, entry);
	(void)pthread_mutex_unlock(&gpu->lock);
	perseus__audit_lease(gpu->info, &lease, "lease_end", why);
	gpu->n_tries = 0;
	return put_back(gpu, settings, now_ns, err);
}

void
perseus__gpu_tend(struct perseus__gpu *gpu, int64_t now_ns)
{
	struct perseus__lease_entry *entry;
	/* What fails is in the log, and tried again. */
	while ((entry = perseus__lease_ended(&gpu->book, now_ns)) != NULL)
		(void)end_lease(gpu, entry, entry->is_over ? "the process has ended" : "expired", now_ns, NULL);
	if (gpu->to_restore && gpu->retry_ns <= now_ns)
		(void)put_back(gpu, 0, now_ns, NULL);
}

int64_t
perseus__gpu_next_ns(const struct perseus__gpu *gpu)
{
	const int64_t expiry_ns = perseus__lease_next_expiry_ns(&gpu->book);
	return gpu->retry_ns < expiry_ns ? gpu->retry_ns : expiry_ns;
}

bool
perseus__gpu_lease_after(struct perseus__gpu *gpu, uint64_t lease_id, struct perseus__lease *lease)
{
	(void)pthread_mutex_lock(&gpu->lock);
	const struct perseus__lease *next = perseus__lease_after(&gpu->book, lease_id);
	if (next)
		*lease = *next;
	(void)pthread_mutex_unlock(&gpu->lock);
	return next != NULL;
}

enum perseus_status
perseus__gpu_end_all(struct perseus__gpu *gpu, struct perseus_error *err)
{
	const int64_t now_ns = perseus__clock_mono_ns();
	while (gpu->book.n > 0)
		(void)end_lease(gpu, &gpu->book.entries[0], "the agent stops", now_ns, NULL);
	return put_back(gpu, gpu->saved.settings, now_ns, err);
}

static int64_t
default_ttl_ns(const struct perseus__gpu *gpu, const struct perseus__holder *holder)
{
	return holder->kind == PERSEUS__HOLDER_PROCESS ? INT64_MAX : gpu->settings->lease_ttl_ns;
}

/* What must be true for a holder without a lease to have one. `*process_fd` is -1 where it is no process. */
static enum perseus_status
admit(struct perseus__gpu *gpu, const struct perseus__holder *holder, int *process_fd, struct perseus_error *err)
{
	const enum perseus_status status = perseus__lease_admit(&gpu->book, holder, err);
	*process_fd = -1;
	if (status != PERSEUS_OK || holder->kind != PERSEUS__HOLDER_PROCESS)
		return status;
	return perseus__process_watch(holder->pid, holder->start_ticks, process_fd, err);
}

static struct perseus__lease_entry *
begin_lease(struct perseus__gpu *gpu, const struct perseus__holder *holder, int process_fd, int64_t now_ns)
{
	const uint64_t lease_id = atomic_fetch_add(gpu->last_lease_id, 1) + 1;
	(void)pthread_mutex_lock(&gpu->lock);
	struct perseus__lease_entry *entry =
			perseus__lease_begin(&gpu->book, holder, lease_id, now_ns, default_ttl_ns(gpu, holder));
	entry->process_fd = process_fd;
	(void)pthread_mutex_unlock(&gpu->lock);
	perseus__audit_lease(gpu->info, &entry->lease, "lease_begin", NULL);
	return entry;
}

/* Saves what a setting is now, where it is not saved yet: before this returns OK nothing may be written. */
static enum perseus_status
save_found(struct perseus__gpu *gpu, enum perseus_setting setting, bool *is_new, struct perseus_error *err)
{
	const uint32_t bit = UINT32_C(1) << setting;
	*is_new = false;
	if (gpu->saved.settings & bit)
		return PERSEUS_OK;
	enum perseus_status status = perseus__setting_find(
			gpu->node, gpu->device, setting, &gpu->settings->standing_sm_clocks, &gpu->saved.found[setting], err);
	if (status != PERSEUS_OK)
		return status;
	gpu->saved.settings |= bit;
	status = perseus__saved_store(gpu->directory, &gpu->saved, err);
	if (status != PERSEUS_OK)
		gpu->saved.settings &= ~bit;
	*is_new = status == PERSEUS_OK;
	return status;
}

/*
 * The driver's own, but for SM clocks where there is a standing range: that is what holds here where nobody asks for
 * anything. The driver's own power limit may be beyond the range allowed, and is refused then.
 */
static enum perseus_status
reset(struct perseus__gpu *gpu, enum perseus_setting setting, struct perseus_error *err)
{
	const struct perseus__range *standing = &gpu->settings->standing_sm_clocks;
	int64_t value = 0;
	enum perseus_status status = PERSEUS_OK;
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
		if (standing->low != 0 || standing->high != 0)
			return perseus_device_set(gpu->node, gpu->device, setting, standing->low, standing->high, err);
		break;
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		break;
	case PERSEUS_SETTING_POWER_LIMIT:
		status = perseus_device_read(gpu->node, gpu->device, PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT, &value, err);
		if (status == PERSEUS_OK)
			status = perseus__check_range(setting, &gpu->settings->ranges[setting], value, value, err);
		break;
	case PERSEUS_SETTING_PERSISTENCE:
		status = perseus__check_range(setting, &gpu->settings->ranges[setting], 0, 0, err);
		break;
	}
	return status == PERSEUS_OK ? perseus_device_reset(gpu->node, gpu->device, setting, err) : status;
}

/* After a failed write of a setting that nobody holds. */
static void
undo(struct perseus__gpu *gpu, enum perseus_setting setting, enum perseus_status status, int64_t now_ns)
{
	const uint32_t bit = UINT32_C(1) << setting;
	/* Refused: nothing has changed. Failed: who knows. */
	const bool is_refused = status == PERSEUS_INVALID || status == PERSEUS_DENIED || status == PERSEUS_UNSUPPORTED;
	if (!is_refused) {
		(void)put_back(gpu, bit, now_ns, NULL); /* what fails is in the log, and tried again */
		return;
	}
	gpu->saved.settings &= ~bit;
	struct perseus_error err = {.message = ""};
	if (perseus__saved_store(gpu->directory, &gpu->saved, &err) != PERSEUS_OK)
		perseus__log_message(PERSEUS__LOG_ERROR, "not_saved", "%s", err.message);
}

/* A setting that somebody holds again is none to put back. */
static void
take_over(struct perseus__gpu *gpu, enum perseus_setting setting)
{
	gpu->to_restore &= ~(UINT32_C(1) << setting);
	if (gpu->to_restore != 0)
		return;
	gpu->n_tries = 0;
	gpu->retry_ns = INT64_MAX;
}

/* Writes to the device, once what was found is saved. */
static enum perseus_status
write_setting(struct perseus__gpu *gpu, const struct perseus__command *command, int64_t now_ns, int64_t *time_ns,
		struct perseus_error *err)
{
	const enum perseus_setting setting = (enum perseus_setting)command->setting;
	bool is_new;
	enum perseus_status status = save_found(gpu, setting, &is_new, err);
	if (status != PERSEUS_OK)
		return status;
	const int64_t begin_ns = perseus__clock_mono_ns();
	status = command->kind == PERSEUS__COMMAND_SET
			? perseus_device_set(gpu->node, gpu->device, setting, command->low, command->high, err)
			: reset(gpu, setting, err);
	*time_ns = perseus__clock_mono_ns() - begin_ns;
	if (status == PERSEUS_OK)
		take_over(gpu, setting);
	else if (is_new)
		undo(gpu, setting, status, now_ns);
	return status;
}

/* SET and RESET. */
static enum perseus_status
serve_write(struct perseus__gpu *gpu, const struct perseus__command *command, int64_t now_ns, int64_t *time_ns,
		struct perseus_error *err)
{
	const enum perseus_setting setting = (enum perseus_setting)command->setting;
	struct perseus__lease_entry *entry = perseus__lease_find(&gpu->book, &command->holder);
	int process_fd = -1;
	enum perseus_status status = entry ? PERSEUS_OK : admit(gpu, &command->holder, &process_fd, err);
	if (status != PERSEUS_OK)
		return status;
	status = write_setting(gpu, command, now_ns, time_ns, err);
	if (status == PERSEUS_OK) {
		if (!entry)
			entry = begin_lease(gpu, &command->holder, process_fd, now_ns);
		(void)pthread_mutex_lock(&gpu->lock);
		perseus__lease_wrote(entry, setting);
		perseus__lease_renew(entry, now_ns, 0);
		(void)pthread_mutex_unlock(&gpu->lock);
		return PERSEUS_OK;
	}
	if (process_fd >= 0)
		(void)close(process_fd);
	return status;
}

static enum perseus_status
serve_lease(struct perseus__gpu *gpu, const struct perseus__command *command, int64_t now_ns, struct perseus_error *err)
{
	struct perseus__lease_entry *entry = perseus__lease_find(&gpu->book, &command->holder);
	if (!entry) {
		int process_fd;
		const enum perseus_status status = admit(gpu, &command->holder, &process_fd, err);
		if (status != PERSEUS_OK)
			return status;
		entry = begin_lease(gpu, &command->holder, process_fd, now_ns);
	}
	(void)pthread_mutex_lock(&gpu->lock);
	perseus__lease_renew(entry, now_ns, command->ttl_ns ? command->ttl_ns : default_ttl_ns(gpu, &command->holder));
	(void)pthread_mutex_unlock(&gpu->lock);
	return PERSEUS_OK;
}

static enum perseus_status
serve_release(
		struct perseus__gpu *gpu, const struct perseus__command *command, int64_t now_ns, struct perseus_error *err)
{
	struct perseus__lease_entry *entry = perseus__lease_find(&gpu->book, &command->holder);
	return entry ? end_lease(gpu, entry, "released", now_ns, err) : PERSEUS_OK;
}

static enum perseus_status
serve(struct perseus__gpu *gpu, const struct perseus__command *command, int64_t now_ns, int64_t *time_ns,
		struct perseus_error *err)
{
	const enum perseus_status status = perseus__check_allowed(command, gpu->settings, err);
	if (status != PERSEUS_OK)
		return status;
	switch ((enum perseus__command_kind)command->kind) {
	case PERSEUS__COMMAND_SET:
	case PERSEUS__COMMAND_RESET:
		return serve_write(gpu, command, now_ns, time_ns, err);
	case PERSEUS__COMMAND_LEASE:
		return serve_lease(gpu, command, now_ns, err);
	case PERSEUS__COMMAND_RELEASE:
		return serve_release(gpu, command, now_ns, err);
	case PERSEUS__COMMAND_NONE:
	case PERSEUS__COMMAND_LIST:
	case PERSEUS__COMMAND_PING:
		break;
	}
	return perseus__fail(err, PERSEUS_INTERNAL, "kind %" PRIu32 " is no command for a GPU", command->kind);
}

/* Zeus' client locks memory clocks ahead of SM clocks, and ends where it cannot. */
static bool
is_passed_over(const struct perseus__gpu *gpu, const struct perseus__command *command, enum perseus_status status)
{
	return gpu->settings->is_lenient_memory_clocks && status == PERSEUS_UNSUPPORTED
			&& command->setting == PERSEUS_SETTING_MEMORY_CLOCKS;
}

static void
fill_status(struct perseus__answer *answer, enum perseus_status status, const struct perseus_error *err)
{
	answer->status = (uint32_t)status;
	if (status == PERSEUS_OK)
		return;
	const int length = snprintf(answer->message, sizeof answer->message, "%.255s", err->message);
	if (err->message[length] != '\0')
		memcpy(answer->message + length - 3, "...", 3);
}

void
perseus__gpu_serve(struct perseus__gpu *gpu, const struct perseus__command *command, int64_t now_ns,
		struct perseus__answer *answer)
{
	struct perseus_error err = {.message = ""};
	*answer = (struct perseus__answer){.id = command->id};
	const enum perseus_status status = serve(gpu, command, now_ns, &answer->time_ns, &err);
	fill_status(answer, is_passed_over(gpu, command, status) ? PERSEUS_OK : status, &err);
	const struct perseus__lease_entry *entry = perseus__lease_find(&gpu->book, &command->holder);
	if (entry)
		answer->lease = entry->lease;
	if (command->kind == PERSEUS__COMMAND_SET || command->kind == PERSEUS__COMMAND_RESET)
		perseus__audit_write(gpu->info, command, status, &err, answer->time_ns);
}
