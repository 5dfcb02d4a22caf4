/* Measurements to a profile CSV. */
#include "format/csv_writer.h"
#include "format/profile_csv.h"

#include <math.h>

void
perseus__profile_csv_write(struct perseus__text *text, const struct perseus_measurement *rows, size_t n_rows)
{
	struct perseus__csv_writer csv = perseus__csv_writer_init(text);
	const bool has_energy = n_rows > 0 && !isnan(rows[0].energy_j);
	static const char *const header[] = {"stage", "instruction", "frequency", "time", "energy"};
	for (int c = 0; c < 4 + has_energy; c++)
		perseus__csv_put_text(&csv, header[c]);
	perseus__csv_end_row(&csv);
	for (size_t i = 0; i < n_rows; i++) {
		perseus__csv_put_integer(&csv, true, rows[i].stage);
		perseus__csv_put_text(&csv, rows[i].instruction);
		perseus__csv_put_integer(&csv, true, rows[i].frequency_mhz);
		perseus__csv_put_number(&csv, true, rows[i].time_s);
		if (has_energy)
			perseus__csv_put_number(&csv, true, rows[i].energy_j);
		perseus__csv_end_row(&csv);
	}
}
