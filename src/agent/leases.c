/* Leases as users see them. */
#include "agent/leases.h"

#include "agent/access.h"
#include "agent/handlers.h"
#include "agent/lease.h"
#include "agent/lease_json.h"
#include "base/clock.h"

#include <inttypes.h>

enum perseus_status
perseus__leases_next(const struct perseus__front *front, uint64_t after, struct perseus__lease *lease, bool *is_there,
		struct perseus_error *err)
{
	const struct perseus__command command = {.kind = PERSEUS__COMMAND_LIST, .low = (int64_t)after};
	struct perseus__answer answer;
	*is_there = false;
	if (!front->link)
		return PERSEUS_OK;
	const enum perseus_status status = perseus__link_call(front->link, &command, &answer, err);
	if (status != PERSEUS_OK)
		return status;
	*is_there = answer.lease.lease_id != 0;
	*lease = answer.lease;
	return PERSEUS_OK;
}

/* -1: the executor names a device that is no GPU here, which only a bug can make. */
static int32_t
find_position(const struct perseus__front *front, const struct perseus__lease *lease)
{
	for (int32_t i = 0; i < front->n_gpus; i++)
		if (front->gpus[i].device == lease->device)
			return i;
	return -1;
}

/* The id of the GPU of a lease. */
static int32_t
lease_gpu_id(const struct perseus__front *front, const struct perseus__lease *lease)
{
	const int32_t position = find_position(front, lease);
	return position < 0 ? -1 : front->gpus[position].id;
}

void
perseus__handle_leases(struct perseus__front *front, struct perseus__exchange *exchange)
{
	struct perseus_error err;
	struct perseus__lease lease = {.lease_id = 0};
	bool is_there = true;
	struct perseus__json json = perseus__respond_json(exchange, 200);
	perseus__json_open_object(&json, NULL, false);
	perseus__json_open_array(&json, "leases", false);
	while (is_there) {
		if (perseus__leases_next(front, lease.lease_id, &lease, &is_there, &err) != PERSEUS_OK) {
			perseus__respond_unavailable(exchange, err.message);
			return;
		}
		if (is_there)
			perseus__lease_write(&lease, lease_gpu_id(front, &lease), perseus__clock_mono_ns(), &json);
	}
	perseus__json_close_array(&json);
	perseus__json_close_object(&json);
}

/* Ends a lease in its holder's name. */
static void
release(const struct perseus__front *front, const struct perseus__lease *lease, struct perseus__exchange *exchange)
{
	const struct perseus__command command = {
		.kind = PERSEUS__COMMAND_RELEASE, .device = lease->device, .holder = lease->holder};
	struct perseus__answer answer;
	struct perseus_error err;
	const enum perseus_status status = perseus__link_call(front->link, &command, &answer, &err);
	if (status == PERSEUS_OK)
		perseus__respond(exchange, 200);
	else
		perseus__respond_error(exchange, perseus__http_code(status), "%s", err.message);
}

/* Any lease of one's own identity: a shell may end what a training process of the same user holds. */
void
perseus__handle_lease_end(struct perseus__front *front, struct perseus__exchange *exchange)
{
	struct perseus_error err;
	struct perseus__lease lease;
	bool is_there = false;
	const uint64_t id = (uint64_t)perseus__call_of(exchange)->path_id;
	if (id > 0 && perseus__leases_next(front, id - 1, &lease, &is_there, &err) != PERSEUS_OK) {
		perseus__respond_unavailable(exchange, err.message);
		return;
	}
	const int32_t position = is_there && lease.lease_id == id ? find_position(front, &lease) : -1;
	if (position < 0)
		perseus__respond_error(exchange, 404, "There is no lease %" PRIu64 ".", id);
	else if (!perseus__holder_is_one_identity(&lease.holder, &perseus__call_of(exchange)->holder))
		perseus__respond_error(exchange, 403, "Lease %" PRIu64 " is another's.", id);
	else if (perseus__access_write(front, exchange, UINT64_C(1) << position))
		release(front, &lease, exchange);
}
