/*
 * The independent checker of certificates: from profile and schedule alone, without network or sweep.
 *
 * Weak duality: let x >= 0 be a flow from the iteration's start to its end, through instructions and over edges. For
 * any durations t that keep the deadline T, the sum over all flow paths of their length is at most F · T, F the flow's
 * value. Hence sum c_i(t_i) >= sum min_t (c_i(t) + x_i t) + sum x_e lag_e - F T.
 */
#include "frontier/frontier_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Times are sums of integers and blends of them: a few roundings of the longest, which count from hours up. */
static double
time_tolerance_ns(const struct perseus_certificate *certificate)
{
	return fmax(0.01, 1e-15 * (double)certificate->deadline_ns);
}

static enum perseus_status
violated(struct perseus_error *err, const struct perseus__workload *workload, int32_t i, const char *what)
{
	char text[64];
	perseus_instruction_text(&workload->schedule->instructions[i], text, sizeof text);
	return perseus__fail(err, PERSEUS_INVALID, "certificate: instruction %s (number %d): %s", text, (int)i, what);
}

static enum perseus_status
check_times(const struct perseus_certificate *certificate, const struct perseus__workload *workload,
		struct perseus_error *err)
{
	const struct perseus_schedule *schedule = workload->schedule;
	const double tolerance_ns = time_tolerance_ns(certificate);
	for (int32_t i = 0; i < schedule->n_instructions; i++) {
		const struct perseus_class *class_ = workload->class_of[i];
		const double shortest = (double)class_->hull[0].time_ns;
		const double longest = (double)class_->hull[class_->n_hull - 1].time_ns;
		/* Written so that a NaN fails. */
		if (!(certificate->time_ns[i] >= shortest - tolerance_ns && certificate->time_ns[i] <= longest + tolerance_ns))
			return violated(err, workload, i, "duration outside the hull");
		if (!(certificate->start_ns[i] >= -tolerance_ns))
			return violated(err, workload, i, "starts before the iteration");
		if (!(certificate->start_ns[i] + certificate->time_ns[i] <= (double)certificate->deadline_ns + tolerance_ns))
			return violated(err, workload, i, "ends after the deadline");
	}
	for (int32_t e = 0; e < schedule->n_edges; e++) {
		const int32_t from = schedule->edges[e].from;
		const double ready = certificate->start_ns[from] + certificate->time_ns[from] + (double)workload->lag_ns[e];
		if (!(certificate->start_ns[schedule->edges[e].to] >= ready - tolerance_ns))
			return violated(err, workload, schedule->edges[e].to, "starts before what it waits for has ended");
	}
	return PERSEUS_OK;
}

/* Flow is not negative and conserved at the start and at the end of every instruction; its value goes to `*value`. */
static enum perseus_status
check_flow(const struct perseus_certificate *certificate, const struct perseus__workload *workload, int64_t *at_start,
		int64_t *at_end, perseus__wide *value, struct perseus_error *err)
{
	const struct perseus_schedule *schedule = workload->schedule;
	perseus__wide into = 0;
	perseus__wide out_of = 0;
	for (int32_t i = 0; i < schedule->n_instructions; i++) {
		if (certificate->flow[i] < 0 || certificate->start_flow[i] < 0 || certificate->end_flow[i] < 0)
			return violated(err, workload, i, "negative flow");
		at_start[i] = certificate->start_flow[i];
		at_end[i] = certificate->end_flow[i];
		into += certificate->start_flow[i];
		out_of += certificate->end_flow[i];
	}
	for (int32_t e = 0; e < schedule->n_edges; e++) {
		const struct perseus_edge edge = schedule->edges[e];
		const int64_t flow = certificate->edge_flow[e];
		if (flow < 0 || __builtin_add_overflow(at_start[edge.to], flow, &at_start[edge.to])
				|| __builtin_add_overflow(at_end[edge.from], flow, &at_end[edge.from]))
			return violated(err, workload, edge.from, "negative or impossible flow over an edge");
	}
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		if (at_start[i] != certificate->flow[i] || at_end[i] != certificate->flow[i])
			return violated(err, workload, i, "flow not conserved");
	if (into > INT64_MAX)
		return perseus__fail(err, PERSEUS_INVALID, "certificate: impossible flow into the iteration");
	if (into != out_of)
		return perseus__fail(err, PERSEUS_INVALID, "certificate: flow into and out of the iteration differ");
	*value = into;
	return PERSEUS_OK;
}

/* The dual bound in nJ. */
static double
bound_nj(const struct perseus_certificate *certificate, const struct perseus__workload *workload, perseus__wide value)
{
	perseus__wide sum = -value * certificate->deadline_ns;
	for (int32_t i = 0; i < certificate->n_instructions; i++)
		sum += perseus__hull_dual(workload->class_of[i], certificate->units_per_watt, certificate->flow[i]);
	for (int32_t e = 0; e < certificate->n_edges; e++)
		sum += (perseus__wide)certificate->edge_flow[e] * workload->lag_ns[e];
	return (double)sum / (double)certificate->units_per_watt;
}

static enum perseus_status
check_gap(const struct perseus_certificate *certificate, const struct perseus__workload *workload, perseus__wide value,
		double tolerance, double *lower_bound_j, double *energy_j, struct perseus_error *err)
{
	double energy_nj = 0.0;
	for (int32_t i = 0; i < certificate->n_instructions; i++)
		energy_nj += perseus__hull_energy_nj(workload->class_of[i], certificate->time_ns[i]);
	const double lower_nj = bound_nj(certificate, workload, value);
	/* µW · ns = 1e-6 nJ */
	const double total_nj = energy_nj + (double)workload->transfer_nj
			+ (double)workload->blocking_uw * (double)certificate->deadline_ns * 1e-6;
	if (lower_bound_j)
		*lower_bound_j = lower_nj / 1e9;
	if (energy_j)
		*energy_j = energy_nj / 1e9;
	/* Half a nJ of the bound, so that an iteration that takes no energy passes. */
	if (fabs(energy_nj - lower_nj) > tolerance * fabs(total_nj) + 0.5)
		return perseus__fail(err, PERSEUS_INVALID,
				"certificate: effective energy %.17g J and its bound %.17g J differ by more than %g of the total",
				energy_nj / 1e9, lower_nj / 1e9, tolerance);
	return PERSEUS_OK;
}

enum perseus_status
perseus_certificate_check(const struct perseus_certificate *certificate, const struct perseus_profile *profile,
		const struct perseus_schedule *schedule, double tolerance, double *lower_bound_j, double *energy_j,
		struct perseus_error *err)
{
	if (certificate->n_instructions != schedule->n_instructions || certificate->n_edges != schedule->n_edges
			|| certificate->units_per_watt <= 0 || certificate->deadline_ns < 0)
		return perseus__fail(err, PERSEUS_INVALID, "certificate: it is not one of this schedule");
	const size_t n = (size_t)schedule->n_instructions;
	struct perseus__workload workload = {0};
	perseus__wide value = 0;
	int64_t *at_start = perseus__new_array(n, sizeof *at_start);
	int64_t *at_end = perseus__new_array(n, sizeof *at_end);
	enum perseus_status status = at_start && at_end ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = perseus__workload_init(&workload, profile, schedule, err);
	if (status == PERSEUS_OK)
		status = check_times(certificate, &workload, err);
	if (status == PERSEUS_OK)
		status = check_flow(certificate, &workload, at_start, at_end, &value, err);
	if (status == PERSEUS_OK)
		status = check_gap(certificate, &workload, value, tolerance, lower_bound_j, energy_j, err);
	perseus__workload_fini(&workload);
	perseus__free(at_start);
	perseus__free(at_end);
	return status;
}
