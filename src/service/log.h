/*
 * What a service's processes have to say, a line each on one descriptor, as key=value:
 *   time=2026-11-25T18:47:01.042Z level=notice event=set holder=process uid=1000 name="a \"b\"" result=ok
 * Where that descriptor is the journal's, the level goes ahead as <N> instead, as sd-daemon(3) has it.
 *
 * A line goes out in one write, so lines of several processes do not mix. Text from outside is quoted: nobody can end a
 * line or forge a field. Whoever reads too slowly loses lines, and is told how many, instead of holding up all.
 */
#ifndef PERSEUS_SERVICE_LOG_H
#define PERSEUS_SERVICE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/status.h>

/* X(name, text, number): numbers of syslog(3). */
#define PERSEUS__LOG_LEVEL_MAP(X) \
	X(ERROR, "error", 3)          \
	X(WARNING, "warning", 4)      \
	X(NOTICE, "notice", 5)        \
	X(INFO, "info", 6)            \
	X(DEBUG, "debug", 7)

enum perseus__log_level {
#define X(name, text, number) PERSEUS__LOG_##name = (number),
	PERSEUS__LOG_LEVEL_MAP(X)
#undef X
};

/* One line more than that would not be written to a pipe at once (PIPE_BUF); a text is cut at its own maximum. */
enum { PERSEUS__LOG_LINE_BYTES = 4096, PERSEUS__LOG_TEXT_BYTES = 1400 };

/* A line in the making. */
struct perseus__log_line {
	size_t length;
	bool is_silent; /* above the level asked for */
	bool is_cut;    /* fields were left out */
	char bytes[PERSEUS__LOG_LINE_BYTES];
};

/*
 * From now on lines up to `max_level` go to `fd`; without this call, up to INFO to stderr. Reads the environment's
 * JOURNAL_STREAM. Before the process has a second thread.
 */
void perseus__log_open(int fd, enum perseus__log_level max_level);

/* True where `text` names a level. */
bool perseus__log_level_parse(const char *text, enum perseus__log_level *level);

/* A line is begun, given fields, and ended, which writes it. Any thread; errno is kept. */
void perseus__log_begin(struct perseus__log_line *line, enum perseus__log_level level, const char *event);
void perseus__log_text(struct perseus__log_line *line, const char *key, const char *text);
void perseus__log_integer(struct perseus__log_line *line, const char *key, int64_t value);
void perseus__log_end(struct perseus__log_line *line);

/* A whole line with one field, message. */
void perseus__log_message(enum perseus__log_level level, const char *event, const char *format, ...)
		PERSEUS_PRINTF(3, 4);

#endif
