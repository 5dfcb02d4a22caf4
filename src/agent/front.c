/* The front: its devices by id, and the way of a request. */
#include "agent/front.h"

#include "agent/access.h"
#include "agent/cpu_power.h"
#include "agent/peer.h"
#include "agent/route.h"
#include "agent/stream.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdlib.h>

enum { N_READERS = 4, MAX_TASKS = 1024 };

/* Longer than an executor that is there may take to answer a ping, restoring settings included. */
static const int64_t PING_LIMIT_NS = 5 * (int64_t)1000000000;

static int
by_gpu_id(const void *left, const void *right)
{
	const int32_t a = ((const struct perseus__gpu *)left)->id;
	const int32_t b = ((const struct perseus__gpu *)right)->id;
	return (a > b) - (a < b);
}

static int
by_cpu_id(const void *left, const void *right)
{
	const int32_t a = ((const struct perseus__cpu *)left)->id;
	const int32_t b = ((const struct perseus__cpu *)right)->id;
	return (a > b) - (a < b);
}

static enum perseus_status
add_gpu(struct perseus__front *front, int32_t device, struct perseus_error *err)
{
	int64_t energy_uj;
	const int32_t id = perseus_node_device(front->node, device)->index;
	if (front->n_gpus == PERSEUS__MAX_GPUS)
		return perseus__fail(err, PERSEUS_INVALID, "there are more than %d GPUs", PERSEUS__MAX_GPUS);
	front->gpus[front->n_gpus++] = (struct perseus__gpu){
		.id = id,
		.device = device,
		.has_counter = perseus_device_read(front->node, device, PERSEUS_QUANTITY_ENERGY, &energy_uj, NULL)
				!= PERSEUS_UNSUPPORTED,
	};
	return PERSEUS_OK;
}

/* A package and its memory are one CPU here, as in zeusd. */
static enum perseus_status
add_cpu(struct perseus__front *front, int32_t device, bool is_dram, struct perseus_error *err)
{
	const int32_t id = perseus_node_device(front->node, device)->index;
	int32_t at = perseus__front_find_cpu(front, id);
	if (at < 0 && front->n_cpus == PERSEUS__MAX_CPUS)
		return perseus__fail(err, PERSEUS_INVALID, "there are more than %d CPU packages", PERSEUS__MAX_CPUS);
	if (at < 0) {
		at = front->n_cpus++;
		front->cpus[at] = (struct perseus__cpu){.id = id, .device = -1, .dram_device = -1};
	}
	*(is_dram ? &front->cpus[at].dram_device : &front->cpus[at].device) = device;
	return PERSEUS_OK;
}

static enum perseus_status
add_devices(struct perseus__front *front, struct perseus_error *err)
{
	enum perseus_status status = PERSEUS_OK;
	for (int32_t i = 0; i < perseus_node_n_devices(front->node) && status == PERSEUS_OK; i++) {
		switch (perseus_node_device(front->node, i)->kind) {
		case PERSEUS_DEVICE_GPU:
			status = add_gpu(front, i, err);
			break;
		case PERSEUS_DEVICE_CPU:
		case PERSEUS_DEVICE_DRAM:
			status = add_cpu(front, i, perseus_node_device(front->node, i)->kind == PERSEUS_DEVICE_DRAM, err);
			break;
		}
	}
	if (status != PERSEUS_OK)
		return status;
	qsort(front->gpus, (size_t)front->n_gpus, sizeof *front->gpus, by_gpu_id);
	qsort(front->cpus, (size_t)front->n_cpus, sizeof *front->cpus, by_cpu_id);
	for (int32_t i = 1; i < front->n_gpus; i++)
		if (front->gpus[i].id == front->gpus[i - 1].id)
			return perseus__fail(err, PERSEUS_INVALID, "two GPUs have number %d: give one kind of GPU alone",
					(int)front->gpus[i].id);
	return PERSEUS_OK;
}

static enum perseus_status
check_allow(const struct perseus__front *front, struct perseus_error *err)
{
	for (int32_t i = 0; i < front->settings.n_allow; i++) {
		const struct perseus__allow *rule = &front->settings.allow[i];
		for (int32_t k = 0; k < rule->n_gpus; k++)
			if (perseus__front_find_gpu(front, rule->gpu_ids[k]) < 0)
				return perseus__fail(
						err, PERSEUS_INVALID, "the allow list names GPU %d, which is not there", (int)rule->gpu_ids[k]);
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__front_new(const struct perseus_node *node, struct perseus__link *link,
		const struct perseus__front_settings *settings, struct perseus__front **out, struct perseus_error *err)
{
	struct perseus__front *front = perseus__new_array(1, sizeof *front);
	if (!front)
		return perseus__no_memory(err);
	front->settings = *settings;
	front->node = node;
	front->link = link;
	enum perseus_status status = add_devices(front, err);
	if (status == PERSEUS_OK)
		status = check_allow(front, err);
	if (status == PERSEUS_OK && settings->writes_per_s > 0) {
		front->rate = perseus__rate_new(settings->writes_per_s);
		status = front->rate ? PERSEUS_OK : perseus__no_memory(err);
	}
	if (status == PERSEUS_OK)
		status = perseus__tasks_new(N_READERS, MAX_TASKS, &front->tasks, err);
	if (status == PERSEUS_OK)
		status = perseus__power_streams_new(front, &front->streams, err);
	if (status != PERSEUS_OK) {
		perseus__front_free(front);
		return status;
	}
	*out = front;
	return PERSEUS_OK;
}

void
perseus__front_stop(struct perseus__front *front)
{
	perseus__tasks_end(front->tasks);
	perseus__streams_end(front->streams);
}

void
perseus__front_free(struct perseus__front *front)
{
	if (!front)
		return;
	perseus__tasks_free(front->tasks);
	perseus__power_streams_free(front->streams);
	perseus__rate_free(front->rate);
	perseus__free(front);
}

int32_t
perseus__front_find_gpu(const struct perseus__front *front, int32_t id)
{
	for (int32_t i = 0; i < front->n_gpus; i++)
		if (front->gpus[i].id == id)
			return i;
	return -1;
}

int32_t
perseus__front_find_cpu(const struct perseus__front *front, int32_t id)
{
	for (int32_t i = 0; i < front->n_cpus; i++)
		if (front->cpus[i].id == id)
			return i;
	return -1;
}

static void
note_pong(void *user, const struct perseus__answer *answer)
{
	struct perseus__front *front = user;
	if (answer->status == PERSEUS_OK)
		atomic_store(&front->answered_ping_ns, perseus__clock_mono_ns());
}

void
perseus__front_ping(struct perseus__front *front)
{
	const struct perseus__command command = {.kind = PERSEUS__COMMAND_PING};
	/* No answer is what perseus__front_is_healthy tells of. */
	if (front->link && perseus__link_send(front->link, &command, note_pong, front, NULL) != PERSEUS_OK)
		return;
}

bool
perseus__front_is_healthy(const struct perseus__front *front)
{
	const int64_t answered_ns = atomic_load(&front->answered_ping_ns);
	return !front->link || (answered_ns > 0 && perseus__clock_mono_ns() - answered_ns < PING_LIMIT_NS);
}

/* Parameters by the route's table row. False: the exchange has been answered. */
static bool
parse(struct perseus__exchange *exchange)
{
	struct perseus__call *call = perseus__call_of(exchange);
	const struct perseus__route *route = call->route;
	const struct perseus__request *request = &exchange->request;
	struct perseus_error err;
	enum perseus_status status = PERSEUS_OK;
	switch (route->source) {
	case PERSEUS__ROUTE_PLAIN:
		return true;
	case PERSEUS__ROUTE_QUERY:
		status = perseus__query_parse(request->query, route->required, route->optional, &call->query, &err);
		break;
	case PERSEUS__ROUTE_BODY:
		status = perseus__query_parse_json(request->body, request->body_length, route->required, &call->query, &err);
		break;
	}
	if (status == PERSEUS_OK)
		return true;
	perseus__respond_text(exchange, 400, "%s deserialize error: %s",
			route->source == PERSEUS__ROUTE_QUERY ? "Query" : "Json", err.message);
	return false;
}

static int64_t
run_later(void *user, bool is_ending)
{
	struct perseus__exchange *exchange = user;
	const struct perseus__call *call = perseus__call_of(exchange);
	if (is_ending)
		perseus__respond_unavailable(exchange, "The agent is ending.");
	else
		call->route->handle(call->front, exchange);
	exchange->finish(exchange);
	return PERSEUS__TASK_DONE;
}

static void
run(struct perseus__front *front, struct perseus__exchange *exchange)
{
	const struct perseus__route *route = perseus__call_of(exchange)->route;
	struct perseus_error err;
	switch (route->mode) {
	case PERSEUS__ROUTE_NOW:
		route->handle(front, exchange);
		exchange->finish(exchange);
		return;
	case PERSEUS__ROUTE_LATER:
		if (perseus__tasks_add(front->tasks, 0, run_later, exchange, &err) == PERSEUS_OK)
			return;
		perseus__respond_unavailable(exchange, err.message);
		exchange->finish(exchange);
		return;
	case PERSEUS__ROUTE_OWN:
		route->handle(front, exchange);
		return;
	}
}

void
perseus__front_begin(struct perseus__front *front, struct perseus__exchange *exchange)
{
	struct perseus__call *call = perseus__call_of(exchange);
	call->front = front;
	call->route = perseus__route_find(exchange->request.method, exchange->request.path, &call->path_id);
	exchange->takes_body = call->route && call->route->source == PERSEUS__ROUTE_BODY;
}

void
perseus__front_handle(struct perseus__front *front, struct perseus__exchange *exchange)
{
	if (!perseus__access_check(front, exchange)) {
		exchange->finish(exchange);
		return;
	}
	if (!perseus__call_of(exchange)->route) {
		perseus__respond(exchange, 404);
		exchange->finish(exchange);
		return;
	}
	if (!parse(exchange)) {
		exchange->finish(exchange);
		return;
	}
	run(front, exchange);
}

static void
find_peer(void *user, int fd, struct perseus__peer *peer)
{
	perseus__caller_find(user, fd, (struct perseus__caller *)peer);
}

static void
begin(void *user, struct perseus__exchange *exchange)
{
	perseus__front_begin(user, exchange);
}

static void
handle(void *user, struct perseus__exchange *exchange)
{
	perseus__front_handle(user, exchange);
}

static void
count(void *user, const struct perseus__exchange *exchange)
{
	struct perseus__front *front = user;
	const struct perseus__call *call = (const struct perseus__call *)exchange;
	perseus__count_request(&front->counters.requests, perseus__route_index(call->route), exchange->response.code);
}

static void
stop(void *user)
{
	perseus__front_stop(user);
}

static void
tick(void *user)
{
	struct perseus__front *front = user;
	perseus__streams_tick(front->streams);
	perseus__cpus_keep_counting(front);
}

struct perseus__application
perseus__front_application(struct perseus__front *front)
{
	return (struct perseus__application){
		.user = front,
		.realm = "zeusd",
		.ending = "The agent is ending.",
		.exchange_bytes = sizeof(struct perseus__call),
		.peer_bytes = sizeof(struct perseus__caller),
		.find_peer = find_peer,
		.begin = begin,
		.handle = handle,
		.done = count,
		.stop = stop,
		.tick = tick,
	};
}
