/* A user's program, in the language that C and C++ share: meters a simulated GPU, prints the library's version. */
#include <perseus/meter.h>
#include <perseus/version.h>

#include <stdio.h>

int
main(void)
{
	struct perseus_node *node = NULL;
	struct perseus_meter *meter = NULL;
	int64_t window = 0;
	struct perseus_window_result result;
	struct perseus_reading readings[2];
	struct perseus_error err;
	if (perseus_node_open("sim:a100x2", NULL, &node, &err) != PERSEUS_OK
			|| perseus_meter_new(node, NULL, &meter, &err) != PERSEUS_OK
			|| perseus_meter_begin(meter, "window", &window, &err) != PERSEUS_OK
			|| perseus_meter_end(meter, window, &result, readings, &err) != PERSEUS_OK) {
		printf("%s: %s\n", perseus_status_text(err.status), err.message);
		return 1;
	}
	const bool is_measured = result.n_readings == 2 && readings[1].method != PERSEUS_METHOD_NONE;
	perseus_meter_free(meter);
	perseus_node_close(node);
	printf("%s\n", perseus_version());
	return is_measured ? 0 : 1;
}
