/* What the documents about a paced job share. */
#include "format/pace_document.h"

#include "base/units.h"

#include <math.h>

int64_t
perseus__pace_n_gpus(const struct perseus__pace_document *document)
{
	return (int64_t)document->schedule->n_ranks * document->gpus_per_stage * document->n_pipelines;
}

int64_t
perseus__pace_slot_ms(const struct perseus__pace_document *document, int32_t index)
{
	double before_s = 0;
	for (int32_t i = 0; i < index; i++)
		before_s += document->problem->slots[i].duration_s;
	return document->begin_ms + llround(before_s * 1e3);
}

int64_t
perseus__pace_end_ms(const struct perseus__pace_document *document, const struct perseus_pace_course *course)
{
	return document->begin_ms + llround(course->held_s * 1e3);
}

double
perseus__pace_total_grams(const struct perseus_pace_course *course)
{
	return course->grams + course->reservation_grams;
}

double
perseus__pace_paused_s(const struct perseus_paced_slot *slot)
{
	double paused_s = 0;
	for (int32_t i = 0; i < slot->n_modes; i++)
		if (slot->modes[i].rate_hz == 0)
			paused_s += slot->modes[i].time_s;
	return paused_s;
}

bool
perseus__pace_iteration_s(const struct perseus_paced_slot *slot, double *iteration_s)
{
	if (!(slot->n_iterations > 0))
		return false;
	*iteration_s = (slot->held_s - perseus__pace_paused_s(slot)) / slot->n_iterations;
	return true;
}

int64_t
perseus__pace_plan_ns(const struct perseus__pace_document *document, double rate_hz)
{
	return perseus__pace_ns(1 / rate_hz - document->overhead_s);
}

int64_t
perseus__pace_ns(double time_s)
{
	return llround(time_s * 1e9);
}

bool
perseus__pace_one_rate(const struct perseus_paced_slot *slot, double *rate_hz)
{
	int n = 0;
	for (int32_t i = 0; i < slot->n_modes; i++) {
		if (slot->modes[i].rate_hz == 0)
			continue;
		*rate_hz = slot->modes[i].rate_hz;
		n++;
	}
	return n == 1;
}

double
perseus__pace_kg_of(const struct perseus__pace_document *document, double grams_per_gpu_h)
{
	return grams_per_gpu_h * document->lifetime_years * PERSEUS__H_PER_YEAR / PERSEUS__G_PER_KG;
}

double
perseus__pace_grams_per_gpu_h(double kg, double lifetime_years)
{
	return kg * PERSEUS__G_PER_KG / (lifetime_years * PERSEUS__H_PER_YEAR);
}
