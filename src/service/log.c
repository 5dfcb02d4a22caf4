/* Lines of key=value. */
#include "service/log.h"

#include "base/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* How long a full pipe is waited for, until the first line is lost; none after that is, until one goes out again. */
enum { PATIENCE_MS = 100 };

/* For what ends every line: the number of lines lost before it, a note that it is cut, and its end. */
enum { TAIL_BYTES = 64 };

/* The one log of this process. */
static struct {
	int fd;
	int max_level;
	bool is_journal;
	atomic_llong n_lost; /* since the last line that went out */
} process_log = {.fd = STDERR_FILENO, .max_level = PERSEUS__LOG_INFO};

/* JOURNAL_STREAM is "device:inode" of what systemd gave as stderr, which may have been redirected since. */
static bool
is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat about;
	if (!stream || fstat(fd, &about) != 0)
		return false;
	char here[64];
	(void)snprintf(here, sizeof here, "%ju:%ju", (uintmax_t)about.st_dev, (uintmax_t)about.st_ino);
	return strcmp(stream, here) == 0;
}

void
perseus__log_open(int fd, enum perseus__log_level max_level)
{
	process_log.fd = fd;
	process_log.max_level = (int)max_level;
	process_log.is_journal = is_journal(fd);
}

static const char *
level_text(enum perseus__log_level level)
{
	switch (level) {
#define X(name, text, number) \
	case PERSEUS__LOG_##name: \
		return text;
		PERSEUS__LOG_LEVEL_MAP(X)
#undef X
	}
	return "unknown";
}

bool
perseus__log_level_parse(const char *text, enum perseus__log_level *level)
{
	for (int number = PERSEUS__LOG_ERROR; number <= PERSEUS__LOG_DEBUG; number++)
		if (strcmp(text, level_text((enum perseus__log_level)number)) == 0) {
			*level = (enum perseus__log_level)number;
			return true;
		}
	return false;
}

/* Adds a field as it is, or leaves all of it out. */
static void
add(struct perseus__log_line *line, const char *key, const char *value)
{
	const size_t room = sizeof line->bytes - TAIL_BYTES - line->length;
	const int length = snprintf(line->bytes + line->length, room, " %s=%s", key, value);
	if (length < 0 || (size_t)length >= room)
		line->is_cut = true;
	else
		line->length += (size_t)length;
}

static void
add_time(struct perseus__log_line *line)
{
	const int64_t now_ms = perseus__clock_wall_ms();
	const time_t seconds = (time_t)(now_ms / 1000);
	struct tm parts;
	char text[40] = "";
	if (gmtime_r(&seconds, &parts)) {
		const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
		(void)snprintf(text + length, sizeof text - length, ".%03dZ", (int)(now_ms % 1000));
	}
	add(line, "time", text);
}

void
perseus__log_begin(struct perseus__log_line *line, enum perseus__log_level level, const char *event)
{
	const int reason = errno;
	line->length = 0;
	line->is_cut = false;
	line->is_silent = (int)level > process_log.max_level;
	if (line->is_silent)
		return;
	add_time(line);
	if (!process_log.is_journal)
		add(line, "level", level_text(level));
	perseus__log_text(line, "event", event);
	/* Every field came with a blank ahead: the first one's makes place for the priority. */
	if (process_log.is_journal) {
		memmove(line->bytes + 3, line->bytes + 1, line->length - 1);
		line->length += 2;
		(void)snprintf(line->bytes, 3, "<%d", (int)level);
		line->bytes[2] = '>';
	} else
		memmove(line->bytes, line->bytes + 1, line->length--);
	errno = reason;
}

/* Bytes that stand for themselves outside of quotes; locale-free. */
static bool
is_plain(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9')
			|| (byte && strchr("_.:/@+-", byte));
}

/* One byte of a quoted text; what is not printable ASCII as \xNN. Returns the bytes written, at most 4. */
static size_t
quote_byte(char *quoted, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";
	if (byte == '"' || byte == '\\') {
		quoted[0] = '\\';
		quoted[1] = (char)byte;
		return 2;
	}
	if (byte >= 0x20 && byte < 0x7f) {
		quoted[0] = (char)byte;
		return 1;
	}
	quoted[0] = '\\';
	quoted[1] = 'x';
	quoted[2] = digits[byte >> 4];
	quoted[3] = digits[byte & 15];
	return 4;
}

/* `text` in quotes, cut where it is too long. */
static void
quote(char quoted[PERSEUS__LOG_TEXT_BYTES], const char *text)
{
	size_t length = 0;
	quoted[length++] = '"';
	for (; *text && length < PERSEUS__LOG_TEXT_BYTES - 10; text++)
		length += quote_byte(quoted + length, (unsigned char)*text);
	if (*text)
		for (int i = 0; i < 3; i++)
			quoted[length++] = '.';
	quoted[length++] = '"';
	quoted[length] = '\0';
}

void
perseus__log_text(struct perseus__log_line *line, const char *key, const char *text)
{
	if (line->is_silent)
		return;
	size_t length = 0;
	while (is_plain(text[length]))
		length++;
	if (length > 0 && text[length] == '\0' && length < PERSEUS__LOG_TEXT_BYTES) {
		add(line, key, text);
		return;
	}
	char quoted[PERSEUS__LOG_TEXT_BYTES];
	quote(quoted, text);
	add(line, key, quoted);
}

void
perseus__log_integer(struct perseus__log_line *line, const char *key, int64_t value)
{
	if (line->is_silent)
		return;
	char text[24];
	(void)snprintf(text, sizeof text, "%" PRId64, value);
	add(line, key, text);
}

/* True where all went out. Never waits for long, whoever holds the other end. */
static bool
write_line(const struct perseus__log_line *line)
{
	struct pollfd end = {.fd = process_log.fd, .events = POLLOUT};
	const int patience_ms = atomic_load(&process_log.n_lost) > 0 ? 0 : PATIENCE_MS;
	if (poll(&end, 1, patience_ms) != 1 || !(end.revents & POLLOUT))
		return false;
	ssize_t n;
	do
		n = write(process_log.fd, line->bytes, line->length);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)line->length;
}

void
perseus__log_end(struct perseus__log_line *line)
{
	if (line->is_silent)
		return;
	const int reason = errno;
	const long long n_lost = atomic_load(&process_log.n_lost);
	if (n_lost > 0)
		line->length += (size_t)snprintf(line->bytes + line->length, TAIL_BYTES / 2, " lost=%lld", n_lost);
	if (line->is_cut)
		line->length += (size_t)snprintf(line->bytes + line->length, TAIL_BYTES / 2, " cut=true");
	line->bytes[line->length++] = '\n';
	if (write_line(line))
		atomic_fetch_sub(&process_log.n_lost, n_lost);
	else
		atomic_fetch_add(&process_log.n_lost, 1);
	errno = reason;
}

void
perseus__log_message(enum perseus__log_level level, const char *event, const char *format, ...)
{
	char text[PERSEUS_ERROR_MESSAGE_BYTES + 256];
	const int reason = errno;
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	struct perseus__log_line line;
	perseus__log_begin(&line, level, event);
	perseus__log_text(&line, "message", text);
	perseus__log_end(&line);
	errno = reason;
}
