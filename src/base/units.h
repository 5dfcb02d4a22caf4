/* Units beside the SI's, and parts of those that are. */
#ifndef PERSEUS_BASE_UNITS_H
#define PERSEUS_BASE_UNITS_H

#define PERSEUS__S_PER_H 3600.0
#define PERSEUS__H_PER_YEAR 8760.0 /* as ISO/IEC 21031 counts */
#define PERSEUS__J_PER_KWH 3.6e6
#define PERSEUS__G_PER_KG 1000.0

enum { PERSEUS__NS_PER_MS = 1000000, PERSEUS__NS_PER_S = 1000000000 };

#endif
