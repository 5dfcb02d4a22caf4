/* Which revision holds in a step, and what its clocks are. */
#include "client/program.h"

#include "base/memory.h"

void
perseus__program_free(struct perseus__program *program)
{
	if (!program)
		return;
	for (int32_t i = 0; i < program->n_segments; i++)
		perseus__free(program->segments[i].clocks_mhz);
	perseus__free(program->segments);
	perseus__free(program);
}

const int32_t *
perseus__program_clocks(const struct perseus__program *program, int64_t step)
{
	int64_t left = step - program->from_step;
	for (int32_t i = 0; i < program->n_segments; i++) {
		const struct perseus__segment *segment = &program->segments[i];
		if (segment->n_steps < 0 || left < segment->n_steps || i + 1 == program->n_segments)
			return segment->clocks_mhz;
		left -= segment->n_steps;
	}
	return NULL;
}

void
perseus__programs_fini(struct perseus__programs *programs)
{
	for (int32_t i = 0; i < programs->n; i++)
		perseus__program_free(programs->items[i]);
	programs->n = 0;
}

static void
forget(struct perseus__programs *programs, int32_t index)
{
	perseus__program_free(programs->items[index]);
	programs->n--;
	for (int32_t i = index; i < programs->n; i++)
		programs->items[i] = programs->items[i + 1];
}

void
perseus__programs_take(struct perseus__programs *programs, struct perseus__program *program)
{
	const struct perseus__program *newest = perseus__programs_newest(programs);
	if (newest && program->revision < newest->revision) {
		perseus__program_free(program);
		return;
	}
	if (newest && program->revision == newest->revision)
		forget(programs, programs->n - 1);
	if (programs->n == PERSEUS__MAX_PROGRAMS)
		forget(programs, 1); /* the first may be the one that holds */
	programs->items[programs->n++] = program;
}

static int32_t
index_at(const struct perseus__programs *programs, int64_t step)
{
	for (int32_t i = programs->n - 1; i >= 0; i--)
		if (programs->items[i]->from_step >= 0 && programs->items[i]->from_step <= step)
			return i;
	return -1;
}

const struct perseus__program *
perseus__programs_look(const struct perseus__programs *programs, int64_t step)
{
	const int32_t index = index_at(programs, step);
	return index >= 0 ? programs->items[index] : NULL;
}

const struct perseus__program *
perseus__programs_at(struct perseus__programs *programs, int64_t step)
{
	for (int32_t n = index_at(programs, step); n > 0; n--)
		forget(programs, 0);
	return perseus__programs_look(programs, step);
}

const struct perseus__program *
perseus__programs_newest(const struct perseus__programs *programs)
{
	return programs->n > 0 ? programs->items[programs->n - 1] : NULL;
}
