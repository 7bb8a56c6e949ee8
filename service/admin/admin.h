/* admin - the methods of AdminService, one file each. */
#ifndef SLUICE_SERVICE_ADMIN_ADMIN_H
#define SLUICE_SERVICE_ADMIN_ADMIN_H

#include "service/services.h"

extern const struct rpc_method get_server_info_method;
extern const struct rpc_method get_tool_schemas_method;
extern const struct rpc_method list_cursors_method;
extern const struct rpc_method cancel_cursor_method;
extern const struct rpc_method create_snapshot_method;
extern const struct rpc_method list_snapshots_method;
extern const struct rpc_method delete_snapshot_method;
extern const struct rpc_method download_snapshot_method;

#endif
