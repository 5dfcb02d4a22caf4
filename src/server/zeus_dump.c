/* Zeus's dump files. */
#include "server/zeus_dump.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/output_file.h"

#include <string.h>

static void
add(struct perseus__text *text, const char *string)
{
	perseus__text_add(text, string, strlen(string));
}

void
perseus__zeus_dump_ranks(struct perseus__text *text, const struct perseus__zeus_job *job)
{
	add(text, "[");
	for (int32_t rank = 0; rank < job->info.world_size; rank++) {
		add(text, rank ? ", " : "");
		add(text, job->ranks[rank].text);
	}
	add(text, "]");
}

void
perseus__zeus_dump_results(struct perseus__text *text, const struct perseus__zeus_round *round)
{
	add(text, "[");
	for (int32_t rank = 0; rank < round->n_ranks; rank++) {
		add(text, rank ? ", " : "");
		perseus__zeus_encode_result(text, round->results[rank]);
	}
	add(text, "]");
}

void
perseus__zeus_dump_schedules(struct perseus__text *text, const struct perseus__zeus_round *round)
{
	add(text, "[");
	for (int32_t rank = 0; rank < round->n_ranks; rank++) {
		add(text, rank ? ", " : "");
		perseus__zeus_plan_encode(text, round->plan, round->lists[rank], rank);
	}
	add(text, "]");
}

static enum perseus_status
write_file(const char *directory, const char *name, const struct perseus__text *text, struct perseus_error *err)
{
	enum perseus_status status = perseus__output_directory(directory, err);
	if (status != PERSEUS_OK)
		return status;
	char *path = perseus__output_path(directory, name);
	if (!path)
		return perseus__no_memory(err);
	status = perseus__output_file(path, text->bytes, text->length, err);
	perseus__free(path);
	return status;
}

enum perseus_status
perseus__zeus_dump_write(const char *directory, const char *id, const char *name, const struct perseus__text *text,
		struct perseus_error *err)
{
	char *of_job = perseus__output_path(directory, id);
	if (!of_job || text->failed) {
		perseus__free(of_job);
		return perseus__no_memory(err);
	}
	const enum perseus_status status = write_file(of_job, name, text, err);
	perseus__free(of_job);
	return status;
}
