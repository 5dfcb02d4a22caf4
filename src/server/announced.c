/* Announced stragglers. */
#include "server/announced.h"

#include "base/error.h"
#include "base/memory.h"

enum { MAX_ANNOUNCEMENTS = 4096 };

void
perseus__announced_fini(struct perseus__announced *announced)
{
	perseus__free(announced->items);
	*announced = (struct perseus__announced){0};
}

static enum perseus_status
check(const struct perseus__announcement *announcement, int32_t n_pipelines, struct perseus_error *err)
{
	if (announcement->pipeline < 0 || announcement->pipeline >= n_pipelines)
		return perseus__fail(err, PERSEUS_INVALID, "pipeline: %d is not between 0 and %d", (int)announcement->pipeline,
				(int)n_pipelines - 1);
	if (!(announcement->degree >= 1) || announcement->degree > PERSEUS__MAX_DEGREE)
		return perseus__fail(
				err, PERSEUS_INVALID, "degree: %g is not between 1 and %g", announcement->degree, PERSEUS__MAX_DEGREE);
	return PERSEUS_OK;
}

bool
perseus__announced_has_room(const struct perseus__announced *announced)
{
	return announced->n < MAX_ANNOUNCEMENTS;
}

enum perseus_status
perseus__announced_add(struct perseus__announced *announced, struct perseus__announcement announcement,
		int32_t n_pipelines, struct perseus_error *err)
{
	const enum perseus_status status = check(&announcement, n_pipelines, err);
	if (status != PERSEUS_OK)
		return status;
	if (!perseus__reserve(&announced->items, &announced->capacity, (size_t)announced->n + 1, sizeof *announced->items))
		return perseus__no_memory(err);
	int32_t n = 0;
	for (int32_t k = 0; k < announced->n; k++) {
		const struct perseus__announcement item = announced->items[k];
		if (item.pipeline != announcement.pipeline || item.from_ms < announcement.from_ms)
			announced->items[n++] = item;
	}
	int32_t at = n;
	for (; at > 0 && announced->items[at - 1].from_ms > announcement.from_ms; at--)
		announced->items[at] = announced->items[at - 1];
	announced->items[at] = announcement;
	announced->n = n + 1;
	return PERSEUS_OK;
}

double
perseus__announced_degree(const struct perseus__announced *announced, int32_t pipeline, int64_t now_ms)
{
	double degree = 1;
	for (int32_t k = 0; k < announced->n && announced->items[k].from_ms <= now_ms; k++)
		if (announced->items[k].pipeline == pipeline)
			degree = announced->items[k].degree;
	return degree;
}

int64_t
perseus__announced_next_ms(const struct perseus__announced *announced, int64_t now_ms)
{
	for (int32_t k = 0; k < announced->n; k++)
		if (announced->items[k].from_ms > now_ms)
			return announced->items[k].from_ms;
	return INT64_MAX;
}

/* Whether a later announcement of the same pipeline holds already. */
static bool
is_overtaken(const struct perseus__announced *announced, int32_t k, int64_t now_ms)
{
	for (int32_t j = k + 1; j < announced->n && announced->items[j].from_ms <= now_ms; j++)
		if (announced->items[j].pipeline == announced->items[k].pipeline)
			return true;
	return false;
}

void
perseus__announced_trim(struct perseus__announced *announced, int64_t now_ms)
{
	int32_t n = 0;
	for (int32_t k = 0; k < announced->n; k++) {
		const struct perseus__announcement item = announced->items[k];
		const bool is_past = item.from_ms <= now_ms && (item.degree == 1 || is_overtaken(announced, k, now_ms));
		if (!is_past)
			announced->items[n++] = item;
	}
	announced->n = n;
}
