/* The shared board of a simulated training. */
#include "live_board.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long a rank waits ahead of looking whether the other is alive. */
static const struct timespec PATIENCE = {.tv_nsec = 20000000};

struct rank_state {
	_Atomic int64_t pid;     /* 0: never there */
	_Atomic int64_t n_begun; /* steps, as are the following */
	_Atomic int64_t n_done[BOARD_N_MARKS][BOARD_MAX_MICROBATCHES];
};

struct board {
	_Atomic uint32_t change; /* counts what is set; a futex */
	struct rank_state ranks[BOARD_MAX_RANKS];
};

struct board *
board_open(const char *path)
{
	const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || ftruncate(file, sizeof(struct board)) != 0) {
		(void)fprintf(stderr, "cannot open %s: %s\n", path, strerror(errno));
		return NULL;
	}
	void *board = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	(void)close(file); /* nothing was written through it */
	if (board != MAP_FAILED)
		return board;
	(void)fprintf(stderr, "cannot map %s: %s\n", path, strerror(errno));
	return NULL;
}

static void
tell(struct board *board)
{
	atomic_fetch_add(&board->change, 1);
	(void)syscall(SYS_futex, &board->change, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); /* cannot fail for mapped memory */
}

/* One that has ended is dead even before its parent has waited for it. */
static bool
is_alive(int64_t pid)
{
	const int process = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0U);
	if (process < 0)
		return false;
	struct pollfd end = {.fd = process, .events = POLLIN};
	const bool is_over = poll(&end, 1, 0) > 0;
	(void)close(process); /* nothing was written to it */
	return !is_over;
}

int64_t
board_join(struct board *board, int32_t rank, int32_t n_ranks)
{
	int64_t step = 0;
	for (int32_t i = 0; i < n_ranks; i++) {
		const int64_t n_begun = atomic_load(&board->ranks[i].n_begun);
		step = n_begun > step ? n_begun : step;
	}
	struct rank_state *mine = &board->ranks[rank];
	for (int mark = 0; mark < BOARD_N_MARKS; mark++)
		for (int i = 0; i < BOARD_MAX_MICROBATCHES; i++)
			atomic_store(&mine->n_done[mark][i], step);
	atomic_store(&mine->pid, getpid());
	tell(board);
	for (int32_t i = 0; i < n_ranks; i++)
		while (atomic_load(&board->ranks[i].pid) == 0)
			(void)nanosleep(&PATIENCE, NULL); /* sooner will do as well */
	return step;
}

void
board_begin(struct board *board, int32_t rank, int64_t step)
{
	atomic_store(&board->ranks[rank].n_begun, step + 1);
}

void
board_set(struct board *board, int32_t rank, enum board_mark mark, int32_t microbatch, int64_t step)
{
	atomic_store(&board->ranks[rank].n_done[mark][microbatch], step + 1);
	tell(board);
}

void
board_wait(struct board *board, int32_t rank, enum board_mark mark, int32_t microbatch, int64_t step)
{
	const struct rank_state *other = &board->ranks[rank];
	for (;;) {
		const uint32_t change = atomic_load(&board->change);
		if (atomic_load(&other->n_done[mark][microbatch]) > step)
			return;
		const long woken = syscall(SYS_futex, &board->change, FUTEX_WAIT, change, &PATIENCE, NULL, 0);
		if (woken != 0 && errno == ETIMEDOUT && !is_alive(atomic_load(&other->pid)))
			return;
	}
}
