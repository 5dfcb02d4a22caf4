/* Runs for tests of the ledger and of what reads it: made up, and the same every time. */
#ifndef PERSEUS_TESTS_EXAMPLE_RUNS_H
#define PERSEUS_TESTS_EXAMPLE_RUNS_H

#include "meter/run.h"

/*
 * Run 0 has all there can be: two simulated GPUs, a CPU, a DRAM that was not measured, every factor, results.
 * Run 1 takes less energy and comes to a slightly higher loss; run 2 is beaten by run 0 in both.
 * Run 3 is of real devices, all measured, without factors or results, and ended by a signal.
 * Run 4 has no device at all.
 * All are DONE and accounted for; they are in no ledger yet.
 */
enum { N_EXAMPLE_RUNS = 5 };

/* Makes run `index`; fails the program where there is no memory. Free with perseus__run_fini. */
struct perseus__run example_run(int index);

#endif
