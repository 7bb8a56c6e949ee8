/* readings - what is looked up once for a page or a scrape: collections and the process itself.
 *
 * What is counted elsewhere (kernels/base/meter.h, gauge.h, rpc_server_traffic) is read where it is
 * printed.
 */
#ifndef SLUICE_SERVICE_TELEMETRY_READINGS_H
#define SLUICE_SERVICE_TELEMETRY_READINGS_H

#include "index/calibration.h"
#include "service/services.h"

/* Collections that have figures of their own at most: each is a time series for each of them. */
#define READINGS_COLLECTIONS_MAX 1000

struct collection_reading {
	struct collection_config config;
	struct collection_status status;
	struct collection_calibration calibration;
};

/* All zero is empty. */
struct readings {
	const struct services *services;
	struct rpc_server *server;
	struct collection_reading *collections; /* [n_collections] of those that are open */
	size_t n_collections, n_open, n_known;
	double start_seconds, up_seconds; /* since 1970; since then */
	double cpu_seconds;
	uint64_t resident_bytes, virtual_bytes, open_fds, max_fds;
};

/* readings_take - services, server  borrowed. arena  owns what is read. Opens no collection.
 * Fails: RESOURCE_EXHAUSTED */
status readings_take(const struct services *services, struct rpc_server *server,
		     struct arena *arena, struct readings *ret);

#endif
