/*
 * GPUs of NVIDIA's driver, by its library NVML. The library is opened when a node is, and closed with it. It must not
 * be initialized before a fork whose child uses it: NVML does not survive a fork, so a program forks first, then opens.
 *
 * What is read is the whole GPU's, also where a MIG slice was asked for. On a Grace Hopper module the energy counter
 * counts the CPU and its memory, too (ml-energy/zeus, pull request 172, 2025), so power is read of the module as well;
 * no other backend lists Grace's CPU, which has no RAPL. On Grace Blackwell two GPUs share a module, whose power would
 * count twice: power is the GPU's own there.
 */
#include "device/device.h"
#include "device/nvml_gpu.h"
#include "device/visible.h"

#include "base/error.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { STEP_NS = 100000000 /* of counter and power; see docs/devices.md */, MAX_GPUS = 1024 };

/* A GPU as the driver numbers them. */
struct entry {
	struct perseus__nvml_gpu gpu;
	struct perseus_error failure; /* status OK: the driver hands it out */
	char uuid[PERSEUS__NVML_UUID_BYTES];
};

struct backend {
	struct perseus__nvml nvml;
	struct entry *entries;
	int32_t n_gpus;
};

static const struct perseus__device_ops ops = {
	.read = perseus__nvml_read,
	.clocks = perseus__nvml_clocks,
	.check = perseus__nvml_check,
	.set = perseus__nvml_set,
	.reset = perseus__nvml_reset,
};

static void
close_backend(void *self)
{
	struct backend *backend = self;
	perseus__nvml_close(&backend->nvml);
	perseus__free(backend->entries);
	perseus__free(backend);
}

/* Adds to what one should know of a device. */
static void
add_note(struct perseus_device_info *info, const char *text)
{
	const size_t length = strlen(info->note);
	(void)snprintf(info->note + length, sizeof info->note - length, "%s%s", length ? "; " : "", text);
}

static const char *
architecture_name(uint32_t architecture)
{
	static const char *const names[] = {"", "", "Kepler", "Maxwell", "Pascal", "Volta", "Turing", "Ampere", "Ada",
		"Hopper", "Blackwell", "", "", "Rubin"};
	return architecture < sizeof names / sizeof *names ? names[architecture] : "";
}

/* "NVIDIA GH200 480GB": one Hopper GPU and one Grace CPU on a module. */
static bool
is_grace_hopper(const char *name)
{
	const char *model = strstr(name, "GH");
	return model && model[2] >= '0' && model[2] <= '9';
}

/* Which chip has it by the PCI ids 2080 to 20ff of NVIDIA: A100, A800, A30 and what is made of the same. */
static bool
is_ga100(const struct perseus__nvml_pci *pci)
{
	return pci->device_id >> 16 >= 0x2080 && pci->device_id >> 16 <= 0x20ff;
}

/* Instant power where there is any, of the module where the counter is; nvml.h tells what the older call gives. */
static void
choose_power(struct perseus__nvml_gpu *gpu, const struct perseus__nvml_pci *pci, struct perseus_device_info *info)
{
	int64_t power_mw;
	if (is_grace_hopper(info->name)
			&& perseus__nvml_instant_power(gpu, PERSEUS__NVML_SCOPE_MODULE, &power_mw, NULL) == PERSEUS_OK) {
		gpu->has_instant_power = true;
		gpu->power_scope = PERSEUS__NVML_SCOPE_MODULE;
		info->is_module = true;
		add_note(info, "energy and power are the module's: GPU, Grace CPU and its memory");
		return;
	}
	const enum perseus_status status = perseus__nvml_instant_power(gpu, PERSEUS__NVML_SCOPE_GPU, &power_mw, NULL);
	gpu->has_instant_power = status != PERSEUS_UNSUPPORTED && status != PERSEUS_INVALID;
	if (!gpu->has_instant_power && gpu->architecture >= PERSEUS__NVML_AMPERE && !is_ga100(pci))
		add_note(info, "power is a mean over 1 s: the driver has no instant reading");
}

/* Fills what the driver says of a GPU; what it does not say stays empty. */
static void
describe(struct perseus__nvml_gpu *gpu, struct perseus_device_info *info)
{
	const struct perseus__nvml *nvml = gpu->nvml;
	struct perseus__nvml_pci pci = {0};
	if (PERSEUS__NVML_CALL(nvml, NULL, nvmlDeviceGetName, gpu->handle, info->name, sizeof info->name) != PERSEUS_OK)
		info->name[0] = '\0';
	if (PERSEUS__NVML_CALL(nvml, NULL, nvmlSystemGetDriverVersion, info->driver, sizeof info->driver) != PERSEUS_OK)
		info->driver[0] = '\0';
	if (PERSEUS__NVML_CALL(nvml, NULL, nvmlDeviceGetPciInfo_v3, gpu->handle, &pci) == PERSEUS_OK)
		(void)snprintf(info->pci_address, sizeof info->pci_address, "%04x:%02x:%02x.0", (unsigned)pci.domain,
				(unsigned)pci.bus, (unsigned)pci.device);
	if (PERSEUS__NVML_CALL(nvml, NULL, nvmlDeviceGetArchitecture, gpu->handle, &gpu->architecture) != PERSEUS_OK)
		gpu->architecture = PERSEUS__NVML_UNKNOWN_ARCHITECTURE;
	(void)snprintf(info->architecture, sizeof info->architecture, "%s", architecture_name(gpu->architecture));
	choose_power(gpu, &pci, info);
	if (gpu->is_slice || perseus__nvml_has_mig_on(gpu))
		add_note(info, "MIG is on: values are the whole GPU's, and nothing is set");
}

static const char *
uuid_of(void *user, int32_t gpu)
{
	const struct backend *backend = user;
	return backend->entries[gpu].uuid;
}

/* A slice has a handle of its own, from which its GPU's is had. */
static int32_t
gpu_of_mig(void *user, const char *uuid)
{
	const struct backend *backend = user;
	const struct perseus__nvml *nvml = &backend->nvml;
	perseus__nvml_handle slice = NULL;
	perseus__nvml_handle gpu = NULL;
	char gpu_uuid[PERSEUS__NVML_UUID_BYTES] = "";
	if (PERSEUS__NVML_CALL(nvml, NULL, nvmlDeviceGetHandleByUUID, uuid, &slice) != PERSEUS_OK
			|| PERSEUS__NVML_CALL(nvml, NULL, nvmlDeviceGetDeviceHandleFromMigDeviceHandle, slice, &gpu) != PERSEUS_OK
			|| PERSEUS__NVML_CALL(nvml, NULL, nvmlDeviceGetUUID, gpu, gpu_uuid, sizeof gpu_uuid) != PERSEUS_OK)
		return -1;
	for (int32_t i = 0; i < backend->n_gpus; i++)
		if (strcmp(backend->entries[i].uuid, gpu_uuid) == 0)
			return i;
	return -1;
}

/* Handles and UUIDs of all GPUs. One that the driver does not hand out is a failure only where it is to be seen. */
static enum perseus_status
find_gpus(struct backend *backend, struct perseus_error *err)
{
	const struct perseus__nvml *nvml = &backend->nvml;
	unsigned int n = 0;
	const enum perseus_status status = PERSEUS__NVML_CALL(nvml, err, nvmlDeviceGetCount_v2, &n);
	if (status != PERSEUS_OK)
		return status;
	if (n == 0)
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "the driver has no GPU");
	if (n > MAX_GPUS)
		return perseus__fail(err, PERSEUS_IO, "the driver has %u GPUs, more than %d", n, MAX_GPUS);
	backend->entries = perseus__new_array(n, sizeof *backend->entries);
	if (!backend->entries)
		return perseus__no_memory(err);
	backend->n_gpus = (int32_t)n;
	for (unsigned int i = 0; i < n; i++) {
		struct entry *entry = &backend->entries[i];
		entry->gpu.nvml = nvml;
		entry->failure.status =
				PERSEUS__NVML_CALL(nvml, &entry->failure, nvmlDeviceGetHandleByIndex_v2, i, &entry->gpu.handle);
		if (entry->failure.status == PERSEUS_OK
				&& PERSEUS__NVML_CALL(nvml, NULL, nvmlDeviceGetUUID, entry->gpu.handle, entry->uuid, sizeof entry->uuid)
						!= PERSEUS_OK)
			entry->uuid[0] = '\0';
	}
	return PERSEUS_OK;
}

static enum perseus_status
add_gpu(struct perseus_node *node, struct backend *backend, int32_t index, bool is_slice, struct perseus_error *err)
{
	struct entry *entry = &backend->entries[index];
	if (entry->failure.status != PERSEUS_OK)
		return perseus__node_note(node, err, "nvml: GPU %d is left out: %s", (int)index, entry->failure.message);
	entry->gpu.is_slice = is_slice;
	struct perseus__device device = {.ops = &ops,
		.self = &entry->gpu,
		.info = {.kind = PERSEUS_DEVICE_GPU,
			.index = index,
			.is_mig = is_slice,
			.energy_step_ns = STEP_NS,
			.power_step_ns = STEP_NS}};
	(void)snprintf(device.info.uuid, sizeof device.info.uuid, "%s", entry->uuid);
	describe(&entry->gpu, &device.info);
	return perseus__node_add(node, &device, err);
}

static enum perseus_status
add_gpus(struct perseus_node *node, struct backend *backend, const char *list, struct perseus_error *err)
{
	const struct perseus__visible_gpus gpus = {backend->n_gpus, uuid_of, gpu_of_mig, backend};
	enum perseus__visible *visible = perseus__new_array((size_t)backend->n_gpus, sizeof *visible);
	if (!visible)
		return perseus__no_memory(err);
	enum perseus_status status = perseus__visible_select(list, &gpus, visible, err);
	for (int32_t i = 0; i < backend->n_gpus && status == PERSEUS_OK; i++)
		if (visible[i] != PERSEUS__HIDDEN)
			status = add_gpu(node, backend, i, visible[i] == PERSEUS__VISIBLE_MIG, err);
	if (status == PERSEUS_OK)
		status = perseus__visible_note(node, "nvml", list, visible, backend->n_gpus, err);
	perseus__free(visible);
	return status;
}

enum perseus_status
perseus__nvml_open(struct perseus_node *node, const char *argument, const struct perseus_node_settings *settings,
		struct perseus_error *err)
{
	if (argument)
		return perseus__fail(err, PERSEUS_INVALID, "'%s' is too much: it has no arguments", argument);
	struct backend *backend = perseus__new_array(1, sizeof *backend);
	if (!backend)
		return perseus__no_memory(err);
	enum perseus_status status = perseus__node_own(node, backend, close_backend, err);
	if (status != PERSEUS_OK) {
		close_backend(backend);
		return status;
	}
	status = perseus__nvml_load(&backend->nvml, err);
	if (status == PERSEUS_OK)
		status = find_gpus(backend, err);
	return status == PERSEUS_OK ? add_gpus(node, backend, settings->visible_gpus, err) : status;
}
