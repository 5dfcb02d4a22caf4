/* The list of CUDA_VISIBLE_DEVICES. */
#include "device/visible.h"

#include "base/error.h"
#include "device/device.h"

#include <perseus/device.h>

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* One item of the list, without the blanks around it. */
struct item {
	char text[PERSEUS_DEVICE_TEXT_BYTES];
	size_t length; /* of the whole item, even where `text` could not take it */
};

static const char *
read_item(const char *at, struct item *item)
{
	const char *end = at + strcspn(at, ",");
	const char *last = end;
	while (at < last && isspace((unsigned char)*at))
		at++;
	while (last > at && isspace((unsigned char)last[-1]))
		last--;
	item->length = (size_t)(last - at);
	(void)snprintf(item->text, sizeof item->text, "%.*s", (int)(last - at), at);
	return *end ? end + 1 : NULL;
}

static enum perseus_status
fail_item(const struct item *item, const char *problem, struct perseus_error *err)
{
	return perseus__fail(err, PERSEUS_INVALID, "visible GPUs: '%s' %s", item->text, problem);
}

static enum perseus_status
find_index(const struct item *item, const struct perseus__visible_gpus *gpus, int32_t *gpu, struct perseus_error *err)
{
	int64_t index = 0;
	for (const char *at = item->text; *at; at++) {
		if (!isdigit((unsigned char)*at))
			return fail_item(item, "is no index, no GPU-UUID and no MIG-UUID", err);
		index = index < INT32_MAX ? index * 10 + (*at - '0') : index;
	}
	if (index >= gpus->n_gpus)
		return perseus__fail(
				err, PERSEUS_INVALID, "visible GPUs: there is no GPU %s, only %d of them", item->text, gpus->n_gpus);
	*gpu = (int32_t)index;
	return PERSEUS_OK;
}

/* The only GPU whose UUID begins with `prefix`, letters of either case. */
static enum perseus_status
find_uuid(const struct item *item, const char *prefix, size_t length, const struct perseus__visible_gpus *gpus,
		int32_t *gpu, struct perseus_error *err)
{
	int32_t found = -1;
	for (int32_t i = 0; i < gpus->n_gpus; i++) {
		if (strncasecmp(gpus->uuid(gpus->user, i), prefix, length) != 0)
			continue;
		if (found >= 0)
			return fail_item(item, "begins the UUID of more than one GPU", err);
		found = i;
	}
	if (found < 0)
		return fail_item(item, "begins the UUID of no GPU here", err);
	*gpu = found;
	return PERSEUS_OK;
}

static enum perseus_status
find_mig(const struct item *item, const struct perseus__visible_gpus *gpus, int32_t *gpu, struct perseus_error *err)
{
	const char *uuid = item->text + strlen("MIG-");
	if (!gpus->gpu_of_mig)
		return fail_item(item, "is a slice, but no GPU here is cut into any", err);
	if (strncmp(uuid, "GPU-", 4) == 0) /* the form of drivers before 470 */
		return find_uuid(item, uuid, strcspn(uuid, "/"), gpus, gpu, err);
	const int32_t found = gpus->gpu_of_mig(gpus->user, item->text);
	if (found < 0)
		return fail_item(item, "is a slice of no GPU here", err);
	*gpu = found;
	return PERSEUS_OK;
}

static enum perseus_status
take_item(const struct item *item, const struct perseus__visible_gpus *gpus, enum perseus__visible *visible,
		struct perseus_error *err)
{
	if (item->length >= sizeof item->text)
		return fail_item(item, "and more is too long", err);
	if (item->length == 0)
		return perseus__fail(err, PERSEUS_INVALID, "visible GPUs: an item is empty");
	int32_t gpu = 0;
	const bool is_mig = strncmp(item->text, "MIG-", 4) == 0;
	enum perseus_status status;
	if (is_mig)
		status = find_mig(item, gpus, &gpu, err);
	else if (strncmp(item->text, "GPU-", 4) == 0)
		status = find_uuid(item, item->text, item->length, gpus, &gpu, err);
	else
		status = find_index(item, gpus, &gpu, err);
	if (status == PERSEUS_OK && visible[gpu] != PERSEUS__VISIBLE_MIG)
		visible[gpu] = is_mig ? PERSEUS__VISIBLE_MIG : PERSEUS__VISIBLE;
	return status;
}

static bool
is_negative(const struct item *item)
{
	return item->text[0] == '-' && isdigit((unsigned char)item->text[1]);
}

enum perseus_status
perseus__visible_select(const char *list, const struct perseus__visible_gpus *gpus, enum perseus__visible *visible,
		struct perseus_error *err)
{
	for (int32_t i = 0; i < gpus->n_gpus; i++)
		visible[i] = list ? PERSEUS__HIDDEN : PERSEUS__VISIBLE;
	if (!list)
		return PERSEUS_OK;
	const char *at = list + strspn(list, " \t");
	if (*at == '\0')
		return PERSEUS_OK;
	while (at) {
		struct item item;
		at = read_item(at, &item);
		if (is_negative(&item))
			return PERSEUS_OK;
		const enum perseus_status status = take_item(&item, gpus, visible, err);
		if (status != PERSEUS_OK)
			return status;
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__visible_note(struct perseus_node *node, const char *backend, const char *list,
		const enum perseus__visible *visible, int32_t n_gpus, struct perseus_error *err)
{
	int32_t n_hidden = 0;
	for (int32_t i = 0; i < n_gpus; i++)
		n_hidden += visible[i] == PERSEUS__HIDDEN;
	if (n_hidden == 0)
		return PERSEUS_OK;
	return perseus__node_note(node, err, "%s: %d of %d GPUs are not in the list of visible ones, '%s'", backend,
			(int)n_hidden, (int)n_gpus, list);
}
