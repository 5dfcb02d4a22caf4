/*
 * The link to an executor that is not there: records commands and answers them as told. Link a test with this and not
 * with the real one's functions of the same names.
 */
#ifndef PERSEUS_TESTS_FAKE_LINK_H
#define PERSEUS_TESTS_FAKE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/link.h"

enum { FAKE_LINK_MAX = 256 };

struct perseus__link {
	struct perseus__command sent[FAKE_LINK_MAX];
	int n_sent;
	/* What is answered: a status and its message; `holds_back`: only when fake_link_answer is called. */
	enum perseus_status status;
	const char *message;
	bool holds_back;
	bool is_full;                    /* link_send says BUSY */
	bool is_gone;                    /* link_send says IO */
	int32_t only_device;             /* `status` is of this device, and OK of all others; -1: of all */
	struct perseus__lease leases[8]; /* for LIST, ascending ids */
	int n_leases;
	int n_answered;
	struct {
		perseus__link_done *done;
		void *user;
	} waiting[FAKE_LINK_MAX];
};

/* Answers what is held back. */
void fake_link_answer(struct perseus__link *link);

/* Commands that were sent, e.g. "set sm_clocks 855..1200 on 0; reset sm_clocks on 1", and forgets them. */
const char *fake_link_history(struct perseus__link *link);

#endif
