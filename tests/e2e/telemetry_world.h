/* telemetry_world - the world's server with a listener for metrics. */
#ifndef SLUICE_TESTS_E2E_TELEMETRY_WORLD_H
#define SLUICE_TESTS_E2E_TELEMETRY_WORLD_H

#include "tests/e2e/world.h"

/* telemetry_restart - the server anew. logging  the members of its key. */
void telemetry_restart(const char *logging);
/* telemetry_restart_with - the same. settings  more of the configuration, whole lines. */
void telemetry_restart_with(const char *settings);
const char *telemetry_address(void);

/* telemetry_get - a page, which the caller frees; asserts that it is there. */
char *telemetry_get(const char *path);

/* telemetry_value - of a series; asserts that it is there. */
double telemetry_value(const char *series);
/* telemetry_await - until it is that: a call is counted after its client has seen its end. */
void telemetry_await(const char *series, double wanted);

#endif
