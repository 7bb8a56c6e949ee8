/* load_svg - latency against offered load, as a picture without script, fonts or anything from
 * elsewhere. */
#ifndef SLUICE_SERVICE_CLI_LOAD_SVG_H
#define SLUICE_SERVICE_CLI_LOAD_SVG_H

#include "kernels/base/bytes.h"
#include "service/cli/load_stats.h"

/* load_svg_print - p50, p99 and p99.9 of the steps that have a rate, over it, and which share of the
 * offered calls ended OK in time. ret  check failed once at the end. */
void load_svg_print(struct buffer *ret, const struct load_report *report);

/* load_svg_write - to a file. Fails: UNAVAILABLE RESOURCE_EXHAUSTED */
struct arena;
status load_svg_write(struct arena *arena, const char *path, const struct load_report *report);

#endif
