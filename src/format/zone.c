/* Names of zones. */
#include "format/zone.h"

#include <string.h>

const char *
perseus__zone_problem(const char *name)
{
	if (*name == '\0')
		return "is no name of a zone";
	if (strlen(name) >= PERSEUS__ZONE_BYTES)
		return "is too long for the name of a zone";
	for (const char *at = name; *at; at++)
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return "has a control character in it";
	return NULL;
}

size_t
perseus__zone_add(struct perseus__text *zones, size_t last, const char *name)
{
	if (zones->length > 0 && strcmp(zones->bytes + last, name) == 0)
		return last;
	const size_t begin = zones->length;
	perseus__text_add(zones, name, strlen(name) + 1);
	return begin;
}
