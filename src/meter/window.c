/* Windows: beginning and ending them, and the table of those that are open. */
#include "meter/meter_internal.h"

#include "base/error.h"
#include "base/memory.h"

#include <string.h>

/* The low bits of a window's id are its slot, the others count the windows begun. */
enum { SLOT_BITS = 25 };

static int32_t
block_size(int32_t block)
{
	return (int32_t)PERSEUS__FIRST_BLOCK << block;
}

/* Slots of the blocks before `block`. */
static int32_t
block_begin(int32_t block)
{
	return block_size(block) - PERSEUS__FIRST_BLOCK;
}

_Static_assert(
		(int64_t)PERSEUS__FIRST_BLOCK << PERSEUS__WINDOW_BLOCKS <= (int64_t)1 << SLOT_BITS, "slots fit into ids");

/* The window of an id; NULL where it is not open. */
static struct perseus__window *
find_window(const struct perseus__window_table *windows, int64_t id)
{
	if (id <= 0)
		return NULL;
	const int32_t slot = (int32_t)(id & (((int64_t)1 << SLOT_BITS) - 1));
	const int32_t block = 31 - __builtin_clz((uint32_t)(slot / PERSEUS__FIRST_BLOCK + 1));
	if (block >= windows->n_blocks)
		return NULL;
	struct perseus__window *window = &windows->blocks[block][slot - block_begin(block)];
	return window->id == id ? window : NULL;
}

static void
push_free(struct perseus__window_table *windows, struct perseus__window *window)
{
	window->id = 0;
	window->next = windows->free;
	windows->free = window;
}

static struct perseus__window *
open_window(struct perseus__window_table *windows)
{
	struct perseus__window *window = windows->free;
	windows->free = window->next;
	window->id = (++windows->n_begun << SLOT_BITS) | window->slot;
	window->depth = windows->n_open++;
	window->previous = NULL;
	window->next = windows->open;
	if (windows->open)
		windows->open->previous = window;
	windows->open = window;
	return window;
}

static void
close_window(struct perseus__window_table *windows, struct perseus__window *window)
{
	if (window->previous)
		window->previous->next = window->next;
	else
		windows->open = window->next;
	if (window->next)
		window->next->previous = window->previous;
	windows->n_open--;
	push_free(windows, window);
}

/* Adds the windows and their shares to the table, unless another thread has added a block meanwhile. */
static bool
add_block(struct perseus_meter *meter, int32_t block, struct perseus__window *added, struct perseus__share *shares)
{
	struct perseus__window_table *windows = &meter->windows;
	(void)pthread_mutex_lock(&meter->mutex);
	const bool is_wanted = windows->n_blocks == block;
	if (is_wanted) {
		windows->blocks[block] = added;
		windows->shares[block] = shares;
		windows->n_blocks++;
		for (int32_t i = block_size(block) - 1; i >= 0; i--) {
			added[i].slot = block_begin(block) + i;
			added[i].shares = shares + (size_t)i * (size_t)meter->n_devices;
			push_free(windows, &added[i]);
		}
	}
	(void)pthread_mutex_unlock(&meter->mutex);
	return is_wanted;
}

/* Adds block `block`, which is the next as far as is known; nothing where another thread was faster. */
static enum perseus_status
grow(struct perseus_meter *meter, int32_t block, struct perseus_error *err)
{
	if (block == PERSEUS__WINDOW_BLOCKS)
		return perseus__fail(
				err, PERSEUS_NO_MEMORY, "%lld windows are open, which is the most", (long long)block_begin(block));
	const size_t n = (size_t)block_size(block);
	struct perseus__window *added = perseus__new_array(n, sizeof *added);
	struct perseus__share *shares = added ? perseus__new_array(n * (size_t)meter->n_devices, sizeof *shares) : NULL;
	if (!shares) {
		perseus__free(added);
		return perseus__no_memory(err);
	}
	if (!add_block(meter, block, added, shares)) {
		perseus__free(shares);
		perseus__free(added);
	}
	return PERSEUS_OK;
}

static void
copy_name(char to[PERSEUS_DEVICE_TEXT_BYTES], const char *name)
{
	size_t length = strnlen(name, PERSEUS_DEVICE_TEXT_BYTES);
	if (length == PERSEUS_DEVICE_TEXT_BYTES) {
		length--;
		while (length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80) /* not within a character of UTF-8 */
			length--;
	}
	memcpy(to, name, length);
	to[length] = '\0';
}

enum perseus_status
perseus_meter_begin(struct perseus_meter *meter, const char *name, int64_t *window, struct perseus_error *err)
{
	int64_t now_ns = perseus_node_now_ns(meter->node);
	perseus__meter_read_and_lock(meter, now_ns);
	while (!meter->windows.free) {
		const int32_t block = meter->windows.n_blocks;
		(void)pthread_mutex_unlock(&meter->mutex);
		const enum perseus_status status = grow(meter, block, err);
		if (status != PERSEUS_OK)
			return status;
		now_ns = perseus_node_now_ns(meter->node);
		perseus__meter_read_and_lock(meter, now_ns);
	}
	struct perseus__window *opened = open_window(&meter->windows);
	opened->begin_ns = now_ns;
	copy_name(opened->name, name);
	for (int32_t i = 0; i < meter->n_devices; i++) {
		const struct perseus__metered *device = &meter->devices[i];
		opened->shares[i].begin = perseus__moment_at(device, now_ns);
		opened->shares[i].peak_mw = device->power.is_known ? device->power.power_mw : -1;
	}
	*window = opened->id;
	(void)pthread_mutex_unlock(&meter->mutex);
	return PERSEUS_OK;
}

static void
report(const struct perseus_meter *meter, const struct perseus__window *window, int64_t now_ns,
		struct perseus_window_result *result, struct perseus_reading *readings)
{
	memcpy(result->name, window->name, sizeof result->name);
	result->begin_ns = window->begin_ns;
	result->time_ns = now_ns - window->begin_ns;
	result->depth = window->depth;
	result->n_readings = meter->n_devices;
	for (int32_t i = 0; i < meter->n_devices; i++) {
		const struct perseus__moment end = perseus__moment_at(&meter->devices[i], now_ns);
		readings[i].device = i;
		perseus__meter_judge(&meter->devices[i], &window->shares[i], &end, &readings[i]);
	}
}

static enum perseus_status
read_window(struct perseus_meter *meter, int64_t id, bool is_end, struct perseus_window_result *result,
		struct perseus_reading *readings, struct perseus_error *err)
{
	const int64_t now_ns = perseus_node_now_ns(meter->node);
	perseus__meter_read_and_lock(meter, now_ns);
	struct perseus__window *window = find_window(&meter->windows, id);
	if (window) {
		report(meter, window, now_ns, result, readings);
		if (is_end)
			close_window(&meter->windows, window);
	}
	(void)pthread_mutex_unlock(&meter->mutex);
	return window ? PERSEUS_OK : perseus__fail(err, PERSEUS_INVALID, "no window %lld is open", (long long)id);
}

enum perseus_status
perseus_meter_end(struct perseus_meter *meter, int64_t window, struct perseus_window_result *result,
		struct perseus_reading *readings, struct perseus_error *err)
{
	return read_window(meter, window, true, result, readings, err);
}

enum perseus_status
perseus_meter_peek(struct perseus_meter *meter, int64_t window, struct perseus_window_result *result,
		struct perseus_reading *readings, struct perseus_error *err)
{
	return read_window(meter, window, false, result, readings, err);
}

void
perseus_meter_drop(struct perseus_meter *meter, int64_t window)
{
	(void)pthread_mutex_lock(&meter->mutex);
	struct perseus__window *found = find_window(&meter->windows, window);
	if (found)
		close_window(&meter->windows, found);
	(void)pthread_mutex_unlock(&meter->mutex);
}

void
perseus__windows_note_power(struct perseus__window_table *windows, int32_t device, int64_t power_mw)
{
	for (struct perseus__window *window = windows->open; window; window = window->next)
		if (window->shares[device].peak_mw < power_mw)
			window->shares[device].peak_mw = power_mw;
}

enum perseus_status
perseus__windows_init(struct perseus_meter *meter, struct perseus_error *err)
{
	return grow(meter, 0, err);
}

void
perseus__windows_fini(struct perseus__window_table *windows)
{
	for (int32_t i = 0; i < windows->n_blocks; i++) {
		perseus__free(windows->shares[i]);
		perseus__free(windows->blocks[i]);
	}
}
