/* health - gRPC's own service for probes, as tests ask it. */
#ifndef SLUICE_TESTS_E2E_HEALTH_H
#define SLUICE_TESTS_E2E_HEALTH_H

#include "grpc/health/v1/health.pb-c.h"
#include "tests/e2e/world.h"

typedef Grpc__Health__V1__HealthCheckRequest check_request;
typedef Grpc__Health__V1__HealthCheckResponse check_response;

#define STATE(what) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##what

extern const struct method health_check, health_watch;

/* health_watch_open - of the whole server; wants it to serve. */
struct grpc_stream *health_watch_open(struct session *session);

#endif
