/* Where the user's ledger of runs lies. */
#include "cli/ledger_path.h"

#include "base/error.h"
#include "base/memory.h"
#include "format/output_file.h"

#include <stdlib.h>

/* NULL for what is unset or empty. */
static const char *
variable(const char *name)
{
	const char *value = getenv(name);
	return value && *value ? value : NULL;
}

enum perseus_status
perseus__ledger_path(const char *option, char **path, struct perseus_error *err)
{
	const char *whole = option ? option : variable("PERSEUS_LEDGER");
	const char *state = variable("XDG_STATE_HOME");
	const char *home = variable("HOME");
	if (!whole && !state && !home)
		return perseus__fail(err, PERSEUS_INVALID,
				"where is the ledger of runs? Neither --ledger nor PERSEUS_LEDGER, XDG_STATE_HOME or HOME says it");
	char *copy = NULL;
	if (whole)
		copy = perseus__copy_string(whole);
	else
		copy = perseus__output_path(state ? state : home, state ? "perseus/runs.db" : ".local/state/perseus/runs.db");
	if (!copy)
		return perseus__no_memory(err);
	*path = copy;
	return PERSEUS_OK;
}
