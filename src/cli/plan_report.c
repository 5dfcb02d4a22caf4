/* The report of perseus plan that people read. */
#include "cli/plan_report.h"

#include "base/memory.h"
#include "cli/plan_power.h"
#include "cli/table.h"
#include "format/number.h"

#include <math.h>
#include <string.h>

static double
seconds(int64_t time_ns)
{
	return (double)time_ns / 1e9;
}

static const char *
point_name(const struct perseus__plan_report *report)
{
	const int64_t deadline_ns = report->plan->deadline_ns;
	if (deadline_ns == report->info.t_min_ns)
		return ", the shortest possible";
	if (deadline_ns == report->info.t_min_energy_ns)
		return ", that of least energy";
	if (deadline_ns == report->info.t_star_ns)
		return ", T*: nothing saves more by running slower";
	return "";
}

static void
write_headline(struct perseus__plan_report *report)
{
	const struct perseus_plan *plan = report->plan;
	const double before_j = (double)plan->baseline.energy_nj * report->scale / 1e9;
	const double after_j = (double)plan->outcome.energy_nj * report->scale / 1e9;
	perseus__job_describe(report->job, report->text);
	perseus__text_addf(report->text, "; deadline ");
	perseus__quantity_add(report->text, seconds(plan->deadline_ns), report->time);
	perseus__text_addf(report->text, "%s\n\niteration time  ", point_name(report));
	perseus__quantity_add(report->text, seconds(plan->baseline.iteration_time_ns), report->time);
	perseus__text_addf(report->text, " -> ");
	perseus__quantity_add(report->text, seconds(plan->outcome.iteration_time_ns), report->time);
	perseus__text_addf(report->text, "  (%+.2f %%)\nenergy          ",
			perseus__percent_change(
					seconds(plan->baseline.iteration_time_ns), seconds(plan->outcome.iteration_time_ns)));
	perseus__quantity_add(report->text, before_j, report->energy);
	perseus__text_addf(report->text, " -> ");
	perseus__quantity_add(report->text, after_j, report->energy);
	perseus__text_addf(report->text, "  (%+.2f %%)\noptimum         ", perseus__percent_change(before_j, after_j));
	perseus__quantity_add(report->text, plan->lower_bound_j * report->scale, report->energy);
	perseus__text_addf(report->text, " at least, proven");
	if (isfinite(plan->gap))
		perseus__text_addf(report->text, ": the plan is within %.2f %% of it", 100 * fabs(plan->gap));
	perseus__text_addf(report->text, "\n");
}

static void
write_clocks(struct perseus__plan_report *report)
{
	static const char *const shared[] = {
		[PERSEUS_GRANULARITY_AUTO] = "as suits best",
		[PERSEUS_GRANULARITY_INSTRUCTION] = "for each instruction",
		[PERSEUS_GRANULARITY_KIND] = "for each stage and kind of instruction",
		[PERSEUS_GRANULARITY_ENDS] = "for the ends of each stage and for the rest of it",
		[PERSEUS_GRANULARITY_STAGE] = "for each stage",
		[PERSEUS_GRANULARITY_JOB] = "for the whole job",
	};
	const int64_t changes = perseus__clock_changes(report->plan);
	perseus__text_addf(report->text, "clocks          one %s (%s), %lld change%s an iteration",
			shared[report->plan->granularity], perseus_granularity_name(report->plan->granularity), (long long)changes,
			changes == 1 ? "" : "s");
	if (report->plan->switch_latency_ns > 0)
		perseus__text_addf(report->text, " of %g ms each", (double)report->plan->switch_latency_ns / 1e6);
	perseus__text_addf(report->text, "\n");
}

/* Energy of all instructions of a kind, of one GPU per stage. */
static double
kind_energy_j(const struct perseus_schedule *schedule, const struct perseus_plan *plan, enum perseus_kind kind)
{
	double energy_nj = 0;
	for (int32_t i = 0; i < schedule->n_instructions; i++)
		if (schedule->instructions[i].kind == kind)
			energy_nj += (double)plan->steps[i].energy_nj;
	return energy_nj / 1e9;
}

/* One term of the sum; what would show as zero is left out. */
static void
add_saved(struct perseus__plan_report *report, double saved_j, const char *where, int *n)
{
	const double shown = saved_j / report->energy.divisor;
	if (fabs(shown) * pow(10, report->energy.decimals) < 0.5)
		return;
	perseus__text_addf(report->text, "%s%.*f %s", *n ? ", " : ": ", report->energy.decimals, shown, where);
	++*n;
}

/* Where the energy goes that is saved: kinds of instruction, and waiting for the rest. */
static void
write_saved(struct perseus__plan_report *report)
{
	const struct perseus_schedule *schedule = report->job->schedule;
	double waiting_j =
			(double)(report->plan->baseline.energy_nj - report->plan->outcome.energy_nj) * report->scale / 1e9;
	int n = 0;
	perseus__text_addf(report->text, "saved           ");
	perseus__quantity_add(report->text, waiting_j, report->energy);
	perseus__text_addf(report->text, " an iteration");
	for (enum perseus_kind kind = PERSEUS_KIND_FORWARD; kind <= PERSEUS_KIND_OTHER; kind++) {
		const double saved_j = report->scale
				* (kind_energy_j(schedule, report->document->baseline, kind)
						- kind_energy_j(schedule, report->plan, kind));
		waiting_j -= saved_j;
		add_saved(report, saved_j, perseus_kind_name(kind), &n);
	}
	add_saved(report, waiting_j, "waiting", &n);
	perseus__text_addf(report->text, "\n\n");
}

/* Clocks of a rank, fastest first, with the number of instructions at each. */
struct clocks {
	int32_t *mhz;
	int32_t *count;
	int32_t n;
};

static void
count_clock(struct clocks *clocks, int32_t mhz)
{
	int32_t i = 0;
	while (i < clocks->n && clocks->mhz[i] > mhz)
		i++;
	if (i == clocks->n || clocks->mhz[i] != mhz) {
		memmove(clocks->mhz + i + 1, clocks->mhz + i, (size_t)(clocks->n - i) * sizeof *clocks->mhz);
		memmove(clocks->count + i + 1, clocks->count + i, (size_t)(clocks->n - i) * sizeof *clocks->count);
		clocks->mhz[i] = mhz;
		clocks->count[i] = 0;
		clocks->n++;
	}
	clocks->count[i]++;
}

/* "1410 x2, 1005 x94", or "855-1410 (17 clocks)" where there are many. */
static void
add_clocks(struct perseus__plan_report *report, int32_t rank, struct perseus__table *table)
{
	const int32_t *rank_begin = report->job->schedule->rank_begin;
	const size_t n = (size_t)(rank_begin[rank + 1] - rank_begin[rank]);
	struct clocks clocks = {perseus__new_array(n, sizeof(int32_t)), perseus__new_array(n, sizeof(int32_t)), 0};
	if (clocks.mhz && clocks.count) {
		for (int32_t i = rank_begin[rank]; i < rank_begin[rank + 1]; i++)
			if (report->plan->steps[i].frequency_mhz > 0)
				count_clock(&clocks, report->plan->steps[i].frequency_mhz);
		struct perseus__text text = perseus__text_init(256);
		for (int32_t i = 0; i < clocks.n && i < 3; i++)
			perseus__text_addf(&text, "%s%d x%d", i ? ", " : "", clocks.mhz[i], clocks.count[i]);
		if (clocks.n > 3)
			perseus__table_add(table, "%d-%d (%d clocks)", clocks.mhz[clocks.n - 1], clocks.mhz[0], clocks.n);
		else
			perseus__table_add(table, "%s", clocks.n && !text.failed ? text.bytes : "any");
		table->failed = table->failed || text.failed;
		perseus__text_fini(&text);
	} else {
		table->failed = true;
	}
	perseus__free(clocks.mhz);
	perseus__free(clocks.count);
}

/* "3" or "0 7" or "0 4 8 ...". */
static void
add_stages(const struct perseus_schedule *schedule, int32_t rank, struct perseus__table *table)
{
	struct perseus__text text = perseus__text_init(64);
	int n = 0;
	for (int32_t stage = -1; (stage = perseus__rank_stage_after(schedule, rank, stage)) >= 0; n++)
		if (n < 4)
			perseus__text_addf(&text, "%s%d", n ? " " : "", (int)stage);
	perseus__table_add(table, "%s%s", text.bytes ? text.bytes : "", n > 4 ? " ..." : "");
	table->failed = table->failed || text.failed;
	perseus__text_fini(&text);
}

static void
add_energies(const struct perseus__plan_report *report, double before_j, double after_j, struct perseus__table *table)
{
	perseus__table_add(table, "%.*f", report->energy.decimals, before_j / report->energy.divisor);
	perseus__table_add(table, "%.*f", report->energy.decimals, after_j / report->energy.divisor);
	perseus__table_add(table, "%+.2f %%", perseus__percent_change(before_j, after_j));
}

static void
add_heading(const struct perseus__plan_report *report, struct perseus__table *table)
{
	perseus__table_add(table, "rank");
	perseus__table_add(table, report->job->schedule->n_stages > report->job->schedule->n_ranks ? "stages" : "stage");
	perseus__table_add(table, "busy %s", report->time.name);
	perseus__table_add(table, "idle %s", report->time.name);
	perseus__table_add(table, "before %s", report->energy.name);
	perseus__table_add(table, "after %s", report->energy.name);
	perseus__table_add(table, "saved");
	perseus__table_add(table, "changes");
	perseus__table_add(table, "clocks MHz");
}

/* Sums over ranks, in J of the job. */
struct sums {
	double before_j;
	double after_j;
};

static void
add_rank(struct perseus__plan_report *report, int32_t rank, struct sums *sums, struct perseus__table *table)
{
	const struct perseus__plan_document *document = report->document;
	const struct perseus__rank_usage before = perseus__rank_usage(document->frontier, document->baseline, rank);
	const struct perseus__rank_usage after = perseus__rank_usage(document->frontier, document->plan, rank);
	perseus__table_add(table, "%d", (int)rank);
	add_stages(report->job->schedule, rank, table);
	perseus__table_add(table, "%.*f", report->time.decimals, seconds(after.busy_ns) / report->time.divisor);
	perseus__table_add(table, "%.*f", report->time.decimals, seconds(after.idle_ns) / report->time.divisor);
	add_energies(report, before.energy_j * report->scale, after.energy_j * report->scale, table);
	perseus__table_add(table, "%d", (int)report->plan->clock_changes[rank]);
	add_clocks(report, rank, table);
	sums->before_j += before.energy_j * report->scale;
	sums->after_j += after.energy_j * report->scale;
}

static void
add_blanks(int n, struct perseus__table *table)
{
	for (int i = 0; i < n; i++)
		perseus__table_add(table, "%s", "");
}

static void
write_table(struct perseus__plan_report *report)
{
	struct perseus__table table = perseus__table_init("rrrrrrrrl");
	struct sums sums = {0};
	const double before_j = (double)report->plan->baseline.energy_nj * report->scale / 1e9;
	const double after_j = (double)report->plan->outcome.energy_nj * report->scale / 1e9;
	add_heading(report, &table);
	for (int32_t rank = 0; rank < report->job->schedule->n_ranks; rank++)
		add_rank(report, rank, &sums, &table);
	/* What is left is the transfers', which belong to no rank. */
	if (before_j - sums.before_j > 1e-6 * before_j) {
		perseus__table_add(&table, "links");
		add_blanks(3, &table);
		add_energies(report, before_j - sums.before_j, after_j - sums.after_j, &table);
		add_blanks(2, &table);
	}
	perseus__table_add(&table, "all");
	add_blanks(3, &table);
	add_energies(report, before_j, after_j, &table);
	perseus__table_add(&table, "%lld", (long long)perseus__clock_changes(report->plan));
	add_blanks(1, &table);
	perseus__table_print(&table, 0, report->text);
	perseus__table_fini(&table);
}

void
perseus__print_plan(
		const struct perseus__job *job, const struct perseus__plan_document *document, struct perseus__text *text)
{
	const struct perseus_plan *plan = document->plan;
	const double scale = perseus__plan_scale(document);
	struct perseus__plan_report report = {
		.job = job,
		.document = document,
		.plan = plan,
		.info = perseus_frontier_info(document->frontier),
		.scale = scale,
		.time = perseus__time_column(seconds(plan->baseline.iteration_time_ns)),
		.energy = perseus__energy_column((double)plan->baseline.energy_nj * scale / 1e9),
		.text = text,
	};
	write_headline(&report);
	perseus__power_print(document->power, seconds(plan->outcome.iteration_time_ns), text);
	write_clocks(&report);
	write_saved(&report);
	write_table(&report);
	perseus__plan_notes(&report);
}
