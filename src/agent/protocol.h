/*
 * What the unprivileged front and the privileged executor say to each other: fixed-size messages over SOCK_SEQPACKET
 * pairs made before the fork, one pair for each GPU and one for control. One answer for each command, in order; a GPU's
 * commands are executed strictly first in, first out.
 *
 * The executor trusts nothing in a command: it checks each field against its own devices and limits, and ends, after
 * putting every setting back, at a message of another size, kind or shape than these. Fields that a kind does not name
 * are 0, `device` on the control pair and the fields of other kinds of holder included.
 */
#ifndef PERSEUS_AGENT_PROTOCOL_H
#define PERSEUS_AGENT_PROTOCOL_H

#include <stdint.h>

#include <perseus/device.h>
#include <perseus/status.h>

/*
 * Who asks. Several holders of one identity (uid; token subject; peer) may hold one GPU at once, as a training process
 * and its clock controller do; another identity is refused with BUSY until the last of them is gone.
 */
enum perseus__holder_kind {
	PERSEUS__HOLDER_PROCESS = 1, /* peer of the Unix socket: its lease ends with the process */
	PERSEUS__HOLDER_TOKEN,       /* subject of a token: its lease ends by time */
	PERSEUS__HOLDER_PEER,        /* address on TCP without tokens: its lease ends by time */
};

enum { PERSEUS__HOLDER_NAME_BYTES = 128 };

struct perseus__holder {
	uint32_t kind;
	uint32_t uid;      /* PROCESS */
	int32_t pid;       /* PROCESS */
	uint32_t reserved; /* 0 */
	/* PROCESS: field 22 of /proc/PID/stat, so that a pid used again is not taken for the holder */
	uint64_t start_ticks;
	char name[PERSEUS__HOLDER_NAME_BYTES]; /* NUL-terminated, zero-filled: subject or address; PROCESS: "" */
};

/*
 * X(name): on a GPU's pair SET .. RELEASE, on the control pair LIST and PING.
 * SET and RESET begin a lease where the holder has none on that GPU, saving the settings found before the first write.
 */
#define PERSEUS__COMMAND_MAP(X)                                                                                   \
	X(SET)     /* setting, low, high */                                                                           \
	X(RESET)   /* setting; the driver's own, within the lease */                                                  \
	X(LEASE)   /* begins the holder's lease on this GPU, or renews it, for ttl_ns (0: the default; PROCESS: 0) */ \
	X(RELEASE) /* ends the holder's lease on this GPU, if any: its settings are back when the answer comes */     \
	X(LIST)    /* the first lease with lease_id > low; lease_id 0 in the answer: no more */                       \
	X(PING)    /* the front is alive; the executor answers and tells the watchdog */

enum perseus__command_kind {
	PERSEUS__COMMAND_NONE,
#define X(name) PERSEUS__COMMAND_##name,
	PERSEUS__COMMAND_MAP(X)
#undef X
};

struct perseus__command {
	uint64_t id; /* the front's; comes back in the answer */
	uint32_t kind;
	int32_t device; /* index of the node that both processes opened; that of its pair */
	uint32_t setting;
	uint32_t reserved; /* 0 */
	int64_t low;
	int64_t high;
	int64_t ttl_ns;
	struct perseus__holder holder;
};

/* A lease as the executor has it. Times are of the monotonic clock. */
struct perseus__lease {
	uint64_t lease_id; /* > 0, ascending */
	int32_t device;
	uint32_t settings; /* bit set of enum perseus_setting: what it has written */
	int64_t begin_ns;
	int64_t expires_ns; /* INT64_MAX: with its process */
	uint64_t n_writes;
	struct perseus__holder holder;
};

enum { PERSEUS__ANSWER_MESSAGE_BYTES = 256 };

struct perseus__answer {
	uint64_t id;
	uint32_t status; /* enum perseus_status */
	uint32_t reserved;
	int64_t time_ns;             /* that the hardware took; 0 where it was not asked */
	struct perseus__lease lease; /* of the holder after SET, RESET, LEASE; as found by LIST; else zero */
	char message[PERSEUS__ANSWER_MESSAGE_BYTES]; /* where status is not OK */
};

/* One process's ends of the pairs. */
struct perseus__ends {
	const int *gpu_fds;     /* length n_gpus, in the order of the node's GPUs */
	const int32_t *devices; /* their indices in the node */
	int32_t n_gpus;
	int control_fd;
};

#endif
