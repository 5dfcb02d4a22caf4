/* `perseus runs compare`: runs beside each other. runs_judge.c judges, runs_compare_report.c writes. */
#ifndef PERSEUS_CLI_RUNS_COMPARE_H
#define PERSEUS_CLI_RUNS_COMPARE_H

#include "cli/runs.h"

/* X(name, key of JSON): what is compared of every run, less being better. */
#define PERSEUS__RUN_METRIC_MAP(X)                              \
	X(TIME, "time_s")                                           \
	X(ENERGY, "energy_j")                                       \
	X(ENERGY_PER_UNIT, "energy_j_per_unit")                     \
	X(OPERATIONAL, "operational_gco2e")                         \
	X(SCI, "sci_gco2e_per_unit") /* needs embodied emissions */ \
	X(COST, "cost")

enum perseus__run_metric {
#define X(name, key) PERSEUS__METRIC_##name,
	PERSEUS__RUN_METRIC_MAP(X)
#undef X
};

enum {
#define X(name, key) +1
	PERSEUS__N_METRICS = PERSEUS__RUN_METRIC_MAP(X)
#undef X
};

struct perseus__metric {
	bool is_there;
	bool is_best; /* of the runs that are judged; those that share the first place all are */
	double value;
};

/* One run, judged. */
struct perseus__verdict {
	struct perseus__metric metrics[PERSEUS__N_METRICS];
	struct perseus__metric quality; /* there only where a quality was asked for and the run has it as a number */
	bool is_judged;                 /* its energy compares: done, and measured in full or just as all the others */
	/* The first run, by its place in the list, that is no worse in energy and quality and better in one; -1: none. */
	int32_t beaten_by;
};

struct perseus__comparison {
	const struct perseus__run_list *list; /* borrowed */
	const char *per;                      /* key of the result that counts functional units; NULL: the run is one */
	const char *quality;                  /* key of the result that is judged beside energy; NULL: none */
	bool is_higher_better;
	bool has_one_currency;             /* costs compare */
	struct perseus__verdict *verdicts; /* length of the list; owned */
};

/* Fills in the verdicts. Errors: NO_MEMORY. Free with perseus__comparison_fini. O(runs^2). */
PERSEUS_MUST_USE enum perseus_status perseus__comparison_judge(
		struct perseus__comparison *comparison, struct perseus_error *err);

void perseus__comparison_fini(struct perseus__comparison *comparison);

void perseus__comparison_report(const struct perseus__comparison *comparison, struct perseus__text *text);
void perseus__comparison_json(const struct perseus__comparison *comparison, struct perseus__text *text);

/* Key of a metric in JSON. */
const char *perseus__metric_key(enum perseus__run_metric metric);

#endif
