/* traffic - calls are counted by method, and end with the code that their client saw. */
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>
#include <string.h>

static struct toy toy;
static struct grpc_client *client;

static void setup(void)
{
	toy_open(&toy, NULL);
	client = grpc_client_open(toy.address, NULL);
}

static void teardown(void)
{
	grpc_client_close(client);
	toy_close(&toy);
}

TestSuite(traffic, .init = setup, .fini = teardown, .timeout = 60);

/* Once no call is left: what ends is counted before it is gone. path  NULL: of no method. */
static struct rpc_traffic traffic_of(const char *path)
{
	size_t n = rpc_server_n_methods(toy.server);
	struct rpc_traffic traffic;

	cr_assert(toy_is_idle());
	for (size_t i = 0; i < n; i++) {
		rpc_server_traffic(toy.server, i, &traffic);
		if (path && strcmp(traffic.path, path) == 0)
			return traffic;
	}
	cr_assert_null(path, "%s", path);
	rpc_server_traffic(toy.server, n, &traffic);
	cr_assert_null(traffic.path);
	return traffic;
}

static int call(const char *path, struct bytes request, double seconds)
{
	struct grpc_reply reply;
	int code = grpc_client_unary(client, path, request, seconds, &reply);

	grpc_reply_finish(&reply);
	return code;
}

Test(traffic, counts_a_unary_call_with_its_messages_and_its_time)
{
	struct rpc_traffic traffic;

	for (int i = 0; i < 3; i++)
		cr_assert_eq(call(TOY("Echo"), bytes_of_string("x"), 20), STATUS_OK);

	traffic = traffic_of(TOY("Echo"));
	cr_assert_eq(traffic.started, 3);
	cr_assert_eq(traffic.received, 3);
	cr_assert_eq(traffic.sent, 3);
	cr_assert_eq(traffic.handled[STATUS_OK], 3);
	cr_assert_eq(traffic.seconds.n, 3);
	cr_assert_gt(traffic.seconds.sum_ns, 0);
	cr_assert_eq(traffic_of(TOY("Last")).started, 0);
}

Test(traffic, counts_every_code_that_a_method_fails_with)
{
	for (uint8_t code = 1; code < RPC_CODES; code++)
		cr_assert_eq(call(TOY("Fail"), bytes_of(&code, 1), 20), code);

	for (size_t code = 1; code < RPC_CODES; code++)
		cr_assert_eq(traffic_of(TOY("Fail")).handled[code], 1, "%zu", code);
	cr_assert_eq(traffic_of(TOY("Fail")).handled[STATUS_OK], 0);
}

Test(traffic, counts_a_method_that_there_is_not)
{
	cr_assert_eq(call("/toy.Toy/Nothing", (struct bytes){0}, 20), STATUS_UNIMPLEMENTED);

	cr_assert_eq(traffic_of(NULL).started, 1);
	cr_assert_eq(traffic_of(NULL).handled[STATUS_UNIMPLEMENTED], 1);
}

/* The client may go a moment before the server's clock says so: then it has gone. */
Test(traffic, counts_a_deadline_that_has_passed)
{
	struct rpc_traffic traffic;

	cr_assert_eq(call(TOY("Spin"), (struct bytes){0}, 0.1), STATUS_DEADLINE_EXCEEDED);

	traffic = traffic_of(TOY("Spin"));
	cr_assert_eq(traffic.handled[STATUS_DEADLINE_EXCEEDED] + traffic.handled[STATUS_CANCELLED],
		     1);
}

Test(traffic, counts_a_client_that_goes)
{
	struct grpc_stream *stream =
		grpc_stream_open_server(client, TOY("Wait"), (struct bytes){0}, 20);

	cr_assert(toy_reaches(&toy.n_waiting, 1));
	grpc_stream_close(stream);
	toy_release(&toy);

	cr_assert_eq(traffic_of(TOY("Wait")).handled[STATUS_CANCELLED], 1);
}

Test(traffic, counts_the_messages_of_a_stream)
{
	uint32_t numbers[2] = {7, 10};
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Count"), toy_numbers(numbers), 20);
	struct buffer message = {0};
	const char *detail;

	while (grpc_stream_next(stream, &message))
		;
	cr_assert_eq(grpc_stream_finish(stream, &detail), STATUS_OK);
	buffer_finish(&message);

	cr_assert_eq(traffic_of(TOY("Count")).sent, 7);
	cr_assert_eq(traffic_of(TOY("Count")).received, 1);
}

/* From the descriptors. */
Test(traffic, knows_which_methods_stream)
{
	static const struct {
		const char *path;
		bool client, server;
	} kinds[] = {
		{"/grpc.health.v1.Health/Check", false, false},
		{"/grpc.health.v1.Health/Watch", false, true},
		{"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", true, true},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct rpc_traffic traffic = traffic_of(kinds[i].path);

		cr_assert_eq(traffic.client_streams, kinds[i].client, "%s", kinds[i].path);
		cr_assert_eq(traffic.server_streams, kinds[i].server, "%s", kinds[i].path);
	}
}
