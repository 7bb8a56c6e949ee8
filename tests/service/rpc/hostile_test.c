/* What a client may do wrong, by accident or not: a clear answer, and the server goes on. */
#include "tests/service/rpc/raw_client.h"
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>
#include <unistd.h>

static struct toy toy;
static struct grpc_client *client;

static void setup(void)
{
	toy_open(&toy, NULL);
	client = grpc_client_open(toy.address, NULL);
}

static void assert_alive(void)
{
	struct grpc_reply reply;

	cr_assert_eq(grpc_client_unary(client, TOY("Echo"), bytes_of_string("well?"), 20, &reply),
		     0);
	grpc_reply_finish(&reply);
}

static void teardown(void)
{
	assert_alive();
	cr_assert(toy_is_idle());
	grpc_client_close(client);
	toy_close(&toy);
}

TestSuite(hostile, .init = setup, .fini = teardown, .timeout = 60);

Test(hostile, message_above_the_limit_is_refused_with_its_size)
{
	static const struct {
		size_t size;
		int code;
	} cases[] = {{4 << 20, 0},
		     {(4 << 20) + 1, STATUS_RESOURCE_EXHAUSTED},
		     {20 << 20, STATUS_RESOURCE_EXHAUSTED}};
	struct buffer request = {0};

	memset(buffer_reserve(&request, 20 << 20), 0, 20 << 20);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct grpc_reply reply;

		/* The first two numbers are zero: no messages wanted. */
		grpc_client_unary(client, TOY("Count"), bytes_of(request.data, cases[i].size), 20,
				  &reply);
		cr_assert_eq(reply.code, cases[i].code, "%zu bytes: %d %s", cases[i].size,
			     reply.code, reply.detail);
		if (cases[i].code)
			cr_assert_not_null(strstr(reply.detail, "4194304"), "%s", reply.detail);
		grpc_reply_finish(&reply);
	}
	buffer_finish(&request);
}

Test(hostile, compressed_body_is_unimplemented)
{
	SCOPED(grpc_client) gzip =
		grpc_client_open(toy.address, &(struct grpc_client_options){.gzip = true});
	char request[5000];
	struct grpc_reply reply;

	memset(request, 'a', sizeof request);
	grpc_client_unary(gzip, TOY("Echo"), bytes_of(request, sizeof request), 20, &reply);
	cr_assert_eq(reply.code, STATUS_UNIMPLEMENTED, "%d %s", reply.code, reply.detail);
	cr_assert_not_null(strstr(reply.detail, "gzip"), "%s", reply.detail);
	cr_assert_eq(atomic_load(&toy.n_opened), atomic_load(&toy.n_closed));
	grpc_reply_finish(&reply);
}

Test(hostile, bytes_said_to_be_compressed_are_never_unpacked)
{
	static const struct {
		const char *encoding;
		int code;
	} cases[] = {
		{"gzip", STATUS_UNIMPLEMENTED},
		{"deflate", STATUS_UNIMPLEMENTED},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = raw_connect(toy.address);

		raw_begin(fd, TOY("Echo"), cases[i].encoding);
		raw_message(fd, 1, 4, bytes_of("abcd", 4), true);
		cr_assert_eq(raw_status(fd), cases[i].code, "%s", cases[i].encoding);
		close(fd);
	}
}

Test(hostile, message_cut_short_is_no_message)
{
	int fd = raw_connect(toy.address);
	int code;

	raw_begin(fd, TOY("Echo"), NULL);
	raw_message(fd, 0, 100, bytes_of("abcd", 4), true);
	code = raw_status(fd);
	cr_assert_neq(code, 0);
	close(fd);
}

Test(hostile, garbage_is_not_http)
{
	uint32_t random = 12345;

	for (int round = 0; round < 50; round++) {
		int fd = raw_connect(toy.address);
		uint8_t garbage[3000];

		for (size_t i = 0; i < sizeof garbage; i++) {
			random = random * 1664525 + 1013904223;
			garbage[i] = (uint8_t)(random >> 24);
		}
		/* Half of them after a beginning that is right. */
		if (round % 2)
			raw_begin(fd, TOY("Talk"), NULL);
		raw_send(fd, bytes_of(garbage, sizeof garbage));
		close(fd);
	}
}

Test(hostile, client_that_dies_frees_what_it_had)
{
	int spinning = raw_connect(toy.address), waiting = raw_connect(toy.address);
	int silent = raw_connect(toy.address);

	raw_begin(spinning, TOY("Spin"), NULL);
	raw_message(spinning, 0, 1, bytes_of("x", 1), true);
	raw_begin(waiting, TOY("Deaf"), NULL);
	raw_message(waiting, 0, 1, bytes_of("x", 1), true);
	raw_begin(silent, TOY("Talk"), NULL);
	cr_assert(toy_reaches(&toy.n_spinning, 1));
	cr_assert(toy_reaches(&toy.n_waiting, 1));
	cr_assert(toy_reaches(&toy.n_opened, 3));

	close(spinning);
	close(waiting);
	close(silent);
	cr_assert(toy_reaches(&toy.n_stopped, 1));
	cr_assert(toy_is_idle());
	cr_assert_eq(atomic_load(&toy.n_closed), 3);
}

Test(hostile, client_that_asks_again_and_again_to_be_cancelled)
{
	for (int i = 0; i < 300; i++) {
		SCOPED(grpc_stream) stream = grpc_stream_open(client, TOY("Talk"), 0);

		/* Before, while or after the server has begun. */
		if (i % 3)
			grpc_stream_send(stream, bytes_of("x", 1));
		if (i % 3 == 2)
			grpc_stream_half_close(stream);
		grpc_stream_cancel(stream);
		cr_assert_eq(grpc_stream_finish(stream, NULL), STATUS_CANCELLED);
	}
	/* Open first: the last of them may reach the gate after the client has done with them. */
	toy_open_gate(&toy);
	toy_release(&toy);
}

Test(hostile, second_message_of_a_unary_call_is_ignored)
{
	SCOPED(grpc_stream) stream = grpc_stream_open(client, TOY("Echo"), 20);
	struct buffer message = {0};

	cr_assert(grpc_stream_send(stream, bytes_of_string("first")));
	grpc_stream_send(stream, bytes_of_string("second"));
	cr_assert(grpc_stream_next(stream, &message));
	cr_assert(bytes_equal(bytes_of(message.data, message.size), bytes_of_string("first")));
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	buffer_finish(&message);
}
