/*
 * Status codes and errors of every fallible perseus function.
 */
#ifndef PERSEUS_STATUS_H
#define PERSEUS_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define PERSEUS_API __attribute__((visibility("default")))
#define PERSEUS_MUST_USE __attribute__((warn_unused_result))
#define PERSEUS_PRINTF(format_index, first_index) __attribute__((format(printf, format_index, first_index)))
#else
#define PERSEUS_API
#define PERSEUS_MUST_USE
#define PERSEUS_PRINTF(format_index, first_index)
#endif

/* X(name, exit code of the command line, text) */
#define PERSEUS_STATUS_MAP(X)              \
	X(OK, 0, "ok")                         \
	X(INVALID, 2, "invalid input")         \
	X(INFEASIBLE, 3, "no feasible answer") \
	X(DENIED, 4, "not permitted")          \
	X(IO, 5, "input or output failed")     \
	X(UNSUPPORTED, 5, "not supported")     \
	X(BUSY, 5, "in use")                   \
	X(NO_MEMORY, 5, "out of memory")       \
	X(CANCELLED, 5, "cancelled")           \
	X(INTERNAL, 70, "internal error, please report")

enum perseus_status {
#define X(name, exit_code, text) PERSEUS_##name,
	PERSEUS_STATUS_MAP(X)
#undef X
};

enum { PERSEUS_ERROR_MESSAGE_BYTES = 1024 };

/*
 * What went wrong, in words for the person who can mend it. Filled when a function returns anything but PERSEUS_OK;
 * untouched on success. Every `err` parameter may be NULL.
 */
struct perseus_error {
	enum perseus_status status;
	char message[PERSEUS_ERROR_MESSAGE_BYTES];
};

/* Short constant text of a status; never NULL. */
PERSEUS_API const char *perseus_status_text(enum perseus_status status);

/* Exit code that the command line uses for a status. */
PERSEUS_API int perseus_status_exit_code(enum perseus_status status);

#ifdef __cplusplus
}
#endif

#endif
