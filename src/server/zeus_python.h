/*
 * JSON as Python's json.dumps writes it by default: ", " and ": " between, everything beyond ASCII escaped, doubles by
 * repr, NaN and Infinity as literals. Zeus's dump files are of that form, and numbers become names by these rules.
 */
#ifndef PERSEUS_SERVER_ZEUS_PYTHON_H
#define PERSEUS_SERVER_ZEUS_PYTHON_H

#include <stddef.h>

#include "base/text.h"

enum { PERSEUS__PYTHON_NUMBER_BYTES = 40 };

/* repr(value): "0.1", "1e-05", "1e+16", "nan", "-inf". */
void perseus__python_repr(double value, char text[PERSEUS__PYTHON_NUMBER_BYTES]);

/* json.dumps of a string of UTF-8; what is none becomes U+FFFD. */
void perseus__python_add_string(struct perseus__text *text, const char *string);

/* json.dumps of a list of floats, length `n`. */
void perseus__python_add_doubles(struct perseus__text *text, const double *values, size_t n);

#endif
