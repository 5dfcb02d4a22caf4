/* Judging pipelines by the times of their steps. The rules and where they come from are in the header. */
#include "server/detector_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <math.h>

/* Chance may recover a straggler, or sum up to one, once in so many steps. */
static const double STEPS_PER_ERROR = 1e6;
static const double STEPS_PER_RECOVERY = 1e5;
static const double STEPS_PER_COINCIDENCE = 1e5;
/* Times that the share of a tail is remembered over. */
static const double TAIL_SAMPLES = 1e6;
/* The most that a step adds to the cumulative sum: a hiccup is little beside what chance needs to get to the limit. */
static const double SUM_NOISES = 1.25;
/* Steps that the mean excess of the sum, and the mean of a degree, look back. */
static const double SUM_STEPS = 16;
static const double DEGREE_STEPS = 8;
/* Another degree is told where it is so many of its standard errors off. */
static const double DEGREE_ERRORS = 3;
/* Steps of being clearly off; of a recovery, which small degrees need more of. */
enum { MIN_CLEAR = 2, MAX_CLEAR = 4, MIN_RECOVERY = 2, MAX_RECOVERY = 8 };
/* Who straggled for so few steps was over before it was answered; for how long more patience follows from it. */
enum { SHORT_STEPS = 4, PATIENCE_STEPS = 5000 };

struct perseus__detector_settings
perseus__detector_settings_default(void)
{
	return (struct perseus__detector_settings){
		.min_degree = 1.05, .degree_step = 0.02, .n_warmup = 3, .first_noise = 0.03};
}

static enum perseus_status
check_settings(int32_t n_pipelines, const struct perseus__detector_settings *settings, struct perseus_error *err)
{
	if (n_pipelines < 1)
		return perseus__fail(err, PERSEUS_INVALID, "n_pipelines: %d is not positive", (int)n_pipelines);
	if (!(settings->min_degree > 1) || !isfinite(settings->min_degree))
		return perseus__fail(err, PERSEUS_INVALID, "min_degree: %g is not above 1", settings->min_degree);
	if (!(settings->degree_step > 0) || !isfinite(settings->degree_step))
		return perseus__fail(err, PERSEUS_INVALID, "degree_step: %g is not positive", settings->degree_step);
	if (settings->n_warmup < 0)
		return perseus__fail(err, PERSEUS_INVALID, "n_warmup: %d is negative", (int)settings->n_warmup);
	if (!(settings->first_noise > 0) || !isfinite(settings->first_noise))
		return perseus__fail(err, PERSEUS_INVALID, "first_noise: %g is not positive", settings->first_noise);
	return PERSEUS_OK;
}

enum perseus_status
perseus__detector_new(int32_t n_pipelines, const struct perseus__detector_settings *settings,
		struct perseus__detector **out, struct perseus_error *err)
{
	const struct perseus__detector_settings own = settings ? *settings : perseus__detector_settings_default();
	const enum perseus_status status = check_settings(n_pipelines, &own, err);
	if (status != PERSEUS_OK)
		return status;
	struct perseus__detector *detector = perseus__new_array(1, sizeof *detector);
	if (!detector)
		return perseus__no_memory(err);
	*detector = (struct perseus__detector){
		.settings = own,
		.n_pipelines = n_pipelines,
		.floor = log(own.min_degree),
		.n_clear = MIN_CLEAR,
		.variance = own.first_noise * own.first_noise,
		.common_variance = own.first_noise * own.first_noise,
		.pipelines = perseus__new_array((size_t)n_pipelines, sizeof(struct perseus__detected)),
		.sorted = perseus__new_array((size_t)n_pipelines, sizeof(double)),
	};
	if (!detector->pipelines || !detector->sorted) {
		perseus__detector_free(detector);
		return perseus__no_memory(err);
	}
	for (int32_t p = 0; p < n_pipelines; p++)
		detector->pipelines[p].variance = detector->variance;
	perseus__detector_reset(detector);
	*out = detector;
	return PERSEUS_OK;
}

void
perseus__detector_free(struct perseus__detector *detector)
{
	if (!detector)
		return;
	perseus__free(detector->pipelines);
	perseus__free(detector->sorted);
	perseus__free(detector);
}

void
perseus__detector_reset(struct perseus__detector *detector)
{
	detector->healthy = 0;
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		const struct perseus__detected before = detector->pipelines[p];
		detector->pipelines[p] = (struct perseus__detected){
			.verdict = {.degree = 1, .since_step = -1},
			.variance = before.variance,
			.n_variance = before.n_variance,
		};
	}
}

const struct perseus__verdict *
perseus__detector_verdict(const struct perseus__detector *detector, int32_t pipeline)
{
	return &detector->pipelines[pipeline].verdict;
}

double
perseus__detector_noise(const struct perseus__detector *detector)
{
	return sqrt(detector->variance);
}

/* Notes what is told of a straggler. */
static void
tell(struct perseus__detected *pipeline)
{
	pipeline->verdict.degree = exp(pipeline->log_degree);
}

static void
accuse(const struct perseus__detector *detector, struct perseus__detected *pipeline, int64_t since_step,
		double log_degree, double n_degree)
{
	pipeline->verdict.is_straggler = true;
	pipeline->verdict.since_step = since_step;
	pipeline->log_degree = log_degree;
	pipeline->n_degree = n_degree;
	pipeline->n_below = 0;
	pipeline->n_off = 0;
	pipeline->level = detector->healthy + log_degree;
	tell(pipeline);
}

static void
acquit(const struct perseus__detector *detector, struct perseus__detected *pipeline, int64_t since_step)
{
	pipeline->verdict = (struct perseus__verdict){.degree = 1, .since_step = since_step};
	/* It may have become faster than the others. */
	const bool is_faster = pipeline->excess < -PERSEUS__CLEAR_NOISES * pipeline->unit;
	pipeline->level = detector->healthy + (is_faster ? pipeline->excess : 0);
	pipeline->n_off = 0;
	pipeline->sum = 0;
}

/* H of the cumulative sum with reference `k`, where chance gets there once in `steps` (Siegmund 1985). */
static double
sum_limit(double k, double steps)
{
	double twice_kb = log(2 * k * k * steps + 1);
	for (int round = 0; round < 4; round++)
		twice_kb = log(2 * k * k * steps + 1 + twice_kb);
	/* Not before the third step, so that it never takes two hiccups for a straggler. */
	return fmax(twice_kb / (2 * k) - 1.166, 2 * SUM_NOISES);
}

/* Adds the step to the cumulative sum; true where it has become too large, and a degree worth an answer. */
static bool
is_slow_by_little(struct perseus__detector *detector, struct perseus__detected *pipeline, int64_t step)
{
	const double unit = pipeline->unit;
	const double k = detector->floor / (2 * unit);
	const double limit = sum_limit(k, STEPS_PER_ERROR * detector->n_pipelines);
	const double excess = fmin(fmin(pipeline->excess, pipeline->likely_excess), (k + SUM_NOISES) * unit);
	if (pipeline->sum <= 0) {
		pipeline->sum = 0;
		pipeline->sum_step = step;
		pipeline->n_sum = 0;
		pipeline->sum_excess = 0;
	}
	pipeline->sum += excess / unit - k;
	pipeline->n_sum++;
	pipeline->sum_excess += (excess - pipeline->sum_excess) / fmin(pipeline->n_sum, SUM_STEPS);
	if (pipeline->sum <= limit)
		return false;
	pipeline->sum = limit;
	return pipeline->sum_excess >= detector->floor;
}

/*
 * Whether so many steps in a row, this one the last, are off beyond what noise does, in one direction, and none by half
 * of the one before. `off_mean` is then their mean; or that of the later ones, where they are further off: who slows
 * during a step shows it in full only in the next.
 */
static bool
is_off_again(struct perseus__detected *pipeline, double off, int64_t step, int32_t n_steps)
{
	const double limit = PERSEUS__CLEAR_NOISES * pipeline->unit;
	const double before = pipeline->off;
	pipeline->off = off;
	if (fabs(off) < limit) {
		pipeline->n_off = 0;
		return false;
	}
	const bool goes_on = pipeline->n_off > 0 && before * off > 0 && fabs(off) >= fabs(before) / 2;
	if (!goes_on) {
		pipeline->n_off = 0;
		pipeline->off_step = step;
	}
	if (!goes_on || fabs(off) > fabs(before) + limit)
		pipeline->n_off_mean = 0;
	pipeline->n_off++;
	pipeline->n_off_mean++;
	pipeline->off_mean += (off - pipeline->off_mean) / pipeline->n_off_mean;
	return pipeline->n_off >= n_steps;
}

/*
 * Being clearly quick is neither a hiccup nor a straggler but the tail of the noise, and its other side tells of
 * coincidences on this one.
 */
static void
note_tail(struct perseus__detector *detector, const struct perseus__detected *pipeline)
{
	if (detector->n_judged >= TAIL_SAMPLES) {
		detector->n_judged /= 2;
		detector->n_quick /= 2;
	}
	detector->n_judged++;
	if (pipeline->n_off == 1 && pipeline->off < 0)
		detector->n_quick++;
}

/* Steps in a row that accuse: more where tails are heavy, or somebody was accused for nothing lately. */
static int32_t
steps_to_be_clear(const struct perseus__detector *detector)
{
	const double share = detector->n_judged > 0 ? detector->n_quick / detector->n_judged : 0;
	double chance = share * share * detector->n_pipelines;
	int32_t n = MIN_CLEAR;
	for (; n < MAX_CLEAR && chance > 1 / STEPS_PER_COINCIDENCE; n++)
		chance *= share;
	return n > detector->n_clear ? n : detector->n_clear;
}

/* True where it is accused. */
static bool
judge_healthy(struct perseus__detector *detector, struct perseus__detected *pipeline, int64_t step)
{
	/* What may be common is not held against one. */
	const bool is_sure = pipeline->likely_excess >= PERSEUS__CLEAR_NOISES * pipeline->unit / 2;
	const double excess = is_sure ? pipeline->excess : fmin(pipeline->excess, pipeline->likely_excess);
	const bool is_clear = is_off_again(pipeline, excess, step, steps_to_be_clear(detector)) && pipeline->off_mean > 0;
	note_tail(detector, pipeline);
	const bool is_little = is_slow_by_little(detector, pipeline, step);
	if (is_clear)
		accuse(detector, pipeline, pipeline->off_step, pipeline->off_mean, pipeline->n_off_mean);
	else if (is_little)
		accuse(detector, pipeline, pipeline->sum_step, pipeline->sum_excess, fmin(pipeline->n_sum, DEGREE_STEPS));
	return pipeline->verdict.is_straggler;
}

/* Steps in a row below half of the degree that chance brings about once in STEPS_PER_RECOVERY. */
static int32_t
recovery_steps(const struct perseus__detector *detector, const struct perseus__detected *pipeline)
{
	const double noise = perseus__detector_noise_of(detector, pipeline);
	const double chance = perseus__normal_below(-pipeline->log_degree / (2 * noise));
	if (chance <= 0)
		return MIN_RECOVERY;
	return (int32_t)fmin(fmax(ceil(-log(STEPS_PER_RECOVERY) / log(chance)), MIN_RECOVERY), MAX_RECOVERY);
}

/* Who straggled so shortly was answered for nothing: more steps in a row are asked for, for a while. */
static void
recover(struct perseus__detector *detector, struct perseus__detected *pipeline, int64_t since_step, int64_t n_short)
{
	if (since_step - pipeline->verdict.since_step <= n_short) {
		detector->n_clear = detector->n_clear < MAX_CLEAR ? detector->n_clear + 1 : MAX_CLEAR;
		detector->patience = PATIENCE_STEPS;
	}
	acquit(detector, pipeline, since_step);
}

/* True where it has recovered, or straggles less by far. */
static bool
has_recovered(struct perseus__detector *detector, struct perseus__detected *pipeline, int64_t step)
{
	if (pipeline->excess >= pipeline->log_degree / 2) {
		pipeline->n_below = 0;
		return false;
	}
	if (pipeline->n_below++ == 0) {
		pipeline->below_step = step;
		pipeline->below_excess = 0;
	}
	pipeline->below_excess += (pipeline->excess - pipeline->below_excess) / pipeline->n_below;
	if (pipeline->n_below < recovery_steps(detector, pipeline))
		return false;
	if (pipeline->below_excess < detector->floor)
		recover(detector, pipeline, pipeline->below_step, SHORT_STEPS);
	else
		accuse(detector, pipeline, pipeline->verdict.since_step, pipeline->below_excess, pipeline->n_below);
	return true;
}

/* Follows the degree; true where another one is told, or none any more. */
static bool
follow_degree(struct perseus__detector *detector, struct perseus__detected *pipeline, int64_t step)
{
	const double off = pipeline->excess - pipeline->log_degree;
	if (is_off_again(pipeline, off, step, MIN_CLEAR)) {
		pipeline->log_degree += pipeline->off_mean;
		pipeline->n_degree = pipeline->n_off_mean;
		pipeline->n_off = 0;
		pipeline->level = detector->healthy + pipeline->log_degree;
	} else if (pipeline->n_off == 0) {
		pipeline->n_degree = fmin(pipeline->n_degree + 1, DEGREE_STEPS);
		pipeline->log_degree += off / pipeline->n_degree;
	}
	if (pipeline->log_degree < detector->floor / 2) {
		/* A mean takes some steps to fade. */
		recover(detector, pipeline, step, SHORT_STEPS + (int64_t)DEGREE_STEPS);
		return true;
	}
	const double n = pipeline->n_degree < DEGREE_STEPS ? pipeline->n_degree : 2 * DEGREE_STEPS;
	const double error = perseus__detector_noise_of(detector, pipeline) / sqrt(n);
	const double least = fmax(log1p(detector->settings.degree_step), DEGREE_ERRORS * error);
	if (fabs(pipeline->log_degree - log(pipeline->verdict.degree)) < least)
		return false;
	tell(pipeline);
	return true;
}

/* True where the verdict changed. */
static bool
judge(struct perseus__detector *detector, struct perseus__detected *pipeline, int64_t step)
{
	if (!pipeline->verdict.is_straggler)
		return judge_healthy(detector, pipeline, step);
	return has_recovered(detector, pipeline, step) || follow_degree(detector, pipeline, step);
}

/* Where all straggle none does: the least of their degrees is the new rule. */
static bool
excuse_all(struct perseus__detector *detector, int64_t step)
{
	double least = INFINITY;
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		const struct perseus__detected *pipeline = &detector->pipelines[p];
		if (pipeline->n_seen > 0 && !pipeline->verdict.is_straggler)
			return false;
		if (pipeline->n_seen > 0)
			least = fmin(least, pipeline->log_degree);
	}
	detector->healthy += least;
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		struct perseus__detected *pipeline = &detector->pipelines[p];
		if (pipeline->n_seen == 0)
			continue;
		pipeline->log_degree -= least;
		if (pipeline->log_degree < detector->floor / 2)
			acquit(detector, pipeline, step);
		else
			tell(pipeline);
	}
	return true;
}

/* What counts against a pipeline, and the unit that it is judged in. */
static void
measure(const struct perseus__detector *detector, struct perseus__detected *pipeline,
		const struct perseus__common *common)
{
	const double noise = perseus__detector_noise_of(detector, pipeline);
	pipeline->excess = pipeline->x - common->believed - detector->healthy;
	pipeline->likely_excess = pipeline->x - common->likely - detector->healthy;
	pipeline->unit = fmax(sqrt(noise * noise + common->variance), detector->floor / PERSEUS__CLEAR_NOISES);
}

bool
perseus__detector_step(struct perseus__detector *detector, int64_t step, const double *time_s, const double *expected_s)
{
	/* Alone there is nobody to wait, and nobody to compare with. */
	if (perseus__detector_take(detector, time_s, expected_s) < 2)
		return false;
	const struct perseus__common common = perseus__detector_find_common(detector);
	perseus__detector_find_healthy(detector);
	if (detector->patience > 0)
		detector->patience--;
	else
		detector->n_clear = MIN_CLEAR;
	bool has_changed = false;
	for (int32_t p = 0; p < detector->n_pipelines; p++) {
		struct perseus__detected *pipeline = &detector->pipelines[p];
		if (!pipeline->has_time || pipeline->n_seen < detector->settings.n_warmup || pipeline->n_seen == 0)
			continue;
		measure(detector, pipeline, &common);
		has_changed = judge(detector, pipeline, step) || has_changed;
	}
	perseus__detector_learn(detector, &common);
	if (has_changed)
		has_changed = excuse_all(detector, step) || has_changed;
	return has_changed;
}
