/* Site commands in the place of the driver's calls: their file, their words, and how they run. */
#include "agent/override.h"
#include "agent/override_internal.h"
#include "suite.h"

#include "base/clock.h"
#include "base/memory.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum perseus_status
parse(const char *text, struct perseus__overrides **out, struct perseus_error *err)
{
	return perseus__overrides_parse(text, strlen(text), "o.toml", out, err);
}

static const struct {
	const char *text;
	const char *message; /* NULL: it is taken */
} files[] = {
	{"", NULL},
	{"[set_power_limit]\ncommands = ['nvidia-smi -i {gpu_id} -pl {power_limit_w}']\nerror_pattern = 'denied|fail'\n"
	 "timeout_s = 5\n",
		NULL},
	{"[reset_locked_clocks]\ncommands = [\"a {gpu_id}\", 'b']\n", NULL},
	{"[set_gpu_locked_clocks]\ncommands = ['x {min_clock_mhz},{max_clock_mhz} {gpu_id}']", NULL},
	{"commands = ['x']", "o.toml:1: a [table] named after an operation should come first"},
	{"[set_fan]\n", "o.toml:1: [set_fan] is no operation"},
	{"[set_power_limit]\n", "o.toml:1: [set_power_limit] has no commands"},
	{"[set_power_limit]\ncommands = []", "o.toml:2: commands takes an array of at least one string"},
	{"[set_power_limit]\ncommands = 'x'", "o.toml:2: commands takes an array of at least one string"},
	{"[set_power_limit]\ncommands = [' ']", "o.toml:2: a command is empty"},
	{"[set_power_limit]\ncommands = [\"x 'y\"]", "o.toml:2: a quote is not closed in the command 'x 'y'"},
	{"[set_power_limit]\ncommands = ['x {enabled}']",
		"o.toml:2: {enabled} means nothing here: there are {gpu_id} power_limit_mw power_limit_w"},
	{"[set_power_limit]\ncommands = ['x {power_limit}']",
		"o.toml:2: {power_limit} means nothing here: there are {gpu_id} power_limit_mw power_limit_w"},
	{"[set_power_limit]\ncommands = ['x {gpu_id']", "o.toml:2: a brace in '{gpu_id' is part of no placeholder"},
	{"[set_power_limit]\ncommands = ['x }']", "o.toml:2: a brace in '}' is part of no placeholder"},
	{"[set_power_limit]\ncommands = ['x {}']", "o.toml:2: a brace in '{}' is part of no placeholder"},
	{"[set_power_limit]\ncommands = ['x']\nerror_pattern = '('\n", "o.toml:3: error_pattern '(': Unmatched ( or \\("},
	{"[set_power_limit]\ncommands = ['x']\ntimeout_s = 0\n", "o.toml:3: timeout_s takes whole seconds from 1 to 86400"},
	{"[set_power_limit]\ncommands = ['x']\ncwd = '/'\n",
		"o.toml:3: there is no key 'cwd': commands, error_pattern and timeout_s are known"},
};

START_TEST(reads_files)
{
	struct perseus__overrides *overrides = NULL;
	struct perseus_error err = {.message = ""};
	const enum perseus_status status = parse(files[_i].text, &overrides, &err);
	ck_assert_str_eq(err.message, files[_i].message ? files[_i].message : "");
	ck_assert_int_eq(status, files[_i].message ? PERSEUS_INVALID : PERSEUS_OK);
	ck_assert_int_eq(overrides != NULL, files[_i].message == NULL);
	perseus__overrides_free(overrides);
}
END_TEST

static const struct {
	const char *text;
	const char *words; /* each in < > */
} commands[] = {
	{"a", "<a>"},
	{"  a  b\t", "<a><b>"},
	{"a 'b c' \"d e\"f", "<a><b c><d ef>"},
	{"a\\ b '\\' \"\\\"\\n\"", "<a b><\\><\"\\n>"},
	{"a '' \"\"", "<a><><>"},
};

START_TEST(splits_words)
{
	struct perseus__override_command command = {0};
	char words[256] = "";
	size_t length = 0;
	ck_assert_int_eq(perseus__override_split(commands[_i].text, &command, NULL), PERSEUS_OK);
	for (size_t i = 0; i < command.n_words; i++) {
		length += (size_t)snprintf(words + length, sizeof words - length, "<%s>", command.words[i]);
		perseus__free(command.words[i]);
	}
	perseus__free(command.words);
	ck_assert_str_eq(words, commands[_i].words);
}
END_TEST

START_TEST(fills_placeholders)
{
	const struct perseus__override_values values = {3, 225500, 300000};
	char *word = perseus__override_fill("-i{gpu_id} {power_limit_w}:{power_limit_mw}..{max_clock_mhz}", &values);
	ck_assert_str_eq(word, "-i3 225:225500..300000");
	perseus__free(word);
}
END_TEST

static const struct {
	const char *command;
	const char *pattern;
	int64_t timeout_s;
	const char *message; /* NULL: it succeeds */
	int64_t max_ms;
} runs[] = {
	{"true", NULL, 5, NULL, 4000},
	{"sh -c 'exit 3'", NULL, 5, "sh ended with status 3: ''", 4000},
	{"sh -c 'echo GPU {gpu_id} is gone >&2; exit 1'", NULL, 5, "sh ended with status 1: 'GPU 2 is gone\\x0a'", 4000},
	{"sh -c 'kill -9 $$'", NULL, 5, "sh was ended by signal 9: ''", 4000},
	{"sh -c 'kill -PIPE $$; exit 4'", NULL, 5, "sh was ended by signal 13: ''", 4000}, /* which the agent ignores */
	{"no-such-program-here", NULL, 5, "cannot run no-such-program-here: No such file or directory", 4000},
	{"echo access denied", "denied|failed", 5, "echo printed what the file calls an error: 'access denied\\x0a'", 4000},
	{"echo fine", "denied|failed", 5, NULL, 4000},
	{"sleep 20", NULL, 1, "sleep was ended after 1 s", 4000},
	{"sh -c 'sleep 20 & exit 0'", NULL, 10, NULL, 4000}, /* who is left holds the pipe */
	{"head -c 1000000 /dev/zero", NULL, 5, NULL, 4000},
};

START_TEST(runs_commands)
{
	const struct perseus__override_values values = {.gpu_id = 2};
	struct perseus__override_command command = {0};
	struct perseus__override override = {.commands = &command, .n_commands = 1, .timeout_s = runs[_i].timeout_s};
	struct perseus_error err = {.message = ""};
	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(perseus__override_split(runs[_i].command, &command, NULL), PERSEUS_OK);
	override.has_pattern = runs[_i].pattern != NULL;
	if (override.has_pattern)
		ck_assert_int_eq(regcomp(&override.pattern, runs[_i].pattern, REG_EXTENDED | REG_NOSUB), 0);
	const int64_t begin_ns = perseus__clock_mono_ns();
	const enum perseus_status status = perseus__override_run(&override, &values, &err);
	const int64_t took_ms = (perseus__clock_mono_ns() - begin_ns) / 1000000;
	ck_assert_str_eq(err.message, runs[_i].message ? runs[_i].message : "");
	ck_assert_int_eq(status, runs[_i].message ? PERSEUS_IO : PERSEUS_OK);
	ck_assert_msg(took_ms <= runs[_i].max_ms, "%s took %lld ms", runs[_i].command, (long long)took_ms);
	for (size_t i = 0; i < command.n_words; i++)
		perseus__free(command.words[i]);
	perseus__free(command.words);
	if (override.has_pattern)
		regfree(&override.pattern);
}
END_TEST

START_TEST(wants_a_file_that_nobody_else_wrote)
{
	char path[] = "/tmp/perseus-override-XXXXXX";
	const int file = mkstemp(path);
	struct perseus__overrides *overrides = NULL;
	ck_assert_int_ge(file, 0);
	ck_assert_int_eq(fchmod(file, 0666), 0);
	ck_assert_int_eq(perseus__overrides_load(path, &overrides, NULL), PERSEUS_DENIED);
	ck_assert_int_eq(fchmod(file, 0600), 0);
	ck_assert_int_eq(perseus__overrides_load(path, &overrides, NULL), PERSEUS_OK);
	perseus__overrides_free(overrides);
	ck_assert_int_eq(close(file), 0);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(perseus__overrides_load(path, &overrides, NULL), PERSEUS_IO);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("override");
	TCase *tcase = tcase_create("override");
	tcase_set_timeout(tcase, 20);
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tcase, reads_files, 0, sizeof files / sizeof *files);
	tcase_add_loop_test(tcase, splits_words, 0, sizeof commands / sizeof *commands);
	tcase_add_test(tcase, fills_placeholders);
	tcase_add_loop_test(tcase, runs_commands, 0, sizeof runs / sizeof *runs);
	tcase_add_test(tcase, wants_a_file_that_nobody_else_wrote);
	return run_suite(suite);
}
