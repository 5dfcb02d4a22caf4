/* The partition document as JSON. */
#include "format/partition_json.h"

#include "format/json_writer.h"
#include "format/plan_json.h"

static double
share_saved(int64_t from_nj, int64_t to_nj)
{
	return from_nj == 0 ? 0 : 1 - (double)to_nj / (double)from_nj;
}

struct perseus__partition_worth
perseus__partition_worth(const struct perseus__partition_document *document)
{
	const struct perseus__partition_row *of = &document->rows[document->written];
	const struct perseus__partition_row *against = &document->rows[document->reference];
	if (!document->has_energy || !of->keeps_deadline || !against->keeps_deadline)
		return (struct perseus__partition_worth){.is_known = false};
	const int64_t from_nj = against->deadline_baseline_nj;
	return (struct perseus__partition_worth){
		.is_known = true,
		.partition = share_saved(from_nj, of->deadline_baseline_nj),
		.clocks = share_saved(from_nj, against->deadline_energy_nj),
		.both = share_saved(from_nj, of->deadline_energy_nj),
	};
}

static void
write_worth(struct perseus__json *json, const struct perseus__partition_document *document)
{
	const struct perseus__partition_worth worth = perseus__partition_worth(document);
	if (!worth.is_known) {
		perseus__json_null(json, "worth");
		return;
	}
	perseus__json_open_object(json, "worth", true);
	perseus__json_string(
			json, "of", perseus_partition_objective_name(document->rows[document->written].partition->objective));
	perseus__json_string(json, "against",
			perseus_partition_objective_name(document->rows[document->reference].partition->objective));
	perseus__json_number(json, "partition", worth.partition);
	perseus__json_number(json, "clocks", worth.clocks);
	perseus__json_number(json, "both", worth.both);
	perseus__json_close_object(json);
}

static void
write_times(struct perseus__json *json, const char *key, const int64_t *times_ns, int32_t n)
{
	perseus__json_open_array(json, key, true);
	for (int32_t s = 0; s < n; s++)
		perseus__json_nano(json, NULL, times_ns[s]);
	perseus__json_close_array(json);
}

static void
write_partition(struct perseus__json *json, const struct perseus_partition *partition)
{
	perseus__json_string(json, "objective", perseus_partition_objective_name(partition->objective));
	perseus__json_open_array(json, "boundaries", true);
	for (int32_t s = 0; s <= partition->n_stages; s++)
		perseus__json_integer(json, NULL, partition->boundaries[s]);
	perseus__json_close_array(json);
	perseus__json_number(json, "imbalance", partition->imbalance);
	perseus__json_nano(json, "bottleneck_s", partition->bottleneck_ns);
	write_times(json, "forward_s", partition->forward_ns, partition->n_stages);
	write_times(json, "cycle_s", partition->cycle_ns, partition->n_stages);
	if (partition->limit_ns > 0)
		perseus__json_nano(json, "limit_s", partition->limit_ns);
	else
		perseus__json_null(json, "limit_s");
	if (partition->has_effective)
		perseus__json_nano(json, "effective_energy_j", partition->effective_nj);
	else
		perseus__json_null(json, "effective_energy_j");
}

/* An energy of the whole job; null where none was measured. */
static void
write_energy(struct perseus__json *json, const char *key, const struct perseus__partition_document *document,
		int64_t energy_nj)
{
	if (document->has_energy)
		perseus__json_number(
				json, key, (double)energy_nj * document->gpus_per_stage * (double)document->n_pipelines / 1e9);
	else
		perseus__json_null(json, key);
}

static void
write_saving(
		struct perseus__json *json, const struct perseus__partition_document *document, int64_t from_nj, int64_t to_nj)
{
	if (document->has_energy)
		perseus__json_number(json, "saving", share_saved(from_nj, to_nj));
	else
		perseus__json_null(json, "saving");
}

static void
write_row(struct perseus__json *json, const struct perseus__partition_document *document,
		const struct perseus__partition_row *row)
{
	perseus__json_open_object(json, NULL, false);
	write_partition(json, row->partition);
	perseus__json_nano(json, "iteration_time_s", row->iteration_ns);
	perseus__json_open_object(json, "baseline", true);
	perseus__json_nano(json, "iteration_time_s", row->baseline.iteration_time_ns);
	write_energy(json, "energy_j", document, row->baseline.energy_nj);
	perseus__json_close_object(json);
	write_energy(json, "energy_j", document, row->energy_nj);
	write_saving(json, document, row->baseline.energy_nj, row->energy_nj);
	if (row->keeps_deadline) {
		perseus__json_open_object(json, "at_deadline", true);
		write_energy(json, "baseline_energy_j", document, row->deadline_baseline_nj);
		write_energy(json, "energy_j", document, row->deadline_energy_nj);
		write_saving(json, document, row->deadline_baseline_nj, row->deadline_energy_nj);
		perseus__json_close_object(json);
	} else {
		perseus__json_null(json, "at_deadline");
	}
	perseus__json_close_object(json);
}

void
perseus__partition_json(struct perseus__text *text, const struct perseus__partition_document *document)
{
	struct perseus__json json = perseus__json_init(text);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_job(&json, document->schedule, document->gpus_per_stage, document->n_pipelines);
	perseus__json_integer(&json, "layers", document->n_layers);
	perseus__json_nano(&json, "deadline_s", document->deadline_ns);
	perseus__json_string(
			&json, "written", perseus_partition_objective_name(document->rows[document->written].partition->objective));
	write_worth(&json, document);
	perseus__json_open_array(&json, "partitions", false);
	for (int32_t i = 0; i < document->n_rows; i++)
		write_row(&json, document, &document->rows[i]);
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}
