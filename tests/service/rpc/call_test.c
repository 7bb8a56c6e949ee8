/* What a call can be: unary, a stream in either direction, waiting, long. */
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>

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

TestSuite(call, .init = setup, .fini = teardown, .timeout = 60);

static void assert_echo(const char *path, size_t size)
{
	struct buffer want = {0};
	struct grpc_reply reply;

	buffer_reserve(&want, size);
	for (size_t i = 0; i < size; i++)
		buffer_append_u8(&want, (uint8_t)(i * 7));
	grpc_client_unary(client, path, bytes_of(want.data, want.size), 20, &reply);
	cr_assert_eq(reply.code, 0, "%s: %s", path, reply.detail);
	cr_assert_eq(reply.message.size, size);
	cr_assert(size == 0 || memcmp(reply.message.data, want.data, size) == 0);
	grpc_reply_finish(&reply);
	buffer_finish(&want);
}

Test(call, answers_with_the_bytes_of_its_method)
{
	static const size_t sizes[] = {0, 1, 23, 24, 1023, 1024, 1025, 70000, 4000000};

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		assert_echo(TOY("Echo"), sizes[i]);
		assert_echo(TOY("Last"), sizes[i]);
	}
}

Test(call, of_no_method_is_unimplemented_at_once)
{
	static const char *const paths[] = {"/toy.Toy/Nothing", "/toy.Toy/", "/other.Service/Echo",
					    "/toy.Toy/Echo/", "/a"};

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		SCOPED(grpc_stream) stream = grpc_stream_open(client, paths[i], 20);
		const char *detail;

		/* Without a message, without a half close. */
		cr_assert_eq(grpc_stream_finish(stream, &detail), STATUS_UNIMPLEMENTED);
		cr_assert_not_null(strstr(detail, paths[i]), "%s", detail);
	}
}

Test(call, carries_every_code_and_its_detail)
{
	for (int code = 1; code <= 16; code++) {
		char request[] = "?no such thing as \xC3\xBC 100% %41";
		struct grpc_reply reply;

		request[0] = (char)code;
		grpc_client_unary(client, TOY("Fail"), bytes_of_string(request), 20, &reply);
		cr_assert_eq(reply.code, code);
		cr_assert_str_eq(reply.detail, request + 1);
		grpc_reply_finish(&reply);
	}
}

Test(call, cuts_a_long_detail_between_characters)
{
	char request[6001];
	struct grpc_reply reply;

	/* Two bytes each, so that one stands across the limit. */
	for (size_t i = 0; i < 6000; i += 2)
		memcpy(request + i, "\xC3\xBC", 2);
	request[0] = STATUS_NOT_FOUND;
	request[1] = '.';
	request[6000] = 0;
	grpc_client_unary(client, TOY("Fail"), bytes_of(request, 6000), 20, &reply);
	cr_assert_eq(reply.code, STATUS_NOT_FOUND);
	cr_assert_eq(strlen(reply.detail), 1023);
	cr_assert(bytes_is_utf8(bytes_of_string(reply.detail)));
	grpc_reply_finish(&reply);
}

Test(call, without_its_request_is_an_invalid_argument)
{
	SCOPED(grpc_stream) stream = grpc_stream_open(client, TOY("Echo"), 20);
	const char *detail;

	cr_assert(grpc_stream_half_close(stream));
	cr_assert_eq(grpc_stream_finish(stream, &detail), STATUS_INVALID_ARGUMENT, "%s", detail);
}

static void assert_counts(struct grpc_stream *stream, uint32_t n, uint32_t size)
{
	struct buffer message = {0};

	for (uint32_t i = 0; i < n; i++) {
		cr_assert(grpc_stream_next(stream, &message), "message %u", i);
		cr_assert_eq(message.size, size);
		cr_assert_eq(load_u32(message.data), i);
	}
	cr_assert_not(grpc_stream_next(stream, &message));
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	buffer_finish(&message);
}

Test(call, streams_its_messages_in_order)
{
	static const struct {
		const char *path;
		uint32_t n, size;
	} cases[] = {{TOY("Count"), 0, 4},
		     {TOY("Count"), 1, 4},
		     {TOY("Count"), 1000, 100},
		     {TOY("Count"), 10, 300000},
		     {TOY("LongCount"), 500, 2000}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t numbers[] = {cases[i].n, cases[i].size};
		SCOPED(grpc_stream) stream =
			grpc_stream_open_server(client, cases[i].path, toy_numbers(numbers), 20);

		assert_counts(stream, cases[i].n, cases[i].size);
	}
}

Test(call, makes_no_more_than_its_reader_takes)
{
	const uint32_t n = 2000, size = 100000;
	uint32_t numbers[] = {n, size};
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Count"), toy_numbers(numbers), 60);
	SCOPED(grpc_client) other = grpc_client_open(toy.address, NULL);
	struct buffer message = {0};

	for (uint32_t i = 0; i < 3; i++)
		cr_assert(grpc_stream_next(stream, &message));
	/* The server has all the time it wants, and uses none of it on what nobody reads. */
	for (int i = 0; i < 200; i++) {
		struct grpc_reply reply;

		cr_assert_eq(grpc_client_unary(other, TOY("Echo"), bytes_of("x", 1), 20, &reply),
			     0);
		grpc_reply_finish(&reply);
	}
	/* Windows and socket buffers hold some megabytes; the stream would be 200. */
	cr_assert_lt(atomic_load(&toy.n_made), 200);

	for (uint32_t i = 3; i < n; i++) {
		cr_assert(grpc_stream_next(stream, &message));
		cr_assert_eq(load_u32(message.data), i);
	}
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	buffer_finish(&message);
}

Test(call, talks_in_both_directions)
{
	SCOPED(grpc_stream) stream = grpc_stream_open(client, TOY("Talk"), 20);
	struct buffer message = {0};

	toy_open_gate(&toy);
	for (uint32_t i = 0; i < 500; i++) {
		cr_assert(grpc_stream_send(stream, bytes_of(&i, sizeof i)));
		cr_assert(grpc_stream_next(stream, &message));
		cr_assert_eq(message.size, sizeof i);
		cr_assert_eq(load_u32(message.data), i);
	}
	cr_assert(grpc_stream_half_close(stream));
	cr_assert_not(grpc_stream_next(stream, &message));
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	buffer_finish(&message);
}

Test(call, leaves_in_the_client_what_it_does_not_want_yet)
{
	SCOPED(grpc_stream) stream = grpc_stream_open(client, TOY("Talk"), 60);
	struct buffer big = {0}, message = {0};
	size_t n_sent = 0, n_got = 0;

	cr_assert_not_null(buffer_reserve(&big, 1 << 20));
	memset(big.data, 1, 1 << 20);
	big.size = 1 << 20;
	/* The gate is closed: the first message is kept, and then the client has to stop. */
	for (;;) {
		grpc_stream_begin_send(stream, bytes_of(big.data, big.size));
		if (!grpc_stream_await_send(stream, 0.5))
			break;
		n_sent++;
		cr_assert_lt(n_sent, 64);
	}
	cr_assert_eq(atomic_load(&toy.n_requests), 1);

	toy_open_gate(&toy);
	while (n_got < n_sent) {
		cr_assert(grpc_stream_next(stream, &message));
		cr_assert_eq(message.size, big.size);
		n_got++;
	}
	cr_assert(grpc_stream_await_send(stream, 20));
	cr_assert(grpc_stream_next(stream, &message));
	cr_assert(grpc_stream_half_close(stream));
	cr_assert_not(grpc_stream_next(stream, &message));
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	toy_release(&toy);
	buffer_finish(&message);
	buffer_finish(&big);
}

Test(call, waits_until_another_thread_wakes_it)
{
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Wait"), bytes_of_string("morning"), 20);
	struct buffer message = {0};

	cr_assert(toy_reaches(&toy.n_waiting, 1));
	toy_open_gate(&toy);
	toy_release(&toy);
	cr_assert(grpc_stream_next(stream, &message));
	cr_assert(bytes_equal(bytes_of(message.data, message.size), bytes_of_string("morning")));
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	cr_assert_eq(atomic_load(&toy.n_waiting), 1);
	buffer_finish(&message);
}

Test(call, survives_wakes_that_bring_nothing)
{
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Wait"), bytes_of_string("x"), 20);
	struct buffer message = {0};

	cr_assert(toy_reaches(&toy.n_held, 1));
	for (int i = 0; i < 10000; i++) {
		pthread_mutex_lock(&toy.lock);
		rpc_wake(toy.waiting[0]);
		pthread_mutex_unlock(&toy.lock);
	}
	toy_open_gate(&toy);
	toy_release(&toy);
	cr_assert(grpc_stream_next(stream, &message));
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	buffer_finish(&message);
}

/* More of them than there are threads of any kind. */
Test(call, that_is_not_ready_takes_no_thread_and_loses_no_message)
{
	enum { N = 8 };
	struct grpc_stream *streams[N];
	struct buffer message = {0};

	for (uint32_t i = 0; i < N; i++)
		streams[i] = grpc_stream_open_server(client, TOY("Late"),
						     bytes_of(&"abcdefgh"[i], 1), 20);
	cr_assert(toy_reaches(&toy.n_held, N));
	assert_echo(TOY("Echo"), 1000);
	/* Asked again, to no avail. */
	pthread_mutex_lock(&toy.lock);
	for (int i = 0; i < N; i++)
		rpc_wake(toy.waiting[i]);
	pthread_mutex_unlock(&toy.lock);
	toy_open_gate(&toy);
	toy_release(&toy);
	for (uint32_t i = 0; i < N; i++) {
		cr_assert(grpc_stream_next(streams[i], &message));
		cr_assert_eq(message.size, 1);
		cr_assert_eq(message.data[0], "abcdefgh"[i]);
		cr_assert_eq(grpc_stream_finish(streams[i], NULL), 0);
		grpc_stream_close(streams[i]);
	}
	buffer_finish(&message);
}

Test(call, of_a_stream_whose_message_is_not_ready_takes_it_later)
{
	SCOPED(grpc_stream) stream = grpc_stream_open(client, TOY("LateTalk"), 20);
	struct buffer message = {0};

	cr_assert(grpc_stream_send(stream, bytes_of_string("first")));
	cr_assert(toy_reaches(&toy.n_held, 1));
	cr_assert_eq(atomic_load(&toy.n_requests), 0);
	toy_open_gate(&toy);
	toy_release(&toy);
	cr_assert(grpc_stream_next(stream, &message));
	cr_assert(bytes_equal(bytes_of(message.data, message.size), bytes_of_string("first")));
	cr_assert(grpc_stream_send(stream, bytes_of_string("second")));
	cr_assert(grpc_stream_next(stream, &message));
	cr_assert(bytes_equal(bytes_of(message.data, message.size), bytes_of_string("second")));
	grpc_stream_half_close(stream);
	cr_assert_not(grpc_stream_next(stream, &message));
	cr_assert_eq(grpc_stream_finish(stream, NULL), 0);
	cr_assert_eq(atomic_load(&toy.n_requests), 2);
	buffer_finish(&message);
}

Test(call, that_is_cancelled_before_it_is_ready_is_closed_once)
{
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Late"), bytes_of_string("x"), 0);

	cr_assert(toy_reaches(&toy.n_held, 1));
	grpc_stream_cancel(stream);
	cr_assert_eq(grpc_stream_finish(stream, NULL), STATUS_CANCELLED);
	toy_release(&toy);
	cr_assert(toy_is_idle());
	cr_assert_eq(atomic_load(&toy.n_closed), 1);
}

/* The end of the test is a drain's. */
Test(call, that_is_not_ready_is_ended_by_a_drain)
{
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Late"), bytes_of_string("x"), 0);

	cr_assert(toy_reaches(&toy.n_held, 1));
	toy_release(&toy);
	rpc_server_drain(toy.server, 0);
	cr_assert_eq(grpc_stream_finish(stream, NULL), STATUS_UNAVAILABLE);
}

Test(call, tells_a_running_method_that_it_was_cancelled)
{
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Spin"), bytes_of("x", 1), 0);

	cr_assert(toy_reaches(&toy.n_spinning, 1));
	cr_assert_eq(atomic_load(&toy.deadline_ns), DEADLINE_NEVER);
	grpc_stream_cancel(stream);
	cr_assert_eq(grpc_stream_finish(stream, NULL), STATUS_CANCELLED);
	cr_assert(toy_reaches(&toy.n_stopped, 1));
	cr_assert(toy_is_idle());
}

Test(call, ends_at_the_deadline_of_its_client)
{
	int64_t before = clock_ns();
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Spin"), bytes_of("x", 1), 0.3);

	cr_assert(toy_reaches(&toy.n_spinning, 1));
	/* The wire carries it in whole milliseconds or so, and it is counted from the arrival. */
	cr_assert_gt(atomic_load(&toy.deadline_ns), before + INT64_C(200000000));
	cr_assert_lt(atomic_load(&toy.deadline_ns), clock_ns() + INT64_C(400000000));
	cr_assert_eq(grpc_stream_finish(stream, NULL), STATUS_DEADLINE_EXCEEDED);
	cr_assert(toy_reaches(&toy.n_stopped, 1));
	cr_assert(toy_is_idle());
}

Test(call, is_kept_while_somebody_holds_it)
{
	SCOPED(grpc_stream) stream =
		grpc_stream_open_server(client, TOY("Wait"), bytes_of_string("x"), 0);

	cr_assert(toy_reaches(&toy.n_waiting, 1));
	grpc_stream_cancel(stream);
	cr_assert_eq(grpc_stream_finish(stream, NULL), STATUS_CANCELLED);
	/* The cancel has come when the deadline's flag is set. */
	while (!status_failed(deadline_check(rpc_deadline(toy.waiting[0]))))
		;
	cr_assert_eq(atomic_load(&toy.n_closed), 0);
	toy_release(&toy);
	cr_assert(toy_is_idle());
	cr_assert_eq(atomic_load(&toy.n_closed), 1);
}

static void want_own_messages(void)
{
	enum { N = 200, N_MESSAGES = 20 };
	static const char *const methods[] = {TOY("Count"), TOY("LongCount"), TOY("HeavyCount")};
	struct grpc_stream *streams[N];
	struct buffer message = {0};

	for (uint32_t i = 0; i < N; i++) {
		uint32_t numbers[] = {N_MESSAGES, 1000 + i};

		streams[i] =
			grpc_stream_open_server(client, methods[i % 3], toy_numbers(numbers), 50);
	}
	for (uint32_t m = 0; m < N_MESSAGES; m++) {
		for (uint32_t i = 0; i < N; i++) {
			cr_assert(grpc_stream_next(streams[i], &message));
			cr_assert_eq(message.size, 1000 + i);
			cr_assert_eq(load_u32(message.data), m);
		}
	}
	for (uint32_t i = 0; i < N; i++) {
		cr_assert_not(grpc_stream_next(streams[i], &message));
		cr_assert_eq(grpc_stream_finish(streams[i], NULL), 0);
		grpc_stream_close(streams[i]);
	}
	cr_assert(toy_is_idle());
	buffer_finish(&message);
}

/* More of them than the main queue takes, and again when these have ended. */
static void want_own_answers(void)
{
	enum { N = 200, N_MESSAGES = 5, N_ROUNDS = 3 };
	struct grpc_stream *streams[N];
	struct buffer message = {0};

	toy_open_gate(&toy);
	for (int round = 0; round < N_ROUNDS; round++) {
		for (uint32_t i = 0; i < N; i++)
			streams[i] = grpc_stream_open(client,
						      i % 2 ? TOY("Talk") : TOY("HeavyTalk"), 50);
		for (uint32_t m = 0; m < N_MESSAGES; m++) {
			for (uint32_t i = 0; i < N; i++) {
				uint32_t said = m * N + i;

				cr_assert(grpc_stream_send(streams[i], bytes_of(&said, 4)));
			}
			for (uint32_t i = 0; i < N; i++) {
				cr_assert(grpc_stream_next(streams[i], &message));
				cr_assert_eq(load_u32(message.data), m * N + i);
			}
		}
		for (uint32_t i = 0; i < N; i++) {
			cr_assert(grpc_stream_half_close(streams[i]));
			cr_assert_not(grpc_stream_next(streams[i], &message));
			cr_assert_eq(grpc_stream_finish(streams[i], NULL), 0);
			grpc_stream_close(streams[i]);
		}
	}
	cr_assert(toy_is_idle());
	buffer_finish(&message);
}

Test(call, of_two_hundred_streams_gets_its_own_messages)
{
	want_own_messages();
}

Test(call, of_two_hundred_streams_of_clients_gets_its_own_answers)
{
	want_own_answers();
}

/* One thread then polls, helps, and sends what workers have made. */
Test(call_of_one_poller, gets_its_own_messages_and_answers, .timeout = 60)
{
	toy_open_as(&toy, NULL, &(struct rpc_server_options){.n_pollers = 1});
	client = grpc_client_open(toy.address, NULL);
	want_own_messages();
	want_own_answers();
	teardown();
}

Test(call, refuses_to_send_a_message_above_the_limit)
{
	static const struct {
		uint32_t size;
		int code;
	} cases[] = {{RPC_MESSAGE_OUT_MAX, 0},
		     {RPC_MESSAGE_OUT_MAX + 1, STATUS_RESOURCE_EXHAUSTED}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct grpc_reply reply;

		grpc_client_unary(client, TOY("Huge"), bytes_of(&cases[i].size, 4), 20, &reply);
		cr_assert_eq(reply.code, cases[i].code, "%s", reply.detail);
		grpc_reply_finish(&reply);
	}
}

Test(call, knows_its_peer_and_caps_its_arena_by_the_message)
{
	static const struct {
		size_t size;
		const char *cap;
	} cases[] = {
		{0, " 1048576"}, {16384, " 1048576"}, {100000, " 6400000"}, {4000000, " 67108864"}};
	struct buffer request = {0};

	memset(buffer_reserve(&request, 4000000), 0, 4000000);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct grpc_reply reply;

		grpc_client_unary(client, TOY("Info"), bytes_of(request.data, cases[i].size), 20,
				  &reply);
		buffer_append_u8(&reply.message, 0);
		cr_assert_eq(strncmp((char *)reply.message.data, "ipv4:127.0.0.1:", 15), 0);
		cr_assert_not_null(strstr((char *)reply.message.data, cases[i].cap), "%s",
				   (char *)reply.message.data);
		grpc_reply_finish(&reply);
	}
	buffer_finish(&request);
}
