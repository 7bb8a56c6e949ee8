/* load_json - a report as a file: for programs, and to be merged with others. */
#ifndef SLUICE_SERVICE_CLI_LOAD_JSON_H
#define SLUICE_SERVICE_CLI_LOAD_JSON_H

#include "kernels/base/arena.h"
#include "service/cli/load_stats.h"

/* load_json_write - Fails: UNAVAILABLE where it cannot be written, RESOURCE_EXHAUSTED */
status load_json_write(struct arena *arena, const char *path, const struct load_report *report);

/* load_json_read - what load_json_write has written, and histograms bit for bit.
 * arena  owns the steps and details. Fails: INVALID_ARGUMENT RESOURCE_EXHAUSTED */
status load_json_read(struct arena *arena, const char *path, struct load_report *ret);

#endif
