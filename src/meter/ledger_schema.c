/*
 * Tables of the ledger. Names end in units; what is not known is NULL. Texts of the enums are those of their maps.
 *
 * pid to boot_id say which process notes the run, so that a run whose process went away is known as lost.
 */
#include "meter/ledger_internal.h"

const char *const perseus__ledger_migrations[] = {
	"CREATE TABLE runs ("
	" id INTEGER PRIMARY KEY,"
	" uuid TEXT NOT NULL UNIQUE,"
	" state TEXT NOT NULL CHECK (state IN ('running', 'done')),"
	" begin_ms INTEGER NOT NULL," /* Unix time */
	" end_ms INTEGER,"
	" time_s REAL,"
	" command TEXT NOT NULL CHECK (json_type(command) = 'array')," /* argv */
	" cwd TEXT,"
	" host TEXT,"
	" user TEXT,"
	" exit_status INTEGER,"
	" signal INTEGER,"
	" job TEXT,"
	" rank INTEGER,"
	" perseus_version TEXT,"
	" is_simulated INTEGER,"
	" peak_power_w REAL," /* of all devices together */
	" note TEXT,"
	" pid INTEGER,"
	" start_ticks INTEGER,"
	" pid_namespace INTEGER,"
	" boot_id TEXT"
	") STRICT;"
	"CREATE TABLE devices ("
	" run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,"
	" position INTEGER NOT NULL,"
	" kind TEXT NOT NULL,"
	" device_index INTEGER NOT NULL,"
	" uuid TEXT,"
	" pci_address TEXT,"
	" name TEXT,"
	" architecture TEXT,"
	" backend TEXT,"
	" is_simulated INTEGER NOT NULL,"
	" is_mig INTEGER NOT NULL,"
	" is_module INTEGER NOT NULL,"
	" method TEXT NOT NULL,"
	" energy_j REAL,"
	" error_j REAL,"
	" average_power_w REAL,"
	" peak_power_w REAL,"
	" reason TEXT," /* why there is no energy */
	" note TEXT,"
	" PRIMARY KEY (run, position)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE factors ("
	" run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,"
	" pue REAL NOT NULL,"
	" gco2e_per_kwh REAL,"
	" zone TEXT,"
	" year INTEGER,"
	" n_hours INTEGER,"
	" intensity_type TEXT,"
	" source TEXT,"
	" no_intensity TEXT," /* why there is none though one was asked for */
	" price_per_kwh REAL,"
	" currency TEXT,"
	" embodied_kg REAL,"
	" lifespan_years REAL,"
	" share REAL"
	") STRICT;"
	"CREATE TABLE footprints ("
	" run INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,"
	" n_devices INTEGER NOT NULL,"
	" n_measured INTEGER NOT NULL,"
	" energy_j REAL,"
	" error_j REAL,"
	" facility_kwh REAL,"
	" operational_gco2e REAL,"
	" embodied_gco2e REAL,"
	" cost REAL"
	") STRICT;"
	"CREATE TABLE results ("
	" run INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,"
	" key TEXT NOT NULL,"
	" number REAL," /* NULL where the text is no number */
	" text TEXT NOT NULL,"
	" PRIMARY KEY (run, key)"
	") STRICT, WITHOUT ROWID;",
};

_Static_assert(sizeof perseus__ledger_migrations / sizeof *perseus__ledger_migrations == PERSEUS__LEDGER_VERSION,
		"every version has a script that leads to it");
