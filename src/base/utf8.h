/* Text in UTF-8. */
#ifndef PERSEUS_BASE_UTF8_H
#define PERSEUS_BASE_UTF8_H

#include <stddef.h>

/*
 * Length of the character that begins at `text`, which ends in a NUL; 0 where the bytes are none, and for control
 * characters below the blank.
 */
size_t perseus__utf8_length(const char *text);

#endif
