/* A measured run as people read it, see the header. */
#include "cli/run_report.h"

#include "cli/device_words.h"
#include "cli/quantity.h"
#include "cli/table.h"
#include "format/utc_time.h"

#include <math.h>
#include <string.h>

void
perseus__device_label(const struct perseus_device_info *info, struct perseus__text *text)
{
	perseus__text_addf(text, "%s %d", perseus__device_kind_word(info->kind), (int)info->index);
}

static void
add_argument(const char *argument, struct perseus__text *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
	if (*argument && argument[strspn(argument, plain)] == '\0') {
		perseus__text_add(text, argument, strlen(argument));
		return;
	}
	const char *quote = strchr(argument, '\'') ? "\"" : "'";
	perseus__text_add(text, quote, 1);
	perseus__text_add_shown(text, argument);
	perseus__text_add(text, quote, 1);
}

void
perseus__command_line(const struct perseus__run *run, struct perseus__text *text)
{
	for (int32_t i = 0; i < run->n_command; i++) {
		perseus__text_add(text, " ", i ? 1 : 0);
		add_argument(run->command[i], text);
	}
}

/* What follows every sum over devices that are not all real. */
static const char *
simulated_word(const struct perseus__run *run)
{
	for (int32_t i = 0; i < run->n_devices; i++)
		if (!run->devices[i].info.is_simulated)
			return perseus__run_is_simulated(run) ? " (partly simulated)" : "";
	return perseus__run_is_simulated(run) ? " (simulated)" : "";
}

static bool
is_measured(const struct perseus_reading *reading)
{
	return reading->method != PERSEUS_METHOD_NONE;
}

/* A bound, rounded up so that it stays one. */
static double
bound(double error_j, struct perseus__column_unit unit)
{
	const double steps = pow(10, unit.decimals);
	return ceil(error_j / unit.divisor * steps) / steps;
}

static void
add_power(struct perseus__table *table, bool is_known, double power_w)
{
	if (is_known)
		perseus__table_add(table, "%.1f", power_w);
	else
		perseus__table_add(table, "%s", "");
}

static void
add_device(struct perseus__table *table, const struct perseus__run_device *device, struct perseus__column_unit unit)
{
	const struct perseus_reading *reading = &device->reading;
	const bool is_known = is_measured(reading);
	struct perseus__text label = perseus__text_init(64);
	perseus__device_label(&device->info, &label);
	perseus__table_add(table, "%s%s", label.failed ? "" : label.bytes, device->info.is_simulated ? " (simulated)" : "");
	table->failed = table->failed || label.failed;
	perseus__text_fini(&label);
	perseus__table_add(table, "%s", device->info.name);
	if (is_known) {
		perseus__table_add(table, "%.*f", unit.decimals, reading->energy_j / unit.divisor);
		perseus__table_add(table, "%.*f", unit.decimals, bound(reading->error_j, unit));
	} else {
		perseus__table_add(table, "not measured");
		perseus__table_add(table, "%s", "");
	}
	add_power(table, is_known && reading->has_average_power, reading->average_power_w);
	add_power(table, is_known && reading->has_peak_power, reading->peak_power_w);
	const char *method = is_known ? perseus_method_name(reading->method) : "";
	perseus__table_add(table, "%s%s%s", method, is_known && *reading->reason ? ": " : "", reading->reason);
}

static struct perseus__column_unit
device_unit(const struct perseus__run *run)
{
	double largest_j = 0;
	for (int32_t i = 0; i < run->n_devices; i++)
		if (is_measured(&run->devices[i].reading))
			largest_j = fmax(largest_j, run->devices[i].reading.energy_j);
	return perseus__energy_column(largest_j);
}

/* What to know of a device, once for all that it is true of. */
static void
add_note(const struct perseus__run *run, int32_t device, struct perseus__text *text)
{
	const char *note = run->devices[device].info.note;
	int32_t n_more = 0;
	for (int32_t i = 0; i < run->n_devices; i++) {
		const bool is_same = strcmp(run->devices[i].info.note, note) == 0;
		if (is_same && i < device)
			return;
		n_more += is_same && i > device;
	}
	if (!*note)
		return;
	perseus__device_label(&run->devices[device].info, text);
	if (n_more > 0)
		perseus__text_addf(text, " and %d more", (int)n_more);
	perseus__text_addf(text, ": %s\n", note);
}

static void
add_table(const struct perseus__run *run, struct perseus__text *text)
{
	const struct perseus__column_unit unit = device_unit(run);
	struct perseus__table table = perseus__table_init("llrrrrl");
	perseus__table_add(&table, "device");
	perseus__table_add(&table, "%s", "");
	perseus__table_add(&table, "energy %s", unit.name);
	perseus__table_add(&table, "+/- %s", unit.name);
	perseus__table_add(&table, "average W");
	perseus__table_add(&table, "peak W");
	perseus__table_add(&table, "from");
	for (int32_t i = 0; i < run->n_devices; i++)
		add_device(&table, &run->devices[i], unit);
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
	for (int32_t i = 0; i < run->n_devices; i++)
		add_note(run, i, text);
}

static void
add_head(const struct perseus__run *run, struct perseus__text *text)
{
	char begin[PERSEUS__UTC_BYTES];
	perseus__utc_text(run->begin_ms, begin);
	perseus__command_line(run, text);
	if (run->state != PERSEUS__RUN_DONE) {
		perseus__text_addf(text, ": %s\n\ntime      since %s\n", perseus__run_state_name(run->state), begin);
		return;
	}
	if (run->signal > 0)
		perseus__text_addf(text, ": ended by signal %d (%s)\n\n", (int)run->signal, strsignal(run->signal));
	else
		perseus__text_addf(text, ": exit code %d\n\n", (int)run->exit_status);
	perseus__text_addf(text, "time      ");
	perseus__quantity_add(text, run->time_s, perseus__time_column(run->time_s));
	perseus__text_addf(text, " from %s\n", begin);
}

/* Which kind of device took how much, where there are several. */
static void
add_kinds(const struct perseus__run *run, struct perseus__column_unit unit, struct perseus__text *text)
{
	int n = 0;
	for (int kind = PERSEUS_DEVICE_GPU; kind <= PERSEUS_DEVICE_DRAM; kind++) {
		const struct perseus__energy energy = perseus__run_energy_of(run, (enum perseus_device_kind)kind);
		if (energy.n_devices == 0 || energy.n_devices == run->n_devices)
			continue;
		perseus__text_addf(
				text, "%s%s ", n++ ? ", " : "          ", perseus__device_kind_word((enum perseus_device_kind)kind));
		if (energy.n_measured > 0)
			perseus__quantity_add(text, energy.energy_j, unit);
		else
			perseus__text_addf(text, "not measured");
	}
	perseus__text_addf(text, "%s", n ? "\n" : "");
}

static void
add_energy(const struct perseus__run *run, struct perseus__text *text)
{
	const struct perseus__energy *energy = &run->footprint.energy;
	if (energy->n_measured == 0) {
		const char *none = run->job ? "this rank counts no device" : "there is no device";
		perseus__text_addf(text, "energy    not measured: %s\n", energy->n_devices ? "no device could be read" : none);
		return;
	}
	const struct perseus__column_unit unit = perseus__energy_column(energy->energy_j);
	perseus__text_addf(text, "energy    ");
	perseus__quantity_add(text, energy->energy_j, unit);
	perseus__text_addf(text, " +/- %.*f %s", unit.decimals, bound(energy->error_j, unit), unit.name);
	perseus__text_addf(text, "%s", simulated_word(run));
	if (energy->n_measured < energy->n_devices)
		perseus__text_addf(text, ", %d of %d devices not measured", (int)(energy->n_devices - energy->n_measured),
				(int)energy->n_devices);
	perseus__text_addf(text, "\n");
	add_kinds(run, unit, text);
	perseus__text_addf(text, "power     %.1f W average", energy->energy_j / run->time_s);
	if (run->has_peak_power)
		perseus__text_addf(text, ", %.1f W peak", run->peak_power_w);
	perseus__text_addf(text, "%s\n", simulated_word(run));
}

/* "12.3 kWh (PUE 1.2) x " */
static void
add_facility(const struct perseus__run *run, struct perseus__text *text)
{
	perseus__text_addf(text, "%.6g kWh (PUE %g) x ", run->footprint.facility_kwh, run->factors.pue);
}

/* A number of the user's own needs no source; of a file's, what it does not say is said. */
static void
add_intensity(const struct perseus__intensity *intensity, struct perseus__text *text)
{
	const char *type = perseus__intensity_type_name(intensity->type);
	perseus__text_addf(text, "%g gCO2e/kWh (", intensity->gco2e_per_kwh);
	if (*intensity->zone) {
		perseus__text_add_shown(text, intensity->zone);
		perseus__text_addf(text, ", ");
		if (intensity->n_hours > 0)
			perseus__text_addf(text, "%d hour%s, ", (int)intensity->n_hours, intensity->n_hours == 1 ? "" : "s");
		if (intensity->year)
			perseus__text_addf(text, "%d, ", (int)intensity->year);
		else
			perseus__text_addf(text, "year not stated, ");
		perseus__text_addf(text, "%s, ", *type ? type : "average or marginal not stated");
	}
	perseus__text_add_shown(text, intensity->source);
	perseus__text_addf(text, ")");
}

static void
add_footprint(const struct perseus__run *run, struct perseus__text *text)
{
	const struct perseus__factors *factors = &run->factors;
	const struct perseus__footprint *footprint = &run->footprint;
	if (footprint->has_operational) {
		perseus__text_addf(text, "carbon    ");
		perseus__quantity_add(text, footprint->operational_gco2e, perseus__carbon_column(footprint->operational_gco2e));
		perseus__text_addf(text, "%s = ", simulated_word(run));
		add_facility(run, text);
		add_intensity(&factors->intensity, text);
		perseus__text_addf(text, "\n");
	} else if (factors->has_intensity || run->no_intensity) {
		perseus__text_addf(
				text, "carbon    not computed: %s\n", run->no_intensity ? run->no_intensity : "no energy was measured");
	}
	if (footprint->has_embodied) {
		perseus__text_addf(text, "embodied  ");
		perseus__quantity_add(text, footprint->embodied_gco2e, perseus__carbon_column(footprint->embodied_gco2e));
		perseus__text_addf(text, " = %g kgCO2e x %g x %g s / %g years\n", factors->embodied_kg, factors->share,
				run->time_s, factors->lifespan_years);
	}
	if (footprint->has_cost) {
		const char *currency = factors->currency;
		char cost[PERSEUS__MONEY_BYTES];
		perseus__money_text(footprint->cost, currency, cost);
		perseus__text_addf(text, "cost      %s%s = ", cost, simulated_word(run));
		add_facility(run, text);
		perseus__text_addf(text, "%g%s%s/kWh\n", factors->price_per_kwh, *currency ? " " : "", currency);
	} else if (factors->has_price) {
		perseus__text_addf(text, "cost      not computed: no energy was measured\n");
	}
}

/* Texts of whoever ran it, and of the command itself: each on one line, and nothing that a terminal obeys. */
static void
add_results(const struct perseus__run *run, struct perseus__text *text)
{
	for (int32_t i = 0; i < run->n_results; i++) {
		perseus__text_addf(text, "%s%s=", i ? ", " : "results   ", run->results[i].key);
		perseus__text_add_shown(text, run->results[i].text);
	}
	perseus__text_addf(text, "%s", run->n_results ? "\n" : "");
	if (run->job) {
		perseus__text_addf(text, "job       ");
		perseus__text_add_shown(text, run->job);
		perseus__text_addf(text, ", rank %d\n", (int)run->rank);
	}
	if (run->note) {
		perseus__text_addf(text, "note      ");
		perseus__text_add_shown(text, run->note);
		perseus__text_addf(text, "\n");
	}
	if (run->id > 0)
		perseus__text_addf(text, "ledger    run %lld (%.8s)\n", (long long)run->id, run->uuid);
}

void
perseus__run_report(const struct perseus__run *run, struct perseus__text *text)
{
	add_head(run, text);
	if (run->state == PERSEUS__RUN_DONE) {
		add_energy(run, text);
		add_footprint(run, text);
	}
	add_results(run, text);
	if (run->n_devices > 0) {
		perseus__text_addf(text, "\n");
		add_table(run, text);
	}
}
