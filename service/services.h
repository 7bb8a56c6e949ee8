/* services - what the methods of the gRPC services share. */
#ifndef SLUICE_SERVICE_SERVICES_H
#define SLUICE_SERVICE_SERVICES_H

#include "index/database.h"
#include "kernels/scanner.h"
#include "kernels/vulkan/scanner_vulkan.h"
#include "service/rpc/rpc.h"

struct cursors;
struct shared_scans;

/* The context of every service; everything in it is borrowed. */
struct services {
	struct database *database;
	struct scanner *scanner;     /* asked first */
	struct scanner *scanner_cpu; /* asked where the first cannot */
	struct scanner *gpu;         /* NULL: none in use */
	const struct gpu_list *gpus;
	int64_t start_ns;                  /* on clock_ns */
	struct cursors *cursors;           /* that are open */
	struct shared_scans *shared_scans; /* NULL: each search scans for itself */
	struct pool *workers, *writers;
	size_t page_hits; /* of a search that names no number; 0: 100 */
	/* Bytes of vectors that a scan reads in half a millisecond: above it a page is worth a
	 * hand-over to the workers. */
	size_t inline_scan_bytes;
};

/* services_is_ready - is_ready of a method whose messages name a collection in their field 1: it is open,
 * or known not to open. Else that is under way, and takes no thread of ours meanwhile. */
bool services_is_ready(struct rpc_call *call, struct bytes message);

/* services_await - the same for a name; the call is woken later. */
bool services_await(struct rpc_call *call, struct bytes name);

/* services_always_long - is_long of a method that reads or writes the disk. */
bool services_always_long(struct rpc_call *call);

#endif
