/* Lines of the audit. */
#include "agent/audit.h"

#include "agent/lease.h"
#include "service/log.h"

static void
add_holder(struct perseus__log_line *line, const struct perseus__holder *holder)
{
	const enum perseus__holder_kind kind = (enum perseus__holder_kind)holder->kind;
	perseus__log_text(line, "holder", perseus__holder_kind_name(kind));
	if (kind == PERSEUS__HOLDER_PROCESS) {
		perseus__log_integer(line, "uid", holder->uid);
		perseus__log_integer(line, "pid", holder->pid);
	} else
		perseus__log_text(line, "name", holder->name);
}

static void
add_gpu(struct perseus__log_line *line, const struct perseus_device_info *gpu)
{
	perseus__log_integer(line, "gpu", gpu->index);
	perseus__log_text(line, "uuid", gpu->uuid);
}

void
perseus__audit_write(const struct perseus_device_info *gpu, const struct perseus__command *command,
		enum perseus_status status, const struct perseus_error *err, int64_t time_ns)
{
	const bool is_set = command->kind == PERSEUS__COMMAND_SET;
	struct perseus__log_line line;
	perseus__log_begin(
			&line, status == PERSEUS_OK ? PERSEUS__LOG_NOTICE : PERSEUS__LOG_WARNING, is_set ? "set" : "reset");
	add_holder(&line, &command->holder);
	add_gpu(&line, gpu);
	perseus__log_text(&line, "setting", perseus_setting_name((enum perseus_setting)command->setting));
	if (is_set) {
		perseus__log_integer(&line, "low", command->low);
		perseus__log_integer(&line, "high", command->high);
	}
	perseus__log_text(&line, "result", perseus_status_text(status));
	if (status == PERSEUS_OK)
		perseus__log_integer(&line, "time_ns", time_ns);
	else
		perseus__log_text(&line, "message", err->message);
	perseus__log_end(&line);
}

void
perseus__audit_lease(
		const struct perseus_device_info *gpu, const struct perseus__lease *lease, const char *event, const char *why)
{
	struct perseus__log_line line;
	perseus__log_begin(&line, PERSEUS__LOG_INFO, event);
	add_holder(&line, &lease->holder);
	add_gpu(&line, gpu);
	perseus__log_integer(&line, "lease", (int64_t)lease->lease_id);
	perseus__log_integer(&line, "writes", (int64_t)lease->n_writes);
	if (why)
		perseus__log_text(&line, "why", why);
	perseus__log_end(&line);
}
