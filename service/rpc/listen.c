/* listen - the addresses of a server. */
#include "service/rpc/listen.h"

#include "kernels/base/bytes.h"
#include "service/rpc/tls.h"

#include <errno.h>
#include <grp.h>
#include <grpc/grpc_security.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_PREFIX "unix:"

bool listen_is_socket(const char *address)
{
	return strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
}

const char *listen_address(struct arena *arena, const char *address, int port)
{
	const char *colon = strrchr(address, ':');

	if (listen_is_socket(address) || !colon)
		return arena_copy(arena, address, strlen(address));
	return arena_printf(arena, "%.*s:%d", (int)(colon - address), address, port);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The core takes %41 in an address for A.
 * ret  [size]; gives how long the path is, or size where it does not fit. */
static size_t decode_path(const char *path, char *ret, size_t size)
{
	size_t n = 0;

	for (; *path && n < size; path++) {
		int high = path[0] == '%' ? hex_digit(path[1]) : -1;
		int low = high >= 0 ? hex_digit(path[2]) : -1;

		ret[n] = *path;
		if (low >= 0) {
			ret[n] = (char)(high << 4 | low);
			path += 2;
		}
		n++;
	}
	return n;
}

/* 0: somebody answers; else the error number. */
static int try_socket(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), failed = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address))
		failed = errno;
	close(fd);
	/* Its queue is full, or it is a socket of another kind: alive all the same. */
	return failed == EAGAIN || failed == EPROTOTYPE ? 0 : failed;
}

/* The core unlinks what is in its way. What a server left behind may go; what one listens on not.
 * address  "unix:PATH" */
static status check_socket(const char *address, struct arena *arena)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t size = decode_path(address + strlen(UNIX_PREFIX), un.sun_path, sizeof un.sun_path);
	int failed;

	if (size == 0 || size == sizeof un.sun_path)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "cannot listen on %s: a path of 1 to %zu bytes is needed",
				     address, sizeof un.sun_path - 1);
	failed = try_socket(&un);
	if (failed == ECONNREFUSED || failed == ENOENT)
		return status_ok();
	return status_format(arena, STATUS_UNAVAILABLE, "cannot listen on %s: %s", address,
			     failed ? strerror(failed) : "another server answers there");
}

/* --- whose a socket is --- */

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
static status give_socket(const struct listener *listener, mode_t mode, struct arena *arena)
{
	char path[sizeof((struct sockaddr_un *)0)->sun_path + 1] = "";
	size_t size = decode_path(listener->address + strlen(UNIX_PREFIX), path, sizeof path - 1);
	const char *name = listener->socket_group;
	gid_t group = (gid_t)-1;

	path[size] = 0;
	if (name && *name)
		TRY(find_group(name, arena, &group));
	if ((group != (gid_t)-1 && chown(path, (uid_t)-1, group)) || chmod(path, mode))
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "cannot give %s to group %s with mode %04o: %s",
				     listener->address, name && *name ? name : "of the process",
				     (unsigned)mode, strerror(errno));
	return status_ok();
}

/* --- listening --- */

static int add_port(grpc_server *core, const char *address, struct tls *tls)
{
	grpc_server_credentials *credentials =
		tls ? tls_credentials(tls) : grpc_insecure_server_credentials_create();
	int port = grpc_server_add_http2_port(core, address, credentials);

	grpc_server_credentials_release(credentials);
	return port;
}

/* A socket is made with what umask leaves, and is given more later. */
static status listen_on_socket(grpc_server *core, const struct listener *listener,
			       struct arena *arena, int *ret_port)
{
	mode_t mode = listener->socket_mode ? listener->socket_mode : SOCKET_MODE, before;

	TRY(check_socket(listener->address, arena));
	before = umask(0177);
	*ret_port = add_port(core, listener->address, NULL);
	umask(before);
	return *ret_port ? give_socket(listener, mode, arena) : status_ok();
}

/* What may be wrong with an address comes out as one 0, whatever it is. */
static const char *explain(grpc_server *core, const struct listener *listener)
{
	if (listener->tls && add_port(core, listener->address, NULL))
		return "the certificate, its key and the client CA cannot be used together";
	return "it is taken, not allowed or not an address of this machine";
}

status listen_on(grpc_server *core, const struct listener *listener, struct arena *arena,
		 int *ret_port)
{
	int port = 0;

	if (listen_is_socket(listener->address))
		TRY(listen_on_socket(core, listener, arena, &port));
	else
		port = add_port(core, listener->address, listener->tls);
	if (port == 0)
		return status_format(arena, STATUS_UNAVAILABLE, "cannot listen on %s: %s",
				     listener->address, explain(core, listener));
	*ret_port = port;
	return status_ok();
}
