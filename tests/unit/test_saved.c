/* Saved settings: text and back, everything that is not such a text, and the files. */
#include "agent/saved.h"
#include "suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	SM = 1 << PERSEUS_SETTING_SM_CLOCKS,
	MEMORY = 1 << PERSEUS_SETTING_MEMORY_CLOCKS,
	POWER = 1 << PERSEUS_SETTING_POWER_LIMIT,
	PERSISTENCE = 1 << PERSEUS_SETTING_PERSISTENCE
};

static const struct perseus__saved full = {
	.uuid = "GPU-6c1f3a52-0000-4000-8000-000000000000",
	.settings = SM | MEMORY | POWER | PERSISTENCE,
	.found =
			{
				[PERSEUS_SETTING_SM_CLOCKS] = {.low = 600, .high = 1200},
				[PERSEUS_SETTING_MEMORY_CLOCKS] = {.is_free = true},
				[PERSEUS_SETTING_POWER_LIMIT] = {.low = 400000, .high = 400000},
				[PERSEUS_SETTING_PERSISTENCE] = {.low = 0, .high = 0},
			},
};
static const char full_text[] = "perseus saved settings 1\n"
								"gpu GPU-6c1f3a52-0000-4000-8000-000000000000\n"
								"sm_clocks 600 1200\n"
								"memory_clocks free\n"
								"power_limit 400000\n"
								"persistence 0\n"
								"checksum 0000000000000000\n";

START_TEST(writes_what_the_header_says)
{
	char bytes[PERSEUS__SAVED_MAX_BYTES];
	size_t length;
	perseus__saved_encode(&full, bytes, &length);
	ck_assert_uint_eq(length, sizeof full_text - 1);
	const size_t summed = sizeof full_text - 1 - strlen("0000000000000000\n");
	ck_assert_int_eq(memcmp(bytes, full_text, summed), 0);
	ck_assert_uint_eq(strspn(bytes + summed, "0123456789abcdef"), 16);
}
END_TEST

/* FNV-1a with the offset and the prime that are published for 64 bits. */
START_TEST(has_a_checksum_that_others_can_compute)
{
	const struct perseus__saved saved = {.uuid = "a"};
	char bytes[PERSEUS__SAVED_MAX_BYTES];
	size_t length;
	perseus__saved_encode(&saved, bytes, &length);
	uint64_t sum = 14695981039346656037u;
	static const char text[] = "perseus saved settings 1\ngpu a\n";
	for (size_t i = 0; i < sizeof text - 1; i++)
		sum = (sum ^ (unsigned char)text[i]) * 1099511628211u;
	char expected[128];
	(void)snprintf(expected, sizeof expected, "%schecksum %016llx\n", text, (unsigned long long)sum);
	ck_assert_uint_eq(length, strlen(expected));
	ck_assert_int_eq(memcmp(bytes, expected, length), 0);
}
END_TEST

/* Every set of settings, with clocks free and not. */
START_TEST(reads_back_the_same)
{
	for (uint32_t settings = 0; settings < 1u << PERSEUS_N_SETTINGS; settings++)
		for (int is_free = 0; is_free < 2; is_free++) {
			struct perseus__saved saved = {.settings = settings, .uuid = "GPU-1"};
			for (int i = 0; i < PERSEUS_N_SETTINGS; i++)
				if (settings >> i & 1)
					saved.found[i] = full.found[i];
			if (is_free && (settings & SM))
				saved.found[PERSEUS_SETTING_SM_CLOCKS] = (struct perseus__found){.is_free = true};
			char bytes[PERSEUS__SAVED_MAX_BYTES];
			size_t length;
			struct perseus_error err;
			struct perseus__saved back;
			perseus__saved_encode(&saved, bytes, &length);
			ck_assert_int_eq(perseus__saved_decode(bytes, length, &back, &err), PERSEUS_OK);
			ck_assert_str_eq(back.uuid, saved.uuid);
			ck_assert_uint_eq(back.settings, saved.settings);
			for (int i = 0; i < PERSEUS_N_SETTINGS; i++) {
				ck_assert_int_eq(back.found[i].is_free, saved.found[i].is_free);
				ck_assert_int_eq(back.found[i].low, saved.found[i].low);
				ck_assert_int_eq(back.found[i].high, saved.found[i].high);
			}
		}
}
END_TEST

/* One byte changed, missing, or too many: nothing of it is taken. */
START_TEST(sees_any_damage)
{
	char bytes[PERSEUS__SAVED_MAX_BYTES];
	char damaged[PERSEUS__SAVED_MAX_BYTES + 1];
	size_t length;
	struct perseus__saved saved = {.uuid = "untouched"};
	struct perseus_error err;
	perseus__saved_encode(&full, bytes, &length);
	for (size_t i = 0; i < length; i++) {
		for (int bit = 0; bit < 8; bit++) {
			memcpy(damaged, bytes, length);
			damaged[i] = (char)(damaged[i] ^ (1 << bit));
			ck_assert_msg(perseus__saved_decode(damaged, length, &saved, &err) == PERSEUS_INVALID,
					"bit %d of byte %zu changed", bit, i);
		}
		ck_assert_msg(perseus__saved_decode(bytes, i, &saved, &err) == PERSEUS_INVALID, "cut to %zu", i);
		memcpy(damaged, bytes, i);
		memcpy(damaged + i + 1, bytes + i, length - i);
		damaged[i] = '\0';
		ck_assert_msg(perseus__saved_decode(damaged, length + 1, &saved, &err) == PERSEUS_INVALID, "NUL at %zu", i);
	}
	memset(damaged, 'x', sizeof damaged);
	ck_assert_int_eq(perseus__saved_decode(damaged, sizeof damaged, &saved, &err), PERSEUS_INVALID);
	ck_assert_str_eq(saved.uuid, "untouched");
}
END_TEST

static const struct {
	const char *text; /* what comes between head and checksum, which is right */
	const char *message;
} refused[] = {
	{"", "no saved setting at byte 25"},
	{"gpu \n", "no saved setting at byte 29"},
	{"gpu ../x\n", "no saved setting at byte 33"},
	{"gpu a\npower_limit free\n", "no saved setting at byte 43"},
	{"gpu a\npower_limit -1\n", "no saved setting at byte 43"},
	{"gpu a\nsm_clocks 1200 600\n", "no saved setting at byte 49"},
	{"gpu a\nsm_clocks 1200\n", "no saved setting at byte 45"},
	{"gpu a\npower_limit 1000000000000000000\n", "no saved setting at byte 43"},
	{"gpu a\npower_limit 007\n", "the checksum does not agree"},
	{"gpu a\npower_limit 7\nsm_clocks free\n", "the checksum does not agree"},
	{"gpu a\nfan_speed 7\n", "the checksum does not agree"},
};

START_TEST(refuses_what_it_would_not_write)
{
	char text[PERSEUS__SAVED_MAX_BYTES];
	struct perseus__saved saved;
	struct perseus_error err;
	(void)snprintf(text, sizeof text, "perseus saved settings 1\n%s", refused[_i].text);
	uint64_t sum = 14695981039346656037u;
	for (const char *at = text; *at; at++)
		sum = (sum ^ (unsigned char)*at) * 1099511628211u;
	const size_t length = strlen(text);
	(void)snprintf(text + length, sizeof text - length, "checksum %016llx\n", (unsigned long long)sum);
	ck_assert_int_eq(perseus__saved_decode(text, strlen(text), &saved, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, refused[_i].message);
}
END_TEST

START_TEST(refuses_another_version)
{
	static const char text[] = "perseus saved settings 2\ngpu a\n";
	struct perseus__saved saved;
	struct perseus_error err;
	ck_assert_int_eq(perseus__saved_decode(text, sizeof text - 1, &saved, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "does not begin with \"perseus saved settings 1\"");
}
END_TEST

/* A directory of the test's own, entered. */
static char home[] = "/tmp/perseus-saved-XXXXXX";
static int directory;

static void
set_up(void)
{
	struct perseus_error err;
	ck_assert_ptr_nonnull(mkdtemp(home));
	ck_assert_int_eq(chdir(home), 0);
	ck_assert_msg(perseus__saved_open("state", &directory, &err) == PERSEUS_OK, "%s", err.message);
}

static void
tear_down(void)
{
	(void)close(directory);
	ck_assert_int_eq(chdir("/"), 0);
	char state[64];
	(void)snprintf(state, sizeof state, "%s/state", home);
	(void)rmdir(state);
	(void)rmdir(home);
}

static void
note(void *user, const char *uuid)
{
	char *names = user;
	const size_t length = strlen(names);
	(void)snprintf(names + length, 256 - length, "%s ", uuid);
}

START_TEST(keeps_files)
{
	struct perseus_error err;
	struct perseus__saved saved = full;
	struct perseus__saved back;
	char names[256] = "";
	ck_assert_int_eq(perseus__saved_load(directory, full.uuid, &back, &err), PERSEUS_OK);
	ck_assert_uint_eq(back.settings, 0);
	ck_assert_str_eq(back.uuid, full.uuid);
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__saved_load(directory, full.uuid, &back, &err), PERSEUS_OK);
	ck_assert_uint_eq(back.settings, full.settings);
	(void)snprintf(saved.uuid, sizeof saved.uuid, "GPU-1");
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__saved_list(directory, note, names, &err), PERSEUS_OK);
	ck_assert_str_eq(names, "GPU-1 GPU-6c1f3a52-0000-4000-8000-000000000000 ");
	saved.settings = 0;
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_OK);
	saved = full;
	saved.settings = 0;
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_OK);
	names[0] = '\0';
	ck_assert_int_eq(perseus__saved_list(directory, note, names, &err), PERSEUS_OK);
	ck_assert_str_eq(names, "");
}
END_TEST

START_TEST(names_a_damaged_file)
{
	struct perseus_error err;
	struct perseus__saved back;
	const int file = open("state/GPU-1.saved", O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_eq(write(file, "perseus", 7), 7);
	(void)close(file);
	ck_assert_int_eq(perseus__saved_load(directory, "GPU-1", &back, &err), PERSEUS_INVALID);
	ck_assert_str_eq(err.message, "GPU-1.saved is damaged: does not begin with \"perseus saved settings 1\"");
	ck_assert_int_eq(perseus__saved_store(directory, &full, &err), PERSEUS_OK);
	ck_assert_int_eq(rename("state/GPU-6c1f3a52-0000-4000-8000-000000000000.saved", "state/GPU-1.saved"), 0);
	ck_assert_int_eq(perseus__saved_load(directory, "GPU-1", &back, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "is of another GPU"));
	ck_assert_int_eq(unlink("state/GPU-1.saved"), 0);
}
END_TEST

START_TEST(follows_no_link)
{
	struct perseus_error err;
	struct perseus__saved back;
	ck_assert_int_eq(symlink("/etc/passwd", "state/GPU-1.saved"), 0);
	ck_assert_int_eq(perseus__saved_load(directory, "GPU-1", &back, &err), PERSEUS_IO);
	ck_assert_int_eq(unlink("state/GPU-1.saved"), 0);
	ck_assert_int_eq(symlink("state", "link"), 0);
	int other;
	ck_assert_int_eq(perseus__saved_open("link", &other, &err), PERSEUS_IO);
	ck_assert_int_eq(unlink("link"), 0);
}
END_TEST

START_TEST(has_its_directory_alone)
{
	struct perseus_error err;
	struct stat about;
	int other;
	ck_assert_int_eq(stat("state", &about), 0);
	ck_assert_uint_eq(about.st_mode & 07777, 0700);
	ck_assert_int_eq(perseus__saved_open("state", &other, &err), PERSEUS_BUSY);
	ck_assert_str_eq(err.message, "another agent is at work with state");
	(void)close(directory);
	ck_assert_int_eq(chmod("state", 0750), 0);
	ck_assert_int_eq(perseus__saved_open("state", &other, &err), PERSEUS_DENIED);
	ck_assert_int_eq(chmod("state", 0700), 0);
	ck_assert_int_eq(perseus__saved_open("state", &directory, &err), PERSEUS_OK);
	ck_assert_int_eq(perseus__saved_open("/dev/null/state", &other, &err), PERSEUS_IO);
	ck_assert_int_eq(perseus__saved_open("below/it", &other, &err), PERSEUS_OK);
	(void)close(other);
	ck_assert_int_eq(rmdir("below/it"), 0);
	ck_assert_int_eq(rmdir("below"), 0);
}
END_TEST

/* Killed within a store: the file is the old one or the new one, and what lies about goes at the start. */
START_TEST(is_whole_wherever_a_store_is_cut_off)
{
	struct perseus_error err;
	struct perseus__saved back;
	ck_assert_int_eq(perseus__saved_store(directory, &full, &err), PERSEUS_OK);
	static const char cut_off[] = "state/GPU-6c1f3a52-0000-4000-8000-000000000000.saved.tmp";
	const int file = open(cut_off, O_WRONLY | O_CREAT | O_EXCL, 0600);
	ck_assert_int_eq(write(file, "perseus saved", 13), 13);
	(void)close(file);
	char names[256] = "";
	ck_assert_int_eq(perseus__saved_list(directory, note, names, &err), PERSEUS_OK);
	ck_assert_str_eq(names, "GPU-6c1f3a52-0000-4000-8000-000000000000 ");
	(void)close(directory);
	ck_assert_int_eq(perseus__saved_open("state", &directory, &err), PERSEUS_OK);
	ck_assert_int_ne(access(cut_off, F_OK), 0);
	ck_assert_int_eq(perseus__saved_load(directory, full.uuid, &back, &err), PERSEUS_OK);
	ck_assert_uint_eq(back.settings, full.settings);
	ck_assert_int_eq(unlink("state/GPU-6c1f3a52-0000-4000-8000-000000000000.saved"), 0);
}
END_TEST

START_TEST(needs_a_uuid)
{
	struct perseus__saved saved = full;
	struct perseus_error err;
	saved.uuid[0] = '\0';
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_UNSUPPORTED);
	(void)snprintf(saved.uuid, sizeof saved.uuid, "../GPU");
	ck_assert_int_eq(perseus__saved_store(directory, &saved, &err), PERSEUS_UNSUPPORTED);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("saved");
	TCase *text = tcase_create("text");
	suite_add_tcase(suite, text);
	tcase_add_test(text, writes_what_the_header_says);
	tcase_add_test(text, has_a_checksum_that_others_can_compute);
	tcase_add_test(text, reads_back_the_same);
	tcase_add_test(text, sees_any_damage);
	tcase_add_loop_test(text, refuses_what_it_would_not_write, 0, sizeof refused / sizeof *refused);
	tcase_add_test(text, refuses_another_version);
	TCase *files = tcase_create("files");
	suite_add_tcase(suite, files);
	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_add_test(files, keeps_files);
	tcase_add_test(files, names_a_damaged_file);
	tcase_add_test(files, follows_no_link);
	tcase_add_test(files, has_its_directory_alone);
	tcase_add_test(files, is_whole_wherever_a_store_is_cut_off);
	tcase_add_test(files, needs_a_uuid);
	return run_suite(suite);
}
