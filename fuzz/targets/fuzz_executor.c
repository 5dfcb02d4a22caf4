/*
 * Bytes → what an executor goes through: commands, well formed and not, time that passes, holders that die, GPUs that
 * fail, and its own death. Whatever it is, nothing beyond the ranges is ever applied, all that differs from what was
 * found is saved on disk, and in the end everything is as found.
 */
#include "../require.h"
#include "agent/check.h"
#include "agent/gpu.h"
#include "agent/process.h"
#include "agent/restore.h"
#include "device/sim.h"
#include "service/log.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { N_GPUS = 2, N_HOLDERS = 8, MAX_STEPS = 200 };

static const int64_t START_NS = 1000000000000;
static const struct perseus_error none = {.message = ""};

/* The second GPU has standing clocks, which are beyond the range that may be asked for. */
static const struct perseus__executor_settings gpu_settings[N_GPUS] = {
	{.ranges = {{600, 1200}, {0, 0}, {200000, 350000}, {0, 0}}, .lease_ttl_ns = 1000, .max_lease_ttl_ns = 5000},
	{.ranges = {{600, 1200}, {0, 0}, {200000, 500000}, {1, 1}},
		.lease_ttl_ns = 1000,
		.max_lease_ttl_ns = 5000,
		.standing_sm_clocks = {210, 1350},
		.is_lenient_memory_clocks = true},
};

struct values {
	int64_t low[PERSEUS_N_SETTINGS];
	int64_t high[PERSEUS_N_SETTINGS];
};

/* Made once: a node whose clock stands still, and what is found of it each time. */
static struct {
	struct perseus_node *node;
	char path[64];
	int directory;
	struct values found[N_GPUS];
	struct perseus__holder holders[N_HOLDERS];
} world;

/* The executor of one input. */
struct run {
	struct perseus__gpu gpus[N_GPUS];
	atomic_ullong last_lease_id;
	int64_t now_ns;
	const uint8_t *at;
	const uint8_t *end;
};

static int64_t
stand_still(void *user)
{
	(void)user;
	return START_NS;
}

static struct values
read_values(int32_t gpu)
{
	struct values values = {.low = {0}};
	struct perseus_error err = {.message = ""};
	for (int i = 0; i < PERSEUS_N_SETTINGS; i++) {
		const enum perseus_setting setting = (enum perseus_setting)i;
		enum perseus_status status;
		if (setting == PERSEUS_SETTING_SM_CLOCKS || setting == PERSEUS_SETTING_MEMORY_CLOCKS)
			status = perseus__sim_locked(world.node, gpu, setting, &values.low[i], &values.high[i], &err);
		else {
			status = perseus_device_read(world.node, gpu,
					setting == PERSEUS_SETTING_POWER_LIMIT ? PERSEUS_QUANTITY_POWER_LIMIT
														   : PERSEUS_QUANTITY_PERSISTENCE,
					&values.low[i], &err);
			values.high[i] = values.low[i];
		}
		require(status == PERSEUS_OK, "a setting cannot be read", &err);
	}
	return values;
}

static void
set_fault(int32_t gpu, enum perseus__sim_fault fault, bool is_on)
{
	struct perseus_error err = {.message = ""};
	require(perseus__sim_fault(world.node, gpu, fault, is_on, &err) == PERSEUS_OK, "a fault", &err);
}

static struct perseus__holder
named(enum perseus__holder_kind kind, const char *name)
{
	struct perseus__holder holder = {.kind = kind};
	(void)snprintf(holder.name, sizeof holder.name, "%s", name);
	return holder;
}

static void
make_holders(void)
{
	struct perseus_error err = {.message = ""};
	struct perseus__holder *holders = world.holders;
	/* The one process that certainly lives, its parent as another of the same user, and two that do not. */
	const pid_t pids[] = {getpid(), getppid()};
	for (int i = 0; i < 2; i++) {
		holders[i] = (struct perseus__holder){.kind = PERSEUS__HOLDER_PROCESS, .uid = 1, .pid = pids[i]};
		require(perseus__process_start(pids[i], &holders[i].start_ticks, &err) == PERSEUS_OK, "a process", &err);
	}
	holders[2] = holders[0];
	holders[2].uid = 2;
	holders[3] = holders[0];
	holders[3].start_ticks++;
	holders[4] = named(PERSEUS__HOLDER_TOKEN, "alice");
	holders[5] = named(PERSEUS__HOLDER_TOKEN, "bob");
	holders[6] = named(PERSEUS__HOLDER_PEER, "alice");
	holders[7] = named(PERSEUS__HOLDER_TOKEN, "alice");
}

static void
clean_up(void)
{
	(void)rmdir(world.path);
}

static void
make_world(void)
{
	struct perseus_error err = {.message = ""};
	const struct perseus_node_settings settings = {.now_ns = stand_still};
	perseus__log_open(open("/dev/null", O_WRONLY | O_CLOEXEC), PERSEUS__LOG_ERROR);
	(void)snprintf(
			world.path, sizeof world.path, "%s/perseus-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	require(mkdtemp(world.path) != NULL, "no directory", &none);
	require(perseus__saved_open(world.path, &world.directory, &err) == PERSEUS_OK, "no directory", &err);
	(void)atexit(clean_up);
	require(perseus_node_open("sim:a100x2", &settings, &world.node, &err) == PERSEUS_OK, "no node", &err);
	require(perseus_device_set(world.node, 0, PERSEUS_SETTING_POWER_LIMIT, 450000, 450000, &err) == PERSEUS_OK
					&& perseus_device_set(world.node, 0, PERSEUS_SETTING_PERSISTENCE, 1, 1, &err) == PERSEUS_OK
					&& perseus_device_set(world.node, 1, PERSEUS_SETTING_SM_CLOCKS, 210, 1350, &err) == PERSEUS_OK,
			"settings to find", &err);
	for (int32_t gpu = 0; gpu < N_GPUS; gpu++)
		world.found[gpu] = read_values(gpu);
	make_holders();
}

static void
start(struct run *run)
{
	struct perseus_error err = {.message = ""};
	for (int32_t gpu = 0; gpu < N_GPUS; gpu++)
		require(perseus__gpu_init(&run->gpus[gpu], world.node, gpu, &gpu_settings[gpu], world.directory,
						&run->last_lease_id, &err)
						== PERSEUS_OK,
				"a GPU", &err);
}

static void
check_as_found(int32_t gpu)
{
	const struct values now = read_values(gpu);
	require(memcmp(&now, &world.found[gpu], sizeof now) == 0, "not as found", &none);
}

static uint8_t
next(struct run *run)
{
	return run->at < run->end ? *run->at++ : 0;
}

/* Whether a setting may be what it is now, with leases about. */
static bool
is_allowed(int32_t gpu, int setting, const struct values *now)
{
	const struct perseus__range *range = &gpu_settings[gpu].ranges[setting];
	const bool is_open = range->low == 0 && range->high == 0;
	const bool is_free = setting == PERSEUS_SETTING_SM_CLOCKS && now->high[setting] == 0;
	return is_open || is_free || (now->low[setting] >= range->low && now->high[setting] <= range->high);
}

static void
check_gpu(struct run *run, int32_t index)
{
	struct perseus__gpu *gpu = &run->gpus[index];
	struct perseus__saved on_disk;
	struct perseus_error err = {.message = ""};
	require(perseus__saved_load(world.directory, gpu->info->uuid, &on_disk, &err) == PERSEUS_OK, "a damaged file",
			&err);
	require(on_disk.settings == gpu->saved.settings, "disk and memory differ", &none);
	const uint32_t held = perseus__lease_settings(&gpu->book);
	require((held & ~gpu->saved.settings) == 0, "held and not saved", &none);
	require((gpu->saved.settings & ~held) == gpu->to_restore, "saved, held by nobody, and not to be put back", &none);
	for (int32_t i = 1; i < gpu->book.n; i++)
		require(perseus__holder_is_one_identity(&gpu->book.entries[0].lease.holder, &gpu->book.entries[i].lease.holder),
				"two identities on one GPU", &none);
}

/* As long as the GPU is not lost. */
static void
check_values(struct run *run, int32_t gpu)
{
	const struct values now = read_values(gpu);
	for (int i = 0; i < PERSEUS_N_SETTINGS; i++) {
		const bool is_as_found = now.low[i] == world.found[gpu].low[i] && now.high[i] == world.found[gpu].high[i];
		require(is_as_found || (run->gpus[gpu].saved.settings >> i & 1), "changed and not saved", &none);
		require(is_as_found || is_allowed(gpu, i, &now), "beyond the range", &none);
	}
}

/* A command from a few bytes, mostly one that makes sense. */
static struct perseus__command
make_command(struct run *run, int32_t gpu)
{
	static const int64_t values[] = {0, 210, 600, 615, 900, 1200, 1215, 1410, 1593, 5000, -1, 1, 100000, 200000, 300000,
		350000, 350001, 500000, 600000, INT64_MAX, INT64_MIN};
	enum { N_VALUES = sizeof values / sizeof *values };
	const uint8_t shape = next(run);
	struct perseus__command command = {
		.id = 1,
		.kind = PERSEUS__COMMAND_SET + shape % 4,
		.device = gpu,
		.holder = world.holders[shape / 4 % N_HOLDERS],
	};
	if (command.kind == PERSEUS__COMMAND_SET || command.kind == PERSEUS__COMMAND_RESET)
		command.setting = next(run) % PERSEUS_N_SETTINGS;
	if (command.kind == PERSEUS__COMMAND_SET) {
		command.low = values[next(run) % N_VALUES];
		command.high = shape & 128 ? values[next(run) % N_VALUES] : command.low;
	}
	if (command.kind == PERSEUS__COMMAND_LEASE)
		command.ttl_ns = (int64_t)next(run) * 30;
	return command;
}

/* A command, with bytes of it overwritten where the input says so. False where the executor would end of it. */
static bool
serve(struct run *run, int32_t gpu, bool is_damaged)
{
	struct perseus__command sent = make_command(run, gpu);
	struct perseus__command command;
	struct perseus__answer answer;
	unsigned char bytes[sizeof sent];
	memcpy(bytes, &sent, sizeof bytes);
	for (int i = 0; is_damaged && i < 4; i++)
		bytes[next(run) % sizeof bytes] = next(run);
	const size_t length = is_damaged && next(run) % 4 == 0 ? next(run) % sizeof bytes : sizeof bytes;
	if (perseus__check_shape(bytes, length, gpu, &command, NULL) != PERSEUS_OK)
		return false;
	const struct values before = read_values(gpu);
	perseus__gpu_serve(&run->gpus[gpu], &command, run->now_ns, &answer);
	require(answer.id == command.id, "an answer to another command", &none);
	require(memchr(answer.message, '\0', sizeof answer.message) != NULL, "a message without end", &none);
	require((answer.status == PERSEUS_OK) == (answer.message[0] == '\0'), "a message where there is an error", &none);
	if (answer.status == PERSEUS_BUSY) {
		const struct values after = read_values(gpu);
		require(memcmp(&before, &after, sizeof before) == 0, "refused, and written", &none);
	}
	return true;
}

/* The faults of the simulation hide what cannot be read: settings are looked at while they are off. */
static void
step_with_fault(struct run *run, int32_t gpu)
{
	static const enum perseus__sim_fault faults[] = {
		PERSEUS__SIM_FAULT_DENIED, PERSEUS__SIM_FAULT_NO_MEMORY_CLOCKS, PERSEUS__SIM_FAULT_LOST};
	const enum perseus__sim_fault fault = faults[next(run) % 3];
	const struct perseus__command command = make_command(run, gpu);
	struct perseus__command checked;
	struct perseus__answer answer;
	set_fault(gpu, fault, true);
	if (perseus__check_shape(&command, sizeof command, gpu, &checked, NULL) == PERSEUS_OK)
		perseus__gpu_serve(&run->gpus[gpu], &checked, run->now_ns, &answer);
	run->now_ns += (int64_t)next(run) * 40;
	perseus__gpu_tend(&run->gpus[gpu], run->now_ns);
	set_fault(gpu, fault, false);
}

static void
let_die(struct run *run, int32_t gpu)
{
	struct perseus__lease_book *book = &run->gpus[gpu].book;
	const uint8_t which = next(run);
	if (book->n > 0)
		book->entries[which % book->n].is_over = true;
	perseus__gpu_tend(&run->gpus[gpu], run->now_ns);
}

/* kill -9: nothing but the disk remains. */
static void
die_and_start(struct run *run)
{
	int32_t n_restored = 0;
	struct perseus_error err = {.message = ""};
	for (int32_t gpu = 0; gpu < N_GPUS; gpu++)
		perseus__gpu_fini(&run->gpus[gpu]);
	require(perseus__restore_directory(world.node, world.directory, &n_restored, &err) == PERSEUS_OK, "not restored",
			&err);
	for (int32_t gpu = 0; gpu < N_GPUS; gpu++)
		check_as_found(gpu);
	start(run);
}

/* False where the executor ends. */
static bool
step(struct run *run)
{
	const uint8_t what = next(run);
	const int32_t gpu = what >> 7;
	switch (what % 8) {
	case 0:
		run->now_ns += (int64_t)next(run) << next(run) % 28; /* up to half a minute */
		perseus__gpu_tend(&run->gpus[gpu], run->now_ns);
		return true;
	case 1:
		let_die(run, gpu);
		return true;
	case 2:
		step_with_fault(run, gpu);
		return true;
	case 3:
		if (next(run) % 8 == 0)
			die_and_start(run);
		return true;
	case 4:
		return serve(run, gpu, true);
	default:
		return serve(run, gpu, false);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct run run = {.now_ns = START_NS, .at = bytes, .end = bytes + length};
	struct perseus_error err = {.message = ""};
	if (!world.node)
		make_world();
	start(&run);
	bool is_alive = true;
	for (int i = 0; i < MAX_STEPS && is_alive && run.at < run.end; i++) {
		is_alive = step(&run);
		for (int32_t gpu = 0; gpu < N_GPUS; gpu++) {
			check_gpu(&run, gpu);
			check_values(&run, gpu);
		}
	}
	for (int32_t gpu = 0; gpu < N_GPUS; gpu++) {
		require(perseus__gpu_end_all(&run.gpus[gpu], &err) == PERSEUS_OK, "not all went back", &err);
		check_as_found(gpu);
		check_gpu(&run, gpu);
		require(run.gpus[gpu].saved.settings == 0, "something is still saved", &none);
		perseus__gpu_fini(&run.gpus[gpu]);
	}
	return 0;
}
