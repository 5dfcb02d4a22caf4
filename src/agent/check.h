/*
 * What the executor holds against a command before it does anything. Two questions apart: can an honest front have sent
 * this (if not, the executor ends), and may a client ask for it (if not, the answer says why)?
 */
#ifndef PERSEUS_AGENT_CHECK_H
#define PERSEUS_AGENT_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "agent/executor.h"
#include "agent/protocol.h"

/* The control channel, where a GPU's has the index of its device. */
enum { PERSEUS__CONTROL_CHANNEL = -1 };

/*
 * Reads a message of `length` bytes that came in on the pair of `channel`. INTERNAL where it is no command of
 * protocol.h in size, kind, channel, holder, or in a field that its kind leaves 0.
 */
PERSEUS_MUST_USE enum perseus_status perseus__check_shape(
		const void *bytes, size_t length, int32_t channel, struct perseus__command *command, struct perseus_error *err);

/*
 * Whether what a command of the right shape asks for is allowed: INVALID for values that mean nothing, DENIED for those
 * beyond the ranges of `settings`.
 */
PERSEUS_MUST_USE enum perseus_status perseus__check_allowed(const struct perseus__command *command,
		const struct perseus__executor_settings *settings, struct perseus_error *err);

/* Whether `range` lets `low` .. `high` through. */
PERSEUS_MUST_USE enum perseus_status perseus__check_range(enum perseus_setting setting,
		const struct perseus__range *range, int64_t low, int64_t high, struct perseus_error *err);

#endif
