/*
 * Layers to stages: which consecutive layers of a model make a stage of its pipeline, from the time and energy of every
 * layer; and the profile of the stages that come of it.
 */
#ifndef PERSEUS_PARTITION_H
#define PERSEUS_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/profile.h>
#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bounds table and search: times and energies of all runs of layers are kept. */
#define PERSEUS_MAX_LAYERS 1024

/* Time and energy of every layer at every clock. Read-only. */
struct perseus_layers;

/*
 * Takes measurements of layers: `rows`, length `n_rows`, copied, whose `stage` is the layer. Either all energies are
 * measured, or none is: then all are NaN. Several rows of one layer, instruction and clock become one as `merge` says.
 *
 * Layers must be 0..n-1 without holes and have the same instructions, "forward" among them, and "backward" or both
 * "input" and "weight". Of each instruction there must be a clock at which every layer was measured; one is enough.
 * What belongs to stages and not to layers, "transfer" and "data_load", is refused: add it to the stages' profile.
 * Errors: INVALID, naming line or layer; NO_MEMORY. `*out` is untouched on failure. O(n log n).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_layers_new(const struct perseus_measurement *rows,
		size_t n_rows, enum perseus_merge merge, struct perseus_layers **out, struct perseus_error *err);

/* Frees layers; NULL is fine. */
PERSEUS_API void perseus_layers_free(struct perseus_layers *layers);

PERSEUS_API int32_t perseus_layers_count(const struct perseus_layers *layers);

/* False where times alone were measured. */
PERSEUS_API bool perseus_layers_have_energy(const struct perseus_layers *layers);

/*
 * X(name, text): what a partition is chosen for. Of equally good ones, that with the least bottleneck, then that whose
 * slowest stages begin earliest, then that with the least imbalance, then that with the most layers in the first stage,
 * in the second, and so on; LEAST_ENERGY goes by the bottleneck and the layers alone. A slow stage is best at the
 * front: all stages ahead of it must run forward once before it begins, and backward once after it ends.
 */
#define PERSEUS_PARTITION_MAP(X)                                                                                \
	X(EQUAL_LAYERS, "equal-layers")         /* as many layers in each; the last ones have one more */           \
	X(LEAST_IMBALANCE, "least-imbalance")   /* longest over shortest forward (SOSP'24, section 2.2, table 1) */ \
	X(LEAST_BOTTLENECK, "least-bottleneck") /* shortest cycle of the slowest stage */                           \
	X(LEAST_ENERGY, "least-energy")         /* least effective energy within a limit of the cycle */            \
	X(GIVEN, "given")                       /* boundaries of the settings */

enum perseus_partition_objective {
#define X(name, text) PERSEUS_PARTITION_##name,
	PERSEUS_PARTITION_MAP(X)
#undef X
			PERSEUS_N_PARTITION_OBJECTIVES
};

/* Text of an objective, e.g. "least-energy". */
PERSEUS_API const char *perseus_partition_objective_name(enum perseus_partition_objective objective);

/*
 * The model. A stage at a clock takes the sum of its layers' times and energies, at the clocks at which all of its
 * layers were measured. Its forward time is that at the highest of these. Its cycle is what one microbatch takes of it:
 * forward and backward, or forward, input and weight where layers have no backward; each at the highest clock.
 *
 * Once a pipeline is full, every stage runs one cycle for each microbatch, and the slowest sets the pace. So within a
 * limit L of the cycle, the effective energy (energy less blocking power times time) of a microbatch is
 *
 *     sum over stages of  min { sum over c of hull_c(t_c) : sum over c of t_c <= L }
 *
 * with c the instructions of the cycle and hull_c the lower convex hull of the stage's points: microbatches may differ
 * in their clocks, so what is between two points is as good as a point. Filling and draining of the pipeline are not in
 * it, nor is a rank with several stages: each stage is held to the limit by itself. A frontier of the stages' profile
 * tells what is true of them; the model is what partitions are searched with.
 */
struct perseus_partition_settings {
	enum perseus_partition_objective objective;
	int32_t n_stages; /* 1..layers: ranks times stages of each */
	/*
	 * Limit of the cycle, for the effective energy. 0: for LEAST_ENERGY the bottleneck of LEAST_BOTTLENECK, for others
	 * no effective energy is computed.
	 */
	int64_t limit_ns;
	const double *blocking_power_w; /* length n_blocking_power, as in struct perseus_profile_settings */
	int32_t n_blocking_power;
	const int32_t *boundaries; /* GIVEN: length n_stages + 1, ascending strictly from 0 to the number of layers */
};

/* A partition, read-only, owned by the caller; free with perseus_partition_free. */
struct perseus_partition {
	enum perseus_partition_objective objective;
	int32_t n_stages;
	const int32_t *boundaries; /* length n_stages + 1: stage s has layers boundaries[s] .. boundaries[s+1]-1 */
	const int64_t *forward_ns; /* length n_stages */
	const int64_t *cycle_ns;   /* length n_stages */
	double imbalance;          /* longest over shortest forward; 1 is perfect */
	int64_t bottleneck_ns;     /* longest cycle */
	int64_t limit_ns;          /* of the cycle; 0: none */
	bool has_effective;        /* energies were measured, and every stage keeps the limit at its fastest */
	int64_t effective_nj;      /* of a microbatch in the model, rounded up to 1 nJ for each stage; 0 without */
	/*
	 * The stages' profile, as perseus_profile_new takes it: by stage, instruction and falling clock. Energies are NaN
	 * where they were not measured. Whole ns and nJ survive the way through these numbers up to 2^53 of them.
	 */
	const struct perseus_measurement *rows; /* length n_rows; names are the partition's own */
	size_t n_rows;
};

/* LEAST_BOTTLENECK, the rest 0: callers must set n_stages. */
PERSEUS_API struct perseus_partition_settings perseus_partition_settings_default(void);

/*
 * Finds the partition, exact for the model above.
 * Errors: INVALID for more stages than layers, a wrong number of blocking powers, boundaries that do not ascend,
 * LEAST_ENERGY without energies; INFEASIBLE where LEAST_ENERGY has a limit that no partition keeps (the message says
 * the least that one does); NO_MEMORY.
 * With n layers, p stages, k clocks: LEAST_BOTTLENECK and LEAST_ENERGY O(p · n²) by dynamic programming, and for the
 * latter O(n² · k log k) for the energies of runs of layers that keep the limit; LEAST_IMBALANCE O(n² log n) to order
 * these runs and one O(p · n²/64 · n) for each shortest and longest that must be tried together, n² at the very most
 * and few where layers are alike.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_partition_new(const struct perseus_layers *layers,
		const struct perseus_partition_settings *settings, struct perseus_partition **out, struct perseus_error *err);

/* Frees a partition; NULL is fine. */
PERSEUS_API void perseus_partition_free(struct perseus_partition *partition);

/*
 * Re-checks a partition against layers and settings without the search: boundaries; times, imbalance, bottleneck,
 * effective energy and rows, computed anew from the layers; and that moving any one boundary does not make it better
 * at what it was chosen for. INVALID with the first violation; NO_MEMORY. O(n_stages · layers · clocks²) at most.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_partition_check(const struct perseus_partition *partition,
		const struct perseus_layers *layers, const struct perseus_partition_settings *settings,
		struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
