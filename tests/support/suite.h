/* What the main of each suite ends with. */
#ifndef PERSEUS_TESTS_SUITE_H
#define PERSEUS_TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs a suite, which it frees; returns what main does. */
static inline int
run_suite(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	const int n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
