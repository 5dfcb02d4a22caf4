/*
 * Instruction-level plans without latency: a clock of its own for every instruction.
 */
#ifndef PERSEUS_PLAN_INSTRUCTION_H
#define PERSEUS_PLAN_INSTRUCTION_H

#include <stdint.h>

#include <perseus/frontier.h>
#include <perseus/status.h>

/*
 * Finds choices of little energy whose makespan is at most `deadline_ns`, which must be T_min at least and is clamped
 * to T* from above. `choice`, length n_instructions: index into the choices of each instruction's class.
 * Errors: those of perseus_frontier_certificate; NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__plan_instructions(
		const struct perseus_frontier *frontier, int64_t deadline_ns, int32_t *choice, struct perseus_error *err);

#endif
