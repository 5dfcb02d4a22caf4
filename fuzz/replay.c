/*
 * Gives every file of a directory to a fuzz target, in a build without libFuzzer. Usage: replay_NAME DIRECTORY
 * A directory that is missing or empty is skipped visibly (exit status 77).
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EXIT_SKIP = 77, MAX_INPUT_BYTES = 1 << 20 };

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The input lies in a block of its own size, so that a sanitizer sees the first byte read beyond it. */
static int
replay(const char *directory, const char *name)
{
	static uint8_t bytes[MAX_INPUT_BYTES];
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/%s", directory, name);
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return 0;
	}
	const size_t size = fread(bytes, 1, sizeof bytes, file);
	const int is_read = !ferror(file);
	(void)fclose(file);
	uint8_t *input = malloc(size ? size : 1);
	if (!is_read || !input) {
		perror(path);
		free(input);
		return 0;
	}
	for (size_t i = 0; i < size; i++)
		input[i] = bytes[i];
	(void)LLVMFuzzerTestOneInput(input, size);
	free(input);
	return 1;
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	struct dirent **entries = NULL;
	const int n = scandir(argv[1], &entries, is_visible, alphasort);
	int is_good = 1;
	for (int i = 0; i < n; i++) {
		if (is_good)
			is_good = replay(argv[1], entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (n <= 0) {
		printf("%s: no input\n", argv[1]);
		return EXIT_SKIP;
	}
	printf("%d inputs\n", n);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
