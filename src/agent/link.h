/* The front's end of the pairs: sends commands, and hands each answer to whoever waits for it. */
#ifndef PERSEUS_AGENT_LINK_H
#define PERSEUS_AGENT_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/protocol.h"

struct perseus__link;

/* Called once for each command sent, from the link's thread. Where the executor is gone: IO. */
typedef void perseus__link_done(void *user, const struct perseus__answer *answer);

/*
 * Takes the descriptors of `ends` over and starts the thread. `on_gone` is called from it, once, when the executor is
 * gone. Errors: NO_MEMORY, IO; nothing was taken over then.
 */
PERSEUS_MUST_USE enum perseus_status perseus__link_new(const struct perseus__ends *ends, void (*on_gone)(void *user),
		void *user, struct perseus__link **out, struct perseus_error *err);

/*
 * Sends `command`, whose id it fills in, to the pair that its kind and device name. `done` may be NULL for an answer
 * that nobody waits for. BUSY, and `done` is never called, where too many commands wait on that GPU; IO where the
 * executor is gone. Never blocks. Any thread.
 */
PERSEUS_MUST_USE enum perseus_status perseus__link_send(struct perseus__link *link,
		const struct perseus__command *command, perseus__link_done *done, void *user, struct perseus_error *err);

/*
 * Sends and waits for the answer, whose status and message are returned as this function's own; not from the link's
 * thread. `*answer` is filled in but where the command was not sent: BUSY, IO.
 */
PERSEUS_MUST_USE enum perseus_status perseus__link_call(struct perseus__link *link,
		const struct perseus__command *command, struct perseus__answer *answer, struct perseus_error *err);

/* Ends the thread and closes the pairs. Commands that still wait are answered with CANCELLED. Not from its thread. */
void perseus__link_free(struct perseus__link *link);

#endif
