/* What a user of libperseus-client writes: compiles as C and as C++, runs without a server, prints the version. */
#include <perseus/client.h>
#include <perseus/version.h>

#include <stdio.h>

int
main(void)
{
	struct perseus_client *client = NULL;
	struct perseus_error err;
	struct perseus_client_settings settings = perseus_client_settings_default();
	settings.control = PERSEUS_CONTROL_NONE;
	if (perseus_client_open(&settings, &client, &err) != PERSEUS_OK) {
		printf("%s\n", err.message);
		return 1;
	}
	perseus_client_step_begin(client);
	perseus_client_begin(client, PERSEUS_KIND_FORWARD, 0, 0);
	perseus_client_end(client);
	perseus_client_step_end(client);
	perseus_client_close(client);
	printf("%s\n", perseus_version());
	return 0;
}
