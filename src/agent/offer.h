/*
 * Which groups of the API the agent can offer here, found by the process that holds the privilege, and told once to the
 * front when everything is open.
 */
#ifndef PERSEUS_AGENT_OFFER_H
#define PERSEUS_AGENT_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/device.h>

struct perseus__offer {
	int32_t n_gpus;
	uint32_t groups;
};

/*
 * Of `groups` those that work: gpu-control where some setting of some GPU can be set, cpu-read where some CPU can be
 * read; with no such device at all there is nothing to be said against them. What is left out is told in the log, or,
 * if `must`, is an error: DENIED, with the group and the reason.
 */
PERSEUS_MUST_USE enum perseus_status perseus__offer_make(const struct perseus_node *node, uint32_t groups, bool must,
		struct perseus__offer *offer, struct perseus_error *err);

/* A front that is gone is noticed elsewhere. */
void perseus__offer_send(int fd, const struct perseus__offer *offer);

/* Waits for it; false where the executor has gone. */
bool perseus__offer_receive(int fd, struct perseus__offer *offer);

#endif
