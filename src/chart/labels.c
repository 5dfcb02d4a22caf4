/*
 * Label placement: every label takes the cheapest of some places around its point. Costs count what it would cover,
 * then how far it stands off.
 */
#include "chart/labels.h"

#include <math.h>

static const double POINT_RADIUS = 10; /* of a mark, with air around it */
static const double LABEL_AIR = 3;
static const double distances[] = {16, 28, 45, 70, 100, 140, 190, 250};
enum { N_DISTANCES = sizeof distances / sizeof *distances, N_DIRECTIONS = 16 };

/* In order of weight; the sum of all that are lighter stays below the next but for crowds of labels. */
static const double COST_OUTSIDE = 1e9;
static const double COST_OVER_LABEL = 1e5;
static const double COST_OVER_POINT = 1e4;
static const double COST_LEADER_OVER_LABEL = 4e3;
static const double COST_OVER_LINE = 1e3;
static const double COST_LEADER_OVER_POINT = 5e2;

bool
perseus__rects_overlap(struct perseus__rect a, struct perseus__rect b)
{
	return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

static struct perseus__rect
grown(struct perseus__rect rect, double by)
{
	return (struct perseus__rect){rect.x - by, rect.y - by, rect.width + 2 * by, rect.height + 2 * by};
}

/* Narrows [*enter, *leave] to where low <= at + t · step <= high. */
static void
clip(double at, double step, double low, double high, double *enter, double *leave)
{
	if (step == 0) {
		if (at < low || at > high)
			*leave = -1;
		return;
	}
	const double t0 = (low - at) / step;
	const double t1 = (high - at) / step;
	*enter = fmax(*enter, fmin(t0, t1));
	*leave = fmin(*leave, fmax(t0, t1));
}

/* Liang and Barsky 1984. */
static bool
segment_meets(struct perseus__point a, struct perseus__point b, struct perseus__rect rect)
{
	double enter = 0;
	double leave = 1;
	clip(a.x, b.x - a.x, rect.x, rect.x + rect.width, &enter, &leave);
	clip(a.y, b.y - a.y, rect.y, rect.y + rect.height, &enter, &leave);
	return enter <= leave;
}

struct perseus__point
perseus__label_foot(const struct perseus__label *label)
{
	const struct perseus__rect *rect = &label->rect;
	return (struct perseus__point){
		fmin(fmax(label->point.x, rect->x), rect->x + rect->width),
		fmin(fmax(label->point.y, rect->y), rect->y + rect->height),
	};
}

static bool
is_inside(struct perseus__rect rect, struct perseus__rect plot)
{
	return rect.x >= plot.x && rect.y >= plot.y && rect.x + rect.width <= plot.x + plot.width
			&& rect.y + rect.height <= plot.y + plot.height;
}

static bool
line_meets(const struct perseus__line *line, struct perseus__rect rect)
{
	for (int32_t i = 0; i + 1 < line->n; i++)
		if (segment_meets(line->points[i], line->points[i + 1], rect))
			return true;
	return false;
}

/* Cost of label `index` where it stands now; labels before it are placed. */
static double
cost_of(const struct perseus__label *labels, int32_t n, int32_t index, const struct perseus__line *lines,
		int32_t n_lines, struct perseus__rect plot)
{
	const struct perseus__label *label = &labels[index];
	const struct perseus__rect rect = grown(label->rect, LABEL_AIR);
	const struct perseus__point foot = perseus__label_foot(label);
	double cost = is_inside(label->rect, plot) ? 0 : COST_OUTSIDE;
	for (int32_t i = 0; i < n; i++) {
		const struct perseus__rect dot =
				grown((struct perseus__rect){labels[i].point.x, labels[i].point.y, 0, 0}, POINT_RADIUS);
		if (perseus__rects_overlap(rect, dot))
			cost += COST_OVER_POINT;
		if (i != index && segment_meets(label->point, foot, grown(dot, -3)))
			cost += COST_LEADER_OVER_POINT;
		if (i >= index)
			continue;
		if (perseus__rects_overlap(rect, labels[i].rect))
			cost += COST_OVER_LABEL;
		if (segment_meets(label->point, foot, labels[i].rect))
			cost += COST_LEADER_OVER_LABEL;
		if (segment_meets(labels[i].point, perseus__label_foot(&labels[i]), rect))
			cost += COST_LEADER_OVER_LABEL;
	}
	for (int32_t i = 0; i < n_lines; i++)
		cost += line_meets(&lines[i], rect) ? COST_OVER_LINE : 0;
	return cost;
}

/* Moves a label so that its edge is `distance` from its point in `direction`, 0 .. N_DIRECTIONS-1. */
static void
stand(struct perseus__label *label, int direction, double distance)
{
	const double angle = direction * (2 * 3.14159265358979 / (double)N_DIRECTIONS);
	const double dx = cos(angle);
	const double dy = sin(angle);
	const double width = label->rect.width;
	const double height = label->rect.height;
	/* The centre of the rectangle slides along an ellipse-like frame around the point. */
	label->rect.x = label->point.x + dx * distance + (dx > 0.3 ? 0 : dx < -0.3 ? -width : -width / 2);
	label->rect.y = label->point.y + dy * distance + (dy > 0.3 ? 0 : dy < -0.3 ? -height : -height / 2);
}

static bool
is_left_of_point(const struct perseus__label *label)
{
	return label->rect.x + label->rect.width / 2 < label->point.x;
}

static void
place_one(struct perseus__label *labels, int32_t n, int32_t index, const struct perseus__line *lines, int32_t n_lines,
		struct perseus__rect plot)
{
	double best = INFINITY;
	struct perseus__rect best_rect = labels[index].rect;
	for (int k = 0; k < N_DISTANCES; k++)
		for (int direction = 0; direction < N_DIRECTIONS; direction++) {
			stand(&labels[index], direction, distances[k]);
			/* Left of its mark a label reads less well. */
			const double cost = distances[k] + (is_left_of_point(&labels[index]) ? 8 : 0)
					+ cost_of(labels, n, index, lines, n_lines, plot);
			if (cost < best) {
				best = cost;
				best_rect = labels[index].rect;
			}
		}
	labels[index].rect = best_rect;
}

void
perseus__labels_place(struct perseus__label *labels, int32_t n, const struct perseus__line *lines, int32_t n_lines,
		struct perseus__rect plot)
{
	for (int32_t i = 0; i < n; i++)
		place_one(labels, n, i, lines, n_lines, plot);
}
