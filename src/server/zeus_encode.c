/* Encodes the bodies of Zeus's routes in Python's style, and frees what was decoded. */
#include "server/zeus_json.h"

#include "base/memory.h"
#include "server/zeus_python.h"

#include <string.h>

static void
add(struct perseus__text *text, const char *string)
{
	perseus__text_add(text, string, strlen(string));
}

void
perseus__zeus_encode_job(struct perseus__text *text, const struct perseus__zeus_job_info *info)
{
	perseus__text_addf(text,
			"{\"pp_degree\": %d, \"dp_degree\": %d, \"tp_degree\": %d, \"world_size\": %d, \"job_metadata\": ",
			info->pp_degree, info->dp_degree, info->tp_degree, info->world_size);
	if (info->metadata)
		perseus__python_add_string(text, info->metadata);
	else
		add(text, "null");
	add(text, "}");
}

void
perseus__zeus_encode_rank(struct perseus__text *text, const struct perseus__zeus_rank_info *info)
{
	perseus__text_addf(text,
			"{\"rank\": %d, \"dp_rank\": %d, \"pp_rank\": %d, \"tp_rank\": %d, \"available_frequencies\": [",
			info->rank, info->dp_rank, info->pp_rank, info->tp_rank);
	for (size_t i = 0; i < info->n_frequencies; i++)
		perseus__text_addf(text, "%s%lld", i ? ", " : "", (long long)info->frequencies_mhz[i]);
	add(text, "]}");
}

static void
add_series(struct perseus__text *text, const struct perseus__zeus_series *series)
{
	perseus__python_add_string(text, series->name);
	add(text, ": [");
	for (size_t i = 0; i < series->n_iterations; i++) {
		add(text, i ? ", " : "");
		perseus__python_add_doubles(text, series->iterations[i].values, series->iterations[i].n);
	}
	add(text, "]");
}

static void
add_breakdown(struct perseus__text *text, const char *name, const struct perseus__zeus_breakdown *breakdown)
{
	perseus__text_addf(text, ", \"%s\": {", name);
	for (size_t i = 0; i < breakdown->n; i++) {
		add(text, i ? ", " : "");
		add_series(text, &breakdown->series[i]);
	}
	add(text, "}");
}

void
perseus__zeus_encode_result(struct perseus__text *text, const struct perseus__zeus_result *result)
{
	perseus__text_addf(text, "{\"rank\": %d, \"iter_time\": ", result->rank);
	perseus__python_add_doubles(text, result->iter_time_s.values, result->iter_time_s.n);
	add(text, ", \"iter_energy\": ");
	perseus__python_add_doubles(text, result->iter_energy_j.values, result->iter_energy_j.n);
	add_breakdown(text, "time_breakdown", &result->time_s);
	add_breakdown(text, "energy_breakdown", &result->energy_j);
	add(text, "}");
}

void
perseus__zeus_job_info_fini(struct perseus__zeus_job_info *info)
{
	perseus__free(info->metadata);
	*info = (struct perseus__zeus_job_info){0};
}

void
perseus__zeus_rank_info_fini(struct perseus__zeus_rank_info *info)
{
	perseus__free(info->frequencies_mhz);
	*info = (struct perseus__zeus_rank_info){0};
}

void
perseus__zeus_list_fini(struct perseus__zeus_list *list)
{
	perseus__free(list->values);
	*list = (struct perseus__zeus_list){0};
}

void
perseus__zeus_breakdown_fini(struct perseus__zeus_breakdown *breakdown)
{
	for (size_t i = 0; i < breakdown->n; i++) {
		struct perseus__zeus_series *series = &breakdown->series[i];
		for (size_t k = 0; k < series->n_iterations; k++)
			perseus__zeus_list_fini(&series->iterations[k]);
		perseus__free(series->iterations);
		perseus__free(series->name);
	}
	perseus__free(breakdown->series);
	*breakdown = (struct perseus__zeus_breakdown){0};
}

void
perseus__zeus_result_fini(struct perseus__zeus_result *result)
{
	perseus__zeus_list_fini(&result->iter_time_s);
	perseus__zeus_list_fini(&result->iter_energy_j);
	perseus__zeus_breakdown_fini(&result->time_s);
	perseus__zeus_breakdown_fini(&result->energy_j);
}
