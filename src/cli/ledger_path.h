/* Where the user's ledger of runs lies. */
#ifndef PERSEUS_CLI_LEDGER_PATH_H
#define PERSEUS_CLI_LEDGER_PATH_H

#include <perseus/status.h>

/*
 * `option`, what --ledger was given, or else $PERSEUS_LEDGER, $XDG_STATE_HOME/perseus/runs.db, or
 * ~/.local/state/perseus/runs.db. `*path` is freed with perseus__free. Errors: INVALID where there is no home;
 * NO_MEMORY.
 */
PERSEUS_MUST_USE enum perseus_status perseus__ledger_path(const char *option, char **path, struct perseus_error *err);

#endif
