/* storm - thousands of connections at once, most of which never become clients. */
#include "tests/e2e/iterating.h"
#include "tests/support/skip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

TestSuite(storm, .init = world_open, .fini = world_close, .timeout = 280);

enum { connects = SANITIZED ? 500 : 5000, files_of_others = 500 };

/* gRPC's core keeps buffers for each connection from its first byte on. */
#define CONNECTION_BYTES_MAX ((size_t)64 << 10)
#define SETTLE_SECONDS 120.0

static struct pollfd sockets[connects]; /* fd -1: none, or closed again */

static struct rows rows = {
	.collection = "docs", .dim = 4, .n = 200, .metric = SLUICE__V1__METRIC__METRIC_L2};

static bool may_open_so_many(void)
{
	struct rlimit limit;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < connects + files_of_others)
		return false;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/* All of them begin before one of them is looked at. */
static void connect_all(void)
{
	const char *port = strrchr(world.server.address, ':') + 1;
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};

	for (size_t i = 0; i < connects; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		cr_assert(fd >= 0);
		if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
			cr_assert_eq(errno, EINPROGRESS, "connect %zu: %s", i, strerror(errno));
		sockets[i] = (struct pollfd){.fd = fd, .events = POLLOUT};
	}
}

/* How many have come through; those that wait behind a full backlog come when the kernel asks again. */
static size_t await_connected(double seconds)
{
	double end = seconds_now() + seconds;
	size_t n;

	do {
		n = 0;
		cr_assert(poll(sockets, connects, 100) >= 0);
		for (size_t i = 0; i < connects; i++)
			n += (sockets[i].revents & POLLOUT) != 0;
	} while (n < connects && seconds_now() < end);
	return n;
}

static void close_one(size_t i)
{
	if (sockets[i].fd >= 0)
		close(sockets[i].fd);
	sockets[i].fd = -1;
}

/* A third goes at once, a third says what no HTTP/2 client does, a third says nothing. */
static void misbehave(void)
{
	static const char garbage[] = "GET / HTTP/1.1\r\nHost: nobody\r\n\r\n";

	for (size_t i = 0; i < connects; i++) {
		if (i % 3 == 0)
			close_one(i);
		if (i % 3 == 1 &&
		    send(sockets[i].fd, garbage, sizeof garbage - 1, MSG_NOSIGNAL) < 0)
			close_one(i);
	}
}

static void want_searches(struct session *session, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		Sluice__V1__SearchRequest request = search_request(&rows, query_make(4, i), 5);

		cr_assert_eq(search_all(session, &request).n, 5);
	}
}

Test(storm, of_connections_is_borne_and_leaves_nothing)
{
	struct session late = {0};
	size_t files, before, during, connected;
	double end;

	if (!may_open_so_many())
		SKIP_LOUDLY("the hard limit of open files is too low");
	rows_create(&rows, 1);
	want_searches(&world.session, 20);
	files = server_entries("fd");
	before = server_own_bytes(&world.server);

	connect_all();
	want_searches(&world.session, 20);
	connected = await_connected(60);
	cr_assert_eq(connected, connects, "%zu of %d", connected, connects);
	misbehave();
	/* Who was there is served, and so is who comes now. */
	want_searches(&world.session, 20);
	session_open(&late, world.server.address);
	want_searches(&late, 20);
	during = server_own_bytes(&world.server);
	fprintf(stderr, "storm: %d connections, %zu KB more\n", connects, (during - before) >> 10);
	if (!SANITIZED)
		cr_assert_lt(during, before + connects * CONNECTION_BYTES_MAX, "%zu MB more",
			     (during - before) >> 20);

	for (size_t i = 0; i < connects; i++)
		close_one(i);
	session_close(&late);
	for (end = seconds_now() + SETTLE_SECONDS;
	     server_entries("fd") > files + 8 && seconds_now() < end;)
		pause_ms(50);
	cr_assert_leq(server_entries("fd"), files + 8);
	want_searches(&world.session, 20);
	want_idle();
}
