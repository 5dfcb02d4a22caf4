/*
 * Version of the library: the headers' at compile time, the library's at run time.
 */
#ifndef PERSEUS_VERSION_H
#define PERSEUS_VERSION_H

#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PERSEUS_VERSION_MAJOR 0
#define PERSEUS_VERSION_MINOR 1
#define PERSEUS_VERSION_PATCH 0
#define PERSEUS_VERSION "0.1.0"

/* major · 10000 + minor · 100 + patch */
#define PERSEUS_VERSION_NUMBER (PERSEUS_VERSION_MAJOR * 10000 + PERSEUS_VERSION_MINOR * 100 + PERSEUS_VERSION_PATCH)

/* "major.minor.patch" of the library that runs. */
PERSEUS_API const char *perseus_version(void);

/* PERSEUS_VERSION_NUMBER of the library that runs. */
PERSEUS_API int perseus_version_number(void);

#ifdef __cplusplus
}
#endif

#endif
