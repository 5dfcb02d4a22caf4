/* Instructions out of their text. */
#include "format/instruction_text.h"

#include "base/error.h"

#include <string.h>

/* Stages and microbatches of more digits are no schedule's. */
enum { MAX_DIGITS = 9 };

static const struct {
	const char *word;
	enum perseus_kind kind;
} words[] = {
	{"F", PERSEUS_KIND_FORWARD},
	{"B", PERSEUS_KIND_BACKWARD},
	{"I", PERSEUS_KIND_INPUT},
	{"W", PERSEUS_KIND_WEIGHT},
	{"R", PERSEUS_KIND_RECOMPUTE},
	{"DATA_LOAD", PERSEUS_KIND_DATA_LOAD},
	{"UNSHARD", PERSEUS_KIND_UNSHARD},
	{"RESHARD", PERSEUS_KIND_RESHARD},
	{"REDUCE_GRAD", PERSEUS_KIND_GRAD_REDUCE},
	{"OTHER", PERSEUS_KIND_OTHER},
};

static const char optimizer_step[] = "OPTIMIZER_STEP";
static const char overlap[] = ")OVERLAP_F_B";

static bool
is_digit(char character)
{
	return character >= '0' && character <= '9';
}

/* Takes a number off `*at`; false where there is none, with leading zeros, or a large one. */
static bool
take_number(const char **at, int32_t *out)
{
	int32_t number = 0;
	int n = 0;
	while (is_digit((*at)[n]) && n < MAX_DIGITS)
		number = number * 10 + ((*at)[n++] - '0');
	if (n == 0 || is_digit((*at)[n]) || (n > 1 && **at == '0'))
		return false;
	*at += n;
	*out = number;
	return true;
}

static bool
take_word(const char **at, enum perseus_kind *kind)
{
	size_t length = 0;
	while (((*at)[length] >= 'A' && (*at)[length] <= 'Z') || (*at)[length] == '_')
		length++;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (strlen(words[i].word) == length && memcmp(words[i].word, *at, length) == 0) {
			*at += length;
			*kind = words[i].kind;
			return true;
		}
	}
	return false;
}

static bool
take_part(const char **at, struct perseus_part *part)
{
	if (strncmp(*at, optimizer_step, sizeof optimizer_step - 1) == 0) {
		*part = (struct perseus_part){.kind = PERSEUS_KIND_OPTIMIZER_STEP, .microbatch = -1};
		*at += sizeof optimizer_step - 1;
		return true;
	}
	struct perseus_part read = {.microbatch = -1};
	if (!take_number(at, &read.stage) || !take_word(at, &read.kind))
		return false;
	if (is_digit(**at) && !take_number(at, &read.microbatch))
		return false;
	*part = read;
	return true;
}

static bool
take_pair(const char **at, struct perseus_part parts[2])
{
	++*at;
	if (!take_part(at, &parts[0]) || *(*at)++ != ';' || !take_part(at, &parts[1]))
		return false;
	if (strncmp(*at, overlap, sizeof overlap - 1) != 0)
		return false;
	*at += sizeof overlap - 1;
	return true;
}

enum perseus_status
perseus__instruction_parse(const char *text, struct perseus_instruction *out, struct perseus_error *err)
{
	const char *at = text;
	struct perseus_instruction read = {.n_parts = *text == '(' ? 2 : 1};
	const bool is_read = read.n_parts == 2 ? take_pair(&at, read.part) : take_part(&at, &read.part[0]);
	if (!is_read || *at != '\0')
		return perseus__fail(err, PERSEUS_INVALID,
				"'%.60s' is no instruction: expected one such as 0F1, or (0F7;7B3)OVERLAP_F_B", text);
	read.kind = read.n_parts == 2 ? PERSEUS_KIND_OVERLAP : read.part[0].kind;
	read.stage = read.part[0].stage;
	read.microbatch = read.part[0].microbatch;
	*out = read;
	return PERSEUS_OK;
}
