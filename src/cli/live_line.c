/* One line on the terminal, see the header. */
#include "cli/live_line.h"

#include "base/text.h"
#include "cli/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAX_LINE_BYTES = 160, USUAL_COLUMNS = 80 };

struct perseus__live_line
perseus__live_line_init(bool is_quiet)
{
	return (struct perseus__live_line){.is_on = !is_quiet && isatty(STDERR_FILENO) == 1};
}

/* "12 s", "1:02:03". */
static void
add_elapsed(struct perseus__text *text, int64_t time_ns)
{
	const int64_t seconds = time_ns / 1000000000;
	if (seconds < 60)
		perseus__text_addf(text, "%" PRId64 " s", seconds);
	else
		perseus__text_addf(
				text, "%" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60), (int)(seconds % 60));
}

/* Four digits at most: more would only flicker. */
static void
add_quantity(struct perseus__text *text, double value, struct perseus__column_unit unit)
{
	unit.decimals = unit.decimals > 1 ? unit.decimals - 1 : 0;
	perseus__text_addf(text, "  ");
	perseus__quantity_add(text, value, unit);
}

void
perseus__live_text(const struct perseus__live_values *values, int columns, char *text, size_t size)
{
	struct perseus__text words = perseus__text_init(MAX_LINE_BYTES);
	add_elapsed(&words, values->time_ns);
	if (values->has_power)
		add_quantity(&words, values->power_w, perseus__power_column(values->power_w));
	if (values->has_energy)
		add_quantity(&words, values->energy_j, perseus__energy_column(values->energy_j));
	if (values->has_carbon)
		add_quantity(&words, values->carbon_g, perseus__carbon_column(values->carbon_g));
	if (!values->has_energy && !values->has_power)
		perseus__text_addf(&words, "  not measured");
	if (values->is_simulated)
		perseus__text_addf(&words, " (simulated)");
	(void)snprintf(text, size, "%.*s", columns > 0 ? columns : 0, words.failed ? "" : words.bytes);
	perseus__text_fini(&words);
}

/* A line that were as wide as the terminal would leave the cursor on the next. */
static int
terminal_columns(void)
{
	struct winsize window = {0};
	const bool is_known = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
	return (is_known ? window.ws_col : USUAL_COLUMNS) - 1;
}

/* In one piece, so that what the command writes meanwhile does not come in between. Nothing depends on its arrival. */
static void
put(const char *text)
{
	const ssize_t written = write(STDERR_FILENO, text, strlen(text));
	(void)written;
}

void
perseus__live_line_show(struct perseus__live_line *line, const struct perseus__live_values *values)
{
	/* In the background the terminal is somebody else's. */
	if (!line->is_on || tcgetpgrp(STDERR_FILENO) != getpgrp())
		return;
	char text[MAX_LINE_BYTES];
	char drawn[MAX_LINE_BYTES + 16];
	perseus__live_text(values, terminal_columns(), text, sizeof text);
	(void)snprintf(drawn, sizeof drawn, "\r\033[2m%s\033[0m\033[K", text);
	put(drawn);
	line->is_shown = true;
}

void
perseus__live_line_clear(void *line)
{
	struct perseus__live_line *shown = line;
	if (shown->is_shown)
		put("\r\033[K");
	shown->is_shown = false;
}
