/*
 * A profile: measured time and energy of every class of instruction at every clock of the GPU, and what the optimizer
 * makes of it: the Pareto points and their lower convex hull in (time, effective energy).
 *
 * Effective energy is energy minus blocking power times time: what an instruction costs over waiting (Perseus, SOSP'24,
 * section 4.1, equation 4).
 */
#ifndef PERSEUS_PROFILE_H
#define PERSEUS_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One measurement, as one row of a profile CSV. */
struct perseus_measurement {
	int32_t stage;           /* >= 0 */
	const char *instruction; /* class name, e.g. "forward"; borrowed until the call that takes the row returns */
	int32_t frequency_mhz;   /* >= 0; 0 where the clock does not matter */
	double time_s;           /* > 0, finite, at most PERSEUS_MAX_TIME_S */
	double energy_j;         /* >= 0, finite, at most PERSEUS_MAX_ENERGY_J */
	int64_t line;            /* line in the file it came from, for error messages; 0: unknown */
};

/* Bounds that keep every sum of the optimizer inside 64 (times) and 128 (energies) bits. */
#define PERSEUS_MAX_TIME_S 1e5
#define PERSEUS_MAX_ENERGY_J 1e9
#define PERSEUS_MAX_POWER_W 1e6
#define PERSEUS_MAX_STAGES 65536
#define PERSEUS_MAX_FREQUENCY_MHZ 100000

/* One way to run an instruction of a class. */
struct perseus_choice {
	int32_t frequency_mhz;
	int64_t time_ns;
	int64_t energy_nj;
	int64_t effective_nj; /* energy_nj - blocking power · time_ns */
};

/* What is odd about the measurements of a class; a bit set. */
enum perseus_class_oddity {
	PERSEUS_ODD_SINGLE_CLOCK = 1 << 0, /* one clock only: its time is constant */
	PERSEUS_ODD_NON_MONOTONE = 1 << 1, /* some lower clock is faster than a higher one */
	PERSEUS_ODD_GAPS = 1 << 2,         /* clocks are not evenly spaced */
	PERSEUS_ODD_OTHER_CLOCKS = 1 << 3, /* its clocks differ from those of most classes of the profile */
};

/*
 * All that is known of one class. Owned by the profile, read-only.
 * `choices`: every clock measured, highest clock first. `pareto`: ascending time, strictly descending effective energy.
 * `hull`: the lower convex hull of `pareto`, ascending time; first and last point equal those of `pareto`.
 */
struct perseus_class {
	int32_t stage;
	const char *name;
	int32_t n_measurements; /* rows merged into `choices` */
	int32_t n_choices;
	int32_t n_pareto;
	int32_t n_hull;
	const struct perseus_choice *choices;
	const struct perseus_choice *pareto;
	const struct perseus_choice *hull;
	unsigned oddities; /* bit set of enum perseus_class_oddity */
};

/* How several rows of one (stage, instruction, clock), as one row per rank, become one choice. */
enum perseus_merge {
	PERSEUS_MERGE_MEAN,    /* mean time, mean energy */
	PERSEUS_MERGE_SLOWEST, /* largest time, mean energy: ranks wait for each other */
};

struct perseus_profile_settings {
	enum perseus_merge merge;
	const double *blocking_power_w; /* length n_blocking_power; what a GPU draws while it waits */
	int32_t n_blocking_power;       /* 0: no blocking power; 1: the same for all stages; else one per stage */
};

struct perseus_profile;

/* Mean of duplicates, no blocking power. */
PERSEUS_API struct perseus_profile_settings perseus_profile_settings_default(void);

/*
 * Builds a profile from `rows`, length `n_rows`, which are copied. `settings` may be NULL for the defaults.
 *
 * Times are rounded to 1 ns and energies to 1 nJ, once, here. Stages must be 0..n-1 without holes.
 * Errors: INVALID for a value out of range (the message names line, stage, instruction and clock), a hole in the
 * stages, or a wrong number of blocking powers; NO_MEMORY. `*out` is untouched on failure.
 * O(n log n).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_profile_new(const struct perseus_measurement *rows,
		size_t n_rows, const struct perseus_profile_settings *settings, struct perseus_profile **out,
		struct perseus_error *err);

/* Frees a profile; NULL is fine. */
PERSEUS_API void perseus_profile_free(struct perseus_profile *profile);

PERSEUS_API int32_t perseus_profile_n_stages(const struct perseus_profile *profile);
PERSEUS_API int32_t perseus_profile_n_classes(const struct perseus_profile *profile);

/* Class `index` in 0..n_classes-1, ordered by stage, then by name. Borrowed until the profile is freed. */
PERSEUS_API const struct perseus_class *perseus_profile_class(const struct perseus_profile *profile, int32_t index);

/* The class of (stage, name), or NULL where there is none. O(log n). */
PERSEUS_API const struct perseus_class *perseus_profile_find(
		const struct perseus_profile *profile, int32_t stage, const char *name);

/* Blocking power of a GPU of `stage`, in microwatts. */
PERSEUS_API int64_t perseus_profile_blocking_power_uw(const struct perseus_profile *profile, int32_t stage);

/* e(t) = a · exp(b · t) + c with t in s and e in J: the paper's continuous relaxation (SOSP'24, appendix D). */
struct perseus_exp_fit {
	double a;
	double b;
	double c;
	double rmse_j;      /* over the Pareto points */
	double max_error_j; /* largest absolute error over the Pareto points */
};

/*
 * Fits the paper's curve to the Pareto points of a class, for comparison only: the optimizer uses the hull.
 * Variable projection: for a given b the rest is linear least squares, so one search over b.
 * Errors: INVALID with fewer than three Pareto points.
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_class_fit(
		const struct perseus_class *class_, struct perseus_exp_fit *fit, struct perseus_error *err);

/*
 * Re-checks every invariant of a profile that the optimizer relies on (order, dominance, convexity in exact
 * arithmetic, hull below Pareto points). INTERNAL with the first violation. O(n).
 */
PERSEUS_API PERSEUS_MUST_USE enum perseus_status perseus_profile_check(
		const struct perseus_profile *profile, struct perseus_error *err);

#ifdef __cplusplus
}
#endif

#endif
