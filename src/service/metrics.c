/* Prometheus' text format. */
#include "service/metrics.h"

#include "format/number.h"

#include <inttypes.h>
#include <string.h>

static void
add(struct perseus__text *text, const char *string)
{
	perseus__text_add(text, string, strlen(string));
}

/* Backslash, quote and end of line are escaped; the format knows no others. */
static void
add_escaped(struct perseus__text *text, const char *value)
{
	for (const char *at = value; *at; at++) {
		if (*at == '\n')
			add(text, "\\n");
		else if (*at == '\\' || *at == '"')
			perseus__text_addf(text, "\\%c", *at);
		else
			perseus__text_add(text, at, 1);
	}
}

static void
add_name(struct perseus__text *text, const char *name, const struct perseus__label *labels, size_t n_labels)
{
	add(text, name);
	for (size_t i = 0; i < n_labels; i++) {
		perseus__text_addf(text, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
		add_escaped(text, labels[i].value);
		add(text, "\"");
	}
	add(text, n_labels > 0 ? "} " : " ");
}

void
perseus__metric_head(struct perseus__text *text, const char *name, const char *type, const char *help)
{
	perseus__text_addf(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
perseus__metric_number(struct perseus__text *text, const char *name, const struct perseus__label *labels,
		size_t n_labels, double value)
{
	char number[PERSEUS__NUMBER_BYTES];
	perseus__double_text(value, number);
	add_name(text, name, labels, n_labels);
	perseus__text_addf(text, "%s\n", number);
}

void
perseus__metric_integer(struct perseus__text *text, const char *name, const struct perseus__label *labels,
		size_t n_labels, uint64_t value)
{
	add_name(text, name, labels, n_labels);
	perseus__text_addf(text, "%" PRIu64 "\n", value);
}
