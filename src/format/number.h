/*
 * Numbers as text, the same bytes in every locale: shortest decimals out, exact decimals in.
 */
#ifndef PERSEUS_FORMAT_NUMBER_H
#define PERSEUS_FORMAT_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PERSEUS__NUMBER_BYTES = 40 };

/*
 * The shortest decimal text that reads back as the same double, with a fraction or an exponent so that it reads back as
 * a double: "0.1", "2.0", "1e-7". "null" for what is not finite, as JSON has no word for it.
 */
void perseus__double_text(double value, char text[PERSEUS__NUMBER_BYTES]);

/* value = digits · 10^exponent; what was cut off beyond 18 digits makes the decimal smaller, never larger. */
struct perseus__decimal {
	int64_t digits; /* >= 0, below 10^18 */
	int32_t exponent;
};

/*
 * Reads a whole text as a decimal that is not negative: "12", "0.5", ".5", "1e-3". False for anything else, a sign,
 * "inf" and hexadecimal included.
 */
bool perseus__decimal_parse(const char *text, struct perseus__decimal *decimal);

double perseus__decimal_value(struct perseus__decimal decimal);

/* floor(decimal · factor), exactly. False where it leaves 63 bits. `factor` >= 0. */
bool perseus__decimal_times(struct perseus__decimal decimal, int64_t factor, int64_t *product);

#endif
