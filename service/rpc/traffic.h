/* traffic - what calls came for a method, and how they ended. Within service/rpc; others read it by
 * rpc_server_traffic.
 *
 * Each is counted in the lane of its thread (kernels/base/meter.h): no lock, and no line of memory that
 * many write.
 */
#ifndef SLUICE_SERVICE_RPC_TRAFFIC_H
#define SLUICE_SERVICE_RPC_TRAFFIC_H

#include "kernels/base/meter.h"
#include "service/rpc/descriptors.h"
#include "service/rpc/rpc.h"

struct traffic {
	struct {
		_Alignas(64) _Atomic uint64_t started, received, sent;
		_Atomic uint64_t handled[RPC_CODES];
	} lanes[METER_LANES];
	struct histogram seconds;
	const char *path; /* NULL: of no method that there is */
	bool client_streams, server_streams;
};

/* traffic_new - [n] all zero, for free(); NULL without memory. */
struct traffic *traffic_new(size_t n);
/* traffic_describe - whose it is. What the descriptors do not have streams nothing to its client. */
void traffic_describe(struct traffic *traffic, const struct rpc_method *method,
		      const struct descriptors *descriptors);

void traffic_started(struct traffic *traffic);
void traffic_received(struct traffic *traffic);
void traffic_sent(struct traffic *traffic);
void traffic_handled(struct traffic *traffic, enum status_code code, int64_t duration_ns);

void traffic_read(const struct traffic *traffic, struct rpc_traffic *ret);

#endif
