/*
 * GPUs whose every reading is known beforehand, on a clock that moves only as the test says: power is a script, the
 * counter follows from it, and so does the true energy. Readings may take time, as real ones do.
 */
#ifndef PERSEUS_TESTS_SCRIPTED_GPU_H
#define PERSEUS_TESTS_SCRIPTED_GPU_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/device.h>

enum { SCRIPTED_MAX_LOADS = 4096 };

/* From `from_ns` on, until `to_ns`. */
struct scripted_span {
	int64_t from_ns;
	int64_t to_ns;
};

struct scripted_gpu {
	int64_t *now_ns; /* the clock that all share */
	int64_t step_ns; /* of the counter; documented_ns is what the device says of it */
	int64_t documented_ns;
	int64_t phase_ns;           /* a moment of a step */
	int64_t jitter_ns;          /* every step comes up to this much early or late, the same at every look */
	int64_t read_ns;            /* the counter is read in the middle of this time */
	int64_t refresh_ns;         /* power is that of the last multiple of this; 0: of the moment */
	int64_t limit_mw;           /* power limit; 0: the GPU does not tell */
	struct scripted_span stuck; /* no steps */
	struct scripted_span lost;  /* nothing can be read */
	struct scripted_span no_power;
	struct scripted_span no_counter;
	int64_t forgotten_ns; /* energy before this moment is not in the counter, from this moment on; 0: all is */
	int32_t n_loads;
	struct {
		int64_t at_ns;
		int64_t power_mw;
		int64_t energy_pj; /* up to at_ns; filled in */
	} loads[SCRIPTED_MAX_LOADS];
	int64_t n_counter_reads;
	int64_t n_power_reads;
};

#define SCRIPTED_ALWAYS ((struct scripted_span){INT64_MIN, INT64_MAX})

/* From `at_ns` on the GPU draws `power_mw`; in ascending order, the first at or before anything happens. */
void scripted_load(struct scripted_gpu *gpu, int64_t at_ns, int64_t power_mw);

/* True energy from the first load until `at_ns`, in J. */
double scripted_energy_j(const struct scripted_gpu *gpu, int64_t at_ns);

/* A node of these GPUs alone. */
struct perseus_node *scripted_node(struct scripted_gpu *gpus, int32_t n, int64_t *now_ns);

#endif
