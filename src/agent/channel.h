/* The executor's end of a pair: one message in, one answer out. */
#ifndef PERSEUS_AGENT_CHANNEL_H
#define PERSEUS_AGENT_CHANNEL_H

#include <stdbool.h>

#include "agent/check.h"
#include "agent/protocol.h"

/*
 * Takes the next command of `channel`, if there is one: `*has_command` tells. CANCELLED where the front has closed its
 * end; INTERNAL for a malformed command; IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__channel_receive(
		int fd, int32_t channel, struct perseus__command *command, bool *has_command, struct perseus_error *err);

/* Sends an answer. CANCELLED where the front has closed its end; IO where it does not take its answers. */
PERSEUS_MUST_USE enum perseus_status perseus__channel_answer(
		int fd, const struct perseus__answer *answer, struct perseus_error *err);

#endif
