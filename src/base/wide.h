/* 128-bit integers: sums and products of times, powers and energies without rounding. */
#ifndef PERSEUS_BASE_WIDE_H
#define PERSEUS_BASE_WIDE_H

__extension__ typedef __int128 perseus__wide;

#endif
