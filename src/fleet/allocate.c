/* Power of a site shared among jobs: a price for the most work, a level for the fair ways. */
#include <perseus/allocate.h>

#include "base/error.h"
#include "base/memory.h"
#include "fleet/sum.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* What is still open of a job's curve while a price or a level is searched for: which point, or the one before it. */
struct open {
	int32_t low;
	int32_t high;
};

struct search {
	const struct perseus_allocation_job *jobs; /* length n_jobs */
	int32_t n_jobs;
	double limit_w;
	struct open *open; /* length n_jobs */
	int32_t *at;       /* length n_jobs: the point of each that was looked up last */
};

const char *
perseus_allocation_rule_name(enum perseus_allocation_rule rule)
{
	switch (rule) {
#define X(name, text)               \
	case PERSEUS_ALLOCATION_##name: \
		return text;
		PERSEUS_ALLOCATION_RULE_MAP(X)
#undef X
	}
	return "unknown";
}

static struct perseus_operating_point
slowest(const struct perseus_allocation_job *job)
{
	return job->curve->points[0];
}

static struct perseus_operating_point
fastest(const struct perseus_allocation_job *job)
{
	return job->curve->points[job->curve->n_points - 1];
}

/* Work per watt that segment `k` of a job's curve brings; falls with k, as every step of it rounds monotonically. */
static double
work_per_w(const struct perseus_allocation_job *job, int32_t k)
{
	const struct perseus_operating_point *point = job->curve->points + k;
	const double w_per_hz = (point[1].power_w - point[0].power_w) / (point[1].rate_hz - point[0].rate_hz);
	return job->weight / fastest(job).rate_hz / w_per_hz;
}

/* How many segments of a job bring more than `price`, of which `open` brackets the number. */
static int32_t
count_above(const struct perseus_allocation_job *job, struct open open, double price)
{
	while (open.low < open.high) {
		const int32_t middle = open.low + (open.high - open.low) / 2;
		if (work_per_w(job, middle) > price)
			open.low = middle + 1;
		else
			open.high = middle;
	}
	return open.low;
}

/* Power of all jobs that take what brings more than `price`. */
static double
power_above(struct search *search, double price)
{
	struct perseus__sum power_w = {0};
	for (int32_t j = 0; j < search->n_jobs; j++) {
		search->at[j] = count_above(&search->jobs[j], search->open[j], price);
		perseus__sum_add(&power_w, search->jobs[j].curve->points[search->at[j]].power_w);
	}
	return perseus__sum_total(&power_w);
}

/* The last point of a job, in what is open, that is no faster than `rate_hz`, or the first of all. */
static int32_t
find_point(const struct perseus_allocation_job *job, struct open open, double rate_hz)
{
	while (open.low < open.high) {
		const int32_t middle = open.low + (open.high - open.low + 1) / 2;
		if (job->curve->points[middle].rate_hz <= rate_hz)
			open.low = middle;
		else
			open.high = middle - 1;
	}
	return open.low;
}

/* Rate of a job at a speed, or its slowest where that is faster. */
static double
rate_at(const struct perseus_allocation_job *job, double speed)
{
	return fmax(fmin(speed, 1) * fastest(job).rate_hz, slowest(job).rate_hz);
}

/* Power of a job at a share of full power, or its slowest where that takes more. */
static double
share_of_power(const struct perseus_allocation_job *job, double share)
{
	return fmax(fmin(share, 1) * fastest(job).power_w, slowest(job).power_w);
}

/* Power of all jobs at a level of the rule. */
static double
power_at_level(struct search *search, enum perseus_allocation_rule rule, double level)
{
	struct perseus__sum power_w = {0};
	for (int32_t j = 0; j < search->n_jobs; j++) {
		const struct perseus_allocation_job *job = &search->jobs[j];
		if (rule == PERSEUS_ALLOCATION_EVEN) {
			perseus__sum_add(&power_w, share_of_power(job, level));
			continue;
		}
		const double rate_hz = rate_at(job, level);
		search->at[j] = find_point(job, search->open[j], rate_hz);
		const struct perseus_operating_point *point = job->curve->points + search->at[j];
		const bool is_last = search->at[j] == job->curve->n_points - 1;
		const double w_per_hz =
				is_last ? 0 : (point[1].power_w - point[0].power_w) / (point[1].rate_hz - point[0].rate_hz);
		perseus__sum_add(&power_w, point->power_w + w_per_hz * (rate_hz - point->rate_hz));
	}
	return perseus__sum_total(&power_w);
}

/* Positive doubles are ordered as their bits are. */
static double
of_bits(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static uint64_t
bits_of(double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	return bits;
}

static void
open_all(struct search *search)
{
	for (int32_t j = 0; j < search->n_jobs; j++)
		search->open[j] = (struct open){0, search->jobs[j].curve->n_points - 1};
}

/* The answer is on the side of the points looked up last where more, or less, is taken. */
static void
narrow(struct search *search, bool takes_more)
{
	for (int32_t j = 0; j < search->n_jobs; j++) {
		if (takes_more)
			search->open[j].low = search->at[j];
		else
			search->open[j].high = search->at[j];
	}
}

/*
 * The least price at which what brings more keeps the limit, where taking all does not. `at` is what is taken at that
 * price.
 */
static double
find_price(struct search *search)
{
	double highest = 0;
	open_all(search);
	for (int32_t j = 0; j < search->n_jobs; j++)
		if (search->open[j].high > 0)
			highest = fmax(highest, work_per_w(&search->jobs[j], 0));
	uint64_t low = 0;                 /* at this price too much is taken */
	uint64_t high = bits_of(highest); /* at this, nothing */
	while (high - low > 1) {
		const uint64_t middle = low + (high - low) / 2;
		const bool keeps = power_above(search, of_bits(middle)) <= search->limit_w;
		narrow(search, keeps);
		if (keeps)
			high = middle;
		else
			low = middle;
	}
	(void)power_above(search, of_bits(high)); /* for `at` */
	return of_bits(high);
}

/* The highest level of FAIR or EVEN that keeps the limit, where full speed does not. */
static double
find_level(struct search *search, enum perseus_allocation_rule rule)
{
	open_all(search);
	uint64_t low = 0;             /* everybody at their slowest */
	uint64_t high = bits_of(1.0); /* at this too much is taken */
	while (high - low > 1) {
		const uint64_t middle = low + (high - low) / 2;
		const bool keeps = power_at_level(search, rule, of_bits(middle)) <= search->limit_w;
		if (rule == PERSEUS_ALLOCATION_FAIR)
			narrow(search, keeps);
		if (keeps)
			low = middle;
		else
			high = middle;
	}
	return of_bits(low);
}

/*
 * Prices the watts: the dual of the most work, and its bound on any allocation. Beyond the slowest, as watts that all
 * need anyway would drown what more of them bring.
 */
static void
fill_bound(struct search *search, struct perseus_allocation *allocation)
{
	struct perseus__sum bound = {0};
	struct perseus__sum free_w = {.high = search->limit_w};
	allocation->price_per_w = find_price(search);
	for (int32_t j = 0; j < search->n_jobs; j++) {
		const struct perseus_allocation_job *job = &search->jobs[j];
		const struct perseus_operating_point point = job->curve->points[search->at[j]];
		perseus__sum_add(&bound, job->weight * (point.rate_hz / fastest(job).rate_hz));
		perseus__sum_add(&bound, -allocation->price_per_w * (point.power_w - slowest(job).power_w));
		perseus__sum_add(&free_w, -slowest(job).power_w);
	}
	perseus__sum_add(&bound, allocation->price_per_w * perseus__sum_total(&free_w));
	allocation->bound = perseus__sum_total(&bound);
}

/* What brings more than the price, and of what brings just that as much as is left. */
static void
fill_work(const struct search *search, struct perseus_allocation *allocation)
{
	struct perseus__sum free_w = {.high = search->limit_w};
	for (int32_t j = 0; j < search->n_jobs; j++)
		perseus__sum_add(&free_w, -search->jobs[j].curve->points[search->at[j]].power_w);
	double left_w = perseus__sum_total(&free_w);
	for (int32_t j = 0; j < search->n_jobs; j++) {
		const struct perseus_allocation_job *job = &search->jobs[j];
		const struct perseus_operating_point *point = job->curve->points + search->at[j];
		allocation->jobs[j].power_w = point->power_w;
		allocation->jobs[j].rate_hz = point->rate_hz;
		for (int32_t k = search->at[j]; left_w > 0 && k < job->curve->n_points - 1; k++, point++) {
			if (work_per_w(job, k) < allocation->price_per_w)
				break;
			const double more_w = point[1].power_w - point[0].power_w;
			const double fraction = fmin(left_w / more_w, 1);
			allocation->jobs[j].power_w = fraction < 1 ? point->power_w + left_w : point[1].power_w;
			allocation->jobs[j].rate_hz += fraction * (point[1].rate_hz - point[0].rate_hz);
			left_w -= more_w;
		}
		allocation->jobs[j].rate_hz = fmin(allocation->jobs[j].rate_hz, fastest(job).rate_hz);
	}
	allocation->level = NAN;
}

static void
fill_level(struct search *search, struct perseus_allocation *allocation)
{
	allocation->level = find_level(search, allocation->rule);
	for (int32_t j = 0; j < search->n_jobs; j++) {
		const struct perseus_allocation_job *job = &search->jobs[j];
		struct perseus_allotment *allotment = &allocation->jobs[j];
		if (allocation->rule == PERSEUS_ALLOCATION_EVEN) {
			allotment->power_w = share_of_power(job, allocation->level);
			allotment->rate_hz = perseus_operating_rate_hz(job->curve, allotment->power_w);
		} else {
			allotment->rate_hz = rate_at(job, allocation->level);
			allotment->power_w = perseus_operating_power_w(job->curve, allotment->rate_hz);
		}
	}
}

/* The limit does not bind: everybody at full speed, and a watt more brings nothing. */
static void
fill_full(const struct search *search, struct perseus_allocation *allocation)
{
	for (int32_t j = 0; j < search->n_jobs; j++) {
		allocation->jobs[j].power_w = fastest(&search->jobs[j]).power_w;
		allocation->jobs[j].rate_hz = fastest(&search->jobs[j]).rate_hz;
	}
	allocation->price_per_w = 0;
	allocation->bound = allocation->full_work;
	allocation->level = allocation->rule == PERSEUS_ALLOCATION_WORK ? NAN : 1;
}

static void
fill_sums(const struct search *search, struct perseus_allocation *allocation)
{
	struct perseus__sum power_w = {0};
	struct perseus__sum work = {0};
	for (int32_t j = 0; j < search->n_jobs; j++) {
		struct perseus_allotment *allotment = &allocation->jobs[j];
		allotment->speed = allotment->rate_hz / fastest(&search->jobs[j]).rate_hz;
		perseus__sum_add(&power_w, allotment->power_w);
		perseus__sum_add(&work, search->jobs[j].weight * allotment->speed);
	}
	allocation->power_w = perseus__sum_total(&power_w);
	allocation->work = perseus__sum_total(&work);
}

static void
solve(struct search *search, struct perseus_allocation *allocation)
{
	if (search->limit_w >= allocation->full_power_w) {
		fill_full(search, allocation);
	} else {
		fill_bound(search, allocation);
		if (allocation->rule == PERSEUS_ALLOCATION_WORK)
			fill_work(search, allocation);
		else
			fill_level(search, allocation);
	}
	fill_sums(search, allocation);
}

/* Sums of what the jobs take at their slowest and at full speed. */
static enum perseus_status
check_input(const struct search *search, struct perseus_allocation *allocation, struct perseus_error *err)
{
	struct perseus__sum least_w = {0};
	struct perseus__sum full_w = {0};
	struct perseus__sum full_work = {0};
	if (search->n_jobs < 1)
		return perseus__fail(err, PERSEUS_INVALID, "there is no job to allocate power to");
	if (!isfinite(search->limit_w) || search->limit_w <= 0)
		return perseus__fail(err, PERSEUS_INVALID, "the limit must be above 0 W, not %g W", search->limit_w);
	for (int32_t j = 0; j < search->n_jobs; j++) {
		const double weight = search->jobs[j].weight;
		if (!isfinite(weight) || weight <= 0)
			return perseus__fail(err, PERSEUS_INVALID, "job %d: its weight must be above 0, not %g", (int)j, weight);
		perseus__sum_add(&least_w, slowest(&search->jobs[j]).power_w);
		perseus__sum_add(&full_w, fastest(&search->jobs[j]).power_w);
		perseus__sum_add(&full_work, weight);
	}
	if (perseus__sum_total(&least_w) > search->limit_w)
		return perseus__fail(err, PERSEUS_INFEASIBLE,
				"a limit of %.10g W cannot be kept: at their slowest the jobs take %.10g W together", search->limit_w,
				ceil(perseus__sum_total(&least_w) * 1e3) / 1e3);
	allocation->full_power_w = perseus__sum_total(&full_w);
	allocation->full_work = perseus__sum_total(&full_work);
	return PERSEUS_OK;
}

enum perseus_status
perseus_allocation_new(const struct perseus_allocation_job *jobs, int32_t n_jobs, double limit_w,
		enum perseus_allocation_rule rule, struct perseus_allocation **out, struct perseus_error *err)
{
	struct search search = {.jobs = jobs, .n_jobs = n_jobs, .limit_w = limit_w};
	struct perseus_allocation filled = {.rule = rule, .limit_w = limit_w, .n_jobs = n_jobs};
	enum perseus_status status = check_input(&search, &filled, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus_allocation *allocation = perseus__new_array(1, sizeof *allocation);
	search.open = perseus__new_array((size_t)n_jobs, sizeof *search.open);
	search.at = perseus__new_array((size_t)n_jobs, sizeof *search.at);
	filled.jobs = perseus__new_array((size_t)n_jobs, sizeof *filled.jobs);
	if (allocation && search.open && search.at && filled.jobs) {
		*allocation = filled;
		solve(&search, allocation);
		*out = allocation;
	} else {
		perseus__free(filled.jobs);
		perseus__free(allocation);
		status = perseus__no_memory(err);
	}
	perseus__free(search.open);
	perseus__free(search.at);
	return status;
}

void
perseus_allocation_free(struct perseus_allocation *allocation)
{
	if (!allocation)
		return;
	perseus__free(allocation->jobs);
	perseus__free(allocation);
}
