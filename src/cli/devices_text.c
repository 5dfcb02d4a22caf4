/* The devices of a machine as text: who they are, what they read, and what can be set. */
#include "cli/device_words.h"
#include "cli/devices.h"
#include "cli/table.h"

#include "base/memory.h"

#include <stddef.h>
#include <string.h>

enum { BLOCK_BYTES = 16384, WORD_BYTES = 256 };

static void
add_label(struct perseus__table *table, const struct perseus_node *node, int32_t device)
{
	struct perseus__text label = perseus__text_init(WORD_BYTES);
	perseus__add_device_labels(&label, node, &device, 1);
	perseus__table_add(table, "%s", label.failed ? "" : label.bytes);
	table->failed |= label.failed;
	perseus__text_fini(&label);
}

/* What a device is called and where it is; the columns that no device has anything in are left out. */
static void
print_identities(struct perseus__text *text, const struct perseus_node *node)
{
	static const struct {
		const char *heading;
		size_t offset;
	} identities[] = {
		{"name", offsetof(struct perseus_device_info, name)},
		{"architecture", offsetof(struct perseus_device_info, architecture)},
		{"PCI address", offsetof(struct perseus_device_info, pci_address)},
		{"UUID", offsetof(struct perseus_device_info, uuid)},
		{"backend", offsetof(struct perseus_device_info, backend)},
		{"driver", offsetof(struct perseus_device_info, driver)},
	};
	enum { N_IDENTITIES = sizeof identities / sizeof *identities };
	const int32_t n = perseus_node_n_devices(node);
	bool is_shown[N_IDENTITIES] = {false};
	char alignment[N_IDENTITIES + 2] = "l";
	int n_shown = 0;
	for (int i = 0; i < N_IDENTITIES; i++) {
		for (int32_t device = 0; device < n; device++)
			is_shown[i] |= ((const char *)perseus_node_device(node, device))[identities[i].offset] != '\0';
		if (is_shown[i])
			alignment[++n_shown] = 'l';
	}
	struct perseus__table table = perseus__table_init(alignment);
	perseus__table_add(&table, "device");
	for (int i = 0; i < N_IDENTITIES; i++)
		if (is_shown[i])
			perseus__table_add(&table, "%s", identities[i].heading);
	for (int32_t device = 0; device < n; device++) {
		add_label(&table, node, device);
		for (int i = 0; i < N_IDENTITIES; i++)
			if (is_shown[i])
				perseus__table_add(
						&table, "%s", (const char *)perseus_node_device(node, device) + identities[i].offset);
	}
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
}

/* Columns of readings, in what they are printed in; limits stand with what can be set. */
static const struct {
	enum perseus_quantity quantity;
	const char *heading;
	double unit;
	int decimals;
} columns[] = {
	{PERSEUS_QUANTITY_ENERGY, "energy J", 1e6, 3},
	{PERSEUS_QUANTITY_POWER, "power W", 1e3, 1},
	{PERSEUS_QUANTITY_TEMPERATURE, "temp C", 1, 0},
	{PERSEUS_QUANTITY_POWER_LIMIT, "limit W", 1e3, 0},
	{PERSEUS_QUANTITY_PERSISTENCE, "persistence", 1, 0},
	{PERSEUS_QUANTITY_MEMORY_CLOCK, "memory MHz", 1, 0},
	{PERSEUS_QUANTITY_SM_CLOCK, "SM MHz", 1, 0},
	{PERSEUS_QUANTITY_CLOCK_REASONS, "lower because", 1, 0},
};
enum { N_COLUMNS = sizeof columns / sizeof *columns };

static void
add_reasons(struct perseus__table *table, int64_t reasons)
{
	char number[PERSEUS__REASON_BYTES];
	struct perseus__text words = perseus__text_init(WORD_BYTES);
	for (const char *word; (word = perseus__next_reason(&reasons, number));)
		perseus__text_addf(&words, "%s%s", words.length ? ", " : "", word);
	perseus__table_add(table, "%s", words.length && !words.failed ? words.bytes : "");
	table->failed |= words.failed;
	perseus__text_fini(&words);
}

static void
add_reading(struct perseus__table *table, const struct perseus__device_report *report, int column)
{
	const enum perseus_quantity quantity = columns[column].quantity;
	const int64_t value = report->values[quantity];
	if (report->not_read[quantity].status != PERSEUS_OK)
		perseus__table_add(table, "-");
	else if (quantity == PERSEUS_QUANTITY_CLOCK_REASONS)
		add_reasons(table, value);
	else if (quantity == PERSEUS_QUANTITY_PERSISTENCE)
		perseus__table_add(table, "%s", value ? "on" : "off");
	else
		perseus__table_add(table, "%.*f", columns[column].decimals, (double)value / columns[column].unit);
}

/* Without the columns that no device has anything for. */
static void
print_readings(
		struct perseus__text *text, const struct perseus_node *node, const struct perseus__device_report *reports)
{
	const int32_t n = perseus_node_n_devices(node);
	int shown[N_COLUMNS];
	int n_shown = 0;
	char alignment[N_COLUMNS + 2] = "l";
	for (int column = 0; column < N_COLUMNS; column++) {
		bool is_shown = false;
		for (int32_t device = 0; device < n && !is_shown; device++)
			is_shown = reports[device].not_read[columns[column].quantity].status == PERSEUS_OK;
		if (!is_shown)
			continue;
		shown[n_shown++] = column;
		alignment[n_shown] = columns[column].quantity == PERSEUS_QUANTITY_CLOCK_REASONS ? 'l' : 'r';
	}
	if (n_shown == 0)
		return;
	struct perseus__table table = perseus__table_init(alignment);
	perseus__table_add(&table, "device");
	for (int i = 0; i < n_shown; i++)
		perseus__table_add(&table, "%s", columns[shown[i]].heading);
	for (int32_t device = 0; device < n; device++) {
		add_label(&table, node, device);
		for (int i = 0; i < n_shown; i++)
			add_reading(&table, &reports[device], shown[i]);
	}
	perseus__text_addf(text, "\n");
	perseus__table_print(&table, 0, text);
	perseus__table_fini(&table);
}

/* What a setting takes, "" where the device does not tell. */
static void
add_range(struct perseus__text *text, const struct perseus__device_report *report, enum perseus_setting setting)
{
	const int64_t *values = report->values;
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		if (report->n_mhz[setting] == 0)
			return;
		perseus__text_addf(text, " ");
		perseus__add_clocks(text, report->mhz[setting], report->n_mhz[setting]);
		perseus__text_addf(text, " MHz");
		return;
	case PERSEUS_SETTING_POWER_LIMIT:
		if (report->not_read[PERSEUS_QUANTITY_POWER_LIMIT_MIN].status == PERSEUS_OK
				&& report->not_read[PERSEUS_QUANTITY_POWER_LIMIT_MAX].status == PERSEUS_OK)
			perseus__text_addf(text, " %g-%g W", (double)values[PERSEUS_QUANTITY_POWER_LIMIT_MIN] / 1e3,
					(double)values[PERSEUS_QUANTITY_POWER_LIMIT_MAX] / 1e3);
		if (report->not_read[PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT].status == PERSEUS_OK)
			perseus__text_addf(text, ", default %g W", (double)values[PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT] / 1e3);
		return;
	case PERSEUS_SETTING_PERSISTENCE:
		return;
	}
}

static const char *
setting_word(enum perseus_setting setting)
{
	switch (setting) {
	case PERSEUS_SETTING_SM_CLOCKS:
		return "SM clocks";
	case PERSEUS_SETTING_MEMORY_CLOCKS:
		return "memory clocks";
	case PERSEUS_SETTING_POWER_LIMIT:
		return "power limit";
	case PERSEUS_SETTING_PERSISTENCE:
		return "persistence";
	}
	return "";
}

static const char *
quantity_word(enum perseus_quantity quantity)
{
	switch (quantity) {
	case PERSEUS_QUANTITY_ENERGY:
		return "energy";
	case PERSEUS_QUANTITY_POWER:
		return "power";
	case PERSEUS_QUANTITY_SM_CLOCK:
		return "SM clock";
	case PERSEUS_QUANTITY_MEMORY_CLOCK:
		return "memory clock";
	case PERSEUS_QUANTITY_CLOCK_REASONS:
		return "reasons for a lower clock";
	case PERSEUS_QUANTITY_TEMPERATURE:
		return "temperature";
	case PERSEUS_QUANTITY_POWER_LIMIT:
		return "power limit";
	case PERSEUS_QUANTITY_POWER_LIMIT_MIN:
		return "lowest power limit";
	case PERSEUS_QUANTITY_POWER_LIMIT_MAX:
		return "highest power limit";
	case PERSEUS_QUANTITY_POWER_LIMIT_DEFAULT:
		return "default power limit";
	case PERSEUS_QUANTITY_PERSISTENCE:
		return "persistence";
	}
	return "";
}

/* Readings that one may look for: a package or its memory has energy and power at most. */
static bool
is_expected(const struct perseus_device_info *info, enum perseus_quantity quantity)
{
	return info->kind == PERSEUS_DEVICE_GPU || quantity == PERSEUS_QUANTITY_ENERGY
			|| quantity == PERSEUS_QUANTITY_POWER;
}

static bool
is_alike(const struct perseus_error *a, const struct perseus_error *b)
{
	if (a->status == PERSEUS_OK || b->status == PERSEUS_OK)
		return a->status == b->status;
	return strcmp(a->message, b->message) == 0;
}

/* Whether one of `errors` ahead of number `i` was like it. */
static bool
is_said(const struct perseus_error *errors, int i)
{
	for (int k = 0; k < i; k++)
		if (is_alike(&errors[k], &errors[i]))
			return true;
	return false;
}

/* A line for each reason: what could not be read for it. */
static void
add_not_read(
		struct perseus__text *text, const struct perseus_device_info *info, const struct perseus__device_report *report)
{
	const struct perseus_error *errors = report->not_read;
	for (int i = 0; i < PERSEUS_N_QUANTITIES; i++) {
		if (errors[i].status == PERSEUS_OK || is_said(errors, i) || !is_expected(info, (enum perseus_quantity)i))
			continue;
		perseus__text_addf(text, "  not measured  ");
		for (int k = i; k < PERSEUS_N_QUANTITIES; k++)
			if (is_alike(&errors[k], &errors[i]) && is_expected(info, (enum perseus_quantity)k))
				perseus__text_addf(text, "%s%s", k > i ? ", " : "", quantity_word((enum perseus_quantity)k));
		perseus__text_addf(text, ": %s\n", errors[i].message);
	}
}

/* A line of what can be set, and one for each reason why something cannot. */
static void
add_settings(struct perseus__text *text, const struct perseus__device_report *report)
{
	const struct perseus_error *errors = report->not_set;
	for (int i = 0; i < PERSEUS_N_SETTINGS; i++) {
		const bool is_settable = errors[i].status == PERSEUS_OK;
		if (is_said(errors, i))
			continue;
		perseus__text_addf(text, is_settable ? "  can set       " : "  cannot set    ");
		for (int k = i; k < PERSEUS_N_SETTINGS; k++) {
			if (!is_alike(&errors[k], &errors[i]))
				continue;
			perseus__text_addf(text, "%s%s", k > i ? "; " : "", setting_word((enum perseus_setting)k));
			add_range(text, report, (enum perseus_setting)k);
		}
		perseus__text_addf(text, "%s%s\n", is_settable ? "" : ": ", is_settable ? "" : errors[i].message);
	}
}

/* What holds for a device, in lines. Devices of one kind mostly say the same. */
static void
add_block(
		struct perseus__text *text, const struct perseus_device_info *info, const struct perseus__device_report *report)
{
	add_settings(text, report);
	add_not_read(text, info, report);
	if (*info->note)
		perseus__text_addf(text, "  note          %s\n", info->note);
}

/* Whether the blocks of two devices are the same, empty ones included. */
static bool
is_same(const struct perseus__text *a, const struct perseus__text *b)
{
	return a->length == b->length && (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

/* Each block once, under the names of all its devices; `blocks` and `devices` have a place for each device. */
static void
print_blocks(struct perseus__text *text, const struct perseus_node *node, const struct perseus__text *blocks,
		int32_t *devices)
{
	const int32_t n = perseus_node_n_devices(node);
	for (int32_t first = 0; first < n; first++) {
		bool is_printed = blocks[first].length == 0;
		for (int32_t i = 0; i < first && !is_printed; i++)
			is_printed = is_same(&blocks[i], &blocks[first]);
		if (is_printed)
			continue;
		int32_t n_same = 0;
		for (int32_t i = first; i < n; i++)
			if (is_same(&blocks[i], &blocks[first]))
				devices[n_same++] = i;
		perseus__text_addf(text, "\n");
		perseus__add_device_labels(text, node, devices, n_same);
		perseus__text_addf(text, "\n");
		perseus__text_add(text, blocks[first].bytes, blocks[first].length);
	}
}

void
perseus__devices_text(
		struct perseus__text *text, const struct perseus_node *node, const struct perseus__device_report *reports)
{
	const int32_t n = perseus_node_n_devices(node);
	struct perseus__text *blocks = perseus__new_array((size_t)n, sizeof *blocks);
	int32_t *devices = perseus__new_array((size_t)n, sizeof *devices);
	text->failed |= !blocks || !devices;
	print_identities(text, node);
	print_readings(text, node, reports);
	for (int32_t device = 0; device < n && blocks; device++) {
		blocks[device] = perseus__text_init(BLOCK_BYTES);
		add_block(&blocks[device], perseus_node_device(node, device), &reports[device]);
		text->failed |= blocks[device].failed;
	}
	if (!text->failed)
		print_blocks(text, node, blocks, devices);
	for (int32_t device = 0; device < n && blocks; device++)
		perseus__text_fini(&blocks[device]);
	perseus__free(blocks);
	perseus__free(devices);
	for (int32_t i = 0; i < perseus_node_n_notes(node); i++)
		perseus__text_addf(text, "%s%s\n", i ? "" : "\n", perseus_node_note(node, i));
}
