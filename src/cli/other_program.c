/* From perseus to another program, see the header. */
#include "cli/other_program.h"

#include "base/error.h"
#include "base/memory.h"
#include "cli/command.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The other's path, in the directory of this program; 0 or why not. */
static int
find_beside(const char *name, char path[PATH_MAX])
{
	const ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
	if (length < 0)
		return errno;
	path[length] = '\0';
	char *slash = strrchr(path, '/');
	const size_t bytes = strlen(name) + 1;
	const size_t room = slash ? (size_t)(path + PATH_MAX - slash - 1) : 0;
	if (room < bytes)
		return ENAMETOOLONG;
	memcpy(slash + 1, name, bytes);
	return 0;
}

int
perseus__become(const char *program, const char *command, int argc, char **argv)
{
	char path[PATH_MAX];
	struct perseus_error err;
	char **words = perseus__new_array((size_t)argc + 2, sizeof *words);
	if (!words) {
		(void)perseus__no_memory(&err);
		return perseus__print_error(&err);
	}
	words[0] = (char *)(uintptr_t)program;
	words[1] = (char *)(uintptr_t)command;
	for (int i = 1; i < argc; i++)
		words[i + 1] = argv[i];
	int reason = find_beside(program, path);
	if (reason == 0) {
		(void)execv(path, words);
		reason = errno;
	}
	perseus__free(words);
	(void)perseus__fail(&err, PERSEUS_IO, "cannot run %s, which belongs beside perseus: %s", program, strerror(reason));
	return perseus__print_error(&err);
}

int
perseus__run_agent(int argc, char **argv)
{
	return perseus__become("perseus-agent", "agent", argc, argv);
}

int
perseus__run_token(int argc, char **argv)
{
	return perseus__become("perseus-agent", "token", argc, argv);
}

int
perseus__run_serve(int argc, char **argv)
{
	return perseus__become("perseus-server", "serve", argc, argv);
}
