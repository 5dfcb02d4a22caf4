/* Keys of tokens. */
#include "cli/signing_key.h"

#include "base/error.h"
#include "format/input_file.h"

enum { MAX_KEY_BYTES = 65536 };

enum perseus_status
perseus__signing_key_read(const char *path, struct perseus__signing_key *key, struct perseus_error *err)
{
	char *bytes = NULL;
	size_t length = 0;
	const enum perseus_status status = perseus__input_file(path, MAX_KEY_BYTES, &bytes, &length, err);
	if (status != PERSEUS_OK)
		return status;
	*key = (struct perseus__signing_key){(const unsigned char *)bytes, length};
	return length > 0 ? PERSEUS_OK : perseus__fail(err, PERSEUS_INVALID, "the signing key %s is empty", path);
}
