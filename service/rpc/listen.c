/* listen - the addresses of a server. */
#include "service/rpc/listen.h"

#include "kernels/base/bytes.h"

#include <errno.h>
#include <grpc/grpc_security.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define UNIX_PREFIX "unix:"

static bool is_unix(const char *address)
{
	return strncmp(address, UNIX_PREFIX, strlen(UNIX_PREFIX)) == 0;
}

const char *listen_address(struct arena *arena, const char *address, int port)
{
	const char *colon = strrchr(address, ':');

	if (is_unix(address) || !colon)
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

status listen_on(grpc_server *core, const char *address, struct arena *arena, int *ret_port)
{
	grpc_server_credentials *credentials;
	int port;

	if (is_unix(address))
		TRY(check_socket(address, arena));
	credentials = grpc_insecure_server_credentials_create();
	port = grpc_server_add_http2_port(core, address, credentials);
	grpc_server_credentials_release(credentials);
	if (port == 0)
		return status_format(arena, STATUS_UNAVAILABLE,
				     "cannot listen on %s: it is taken, not allowed or not an "
				     "address of this machine",
				     address);
	*ret_port = port;
	return status_ok();
}
