/* Prometheus' text format, version 0.0.4. */
#ifndef PERSEUS_SERVICE_METRICS_H
#define PERSEUS_SERVICE_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct perseus__label {
	const char *name;
	const char *value; /* any UTF-8; escaped */
};

/* What precedes the samples of one metric; `type` is "counter", "gauge" or "histogram". */
void perseus__metric_head(struct perseus__text *text, const char *name, const char *type, const char *help);

/* One sample, `n_labels` labels. The value must be finite. */
void perseus__metric_number(struct perseus__text *text, const char *name, const struct perseus__label *labels,
		size_t n_labels, double value);
void perseus__metric_integer(struct perseus__text *text, const char *name, const struct perseus__label *labels,
		size_t n_labels, uint64_t value);

#endif
