/* bench_gpu - the part of bench that measures a GPU of this machine. */
#ifndef SLUICE_SERVICE_CLI_BENCH_GPU_H
#define SLUICE_SERVICE_CLI_BENCH_GPU_H

#include "service/cli/commands.h"

/* bench_gpu - prints a table, or JSON. Options: software, mib, json.
 * Fails: UNAVAILABLE RESOURCE_EXHAUSTED INVALID_ARGUMENT */
status bench_gpu(struct cli *cli);

#endif
