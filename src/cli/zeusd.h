/* The command line of zeusd, for those who start this program by that name. */
#ifndef PERSEUS_CLI_ZEUSD_H
#define PERSEUS_CLI_ZEUSD_H

/* zeusd serve, zeusd token issue; the exit codes are zeusd's: 0, 1 for failures, 2 for wrong usage. */
int perseus__run_zeusd(int argc, char **argv);

int perseus__run_zeusd_serve(int argc, char **argv);

/* Where zeusd looks for powercap zones first, in a container; NULL: it is not there. */
const char *perseus__zeusd_rapl_root(void);

#endif
