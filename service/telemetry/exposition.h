/* exposition - figures as Prometheus reads them: text, version 0.0.4.
 *
 *	exposition_begin(&out, "sluice_hits_total", FAMILY_COUNTER, "Hits that were sent.");
 *	exposition_count(&out, "", meter_read(METER_HITS));
 *
 * Labels are given as they are written, name="value" with commas between; a value that is not ours goes
 * through exposition_escape first.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_EXPOSITION_H
#define SLUICE_SERVICE_TELEMETRY_EXPOSITION_H

#include "kernels/base/bytes.h"
#include "kernels/base/meter.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum family_kind { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM };

struct exposition {
	struct buffer *out; /* failed: no memory */
	const char *name;   /* of the family that was begun */
};

const char *family_kind_name(enum family_kind kind);

/* buffer_printf - appends; cut at 4,000 bytes. */
void buffer_printf(struct buffer *buffer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* exposition_begin - HELP and TYPE. name  borrowed until the next. */
void exposition_begin(struct exposition *exposition, const char *name, enum family_kind kind,
		      const char *help);

/* labels  "": none. */
void exposition_count(struct exposition *exposition, const char *labels, uint64_t value);
void exposition_number(struct exposition *exposition, const char *labels, double value);
/* exposition_histogram - in seconds: _bucket, _sum and _count. */
void exposition_histogram(struct exposition *exposition, const char *labels,
			  const struct histogram_reading *reading);

/* exposition_escape - text as the inside of a label's value, cut where size ends. */
void exposition_escape(char *ret, size_t size, const char *text);

#endif
