/* What the names of classes tell. */
#include "server/job_class.h"

#include <string.h>

#include <perseus/schedule.h>

static bool
is_constant_kind(enum perseus_kind kind)
{
	switch (kind) {
	case PERSEUS_KIND_DATA_LOAD:
	case PERSEUS_KIND_UNSHARD:
	case PERSEUS_KIND_RESHARD:
	case PERSEUS_KIND_GRAD_REDUCE:
	case PERSEUS_KIND_OPTIMIZER_STEP:
		return true;
	case PERSEUS_KIND_FORWARD:
	case PERSEUS_KIND_BACKWARD:
	case PERSEUS_KIND_INPUT:
	case PERSEUS_KIND_WEIGHT:
	case PERSEUS_KIND_RECOMPUTE:
	case PERSEUS_KIND_OVERLAP:
	case PERSEUS_KIND_OTHER:
		return false;
	}
	return false;
}

bool
perseus__job_class_is_constant(const char *name)
{
	static const enum perseus_kind kinds[] = {
#define X(kind, text) PERSEUS_KIND_##kind,
		PERSEUS_KIND_MAP(X)
#undef X
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(name, perseus_kind_name(kinds[i])) == 0)
			return is_constant_kind(kinds[i]);
	return false;
}
