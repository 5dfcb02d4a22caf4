/*
 * Tables of the job server. Names end in units; what is not known is NULL. Documents are JSON as the wire has it where
 * there is a wire for them, so that one decoder reads both.
 */
#include "server/store_internal.h"

const char *const perseus__store_migrations[] = {
	"CREATE TABLE jobs ("
	" id TEXT PRIMARY KEY,"
	" key TEXT UNIQUE,"
	" document TEXT NOT NULL," /* the registration */
	" state TEXT NOT NULL CHECK (state IN ('running', 'ended')),"
	" reason TEXT," /* why it ended */
	" created_ms INTEGER NOT NULL,"
	" seen_ms INTEGER NOT NULL," /* when somebody last spoke of it, give or take a minute */
	" ended_ms INTEGER,"
	" target TEXT," /* as set; NULL: that of the registration */
	" profile TEXT" /* fingerprint of the profile that it has */
	") STRICT, WITHOUT ROWID;"
	/* Most ranks share their order with others. */
	"CREATE TABLE orders ("
	" job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
	" id INTEGER NOT NULL,"
	" instructions TEXT NOT NULL,"
	" PRIMARY KEY (job, id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE ranks ("
	" job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
	" rank INTEGER NOT NULL,"
	" document TEXT NOT NULL," /* the registration without its order */
	" order_id INTEGER NOT NULL,"
	" PRIMARY KEY (job, rank)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE profiles ("
	" fingerprint TEXT PRIMARY KEY,"
	" document TEXT NOT NULL," /* rows with standard errors, blocking powers, calibration */
	" csv TEXT NOT NULL,"      /* as uploaded, or as it is given out */
	" created_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE revisions ("
	" job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
	" pipeline INTEGER NOT NULL,"
	" revision INTEGER NOT NULL,"
	" phase TEXT NOT NULL CHECK (phase IN ('profile', 'plan', 'free')),"
	" reason TEXT NOT NULL,"
	" program TEXT NOT NULL," /* segments */
	" predicted TEXT,"        /* what a plan promises */
	" created_ms INTEGER NOT NULL,"
	" from_step INTEGER," /* NULL: not begun */
	" PRIMARY KEY (job, pipeline, revision)"
	") STRICT, WITHOUT ROWID;"
	/* Announced ones; those that are detected show in the reports. */
	"CREATE TABLE stragglers ("
	" job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
	" pipeline INTEGER NOT NULL,"
	" from_ms INTEGER NOT NULL," /* Unix time */
	" degree REAL NOT NULL,"
	" PRIMARY KEY (job, pipeline, from_ms)"
	") STRICT, WITHOUT ROWID;"
	/* Posts as they came. A post is gone once it is among the sums and the job has enough later ones. */
	"CREATE TABLE reports ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,"
	" rank INTEGER NOT NULL,"
	" epoch INTEGER NOT NULL,"     /* counts how often steps began anew */
	" last_step INTEGER NOT NULL," /* -1: windows alone */
	" body TEXT NOT NULL"
	") STRICT;"
	"CREATE INDEX reports_by_step ON reports (job, epoch, last_step);"
	/* What is left of reports that are gone: sums over all steps up to `step` of `epoch`, and of the epochs before. */
	"CREATE TABLE sums ("
	" job TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,"
	" epoch INTEGER NOT NULL,"
	" step INTEGER NOT NULL,"
	" document TEXT NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE documents ("
	" collection TEXT NOT NULL,"
	" key TEXT NOT NULL,"
	" document TEXT NOT NULL,"
	" PRIMARY KEY (collection, key)"
	") STRICT, WITHOUT ROWID;",
};

_Static_assert(sizeof perseus__store_migrations / sizeof *perseus__store_migrations == PERSEUS__STORE_VERSION,
		"every version has a script that leads to it");
