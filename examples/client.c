/*
 * A rank of a pipeline of one stage that tells Perseus what it runs, on a GPU of any kind, or a simulated one:
 *
 *     cc client.c $(pkg-config --cflags --libs perseus-client) -o client
 *     ./client http://localhost:7787 sim:a100
 *
 * With "" for the server nothing is planned; times are still taken.
 */
#include <perseus/client.h>

#include <stdio.h>
#include <time.h>

enum { N_STEPS = 20, N_MICROBATCHES = 4 };

/* Called by the client's thread. */
static void
print_line(void *user, const char *line)
{
	(void)user;
	(void)printf("perseus: %s\n", line);
}

/* In place of a forward or a backward. */
static void
work(long ms)
{
	const struct timespec time = {.tv_nsec = ms * 1000000};
	(void)nanosleep(&time, NULL);
}

static void
run_step(struct perseus_client *client)
{
	perseus_client_step_begin(client);
	for (int microbatch = 0; microbatch < N_MICROBATCHES; microbatch++) {
		perseus_client_begin(client, PERSEUS_KIND_FORWARD, 0, microbatch);
		work(3);
		perseus_client_end(client);
		perseus_client_begin(client, PERSEUS_KIND_BACKWARD, 0, microbatch);
		work(6);
		perseus_client_end(client);
	}
	perseus_client_step_end(client);
}

int
main(int argc, char **argv)
{
	struct perseus_client *client = NULL;
	struct perseus_client_info info;
	struct perseus_error err;
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.server_url = argc > 1 ? argv[1] : NULL;
	settings.devices = argc > 2 ? argv[2] : NULL;
	settings.job_name = "example";
	settings.log = print_line;
	if (perseus_client_open(&settings, &client, &err) != PERSEUS_OK) {
		(void)fprintf(stderr, "%s\n", err.message);
		return perseus_status_exit_code(err.status);
	}
	for (int step = 0; step < N_STEPS; step++)
		run_step(client);
	perseus_client_info(client, &info);
	(void)printf("%s: %lld steps, %lld as planned, clocks by %s\n", info.phase[0] ? info.phase : "no plan",
			(long long)info.n_steps, (long long)info.n_followed, perseus_control_name(info.control));
	perseus_client_close(client);
	return 0;
}
