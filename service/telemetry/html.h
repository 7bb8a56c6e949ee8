/* html - words, numbers and times as the status page shows them.
 *
 * Every word that is not ours goes through html_text, by itself or within a cell.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_HTML_H
#define SLUICE_SERVICE_TELEMETRY_HTML_H

#include "kernels/base/bytes.h"
#include "kernels/base/meter.h"

/* html_text - with what HTML would take for its own escaped. */
void html_text(struct buffer *out, const char *text);

/* html_number, html_bytes, html_seconds - 1,234; 1.2 MiB; 3.4 ms. */
void html_number(struct buffer *out, uint64_t number);
void html_bytes(struct buffer *out, uint64_t bytes);
void html_seconds(struct buffer *out, double seconds);

/* The same as cells of a table. */
void html_cell_text(struct buffer *out, const char *text);
void html_cell_number(struct buffer *out, uint64_t number);
void html_cell_bytes(struct buffer *out, uint64_t bytes);
void html_cell_seconds(struct buffer *out, double seconds);
/* html_cell_share - two cells: 0 .. 1 as a percentage, and as a bar. */
void html_cell_share(struct buffer *out, double share);
/* html_cells_times - four of them: how many, the mean, p50, p99; without any, dashes. */
void html_cells_times(struct buffer *out, const struct histogram_reading *reading);

/* histogram_quantile - the time that a share of all is not above, in seconds; between two bounds as if
 * times lay evenly. 0 where there is none. */
double histogram_quantile(const struct histogram_reading *reading, double share);

#endif
