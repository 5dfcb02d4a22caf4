/* Instructions out of their text. */
#include "format/instruction_text.h"
#include "suite.h"

#include <check.h>
#include <string.h>

/* What every schedule writes reads back. */
START_TEST(reads_what_schedules_write)
{
	for (const char *const *name = perseus_schedule_names(); *name; name++) {
		struct perseus_schedule_settings settings = perseus_schedule_settings_default();
		settings.name = *name;
		settings.n_ranks = 4;
		settings.n_microbatches = 12;
		settings.data_load = settings.grad_reduce = settings.optimizer_step = true;
		const struct perseus_schedule *schedule = NULL;
		ck_assert_int_eq(perseus_schedule_generate(&settings, &schedule, NULL), PERSEUS_OK);
		for (int32_t i = 0; i < schedule->n_instructions; i++) {
			const struct perseus_instruction *wanted = &schedule->instructions[i];
			char text[PERSEUS__INSTRUCTION_BYTES], again[PERSEUS__INSTRUCTION_BYTES];
			struct perseus_instruction read;
			perseus_instruction_text(wanted, text, sizeof text);
			ck_assert_int_eq(perseus__instruction_parse(text, &read, NULL), PERSEUS_OK);
			perseus_instruction_text(&read, again, sizeof again);
			ck_assert_str_eq(text, again);
			ck_assert_int_eq(read.kind, wanted->kind);
			ck_assert_int_eq(read.microbatch, wanted->microbatch);
			if (read.kind != PERSEUS_KIND_OPTIMIZER_STEP)
				ck_assert_int_eq(read.stage, wanted->stage);
		}
		perseus_schedule_free(schedule);
	}
}
END_TEST

static const char *const bad[] = {"", "F", "F1", "0", "0X1", "0F1 ", " 0F1", "0F01", "00F1", "-1F0", "0F-1", "0f1",
	"1234567890F0", "0F1234567890", "0FB1", "0OVERLAP_F_B1", "OPTIMIZER_STEP1", "(0F1)OVERLAP_F_B", "(0F1;0B1)",
	"(0F1;0B1)OVERLAP_F_B1", "(0F1,0B1)OVERLAP_F_B", "((0F1;0B1)OVERLAP_F_B;0F2)OVERLAP_F_B", "(", "(0F1", "(0F1;",
	"(0F1;0B1"};

START_TEST(refuses)
{
	struct perseus_instruction read = {.stage = 77};
	struct perseus_error err;
	ck_assert_int_eq(perseus__instruction_parse(bad[_i], &read, &err), PERSEUS_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "is no instruction: expected one such as 0F1"));
	ck_assert_int_eq(read.stage, 77);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("instruction text");
	TCase *cases = tcase_create("all");
	tcase_add_test(cases, reads_what_schedules_write);
	tcase_add_loop_test(cases, refuses, 0, (int)(sizeof bad / sizeof *bad));
	suite_add_tcase(suite, cases);
	return run_suite(suite);
}
