/*
 * Where a paced job ends, and the price of an iteration there.
 *
 * With the end in slot k, held for a time d of its duration, the grams are jointly convex in d and in the work of every
 * slot, so their optimum is that of the dual: the most, over a price, of
 *
 *     q_k(price) = price · iterations + sum_{h<k} duration_h · phi_h(price) + duration_k · min(0, phi_k(price)),
 *     phi_h(price) = reservation + min over rates of (weight_h · power - price · rate),
 *
 * concave and piecewise linear in the price, with the iterations left undone as its slope (Boyd and Vandenberghe,
 * Convex Optimization, 2004, section 5.1). One sweep over the slots at one price gives q_k for every k. Every end keeps
 * a bracket of the two prices that enclose its best; the end whose bound is the least is refined until it is exact, and
 * then no other end can be better.
 */
#include "base/error.h"
#include "base/memory.h"
#include "fleet/pace_internal.h"

#include <math.h>

/* A bracket whose two tangents meet this little above the best bound is closed, relative: rounding is coarser. */
static const double CLOSED = 1e-13;

struct bracket {
	struct perseus__pace_side low;
	struct perseus__pace_side high;
	double bound;       /* the largest q_k of any price so far */
	int32_t best_price; /* index of that price */
};

struct search {
	const struct perseus__pacing *pacing;
	struct bracket *brackets; /* length last_end - first_end + 1 */
	int32_t n;
	double *prices; /* of every sweep */
	size_t n_prices;
	size_t cap_prices;
};

double
perseus__pace_share(const struct perseus__pace_side *low, const struct perseus__pace_side *high)
{
	const double span = low->missing - high->missing;
	return span > 0 ? fmin(fmax(-high->missing / span, 0), 1) : 1;
}

static bool
is_worth_holding(const struct perseus__pace_answer *answer, double price)
{
	return answer->grams - price * answer->n_iterations < 0;
}

struct perseus__pace_answer
perseus__pacing_answer(const struct perseus__pacing *pacing, int32_t index, double price, bool is_end)
{
	const double weight = pacing->weight[index], duration_s = pacing->problem->slots[index].duration_s;
	const struct perseus_operating_point *point = perseus__pacing_best(pacing, weight, price);
	const struct perseus__pace_answer answer = {
		.held_s = duration_s,
		.n_iterations = duration_s * point->rate_hz,
		.grams = duration_s * (weight * point->power_w + pacing->reservation_per_s),
	};
	return !is_end || is_worth_holding(&answer, price) ? answer : (struct perseus__pace_answer){0};
}

static void
take_side(struct bracket *bracket, const struct perseus__pace_side *side, double bound, int32_t price_index)
{
	if (side->missing >= 0 && side->price > bracket->low.price)
		bracket->low = *side;
	else if (side->missing <= 0 && side->price < bracket->high.price)
		bracket->high = *side;
	if (bound > bracket->bound) {
		bracket->bound = bound;
		bracket->best_price = price_index;
	}
}

/* What the answers of all slots to a price come to, whichever of the ends is taken. */
static enum perseus_status
sweep(struct search *search, double price, struct perseus_error *err)
{
	const struct perseus__pacing *pacing = search->pacing;
	if (!perseus__reserve(&search->prices, &search->cap_prices, search->n_prices + 1, sizeof *search->prices))
		return perseus__no_memory(err);
	const int32_t index = (int32_t)search->n_prices;
	search->prices[search->n_prices++] = price;
	double grams = 0, missing = pacing->n_iterations;
	for (int32_t h = 0; h <= pacing->last_end; h++) {
		const struct perseus__pace_answer whole = perseus__pacing_answer(pacing, h, price, false);
		if (h >= pacing->first_end) {
			const bool is_used = is_worth_holding(&whole, price);
			const struct perseus__pace_side side = {
				.price = price,
				.grams = is_used ? grams + whole.grams : grams,
				.missing = is_used ? missing - whole.n_iterations : missing,
			};
			take_side(&search->brackets[h - pacing->first_end], &side, side.grams + price * side.missing, index);
		}
		grams += whole.grams;
		missing -= whole.n_iterations;
	}
	return PERSEUS_OK;
}

/* Prices below and above all at which a slot changes its mind. */
static void
price_range(const struct perseus__pacing *pacing, double *low, double *high)
{
	*low = 0;
	*high = 0;
	for (int32_t h = 0; h <= pacing->last_end; h++) {
		const double weight = pacing->weight[h];
		const struct perseus__pace_hull *hull = perseus__pacing_hull(pacing, weight);
		const int32_t last = hull->n - 1;
		if (last > 0) {
			*low = fmin(*low, weight * hull->slope_j[0]);
			*high = fmax(*high, weight * hull->slope_j[last - 1]);
		}
		for (int32_t i = 0; i <= last; i += last > 0 ? last : 1) { /* both ends: where holding the slot is worth it */
			if (hull->points[i].rate_hz == 0)
				continue;
			const double even =
					(weight * hull->points[i].power_w + pacing->reservation_per_s) / hull->points[i].rate_hz;
			*low = fmin(*low, even);
			*high = fmax(*high, even);
		}
	}
	const double margin = fmax(*high - *low, fmax(fabs(*low), fabs(*high)));
	*low -= margin > 0 ? margin : 1;
	*high += margin > 0 ? margin : 1;
}

/* Opens the brackets: rounding must not leave one without a side. */
static enum perseus_status
open_brackets(struct search *search, struct perseus_error *err)
{
	double low, high;
	price_range(search->pacing, &low, &high);
	for (int32_t i = 0; i < search->n; i++) {
		search->brackets[i].low.price = -INFINITY;
		search->brackets[i].high.price = INFINITY;
		search->brackets[i].bound = -INFINITY;
	}
	enum perseus_status status = sweep(search, low, err);
	for (int32_t i = 0; status == PERSEUS_OK && i < search->n; i++)
		if (search->brackets[i].low.price < low) {
			search->brackets[i].low = search->brackets[i].high;
			search->brackets[i].high.price = INFINITY;
		}
	if (status == PERSEUS_OK)
		status = sweep(search, high, err);
	for (int32_t i = 0; status == PERSEUS_OK && i < search->n; i++)
		if (search->brackets[i].high.price > high)
			search->brackets[i].high = search->brackets[i].low;
	return status;
}

static struct bracket *
least(const struct search *search)
{
	struct bracket *found = &search->brackets[0];
	for (int32_t i = 1; i < search->n; i++)
		if (search->brackets[i].bound < found->bound)
			found = &search->brackets[i];
	return found;
}

/*
 * The next price to try within a bracket; false where it is closed. By turns where the line through both slopes is
 * zero, which is quick where q_k is smooth, and where both tangents meet, which is exact where few pieces are left.
 */
static bool
next_price(const struct bracket *bracket, bool by_tangents, double *price)
{
	const struct perseus__pace_side *low = &bracket->low, *high = &bracket->high;
	const double share = perseus__pace_share(low, high);
	const double meeting = share * low->grams + (1 - share) * high->grams; /* grams where the tangents meet */
	const double rounding = CLOSED * (fabs(low->grams) + fabs(high->grams));
	if (meeting - bracket->bound <= rounding || !(low->price < high->price))
		return false;
	if (by_tangents)
		*price = (high->grams - low->grams) / (low->missing - high->missing);
	else
		*price = share * low->price + (1 - share) * high->price;
	if (!(*price > low->price && *price < high->price))
		*price = low->price + (high->price - low->price) / 2;
	return *price > low->price && *price < high->price;
}

/* Keeps the prices that are the best of some end, ascending (insertion sort: they are few). */
static int32_t
keep_prices(const struct search *search, bool *is_kept, double *kept)
{
	int32_t n = 0;
	for (int32_t i = 0; i < search->n; i++)
		is_kept[search->brackets[i].best_price] = true;
	for (size_t i = 0; i < search->n_prices; i++) {
		if (!is_kept[i])
			continue;
		int32_t at = n++;
		for (; at > 0 && kept[at - 1] > search->prices[i]; at--)
			kept[at] = kept[at - 1];
		kept[at] = search->prices[i];
	}
	return n;
}

static enum perseus_status
finish(const struct search *search, const struct bracket *bracket, struct perseus__pace_optimum *out,
		struct perseus_error *err)
{
	double *kept = perseus__new_array(search->n_prices, sizeof *kept);
	bool *is_kept = perseus__new_array(search->n_prices, sizeof *is_kept);
	if (!kept || !is_kept) {
		perseus__free(kept);
		perseus__free(is_kept);
		return perseus__no_memory(err);
	}
	*out = (struct perseus__pace_optimum){
		.end = search->pacing->first_end + (int32_t)(bracket - search->brackets),
		.low = bracket->low,
		.high = bracket->high,
		.price = search->prices[bracket->best_price],
		.lower_bound = bracket->bound,
		.prices = kept,
		.n_prices = keep_prices(search, is_kept, kept),
	};
	perseus__free(is_kept);
	return PERSEUS_OK;
}

enum perseus_status
perseus__pace_search(const struct perseus__pacing *pacing, struct perseus__pace_optimum *out, struct perseus_error *err)
{
	struct search search = {.pacing = pacing, .n = pacing->last_end - pacing->first_end + 1};
	search.brackets = perseus__new_array((size_t)search.n, sizeof *search.brackets);
	enum perseus_status status = search.brackets ? open_brackets(&search, err) : perseus__no_memory(err);
	const struct bracket *bracket = search.brackets;
	double price;
	while (status == PERSEUS_OK) {
		bracket = least(&search);
		if (!next_price(bracket, search.n_prices % 2 == 1, &price))
			break;
		status = sweep(&search, price, err);
	}
	if (status == PERSEUS_OK)
		status = finish(&search, bracket, out, err);
	perseus__free(search.brackets);
	perseus__free(search.prices);
	return status;
}
