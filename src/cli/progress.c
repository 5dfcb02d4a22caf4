/* Progress on a terminal. */
#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { FIRST_NS = 500000000, PERIOD_NS = 100000000 };

struct perseus__progress
perseus__progress_init(const char *what)
{
	return (struct perseus__progress){
		.what = what, .is_terminal = isatty(STDERR_FILENO) == 1, .next_ns = perseus__clock_mono_ns() + FIRST_NS};
}

void
perseus__progress_show(double fraction, void *user)
{
	struct perseus__progress *progress = user;
	if (!progress->is_terminal)
		return;
	const int64_t now_ns = perseus__clock_mono_ns();
	if (now_ns < progress->next_ns)
		return;
	progress->next_ns = now_ns + PERIOD_NS;
	progress->is_shown = true;
	(void)fprintf(stderr, "\r%s %3.0f %%", progress->what, fraction * 100);
	(void)fflush(stderr);
}

void
perseus__progress_fini(struct perseus__progress *progress)
{
	if (progress->is_shown)
		(void)fputs("\r\033[K", stderr);
	progress->is_shown = false;
}
