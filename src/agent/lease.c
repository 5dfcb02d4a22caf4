/* Bookkeeping of the leases of one GPU. */
#include "agent/lease.h"

#include "base/error.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *
perseus__holder_kind_name(enum perseus__holder_kind kind)
{
	switch (kind) {
	case PERSEUS__HOLDER_PROCESS:
		return "process";
	case PERSEUS__HOLDER_TOKEN:
		return "token";
	case PERSEUS__HOLDER_PEER:
		return "peer";
	}
	return "unknown";
}

void
perseus__holder_text(const struct perseus__holder *holder, char text[PERSEUS__HOLDER_TEXT_BYTES])
{
	const char *kind = perseus__holder_kind_name((enum perseus__holder_kind)holder->kind);
	if (holder->kind == PERSEUS__HOLDER_PROCESS)
		(void)snprintf(
				text, PERSEUS__HOLDER_TEXT_BYTES, "%s %" PRId32 " of user %" PRIu32, kind, holder->pid, holder->uid);
	else
		(void)snprintf(text, PERSEUS__HOLDER_TEXT_BYTES, "%s %s", kind, holder->name);
}

bool
perseus__holder_is_one_identity(const struct perseus__holder *a, const struct perseus__holder *b)
{
	if (a->kind != b->kind)
		return false;
	return a->kind == PERSEUS__HOLDER_PROCESS ? a->uid == b->uid : strcmp(a->name, b->name) == 0;
}

bool
perseus__holder_is_same(const struct perseus__holder *a, const struct perseus__holder *b)
{
	if (!perseus__holder_is_one_identity(a, b))
		return false;
	return a->kind != PERSEUS__HOLDER_PROCESS || (a->pid == b->pid && a->start_ticks == b->start_ticks);
}

void
perseus__lease_book_init(struct perseus__lease_book *book, int32_t device, int32_t gpu)
{
	book->device = device;
	book->gpu = gpu;
	book->n = 0;
}

struct perseus__lease_entry *
perseus__lease_find(struct perseus__lease_book *book, const struct perseus__holder *holder)
{
	for (int32_t i = 0; i < book->n; i++)
		if (perseus__holder_is_same(&book->entries[i].lease.holder, holder))
			return &book->entries[i];
	return NULL;
}

enum perseus_status
perseus__lease_admit(
		const struct perseus__lease_book *book, const struct perseus__holder *holder, struct perseus_error *err)
{
	/* All entries are of one identity, so the first speaks for them. */
	if (book->n == 0)
		return PERSEUS_OK;
	const struct perseus__holder *first = &book->entries[0].lease.holder;
	if (!perseus__holder_is_one_identity(first, holder)) {
		char text[PERSEUS__HOLDER_TEXT_BYTES];
		perseus__holder_text(first, text);
		return perseus__fail(err, PERSEUS_BUSY, "GPU %" PRId32 " is held by %s", book->gpu, text);
	}
	if (book->n == PERSEUS__LEASE_MAX_HOLDERS)
		return perseus__fail(err, PERSEUS_BUSY, "GPU %" PRId32 " is held by %d holders, the most there can be",
				book->gpu, PERSEUS__LEASE_MAX_HOLDERS);
	return PERSEUS_OK;
}

struct perseus__lease_entry *
perseus__lease_begin(struct perseus__lease_book *book, const struct perseus__holder *holder, uint64_t lease_id,
		int64_t now_ns, int64_t ttl_ns)
{
	struct perseus__lease_entry *entry = &book->entries[book->n++];
	*entry = (struct perseus__lease_entry){
		.lease = {.lease_id = lease_id, .device = book->device, .begin_ns = now_ns, .holder = *holder},
		.process_fd = -1,
	};
	perseus__lease_renew(entry, now_ns, ttl_ns);
	return entry;
}

void
perseus__lease_renew(struct perseus__lease_entry *entry, int64_t now_ns, int64_t ttl_ns)
{
	if (ttl_ns > 0)
		entry->ttl_ns = ttl_ns;
	if (__builtin_add_overflow(now_ns, entry->ttl_ns, &entry->lease.expires_ns))
		entry->lease.expires_ns = INT64_MAX;
}

void
perseus__lease_wrote(struct perseus__lease_entry *entry, enum perseus_setting setting)
{
	entry->lease.settings |= UINT32_C(1) << setting;
	entry->lease.n_writes++;
}

uint32_t
perseus__lease_settings(const struct perseus__lease_book *book)
{
	uint32_t settings = 0;
	for (int32_t i = 0; i < book->n; i++)
		settings |= book->entries[i].lease.settings;
	return settings;
}

uint32_t
perseus__lease_end(struct perseus__lease_book *book, struct perseus__lease_entry *entry)
{
	const uint32_t settings = entry->lease.settings;
	*entry = book->entries[--book->n];
	return settings & ~perseus__lease_settings(book);
}

struct perseus__lease_entry *
perseus__lease_ended(struct perseus__lease_book *book, int64_t now_ns)
{
	for (int32_t i = 0; i < book->n; i++)
		if (book->entries[i].is_over || book->entries[i].lease.expires_ns <= now_ns)
			return &book->entries[i];
	return NULL;
}

int64_t
perseus__lease_next_expiry_ns(const struct perseus__lease_book *book)
{
	int64_t next_ns = INT64_MAX;
	for (int32_t i = 0; i < book->n; i++)
		if (book->entries[i].lease.expires_ns < next_ns)
			next_ns = book->entries[i].lease.expires_ns;
	return next_ns;
}

const struct perseus__lease *
perseus__lease_after(const struct perseus__lease_book *book, uint64_t lease_id)
{
	const struct perseus__lease *next = NULL;
	for (int32_t i = 0; i < book->n; i++) {
		const struct perseus__lease *lease = &book->entries[i].lease;
		if (lease->lease_id > lease_id && (!next || lease->lease_id < next->lease_id))
			next = lease;
	}
	return next;
}
