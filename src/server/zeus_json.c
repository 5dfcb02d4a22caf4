/* Decodes the bodies of Zeus's routes; encoding them is in zeus_encode.c. */
#include "server/zeus_json.h"

#include "base/memory.h"
#include "server/zeus_lax.h"
#include "server/zeus_refusal.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

/* A member that must be there and not null; NULL with an error noted. */
static json_t *
get_required(struct perseus__zeus_decoder *decoder, const json_t *object, const struct perseus__zeus_place *place)
{
	json_t *value = json_object_get(object, place->name);
	if (!value)
		perseus__zeus_add_fault(decoder, place, PERSEUS__ZEUS_FAULT_MISSING);
	else if (json_is_null(value))
		perseus__zeus_add_fault(decoder, place, PERSEUS__ZEUS_FAULT_NULL);
	return json_is_null(value) ? NULL : value;
}

struct bounds {
	int64_t least, most;
};

static const struct bounds degree_bounds = {1, PERSEUS__ZEUS_MAX_WORLD_SIZE};
static const struct bounds rank_bounds = {0, INT32_MAX};

static bool
check_bounds(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place, int64_t number,
		const struct bounds *bounds)
{
	if (number < bounds->least)
		perseus__zeus_add_limit(decoder, place, PERSEUS__ZEUS_FAULT_LEAST, bounds->least);
	else if (number > bounds->most)
		perseus__zeus_add_limit(decoder, place, PERSEUS__ZEUS_FAULT_MOST, bounds->most);
	return number >= bounds->least && number <= bounds->most;
}

/* An integer member of 32 bits. False with an error noted. */
static bool
read_integer(struct perseus__zeus_decoder *decoder, const json_t *object, const char *name, const struct bounds *bounds,
		int32_t *number)
{
	const struct perseus__zeus_place outer = {.name = "body"};
	const struct perseus__zeus_place place = {.within = &outer, .name = name};
	int64_t wide;
	const json_t *value = get_required(decoder, object, &place);
	if (!value)
		return false;
	if (!perseus__lax_integer(value, &wide)) {
		perseus__zeus_add_fault(decoder, &place, PERSEUS__ZEUS_FAULT_INTEGER);
		return false;
	}
	*number = (int32_t)wide;
	return check_bounds(decoder, &place, wide, bounds);
}

/* An optional text; `*text` is NULL where there is none. */
static void
read_text(struct perseus__zeus_decoder *decoder, const json_t *value, const char *name, char **text)
{
	const struct perseus__zeus_place outer = {.name = "body"};
	const struct perseus__zeus_place place = {.within = &outer, .name = name};
	bool is_memory = false;
	if (value && !perseus__lax_string(value, text, &is_memory) && !is_memory)
		perseus__zeus_add_fault(decoder, &place, PERSEUS__ZEUS_FAULT_TEXT);
	decoder->is_memory |= is_memory;
}

/* Who registers a job leaves its id to the server. */
static void
check_no_id(struct perseus__zeus_decoder *decoder, const json_t *object)
{
	const struct perseus__zeus_place outer = {.name = "body"};
	const struct perseus__zeus_place place = {.within = &outer, .name = "job_id"};
	const json_t *value = json_object_get(object, place.name);
	char *text = NULL;
	if (json_is_null(value)) {
		perseus__zeus_add_fault(decoder, &place, PERSEUS__ZEUS_FAULT_NULL);
		return;
	}
	read_text(decoder, value, place.name, &text);
	if (text && *text)
		perseus__zeus_add_fault(decoder, &place, PERSEUS__ZEUS_FAULT_ASSERTION);
	perseus__free(text);
}

static void
decode_job(struct perseus__zeus_decoder *decoder, const json_t *object, struct perseus__zeus_job_info *info)
{
	const struct perseus__zeus_place outer = {.name = "body"};
	const struct perseus__zeus_place place = {.within = &outer, .name = "world_size"};
	check_no_id(decoder, object);
	bool is_good = read_integer(decoder, object, "pp_degree", &degree_bounds, &info->pp_degree);
	is_good &= read_integer(decoder, object, "dp_degree", &degree_bounds, &info->dp_degree);
	is_good &= read_integer(decoder, object, "tp_degree", &degree_bounds, &info->tp_degree);
	is_good &= read_integer(decoder, object, place.name, &degree_bounds, &info->world_size);
	/* Below 2^48: no overflow. */
	if (is_good && (int64_t)info->pp_degree * info->dp_degree * info->tp_degree != info->world_size)
		perseus__zeus_add_fault(decoder, &place, PERSEUS__ZEUS_FAULT_ASSERTION);
	const json_t *metadata = json_object_get(object, "job_metadata");
	if (!json_is_null(metadata))
		read_text(decoder, metadata, "job_metadata", &info->metadata);
}

enum perseus_status
perseus__zeus_decode_job(const struct perseus__zeus_body *body, struct perseus__zeus_job_info *out,
		struct perseus__zeus_refusal *refusal)
{
	struct perseus__zeus_decoder decoder = perseus__zeus_decoder_begin();
	struct perseus__zeus_job_info info = {0};
	json_t *object = perseus__zeus_open_body(&decoder, body);
	if (object)
		decode_job(&decoder, object, &info);
	json_decref(object);
	const enum perseus_status status = perseus__zeus_decoder_end(&decoder, refusal);
	if (status == PERSEUS_OK)
		*out = info;
	else
		perseus__zeus_job_info_fini(&info);
	return status;
}

/* An array; NULL with an error noted. */
static const json_t *
check_array(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place, const json_t *value)
{
	if (json_is_array(value))
		return value;
	perseus__zeus_add_fault(decoder, place, json_is_null(value) ? PERSEUS__ZEUS_FAULT_NULL : PERSEUS__ZEUS_FAULT_LIST);
	return NULL;
}

static void
read_frequencies(struct perseus__zeus_decoder *decoder, const json_t *object, struct perseus__zeus_rank_info *info)
{
	static const struct bounds bounds = {INT64_MIN + 1, INT64_MAX - 1};
	const struct perseus__zeus_place outer = {.name = "body"};
	const struct perseus__zeus_place place = {.within = &outer, .name = "available_frequencies"};
	const json_t *value = get_required(decoder, object, &place);
	const json_t *array = value ? check_array(decoder, &place, value) : NULL;
	if (!array)
		return;
	const size_t n = json_array_size(array);
	if (n > PERSEUS__ZEUS_MAX_FREQUENCIES) {
		perseus__zeus_add_limit(decoder, &place, PERSEUS__ZEUS_FAULT_ITEMS, PERSEUS__ZEUS_MAX_FREQUENCIES);
		return;
	}
	info->frequencies_mhz = perseus__new_array(n ? n : 1, sizeof *info->frequencies_mhz);
	decoder->is_memory |= !info->frequencies_mhz;
	for (size_t i = 0; i < n && info->frequencies_mhz; i++) {
		const struct perseus__zeus_place item = {.within = &place, .index = i};
		const json_t *element = json_array_get(array, i);
		if (json_is_null(element))
			perseus__zeus_add_fault(decoder, &item, PERSEUS__ZEUS_FAULT_NULL);
		else if (!perseus__lax_integer(element, &info->frequencies_mhz[i]))
			perseus__zeus_add_fault(decoder, &item, PERSEUS__ZEUS_FAULT_INTEGER);
		else
			(void)check_bounds(decoder, &item, info->frequencies_mhz[i], &bounds);
	}
	info->n_frequencies = n;
}

enum perseus_status
perseus__zeus_decode_rank(const struct perseus__zeus_body *body, struct perseus__zeus_rank_info *out,
		struct perseus__zeus_refusal *refusal)
{
	struct perseus__zeus_decoder decoder = perseus__zeus_decoder_begin();
	struct perseus__zeus_rank_info info = {0};
	json_t *object = perseus__zeus_open_body(&decoder, body);
	if (object) {
		(void)read_integer(&decoder, object, "rank", &rank_bounds, &info.rank);
		(void)read_integer(&decoder, object, "dp_rank", &rank_bounds, &info.dp_rank);
		(void)read_integer(&decoder, object, "pp_rank", &rank_bounds, &info.pp_rank);
		(void)read_integer(&decoder, object, "tp_rank", &rank_bounds, &info.tp_rank);
		read_frequencies(&decoder, object, &info);
	}
	json_decref(object);
	const enum perseus_status status = perseus__zeus_decoder_end(&decoder, refusal);
	if (status == PERSEUS_OK)
		*out = info;
	else
		perseus__zeus_rank_info_fini(&info);
	return status;
}

static void
read_list(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place, const json_t *value,
		struct perseus__zeus_list *list)
{
	const json_t *array = check_array(decoder, place, value);
	if (!array)
		return;
	const size_t n = json_array_size(array);
	list->values = perseus__new_array(n ? n : 1, sizeof *list->values);
	decoder->is_memory |= !list->values;
	for (size_t i = 0; i < n && list->values; i++) {
		const struct perseus__zeus_place item = {.within = place, .index = i};
		const json_t *element = json_array_get(array, i);
		if (json_is_null(element))
			perseus__zeus_add_fault(decoder, &item, PERSEUS__ZEUS_FAULT_NULL);
		else if (!perseus__lax_double(element, &list->values[i]))
			perseus__zeus_add_fault(decoder, &item, PERSEUS__ZEUS_FAULT_FLOAT);
	}
	list->n = n;
}

static void
read_member_list(
		struct perseus__zeus_decoder *decoder, const json_t *object, const char *name, struct perseus__zeus_list *list)
{
	const struct perseus__zeus_place outer = {.name = "body"};
	const struct perseus__zeus_place place = {.within = &outer, .name = name};
	const json_t *value = get_required(decoder, object, &place);
	if (value)
		read_list(decoder, &place, value, list);
}

static void
read_series(struct perseus__zeus_decoder *decoder, const struct perseus__zeus_place *place, const json_t *value,
		struct perseus__zeus_series *series)
{
	const json_t *array = check_array(decoder, place, value);
	series->name = perseus__copy_string(place->name);
	const size_t n = array ? json_array_size(array) : 0;
	series->iterations = perseus__new_array(n ? n : 1, sizeof *series->iterations);
	decoder->is_memory |= !series->name || !series->iterations;
	if (!series->iterations)
		return;
	series->n_iterations = n;
	for (size_t i = 0; i < n; i++) {
		const struct perseus__zeus_place item = {.within = place, .index = i};
		read_list(decoder, &item, json_array_get(array, i), &series->iterations[i]);
	}
}

static void
read_breakdown(struct perseus__zeus_decoder *decoder, const json_t *object, const char *name,
		struct perseus__zeus_breakdown *breakdown)
{
	const struct perseus__zeus_place outer = {.name = "body"};
	const struct perseus__zeus_place place = {.within = &outer, .name = name};
	json_t *member = json_object_get(object, name);
	if (!member)
		return;
	json_t *value = perseus__lax_object(member);
	if (!value) {
		perseus__zeus_add_fault(
				decoder, &place, json_is_null(member) ? PERSEUS__ZEUS_FAULT_NULL : PERSEUS__ZEUS_FAULT_DICT);
		return;
	}
	const size_t n = json_object_size(value);
	breakdown->series = perseus__new_array(n ? n : 1, sizeof *breakdown->series);
	decoder->is_memory |= !breakdown->series;
	const char *key;
	json_t *series;
	if (breakdown->series) {
		json_object_foreach(value, key, series)
		{
			const struct perseus__zeus_place item = {.within = &place, .name = key};
			read_series(decoder, &item, series, &breakdown->series[breakdown->n++]);
		}
	}
	json_decref(value);
}

enum perseus_status
perseus__zeus_decode_result(
		const struct perseus__zeus_body *body, struct perseus__zeus_result *out, struct perseus__zeus_refusal *refusal)
{
	struct perseus__zeus_decoder decoder = perseus__zeus_decoder_begin();
	struct perseus__zeus_result result = {0};
	json_t *object = perseus__zeus_open_body(&decoder, body);
	if (object) {
		(void)read_integer(&decoder, object, "rank", &rank_bounds, &result.rank);
		read_member_list(&decoder, object, "iter_time", &result.iter_time_s);
		read_member_list(&decoder, object, "iter_energy", &result.iter_energy_j);
		read_breakdown(&decoder, object, "time_breakdown", &result.time_s);
		read_breakdown(&decoder, object, "energy_breakdown", &result.energy_j);
	}
	json_decref(object);
	const enum perseus_status status = perseus__zeus_decoder_end(&decoder, refusal);
	if (status == PERSEUS_OK)
		*out = result;
	else
		perseus__zeus_result_fini(&result);
	return status;
}

enum perseus_status
perseus__zeus_decode_query_rank(const char *text, int32_t *rank, struct perseus__zeus_refusal *refusal)
{
	const struct perseus__zeus_place outer = {.name = "query"};
	const struct perseus__zeus_place place = {.within = &outer, .name = "rank"};
	struct perseus__zeus_decoder decoder = perseus__zeus_decoder_begin();
	int64_t number = 0;
	if (!text)
		perseus__zeus_add_fault(&decoder, &place, PERSEUS__ZEUS_FAULT_MISSING);
	else if (!perseus__lax_integer_text(text, &number))
		perseus__zeus_add_fault(&decoder, &place, PERSEUS__ZEUS_FAULT_INTEGER);
	else
		(void)check_bounds(&decoder, &place, number, &rank_bounds);
	const enum perseus_status status = perseus__zeus_decoder_end(&decoder, refusal);
	if (status == PERSEUS_OK)
		*rank = (int32_t)number;
	return status;
}

enum perseus_status
perseus__zeus_refuse_not_less(
		const char *where, const char *member, int64_t limit, struct perseus__zeus_refusal *refusal)
{
	const struct perseus__zeus_place outer = {.name = where};
	const struct perseus__zeus_place place = {.within = &outer, .name = member};
	struct perseus__zeus_decoder decoder = perseus__zeus_decoder_begin();
	perseus__zeus_add_limit(&decoder, &place, PERSEUS__ZEUS_FAULT_BELOW, limit);
	return perseus__zeus_decoder_end(&decoder, refusal);
}
