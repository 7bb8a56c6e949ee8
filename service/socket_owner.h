/* socket_owner - whose a socket of the file system is: who may connect to it is for the file system to say. */
#ifndef SLUICE_SERVICE_SOCKET_OWNER_H
#define SLUICE_SERVICE_SOCKET_OWNER_H

#include "kernels/base/arena.h"
#include "kernels/base/status.h"

struct socket_owner {
	unsigned mode;     /* 0: 0660 */
	const char *group; /* a name or a number; NULL or "": the process's */
};

/* socket_give - gives the socket at the path to its group, and then its mode.
 * address  how the user calls it, for a failure. arena  for details. Fails: INVALID_ARGUMENT */
status socket_give(const char *path, const struct socket_owner *owner, const char *address,
		   struct arena *arena);

#endif
