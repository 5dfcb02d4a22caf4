/*
 * Who holds one GPU, until when, and what is to be put back when a holder goes. Bookkeeping alone: no clock, no file,
 * no device. One writer, the GPU's worker.
 *
 * Several holders of one identity hold a GPU together. A setting that one of them has written stays for as long as any
 * of those who wrote it does; what the last one wrote is what holds.
 */
#ifndef PERSEUS_AGENT_LEASE_H
#define PERSEUS_AGENT_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/protocol.h"

enum { PERSEUS__LEASE_MAX_HOLDERS = 64, PERSEUS__HOLDER_TEXT_BYTES = PERSEUS__HOLDER_NAME_BYTES + 64 };

/* "process", "token", "peer". */
const char *perseus__holder_kind_name(enum perseus__holder_kind kind);

/* "process 4242 of user 1000", "token alice", "peer 10.0.0.7". */
void perseus__holder_text(const struct perseus__holder *holder, char text[PERSEUS__HOLDER_TEXT_BYTES]);

bool perseus__holder_is_same(const struct perseus__holder *a, const struct perseus__holder *b);

/* Whether both may hold one GPU at once. */
bool perseus__holder_is_one_identity(const struct perseus__holder *a, const struct perseus__holder *b);

struct perseus__lease_entry {
	struct perseus__lease lease;
	int64_t ttl_ns; /* of each renewal; INT64_MAX: until the process ends */
	int process_fd; /* the owner's: a pidfd, -1 where there is no process */
	bool is_over;   /* the owner's: the process has ended */
};

struct perseus__lease_book {
	int32_t device;
	int32_t gpu; /* as users number it, for messages */
	int32_t n;
	struct perseus__lease_entry entries[PERSEUS__LEASE_MAX_HOLDERS];
};

/* An empty book. */
void perseus__lease_book_init(struct perseus__lease_book *book, int32_t device, int32_t gpu);

/* The holder's lease; NULL where it has none. Pointers to entries hold until the next begin or end. */
struct perseus__lease_entry *perseus__lease_find(
		struct perseus__lease_book *book, const struct perseus__holder *holder);

/* Whether `holder` may have a lease: BUSY where another identity holds this GPU, named, or the book is full. */
PERSEUS_MUST_USE enum perseus_status perseus__lease_admit(
		const struct perseus__lease_book *book, const struct perseus__holder *holder, struct perseus_error *err);

/* Begins a lease that was admitted, of a holder that has none. `lease_id` is greater than any before. */
struct perseus__lease_entry *perseus__lease_begin(struct perseus__lease_book *book,
		const struct perseus__holder *holder, uint64_t lease_id, int64_t now_ns, int64_t ttl_ns);

/* Makes it last `ttl_ns` from now, and as long again at each later renewal with 0. */
void perseus__lease_renew(struct perseus__lease_entry *entry, int64_t now_ns, int64_t ttl_ns);

/* The holder has written a setting. */
void perseus__lease_wrote(struct perseus__lease_entry *entry, enum perseus_setting setting);

/* Ends a lease. Returns the bit set of settings that it has written and nobody else who remains. */
uint32_t perseus__lease_end(struct perseus__lease_book *book, struct perseus__lease_entry *entry);

/* Settings that someone who holds the GPU has written. */
uint32_t perseus__lease_settings(const struct perseus__lease_book *book);

/* A lease that is over or has expired at `now_ns`; NULL where none has. */
struct perseus__lease_entry *perseus__lease_ended(struct perseus__lease_book *book, int64_t now_ns);

/* When the next lease expires; INT64_MAX where none does. */
int64_t perseus__lease_next_expiry_ns(const struct perseus__lease_book *book);

/* The lease of the lowest id above `lease_id`; NULL where there is none. */
const struct perseus__lease *perseus__lease_after(const struct perseus__lease_book *book, uint64_t lease_id);

#endif
