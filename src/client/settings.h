/* Settings of a client, checked and kept. */
#ifndef PERSEUS_CLIENT_SETTINGS_H
#define PERSEUS_CLIENT_SETTINGS_H

#include <stdbool.h>

#include <perseus/client.h>

/* INVALID with the name of the member. The order's texts are looked at by perseus__order_read. */
PERSEUS_MUST_USE enum perseus_status perseus__settings_check(
		const struct perseus_client_settings *settings, struct perseus_error *err);

/*
 * A copy that has texts of its own, and defaults where there were none. The order and the devices' texts are left out:
 * they are used up in opening a client. False where there is no memory; perseus__settings_fini is due in any case.
 */
bool perseus__settings_copy(struct perseus_client_settings *copy, const struct perseus_client_settings *settings);
void perseus__settings_fini(struct perseus_client_settings *settings);

#endif
