/* Devices and what is read of them, in words. */
#include "cli/device_words.h"

#include <stdio.h>

enum { MAX_RUNS = 3, SHORTEST_RUN = 3 };

const char *
perseus__device_kind_word(enum perseus_device_kind kind)
{
	switch (kind) {
	case PERSEUS_DEVICE_GPU:
		return "GPU";
	case PERSEUS_DEVICE_CPU:
		return "CPU";
	case PERSEUS_DEVICE_DRAM:
		return "DRAM";
	}
	return "device";
}

void
perseus__add_device_labels(
		struct perseus__text *text, const struct perseus_node *node, const int32_t *devices, int32_t n)
{
	int32_t next = 0;
	while (next < n) {
		const struct perseus_device_info *first = perseus_node_device(node, devices[next]);
		int32_t last_index = first->index;
		perseus__text_addf(
				text, "%s%s %d", next ? ", " : "", perseus__device_kind_word(first->kind), (int)first->index);
		for (next++; next < n; next++) {
			const struct perseus_device_info *info = perseus_node_device(node, devices[next]);
			if (info->kind != first->kind || info->is_simulated != first->is_simulated || info->index != last_index + 1)
				break;
			last_index = info->index;
		}
		if (last_index != first->index)
			perseus__text_addf(text, "-%d", (int)last_index);
		if (first->is_simulated)
			perseus__text_addf(text, " (simulated)");
	}
}

/* How many clocks from `mhz` on, of `n`, are evenly spaced. */
static int32_t
run_length(const int32_t *mhz, int32_t n)
{
	int32_t length = n < 2 ? n : 2;
	while (length < n && mhz[length] - mhz[length - 1] == mhz[1] - mhz[0])
		length++;
	return length < SHORTEST_RUN ? 1 : length;
}

void
perseus__add_clocks(struct perseus__text *text, const int32_t *mhz, int32_t n)
{
	int32_t begins[MAX_RUNS + 1] = {0}; /* of runs, from high to low; the end of the last behind it */
	int n_runs = 0;
	for (int32_t end = 0; end < n && n_runs <= MAX_RUNS; n_runs++) {
		if (n_runs == MAX_RUNS) {
			perseus__text_addf(text, "%d-%d (%d)", (int)mhz[n - 1], (int)mhz[0], (int)n);
			return;
		}
		end += run_length(mhz + end, n - end);
		begins[n_runs + 1] = end;
	}
	for (int run = n_runs - 1; run >= 0; run--) {
		const int32_t *high = mhz + begins[run];
		const int32_t length = begins[run + 1] - begins[run];
		perseus__text_addf(text, "%d", (int)high[length - 1]);
		if (length > 1)
			perseus__text_addf(text, "-%d step %d (%d)", (int)high[0], (int)(high[0] - high[1]), (int)length);
		perseus__text_addf(text, "%s", run > 0 ? ", " : "");
	}
}

const char *
perseus__next_reason(int64_t *reasons, char number[PERSEUS__REASON_BYTES])
{
	if (*reasons == 0)
		return NULL;
	const int64_t reason = *reasons & -*reasons;
	*reasons ^= reason;
	const char *name = reason <= INT32_MAX ? perseus_reason_name((enum perseus_reason)reason) : NULL;
	if (name)
		return name;
	(void)snprintf(number, PERSEUS__REASON_BYTES, "0x%llx", (unsigned long long)reason);
	return number;
}
