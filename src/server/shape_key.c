/* What a request says as bytes. */
#include "server/shape_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/* False where there is no memory. */
static bool
add(struct perseus__shape_key *key, const void *bytes, size_t n)
{
	if (!perseus__reserve(&key->bytes, &key->capacity, key->n + n, 1))
		return false;
	if (n > 0)
		memcpy(key->bytes + key->n, bytes, n);
	key->n += n;
	return true;
}

static bool
add_int(struct perseus__shape_key *key, int64_t value)
{
	return add(key, &value, sizeof value);
}

static bool
add_double(struct perseus__shape_key *key, double value)
{
	return add(key, &value, sizeof value);
}

/* With its end, which no string holds; no string differs from an empty one. */
static bool
add_string(struct perseus__shape_key *key, const char *string)
{
	return add_int(key, string != NULL) && add(key, string ? string : "", string ? strlen(string) + 1 : 1);
}

static bool
add_rows(struct perseus__shape_key *key, const struct perseus__shape_request *request)
{
	bool is_good = add_int(key, (int64_t)request->n_rows);
	for (size_t i = 0; is_good && i < request->n_rows; i++) {
		const struct perseus_measurement *row = &request->rows[i];
		is_good = add_int(key, row->stage) && add_string(key, row->instruction) && add_int(key, row->frequency_mhz)
				&& add_double(key, row->time_s) && add_double(key, row->energy_j);
	}
	return is_good;
}

static bool
add_instruction(struct perseus__shape_key *key, const struct perseus_instruction *instruction)
{
	const char *class_name = instruction->class_name ? instruction->class_name : perseus_kind_name(instruction->kind);
	bool is_good = add_int(key, (int64_t)instruction->kind) && add_int(key, instruction->stage)
			&& add_int(key, instruction->microbatch) && add_string(key, class_name)
			&& add_int(key, instruction->n_parts);
	for (int32_t k = 0; is_good && k < instruction->n_parts && k < 2; k++)
		is_good = add_int(key, (int64_t)instruction->part[k].kind) && add_int(key, instruction->part[k].stage)
				&& add_int(key, instruction->part[k].microbatch);
	return is_good;
}

static bool
add_order(struct perseus__shape_key *key, const struct perseus_order *order)
{
	bool is_good = add_string(key, order->name) && add_int(key, order->n_ranks)
			&& add_int(key, order->explicit_edges_only) && add_int(key, order->n_extra_edges);
	for (int32_t r = 0; is_good && r <= order->n_ranks; r++)
		is_good = add_int(key, order->rank_begin[r]);
	for (int32_t i = 0; is_good && i < order->rank_begin[order->n_ranks]; i++)
		is_good = add_instruction(key, &order->instructions[i]);
	for (int32_t e = 0; is_good && e < order->n_extra_edges; e++)
		is_good = add_int(key, order->extra_edges[e].from) && add_int(key, order->extra_edges[e].to)
				&& add_int(key, order->extra_edges[e].is_transfer);
	return is_good;
}

static bool
add_settings(struct perseus__shape_key *key, const struct perseus__shape_request *request)
{
	const struct perseus_profile_settings *profile = &request->profile;
	bool is_good = add_int(key, (int64_t)profile->merge) && add_int(key, profile->n_blocking_power);
	for (int32_t k = 0; is_good && k < profile->n_blocking_power; k++)
		is_good = add_double(key, profile->blocking_power_w[k]);
	return is_good && add_double(key, request->transfer_s) && add_int(key, (int64_t)request->granularity)
			&& add_int(key, request->switch_latency_ns) && add_int(key, request->slope_quantum_uw);
}

/* FNV-1a (Fowler, Noll, Vo). */
static uint64_t
hash_of(const unsigned char *bytes, size_t n)
{
	uint64_t hash = 0xcbf29ce484222325U;
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3U;
	return hash;
}

enum perseus_status
perseus__shape_key_init(
		struct perseus__shape_key *key, const struct perseus__shape_request *request, struct perseus_error *err)
{
	*key = (struct perseus__shape_key){0};
	if (!add_rows(key, request) || !add_order(key, &request->order) || !add_settings(key, request)) {
		perseus__shape_key_fini(key);
		return perseus__no_memory(err);
	}
	key->hash = hash_of(key->bytes, key->n);
	return PERSEUS_OK;
}

void
perseus__shape_key_fini(struct perseus__shape_key *key)
{
	perseus__free(key->bytes);
	*key = (struct perseus__shape_key){0};
}

bool
perseus__shape_key_equals(const struct perseus__shape_key *a, const struct perseus__shape_key *b)
{
	return a->hash == b->hash && a->n == b->n && memcmp(a->bytes, b->bytes, a->n) == 0;
}
