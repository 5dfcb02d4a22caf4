/*
 * What a second takes of each device:
 *
 *     cc measure.c $(pkg-config --cflags --libs perseus-meter) -o measure && ./measure sim:a100x2
 */
#include <perseus/meter.h>

#include <stdio.h>
#include <unistd.h>

enum { MAX_DEVICES = 64 };

static void
print(const struct perseus_device_info *info, const struct perseus_reading *reading)
{
	printf("%s %d%s: ", perseus_device_kind_name(info->kind), (int)info->index,
			info->is_simulated ? " (simulated)" : "");
	if (reading->method == PERSEUS_METHOD_NONE)
		printf("not measured: %s\n", reading->reason);
	else
		printf("%.2f J +- %.2f J by %s, %.1f W\n", reading->energy_j, reading->error_j,
				perseus_method_name(reading->method), reading->average_power_w);
}

int
main(int argc, char **argv)
{
	struct perseus_node *node;
	struct perseus_meter *meter;
	struct perseus_window_result result;
	struct perseus_reading readings[MAX_DEVICES];
	struct perseus_error err;
	int64_t window;
	if (perseus_node_open(argc > 1 ? argv[1] : "auto", NULL, &node, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	for (int32_t i = 0; i < perseus_node_n_notes(node); i++)
		fprintf(stderr, "%s\n", perseus_node_note(node, i));
	if (perseus_node_n_devices(node) > MAX_DEVICES || perseus_meter_new(node, NULL, &meter, &err)
			|| perseus_meter_begin(meter, "a second", &window, &err))
		return fprintf(stderr, "no meter\n"), 1;
	sleep(1); /* here your work */
	if (perseus_meter_end(meter, window, &result, readings, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	for (int32_t i = 0; i < result.n_readings; i++)
		print(perseus_node_device(node, readings[i].device), &readings[i]);
	perseus_meter_free(meter);
	perseus_node_close(node);
	return 0;
}
