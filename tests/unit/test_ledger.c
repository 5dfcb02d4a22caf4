/* The ledger: what goes in comes out, what is wrong with a file is said, and a run whose process went away is lost. */
#include "example_runs.h"
#include "meter/ledger.h"
#include "meter/ledger_internal.h"
#include "meter/process.h"
#include "suite.h"

#include "base/memory.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOBODY = 65534, PATH_BYTES = 128 };

static char directory[64];
static char path[PATH_BYTES];

static void
make_directory(void)
{
	(void)snprintf(directory, sizeof directory, "/tmp/test-ledger-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(path, sizeof path, "%s/state/perseus/runs.db", directory);
}

static void
remove_directory(void)
{
	static const char *const names[] = {"state/perseus/runs.db", "state/perseus/runs.db-wal",
		"state/perseus/runs.db-shm", "state/perseus", "state", ""};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char name[PATH_BYTES];
		(void)snprintf(name, sizeof name, "%s/%s", directory, names[i]);
		(void)remove(name);
	}
}

static struct perseus__ledger *
open_ledger(enum perseus__ledger_mode mode)
{
	struct perseus__ledger *ledger = NULL;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__ledger_open(path, mode, &ledger, &err) == PERSEUS_OK, "%s", err.message);
	return ledger;
}

static void
require_refused(enum perseus__ledger_mode mode, enum perseus_status status, const char *before, const char *behind)
{
	struct perseus__ledger *ledger = NULL;
	struct perseus_error err = {.message = ""};
	char message[512];
	(void)snprintf(message, sizeof message, "%s%s%s", before, path, behind);
	const enum perseus_status found = perseus__ledger_open(path, mode, &ledger, &err);
	ck_assert_str_eq(err.message, message);
	ck_assert_int_eq(found, status);
	ck_assert_ptr_null(ledger);
}

/* Notes example run `index` from begin to end; its id. */
static int64_t
add_run(struct perseus__ledger *ledger, int index)
{
	struct perseus__run run = example_run(index);
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__ledger_begin_run(ledger, &run, &err) == PERSEUS_OK, "%s", err.message);
	run.state = PERSEUS__RUN_DONE;
	ck_assert_msg(perseus__ledger_finish_run(ledger, &run, &err) == PERSEUS_OK, "%s", err.message);
	const int64_t id = run.id;
	perseus__run_fini(&run);
	return id;
}

static struct perseus__run
get_run(struct perseus__ledger *ledger, int64_t id)
{
	struct perseus__run run;
	struct perseus_error err = {.message = ""};
	ck_assert_msg(perseus__ledger_get(ledger, id, &run, &err) == PERSEUS_OK, "%s", err.message);
	return run;
}

static void
execute(const char *sql)
{
	sqlite3 *database;
	ck_assert_int_eq(sqlite3_open(path, &database), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, "%s", sqlite3_errmsg(database));
	ck_assert_int_eq(sqlite3_close(database), SQLITE_OK);
}

static void
require_same_text(const char *a, const char *b)
{
	ck_assert_msg((!a && !b) || (a && b && strcmp(a, b) == 0), "\"%s\" and \"%s\"", a ? a : "-", b ? b : "-");
}

static void
require_same_devices(const struct perseus__run *a, const struct perseus__run *b)
{
	ck_assert_int_eq(a->n_devices, b->n_devices);
	for (int32_t i = 0; i < a->n_devices; i++) {
		const struct perseus__run_device *x = &a->devices[i], *y = &b->devices[i];
		ck_assert_int_eq(x->info.kind, y->info.kind);
		ck_assert_int_eq(x->info.index, y->info.index);
		ck_assert_str_eq(x->info.uuid, y->info.uuid);
		ck_assert_str_eq(x->info.pci_address, y->info.pci_address);
		ck_assert_str_eq(x->info.name, y->info.name);
		ck_assert_str_eq(x->info.architecture, y->info.architecture);
		ck_assert_str_eq(x->info.backend, y->info.backend);
		ck_assert_int_eq(x->info.is_simulated, y->info.is_simulated);
		ck_assert_int_eq(x->reading.method, y->reading.method);
		ck_assert_double_eq(x->reading.energy_j, y->reading.energy_j);
		ck_assert_double_eq(x->reading.error_j, y->reading.error_j);
		ck_assert_int_eq(x->reading.has_average_power, y->reading.has_average_power);
		ck_assert_double_eq(x->reading.average_power_w, y->reading.average_power_w);
		ck_assert_int_eq(x->reading.has_peak_power, y->reading.has_peak_power);
		ck_assert_double_eq(x->reading.peak_power_w, y->reading.peak_power_w);
		ck_assert_str_eq(x->reading.reason, y->reading.reason);
		ck_assert_str_eq(x->info.note, y->info.note);
	}
}

static void
require_same_footprint(const struct perseus__run *a, const struct perseus__run *b)
{
	ck_assert_double_eq(a->factors.pue, b->factors.pue);
	ck_assert_int_eq(a->factors.has_intensity, b->factors.has_intensity);
	ck_assert_double_eq(a->factors.intensity.gco2e_per_kwh, b->factors.intensity.gco2e_per_kwh);
	ck_assert_str_eq(a->factors.intensity.zone, b->factors.intensity.zone);
	ck_assert_int_eq(a->factors.intensity.year, b->factors.intensity.year);
	ck_assert_int_eq(a->factors.intensity.type, b->factors.intensity.type);
	ck_assert_str_eq(a->factors.intensity.source, b->factors.intensity.source);
	ck_assert_int_eq(a->factors.has_price, b->factors.has_price);
	ck_assert_double_eq(a->factors.price_per_kwh, b->factors.price_per_kwh);
	ck_assert_str_eq(a->factors.currency, b->factors.currency);
	ck_assert_int_eq(a->factors.has_embodied, b->factors.has_embodied);
	ck_assert_double_eq(a->factors.embodied_kg, b->factors.embodied_kg);
	ck_assert_double_eq(a->factors.lifespan_years, b->factors.lifespan_years);
	ck_assert_double_eq(a->factors.share, b->factors.share);
	const struct perseus__footprint *x = &a->footprint, *y = &b->footprint;
	ck_assert_int_eq(x->energy.n_devices, y->energy.n_devices);
	ck_assert_int_eq(x->energy.n_measured, y->energy.n_measured);
	ck_assert_double_eq(x->energy.energy_j, y->energy.energy_j);
	ck_assert_double_eq(x->energy.error_j, y->energy.error_j);
	ck_assert_int_eq(x->has_facility, y->has_facility);
	ck_assert_double_eq(x->facility_kwh, y->facility_kwh);
	ck_assert_int_eq(x->has_operational, y->has_operational);
	ck_assert_double_eq(x->operational_gco2e, y->operational_gco2e);
	ck_assert_int_eq(x->has_embodied, y->has_embodied);
	ck_assert_double_eq(x->embodied_gco2e, y->embodied_gco2e);
	ck_assert_int_eq(x->has_cost, y->has_cost);
	ck_assert_double_eq(x->cost, y->cost);
}

static void
require_same_run(const struct perseus__run *a, const struct perseus__run *b)
{
	ck_assert_str_eq(a->uuid, b->uuid);
	ck_assert_int_eq(a->state, b->state);
	ck_assert(a->begin_ms == b->begin_ms && a->end_ms == b->end_ms);
	ck_assert_double_eq(a->time_s, b->time_s);
	ck_assert_int_eq(a->exit_status, b->exit_status);
	ck_assert_int_eq(a->signal, b->signal);
	ck_assert_int_eq(a->n_command, b->n_command);
	for (int32_t i = 0; i < a->n_command; i++)
		ck_assert_str_eq(a->command[i], b->command[i]);
	require_same_text(a->cwd, b->cwd);
	require_same_text(a->host, b->host);
	require_same_text(a->user, b->user);
	require_same_text(a->job, b->job);
	require_same_text(a->version, b->version);
	require_same_text(a->note, b->note);
	require_same_text(a->no_intensity, b->no_intensity);
	ck_assert_int_eq(a->rank, b->rank);
	ck_assert_int_eq(a->has_peak_power, b->has_peak_power);
	ck_assert_double_eq(a->peak_power_w, b->peak_power_w);
	require_same_devices(a, b);
	require_same_footprint(a, b);
	ck_assert_int_eq(a->n_results, b->n_results);
	for (int32_t i = 0; i < a->n_results; i++) {
		ck_assert_str_eq(a->results[i].key, b->results[i].key);
		ck_assert_str_eq(a->results[i].text, b->results[i].text);
		ck_assert_int_eq(a->results[i].is_number, b->results[i].is_number);
		ck_assert_double_eq(a->results[i].number, b->results[i].number);
	}
}

START_TEST(keeps_all_of_a_run)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	const int64_t id = add_run(ledger, _i);
	perseus__ledger_close(ledger);
	ledger = open_ledger(PERSEUS__LEDGER_READ);
	struct perseus__run kept = get_run(ledger, id), given = example_run(_i);
	ck_assert(kept.id == id);
	require_same_run(&kept, &given);
	perseus__run_fini(&kept);
	perseus__run_fini(&given);
	perseus__ledger_close(ledger);
}
END_TEST

START_TEST(is_for_its_owner_alone)
{
	perseus__ledger_close(open_ledger(PERSEUS__LEDGER_CREATE));
	struct stat info;
	ck_assert_int_eq(stat(path, &info), 0);
	ck_assert_int_eq(info.st_mode & 0777, 0600);
}
END_TEST

START_TEST(gives_a_uuid)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	struct perseus__run a = example_run(4), b = example_run(4);
	*a.uuid = *b.uuid = '\0';
	ck_assert_int_eq(perseus__ledger_begin_run(ledger, &a, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__ledger_begin_run(ledger, &b, NULL), PERSEUS_OK);
	ck_assert_uint_eq(strlen(a.uuid), 36);
	ck_assert_int_eq(a.uuid[14], '4');
	ck_assert_str_ne(a.uuid, b.uuid);
	perseus__run_fini(&a);
	perseus__run_fini(&b);
	perseus__ledger_close(ledger);
}
END_TEST

START_TEST(finishes_a_run_once)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	struct perseus__run run = example_run(0);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__ledger_begin_run(ledger, &run, NULL), PERSEUS_OK);
	struct perseus__run begun = get_run(ledger, run.id);
	ck_assert_int_eq(begun.state, PERSEUS__RUN_RUNNING);
	ck_assert_int_eq(begun.n_devices, 0);
	ck_assert_str_eq(begun.command[1], "train.py");
	perseus__run_fini(&begun);
	ck_assert_int_eq(perseus__ledger_finish_run(ledger, &run, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__ledger_finish_run(ledger, &run, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "there is no unfinished run 1"));
	/* what was refused has left nothing behind, and the next is taken */
	ck_assert_int_eq(add_run(ledger, 1), 2);
	perseus__run_fini(&run);
	perseus__ledger_close(ledger);
}
END_TEST

/* A command may note results while it runs; those that the end brings are added to them. */
START_TEST(takes_results_and_notes_at_any_time)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	struct perseus__run run = example_run(0);
	struct perseus__result result;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__ledger_begin_run(ledger, &run, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__result_parse("accuracy=0.5", &result, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__ledger_add_result(ledger, run.id, &result, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__ledger_set_note(ledger, run.id, "while it runs", NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__run_set_text(&run.note, NULL, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__ledger_finish_run(ledger, &run, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__result_parse("loss=nan", &result, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__ledger_add_result(ledger, run.id, &result, NULL), PERSEUS_OK);
	struct perseus__run kept = get_run(ledger, run.id);
	ck_assert_str_eq(kept.note, "while it runs");
	ck_assert_int_eq(kept.n_results, 4);
	ck_assert_double_eq(perseus__run_result(&kept, "accuracy")->number, 0.5);
	ck_assert_str_eq(perseus__run_result(&kept, "loss")->text, "nan");
	ck_assert(!perseus__run_result(&kept, "loss")->is_number);
	ck_assert_int_eq(perseus__ledger_add_result(ledger, 99, &result, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "there is no run 99"));
	ck_assert_int_eq(perseus__ledger_set_note(ledger, 99, "x", &err), PERSEUS_INVALID);
	ck_assert_int_eq(perseus__ledger_get(ledger, 99, &kept, &err), PERSEUS_INVALID);
	perseus__run_fini(&kept);
	perseus__run_fini(&run);
	perseus__ledger_close(ledger);
}
END_TEST

static const struct {
	struct perseus__ledger_filter filter;
	const char *ids;
} lists[] = {
	{{0}, "12345"},
	{{.limit = 2}, "45"},
	{{.limit = 99}, "12345"},
	{{.has_since = true, .since_ms = 1785585600000 + 86400000}, "2345"},
	{{.host = "node2"}, "4"},
	{{.host = "node"}, ""},
	{{.command = "train.py --na"}, "123"},
	{{.command = "\xc3\xa4"}, "123"},
	{{.command = "TRAIN"}, ""},
	{{.command = "true", .host = "node1", .limit = 1}, "5"},
};

START_TEST(lists_the_latest)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	for (int i = 0; i < N_EXAMPLE_RUNS; i++)
		ck_assert_int_eq(add_run(ledger, i), i + 1);
	int64_t *ids = NULL;
	size_t n = 0;
	ck_assert_int_eq(perseus__ledger_list(ledger, &lists[_i].filter, &ids, &n, NULL), PERSEUS_OK);
	char found[16] = "";
	ck_assert_uint_le(n, N_EXAMPLE_RUNS);
	for (size_t i = 0; i < n && i < N_EXAMPLE_RUNS; i++)
		found[i] = (char)('0' + ids[i]);
	ck_assert_str_eq(found, lists[_i].ids);
	perseus__free(ids);
	perseus__ledger_close(ledger);
}
END_TEST

static const struct {
	const char *name;
	int64_t id; /* 0: not found */
	const char *message;
} names[] = {
	{"2", 2, NULL},
	{"0000002", 2, NULL},
	{"a000", 1, NULL},
	{"B0000000-0000-4000-8000-000000000001", 2, NULL},
	{"77", 0, "there is no run \"77\""},
	{"a00", 0, "there is no run \"a00\""},
	{"a0%", 0, "there is no run \"a0%\""},
	{"", 0, "there is no run \"\""},
	{"-1", 0, "there is no run \"-1\""},
	{"c000", 0, "several runs begin with \"c000\""},
	{"99999999999999999999", 0, "there is no run \"99999999999999999999\""},
	{"\x1b[2J1234", 0, "there is no run \"\\x1b[2J1234\""},
};

START_TEST(finds_by_id_or_uuid)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(add_run(ledger, i), i + 1);
	struct perseus__run twin = example_run(2);
	twin.uuid[9] = '1';
	ck_assert_int_eq(perseus__ledger_begin_run(ledger, &twin, NULL), PERSEUS_OK);
	perseus__run_fini(&twin);
	int64_t id = 0;
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = perseus__ledger_find(ledger, names[_i].name, &id, &err);
	ck_assert_int_eq(status, names[_i].id ? PERSEUS_OK : PERSEUS_INVALID);
	ck_assert_int_eq(id, names[_i].id);
	if (names[_i].message)
		ck_assert_msg(strstr(err.message, names[_i].message) != NULL, "%s", err.message);
	perseus__ledger_close(ledger);
}
END_TEST

/* Notes a run in a process of its own, which ends without finishing it. */
static void
begin_and_die(void)
{
	const pid_t child = fork();
	if (child == 0) {
		struct perseus__ledger *ledger = NULL;
		struct perseus__run run = example_run(0);
		const bool is_good = perseus__ledger_open(path, PERSEUS__LEDGER_CREATE, &ledger, NULL) == PERSEUS_OK
				&& perseus__ledger_begin_run(ledger, &run, NULL) == PERSEUS_OK;
		_exit(is_good ? 0 : 1);
	}
	int status = -1;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

static const struct {
	const char *sql;
	enum perseus__run_state state;
} fates[] = {
	{"", PERSEUS__RUN_LOST},
	/* a process that is there, but started at another time */
	{"UPDATE runs SET pid = (SELECT max(pid) FROM runs)", PERSEUS__RUN_LOST},
	/* another boot of this machine, and of another one */
	{"UPDATE runs SET boot_id = 'x', host = (SELECT host FROM runs WHERE id = 2)", PERSEUS__RUN_LOST},
	{"UPDATE runs SET boot_id = 'x'", PERSEUS__RUN_RUNNING},
	/* another container, whose processes we do not see */
	{"UPDATE runs SET pid_namespace = 1", PERSEUS__RUN_RUNNING},
	{"UPDATE runs SET boot_id = NULL", PERSEUS__RUN_RUNNING},
	{"UPDATE runs SET pid = NULL", PERSEUS__RUN_RUNNING},
};

START_TEST(knows_a_lost_run)
{
	begin_and_die();
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CHANGE);
	struct perseus__run own = example_run(1);
	char host[256];
	ck_assert_int_eq(gethostname(host, sizeof host), 0);
	ck_assert_int_eq(perseus__run_set_text(&own.host, host, NULL), PERSEUS_OK);
	ck_assert_int_eq(perseus__ledger_begin_run(ledger, &own, NULL), PERSEUS_OK);
	perseus__run_fini(&own);
	own = get_run(ledger, 2);
	ck_assert_int_eq(own.state, PERSEUS__RUN_RUNNING);
	perseus__run_fini(&own);
	execute(fates[_i].sql);
	struct perseus__run lost = get_run(ledger, 1);
	ck_assert_int_eq(lost.state, fates[_i].state);
	perseus__run_fini(&lost);
	perseus__ledger_close(ledger);
}
END_TEST

START_TEST(says_what_is_no_ledger)
{
	require_refused(PERSEUS__LEDGER_READ, PERSEUS_IO, "there is no ledger ", ": No such file or directory");
	perseus__ledger_close(open_ledger(PERSEUS__LEDGER_CREATE));
	FILE *file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	require_refused(PERSEUS__LEDGER_READ, PERSEUS_INVALID, "", " is no ledger: it is empty");
	require_refused(PERSEUS__LEDGER_CHANGE, PERSEUS_INVALID, "", " is no ledger: it is empty");
	for (int i = 0; i < 500; i++)
		(void)fprintf(file, "this is not SQLite\n");
	(void)fclose(file);
	require_refused(PERSEUS__LEDGER_READ, PERSEUS_INVALID, "", " is no ledger: it is no SQLite database");
	require_refused(PERSEUS__LEDGER_CREATE, PERSEUS_INVALID, "", " is no ledger: it is no SQLite database");
	(void)remove(path);
	execute("CREATE TABLE t (a)");
	require_refused(PERSEUS__LEDGER_CREATE, PERSEUS_INVALID, "", " is no ledger: it is a database of another program");
	(void)remove(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	require_refused(PERSEUS__LEDGER_CREATE, PERSEUS_IO, "cannot open the ledger ", ": Is a directory");
}
END_TEST

START_TEST(refuses_a_later_version)
{
	perseus__ledger_close(open_ledger(PERSEUS__LEDGER_CREATE));
	execute("PRAGMA user_version = 2");
	require_refused(PERSEUS__LEDGER_READ, PERSEUS_INVALID, "the ledger ",
			" is of version 2, from a later perseus; this one reads up to version 1");
	require_refused(PERSEUS__LEDGER_CREATE, PERSEUS_INVALID, "the ledger ",
			" is of version 2, from a later perseus; this one reads up to version 1");
}
END_TEST

static const struct {
	const char *sql;
	const char *message;
} damages[] = {
	{"DROP TABLE results", "is damaged: no such table: results"},
	{"ALTER TABLE runs DROP COLUMN cwd", "is damaged: no such column: cwd"},
	{"UPDATE devices SET kind = 'tpu'", "is damaged: there is no kind of device \"tpu\""},
	{"UPDATE devices SET method = 'guess'", "is damaged: there is no method \"guess\""},
	{"UPDATE factors SET intensity_type = 'mean'", "is damaged: there is no type of intensity \"mean\""},
	{"PRAGMA ignore_check_constraints = 1; UPDATE runs SET command = '[1'", "is damaged: malformed JSON"},
};

START_TEST(says_what_is_damaged)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	(void)add_run(ledger, 0);
	execute(damages[_i].sql);
	struct perseus__run run = {.id = 77};
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__ledger_get(ledger, 1, &run, &err), PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, damages[_i].message) != NULL, "%s", err.message);
	ck_assert_int_eq(run.id, 77);
	perseus__ledger_close(ledger);
}
END_TEST

/* Bytes of every page but the first are overwritten: reading must end in an error or a run, and nothing else. */
START_TEST(survives_a_file_that_rots)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	for (int i = 0; i < N_EXAMPLE_RUNS; i++)
		(void)add_run(ledger, i);
	perseus__ledger_close(ledger);
	FILE *file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_eq(fseek(file, 4096, SEEK_SET), 0);
	for (int i = 0; i < 3000; i++)
		(void)fprintf(file, "rot%d", i);
	(void)fclose(file);
	ledger = open_ledger(PERSEUS__LEDGER_READ);
	struct perseus__run run;
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__ledger_get(ledger, 1, &run, &err), PERSEUS_INVALID);
	ck_assert_msg(strstr(err.message, "is damaged: database disk image is malformed") != NULL, "%s", err.message);
	perseus__ledger_close(ledger);
}
END_TEST

/* Root may write anywhere, so it becomes somebody else first. */
static void
become_nobody(void)
{
	if (geteuid() == 0)
		ck_assert_int_eq(seteuid(NOBODY), 0);
}

START_TEST(says_that_it_may_not_write)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	(void)add_run(ledger, 0);
	perseus__ledger_close(ledger);
	char parent[PATH_BYTES], above[PATH_BYTES];
	(void)snprintf(parent, sizeof parent, "%s/state/perseus", directory);
	(void)snprintf(above, sizeof above, "%s/state", directory);
	ck_assert(chmod(path, 0444) == 0 && chmod(parent, 0555) == 0 && chmod(above, 0755) == 0
			&& chmod(directory, 0755) == 0);
	const uid_t user = geteuid();
	become_nobody();
	struct perseus_error err = {.message = ""};
	require_refused(PERSEUS__LEDGER_CHANGE, PERSEUS_DENIED, "cannot write to the ledger ", ": it is read-only");
	ck_assert_int_eq(perseus__ledger_open(path, PERSEUS__LEDGER_CREATE, &ledger, &err), PERSEUS_DENIED);
	ck_assert_msg(strncmp(err.message, "cannot write ", 13) == 0, "%s", err.message);

	/* it can be read, though SQLite can make no file for its locks there */
	ledger = open_ledger(PERSEUS__LEDGER_READ);
	struct perseus__run run = get_run(ledger, 1);
	ck_assert_str_eq(run.host, "node1");
	perseus__run_fini(&run);
	perseus__ledger_close(ledger);
	ck_assert_int_eq(seteuid(user), 0);
	ck_assert_int_eq(chmod(parent, 0700), 0);
}
END_TEST

/* As on a full disk: files may grow no more. What was there stays, and what was not acknowledged is not there. */
START_TEST(says_that_there_is_no_room)
{
	struct perseus__ledger *ledger = open_ledger(PERSEUS__LEDGER_CREATE);
	(void)add_run(ledger, 0);
	struct perseus__run run = example_run(1);
	struct perseus_error err = {.message = ""};
	ck_assert_int_eq(perseus__ledger_begin_run(ledger, &run, NULL), PERSEUS_OK);
	ck_assert(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	struct rlimit limit;
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	const struct rlimit none = {.rlim_cur = 4096, .rlim_max = limit.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	ck_assert_int_eq(perseus__ledger_finish_run(ledger, &run, &err), PERSEUS_IO);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	ck_assert_msg(strncmp(err.message, "cannot read or write the ledger ", 32) == 0, "%s", err.message);
	struct perseus__run begun = get_run(ledger, run.id);
	ck_assert_int_eq(begun.state, PERSEUS__RUN_RUNNING);
	ck_assert_int_eq(begun.n_devices, 0);
	perseus__run_fini(&begun);
	/* and once there is room, it goes on */
	ck_assert_int_eq(perseus__ledger_finish_run(ledger, &run, NULL), PERSEUS_OK);
	perseus__run_fini(&run);
	perseus__ledger_close(ledger);
}
END_TEST

START_TEST(knows_itself)
{
	const struct perseus__process self = perseus__process_self();
	ck_assert_int_eq(self.pid, getpid());
	ck_assert(self.start_ticks > 0 && self.pid_namespace > 0 && *self.boot_id);
	ck_assert(!perseus__process_is_gone(&self, true));
}
END_TEST

/* A process that has ended can do nothing more, whether or not its parent has taken notice. */
START_TEST(takes_a_zombie_for_gone)
{
	int pipe_ends[2];
	ck_assert_int_eq(pipe(pipe_ends), 0);
	const pid_t child = fork();
	if (child == 0) {
		const struct perseus__process self = perseus__process_self();
		_exit(write(pipe_ends[1], &self, sizeof self) == (ssize_t)sizeof self ? 0 : 1);
	}
	struct perseus__process process;
	ck_assert_int_eq(read(pipe_ends[0], &process, sizeof process), sizeof process);
	siginfo_t info;
	ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	ck_assert(perseus__process_is_gone(&process, true));
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(perseus__process_is_gone(&process, true));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tcase = tcase_create("ledger");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, make_directory, remove_directory);
	tcase_add_loop_test(tcase, keeps_all_of_a_run, 0, N_EXAMPLE_RUNS);
	tcase_add_test(tcase, is_for_its_owner_alone);
	tcase_add_test(tcase, gives_a_uuid);
	tcase_add_test(tcase, finishes_a_run_once);
	tcase_add_test(tcase, takes_results_and_notes_at_any_time);
	tcase_add_loop_test(tcase, lists_the_latest, 0, sizeof lists / sizeof *lists);
	tcase_add_loop_test(tcase, finds_by_id_or_uuid, 0, sizeof names / sizeof *names);
	tcase_add_loop_test(tcase, knows_a_lost_run, 0, sizeof fates / sizeof *fates);
	tcase_add_test(tcase, says_what_is_no_ledger);
	tcase_add_test(tcase, refuses_a_later_version);
	tcase_add_loop_test(tcase, says_what_is_damaged, 0, sizeof damages / sizeof *damages);
	tcase_add_test(tcase, survives_a_file_that_rots);
	tcase_add_test(tcase, says_that_it_may_not_write);
	tcase_add_test(tcase, says_that_there_is_no_room);
	tcase_add_test(tcase, knows_itself);
	tcase_add_test(tcase, takes_a_zombie_for_gone);
	return run_suite(suite);
}
