/* JSON of carbon intensities to rows. */
#include "base/error.h"
#include "format/csv.h"
#include "format/intensity_internal.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* What is looked at: for messages. */
struct place {
	const struct perseus__intensity_table *table;
	const char *group; /* "zones" or "data"; "" at the top */
	const char *zone;  /* "" ahead of it */
	struct perseus_error *err;
};

/* INVALID with the path of the value: "zones.DE.year". */
static enum perseus_status
fail_at(const struct place *place, const char *key, const char *problem)
{
	char zone[PERSEUS__CSV_SHOWN_BYTES], name[PERSEUS__CSV_SHOWN_BYTES];
	(void)perseus__csv_shown(place->zone, strlen(place->zone), zone);
	(void)perseus__csv_shown(key, strlen(key), name);
	return perseus__fail(place->err, PERSEUS_INVALID, "%s: %s%s%.80s%s%.80s: %s", place->table->label, place->group,
			*zone ? "." : "", zone, *place->group && *name ? "." : "", name, problem);
}

static enum perseus_status
read_value(const struct place *place, const char *key, const json_t *value, double *gco2e_per_kwh)
{
	if (!json_is_number(value))
		return fail_at(place, key, "expected a number");
	*gco2e_per_kwh = json_number_value(value);
	const char *problem = perseus__intensity_value_problem(*gco2e_per_kwh);
	return problem ? fail_at(place, key, problem) : PERSEUS_OK;
}

static enum perseus_status
read_year(const struct place *place, const json_t *value, int32_t *year)
{
	if (!value)
		return PERSEUS_OK;
	const json_int_t wide = json_integer_value(value); /* 0 for other types */
	if (wide < PERSEUS__MIN_YEAR || wide > PERSEUS__MAX_YEAR)
		return fail_at(place, "year", "expected a year from 1900 to 2999");
	*year = (int32_t)wide;
	return PERSEUS_OK;
}

/* {"gco2e_per_kwh": 344.1, "year": 2024}, in a group "zones". */
static enum perseus_status
read_object(const struct place *place, json_t *object, struct perseus__intensity_row *row)
{
	const char *key;
	json_t *value;
	if (!json_is_object(object))
		return fail_at(place, "", "expected an object with gco2e_per_kwh");
	json_object_foreach(object, key, value)
	{
		if (strcmp(key, "gco2e_per_kwh") != 0 && strcmp(key, "year") != 0)
			return fail_at(place, key, "unknown key");
	}
	const enum perseus_status status =
			read_value(place, "gco2e_per_kwh", json_object_get(object, "gco2e_per_kwh"), &row->gco2e_per_kwh);
	return status == PERSEUS_OK ? read_year(place, json_object_get(object, "year"), &row->year) : status;
}

static enum perseus_status
read_zones(struct perseus__intensity_table *table, struct place place, json_t *zones, bool is_plain)
{
	const char *name;
	json_t *value;
	if (!json_is_object(zones))
		return fail_at(&place, "", "expected an object with zones as its keys");
	json_object_foreach(zones, name, value)
	{
		struct perseus__intensity_row row = {.hour = PERSEUS__NO_HOUR};
		place.zone = name;
		const char *problem = perseus__zone_problem(name);
		if (problem)
			return fail_at(&place, "", problem);
		enum perseus_status status =
				is_plain ? read_value(&place, "", value, &row.gco2e_per_kwh) : read_object(&place, value, &row);
		if (status == PERSEUS_OK)
			status = perseus__intensity_add(table, name, &row, place.err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

/* File name, and what the document says of its source. */
static enum perseus_status
read_source(struct perseus__intensity_table *table, const struct place *place, const json_t *source)
{
	const char *slash = strrchr(table->label, '/');
	const char *name = slash ? slash + 1 : table->label;
	if (!source) {
		(void)snprintf(table->source, sizeof table->source, "%s", name);
		return PERSEUS_OK;
	}
	const char *text = json_string_value(source);
	if (!text)
		return fail_at(place, "source", "expected a string");
	for (const char *at = text; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return fail_at(place, "source", "has a control character in it");
	(void)snprintf(table->source, sizeof table->source, "%s (%s)", name, text);
	return PERSEUS_OK;
}

static enum perseus_status
read_document(struct perseus__intensity_table *table, json_t *document, struct perseus_error *err)
{
	struct place place = {.table = table, .group = "", .zone = "", .err = err};
	const char *key;
	json_t *value;
	json_object_foreach(document, key, value)
	{
		if (strcmp(key, "zones") != 0 && strcmp(key, "data") != 0 && strcmp(key, "source") != 0
				&& strcmp(key, "type") != 0)
			return fail_at(&place, key, "unknown key");
	}
	json_t *zones = json_object_get(document, "zones"), *data = json_object_get(document, "data");
	if (!zones == !data)
		return fail_at(&place, "the document", "expected either \"zones\" or \"data\"");
	const json_t *type = json_object_get(document, "type");
	if (type && (!json_is_string(type) || !perseus__intensity_type_parse(json_string_value(type), &table->type)))
		return fail_at(&place, "type", "expected \"average\" or \"marginal\"");
	enum perseus_status status = read_source(table, &place, json_object_get(document, "source"));
	if (status != PERSEUS_OK)
		return status;
	place.group = zones ? "zones" : "data";
	return read_zones(table, place, zones ? zones : data, !zones);
}

enum perseus_status
perseus__intensity_json_read(
		struct perseus__intensity_table *table, const char *bytes, size_t length, struct perseus_error *err)
{
	json_error_t json_err;
	json_t *document = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &json_err);
	if (!document && json_error_code(&json_err) == json_error_out_of_memory)
		return perseus__no_memory(err);
	if (!document) {
		char shown[PERSEUS__CSV_SHOWN_BYTES];
		return perseus__fail(err, PERSEUS_INVALID, "%s:%d:%d: %s", table->label, json_err.line, json_err.column,
				perseus__csv_shown(json_err.text, strlen(json_err.text), shown));
	}
	const enum perseus_status status = read_document(table, document, err);
	json_decref(document);
	return status;
}
