/* descriptors - a server that runs out of them: its listeners, each of which gRPC gives up for good, come
 * back; who was there stays. */
#include "tests/e2e/health.h"
#include "tests/e2e/served.h"
#include "tests/e2e/world.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The world's own server is there for its folder and its session's arena. */
TestSuite(descriptors, .init = world_open, .fini = world_close, .timeout = 180);

/* So many connects where there are so many descriptors more than before. */
enum { CONNECTS = 100, SPARE = 64 };

#define LOOKS 3000

static size_t open_files(pid_t pid)
{
	DIR *folder = opendir(text_of("/proc/%d/fd", (int)pid));
	size_t n = 0;

	cr_assert_not_null(folder);
	while (readdir(folder))
		n++;
	closedir(folder);
	return n - 2; /* . and .. */
}

static int connect_raw(const char *address)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	struct sockaddr_in host = {.sin_family = AF_INET};
	bool is_path = strncmp(address, "unix:", 5) == 0;
	int fd = socket(is_path ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	cr_assert_geq(fd, 0);
	if (is_path) {
		snprintf(path.sun_path, sizeof path.sun_path, "%s", address + 5);
		(void)connect(fd, (const struct sockaddr *)&path, sizeof path);
	} else {
		host.sin_port = htons((uint16_t)strtol(strrchr(address, ':') + 1, NULL, 10));
		host.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		(void)connect(fd, (const struct sockaddr *)&host, sizeof host);
	}
	return fd;
}

/* Takes the server what it has, from outside, and gives it back: the limit stays. */
static void exhaust(pid_t pid, const char *address)
{
	size_t before = open_files(pid);
	struct rlimit limit;
	int clients[CONNECTS];

	cr_assert_eq(prlimit(pid, RLIMIT_NOFILE, NULL, &limit), 0);
	limit.rlim_cur = before + SPARE;
	cr_assert_eq(prlimit(pid, RLIMIT_NOFILE, &limit, NULL), 0);
	for (size_t i = 0; i < CONNECTS; i++)
		clients[i] = connect_raw(address);
	for (int i = 0; i < LOOKS && open_files(pid) < limit.rlim_cur; i++)
		pause_ms(10);
	cr_assert_geq(open_files(pid), limit.rlim_cur);
	pause_ms(10);
	for (size_t i = 0; i < CONNECTS; i++)
		close(clients[i]);
}

static int code_now(const char *address, const struct grpc_client_options *options)
{
	const check_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct session session;
	struct answer answer;

	session_open_with(&session, address, options);
	answer = session_call(&session, &health_check, &request.base);
	session_close(&session);
	return answer.code;
}

static void want_served_again(pid_t pid, const char *address, const char *ca)
{
	const struct grpc_client_options options = {.ca_file = ca};
	struct session before;
	struct grpc_stream *stream;
	int code = -1;

	session_open_with(&before, address, &options);
	stream = health_watch_open(&before);
	exhaust(pid, address);
	for (int i = 0; i < LOOKS && code != GRPC_STATUS_OK; i++)
		code = code_now(address, &options);
	cr_assert_eq(code, GRPC_STATUS_OK);
	WANT(session_call_bytes(&before, &health_check, (struct bytes){0}), GRPC_STATUS_OK, "");
	grpc_stream_close(stream);
	session_close(&before);
}

static const char *config_path(void)
{
	return text_of("%s/d.yaml", world.scratch.path);
}

/* Every kind of listener of one server, one after the other. */
Test(descriptors, that_were_none_left_leave_listeners_that_serve_again)
{
	const char *path = text_of("unix:/tmp/sluice-descriptors-%d", (int)getpid());
	const char *const arguments[] = {"serve",
					 "--config",
					 config_path(),
					 "--data",
					 text_of("%s/own", world.scratch.path),
					 "--gpu",
					 "off",
					 "--listen",
					 "127.0.0.1:0",
					 "--listen",
					 path,
					 NULL};
	struct served served;

	file_write(config_path(), text_of("health_listen: 127.0.0.1:0\n"
					  "tls: {certificate_file: %s, key_file: %s}\n",
					  tls_file("server.pem"), tls_file("server.key")));
	served_start(&served, arguments, 3);
	want_served_again(served.pid, text_of("127%s", served_address(&served, "listening on 127")),
			  tls_file("ca.pem"));
	want_served_again(served.pid, path, NULL);
	want_served_again(served.pid, served_address(&served, "health on "), NULL);
	cr_assert_eq(served_stop(&served), 0);
	cr_assert_neq(access(path + 5, F_OK), 0);
}
