/* metrics - a scrape read back: what a linter would object to, and the value of one series.
 *
 * The rules are those that promtool's check has for text, and the format's own.
 */
#ifndef SLUICE_TESTS_SERVICE_TELEMETRY_METRICS_H
#define SLUICE_TESTS_SERVICE_TELEMETRY_METRICS_H

#include <stdbool.h>
#include <stddef.h>

/* metrics_lint - the first objection, with its line; "" where there is none.
 * ret  [size] */
void metrics_lint(const char *text, char *ret, size_t size);

/* metrics_value - of the series as it is written, "name" or "name{a=\"b\"}"; -1 where there is none. */
double metrics_value(const char *text, const char *series);

/* metrics_series - the names of all series with their labels, without values, a line each; those that hold
 * `without` are left out. The caller frees it. */
char *metrics_series(const char *text, const char *without);

#endif
