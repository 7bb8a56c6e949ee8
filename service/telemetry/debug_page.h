/* debug_page - the inside of the server as JSON: what the status page has no room for. */
#ifndef SLUICE_SERVICE_TELEMETRY_DEBUG_PAGE_H
#define SLUICE_SERVICE_TELEMETRY_DEBUG_PAGE_H

#include "kernels/base/bytes.h"
#include "service/telemetry/readings.h"

/* Calls, and cursors, that are shown at most. */
#define DEBUG_PAGE_ITEMS_MAX 1000

void debug_page_print(const struct readings *readings, struct buffer *out);

#endif
