/*
 * A plan as Chrome trace events (JSON), which Perfetto and chrome://tracing open: one process per rank, in two groups,
 * "highest clocks" above "plan". Process ids of the plan are the ranks, those of the highest clocks follow after them.
 * Every instruction is a complete event ("X", times in µs) with its clock, energy and power; counters show clock and
 * power over the iteration, waiting at the blocking power included.
 */
#ifndef PERSEUS_FORMAT_TRACE_JSON_H
#define PERSEUS_FORMAT_TRACE_JSON_H

#include "base/text.h"
#include "format/plan_document.h"

void perseus__trace_json(struct perseus__text *text, const struct perseus__plan_document *document);

#endif
