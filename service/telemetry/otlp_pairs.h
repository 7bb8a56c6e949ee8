/* otlp_pairs - "name=value,name=value", values percent-encoded: headers and attributes of the environment. */
#ifndef SLUICE_SERVICE_TELEMETRY_OTLP_PAIRS_H
#define SLUICE_SERVICE_TELEMETRY_OTLP_PAIRS_H

#include "kernels/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

struct otlp_pair_text {
	const char *name, *value;
};

/* otlp_pairs_parse - spaces around names and values go. A later one of a name replaces an earlier one.
 * ret  [max]. False: some part is no pair, or there are too many; ret_n is how many are good. */
bool otlp_pairs_parse(const char *text, struct arena *arena, struct otlp_pair_text *ret, size_t max,
		      size_t *ret_n);

#endif
