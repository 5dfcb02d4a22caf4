/* The description of the routes, src/server/openapi.json, built into the program. */
#ifndef PERSEUS_SERVER_OPENAPI_H
#define PERSEUS_SERVER_OPENAPI_H

#include <stddef.h>

extern const char perseus__openapi[];
extern const size_t perseus__openapi_length;

#endif
