/* Listeners that give up, and their successors. */
#include "tests/service/rpc/toy.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* So many connects where there are so many descriptors. */
enum { CONNECTS = 100, SPARE = 64, TAKEN_MAX = 400 };

#define WATCH_NS 20000000
#define LOOKS 3000
#define SILENCE_MS 1000

static struct toy toy;

TestSuite(doors, .timeout = 120);

static void pause_a_little(void)
{
	const struct timespec pause = {0, 10000000};

	nanosleep(&pause, NULL);
}

/* --- clients by hand --- */

static int socket_for(const char *address)
{
	int family = strncmp(address, "unix:", 5) == 0 ? AF_UNIX : AF_INET;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	cr_assert_geq(fd, 0);
	return fd;
}

/* False: there is no room in the queue of a path. */
static bool connect_to(int fd, const char *address)
{
	struct sockaddr_un path = {.sun_family = AF_UNIX};
	struct sockaddr_in host = {.sin_family = AF_INET};
	int failed;

	if (strncmp(address, "unix:", 5) == 0) {
		snprintf(path.sun_path, sizeof path.sun_path, "%s", address + 5);
		failed = connect(fd, (const struct sockaddr *)&path, sizeof path);
	} else {
		host.sin_port = htons((uint16_t)strtol(strrchr(address, ':') + 1, NULL, 10));
		host.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		failed = connect(fd, (const struct sockaddr *)&host, sizeof host);
	}
	return !failed || errno == EINPROGRESS;
}

/* Whether whoever connects hears the server's settings. */
static bool is_answered(const char *address, int within_ms)
{
	struct pollfd word = {.fd = socket_for(address), .events = POLLIN};
	char byte;
	bool answered = connect_to(word.fd, address) && poll(&word, 1, within_ms) > 0 &&
			recv(word.fd, &byte, 1, 0) == 1;

	close(word.fd);
	return answered;
}

static bool has_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* As many clients as use up what there is, for a while. */
static void exhaust(const char *address)
{
	struct rlimit limit;
	int clients[CONNECTS], taken[TAKEN_MAX];
	unsigned before = rpc_accept_failures();
	size_t n_taken = 0;

	for (size_t i = 0; i < CONNECTS; i++)
		clients[i] = socket_for(address);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)clients[CONNECTS - 1] + 1 + SPARE;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (size_t i = 0; i < CONNECTS / 2; i++)
		connect_to(clients[i], address);
	/* What the round before has left free in between. */
	while (n_taken < TAKEN_MAX && (taken[n_taken] = dup(STDERR_FILENO)) >= 0)
		n_taken++;
	for (size_t i = CONNECTS / 2; i < CONNECTS; i++)
		connect_to(clients[i], address);
	for (int i = 0; i < LOOKS && rpc_accept_failures() == before; i++)
		pause_a_little();
	cr_assert_gt(rpc_accept_failures(), before);
	while (n_taken > 0)
		close(taken[--n_taken]);
	for (size_t i = 0; i < CONNECTS; i++)
		close(clients[i]);
	for (int i = 0; i < LOOKS && !has_descriptors(); i++)
		pause_a_little();
	cr_assert(has_descriptors());
}

/* --- what a test starts from --- */

static char directory[32], path_address[64];

static void make_folder(void)
{
	snprintf(directory, sizeof directory, "/tmp/sluice-door-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	snprintf(path_address, sizeof path_address, "unix:%s/socket", directory);
}

static void assert_echo(struct grpc_client *client)
{
	struct grpc_reply reply;

	grpc_client_unary(client, TOY("Echo"), bytes_of_string("x"), 20, &reply);
	cr_assert_eq(reply.code, 0, "%s", reply.detail);
	grpc_reply_finish(&reply);
}

static void assert_talks(struct grpc_stream *stream)
{
	struct buffer heard = {0};

	cr_assert(grpc_stream_send(stream, bytes_of_string("y")));
	cr_assert(grpc_stream_next(stream, &heard));
	cr_assert_eq(heard.size, 1);
	buffer_finish(&heard);
}

/* What the watch is there for: should this fail one day, the core has learnt to go on. */
Test(doors, do_not_open_again_by_themselves)
{
	toy_open_as(&toy, NULL, &(struct rpc_server_options){.watch_ns = -1});
	cr_assert(is_answered(toy.address, 20000));
	exhaust(toy.address);
	cr_assert_not(is_answered(toy.address, SILENCE_MS));
	toy_close(&toy);
}

/* The streams of before go on, new clients come in, and again when it happens again. */
static void open_again(const char *address)
{
	struct grpc_client *before, *after;
	struct grpc_stream *stream;

	toy_open_as(&toy, address, &(struct rpc_server_options){.watch_ns = WATCH_NS});
	toy_open_gate(&toy);
	before = grpc_client_open(toy.address, NULL);
	stream = grpc_stream_open(before, TOY("Talk"), 0);
	assert_talks(stream);
	for (size_t round = 1; round <= 2; round++) {
		exhaust(toy.address);
		for (int i = 0; i < LOOKS && rpc_server_n_replaced(toy.server) < round; i++)
			pause_a_little();
		cr_assert_eq(rpc_server_n_replaced(toy.server), round);
		cr_assert(is_answered(toy.address, 20000));
		after = grpc_client_open(toy.address, NULL);
		assert_echo(after);
		grpc_client_close(after);
		assert_talks(stream);
	}
	grpc_stream_close(stream);
	assert_echo(before);
	grpc_client_close(before);
	toy_close(&toy);
}

Test(doors, open_again_at_a_port)
{
	open_again(NULL);
}

Test(doors, open_again_at_a_path_and_leave_nothing_there)
{
	make_folder();
	open_again(path_address);
	cr_assert_eq(rmdir(directory), 0);
}

Test(doors, stay_as_they_are_while_they_answer)
{
	toy_open_as(&toy, NULL, &(struct rpc_server_options){.watch_ns = WATCH_NS / 20});
	for (int i = 0; i < 100; i++)
		pause_a_little();
	cr_assert_eq(rpc_server_n_replaced(toy.server), 0);
	toy_close(&toy);
}
