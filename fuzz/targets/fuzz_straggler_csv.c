/*
 * Bytes → stragglers. Whatever is taken is in order and in range and reads back the same once written; whatever is
 * refused must say why. The first byte sets how many pipelines there are and how long an iteration takes.
 */
#include "../require.h"
#include "format/straggler_csv.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void
check_events(const struct perseus__straggler_trace *trace, int32_t n_pipelines, const struct perseus_error *err)
{
	for (int64_t i = 0; i < trace->n_events; i++) {
		const struct perseus_straggler_event *a = &trace->events[i];
		require(a->iteration >= 0, "before the beginning", err);
		require(a->pipeline >= 0 && a->pipeline < n_pipelines, "a pipeline out of range", err);
		require(a->degree >= 1 && a->degree <= PERSEUS_MAX_DEGREE, "a degree out of range", err);
		const struct perseus_straggler_event *b = i + 1 < trace->n_events ? a + 1 : NULL;
		require(!b || a->iteration < b->iteration || (a->iteration == b->iteration && a->pipeline < b->pipeline),
				"out of order, or twice", err);
	}
}

static void
check_again(const struct perseus__straggler_trace *trace, const struct perseus__straggler_scope *scope)
{
	struct perseus__text text = perseus__text_init((size_t)1 << 30);
	struct perseus__straggler_trace again;
	struct perseus_error err = {.message = ""};
	perseus__straggler_csv(&text, trace->events, trace->n_events);
	require(!text.failed, "cannot be written", &err);
	require(perseus__straggler_csv_decode(text.bytes, text.length, "again.csv", scope, &again, &err) == PERSEUS_OK,
			"what was written cannot be read", &err);
	require(again.n_events == trace->n_events && again.n_overtaken == 0, "another number of events", &err);
	for (int64_t i = 0; i < again.n_events; i++)
		require(again.events[i].iteration == trace->events[i].iteration
						&& again.events[i].pipeline == trace->events[i].pipeline
						&& !(again.events[i].degree < trace->events[i].degree)
						&& !(again.events[i].degree > trace->events[i].degree),
				"another event", &err);
	perseus__straggler_trace_fini(&again);
	perseus__text_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	if (length == 0)
		return 0;
	const struct perseus__straggler_scope scope = {
		.n_pipelines = bytes[0] % 16 + 1, .iteration_ns = (int64_t)bytes[0] * 10000000 + 1};
	struct perseus__straggler_trace trace;
	struct perseus_error err = {.message = ""};
	const char *text = (const char *)bytes + 1;
	if (perseus__straggler_csv_decode(text, length - 1, "fuzz.csv", &scope, &trace, &err) != PERSEUS_OK) {
		require(err.message[0] != '\0', "refused without a message", &err);
		return 0;
	}
	check_events(&trace, scope.n_pipelines, &err);
	check_again(&trace, &scope);
	perseus__straggler_trace_fini(&trace);
	return 0;
}
