/* services - what the methods of the gRPC services share. */
#ifndef SLUICE_SERVICE_SERVICES_H
#define SLUICE_SERVICE_SERVICES_H

#include "index/database.h"
#include "kernels/scanner.h"
#include "kernels/vulkan/scanner_vulkan.h"
#include "service/rpc/rpc.h"

struct cursors;

/* The context of every service; everything in it is borrowed. */
struct services {
	struct database *database;
	struct scanner *scanner;     /* asked first */
	struct scanner *scanner_cpu; /* asked where the first cannot */
	struct scanner *gpu;         /* NULL: none in use */
	const struct gpu_list *gpus;
	int64_t start_ns;        /* on clock_ns */
	struct cursors *cursors; /* that are open */
	size_t page_hits;        /* of a search that names no number; 0: 100 */
	/* Bytes of vectors that a scan reads in half a millisecond: above it a page is worth a
	 * hand-over to the workers. */
	size_t inline_scan_bytes;
};

/* unserved_request, unserved_open, unserved_next - the functions of a method that the contract has
 * and this version does not serve: UNIMPLEMENTED, naming it. */
status unserved_request(struct rpc_call *call, struct bytes message);
status unserved_open(struct rpc_call *call);
enum rpc_step unserved_next(struct rpc_call *call, struct buffer *ret);

#define UNSERVED_METHOD(method_path)                                                               \
	{.path = (method_path), .request = unserved_request, .next = unserved_next}
#define UNSERVED_STREAM(method_path)                                                               \
	{.path = (method_path),                                                                    \
	 .client_streams = true,                                                                   \
	 .open = unserved_open,                                                                    \
	 .request = unserved_request,                                                              \
	 .next = unserved_next}

/* unserved_field - UNIMPLEMENTED, naming a field of a request, "filter". */
status unserved_field(struct arena *arena, const char *field);

/* services_always_long - is_long of a method that reads or writes the disk. */
bool services_always_long(struct rpc_call *call);

#endif
