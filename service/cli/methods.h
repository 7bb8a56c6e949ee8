/* methods - the methods of the contract that the commands call. */
#ifndef SLUICE_SERVICE_CLI_METHODS_H
#define SLUICE_SERVICE_CLI_METHODS_H

#include "service/cli/client.h"

extern const struct method method_create_collection, method_get_collection, method_list_collections,
	method_delete_collection, method_optimize_collection, method_upsert_chunks,
	method_delete_chunks, method_search, method_get_chunks, method_list_chunks,
	method_count_chunks, method_get_server_info, method_list_cursors, method_cancel_cursor,
	method_create_snapshot, method_list_snapshots, method_delete_snapshot,
	method_download_snapshot;

#endif
