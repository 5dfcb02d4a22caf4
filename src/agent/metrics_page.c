/* GET /metrics. A value that cannot be read is left out: a sample is a measurement. */
#include "agent/handlers.h"

#include "agent/leases.h"
#include "agent/selection.h"
#include "service/metrics.h"

#include <perseus/version.h>

#include <string.h>

enum { MAX_LABELS = 6 };

/* A gauge or counter of each GPU. */
struct gpu_metric {
	const char *name;
	const char *type;
	const char *help;
	enum perseus_quantity quantity;
	int64_t multiplier; /* from the quantity's unit to the metric's */
	int64_t divisor;
};

static const struct gpu_metric gpu_metrics[] = {
	{"perseus_gpu_energy_joules_total", "counter", "Energy since an arbitrary origin, by the GPU's own counter.",
		PERSEUS_QUANTITY_ENERGY, 1, 1000000},
	{"perseus_gpu_power_watts", "gauge", "Power now.", PERSEUS_QUANTITY_POWER, 1, 1000},
	{"perseus_gpu_power_limit_watts", "gauge", "Power limit as set.", PERSEUS_QUANTITY_POWER_LIMIT, 1, 1000},
	{"perseus_gpu_sm_clock_hertz", "gauge", "SM clock now.", PERSEUS_QUANTITY_SM_CLOCK, 1000000, 1},
	{"perseus_gpu_mem_clock_hertz", "gauge", "Memory clock now.", PERSEUS_QUANTITY_MEMORY_CLOCK, 1000000, 1},
	{"perseus_gpu_temperature_celsius", "gauge", "Temperature.", PERSEUS_QUANTITY_TEMPERATURE, 1, 1},
};

/* gpu, uuid, name, and simulated="true" where it is; the number of labels. */
static size_t
label_gpu(const struct perseus__front *front, const struct perseus__gpu *gpu, char id[PERSEUS__ID_BYTES],
		struct perseus__label labels[MAX_LABELS])
{
	const struct perseus_device_info *info = perseus_node_device(front->node, gpu->device);
	size_t n = 0;
	labels[n++] = (struct perseus__label){"gpu", perseus__id_text(gpu->id, id)};
	labels[n++] = (struct perseus__label){"uuid", info->uuid};
	labels[n++] = (struct perseus__label){"name", info->name};
	if (info->is_simulated)
		labels[n++] = (struct perseus__label){"simulated", "true"};
	return n;
}

static void
write_gpu_info(const struct perseus__front *front, struct perseus__text *text)
{
	char id[PERSEUS__ID_BYTES];
	struct perseus__label labels[MAX_LABELS];
	perseus__metric_head(text, "perseus_gpu_info", "gauge", "What a GPU is; always 1.");
	for (int32_t i = 0; i < front->n_gpus; i++) {
		const struct perseus_device_info *info = perseus_node_device(front->node, front->gpus[i].device);
		size_t n = label_gpu(front, &front->gpus[i], id, labels);
		labels[n++] = (struct perseus__label){"pci_address", info->pci_address};
		labels[n++] = (struct perseus__label){"driver", info->driver};
		perseus__metric_integer(text, "perseus_gpu_info", labels, n, 1);
	}
}

static void
write_gpu_metric(const struct perseus__front *front, const struct gpu_metric *metric, struct perseus__text *text)
{
	char id[PERSEUS__ID_BYTES];
	struct perseus__label labels[MAX_LABELS];
	int64_t value;
	perseus__metric_head(text, metric->name, metric->type, metric->help);
	for (int32_t i = 0; i < front->n_gpus; i++) {
		if (perseus_device_read(front->node, front->gpus[i].device, metric->quantity, &value, NULL) != PERSEUS_OK)
			continue;
		const size_t n = label_gpu(front, &front->gpus[i], id, labels);
		perseus__metric_number(
				text, metric->name, labels, n, (double)(value * metric->multiplier) / (double)metric->divisor);
	}
}

static void
write_cpu_domain(const struct perseus__front *front, const struct perseus__cpu *cpu, int32_t device, const char *domain,
		struct perseus__text *text)
{
	char id[PERSEUS__ID_BYTES];
	int64_t energy_uj;
	if (device < 0 || perseus_device_read(front->node, device, PERSEUS_QUANTITY_ENERGY, &energy_uj, NULL) != PERSEUS_OK)
		return;
	const struct perseus__label labels[] = {{"package", perseus__id_text(cpu->id, id)}, {"domain", domain}};
	perseus__metric_number(text, "perseus_cpu_energy_joules_total", labels, 2, (double)energy_uj / 1e6);
}

static void
write_cpus(const struct perseus__front *front, struct perseus__text *text)
{
	perseus__metric_head(text, "perseus_cpu_energy_joules_total", "counter",
			"Energy of a CPU package or its memory since an arbitrary origin.");
	for (int32_t i = 0; i < front->n_cpus; i++) {
		write_cpu_domain(front, &front->cpus[i], front->cpus[i].device, "package", text);
		write_cpu_domain(front, &front->cpus[i], front->cpus[i].dram_device, "dram", text);
	}
}

static void
write_leases(const struct perseus__front *front, struct perseus__text *text)
{
	char id[PERSEUS__ID_BYTES];
	uint64_t n_leases[PERSEUS__MAX_GPUS] = {0};
	struct perseus__lease lease = {.lease_id = 0};
	bool is_there = true;
	while (is_there) {
		if (perseus__leases_next(front, lease.lease_id, &lease, &is_there, NULL) != PERSEUS_OK)
			return; /* unknown, which is not 0 */
		for (int32_t i = 0; is_there && i < front->n_gpus; i++)
			n_leases[i] += front->gpus[i].device == lease.device;
	}
	perseus__metric_head(text, "perseus_lease_active", "gauge", "Leases that hold a GPU now.");
	for (int32_t i = 0; i < front->n_gpus; i++) {
		const struct perseus__label label = {"gpu", perseus__id_text(front->gpus[i].id, id)};
		perseus__metric_integer(text, "perseus_lease_active", &label, 1, n_leases[i]);
	}
}

static void
write_clock_sets(const struct perseus__front *front, struct perseus__text *text)
{
	char id[PERSEUS__ID_BYTES];
	perseus__metric_head(
			text, "perseus_gpu_clock_sets_total", "counter", "Sets and resets of clocks by how they ended.");
	for (int32_t i = 0; i < front->n_gpus; i++) {
		for (int result = 0; result < PERSEUS__N_RESULTS; result++) {
			const struct perseus__label labels[] = {{"gpu", perseus__id_text(front->gpus[i].id, id)},
				{"result", perseus__result_name((enum perseus__result)result)}};
			perseus__metric_integer(text, "perseus_gpu_clock_sets_total", labels, 2,
					atomic_load_explicit(&front->counters.clock_sets[i][result], memory_order_relaxed));
		}
	}
}

void
perseus__handle_metrics(struct perseus__front *front, struct perseus__exchange *exchange)
{
	const struct perseus__label version = {"version", perseus_version()};
	struct perseus__text *text = &exchange->response.body;
	perseus__respond(exchange, 200);
	exchange->response.content = PERSEUS__CONTENT_METRICS;
	perseus__metric_head(text, "perseus_build_info", "gauge", "What runs here; always 1.");
	perseus__metric_integer(text, "perseus_build_info", &version, 1, 1);
	if (front->settings.groups & perseus__group_bit(PERSEUS__GROUP_GPU_READ)) {
		write_gpu_info(front, text);
		for (size_t i = 0; i < sizeof gpu_metrics / sizeof *gpu_metrics; i++)
			write_gpu_metric(front, &gpu_metrics[i], text);
	}
	if (front->settings.groups & perseus__group_bit(PERSEUS__GROUP_CPU_READ))
		write_cpus(front, text);
	write_leases(front, text);
	write_clock_sets(front, text);
	perseus__counters_write_set_times(&front->counters, text);
	perseus__counters_write_requests(&front->counters, text);
}
