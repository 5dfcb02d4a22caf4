/*
 * `bench_profile_csv STAGES NOISE` writes the synthetic profile of the other programs as a profile CSV, so that another
 * program can solve the same job. The digits are those the profile was rounded to: 1 ns and 1 nJ.
 */
#include "job.h"
#include "measure.h"

#include <inttypes.h>
#include <stdio.h>

static const int64_t per_unit = 1000000000; /* ns in a s, nJ in a J */

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: bench_profile_csv STAGES NOISE\n");
		return 2;
	}
	struct perseus_profile *profile =
			bench_profile_make(bench_integer(argv[1], "stages", 1, PERSEUS_MAX_STAGES), argv[2]);
	printf("stage,instruction,frequency,time,energy\n");
	for (int32_t i = 0; i < perseus_profile_n_classes(profile); i++) {
		const struct perseus_class *class_ = perseus_profile_class(profile, i);
		for (int32_t k = 0; k < class_->n_choices; k++) {
			const struct perseus_choice *choice = &class_->choices[k];
			printf("%" PRId32 ",%s,%" PRId32 ",%" PRId64 ".%09" PRId64 ",%" PRId64 ".%09" PRId64 "\n", class_->stage,
					class_->name, choice->frequency_mhz, choice->time_ns / per_unit, choice->time_ns % per_unit,
					choice->energy_nj / per_unit, choice->energy_nj % per_unit);
		}
	}
	perseus_profile_free(profile);
	return fflush(stdout) ? 5 : 0;
}
