/*
 * Schedules of our own as JSON: what PyTorch's CSV cannot say (classes per instruction, explicit edges, other kinds).
 *
 *   {
 *     "version": 1,
 *     "name": "two encoders",                    (optional)
 *     "ranks": [                                 rank 0 first; in the order it runs
 *       [{"kind": "forward", "stage": 0, "microbatch": 0, "class": "forward_noimage"}, ...],
 *       [{"kind": "overlap", "parts": [{"kind": "forward", "stage": 1, "microbatch": 4},
 *                                      {"kind": "backward", "stage": 6, "microbatch": 0}]}, ...]
 *     ],
 *     "edges": [{"from": [0, 7], "to": [1, 3], "transfer": true}],   (optional) [rank, position], both from 0
 *     "explicit_edges_only": false               (optional) true: nothing is derived from the kinds
 *   }
 *
 * "kind" is a name of perseus_kind_name. "stage" is there but for an overlapped pair, "microbatch" where the kind has
 * one, "class" (optional) where the class of the profile is named otherwise than the kind, "transfer" (optional, false)
 * where a tensor goes from one rank to another. Keys that are not listed here are errors.
 */
#ifndef PERSEUS_FORMAT_SCHEDULE_JSON_H
#define PERSEUS_FORMAT_SCHEDULE_JSON_H

#include <stddef.h>

#include <perseus/schedule.h>
#include <perseus/status.h>

/*
 * Reads a schedule; `label` names the file in messages, and the schedule where the document does not.
 * Errors: INVALID with line and column, or the path of the value, e.g. "ranks[1][3].stage"; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__schedule_json_parse(const char *label, const char *bytes, size_t length,
		const struct perseus_schedule **out, struct perseus_error *err);

#endif
