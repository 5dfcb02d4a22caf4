/* Charts that tests draw, in a directory of their own, and what must hold for every chart. */
#ifndef PERSEUS_TESTS_DRAWN_H
#define PERSEUS_TESTS_DRAWN_H

#include <perseus/status.h>

#include <stddef.h>

/* Fixtures: an empty directory to work in; it goes with a and b as .svg, .png and .pdf, and with a.PNG. */
void drawn_setup(void);
void drawn_teardown(void);

/* The whole of a file, with a NUL behind it; freed with perseus__free. */
char *drawn_slurp(const char *path, size_t *length);

typedef enum perseus_status drawn_chart(const char *path, const void *picture, struct perseus_error *err);

/* In every format a picture drawn again is the same file. */
void drawn_same_bytes(drawn_chart *draw, const void *picture);

/* The picture is drawn, its lines of finite width. Coordinates that are not finite go unseen: cairo writes zeros. */
void drawn_finite(drawn_chart *draw, const void *picture);

/* A format that is not known, and a directory that is not there, are errors that name the file. */
void drawn_errors_name_file(drawn_chart *draw, const void *picture);

#endif
