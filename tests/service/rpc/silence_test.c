/* What is not sent: a request, the rest of it, the next word on a stream. */
#include "tests/service/rpc/raw_client.h"
#include "tests/service/rpc/toy.h"

#include <criterion/criterion.h>
#include <unistd.h>

#define SHORT_NS INT64_C(200000000)

static struct toy toy;
static struct grpc_client *client;

TestSuite(silence, .timeout = 60);

static void open_with(int64_t request_ns, int64_t idle_ns)
{
	toy_open_as(&toy, NULL,
		    &(struct rpc_server_options){.request_ns = request_ns, .idle_ns = idle_ns});
	client = grpc_client_open(toy.address, NULL);
}

static void close_all(void)
{
	cr_assert(toy_is_idle());
	grpc_client_close(client);
	toy_close(&toy);
}

static void want_echo(struct grpc_stream *stream)
{
	SCOPED(buffer) message = &(struct buffer){0};

	cr_assert(grpc_stream_send(stream, bytes_of_string("word")));
	cr_assert(grpc_stream_next(stream, message));
	cr_assert(bytes_equal(bytes_of(message->data, message->size), bytes_of_string("word")));
}

static void want_end(struct grpc_stream *stream, int code, const char *word)
{
	const char *detail;

	cr_assert_eq(grpc_stream_finish(stream, &detail), code, "%s", detail);
	cr_assert_not_null(strstr(detail, word), "%s", detail);
	grpc_stream_close(stream);
}

Test(silence, instead_of_a_request_ends_a_call)
{
	static const char *const paths[] = {TOY("Echo"), TOY("Count"), TOY("Late")};

	open_with(SHORT_NS, 0);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		want_end(grpc_stream_open(client, paths[i], 0), STATUS_DEADLINE_EXCEEDED,
			 "limits.request_timeout");
	close_all();
}

Test(silence, amid_a_request_ends_a_call)
{
	static const struct {
		uint32_t claimed;
		const char *sent;
	} cases[] = {{10, ""}, {10, "nine byte"}, {1 << 20, "a word"}};

	open_with(SHORT_NS, 0);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int fd = raw_connect(toy.address);

		raw_begin(fd, TOY("Echo"), NULL);
		raw_message(fd, 0, cases[i].claimed, bytes_of_string(cases[i].sent), false);
		cr_assert_eq(raw_status(fd), STATUS_DEADLINE_EXCEEDED, "case %zu", i);
		close(fd);
	}
	close_all();
}

/* The request came; what takes long then is the server's. */
Test(silence, after_a_request_ends_nothing)
{
	SCOPED(grpc_stream) late = NULL;
	SCOPED(grpc_stream) wait = NULL;
	SCOPED(buffer) message = &(struct buffer){0};

	open_with(SHORT_NS, SHORT_NS);
	late = grpc_stream_open_server(client, TOY("Late"), bytes_of_string("x"), 0);
	wait = grpc_stream_open_server(client, TOY("Wait"), bytes_of_string("x"), 0);
	cr_assert(toy_reaches(&toy.n_held, 2));
	/* Of another that began later, the time is over by now. */
	want_end(grpc_stream_open(client, TOY("Echo"), 0), STATUS_DEADLINE_EXCEEDED, "");
	want_end(grpc_stream_open(client, TOY("Echo"), 0), STATUS_DEADLINE_EXCEEDED, "");
	toy_open_gate(&toy);
	toy_release(&toy);
	cr_assert(grpc_stream_next(late, message));
	cr_assert_eq(grpc_stream_finish(late, NULL), 0);
	cr_assert(grpc_stream_next(wait, message));
	cr_assert_eq(grpc_stream_finish(wait, NULL), 0);
	grpc_stream_close(TAKE(late));
	grpc_stream_close(TAKE(wait));
	close_all();
}

Test(silence, on_a_stream_has_a_bound_of_its_own)
{
	struct grpc_stream *silent, *spoken;

	open_with(SHORT_NS, 8 * SHORT_NS);
	toy_open_gate(&toy);
	silent = grpc_stream_open(client, TOY("Talk"), 0);
	spoken = grpc_stream_open(client, TOY("Talk"), 0);
	want_end(grpc_stream_open(client, TOY("Echo"), 0), STATUS_DEADLINE_EXCEEDED, "");
	want_echo(spoken);
	want_end(silent, STATUS_ABORTED, "limits.stream_idle_timeout");
	want_end(spoken, STATUS_ABORTED, "limits.stream_idle_timeout");
	close_all();
}

/* It is silent since it waits for an answer. */
Test(silence, of_a_client_to_whom_something_is_due_ends_nothing)
{
	struct grpc_stream *talk, *late;
	SCOPED(buffer) message = &(struct buffer){0};

	open_with(0, SHORT_NS);
	talk = grpc_stream_open(client, TOY("Talk"), 0);
	cr_assert(grpc_stream_send(talk, bytes_of_string("word")));
	late = grpc_stream_open(client, TOY("LateTalk"), 0);
	cr_assert(grpc_stream_send(late, bytes_of_string("word")));
	cr_assert(toy_reaches(&toy.n_held, 2));
	for (int i = 0; i < 2; i++)
		want_end(grpc_stream_open(client, TOY("Talk"), 0), STATUS_ABORTED, "");
	toy_open_gate(&toy);
	toy_release(&toy);
	cr_assert(grpc_stream_next(talk, message));
	cr_assert(grpc_stream_next(late, message));
	want_end(talk, STATUS_ABORTED, "limits.stream_idle_timeout");
	want_end(late, STATUS_ABORTED, "limits.stream_idle_timeout");
	close_all();
}

Test(silence, is_borne_for_ever_where_nothing_is_said)
{
	SCOPED(grpc_stream) echo = NULL;

	open_with(0, SHORT_NS);
	echo = grpc_stream_open(client, TOY("Echo"), 0);
	want_end(grpc_stream_open(client, TOY("Talk"), 0), STATUS_ABORTED, "");
	want_end(grpc_stream_open(client, TOY("Talk"), 0), STATUS_ABORTED, "");
	want_echo(echo);
	cr_assert_eq(grpc_stream_finish(echo, NULL), 0);
	grpc_stream_close(TAKE(echo));
	close_all();
}
