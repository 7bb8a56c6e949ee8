/* admin - the methods of AdminService, one file each. */
#ifndef SLUICE_SERVICE_ADMIN_ADMIN_H
#define SLUICE_SERVICE_ADMIN_ADMIN_H

#include "service/services.h"

extern const struct rpc_method get_server_info_method;

#endif
