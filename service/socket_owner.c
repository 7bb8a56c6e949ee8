/* socket_owner - group and mode. */
#include "service/socket_owner.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SOCKET_MODE 0660U

static status find_group(const char *name, struct arena *arena, gid_t *ret)
{
	const struct group *group;
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (name[0] >= '0' && name[0] <= '9' && !*end && number < UINT32_MAX) {
		*ret = (gid_t)number;
		return status_ok();
	}
	group = getgrnam(name);
	if (!group)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "the group \"%s\" of a socket is not known here", name);
	*ret = group->gr_gid;
	return status_ok();
}

/* The group first: the mode would let the wrong one in. */
status socket_give(const char *path, const struct socket_owner *owner, const char *address,
		   struct arena *arena)
{
	mode_t mode = owner->mode ? owner->mode : SOCKET_MODE;
	const char *name = owner->group;
	gid_t group = (gid_t)-1;

	if (name && *name)
		TRY(find_group(name, arena, &group));
	if ((group != (gid_t)-1 && chown(path, (uid_t)-1, group)) || chmod(path, mode))
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "cannot give %s to group %s with mode %04o: %s", address,
				     name && *name ? name : "of the process", (unsigned)mode,
				     strerror(errno));
	return status_ok();
}
