/* From hulls to integer price lists: marginal power of every hull segment, in units of flow. */
#include "frontier/frontier_internal.h"

#include "base/error.h"
#include "base/memory.h"

/* Energy is nJ and time ns, so their quotient is W. */
static double
segment_power_w(const struct perseus_class *class_, int32_t k)
{
	const struct perseus_choice *hull = class_->hull;
	return (double)(hull[k - 1].effective_nj - hull[k].effective_nj) / (double)(hull[k].time_ns - hull[k - 1].time_ns);
}

/* The finest power of ten, at most 1 nW, for which the sum of all steepest slopes stays below UNBOUNDED. 0: none. */
static int64_t
choose_unit(const struct perseus__workload *workload)
{
	double sum_w = 1.0;
	for (int32_t i = 0; i < workload->schedule->n_instructions; i++)
		if (workload->class_of[i]->n_hull > 1)
			sum_w += segment_power_w(workload->class_of[i], 1);
	for (int64_t units_per_watt = 1000000000; units_per_watt >= 1; units_per_watt /= 10)
		if (sum_w * (double)units_per_watt < (double)PERSEUS__UNBOUNDED / 2.0)
			return units_per_watt;
	return 0;
}

/* Slope of segment k, rounded to the nearest multiple of the quantum, never 0. */
static int64_t
round_slope(const struct perseus_class *class_, int32_t k, int64_t units_per_watt, int64_t quantum)
{
	const struct perseus_choice *hull = class_->hull;
	const perseus__wide energy = (perseus__wide)(hull[k - 1].effective_nj - hull[k].effective_nj) * units_per_watt;
	const perseus__wide step = (perseus__wide)(hull[k].time_ns - hull[k - 1].time_ns) * quantum;
	const int64_t n = (int64_t)((energy + step / 2) / step);
	return (n > 0 ? n : 1) * quantum;
}

/* Writes the curve of a class; segments that round to one slope become one, so that slopes strictly decrease. */
static void
write_curve(const struct perseus_class *class_, int64_t units_per_watt, int64_t quantum, int64_t *lengths,
		int64_t *slopes, struct perseus__curve *curve)
{
	int32_t n = 1;
	lengths[0] = class_->hull[0].time_ns;
	slopes[0] = PERSEUS__UNBOUNDED;
	for (int32_t k = 1; k < class_->n_hull; k++) {
		const int64_t slope = round_slope(class_, k, units_per_watt, quantum);
		if (slope < slopes[n - 1])
			slopes[n++] = slope;
		lengths[n - 1] = class_->hull[k].time_ns;
	}
	slopes[n] = 0;
	*curve = (struct perseus__curve){.n = n, .length_ns = lengths, .slope = slopes};
}

/* A number for every different class; returns how many there are, -1 where there is no memory. */
static int32_t
number_classes(const struct perseus__workload *workload, const struct perseus_class **classes, int32_t *curve_of)
{
	/* Classes live in two arrays, so a few probes of a hash by address find them. */
	const int32_t n_instructions = workload->schedule->n_instructions;
	size_t n_slots = 16;
	while (n_slots < 2 * (size_t)n_instructions)
		n_slots *= 2;
	int32_t *slots = perseus__new_array(n_slots, sizeof *slots);
	if (!slots)
		return -1;
	int32_t n = 0;
	for (int32_t i = 0; i < n_instructions; i++) {
		const struct perseus_class *class_ = workload->class_of[i];
		size_t slot = ((size_t)(uintptr_t)class_ / sizeof *class_) & (n_slots - 1);
		while (slots[slot] != 0 && classes[slots[slot] - 1] != class_)
			slot = (slot + 1) & (n_slots - 1);
		if (slots[slot] == 0) {
			classes[n++] = class_;
			slots[slot] = n;
		}
		curve_of[i] = slots[slot] - 1;
	}
	perseus__free(slots);
	return n;
}

static enum perseus_status
write_curves(struct perseus__price_lists *lists, const struct perseus_class **classes, int64_t quantum,
		struct perseus_error *err)
{
	size_t n_pool = 0;
	for (int32_t c = 0; c < lists->n_curves; c++)
		n_pool += (size_t)classes[c]->n_hull + 1;
	lists->curves = perseus__new_array((size_t)lists->n_curves, sizeof *lists->curves);
	lists->lengths = perseus__new_array(n_pool, sizeof *lists->lengths);
	lists->slopes = perseus__new_array(n_pool, sizeof *lists->slopes);
	if (!lists->curves || !lists->lengths || !lists->slopes)
		return perseus__no_memory(err);
	size_t begin = 0;
	for (int32_t c = 0; c < lists->n_curves; c++) {
		write_curve(classes[c], lists->units_per_watt, quantum, lists->lengths + begin, lists->slopes + begin,
				&lists->curves[c]);
		begin += (size_t)classes[c]->n_hull + 1;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__price_lists_init(struct perseus__price_lists *lists, const struct perseus__workload *workload,
		int64_t quantum_uw, struct perseus_error *err)
{
	const size_t n = (size_t)workload->schedule->n_instructions;
	struct perseus__price_lists built = {.units_per_watt = choose_unit(workload)};
	if (built.units_per_watt == 0)
		return perseus__fail(err, PERSEUS_INVALID,
				"energies differ so much between clocks of nearly equal time that their sums leave 64 bits");
	/* units_per_watt is a power of ten, and so is a million: one divides the other. */
	int64_t quantum = built.units_per_watt >= 1000000 ? quantum_uw * (built.units_per_watt / 1000000)
													  : quantum_uw / (1000000 / built.units_per_watt);
	if (quantum < 1)
		quantum = 1;
	const struct perseus_class **classes = perseus__new_array(n, sizeof *classes);
	built.curve_of = perseus__new_array(n, sizeof *built.curve_of);
	enum perseus_status status = PERSEUS_OK;
	if (classes && built.curve_of)
		built.n_curves = number_classes(workload, classes, built.curve_of);
	if (!classes || !built.curve_of || built.n_curves < 0)
		status = perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = write_curves(&built, classes, quantum, err);
	if (status == PERSEUS_OK)
		*lists = built;
	else
		perseus__price_lists_fini(&built);
	perseus__free(classes);
	return status;
}

void
perseus__price_lists_fini(struct perseus__price_lists *lists)
{
	perseus__free(lists->curves);
	perseus__free(lists->curve_of);
	perseus__free(lists->lengths);
	perseus__free(lists->slopes);
	*lists = (struct perseus__price_lists){0};
}

double
perseus__hull_energy_nj(const struct perseus_class *class_, double time_ns)
{
	const struct perseus_choice *hull = class_->hull;
	int32_t low = 0;
	int32_t high = class_->n_hull - 1;
	if (time_ns <= (double)hull[0].time_ns)
		return (double)hull[0].effective_nj;
	if (time_ns >= (double)hull[high].time_ns)
		return (double)hull[high].effective_nj;
	while (high - low > 1) {
		const int32_t middle = low + (high - low) / 2;
		if ((double)hull[middle].time_ns <= time_ns)
			low = middle;
		else
			high = middle;
	}
	const double fraction = (time_ns - (double)hull[low].time_ns) / (double)(hull[high].time_ns - hull[low].time_ns);
	return (double)hull[low].effective_nj + fraction * (double)(hull[high].effective_nj - hull[low].effective_nj);
}

perseus__wide
perseus__hull_dual(const struct perseus_class *class_, int64_t units_per_watt, int64_t price)
{
	perseus__wide least = 0;
	for (int32_t k = 0; k < class_->n_hull; k++) {
		const perseus__wide cost = (perseus__wide)class_->hull[k].effective_nj * units_per_watt
				+ (perseus__wide)class_->hull[k].time_ns * price;
		if (k == 0 || cost < least)
			least = cost;
	}
	return least;
}
