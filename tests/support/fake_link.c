/* An executor that is not there. */
#include "fake_link.h"

#include "base/error.h"

#include <perseus/device.h>

#include <stdio.h>
#include <string.h>

static struct perseus__answer
make_answer(const struct perseus__link *link, const struct perseus__command *command)
{
	struct perseus__answer answer = {.id = command->id, .status = PERSEUS_OK};
	if (command->kind == PERSEUS__COMMAND_LIST) {
		for (int i = link->n_leases - 1; i >= 0; i--)
			if (link->leases[i].lease_id > (uint64_t)command->low)
				answer.lease = link->leases[i];
		return answer;
	}
	if (link->only_device < 0 || link->only_device == command->device) {
		answer.status = link->status;
		(void)snprintf(answer.message, sizeof answer.message, "%s", link->message ? link->message : "");
	}
	answer.lease = (struct perseus__lease){
		.lease_id = 7, .device = command->device, .expires_ns = INT64_MAX, .holder = command->holder};
	return answer;
}

enum perseus_status
perseus__link_send(struct perseus__link *link, const struct perseus__command *command, perseus__link_done *done,
		void *user, struct perseus_error *err)
{
	if (link->is_gone)
		return perseus__fail(err, PERSEUS_IO, "the agent's executor is gone");
	if (link->is_full)
		return perseus__fail(err, PERSEUS_BUSY, "too many commands wait on this GPU");
	const int at = link->n_sent++;
	link->sent[at] = *command;
	link->waiting[at].done = done;
	link->waiting[at].user = user;
	if (!link->holds_back)
		fake_link_answer(link);
	return PERSEUS_OK;
}

enum perseus_status
perseus__link_call(struct perseus__link *link, const struct perseus__command *command, struct perseus__answer *answer,
		struct perseus_error *err)
{
	if (link->is_gone)
		return perseus__fail(err, PERSEUS_IO, "the agent's executor is gone");
	link->sent[link->n_sent++] = *command;
	link->n_answered = link->n_sent;
	*answer = make_answer(link, command);
	return answer->status == PERSEUS_OK
			? PERSEUS_OK
			: perseus__fail(err, (enum perseus_status)answer->status, "%s", answer->message);
}

void
fake_link_answer(struct perseus__link *link)
{
	while (link->n_answered < link->n_sent) {
		const int at = link->n_answered++;
		const struct perseus__answer answer = make_answer(link, &link->sent[at]);
		if (link->waiting[at].done)
			link->waiting[at].done(link->waiting[at].user, &answer);
	}
}

static const char *
kind_name(uint32_t kind)
{
	static const char *const names[] = {"none", "set", "reset", "lease", "release", "list", "ping"};
	return names[kind];
}

const char *
fake_link_history(struct perseus__link *link)
{
	static char text[4096];
	size_t length = 0;
	text[0] = '\0';
	for (int i = 0; i < link->n_sent; i++) {
		const struct perseus__command *command = &link->sent[i];
		const bool has_setting = command->kind == PERSEUS__COMMAND_SET || command->kind == PERSEUS__COMMAND_RESET;
		length +=
				(size_t)snprintf(text + length, sizeof text - length, "%s%s", i ? "; " : "", kind_name(command->kind));
		if (has_setting)
			length += (size_t)snprintf(text + length, sizeof text - length, " %s",
					perseus_setting_name((enum perseus_setting)command->setting));
		if (command->kind == PERSEUS__COMMAND_SET)
			length += (size_t)snprintf(text + length, sizeof text - length, " %lld..%lld", (long long)command->low,
					(long long)command->high);
		if (command->kind != PERSEUS__COMMAND_LIST && command->kind != PERSEUS__COMMAND_PING)
			length += (size_t)snprintf(text + length, sizeof text - length, " on %d", (int)command->device);
	}
	link->n_sent = link->n_answered = 0;
	return text;
}
