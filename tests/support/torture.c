/* Drives one scenario through all its allocations. */
#include "torture.h"

#include <check.h>

enum { MAX_ALLOCATIONS = 1000000 };

void
torture_run(const struct torture_scenario *scenario, enum failing_alloc_mode mode)
{
	int64_t n = 0;
	for (;; n++) {
		ck_assert_msg(n < MAX_ALLOCATIONS, "%s never succeeds", scenario->name);
		void *const untouched = &n;
		void *object = untouched;
		struct perseus_error err = {.status = PERSEUS_OK};
		failing_alloc_arm(n, mode);
		const enum perseus_status status = scenario->make(&object, &err);
		if (!failing_alloc_disarm()) {
			ck_assert_msg(status == PERSEUS_OK, "%s: %s", scenario->name, err.message);
			ck_assert_msg(object != untouched, "%s: no output", scenario->name);
			scenario->destroy(object);
			break;
		}
		ck_assert_msg(status == PERSEUS_NO_MEMORY, "%s, allocation %lld: status %d, %s", scenario->name, (long long)n,
				(int)status, err.message);
		ck_assert_msg(err.status == PERSEUS_NO_MEMORY, "%s, allocation %lld: err says %d", scenario->name, (long long)n,
				(int)err.status);
		ck_assert_msg(object == untouched, "%s, allocation %lld: output was written", scenario->name, (long long)n);
	}
	ck_assert_msg(n > 0, "%s: no allocation failed", scenario->name);
}
