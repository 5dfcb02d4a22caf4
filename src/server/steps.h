/*
 * The last few steps of training, put together from the reports of their ranks. Pure. Bounded: a step that comes too
 * late to be put together is left out.
 */
#ifndef PERSEUS_SERVER_STEPS_H
#define PERSEUS_SERVER_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include <perseus/status.h>

enum { PERSEUS__N_OPEN_STEPS = 16 };

/* What the ranks of one pipeline reported of a step. */
struct perseus__step_pipeline {
	int32_t n_reported;
	double span_s;      /* the longest; 0: none */
	double time_s;      /* the longest */
	double energy_j;    /* of all that reported it */
	int32_t n_measured; /* ranks that reported an energy */
	bool is_followed;   /* by all of them */
	bool is_highest;    /* all that ran in it ran at the highest clock */
};

/* What the ranks of one pipeline reported of a class: those of its stage run it in lockstep. */
struct perseus__step_class {
	double measured_s, expected_s; /* sums over instructions whose time the profile knows */
	int32_t mhz;                   /* -1: nothing yet; -2: at several clocks */
	int32_t count;
	double mean_s, deviation_s; /* of the slowest rank */
};

struct perseus__step {
	int64_t step; /* -1: none */
	int32_t n_reported;
	bool is_complete;                         /* has been told of */
	struct perseus__step_pipeline *pipelines; /* length n_pipelines */
	struct perseus__step_class *classes;      /* length n_pipelines · n_classes, by pipeline */
};

struct perseus__steps {
	int32_t n_pipelines, n_classes;
	int64_t latest; /* highest step that was reported; -1: none */
	struct perseus__step open[PERSEUS__N_OPEN_STEPS];
};

/* Errors: NO_MEMORY. */
PERSEUS_MUST_USE enum perseus_status perseus__steps_init(
		struct perseus__steps *steps, int32_t n_pipelines, int32_t n_classes, struct perseus_error *err);
void perseus__steps_fini(struct perseus__steps *steps);

/* Forgets all steps, as counting begins anew. */
void perseus__steps_reset(struct perseus__steps *steps);

/* The step `step`, opened where it is new; NULL where it is too old. */
struct perseus__step *perseus__steps_open(struct perseus__steps *steps, int64_t step);

/* What was saved: sums over steps under a plan. Energies of the whole job. */
struct perseus__savings {
	int64_t n_steps;    /* complete, under a plan */
	int64_t n_measured; /* of these with the energy of every rank; the energies are sums over these */
	double measured_j, predicted_j;
	double baseline_j;          /* the same steps with everything at the highest clock, as the profile says */
	double measured_baseline_j; /* as was measured before the first plan; 0 where it was not */
	double measured_s, predicted_s, baseline_s;
};

void perseus__savings_add(struct perseus__savings *savings, const struct perseus__savings *step);

#endif
