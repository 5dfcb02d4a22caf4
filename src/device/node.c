/* A node: the devices of one machine, opened by the backends that a spec names. */
#include "device/device.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A backend's own state, and how it is closed. */
struct owned {
	void *backend;
	void (*close)(void *backend);
};

struct perseus_node {
	struct perseus__device *devices;
	size_t n_devices;
	size_t cap_devices;
	const char **notes; /* owned */
	size_t n_notes;
	size_t cap_notes;
	struct owned *owned;
	size_t n_owned;
	size_t cap_owned;
	struct perseus_node_settings settings;
};

static const struct backend {
	const char *name;
	bool is_in_auto;
	bool is_of_process; /* its driver does not survive a fork */
	enum perseus_status (*open)(struct perseus_node *node, const char *argument,
			const struct perseus_node_settings *settings, struct perseus_error *err);
} backends[] = {
	{"nvml", true, true, perseus__nvml_open},
	{"rapl", true, false, perseus__rapl_open},
	{"sim", false, false, perseus__sim_open},
	{"replay", false, false, perseus__replay_open},
};

enum { N_BACKENDS = sizeof backends / sizeof *backends, MAX_SPEC_BYTES = 4096 };

/* Which backends of a spec are opened. */
enum share { SHARE_ALL, SHARE_BEFORE_FORK, SHARE_AFTER_FORK };

static bool
is_in_share(const struct backend *backend, enum share share)
{
	return share == SHARE_ALL || backend->is_of_process == (share == SHARE_AFTER_FORK);
}

enum perseus_status
perseus__node_add(struct perseus_node *node, const struct perseus__device *device, struct perseus_error *err)
{
	if (!perseus__reserve(&node->devices, &node->cap_devices, node->n_devices + 1, sizeof *node->devices))
		return perseus__no_memory(err);
	node->devices[node->n_devices++] = *device;
	return PERSEUS_OK;
}

enum perseus_status
perseus__node_note(struct perseus_node *node, struct perseus_error *err, const char *format, ...)
{
	char text[PERSEUS_ERROR_MESSAGE_BYTES];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args); /* a longer note is cut */
	va_end(args);
	if (!perseus__reserve(&node->notes, &node->cap_notes, node->n_notes + 1, sizeof *node->notes))
		return perseus__no_memory(err);
	const char *copy = perseus__copy_string(text);
	if (!copy)
		return perseus__no_memory(err);
	node->notes[node->n_notes++] = copy;
	return PERSEUS_OK;
}

enum perseus_status
perseus__node_own(struct perseus_node *node, void *backend, void (*close)(void *backend), struct perseus_error *err)
{
	if (!perseus__reserve(&node->owned, &node->cap_owned, node->n_owned + 1, sizeof *node->owned))
		return perseus__no_memory(err);
	node->owned[node->n_owned++] = (struct owned){backend, close};
	return PERSEUS_OK;
}

static enum perseus_status
open_backend(struct perseus_node *node, const struct backend *backend, const char *argument, struct perseus_error *err)
{
	const size_t first = node->n_devices;
	const enum perseus_status status = backend->open(node, argument, &node->settings, err);
	if (status != PERSEUS_OK) {
		node->n_devices = first;
		return status;
	}
	for (size_t i = first; i < node->n_devices; i++)
		(void)snprintf(node->devices[i].info.backend, sizeof node->devices[i].info.backend, "%s", backend->name);
	return PERSEUS_OK;
}

/* Every backend of "auto"; one that is not there becomes a note. */
static enum perseus_status
open_auto(struct perseus_node *node, enum share share, struct perseus_error *err)
{
	for (int i = 0; i < N_BACKENDS; i++) {
		if (!backends[i].is_in_auto || !is_in_share(&backends[i], share))
			continue;
		struct perseus_error why = {.message = ""};
		const enum perseus_status status = open_backend(node, &backends[i], NULL, &why);
		if (status == PERSEUS_NO_MEMORY)
			return perseus__no_memory(err);
		if (status != PERSEUS_OK && perseus__node_note(node, err, "%s: %s", backends[i].name, why.message))
			return PERSEUS_NO_MEMORY;
	}
	return PERSEUS_OK;
}

/* One part of a spec, NUL-terminated: "NAME" or "NAME:ARGUMENT". */
static enum perseus_status
open_part(struct perseus_node *node, char *part, enum share share, struct perseus_error *err)
{
	char *colon = strchr(part, ':');
	if (colon)
		*colon = '\0';
	if (strcmp(part, "auto") == 0 && !colon)
		return open_auto(node, share, err);
	for (int i = 0; i < N_BACKENDS; i++) {
		if (strcmp(part, backends[i].name) != 0)
			continue;
		if (!is_in_share(&backends[i], share))
			return PERSEUS_OK;
		struct perseus_error why = {.message = ""};
		const enum perseus_status status = open_backend(node, &backends[i], colon ? colon + 1 : NULL, &why);
		return status == PERSEUS_OK ? PERSEUS_OK : perseus__fail(err, status, "%s: %s", part, why.message);
	}
	return perseus__fail(err, PERSEUS_INVALID, "'%s' is no kind of device: auto, nvml, rapl, sim or replay", part);
}

static enum perseus_status
open_parts(struct perseus_node *node, const char *spec, enum share share, struct perseus_error *err)
{
	char parts[MAX_SPEC_BYTES];
	if (snprintf(parts, sizeof parts, "%s", spec) >= (int)sizeof parts)
		return perseus__fail(err, PERSEUS_INVALID, "the list of devices is longer than %d bytes", MAX_SPEC_BYTES - 1);
	char *part = parts;
	while (part) {
		char *plus = strchr(part, '+');
		if (plus)
			*plus = '\0';
		const enum perseus_status status = open_part(node, part, share, err);
		if (status != PERSEUS_OK)
			return status;
		part = plus ? plus + 1 : NULL;
	}
	return PERSEUS_OK;
}

static enum perseus_status
open_share(struct perseus_node *node, const char *spec, const struct perseus_node_settings *settings, enum share share,
		struct perseus_error *err)
{
	if (settings)
		node->settings = *settings;
	const enum perseus_status status = open_parts(node, spec, share, err);
	/* The caller's strings were for opening. */
	node->settings.visible_gpus = NULL;
	node->settings.rapl_root = NULL;
	return status;
}

static enum perseus_status
open_new(const char *spec, const struct perseus_node_settings *settings, enum share share, struct perseus_node **out,
		struct perseus_error *err)
{
	struct perseus_node *node = perseus__new_array(1, sizeof *node);
	if (!node)
		return perseus__no_memory(err);
	const enum perseus_status status = open_share(node, spec, settings, share, err);
	if (status != PERSEUS_OK) {
		perseus_node_close(node);
		return status;
	}
	*out = node;
	return PERSEUS_OK;
}

enum perseus_status
perseus_node_open(const char *spec, const struct perseus_node_settings *settings, struct perseus_node **out,
		struct perseus_error *err)
{
	return open_new(spec, settings, SHARE_ALL, out, err);
}

enum perseus_status
perseus__node_open_before_fork(const char *spec, const struct perseus_node_settings *settings,
		struct perseus_node **out, struct perseus_error *err)
{
	return open_new(spec, settings, SHARE_BEFORE_FORK, out, err);
}

enum perseus_status
perseus__node_open_after_fork(struct perseus_node *node, const char *spec, const struct perseus_node_settings *settings,
		struct perseus_error *err)
{
	return open_share(node, spec, settings, SHARE_AFTER_FORK, err);
}

void
perseus_node_close(struct perseus_node *node)
{
	if (!node)
		return;
	while (node->n_owned > 0) {
		const struct owned *last = &node->owned[--node->n_owned];
		last->close(last->backend);
	}
	for (size_t i = 0; i < node->n_notes; i++)
		perseus__free(node->notes[i]);
	perseus__free(node->notes);
	perseus__free(node->owned);
	perseus__free(node->devices);
	perseus__free(node);
}

int32_t
perseus_node_n_devices(const struct perseus_node *node)
{
	return (int32_t)node->n_devices;
}

const struct perseus_device_info *
perseus_node_device(const struct perseus_node *node, int32_t device)
{
	return &node->devices[device].info;
}

const struct perseus__device *
perseus__node_at(const struct perseus_node *node, int32_t device)
{
	return &node->devices[device];
}

struct perseus__device *
perseus__node_change(struct perseus_node *node, int32_t device)
{
	return &node->devices[device];
}

int32_t
perseus_node_n_notes(const struct perseus_node *node)
{
	return (int32_t)node->n_notes;
}

const char *
perseus_node_note(const struct perseus_node *node, int32_t note)
{
	return node->notes[note];
}

int64_t
perseus_node_now_ns(const struct perseus_node *node)
{
	return node->settings.now_ns ? node->settings.now_ns(node->settings.now_user) : perseus__clock_mono_ns();
}
