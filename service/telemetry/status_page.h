/* status_page - the server at a glance: one page without script, images or anything from elsewhere. */
#ifndef SLUICE_SERVICE_TELEMETRY_STATUS_PAGE_H
#define SLUICE_SERVICE_TELEMETRY_STATUS_PAGE_H

#include "kernels/base/bytes.h"
#include "service/telemetry/readings.h"

/* Rows of the table of cursors at most; the number of all is said. */
#define STATUS_PAGE_CURSORS_MAX 200

/* Collections with a curve at most; likewise. */
#define STATUS_PAGE_CHARTS_MAX 24

void status_page_print(const struct readings *readings, struct buffer *out);

#endif
