/* idle_streams - holds N streams of Iterate that wait: opened, granted some hits, and these read.
 *
 *	idle_streams ADDRESS COLLECTION QUERIES.npy HITS GRANTS STREAMS
 *
 * Each grants so many hits, a number that fits into one message, so many times.
 * Over a connection for every 1,000 streams. Whatever answers each message with one will do, so a
 * null server too: what comes is counted and not unpacked. Once all wait it prints
 *
 *	streams=N seconds=S bytes=B
 *
 * with the bytes of one answer to a grant, and holds them until its standard input ends. For each
 * line that comes there it asks AdminService.ListCursors and prints
 *
 *	cursors=N returned=R memory_bytes=M memory_bytes_max=X
 *
 * with the mean of what they hold. A stream that ends ends the program.
 */
#include "kernels/base/deadline.h"
#include "sluice/v1/admin_service.pb-c.h"
#include "tests/bench/queries.h"
#include "tests/support/grpc_client.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STREAMS_A_CONNECTION 1000
#define CONNECTIONS_MAX 1000
/* So many are being opened at once. */
#define OPENING_MAX 32
#define SECONDS_MAX 60.0

struct idle {
	const char *address;
	grpc_completion_queue *queue;
	grpc_channel *channels[CONNECTIONS_MAX];
	struct queries queries;
	grpc_slice credit;
	struct stream *streams;
	size_t n, n_started, n_waiting, n_bytes;
	unsigned long grants;
	int64_t start_ns;
};

/* What a tag points to. */
struct op {
	void (*done)(struct stream *stream, bool ok);
	struct stream *stream;
};

struct stream {
	struct idle *idle;
	grpc_call *core;
	struct op on_send, on_receive, on_end;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *outgoing, *incoming;
	grpc_status_code code;
	grpc_slice detail;
	unsigned long n_answers, n_grants;
	bool sends;
};

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "idle_streams: %s: %s\n", what, detail);
	exit(1);
}

static void stream_ask(struct stream *stream, const grpc_op *ops, size_t n, struct op *tag)
{
	if (grpc_call_start_batch(stream->core, ops, n, tag, NULL) != GRPC_CALL_OK)
		fail("stream", "the core refuses an op");
}

static void stream_receive(struct stream *stream)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

	op.data.recv_message.recv_message = &stream->incoming;
	stream_ask(stream, &op, 1, &stream->on_receive);
}

/* message  taken. begins  whether it is the first one, with which the metadata goes. */
static void stream_send(struct stream *stream, grpc_slice message, bool begins)
{
	grpc_op ops[3] = {0};

	stream->sends = true;
	stream->outgoing = grpc_raw_byte_buffer_create(&message, 1);
	grpc_slice_unref(message);
	ops[0].op = GRPC_OP_SEND_MESSAGE;
	ops[0].data.send_message.send_message = stream->outgoing;
	ops[1].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[2].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[2].data.recv_initial_metadata.recv_initial_metadata = &stream->initial;
	stream_ask(stream, ops, begins ? 3 : 1, &stream->on_send);
}

static grpc_slice pack(Sluice__V1__IterateRequest *request)
{
	grpc_slice slice = grpc_slice_malloc(sluice__v1__iterate_request__get_packed_size(request));

	sluice__v1__iterate_request__pack(request, GRPC_SLICE_START_PTR(slice));
	return slice;
}

static grpc_slice pack_open(struct idle *idle, size_t query)
{
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;
	Sluice__V1__SearchRequest open = queries_request(&idle->queries, query);

	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_OPEN;
	request.open = &open;
	return pack(&request);
}

static grpc_slice pack_credit(uint32_t hits)
{
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;
	Sluice__V1__Credit credit = SLUICE__V1__CREDIT__INIT;

	credit.hits = hits;
	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_CREDIT;
	request.credit = &credit;
	return pack(&request);
}

/* An answer may be here before the core says that what it answers was sent. */
static void grant_if_due(struct stream *stream)
{
	/* The first answer is that to the opening. */
	if (stream->sends || stream->n_grants == stream->idle->grants ||
	    stream->n_answers <= stream->n_grants)
		return;
	stream->n_grants++;
	stream_send(stream, grpc_slice_ref(stream->idle->credit), false);
}

static void send_done(struct stream *stream, bool ok)
{
	stream->sends = false;
	grpc_byte_buffer_destroy(TAKE(stream->outgoing));
	if (ok)
		grant_if_due(stream);
}

static void end_done(struct stream *stream, bool ok)
{
	(void)ok;
	fail("a stream ended", grpc_slice_to_c_string(stream->detail));
}

static void start_next(struct idle *idle);

static void receive_done(struct stream *stream, bool ok)
{
	struct idle *idle = stream->idle;

	/* Its status says why. */
	if (!ok || !stream->incoming)
		return;
	if (++stream->n_answers > 1)
		idle->n_bytes = grpc_byte_buffer_length(stream->incoming);
	grpc_byte_buffer_destroy(TAKE(stream->incoming));
	/* Also where nothing more is owed: so does a client that goes on. */
	stream_receive(stream);
	if (stream->n_answers <= idle->grants) {
		grant_if_due(stream);
	} else if (stream->n_answers == idle->grants + 1) {
		idle->n_waiting++;
		start_next(idle);
	} else {
		fail("stream", "an answer that nothing asked for: the server ends it, or a grant "
			       "is more than a message holds");
	}
}

static void start_next(struct idle *idle)
{
	static const char path[] = "/sluice.v1.RetrievalService/Iterate";
	struct stream *stream = &idle->streams[idle->n_started];
	grpc_op end = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};
	grpc_slice open;

	if (idle->n_started == idle->n)
		return;
	*stream = (struct stream){
		.idle = idle,
		.on_send = {send_done, stream},
		.on_receive = {receive_done, stream},
		.on_end = {end_done, stream},
	};
	stream->core =
		grpc_channel_create_call(idle->channels[idle->n_started / STREAMS_A_CONNECTION],
					 NULL, GRPC_PROPAGATE_DEFAULTS, idle->queue,
					 grpc_slice_from_static_buffer(path, sizeof path - 1), NULL,
					 gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_metadata_array_init(&stream->initial);
	grpc_metadata_array_init(&stream->trailing);
	end.data.recv_status_on_client.trailing_metadata = &stream->trailing;
	end.data.recv_status_on_client.status = &stream->code;
	end.data.recv_status_on_client.status_details = &stream->detail;
	open = pack_open(idle, idle->n_started++);
	stream_send(stream, open, true);
	stream_ask(stream, &end, 1, &stream->on_end);
	stream_receive(stream);
}

/* --- while they wait --- */

static void list_cursors(struct grpc_client *client)
{
	struct grpc_reply reply;
	Sluice__V1__ListCursorsResponse *list;
	uint64_t returned = 0, memory = 0, memory_max = 0;
	size_t n;

	grpc_client_unary(client, "/sluice.v1.AdminService/ListCursors", bytes_of_string(""),
			  SECONDS_MAX, &reply);
	list = sluice__v1__list_cursors_response__unpack(NULL, reply.message.size,
							 reply.message.data);
	if (reply.code != 0 || !list)
		fail("ListCursors", reply.detail);
	n = list->n_cursors;
	for (size_t i = 0; i < n; i++) {
		const Sluice__V1__CursorInfo *info = list->cursors[i];

		returned += info->returned;
		memory += info->memory_bytes;
		memory_max = info->memory_bytes > memory_max ? info->memory_bytes : memory_max;
	}
	printf("cursors=%zu returned=%llu memory_bytes=%.0f memory_bytes_max=%llu\n", n,
	       (unsigned long long)returned, n ? (double)memory / (double)n : 0,
	       (unsigned long long)memory_max);
	fflush(stdout);
	sluice__v1__list_cursors_response__free_unpacked(list, NULL);
	grpc_reply_finish(&reply);
}

/* The process ends with its input, and the streams with it. */
static void *obey(void *arg)
{
	struct idle *idle = arg;
	struct grpc_client *client = grpc_client_open(idle->address, NULL);
	char line[16];

	while (fgets(line, sizeof line, stdin))
		list_cursors(client);
	_exit(0);
}

static void tell(const struct idle *idle)
{
	printf("streams=%zu seconds=%.3f bytes=%zu\n", idle->n_waiting,
	       (double)(clock_ns() - idle->start_ns) * 1e-9, idle->n_bytes);
	fflush(stdout);
}

/* --- before and after --- */

static void connect_all(struct idle *idle)
{
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	/* Otherwise channels to the same address share a connection. */
	grpc_arg arg = {
		.type = GRPC_ARG_INTEGER,
		.key = (char *)(size_t)GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, /* only read */
		.value.integer = 1,
	};
	grpc_channel_args args = {1, &arg};

	for (size_t i = 0; i * STREAMS_A_CONNECTION < idle->n; i++)
		idle->channels[i] = grpc_channel_create(idle->address, credentials, &args);
	grpc_channel_credentials_release(credentials);
}

static _Noreturn void run(struct idle *idle)
{
	const gpr_timespec never = gpr_inf_future(GPR_CLOCK_MONOTONIC);
	bool told = false;

	idle->start_ns = clock_ns();
	for (size_t i = 0; i < OPENING_MAX; i++)
		start_next(idle);
	for (;;) {
		grpc_event event = grpc_completion_queue_next(idle->queue, never, NULL);
		struct op *op = event.tag;

		op->done(op->stream, event.success != 0);
		if (idle->n_waiting == idle->n && !told) {
			tell(idle);
			told = true;
		}
	}
}

int main(int argc, char **argv)
{
	static struct idle idle;
	pthread_t thread;
	unsigned long hits;

	if (argc != 7) {
		fputs("usage: idle_streams ADDRESS COLLECTION QUERIES.npy HITS GRANTS STREAMS\n",
		      stderr);
		return 2;
	}
	idle.address = argv[1];
	hits = strtoul(argv[4], NULL, 10);
	idle.grants = strtoul(argv[5], NULL, 10);
	idle.n = strtoull(argv[6], NULL, 10);
	if (hits < 1 || hits > UINT32_MAX || idle.grants < 1 || idle.n < 1 ||
	    idle.n > (size_t)CONNECTIONS_MAX * STREAMS_A_CONNECTION)
		fail("HITS, GRANTS or STREAMS", "there are none, or too many");
	idle.streams = calloc(idle.n, sizeof *idle.streams);
	if (!idle.streams)
		fail("memory", "none");
	queries_open(&idle.queries, argv[3], argv[2]);
	grpc_init();
	idle.credit = pack_credit((uint32_t)hits);
	idle.queue = grpc_completion_queue_create_for_next(NULL);
	connect_all(&idle);
	if (pthread_create(&thread, NULL, obey, &idle) != 0)
		fail("thread", "none");
	run(&idle);
}
