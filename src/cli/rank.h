/* Whether this process is one of several of a job on this node, as launchers of jobs tell it by the environment. */
#ifndef PERSEUS_CLI_RANK_H
#define PERSEUS_CLI_RANK_H

#include <stdbool.h>
#include <stdint.h>

enum { PERSEUS__JOB_BYTES = 256 };

struct perseus__rank {
	bool is_known;                /* false: a process alone; the rest says nothing then */
	int32_t rank;                 /* among all ranks of the job, else among those of the node */
	char job[PERSEUS__JOB_BYTES]; /* the same for all ranks of the job on this node, and for no other job */
	/* Of this user and node, for files that the ranks share. */
	char directory[PERSEUS__JOB_BYTES];
};

/*
 * Reads the variables of torchrun, Slurm and Open MPI. A rank is known where one of them numbers the ranks of a node;
 * what names the job is, in this order, Slurm's job and step, torchrun's run id, the master's address and port, and the
 * parent process.
 */
struct perseus__rank perseus__rank_of_environment(void);

#endif
