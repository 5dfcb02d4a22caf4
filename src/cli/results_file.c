/* Results that a command reports itself, see the header. */
#include "cli/results_file.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE_BYTES = 1 << 20, MAX_RESULTS = 1000 };

static const char variable[] = "PERSEUS_RESULTS";

enum perseus_status
perseus__results_file_init(struct perseus__results_file *file, struct perseus_error *err)
{
	const char *directory = getenv("TMPDIR");
	const int length = snprintf(
			file->path, sizeof file->path, "%s/perseus-results-XXXXXX", directory && *directory ? directory : "/tmp");
	int opened = -1;
	errno = ENAMETOOLONG;
	if (length < (int)sizeof file->path)
		opened = mkostemp(file->path, O_CLOEXEC);
	const int reason = errno;
	if (opened >= 0 && setenv(variable, file->path, 1) == 0) {
		(void)close(opened);
		return PERSEUS_OK;
	}
	if (opened >= 0) {
		(void)close(opened);
		perseus__results_file_fini(file);
		return perseus__no_memory(err);
	}
	const enum perseus_status status =
			perseus__fail(err, reason == EACCES ? PERSEUS_DENIED : PERSEUS_IO, "%s: %s", file->path, strerror(reason));
	file->path[0] = '\0';
	return status;
}

/* One line; its first complaint stays. */
static enum perseus_status
take_line(const char *line, int number, struct perseus__run *run, struct perseus_error *err)
{
	struct perseus__result result;
	struct perseus_error why = {.message = ""};
	if (*line == '\0' || *line == '#')
		return PERSEUS_OK;
	if (perseus__result_parse(line, &result, &why) != PERSEUS_OK)
		return perseus__fail(err, PERSEUS_INVALID, "line %d of its results: %s", number, why.message);
	if (run->n_results >= MAX_RESULTS && !perseus__run_result(run, result.key))
		return perseus__fail(
				err, PERSEUS_INVALID, "line %d of its results: more than %d are not kept", number, MAX_RESULTS);
	return perseus__run_add_result(run, &result, err);
}

enum perseus_status
perseus__results_parse(char *bytes, size_t length, struct perseus__run *run, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	char *line = bytes;
	for (int number = 1; line < bytes + length; number++) {
		char *end = memchr(line, '\n', (size_t)(bytes + length - line));
		char *next = end ? end + 1 : bytes + length;
		end = end ? end : next;
		if (end > line && end[-1] == '\r')
			end--;
		*end = '\0';
		const enum perseus_status taken = take_line(line, number, run, status == PERSEUS_OK ? err : NULL);
		if (status == PERSEUS_OK)
			status = taken;
		line = next;
	}
	return status;
}

enum perseus_status
perseus__results_file_read(
		const struct perseus__results_file *file, struct perseus__run *run, struct perseus_error *err)
{
	if (!*file->path)
		return PERSEUS_OK;
	char *bytes = NULL;
	size_t length = 0;
	enum perseus_status status = perseus__input_file(file->path, MAX_FILE_BYTES, &bytes, &length, err);
	if (status != PERSEUS_OK)
		return status;
	status = perseus__results_parse(bytes, length, run, err);
	perseus__free(bytes);
	return status;
}

void
perseus__results_file_fini(struct perseus__results_file *file)
{
	if (*file->path)
		(void)unlink(file->path);
	file->path[0] = '\0';
}
