/* otlp_exporter - spans that are over, sent to a collector in batches by one thread.
 *
 * Whoever has spans hands them over and goes on: under a lock that is held for a few instructions, never for
 * memory of unknown size, never for the network. Of so many spans at most wait; what comes beyond them is
 * dropped, and so is a batch that the collector does not take in its time. Both are counted
 * (kernels/base/meter.h). The log hears of a collector that does not answer once, and once when it does again.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_OTLP_EXPORTER_H
#define SLUICE_SERVICE_TELEMETRY_OTLP_EXPORTER_H

#include "service/telemetry/otlp_options.h"

struct otlp_exporter;

/* otlp_exporter_open - options  copied as far as they are needed later.
 * Fails: RESOURCE_EXHAUSTED INVALID_ARGUMENT (TLS) */
status otlp_exporter_open(const struct otlp_options *options, struct otlp_exporter **ret);

/* otlp_exporter_is_full - whether spans would only be dropped now: nobody need make them. */
bool otlp_exporter_is_full(struct otlp_exporter *exporter);

/* otlp_exporter_drop - counts spans that were not made. */
void otlp_exporter_drop(size_t n_spans);

/* otlp_exporter_add - spans of one call, as otlp_span_append made them; their memory is taken. From any
 * thread. */
void otlp_exporter_add(struct otlp_exporter *exporter, struct buffer *spans, size_t n_spans);

/* otlp_exporter_close - what waits is sent, for at most two seconds. NULL is fine. */
void otlp_exporter_close(struct otlp_exporter *exporter);

SCOPE_DEFINE(otlp_exporter, otlp_exporter_close)

#endif
