/*
 * What the documents about a paced job are made from, and what of them is worked out in one place. "Grams" stands for
 * the unit of the factors, money included, as in perseus/pace.h.
 */
#ifndef PERSEUS_FORMAT_PACE_DOCUMENT_H
#define PERSEUS_FORMAT_PACE_DOCUMENT_H

#include "format/hours.h"

#include <stdbool.h>
#include <stdint.h>

#include <perseus/pace.h>
#include <perseus/schedule.h>

/* What an hour of deadline is worth. */
struct perseus__hour_worth {
	bool is_known;
	bool is_less; /* against an hour less of it, as the file has no hour more */
	double grams;
};

/* Everything is borrowed. */
struct perseus__pace_document {
	const struct perseus_schedule *schedule;
	int32_t gpus_per_stage;
	int32_t n_pipelines;
	double overhead_s; /* of an iteration, beside its pipeline */
	const struct perseus_pace_problem *problem;
	const struct perseus_pace *pace;
	const struct perseus_pace_course *baselines[PERSEUS_N_PACE_BASELINES]; /* NULL: not offered */
	const struct perseus__hours *hours;
	bool is_price;
	int64_t begin_ms;                   /* Unix time */
	double embodied_kg_per_gpu;         /* negative: not given */
	double lifetime_years;              /* that a GPU's embodied carbon is spread over */
	double break_even_per_gpu_h;        /* grams for an hour of a GPU */
	struct perseus__hour_worth an_hour; /* of deadline */
};

/* GPUs of the job. */
int64_t perseus__pace_n_gpus(const struct perseus__pace_document *document);

/* When slot `index` begins, and when the job ends: Unix time in ms. */
int64_t perseus__pace_slot_ms(const struct perseus__pace_document *document, int32_t index);
int64_t perseus__pace_end_ms(const struct perseus__pace_document *document, const struct perseus_pace_course *course);

double perseus__pace_total_grams(const struct perseus_pace_course *course);

/* How long a slot is paused, and how long an iteration takes while it is not; false where it is all the time. */
double perseus__pace_paused_s(const struct perseus_paced_slot *slot);
bool perseus__pace_iteration_s(const struct perseus_paced_slot *slot, double *iteration_s);

/*
 * The iteration time of the pipeline, as perseus plan --deadline takes it, that gives a rate: to the nearest ns, so
 * that the fastest is T_min itself.
 */
int64_t perseus__pace_plan_ns(const struct perseus__pace_document *document, double rate_hz);

/* Seconds as whole ns: what lies behind them was. */
int64_t perseus__pace_ns(double time_s);

/* The rate at which a slot runs when it does; false where there are several, or none. */
bool perseus__pace_one_rate(const struct perseus_paced_slot *slot, double *rate_hz);

/* Embodied carbon of a GPU (kg) that comes to so many grams an hour of its lifetime, and back. 8,760 h a year. */
double perseus__pace_kg_of(const struct perseus__pace_document *document, double grams_per_gpu_h);
double perseus__pace_grams_per_gpu_h(double kg, double lifetime_years);

#endif
