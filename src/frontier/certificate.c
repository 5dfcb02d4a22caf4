/*
 * Certificates: a relaxed optimal solution at one iteration time, and a flow over the schedule's own edges that proves
 * it optimal. The sweep knows the flow through instructions; spreading it over edges is a transportation problem.
 */
#include "frontier/frontier_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/*
 * What leaves instruction i must reach its successors: supply[i] flows out of i, demand[j] into j. Edges without a
 * lag carry any amount; those with one carry what the sweep says, and are taken out beforehand.
 */
struct transport {
	const struct perseus__workload *workload;
	int64_t *supply; /* length n: what is left to send */
	int64_t *demand; /* length n: what is left to receive */
	int64_t *edge_flow;
	int32_t *queue;      /* length 2n: nodes of the search; i < n sends, i >= n receives */
	int32_t *reached_by; /* length 2n: edge, -1 unreached, -2 origin */
};

enum { UNREACHED = -1, ORIGIN = -2 };

static bool
is_open(const struct transport *transport, int32_t edge)
{
	return transport->workload->lag_ns[edge] == 0;
}

/* Sends what can be sent directly. Most instructions have one successor that wants all. */
static void
send_greedily(struct transport *transport)
{
	const struct perseus_schedule *schedule = transport->workload->schedule;
	for (int32_t e = 0; e < schedule->n_edges; e++) {
		if (!is_open(transport, e))
			continue;
		const struct perseus_edge edge = schedule->edges[e];
		const int64_t amount = transport->supply[edge.from] < transport->demand[edge.to] ? transport->supply[edge.from]
																						 : transport->demand[edge.to];
		transport->edge_flow[e] += amount;
		transport->supply[edge.from] -= amount;
		transport->demand[edge.to] -= amount;
	}
}

/* Breadth-first search from a sender to a receiver with unmet demand; that receiver, or -1. `*n` nodes were queued. */
static int32_t
search(struct transport *transport, int32_t sender, int32_t *n)
{
	const struct perseus__dag *dag = &transport->workload->dag;
	const int32_t n_instructions = dag->n_nodes;
	*n = 0;
	transport->reached_by[sender] = ORIGIN;
	transport->queue[(*n)++] = sender;
	for (int32_t i = 0; i < *n; i++) {
		const int32_t v = transport->queue[i];
		const bool sends = v < n_instructions;
		const int32_t node = sends ? v : v - n_instructions;
		const int32_t *begin = sends ? dag->successor_begin : dag->predecessor_begin;
		const struct perseus__link *links = sends ? dag->successors : dag->predecessors;
		for (int32_t k = begin[node]; k < begin[node + 1]; k++) {
			const int32_t far = sends ? links[k].node + n_instructions : links[k].node;
			const bool usable = is_open(transport, links[k].edge) && (sends || transport->edge_flow[links[k].edge] > 0);
			if (!usable || transport->reached_by[far] != UNREACHED)
				continue;
			transport->reached_by[far] = links[k].edge;
			transport->queue[(*n)++] = far;
			if (sends && transport->demand[links[k].node] > 0)
				return far;
		}
	}
	return -1;
}

/* Moves as much as possible along the path that the search found. */
static void
reroute(struct transport *transport, int32_t sender, int32_t receiver)
{
	const struct perseus_schedule *schedule = transport->workload->schedule;
	const int32_t n = schedule->n_instructions;
	int64_t amount = transport->supply[sender];
	if (transport->demand[receiver - n] < amount)
		amount = transport->demand[receiver - n];
	for (int32_t v = receiver; transport->reached_by[v] != ORIGIN;) {
		const int32_t e = transport->reached_by[v];
		if (v < n && transport->edge_flow[e] < amount)
			amount = transport->edge_flow[e];
		v = v < n ? schedule->edges[e].to + n : schedule->edges[e].from;
	}
	for (int32_t v = receiver; transport->reached_by[v] != ORIGIN;) {
		const int32_t e = transport->reached_by[v];
		transport->edge_flow[e] += v < n ? -amount : amount;
		v = v < n ? schedule->edges[e].to + n : schedule->edges[e].from;
	}
	transport->supply[sender] -= amount;
	transport->demand[receiver - n] -= amount;
}

static enum perseus_status
spread(struct transport *transport, struct perseus_error *err)
{
	const int32_t n = transport->workload->schedule->n_instructions;
	send_greedily(transport);
	for (int32_t v = 0; v < 2 * n; v++)
		transport->reached_by[v] = UNREACHED;
	for (int32_t i = 0; i < n; i++) {
		while (transport->supply[i] > 0) {
			int32_t n_queued;
			const int32_t receiver = search(transport, i, &n_queued);
			if (receiver < 0)
				return perseus__fail(err, PERSEUS_INTERNAL, "the flow cannot be spread over the schedule's edges");
			reroute(transport, i, receiver);
			for (int32_t k = 0; k < n_queued; k++)
				transport->reached_by[transport->queue[k]] = UNREACHED;
		}
	}
	return PERSEUS_OK;
}

/* Flow of the edges with a lag is known; the rest of what passes an instruction is open. */
static void
fill_open_flow(struct transport *transport, const struct perseus_frontier *frontier, const struct perseus__sweep *sweep,
		struct perseus_certificate *certificate)
{
	const struct perseus__dag *dag = &frontier->workload.dag;
	const struct perseus_schedule *schedule = frontier->workload.schedule;
	int32_t lagged = frontier->network.n_activities;
	for (int32_t i = 0; i < schedule->n_instructions; i++) {
		const int64_t flow = perseus__sweep_flow(sweep, i);
		certificate->flow[i] = flow;
		/* Where nothing comes before or after, the iteration's start or end does. */
		if (dag->predecessor_begin[i + 1] == dag->predecessor_begin[i])
			certificate->start_flow[i] = flow;
		else
			transport->demand[i] = flow;
		if (dag->successor_begin[i + 1] == dag->successor_begin[i])
			certificate->end_flow[i] = flow;
		else
			transport->supply[i] = flow;
	}
	for (int32_t e = 0; e < schedule->n_edges; e++) {
		if (is_open(transport, e))
			continue;
		certificate->edge_flow[e] = perseus__sweep_flow(sweep, lagged++);
		transport->supply[schedule->edges[e].from] -= certificate->edge_flow[e];
		transport->demand[schedule->edges[e].to] -= certificate->edge_flow[e];
	}
}

static enum perseus_status
fill_flow(const struct perseus_frontier *frontier, const struct perseus__sweep *sweep,
		struct perseus_certificate *certificate, struct perseus_error *err)
{
	const size_t n = (size_t)frontier->workload.schedule->n_instructions;
	struct transport transport = {.workload = &frontier->workload, .edge_flow = certificate->edge_flow};
	transport.supply = perseus__new_array(n, sizeof *transport.supply);
	transport.demand = perseus__new_array(n, sizeof *transport.demand);
	transport.queue = perseus__new_array(2 * n, sizeof *transport.queue);
	transport.reached_by = perseus__new_array(2 * n, sizeof *transport.reached_by);
	enum perseus_status status = PERSEUS_OK;
	if (transport.supply && transport.demand && transport.queue && transport.reached_by) {
		fill_open_flow(&transport, frontier, sweep, certificate);
		status = spread(&transport, err);
	} else
		status = perseus__no_memory(err);
	perseus__free(transport.supply);
	perseus__free(transport.demand);
	perseus__free(transport.queue);
	perseus__free(transport.reached_by);
	return status;
}

/* Between two optimal solutions the straight line is optimal: their energy is linear in between (docs/algorithm.md). */
static void
fill_times(const struct perseus_frontier *frontier, const struct perseus__sweep *sweep, const int64_t *before_ns,
		struct perseus_certificate *certificate)
{
	const struct perseus__network *network = &frontier->network;
	const int32_t sink = network->n_nodes - 1;
	const double whole_ns = (double)(before_ns[sink] - sweep->time_ns);
	const double towards = whole_ns > 0.0 ? (double)(before_ns[sink] - certificate->deadline_ns) / whole_ns : 1.0;
	for (int32_t i = 0; i < certificate->n_instructions; i++) {
		const struct perseus__arc *arc = &network->arcs[i];
		const struct perseus_class *class_ = frontier->workload.class_of[i];
		const double old_start = (double)before_ns[arc->tail];
		const double old_span = (double)(before_ns[arc->head] - before_ns[arc->tail]);
		const double new_start = (double)perseus__sweep_time(sweep, arc->tail);
		const double new_span = (double)(sweep->events[arc->head].time_ns - sweep->events[arc->tail].time_ns);
		const double span = old_span + towards * (new_span - old_span);
		const double longest = (double)class_->hull[class_->n_hull - 1].time_ns;
		const double shortest = (double)class_->hull[0].time_ns;
		certificate->start_ns[i] = old_start + towards * (new_start - old_start);
		certificate->time_ns[i] = span > longest ? longest : span < shortest ? shortest : span;
	}
}

/* Goes to the stretch of the frontier that holds `time_ns`; event times at its slow end go to `before_ns`. */
static void
go_to(const struct perseus_frontier *frontier, struct perseus__sweep *sweep, int64_t time_ns, int64_t *before_ns)
{
	const struct perseus__checkpoints *checkpoints = &frontier->checkpoints;
	const int32_t n_nodes = frontier->network.n_nodes;
	int32_t low = 0;
	int32_t high = checkpoints->n;
	while (high - low > 1) {
		const int32_t middle = low + (high - low) / 2;
		if (checkpoints->time_ns[middle] >= time_ns)
			low = middle;
		else
			high = middle;
	}
	perseus__sweep_restore(sweep, checkpoints->states + (size_t)low * checkpoints->state_bytes);
	for (;;) {
		for (int32_t v = 0; v < n_nodes; v++)
			before_ns[v] = perseus__sweep_time(sweep, v);
		if (sweep->time_ns <= time_ns)
			return;
		if (!perseus__sweep_step(sweep) || sweep->time_ns <= time_ns)
			return;
	}
}

static struct perseus_certificate *
new_certificate(const struct perseus_frontier *frontier, int64_t deadline_ns)
{
	const struct perseus_schedule *schedule = frontier->workload.schedule;
	const size_t n = (size_t)schedule->n_instructions;
	struct perseus_certificate *certificate = perseus__new_array(1, sizeof *certificate);
	if (!certificate)
		return NULL;
	*certificate = (struct perseus_certificate){.deadline_ns = deadline_ns,
		.n_instructions = schedule->n_instructions,
		.n_edges = schedule->n_edges,
		.units_per_watt = frontier->units_per_watt};
	certificate->time_ns = perseus__new_array(n, sizeof *certificate->time_ns);
	certificate->start_ns = perseus__new_array(n, sizeof *certificate->start_ns);
	certificate->flow = perseus__new_array(n, sizeof *certificate->flow);
	certificate->edge_flow = perseus__new_array((size_t)schedule->n_edges, sizeof *certificate->edge_flow);
	certificate->start_flow = perseus__new_array(n, sizeof *certificate->start_flow);
	certificate->end_flow = perseus__new_array(n, sizeof *certificate->end_flow);
	if (certificate->time_ns && certificate->start_ns && certificate->flow && certificate->edge_flow
			&& certificate->start_flow && certificate->end_flow)
		return certificate;
	perseus_certificate_free(certificate);
	return NULL;
}

enum perseus_status
perseus_frontier_certificate(const struct perseus_frontier *frontier, int64_t time_ns, struct perseus_certificate **out,
		struct perseus_error *err)
{
	if (time_ns < frontier->info.t_min_ns)
		return perseus__fail(err, PERSEUS_INFEASIBLE, "no iteration is shorter than T_min = %.9f s; asked for %.9f s",
				(double)frontier->info.t_min_ns / 1e9, (double)time_ns / 1e9);
	if (time_ns > frontier->info.t_star_ns)
		time_ns = frontier->info.t_star_ns;
	struct perseus_certificate *certificate = new_certificate(frontier, time_ns);
	int64_t *before_ns = perseus__new_array((size_t)frontier->network.n_nodes, sizeof *before_ns);
	struct perseus__sweep sweep = {0};
	enum perseus_status status = certificate && before_ns ? PERSEUS_OK : perseus__no_memory(err);
	if (status == PERSEUS_OK)
		status = perseus__sweep_init(&sweep, &frontier->network, err);
	if (status == PERSEUS_OK) {
		go_to(frontier, &sweep, time_ns, before_ns);
		fill_times(frontier, &sweep, before_ns, certificate);
		status = fill_flow(frontier, &sweep, certificate, err);
	}
	perseus__sweep_fini(&sweep);
	perseus__free(before_ns);
	if (status == PERSEUS_OK)
		*out = certificate;
	else
		perseus_certificate_free(certificate);
	return status;
}

void
perseus_certificate_free(struct perseus_certificate *certificate)
{
	if (!certificate)
		return;
	perseus__free(certificate->time_ns);
	perseus__free(certificate->start_ns);
	perseus__free(certificate->flow);
	perseus__free(certificate->edge_flow);
	perseus__free(certificate->start_flow);
	perseus__free(certificate->end_flow);
	perseus__free(certificate);
}
