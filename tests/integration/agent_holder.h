/* A process that keeps a GPU's settings moving through an agent's Unix socket, as a rank's clock controller does. */
#ifndef PERSEUS_TESTS_AGENT_HOLDER_H
#define PERSEUS_TESTS_AGENT_HOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether an agent answers on `socket_path`. */
bool agent_answers(const char *socket_path);

/*
 * Starts a holder that sets everything of GPU `gpu` to random values, waiting for the answer or not, until it is killed
 * or the agent is gone. It adds 1 to `*n_writes`, in memory that processes share, for each write that was done.
 */
pid_t agent_holder_start(const char *socket_path, int32_t gpu, uint64_t seed, volatile int64_t *n_writes);

#endif
