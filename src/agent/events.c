/* Subscriptions to streams. */
#include "agent/handlers.h"

#include "agent/cpu_power.h"
#include "agent/selection.h"
#include "agent/stream.h"

#include <inttypes.h>
#include <string.h>

static void
add_ids(struct perseus__text *text, const int32_t *ids, int32_t n)
{
	for (int32_t i = 0; i < n; i++)
		perseus__text_addf(text, "%s%" PRId32, i > 0 ? ", " : "", ids[i]);
}

/* zeusd tells of unknown ids of a stream in words of its own. `known` are all ids there are, ascending. */
static void
respond_unknown(struct perseus__exchange *exchange, bool is_gpu, const int32_t *known, int32_t n_known)
{
	int32_t ids[PERSEUS__MAX_IDS];
	int32_t n_ids = 0;
	int32_t n_unknown = 0;
	if (perseus__query_ids(perseus__call_of(exchange)->query.ids_text, ids, &n_ids, NULL) != PERSEUS_OK)
		return; /* answered already */
	for (int32_t i = 0; i < n_ids; i++) {
		bool is_known = false;
		for (int32_t k = 0; k < n_known; k++)
			is_known = is_known || known[k] == ids[i];
		if (!is_known)
			ids[n_unknown++] = ids[i];
	}
	struct perseus__text text = perseus__text_init(4096);
	perseus__text_addf(&text, "Unknown %s indices: [", is_gpu ? "GPU" : "CPU");
	add_ids(&text, ids, n_unknown);
	perseus__text_addf(&text, "]. Available: [");
	add_ids(&text, known, n_known);
	perseus__text_addf(&text, "]");
	perseus__respond_error(exchange, 400, "%s", text.failed ? "Unknown indices" : text.bytes);
	perseus__text_fini(&text);
}

static void
subscribe(struct perseus__front *front, struct perseus__exchange *exchange, bool is_gpu,
		const struct perseus__selection *selection)
{
	struct perseus_error err;
	struct perseus__stream *stream = NULL;
	if (perseus__power_stream_new(front->streams, is_gpu, selection->positions, selection->n, &stream, &err)
			!= PERSEUS_OK) {
		perseus__respond_unavailable(exchange, err.message);
		return;
	}
	perseus__respond_stream(exchange, stream);
}

/* A device that cannot be read is told of at once, rather than being silent for ever. */
void
perseus__handle_gpu_stream(struct perseus__front *front, struct perseus__exchange *exchange)
{
	struct perseus__selection selection;
	struct perseus__failures failures;
	struct perseus_error err;
	int32_t known[PERSEUS__MAX_GPUS];
	int64_t power_mw;
	if (!perseus__select_gpus(front, exchange, &selection)) {
		for (int32_t i = 0; i < front->n_gpus; i++)
			known[i] = front->gpus[i].id;
		respond_unknown(exchange, true, known, front->n_gpus);
		return;
	}
	perseus__failures_init(&failures);
	for (int32_t i = 0; i < selection.n; i++) {
		const struct perseus__gpu *gpu = &front->gpus[selection.positions[i]];
		const enum perseus_status status =
				perseus_device_read(front->node, gpu->device, PERSEUS_QUANTITY_POWER, &power_mw, &err);
		if (status != PERSEUS_OK)
			perseus__failures_add(&failures, gpu->id, perseus__http_code(status), err.message);
	}
	if (!perseus__failures_respond(&failures, exchange))
		subscribe(front, exchange, true, &selection);
}

void
perseus__handle_cpu_stream(struct perseus__front *front, struct perseus__exchange *exchange)
{
	struct perseus__selection selection;
	struct perseus__failures failures;
	struct perseus_error err;
	struct perseus__cpu_energy energy;
	int32_t known[PERSEUS__MAX_CPUS];
	if (!perseus__select_cpus(front, exchange, &selection)) {
		for (int32_t i = 0; i < front->n_cpus; i++)
			known[i] = front->cpus[i].id;
		respond_unknown(exchange, false, known, front->n_cpus);
		return;
	}
	perseus__failures_init(&failures);
	for (int32_t i = 0; i < selection.n; i++) {
		const struct perseus__cpu *cpu = &front->cpus[selection.positions[i]];
		const enum perseus_status status = perseus__cpu_read(front, cpu, true, true, &energy, &err);
		if (status != PERSEUS_OK)
			perseus__failures_add(&failures, cpu->id, perseus__http_code(status), err.message);
	}
	if (!perseus__failures_respond(&failures, exchange))
		subscribe(front, exchange, false, &selection);
}
