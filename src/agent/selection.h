/* Which devices a request is about, and what went wrong with each of them. */
#ifndef PERSEUS_AGENT_SELECTION_H
#define PERSEUS_AGENT_SELECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/front.h"

/* Positions in the front's GPUs or CPUs, ascending. */
struct perseus__selection {
	int32_t positions[PERSEUS__MAX_IDS];
	int32_t n;
};

/*
 * The GPUs of gpu_ids, or the CPUs of cpu_ids; all where the key was not given. False: an id is not there or the list
 * is none, and the exchange has been answered as for a read.
 */
bool perseus__select_gpus(
		const struct perseus__front *front, struct perseus__exchange *exchange, struct perseus__selection *selection);
bool perseus__select_cpus(
		const struct perseus__front *front, struct perseus__exchange *exchange, struct perseus__selection *selection);

/* Failures of devices, gathered into {"errors": {"<id>": "<message>"}} with the highest code of them. */
struct perseus__failures {
	int code; /* 0: none */
	struct perseus__text text;
	struct perseus__json json;
	char first[PERSEUS_ERROR_MESSAGE_BYTES]; /* message of the highest code */
};

void perseus__failures_init(struct perseus__failures *failures);

/* Adds one failure; `code` is an HTTP code. At most one for each id. */
void perseus__failures_add(struct perseus__failures *failures, int32_t id, int code, const char *message);

/* Makes them the response where there are any, and frees them; false where there are none. */
bool perseus__failures_respond(struct perseus__failures *failures, struct perseus__exchange *exchange);

/* "0" for a key of a JSON object. */
enum { PERSEUS__ID_BYTES = 12 };
const char *perseus__id_text(int32_t id, char text[PERSEUS__ID_BYTES]);

#endif
