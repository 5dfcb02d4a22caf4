/* A measured run as people read it: devices in a table, sums, carbon, money, results. */
#ifndef PERSEUS_CLI_RUN_REPORT_H
#define PERSEUS_CLI_RUN_REPORT_H

#include "base/text.h"
#include "meter/run.h"

/* Adds what the devices of a run took: the table, and what else there is to say of them. */
void perseus__run_report(const struct perseus__run *run, struct perseus__text *text);

/* "GPU 0", "CPU 1", "DRAM 0". */
void perseus__device_label(const struct perseus_device_info *info, struct perseus__text *text);

/* The command line in one line, to be read rather than run: arguments that are more than words stand in quotes. */
void perseus__command_line(const struct perseus__run *run, struct perseus__text *text);

#endif
