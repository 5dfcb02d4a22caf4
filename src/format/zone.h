/* Names of the zones of a grid, as tables of intensities and prices hold them. */
#ifndef PERSEUS_FORMAT_ZONE_H
#define PERSEUS_FORMAT_ZONE_H

#include "base/text.h"

#include <stddef.h>

enum { PERSEUS__ZONE_BYTES = 64 };

/* What is wrong with the name of a zone, or NULL. */
const char *perseus__zone_problem(const char *name);

/*
 * Adds a name to `zones`, with a NUL behind it, unless it is the one that begins at `last` there: a zone's rows mostly
 * follow each other, and share it. Returns where it begins; `zones` may fail to grow.
 */
size_t perseus__zone_add(struct perseus__text *zones, size_t last, const char *name);

#endif
