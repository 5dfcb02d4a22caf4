/* The key that signs tokens, as a file. */
#ifndef PERSEUS_CLI_SIGNING_KEY_H
#define PERSEUS_CLI_SIGNING_KEY_H

#include "service/jwt.h"

/* Reads a key file, all its bytes, which the caller frees. IO; INVALID where it is empty. */
PERSEUS_MUST_USE enum perseus_status perseus__signing_key_read(
		const char *path, struct perseus__signing_key *key, struct perseus_error *err);

#endif
