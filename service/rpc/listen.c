/* listen - the addresses of a server. */
#include "service/rpc/listen.h"

#include "kernels/base/bytes.h"
#include "service/rpc/tls.h"

#include <dirent.h>
#include <errno.h>
#include <grpc/grpc_security.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNIX_PREFIX "unix:"
#define FOUND_MAX 256

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

/* What a server left behind may go; what one listens on not.
 * address  "unix:PATH" */
static status check_socket(const char *address, struct arena *arena, struct sockaddr_un *ret)
{
	size_t size =
		decode_path(address + strlen(UNIX_PREFIX), ret->sun_path, sizeof ret->sun_path);
	int failed;

	ret->sun_family = AF_UNIX;
	if (size == 0 || size == sizeof ret->sun_path)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "cannot listen on %s: a path of 1 to %zu bytes is needed",
				     address, sizeof ret->sun_path - 1);
	failed = try_socket(ret);
	if (failed == ECONNREFUSED || failed == ENOENT)
		return status_ok();
	return status_format(arena, STATUS_UNAVAILABLE, "cannot listen on %s: %s", address,
			     failed ? strerror(failed) : "another server answers there");
}

/* --- which sockets are the core's --- */

struct found {
	int sockets[FOUND_MAX]; /* [n] that listen */
	size_t n;
};

static bool listens(int socket)
{
	int is = 0;
	socklen_t size = sizeof is;

	return getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &is, &size) == 0 && is;
}

/* Of this process. Without /proc there are none. */
static void find_sockets(struct found *ret)
{
	DIR *folder = opendir("/proc/self/fd");
	const struct dirent *entry;

	ret->n = 0;
	while (folder && (entry = readdir(folder)) && ret->n < FOUND_MAX) {
		int socket = atoi(entry->d_name);

		if (entry->d_name[0] != '.' && listens(socket))
			ret->sockets[ret->n++] = socket;
	}
	if (folder)
		closedir(folder);
}

static bool has_socket(const struct found *found, int socket)
{
	for (size_t i = 0; i < found->n; i++)
		if (found->sockets[i] == socket)
			return true;
	return false;
}

static bool is_at(int socket, int family, int port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
	} at = {0};
	socklen_t size = sizeof at;

	if (getsockname(socket, &at.any, &size))
		return false;
	if (family == AF_UNIX)
		return at.any.sa_family == AF_UNIX;
	return (at.any.sa_family == AF_INET && ntohs(at.v4.sin_port) == port) ||
	       (at.any.sa_family == AF_INET6 && ntohs(at.v6.sin6_port) == port);
}

/* Those that have come. */
static void note_sockets(const struct found *before, struct listening *listening)
{
	struct found after;

	find_sockets(&after);
	for (size_t i = 0; i < after.n && listening->n_sockets < LISTENING_MAX; i++)
		if (!has_socket(before, after.sockets[i]) &&
		    is_at(after.sockets[i], listening->path.sun_family, listening->port))
			listening->sockets[listening->n_sockets++] = after.sockets[i];
}

void listening_silence(const struct listening *listening)
{
	for (size_t i = 0; i < listening->n_sockets; i++)
		if (listens(listening->sockets[i]))
			shutdown(listening->sockets[i], SHUT_RDWR);
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

/* The folder of an address, and a name that nobody else has there. */
static char *name_for_a_moment(const char *address, struct arena *arena)
{
	static unsigned n_names; /* under listening_lock */
	const char *slash = strrchr(address, '/');
	int size = (int)(slash ? slash + 1 - address : (ptrdiff_t)strlen(UNIX_PREFIX));

	return arena_printf(arena, "%.*s.%x.%x", size, address, (unsigned)getpid(), n_names++);
}

static status cannot_name(const char *address, struct arena *arena)
{
	return status_format(arena, STATUS_UNAVAILABLE, "cannot listen on %s: %s", address,
			     strerror(errno));
}

/* Puts the socket where it belongs. moment  where it is. */
static status put_socket(const struct listener *listener, const char *moment, struct arena *arena,
			 struct listening *listening)
{
	struct stat file;

	TRY(socket_give(moment, &listener->owner, listener->address, arena));
	if (stat(moment, &file) || rename(moment, listening->path.sun_path))
		return cannot_name(listener->address, arena);
	listening->device = file.st_dev;
	listening->inode = file.st_ino;
	return status_ok();
}

/* Until it has its mode it is its owner's. The mask is the process's: it takes nothing from what other
 * threads make meanwhile but what others may write. */
static int add_private_port(grpc_server *core, const char *address)
{
	mode_t before = umask(0022);
	int port;

	umask(before | 0022);
	port = add_port(core, address, NULL);
	umask(before);
	return port;
}

static status listen_on_socket(grpc_server *core, const struct listener *listener,
			       struct arena *arena, struct listening *ret)
{
	char *address = name_for_a_moment(listener->address, arena);
	struct sockaddr_un moment = {0};
	status put;

	if (!address)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a server");
	TRY(check_socket(listener->address, arena, &ret->path));
	if (decode_path(address + strlen(UNIX_PREFIX), moment.sun_path, sizeof moment.sun_path) ==
	    sizeof moment.sun_path)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "cannot listen on %s: the path of its folder is too long",
				     listener->address);
	ret->port = add_private_port(core, address);
	if (!ret->port)
		return status_ok();
	put = put_socket(listener, moment.sun_path, arena, ret);
	if (status_failed(put))
		unlink(moment.sun_path);
	return put;
}

void listening_end(const struct listening *listening)
{
	struct stat file;

	if (listening->path.sun_family && stat(listening->path.sun_path, &file) == 0 &&
	    file.st_dev == listening->device && file.st_ino == listening->inode)
		unlink(listening->path.sun_path);
}

/* What may be wrong with an address comes out as one 0, whatever it is. */
static const char *explain(grpc_server *core, const struct listener *listener)
{
	if (listener->tls && add_port(core, listener->address, NULL))
		return "the certificate, its key and the client CA cannot be used together";
	return "it is taken, not allowed or not an address of this machine";
}

static status listen_now(grpc_server *core, const struct listener *listener, struct arena *arena,
			 struct listening *ret)
{
	if (listen_is_socket(listener->address))
		TRY(listen_on_socket(core, listener, arena, ret));
	else
		ret->port = add_port(core, listener->address, listener->tls);
	if (ret->port == 0)
		return status_format(arena, STATUS_UNAVAILABLE, "cannot listen on %s: %s",
				     listener->address, explain(core, listener));
	return status_ok();
}

status listen_on(grpc_server *core, const struct listener *listener, struct arena *arena,
		 struct listening *ret)
{
	/* Nobody else's sockets are to come meanwhile. */
	static pthread_mutex_t listening_lock = PTHREAD_MUTEX_INITIALIZER;
	struct found before;
	status done;

	*ret = (struct listening){0};
	pthread_mutex_lock(&listening_lock);
	find_sockets(&before);
	done = listen_now(core, listener, arena, ret);
	if (!status_failed(done))
		note_sockets(&before, ret);
	pthread_mutex_unlock(&listening_lock);
	return done;
}
