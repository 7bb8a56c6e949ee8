/* probe - connect, half close, wait for a word. */
#include "service/rpc/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a probe takes on both ends, and some clients. */
#define ROOM 16

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
};

bool probe_has_room(void)
{
	int taken[ROOM];
	int n = 0;

	while (n < ROOM && (taken[n] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0)
		n++;
	for (int i = 0; i < n; i++)
		close(taken[i]);
	/* Without a standard error there is nothing to copy. */
	return n == ROOM || (n == 0 && errno == EBADF);
}

/* Of the other end: who listens everywhere is asked on the loopback. */
static bool find_address(const struct listening *listening, int listener, union address *ret,
			 socklen_t *ret_size)
{
	int only_v6 = 0;
	socklen_t size = sizeof only_v6;

	*ret_size = sizeof *ret;
	if (listening->path.sun_family) {
		ret->un = listening->path;
		*ret_size = sizeof ret->un;
		return true;
	}
	if (getsockname(listener, &ret->any, ret_size))
		return false;
	if (ret->any.sa_family == AF_INET && ret->v4.sin_addr.s_addr == htonl(INADDR_ANY))
		ret->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (ret->any.sa_family != AF_INET6 || !IN6_IS_ADDR_UNSPECIFIED(&ret->v6.sin6_addr))
		return true;
	getsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &size);
	ret->v6.sin6_addr = in6addr_loopback;
	if (!only_v6) {
		/* ::ffff:127.0.0.1, which is there where there is no ::1. */
		const struct in6_addr mapped = {
			{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1}}};

		ret->v6.sin6_addr = mapped;
	}
	return true;
}

static bool await(int fd, short events, int timeout_ms)
{
	struct pollfd ready = {.fd = fd, .events = events};
	int n;

	do {
		n = poll(&ready, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	return n > 0;
}

/* 0, or the error number of a connect that is through. */
static int connect_error(int fd, const union address *address, socklen_t size, int timeout_ms)
{
	int error = 0;
	socklen_t error_size = sizeof error;

	if (connect(fd, &address->any, size) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (!await(fd, POLLOUT, timeout_ms))
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_size);
	return error;
}

static enum probe_answer ask(const union address *address, socklen_t size, int timeout_ms)
{
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum probe_answer answer = PROBE_SILENT;
	int error;

	if (fd < 0)
		return PROBE_UNKNOWN;
	error = connect_error(fd, address, size, timeout_ms);
	if (error == 0) {
		shutdown(fd, SHUT_WR);
		if (await(fd, POLLIN, timeout_ms))
			answer = PROBE_ANSWERED;
	} else if (error != ETIMEDOUT && error != ECONNREFUSED && error != EAGAIN &&
		   error != ENOENT && error != ECONNRESET) {
		/* EAGAIN: the queue of a path is full. The rest is about the way there. */
		answer = PROBE_UNKNOWN;
	}
	close(fd);
	return answer;
}

enum probe_answer probe_listening(const struct listening *listening, int timeout_ms)
{
	enum probe_answer all = listening->n_sockets ? PROBE_ANSWERED : PROBE_UNKNOWN;

	for (size_t i = 0; i < listening->n_sockets && all == PROBE_ANSWERED; i++) {
		union address address = {0};
		socklen_t size;

		all = find_address(listening, listening->sockets[i], &address, &size)
			      ? ask(&address, size, timeout_ms)
			      : PROBE_UNKNOWN;
	}
	return all;
}
