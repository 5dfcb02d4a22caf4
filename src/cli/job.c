/* Options of a job, and its frontier. Loading is in job_load.c. */
#include "cli/job.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/option_value.h"
#include "cli/progress.h"

enum {
	KEY_MICROBATCHES = 'm',
	KEY_SCHEDULE = 's',
	KEY_RANKS = 'p',
	KEY_STAGES_PER_RANK = 400,
	KEY_GROUP_SIZE,
	KEY_LAYOUT,
	KEY_EXTRA_WARMUP,
	KEY_SLOPE_QUANTUM,
	KEY_GPUS_PER_STAGE,
	KEY_PIPELINES,
	KEY_CONSTANT, /* and the next ones, in the order of perseus__constant_class */
};

static const struct argp_option options[] = {
	{NULL, 0, NULL, 0, "Job", 2},
	{"microbatches", KEY_MICROBATCHES, "M", 0, "Microbatches of an iteration (needed unless the schedule is a file)",
		0},
	{"schedule", KEY_SCHEDULE, "NAME|FILE", 0,
		"gpipe, 1f1b, looped-bfs, interleaved, zb-h1, zb-h2, zb1p, zbv, dualpipev, dualpipe or "
		"early-recompute-1f1b; FILE.csv in PyTorch's form, or FILE.json (default 1f1b)",
		0},
	{"ranks", KEY_RANKS, "P", 0, "Pipeline ranks (default: the profile's stages / stages per rank)", 0},
	{"stages-per-rank", KEY_STAGES_PER_RANK, "V", 0, "Stages of each rank (default 1; 2 for zbv and dualpipev)", 0},
	{"group-size", KEY_GROUP_SIZE, "N", 0, "Microbatches per group when interleaving (default: the schedule's own)", 0},
	{"layout", KEY_LAYOUT, "loop|v", 0, "Where a rank's stages lie (default: the schedule's own)", 0},
	{"extra-warmup", KEY_EXTRA_WARMUP, "N,N,...", 0,
		"For each rank, how many more forwards it runs before its first backward (1f1b)", 0},
	{"gpus-per-stage", KEY_GPUS_PER_STAGE, "N", 0, "GPUs of each stage: multiplies energies (default 1)", 0},
	{"pipelines", KEY_PIPELINES, "N", 0, "Data-parallel pipelines: multiplies energies (default 1)", 0},
	{"slope-quantum", KEY_SLOPE_QUANTUM, "W", 0,
		"Round prices of time to multiples of this: faster, with a proven bound on what it loses (default 0: exact)",
		0},
	{NULL, 0, NULL, 0,
		"Instructions of constant time, S seconds at W watts (default W: the blocking power; a transfer adds no "
		"energy of the GPU). Rows of the profile called data_load, transfer, grad_reduce and optimizer_step do "
		"the same.",
		3},
	{"data-load", KEY_CONSTANT, "S[:W]", 0, "A data load before every forward of stage 0", 0},
	{"transfer", KEY_CONSTANT + 1, "S[:W]", 0, "A transfer between stages", 0},
	{"grad-reduce", KEY_CONSTANT + 2, "S[:W]", 0, "A gradient reduction of each stage after its last backward", 0},
	{"optimizer-step", KEY_CONSTANT + 3, "S[:W]", 0, "An optimizer step at the end of every rank", 0},
	{0},
};

static void
take_extra_warmup(const struct argp_state *state, int32_t index, const char *piece, void *user)
{
	struct perseus__job *job = user;
	const int32_t n = perseus__option_count(state, "--extra-warmup", piece, 0, INT32_MAX);
	if (!perseus__reserve(&job->extra_warmup, &job->cap_extra_warmup, (size_t)index + 1, sizeof n))
		perseus__option_no_memory(state);
	else
		job->extra_warmup[index] = n;
}

static error_t
parse_option(int key, char *arg, struct argp_state *state)
{
	static const char *const layouts[] = {"loop", "v", NULL};
	struct perseus__job *job = state->input;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &job->input;
		return 0;
	case KEY_MICROBATCHES:
		job->n_microbatches = perseus__option_count(state, "--microbatches", arg, 1, INT32_MAX);
		return 0;
	case KEY_SCHEDULE:
		job->schedule_name = arg;
		return 0;
	case KEY_RANKS:
		job->n_ranks = perseus__option_count(state, "--ranks", arg, 1, INT32_MAX);
		return 0;
	case KEY_STAGES_PER_RANK:
		job->stages_per_rank = perseus__option_count(state, "--stages-per-rank", arg, 1, INT32_MAX);
		return 0;
	case KEY_GROUP_SIZE:
		job->group_size = perseus__option_count(state, "--group-size", arg, 1, INT32_MAX);
		return 0;
	case KEY_LAYOUT:
		job->layout = perseus__option_word(state, "--layout", arg, layouts) ? PERSEUS_LAYOUT_V : PERSEUS_LAYOUT_LOOP;
		return 0;
	case KEY_EXTRA_WARMUP:
		job->n_extra_warmup = perseus__option_list(state, arg, take_extra_warmup, job);
		return 0;
	case KEY_SLOPE_QUANTUM:
		job->slope_quantum_uw = perseus__option_scaled(state, "--slope-quantum", arg, 1000000);
		return 0;
	case KEY_GPUS_PER_STAGE:
		job->gpus_per_stage = perseus__option_count(state, "--gpus-per-stage", arg, 1, 1000000);
		return 0;
	case KEY_PIPELINES:
		job->n_pipelines = perseus__option_count(state, "--pipelines", arg, 1, 1000000);
		return 0;
	case KEY_CONSTANT:
	case KEY_CONSTANT + 1:
	case KEY_CONSTANT + 2:
	case KEY_CONSTANT + 3:
		perseus__constant_parse(state, &job->input, key - KEY_CONSTANT, arg);
		return 0;
	default: /* keys are not an enum: argp has its own beside ours */
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {{&perseus__input_argp, 0, NULL, 0}, {0}};

const struct argp perseus__job_argp = {.options = options, .parser = parse_option, .children = children};

struct perseus__job
perseus__job_init(void)
{
	return (struct perseus__job){.schedule_name = "1f1b", .gpus_per_stage = 1, .n_pipelines = 1};
}

enum perseus_status
perseus__job_solve(struct perseus__job *job, struct perseus_error *err)
{
	struct perseus__progress progress = perseus__progress_init("solving the frontier");
	struct perseus_frontier_settings settings = perseus_frontier_settings_default();
	settings.slope_quantum_uw = job->slope_quantum_uw;
	settings.progress = perseus__progress_show;
	settings.user = &progress;
	const int64_t begin_ns = perseus__clock_mono_ns();
	const enum perseus_status status =
			perseus_frontier_new(job->profile, job->schedule, &settings, &job->frontier, err);
	job->solve_s = (double)(perseus__clock_mono_ns() - begin_ns) / 1e9;
	perseus__progress_fini(&progress);
	return status;
}

void
perseus__job_fini(struct perseus__job *job)
{
	perseus_frontier_free(job->frontier);
	perseus_schedule_free(job->schedule);
	perseus_profile_free(job->profile);
	perseus__free(job->extra_warmup);
	perseus__input_fini(&job->input);
	*job = (struct perseus__job){0};
}

void
perseus__job_describe(const struct perseus__job *job, struct perseus__text *text)
{
	const struct perseus_schedule *schedule = job->schedule;
	const int64_t n_gpus = (int64_t)schedule->n_ranks * job->gpus_per_stage * job->n_pipelines;
	perseus__text_addf(text, "%s, %d stage%s x %d microbatch%s", schedule->name, (int)schedule->n_stages,
			schedule->n_stages == 1 ? "" : "s", (int)schedule->n_microbatches,
			schedule->n_microbatches == 1 ? "" : "es");
	if (schedule->n_ranks != schedule->n_stages)
		perseus__text_addf(text, " on %d ranks", (int)schedule->n_ranks);
	perseus__text_addf(text, ", %lld GPU%s", (long long)n_gpus, n_gpus == 1 ? "" : "s");
}
