/* How long a change of the clock takes. */
#include "client/latency.h"

/* "set takes about 10 ms" (Perseus, SOSP'24, footnote 3); nothing slower than this has been seen on any GPU. */
#define UNKNOWN_HIGH_NS INT64_C(50000000)
#define READ_NS INT64_C(1000000)
#define PATIENCE_NS INT64_C(500000000)
/* Between two looks, the last that saw the old clock and the first that saw the new one. */
#define MAX_GAP_NS INT64_C(6000000)
/* Every change until so many were measured, then one of so many. */
enum { FIRST = 8, EVERY = 64, MAX_FAILED = 4 };
/* A capped GPU does not reach its clock: it has changed where it went most of the way. */
static const double most = 0.8;

struct perseus__latency
perseus__latency_init(void)
{
	return (struct perseus__latency){.n_measured = 0};
}

int64_t
perseus__latency_low_ns(const struct perseus__latency *latency)
{
	return latency->n_measured > 0 ? latency->low_ns : 0;
}

int64_t
perseus__latency_high_ns(const struct perseus__latency *latency)
{
	return latency->n_measured > 0 ? latency->high_ns : UNKNOWN_HIGH_NS;
}

int64_t
perseus__latency_mean_ns(const struct perseus__latency *latency)
{
	return (int64_t)latency->mean_ns;
}

void
perseus__latency_begin(struct perseus__latency *latency, int64_t now_ns, int32_t mhz)
{
	latency->is_measuring = false;
	latency->n_changes++;
	if (mhz == 0 || latency->n_failed >= MAX_FAILED)
		return;
	if (latency->n_measured >= FIRST && latency->n_changes % EVERY != 0)
		return;
	latency->is_measuring = true;
	latency->asked_ns = latency->last_old_ns = latency->due_ns = now_ns;
	latency->from_mhz = -1;
	latency->to_mhz = mhz;
}

void
perseus__latency_cancel(struct perseus__latency *latency)
{
	latency->is_measuring = false;
}

int64_t
perseus__latency_due_ns(const struct perseus__latency *latency)
{
	return latency->is_measuring ? latency->due_ns : INT64_MAX;
}

static void
note(struct perseus__latency *latency, int64_t low_ns, int64_t high_ns)
{
	const double middle_ns = (double)(low_ns + high_ns) / 2;
	latency->low_ns = latency->n_measured == 0 || low_ns < latency->low_ns ? low_ns : latency->low_ns;
	latency->high_ns = high_ns > latency->high_ns ? high_ns : latency->high_ns;
	latency->n_measured++;
	latency->n_failed = 0;
	latency->mean_ns += (middle_ns - latency->mean_ns) / latency->n_measured;
}

bool
perseus__latency_read(struct perseus__latency *latency, int64_t before_ns, int64_t after_ns, int32_t mhz)
{
	if (!latency->is_measuring)
		return false;
	latency->due_ns = after_ns + READ_NS;
	if (before_ns - latency->asked_ns > PATIENCE_NS) {
		latency->n_failed++;
		latency->is_measuring = false;
		return false;
	}
	if (mhz <= 0)
		return false;
	if (latency->from_mhz < 0) {
		latency->from_mhz = mhz;
		latency->is_measuring = mhz != latency->to_mhz; /* else there is nothing to see */
		return false;
	}
	const double way = (double)(mhz - latency->from_mhz) / (double)(latency->to_mhz - latency->from_mhz);
	if (way < most) {
		latency->last_old_ns = before_ns;
		return false;
	}
	latency->is_measuring = false;
	if (after_ns - latency->last_old_ns > MAX_GAP_NS)
		return false;
	note(latency, latency->last_old_ns - latency->asked_ns, after_ns - latency->asked_ns);
	return true;
}
