/* What a single measurement must be: the same rules for rows of a file and for rows handed to the library. */
#include "profile/class.h"

#include <math.h>
#include <stdbool.h>

/* Bytes that follow the first byte of a character, which is not ASCII; 0 where no character begins so. */
static int
n_continuation_bytes(unsigned lead)
{
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
}

/* RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF. */
static bool
is_utf8(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	while (*at) {
		const unsigned lead = *at++;
		if (lead < 0x80)
			continue;
		const int n_more = n_continuation_bytes(lead);
		if (n_more == 0)
			return false;
		const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
		const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
		if (*at < low || *at > high)
			return false;
		at++;
		for (int i = 1; i < n_more; i++, at++)
			if ((*at & 0xc0) != 0x80)
				return false;
	}
	return true;
}

static const char *
name_problem(const char *name)
{
	if (!name || name[0] == '\0')
		return "must not be empty";
	int length = 0;
	for (const char *at = name; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return "must not have control characters";
		if (++length > PERSEUS__CLASS_NAME_BYTES)
			return "must be at most 64 bytes long";
	}
	if (name[0] == ' ' || name[length - 1] == ' ')
		return "must not begin or end with a space";
	if (!is_utf8(name))
		return "must be UTF-8";
	return NULL;
}

static const char *
time_problem(double time_s)
{
	if (!isfinite(time_s))
		return "must be finite";
	if (time_s <= 0)
		return "must be above 0";
	if (time_s < 1e-9)
		return "must be at least 1 ns";
	if (time_s > PERSEUS_MAX_TIME_S)
		return "must be at most 1e5 s";
	return NULL;
}

static const char *
energy_problem(double energy_j)
{
	if (!isfinite(energy_j))
		return "must be finite";
	if (energy_j < 0)
		return "must not be negative";
	if (energy_j > PERSEUS_MAX_ENERGY_J)
		return "must be at most 1e9 J";
	return NULL;
}

const char *
perseus__measurement_problem(const struct perseus_measurement *row, enum perseus__column *column)
{
	*column = PERSEUS__COLUMN_STAGE;
	if (row->stage < 0 || row->stage >= PERSEUS_MAX_STAGES)
		return "must be in 0..65535";
	*column = PERSEUS__COLUMN_INSTRUCTION;
	const char *problem = name_problem(row->instruction);
	if (problem)
		return problem;
	*column = PERSEUS__COLUMN_FREQUENCY;
	if (row->frequency_mhz < 0 || row->frequency_mhz > PERSEUS_MAX_FREQUENCY_MHZ)
		return "must be in 0..100000 MHz";
	*column = PERSEUS__COLUMN_TIME;
	problem = time_problem(row->time_s);
	if (problem)
		return problem;
	*column = PERSEUS__COLUMN_ENERGY;
	return energy_problem(row->energy_j);
}
