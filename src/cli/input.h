/*
 * The measurements a command works on: the options that name and interpret them, and the profile they make.
 */
#ifndef PERSEUS_CLI_INPUT_H
#define PERSEUS_CLI_INPUT_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <perseus/profile.h>
#include <perseus/status.h>

/* Constant-time instructions that options can add to a profile. */
enum { PERSEUS__N_CONSTANTS = 4 };

struct perseus__constant {
	bool is_given;
	double time_s;
	bool has_power;
	double power_w;
};

/* Filled by perseus__input_argp, whose input it is. Zero before; free with perseus__input_fini. */
struct perseus__input {
	const char *path;     /* PROFILE.csv; borrowed from argv */
	const char *argument; /* what to call it instead, where it is something else; NULL */
	enum perseus_merge merge;
	double *blocking_power_w; /* length n_blocking_power; 0: not given */
	int32_t n_blocking_power;
	size_t cap_blocking_power;
	struct perseus__constant constants[PERSEUS__N_CONSTANTS]; /* in the order of perseus__constant_class */
};

/* PROFILE.csv, --blocking-power and --merge. */
extern const struct argp perseus__input_argp;

/* Class of constant instruction `index`: data_load, transfer, grad_reduce, optimizer_step. */
const char *perseus__constant_class(int index);

/* Option of constant instruction `index`, e.g. "--data-load". */
const char *perseus__constant_option(int index);

/* Takes S[:W] of constant instruction `index`; a usage error ends the program. */
void perseus__constant_parse(const struct argp_state *state, struct perseus__input *input, int index, const char *arg);

/*
 * Reads the file and makes the profile. A constant instruction gets a row at clock 0 for every stage (a data load: for
 * stage 0), with the energy of its power or else of the stage's blocking power; a transfer, which is not the GPU's own
 * work, gets no energy unless a power is given. Errors: as the decoder and perseus_profile_new; INVALID where an
 * instruction is given both by option and in the file.
 */
PERSEUS_MUST_USE enum perseus_status perseus__input_load(
		const struct perseus__input *input, struct perseus_profile **out, struct perseus_error *err);

/* The same of rows at hand, length `n_rows`, which have taken the place of the file's. */
PERSEUS_MUST_USE enum perseus_status perseus__input_profile(const struct perseus__input *input,
		const struct perseus_measurement *rows, size_t n_rows, struct perseus_profile **out, struct perseus_error *err);

/* Says where the options leave something out that results depend on. */
void perseus__input_note(const struct perseus__input *input);

void perseus__input_fini(struct perseus__input *input);

#endif
