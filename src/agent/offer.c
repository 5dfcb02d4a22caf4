/* What the agent can offer. */
#include "agent/offer.h"

#include "agent/group.h"
#include "base/error.h"
#include "service/log.h"

#include <errno.h>
#include <sys/socket.h>

static bool
can_set(const struct perseus_node *node, int32_t device, struct perseus_error *why)
{
	for (int setting = 0; setting < PERSEUS_N_SETTINGS; setting++)
		if (perseus_device_check(node, device, (enum perseus_setting)setting, why) == PERSEUS_OK)
			return true;
	return false;
}

static bool
can_read(const struct perseus_node *node, int32_t device, struct perseus_error *why)
{
	int64_t energy_uj;
	return perseus_device_read(node, device, PERSEUS_QUANTITY_ENERGY, &energy_uj, why) == PERSEUS_OK;
}

/* Whether any of the devices of a kind is of use; also where there is none. `why` is of the last that is not. */
static bool
is_any(const struct perseus_node *node, enum perseus_device_kind kind,
		bool (*is_good)(const struct perseus_node *node, int32_t device, struct perseus_error *why),
		struct perseus_error *why)
{
	int32_t n = 0;
	for (int32_t i = 0; i < perseus_node_n_devices(node); i++) {
		if (perseus_node_device(node, i)->kind != kind)
			continue;
		if (is_good(node, i, why))
			return true;
		n++;
	}
	return n == 0;
}

static enum perseus_status
leave_out(enum perseus__group group, bool must, const struct perseus_error *why, struct perseus__offer *offer,
		struct perseus_error *err)
{
	if (!(offer->groups & perseus__group_bit(group)))
		return PERSEUS_OK;
	if (must)
		return perseus__fail(
				err, PERSEUS_DENIED, "API group %s cannot be offered: %s", perseus__group_name(group), why->message);
	offer->groups &= ~perseus__group_bit(group);
	perseus__log_message(PERSEUS__LOG_WARNING, "offer", "API group %s is switched off: %s", perseus__group_name(group),
			why->message);
	return PERSEUS_OK;
}

enum perseus_status
perseus__offer_make(const struct perseus_node *node, uint32_t groups, bool must, struct perseus__offer *offer,
		struct perseus_error *err)
{
	struct perseus_error why = {.message = ""};
	enum perseus_status status = PERSEUS_OK;
	*offer = (struct perseus__offer){.groups = groups};
	for (int32_t i = 0; i < perseus_node_n_devices(node); i++)
		offer->n_gpus += perseus_node_device(node, i)->kind == PERSEUS_DEVICE_GPU;
	if (!is_any(node, PERSEUS_DEVICE_GPU, can_set, &why))
		status = leave_out(PERSEUS__GROUP_GPU_CONTROL, must, &why, offer, err);
	if (status == PERSEUS_OK && !is_any(node, PERSEUS_DEVICE_CPU, can_read, &why))
		status = leave_out(PERSEUS__GROUP_CPU_READ, must, &why, offer, err);
	return status;
}

void
perseus__offer_send(int fd, const struct perseus__offer *offer)
{
	(void)send(fd, offer, sizeof *offer, MSG_NOSIGNAL);
}

bool
perseus__offer_receive(int fd, struct perseus__offer *offer)
{
	ssize_t n;
	do
		n = recv(fd, offer, sizeof *offer, 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof *offer;
}
