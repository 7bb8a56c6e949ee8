/* Where a server listens, and how it stops. */
#include "kernels/base/gauge.h"
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct toy toy;

TestSuite(server, .timeout = 60);

static status open_at(const char *at, struct rpc_server **ret)
{
	struct rpc_server_options options = {.addresses = &at, .n_addresses = 1, .n_pollers = 1};

	return rpc_server_open(&options, &toy.arena, ret);
}

static void assert_echo(const char *at)
{
	SCOPED(grpc_client) client = grpc_client_open(at, NULL);
	struct grpc_reply reply;

	grpc_client_unary(client, TOY("Echo"), bytes_of_string("x"), 20, &reply);
	cr_assert_eq(reply.code, 0, "%s: %s", at, reply.detail);
	grpc_reply_finish(&reply);
}

Test(server, says_which_port_it_was_given)
{
	toy_open(&toy, "127.0.0.1:0");
	cr_assert_eq(strncmp(toy.address, "127.0.0.1:", 10), 0);
	cr_assert_gt(strtol(toy.address + 10, NULL, 10), 0);
	assert_echo(toy.address);
	toy_close(&toy);
}

static char directory[32], address[64];

/* A folder for a socket, and the address of the socket in it. */
static void make_folder(void)
{
	snprintf(directory, sizeof directory, "/tmp/sluice-rpc-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	snprintf(address, sizeof address, "unix:%s/socket", directory);
}

static void remove_folder(void)
{
	unlink(address + 5);
	rmdir(directory);
}

Test(server, listens_on_a_socket_of_the_file_system)
{
	make_folder();
	toy_open(&toy, address);
	cr_assert_str_eq(toy.address, address);
	assert_echo(address);
	toy_close(&toy);
	remove_folder();
}

Test(server, leaves_a_socket_to_the_server_that_listens_on_it)
{
	struct rpc_server *second = NULL;
	char escaped[64];
	const char *same[] = {address, escaped};

	make_folder();
	snprintf(escaped, sizeof escaped, "unix:%s/s%%6fcke%%74", directory);
	toy_open(&toy, address);
	for (size_t i = 0; i < 2; i++) {
		status opened = open_at(same[i], &second);

		cr_assert_eq(opened.code, STATUS_UNAVAILABLE, "%s", same[i]);
		cr_assert_not_null(strstr(opened.detail, "another server answers there"), "%s",
				   opened.detail);
		cr_assert_null(second);
		assert_echo(address);
	}
	toy_close(&toy);
	remove_folder();
}

Test(server, takes_the_place_of_a_socket_that_nobody_listens_on)
{
	struct sockaddr_un dead = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	make_folder();
	snprintf(dead.sun_path, sizeof dead.sun_path, "%s", address + 5);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&dead, sizeof dead), 0);
	cr_assert_eq(listen(fd, 1), 0);
	close(fd);
	toy_open(&toy, address);
	assert_echo(address);
	toy_close(&toy);
	remove_folder();
}

Test(server, refuses_a_path_that_no_socket_can_have)
{
	struct rpc_server *none = NULL;
	char path[5 + sizeof((struct sockaddr_un *)0)->sun_path + 1] = "unix:";
	const char *bad[] = {path, "unix:"};

	arena_init(&toy.arena, 1 << 16);
	memset(path + 5, 'a', sizeof path - 6);
	for (size_t i = 0; i < 2; i++) {
		status opened = open_at(bad[i], &none);

		cr_assert_eq(opened.code, STATUS_INVALID_ARGUMENT, "%s", bad[i]);
		cr_assert_not_null(strstr(opened.detail, "1 to 107 bytes"), "%s", opened.detail);
		cr_assert_null(none);
	}
	arena_finish(&toy.arena);
}

Test(server, names_the_address_that_it_cannot_have)
{
	struct rpc_server *second = NULL;
	const char *bad[3];

	toy_open(&toy, NULL);
	bad[0] = toy.address;
	bad[1] = "192.0.2.1:50051"; /* for documentation: nobody has it */
	bad[2] = "unix:/no/such/folder/socket";
	for (size_t i = 0; i < 3; i++) {
		status opened = open_at(bad[i], &second);

		cr_assert_eq(opened.code, STATUS_UNAVAILABLE, "%s", bad[i]);
		cr_assert_not_null(strstr(opened.detail, bad[i]), "%s", opened.detail);
		cr_assert_null(second);
	}
	assert_echo(toy.address);
	toy_close(&toy);
}

Test(server, opens_and_closes_many_times)
{
	toy_open(&toy, NULL);
	for (int i = 0; i < 10; i++) {
		SCOPED(rpc_server) other = NULL;

		cr_assert(!status_failed(open_at("127.0.0.1:0", &other)));
	}
	toy_close(&toy);
}

/* --- drain --- */

struct drain {
	pthread_t thread;
	double seconds;
	int64_t took_ns;
};

static void *drain_run(void *arg)
{
	struct drain *drain = arg;
	int64_t begin = clock_ns();

	rpc_server_drain(toy.server, drain->seconds);
	drain->took_ns = clock_ns() - begin;
	return NULL;
}

static void drain_begin(struct drain *drain, double seconds)
{
	drain->seconds = seconds;
	cr_assert_eq(pthread_create(&drain->thread, NULL, drain_run, drain), 0);
}

static double drain_end(struct drain *drain)
{
	pthread_join(drain->thread, NULL);
	cr_assert_eq(gauge_read(GAUGE_CALLS), 0);
	return (double)drain->took_ns * 1e-9;
}

Test(server, ends_idle_streams_at_once_when_it_drains)
{
	struct drain drain;
	struct grpc_client *client;
	struct grpc_stream *talk, *unary;

	toy_open(&toy, NULL);
	client = grpc_client_open(toy.address, NULL);
	talk = grpc_stream_open(client, TOY("Talk"), 20);
	unary = grpc_stream_open(client, TOY("Echo"), 20); /* its request never comes */
	cr_assert(toy_reaches(&toy.n_opened, 2));

	drain_begin(&drain, 30);
	cr_assert_eq(grpc_stream_finish(talk, NULL), STATUS_UNAVAILABLE);
	cr_assert_eq(grpc_stream_finish(unary, NULL), STATUS_UNAVAILABLE);
	grpc_stream_close(talk);
	grpc_stream_close(unary);
	cr_assert_lt(drain_end(&drain), 20.0);
	grpc_client_close(client);
	toy_close(&toy);
}

Test(server, lets_work_under_way_finish_when_it_drains)
{
	enum { N = 200 };
	uint32_t numbers[] = {N, 100000};
	struct drain drain;
	struct grpc_client *client;
	struct grpc_stream *count, *wait;
	struct buffer message = {0};

	toy_open(&toy, NULL);
	client = grpc_client_open(toy.address, NULL);
	wait = grpc_stream_open_server(client, TOY("Wait"), bytes_of("x", 1), 50);
	count = grpc_stream_open_server(client, TOY("Count"), toy_numbers(numbers), 50);
	cr_assert(toy_reaches(&toy.n_waiting, 1));
	cr_assert(grpc_stream_next(count, &message));

	drain_begin(&drain, 50);
	/* The drain has begun when it has woken what waits, to no avail. */
	cr_assert(toy_reaches(&toy.n_waiting, 2));
	for (uint32_t i = 1; i < N; i++) {
		cr_assert(grpc_stream_next(count, &message));
		cr_assert_eq(load_u32(message.data), i);
	}
	cr_assert_eq(grpc_stream_finish(count, NULL), 0);
	toy_open_gate(&toy);
	toy_release(&toy);
	cr_assert(grpc_stream_next(wait, &message));
	cr_assert_eq(grpc_stream_finish(wait, NULL), 0);
	grpc_stream_close(count);
	grpc_stream_close(wait);
	drain_end(&drain);
	grpc_client_close(client);
	buffer_finish(&message);
	toy_close(&toy);
}

Test(server, ends_what_has_not_finished_after_the_time_it_gives)
{
	struct drain drain;
	struct grpc_client *client;
	struct grpc_stream *wait, *deaf, *spin;
	const char *detail;

	toy_open(&toy, NULL);
	client = grpc_client_open(toy.address, NULL);
	wait = grpc_stream_open_server(client, TOY("Wait"), bytes_of("x", 1), 50);
	deaf = grpc_stream_open_server(client, TOY("Deaf"), bytes_of("x", 1), 50);
	spin = grpc_stream_open_server(client, TOY("Spin"), bytes_of("x", 1), 50);
	cr_assert(toy_reaches(&toy.n_waiting, 2));
	cr_assert(toy_reaches(&toy.n_spinning, 1));

	drain_begin(&drain, 0.1);
	/* The one that looks says why; the others are cut off. */
	cr_assert(toy_reaches(&toy.n_waiting, 3));
	cr_assert_eq(grpc_stream_finish(wait, &detail), STATUS_UNAVAILABLE);
	cr_assert_str_eq(detail, "closing time");
	toy_release(&toy);
	cr_assert_neq(grpc_stream_finish(deaf, NULL), 0);
	cr_assert_neq(grpc_stream_finish(spin, NULL), 0);
	cr_assert_lt(drain_end(&drain), 10.0);
	grpc_stream_close(wait);
	grpc_stream_close(deaf);
	grpc_stream_close(spin);
	grpc_client_close(client);
	toy_close(&toy);
}

Test(server, takes_no_call_after_its_drain)
{
	SCOPED(grpc_client) client = NULL;
	struct grpc_reply reply;

	toy_open(&toy, NULL);
	client = grpc_client_open(toy.address, NULL);
	rpc_server_drain(toy.server, 0);
	grpc_client_unary(client, TOY("Echo"), bytes_of("x", 1), 5, &reply);
	cr_assert_eq(reply.code, STATUS_UNAVAILABLE, "%d %s", reply.code, reply.detail);
	grpc_reply_finish(&reply);
	toy_close(&toy);
}
