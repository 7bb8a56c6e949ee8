/* calibration_chart - what recall costs, as a curve in SVG with a table below it: for the status page. */
#ifndef SLUICE_SERVICE_TELEMETRY_CALIBRATION_CHART_H
#define SLUICE_SERVICE_TELEMETRY_CALIBRATION_CHART_H

#include "index/calibration.h"
#include "kernels/base/bytes.h"

/* calibration_chart_print - a figure. collection  its name. There is an index (n_rows above 0). */
void calibration_chart_print(const char *collection,
			     const struct collection_calibration *calibration, struct buffer *out);

#endif
