/*
 * A double of the driver's libnvidia-ml.so.1: the ABI of the real one over a simulated node, so that the real loader,
 * and programs that know nothing of us, can be run without a GPU. The environment says what it is:
 *
 *     PERSEUS_NVML_DOUBLE          spec of the node, e.g. "sim:a100x4,state=/tmp/x": processes that name one
 *                                  state share the GPUs. Unset: the driver is not loaded.
 *     PERSEUS_NVML_DOUBLE_FAIL     "NAME=CODE,NAME@GPU=CODE": results of calls, of one GPU where it is named
 *     PERSEUS_NVML_DOUBLE_MIG      "0,2": GPUs that have MIG on; each has one slice, "MIG-" and the rest of its UUID
 *     PERSEUS_NVML_DOUBLE_MODULE   "100000": there is a module, which takes so many mW more than its GPU
 *     PERSEUS_NVML_DOUBLE_NAME, PERSEUS_NVML_DOUBLE_ARCHITECTURE, PERSEUS_NVML_DOUBLE_PCI_ID   of every GPU
 *
 * It is as strict as the original: calls before nvmlInit, wrong handles, small buffers and missing privileges fail.
 * Built with NVML_DOUBLE_OLD it lacks what drivers before 535 lack.
 */
#include "nvml_double.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_GPUS = 64, VENDOR_NVIDIA = 0x10de, PCI_ID_A100 = 0x20b0 };

static struct {
	pthread_mutex_t mutex; /* of initialization; what follows is constant while it lasts */
	int n_inits;
	struct perseus_node *node;
	struct perseus__nvml_device gpus[MAX_GPUS];
	struct perseus__nvml_device slices[MAX_GPUS];
	unsigned int n_gpus;
} library = {.mutex = PTHREAD_MUTEX_INITIALIZER};

const struct perseus_node *
double_node(void)
{
	return library.node;
}

unsigned long
double_number(const char *name, unsigned long otherwise)
{
	const char *text = getenv(name);
	return text ? strtoul(text, NULL, 0) : otherwise;
}

/* The result that the environment wants of a call, 0 for its own. */
static int
wanted_failure(const char *name, unsigned int index)
{
	const char *at = getenv("PERSEUS_NVML_DOUBLE_FAIL");
	const size_t length = strlen(name);
	while (at && *at) {
		if (strncmp(at, name, length) == 0 && (at[length] == '=' || at[length] == '@')) {
			char *end = NULL;
			const bool is_here = at[length] == '=' || strtoul(at + length + 1, &end, 10) == index;
			const char *code = strchr(at, '=');
			if (is_here && code)
				return (int)strtol(code + 1, NULL, 10);
		}
		at = strchr(at, ',');
		at = at ? at + 1 : NULL;
	}
	return PERSEUS__NVML_OK;
}

static unsigned int
index_of(const struct perseus__nvml_device *gpu)
{
	return (unsigned int)(gpu->is_slice ? gpu - library.slices : gpu - library.gpus);
}

static bool
is_handle(const struct perseus__nvml_device *gpu)
{
	for (unsigned int i = 0; i < library.n_gpus; i++)
		if (gpu == &library.gpus[i] || gpu == &library.slices[i])
			return true;
	return false;
}

/* Whether a call that is not about a GPU may go on. */
static int
begin(const char *name)
{
	return library.n_inits > 0 ? wanted_failure(name, MAX_GPUS) : UNINITIALIZED;
}

int
double_begin(const char *name, handle gpu, const void *out)
{
	if (library.n_inits == 0)
		return UNINITIALIZED;
	if (!is_handle(gpu) || !out)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	if (gpu->is_slice)
		return PERSEUS__NVML_NOT_SUPPORTED;
	return wanted_failure(name, index_of(gpu));
}

int
double_result(enum perseus_status status, const struct perseus_error *err)
{
	switch (status) {
	case PERSEUS_OK:
		return PERSEUS__NVML_OK;
	case PERSEUS_INVALID:
		return PERSEUS__NVML_INVALID_ARGUMENT;
	case PERSEUS_UNSUPPORTED:
		return PERSEUS__NVML_NOT_SUPPORTED;
	case PERSEUS_DENIED:
		return PERSEUS__NVML_NO_PERMISSION;
	case PERSEUS_IO:
		return strstr(err->message, "lost") ? GPU_IS_LOST : UNKNOWN;
	case PERSEUS_INFEASIBLE:
	case PERSEUS_BUSY:
	case PERSEUS_NO_MEMORY:
	case PERSEUS_CANCELLED:
	case PERSEUS_INTERNAL:
		return UNKNOWN;
	}
	return UNKNOWN;
}

static const struct perseus_device_info *
info_of(const struct perseus__nvml_device *gpu)
{
	return perseus_node_device(library.node, gpu->device);
}

bool
double_has_mig(handle gpu)
{
	const char *at = getenv("PERSEUS_NVML_DOUBLE_MIG");
	while (at && *at) {
		char *end = NULL;
		if (strtoul(at, &end, 10) == index_of(gpu) && end != at)
			return true;
		at = *end ? end + 1 : NULL;
	}
	return false;
}

/* Copies a text as NVML does: all of it with its NUL, or none. */
static int
put_text(const char *text, char *out, unsigned int length)
{
	if (!out)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	if (strlen(text) >= length)
		return PERSEUS__NVML_INSUFFICIENT_SIZE;
	memcpy(out, text, strlen(text) + 1);
	return PERSEUS__NVML_OK;
}

static int
open_node(void)
{
	const char *spec = getenv("PERSEUS_NVML_DOUBLE");
	struct perseus_error err = {.message = ""};
	if (!spec)
		return PERSEUS__NVML_DRIVER_NOT_LOADED;
	if (perseus_node_open(spec, NULL, &library.node, &err) != PERSEUS_OK) {
		(void)fprintf(stderr, "nvml double: %s\n", err.message);
		return UNKNOWN;
	}
	library.n_gpus = 0;
	for (int32_t i = 0; i < perseus_node_n_devices(library.node) && library.n_gpus < MAX_GPUS; i++) {
		if (perseus_node_device(library.node, i)->kind != PERSEUS_DEVICE_GPU)
			continue;
		library.gpus[library.n_gpus] = (struct perseus__nvml_device){.device = i};
		library.slices[library.n_gpus++] = (struct perseus__nvml_device){.device = i, .is_slice = true};
	}
	return PERSEUS__NVML_OK;
}

int
nvmlInitWithFlags(unsigned int flags)
{
	(void)flags;
	int result = wanted_failure("nvmlInit_v2", MAX_GPUS);
	if (result)
		return result;
	(void)pthread_mutex_lock(&library.mutex);
	if (library.n_inits == 0)
		result = open_node();
	if (result == PERSEUS__NVML_OK)
		library.n_inits++;
	(void)pthread_mutex_unlock(&library.mutex);
	return result;
}

int
nvmlInit_v2(void)
{
	return nvmlInitWithFlags(0);
}

int
nvmlShutdown(void)
{
	(void)pthread_mutex_lock(&library.mutex);
	const int result = library.n_inits > 0 ? PERSEUS__NVML_OK : UNINITIALIZED;
	library.n_inits -= library.n_inits > 0;
	if (library.n_inits == 0 && library.node) {
		perseus_node_close(library.node);
		library.node = NULL;
		library.n_gpus = 0;
	}
	(void)pthread_mutex_unlock(&library.mutex);
	return result;
}

const char *
nvmlErrorString(int result)
{
	static const struct {
		int result;
		const char *text;
	} texts[] = {
		{PERSEUS__NVML_OK, "Success"},
		{UNINITIALIZED, "Uninitialized"},
		{PERSEUS__NVML_INVALID_ARGUMENT, "Invalid Argument"},
		{PERSEUS__NVML_NOT_SUPPORTED, "Not Supported"},
		{PERSEUS__NVML_NO_PERMISSION, "Insufficient Permissions"},
		{PERSEUS__NVML_NOT_FOUND, "Not Found"},
		{PERSEUS__NVML_INSUFFICIENT_SIZE, "Insufficient Size"},
		{PERSEUS__NVML_DRIVER_NOT_LOADED, "Driver Not Loaded"},
		{PERSEUS__NVML_FUNCTION_NOT_FOUND, "Function Not Found"},
		{GPU_IS_LOST, "GPU is lost"},
		{VERSION_MISMATCH, "Argument version mismatch"},
		{PERSEUS__NVML_DEPRECATED, "Requested functionality has been deprecated"},
	};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (texts[i].result == result)
			return texts[i].text;
	return "Unknown Error";
}

int
nvmlSystemGetDriverVersion(char *version, unsigned int length)
{
	const int refused = begin("nvmlSystemGetDriverVersion");
	return refused ? refused : put_text("550.00-double", version, length);
}

int
nvmlDeviceGetCount_v2(unsigned int *n)
{
	const int refused = begin("nvmlDeviceGetCount_v2");
	if (refused || !n)
		return refused ? refused : PERSEUS__NVML_INVALID_ARGUMENT;
	*n = library.n_gpus;
	return PERSEUS__NVML_OK;
}

int
nvmlDeviceGetHandleByIndex_v2(unsigned int index, handle *gpu)
{
	if (library.n_inits == 0)
		return UNINITIALIZED;
	if (!gpu || index >= library.n_gpus)
		return PERSEUS__NVML_INVALID_ARGUMENT;
	const int refused = wanted_failure("nvmlDeviceGetHandleByIndex_v2", index);
	if (refused == PERSEUS__NVML_OK)
		*gpu = &library.gpus[index];
	return refused;
}

int
nvmlDeviceGetHandleByUUID(const char *uuid, handle *gpu)
{
	const int refused = begin("nvmlDeviceGetHandleByUUID");
	if (refused || !uuid || !gpu)
		return refused ? refused : PERSEUS__NVML_INVALID_ARGUMENT;
	for (unsigned int i = 0; i < library.n_gpus; i++) {
		const char *own = info_of(&library.gpus[i])->uuid;
		const bool is_gpu = strcmp(uuid, own) == 0;
		if (!is_gpu
				&& (!double_has_mig(&library.gpus[i]) || strncmp(uuid, "MIG-", 4) != 0
						|| strcmp(uuid + 4, own + 4) != 0))
			continue;
		*gpu = is_gpu ? &library.gpus[i] : &library.slices[i];
		return PERSEUS__NVML_OK;
	}
	return PERSEUS__NVML_NOT_FOUND;
}

int
nvmlDeviceGetHandleByPciBusId_v2(const char *pci, handle *gpu)
{
	const int refused = begin("nvmlDeviceGetHandleByPciBusId_v2");
	if (refused || !pci || !gpu)
		return refused ? refused : PERSEUS__NVML_INVALID_ARGUMENT;
	for (unsigned int i = 0; i < library.n_gpus; i++) {
		/* the domain has 4 digits or 8 */
		const char *own = info_of(&library.gpus[i])->pci_address;
		const size_t more = strlen(pci) > strlen(own) ? strlen(pci) - strlen(own) : 0;
		if (strcasecmp(pci + more, own) != 0)
			continue;
		*gpu = &library.gpus[i];
		return PERSEUS__NVML_OK;
	}
	return PERSEUS__NVML_NOT_FOUND;
}

int
nvmlDeviceGetIndex(handle gpu, unsigned int *index)
{
	const int refused = double_begin("nvmlDeviceGetIndex", gpu, index);
	if (refused == PERSEUS__NVML_OK)
		*index = index_of(gpu);
	return refused;
}

int
nvmlDeviceGetName(handle gpu, char *name, unsigned int length)
{
	const int refused = double_begin("nvmlDeviceGetName", gpu, name);
	const char *instead = getenv("PERSEUS_NVML_DOUBLE_NAME");
	return refused ? refused : put_text(instead ? instead : info_of(gpu)->name, name, length);
}

int
nvmlDeviceGetUUID(handle gpu, char *uuid, unsigned int length)
{
	char slice[PERSEUS_DEVICE_TEXT_BYTES + 8];
	if (is_handle(gpu) && gpu->is_slice) {
		(void)snprintf(slice, sizeof slice, "MIG-%s", info_of(gpu)->uuid + strlen("GPU-"));
		return put_text(slice, uuid, length);
	}
	const int refused = double_begin("nvmlDeviceGetUUID", gpu, uuid);
	return refused ? refused : put_text(info_of(gpu)->uuid, uuid, length);
}

int
nvmlDeviceGetPciInfo_v3(handle gpu, struct perseus__nvml_pci *pci)
{
	const int refused = double_begin("nvmlDeviceGetPciInfo_v3", gpu, pci);
	if (refused)
		return refused;
	char *at = NULL;
	*pci = (struct perseus__nvml_pci){
		.device_id = (uint32_t)double_number("PERSEUS_NVML_DOUBLE_PCI_ID", PCI_ID_A100) << 16 | VENDOR_NVIDIA};
	pci->domain = (uint32_t)strtoul(info_of(gpu)->pci_address, &at, 16);
	pci->bus = (uint32_t)strtoul(at + 1, &at, 16);
	pci->device = (uint32_t)strtoul(at + 1, &at, 16);
	(void)snprintf(pci->bus_id_legacy, sizeof pci->bus_id_legacy, "%04X:%02X:%02X.0", pci->domain & 0xffffu,
			pci->bus & 0xffu, pci->device & 0xffu);
	(void)snprintf(pci->bus_id, sizeof pci->bus_id, "%08X:%02X:%02X.0", pci->domain, pci->bus, pci->device);
	return PERSEUS__NVML_OK;
}

int
nvmlDeviceGetArchitecture(handle gpu, unsigned int *architecture)
{
	const int refused = double_begin("nvmlDeviceGetArchitecture", gpu, architecture);
	if (refused == PERSEUS__NVML_OK)
		*architecture = (unsigned int)double_number("PERSEUS_NVML_DOUBLE_ARCHITECTURE", PERSEUS__NVML_AMPERE);
	return refused;
}

int
nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle slice, handle *gpu)
{
	const int refused = begin("nvmlDeviceGetDeviceHandleFromMigDeviceHandle");
	if (refused || !is_handle(slice) || !gpu)
		return refused ? refused : PERSEUS__NVML_INVALID_ARGUMENT;
	if (!slice->is_slice)
		return PERSEUS__NVML_NOT_SUPPORTED;
	*gpu = &library.gpus[index_of(slice)];
	return PERSEUS__NVML_OK;
}
