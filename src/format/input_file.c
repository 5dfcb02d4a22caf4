/* Whole files in. */
#include "format/input_file.h"

#include "base/error.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_BYTES = 65536 };

/* Reads to the end of the file or one byte beyond the maximum. */
static enum perseus_status
read_all(int file, const char *path, size_t max_bytes, char **bytes, size_t *length, struct perseus_error *err)
{
	size_t capacity = 0;
	for (;;) {
		if (!perseus__reserve(bytes, &capacity, *length + BLOCK_BYTES, 1))
			return perseus__no_memory(err);
		const ssize_t n = read(file, *bytes + *length, BLOCK_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return perseus__fail(err, PERSEUS_IO, "cannot read %s: %s", path, strerror(errno));
		if (n == 0)
			return PERSEUS_OK;
		*length += (size_t)n;
		if (*length > max_bytes)
			return perseus__fail(err, PERSEUS_INVALID, "%s is larger than %zu bytes", path, max_bytes);
	}
}

enum perseus_status
perseus__input_file(const char *path, size_t max_bytes, char **bytes, size_t *length, struct perseus_error *err)
{
	const int file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return perseus__fail(err, PERSEUS_IO, "cannot read %s: %s", path, strerror(errno));
	char *read_bytes = NULL;
	size_t read_length = 0;
	const enum perseus_status status = read_all(file, path, max_bytes, &read_bytes, &read_length, err);
	(void)close(file);
	if (status != PERSEUS_OK) {
		perseus__free(read_bytes);
		return status;
	}
	*bytes = read_bytes;
	*length = read_length;
	return PERSEUS_OK;
}
