/* The driver's library: opening, initializing, results. */
#include "device/nvml_library.h"

#include "base/error.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

/* Where each function goes. */
static const struct {
	const char *name;
	size_t offset;
	bool is_required;
} symbols[] = {
#define X(result, name, is_required, parameters) {#name, offsetof(struct perseus__nvml_calls, name), is_required},
	PERSEUS__NVML_CALL_MAP(X)
#undef X
};

enum { N_SYMBOLS = sizeof symbols / sizeof *symbols };

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "POSIX: dlsym returns functions, too");

static enum perseus_status
find_symbols(struct perseus__nvml *nvml, struct perseus_error *err)
{
	for (int i = 0; i < N_SYMBOLS; i++) {
		void *address = dlsym(nvml->library, symbols[i].name);
		if (!address && symbols[i].is_required)
			return perseus__fail(err, PERSEUS_UNSUPPORTED, PERSEUS__NVML_LIBRARY " has no %s: the driver is too old",
					symbols[i].name);
		memcpy((unsigned char *)&nvml->calls + symbols[i].offset, &address, sizeof address);
	}
	return PERSEUS_OK;
}

enum perseus_status
perseus__nvml_load(struct perseus__nvml *nvml, struct perseus_error *err)
{
	nvml->library = dlopen(PERSEUS__NVML_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!nvml->library) {
		const char *why = dlerror();
		return perseus__fail(err, PERSEUS_UNSUPPORTED, "%s", why ? why : PERSEUS__NVML_LIBRARY " cannot be opened");
	}
	const enum perseus_status status = find_symbols(nvml, err);
	if (status != PERSEUS_OK)
		return status;
	const int result = nvml->calls.nvmlInit_v2();
	nvml->is_initialized = result == PERSEUS__NVML_OK;
	return perseus__nvml_result(nvml, result, "nvmlInit_v2", err);
}

void
perseus__nvml_close(struct perseus__nvml *nvml)
{
	if (nvml->is_initialized)
		(void)nvml->calls.nvmlShutdown(); /* nothing is left to do where it fails */
	if (nvml->library)
		(void)dlclose(nvml->library);
}

enum perseus_status
perseus__nvml_result(const struct perseus__nvml *nvml, int result, const char *name, struct perseus_error *err)
{
	if (result == PERSEUS__NVML_OK)
		return PERSEUS_OK;
	enum perseus_status status = PERSEUS_IO;
	if (result == PERSEUS__NVML_NOT_SUPPORTED || result == PERSEUS__NVML_FUNCTION_NOT_FOUND
			|| result == PERSEUS__NVML_DEPRECATED || result == PERSEUS__NVML_DRIVER_NOT_LOADED)
		status = PERSEUS_UNSUPPORTED;
	else if (result == PERSEUS__NVML_NO_PERMISSION)
		status = PERSEUS_DENIED;
	else if (result == PERSEUS__NVML_INVALID_ARGUMENT)
		status = PERSEUS_INVALID;
	if (result == PERSEUS__NVML_FUNCTION_NOT_FOUND)
		return perseus__fail(err, status, "the driver's library has no %s", name);
	const char *text = nvml->calls.nvmlErrorString(result);
	return perseus__fail(err, status, "%s: %s", name, text ? text : "unknown error");
}
