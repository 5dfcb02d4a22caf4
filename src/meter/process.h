/*
 * Which process it was: a number that is given to others later, told apart by when it started, in which boot of which
 * machine, and who numbered it.
 */
#ifndef PERSEUS_METER_PROCESS_H
#define PERSEUS_METER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

enum { PERSEUS__BOOT_ID_BYTES = 40 };

struct perseus__process {
	int64_t pid;
	int64_t start_ticks;                  /* of its start since the boot; 0: not known */
	int64_t pid_namespace;                /* inode of /proc/self/ns/pid, in which `pid` counts; 0: not known */
	char boot_id[PERSEUS__BOOT_ID_BYTES]; /* "" where not known */
};

/* The calling process. */
struct perseus__process perseus__process_self(void);

/*
 * Whether a process is gone for sure. `was_here`: it ran on a machine of this name. Of a process of another machine or
 * container nothing can be said: false.
 */
bool perseus__process_is_gone(const struct perseus__process *process, bool was_here);

#endif
