/* load - searches in a closed loop: N in flight, a new one for each that ends.
 *
 *	load ADDRESS COLLECTION QUERIES.npy LIMIT IN_FLIGHT SECONDS
 *
 * One thread on one completion queue over one connection. The requests are packed before the clock
 * starts; answers are counted and not unpacked. Prints one line:
 *
 *	calls=N seconds=S p50_us=X p99_us=Y bytes=B messages=M busy=C
 *
 * with the bytes and messages of all answers, and the share of the time for which the thread was busy: near
 * 1 the figures are this program's own. A call that fails ends the program: there is nothing
 * to measure then.
 */
#include "kernels/base/arena.h"
#include "kernels/base/bytes.h"
#include "kernels/base/deadline.h"
#include "service/cli/npy.h"
#include "sluice/v1/retrieval_service.pb-c.h"
#include "tests/bench/cpu.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <stdio.h>
#include <stdlib.h>

#define IN_FLIGHT_MAX 256
#define CALLS_MAX ((size_t)4 << 20)
#define DIM_MAX 8192

struct load {
	grpc_completion_queue *queue;
	grpc_channel *channel;
	grpc_slice *requests; /* [n_requests] packed */
	size_t n_requests, next_request;
	int64_t *latencies_ns; /* [CALLS_MAX] */
	size_t n_done, n_bytes, n_messages, n_in_flight;
	int64_t end_ns;
};

struct flight;

/* What a tag points to. */
struct op {
	void (*done)(struct flight *flight, bool ok);
	struct flight *flight;
};

/* One call; its struct is used again by the next. */
struct flight {
	struct load *load;
	grpc_call *core;
	struct op on_start, on_receive, on_end;
	grpc_metadata_array initial, trailing;
	grpc_byte_buffer *outgoing; /* the core takes the slices out of it: one a call */
	grpc_byte_buffer *incoming;
	grpc_status_code code;
	grpc_slice detail;
	int64_t start_ns;
	unsigned n_ops;
};

static _Noreturn void fail(const char *what, const char *detail)
{
	fprintf(stderr, "load: %s: %s\n", what, detail);
	exit(1);
}

static void flight_ask(struct flight *flight, const grpc_op *ops, size_t n, struct op *tag)
{
	flight->n_ops++;
	if (grpc_call_start_batch(flight->core, ops, n, tag, NULL) != GRPC_CALL_OK)
		fail("call", "the core refuses an op");
}

static void flight_receive(struct flight *flight)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};

	op.data.recv_message.recv_message = &flight->incoming;
	flight_ask(flight, &op, 1, &flight->on_receive);
}

static void flight_start(struct flight *flight)
{
	static const char path[] = "/sluice.v1.RetrievalService/Search";
	struct load *load = flight->load;
	grpc_slice *request = &load->requests[load->next_request++ % load->n_requests];
	grpc_op start[4] = {0}, end = {.op = GRPC_OP_RECV_STATUS_ON_CLIENT};

	flight->start_ns = clock_ns();
	flight->core = grpc_channel_create_call(
		load->channel, NULL, GRPC_PROPAGATE_DEFAULTS, load->queue,
		grpc_slice_from_static_buffer(path, sizeof path - 1), NULL,
		gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_seconds(60, GPR_TIMESPAN)),
		NULL);
	flight->outgoing = grpc_raw_byte_buffer_create(request, 1);
	grpc_metadata_array_init(&flight->initial);
	grpc_metadata_array_init(&flight->trailing);
	start[0].op = GRPC_OP_SEND_INITIAL_METADATA;
	start[1].op = GRPC_OP_SEND_MESSAGE;
	start[1].data.send_message.send_message = flight->outgoing;
	start[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	start[3].op = GRPC_OP_RECV_INITIAL_METADATA;
	start[3].data.recv_initial_metadata.recv_initial_metadata = &flight->initial;
	end.data.recv_status_on_client.trailing_metadata = &flight->trailing;
	end.data.recv_status_on_client.status = &flight->code;
	end.data.recv_status_on_client.status_details = &flight->detail;
	load->n_in_flight++;
	flight_ask(flight, start, 4, &flight->on_start);
	flight_ask(flight, &end, 1, &flight->on_end);
	flight_receive(flight);
}

/* Counts an op; with the last one the call has landed, and while there is time another starts. */
static void flight_op_done(struct flight *flight)
{
	struct load *load = flight->load;
	int64_t now_ns;

	if (--flight->n_ops > 0)
		return;
	now_ns = clock_ns();
	if (flight->code != GRPC_STATUS_OK)
		fail("search", grpc_slice_to_c_string(flight->detail));
	load->latencies_ns[load->n_done++] = now_ns - flight->start_ns;
	load->n_in_flight--;
	grpc_byte_buffer_destroy(flight->outgoing);
	grpc_slice_unref(flight->detail);
	grpc_metadata_array_destroy(&flight->initial);
	grpc_metadata_array_destroy(&flight->trailing);
	grpc_call_unref(flight->core);
	if (now_ns < load->end_ns && load->n_done + load->n_in_flight < CALLS_MAX)
		flight_start(flight);
}

static void plain_done(struct flight *flight, bool ok)
{
	(void)ok;
	flight_op_done(flight);
}

static void receive_done(struct flight *flight, bool ok)
{
	if (ok && flight->incoming) {
		flight->load->n_bytes += grpc_byte_buffer_length(flight->incoming);
		flight->load->n_messages++;
		grpc_byte_buffer_destroy(TAKE(flight->incoming));
		flight_receive(flight);
	}
	flight_op_done(flight);
}

/* --- before and after --- */

static grpc_slice pack(Sluice__V1__SearchRequest *request)
{
	grpc_slice slice = grpc_slice_malloc(sluice__v1__search_request__get_packed_size(request));

	sluice__v1__search_request__pack(request, GRPC_SLICE_START_PTR(slice));
	return slice;
}

static status read_queries(struct arena *arena, const char *path, struct load *load,
			   Sluice__V1__SearchRequest *request)
{
	static float values[DIM_MAX];
	Sluice__V1__Vector vector = SLUICE__V1__VECTOR__INIT;
	SCOPED(npy) queries = NULL;

	TRY(npy_open(arena, path, &queries));
	load->n_requests = npy_header_of(queries)->rows;
	if (load->n_requests == 0 || npy_header_of(queries)->columns > DIM_MAX)
		return status_make(STATUS_INVALID_ARGUMENT, "no queries, or too long ones");
	load->requests = calloc(load->n_requests, sizeof *load->requests);
	load->latencies_ns = calloc(CALLS_MAX, sizeof *load->latencies_ns);
	if (!load->requests || !load->latencies_ns)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory");
	vector.values = values;
	vector.n_values = npy_header_of(queries)->columns;
	request->query_case = SLUICE__V1__SEARCH_REQUEST__QUERY_VECTOR;
	request->vector = &vector;
	for (size_t i = 0; i < load->n_requests; i++) {
		TRY(npy_read_floats(queries, i, values));
		load->requests[i] = pack(request);
	}
	return status_ok();
}

static void run(struct load *load, size_t n_flights)
{
	static struct flight flights[IN_FLIGHT_MAX];
	const gpr_timespec never = gpr_inf_future(GPR_CLOCK_MONOTONIC);

	for (size_t i = 0; i < n_flights; i++) {
		struct flight *flight = &flights[i];

		flight->load = load;
		flight->on_start = (struct op){plain_done, flight};
		flight->on_receive = (struct op){receive_done, flight};
		flight->on_end = (struct op){plain_done, flight};
		flight_start(flight);
	}
	while (load->n_in_flight > 0) {
		grpc_event event = grpc_completion_queue_next(load->queue, never, NULL);
		struct op *op = event.tag;

		op->done(op->flight, event.success != 0);
	}
}

static int compare_ns(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print(struct load *load, double seconds, double busy_seconds)
{
	size_t n = load->n_done;

	qsort(load->latencies_ns, n, sizeof *load->latencies_ns, compare_ns);
	printf("calls=%zu seconds=%.6f p50_us=%.3f p99_us=%.3f bytes=%zu messages=%zu busy=%.3f\n",
	       n, seconds, (double)load->latencies_ns[n / 2] * 1e-3,
	       (double)load->latencies_ns[n * 99 / 100] * 1e-3, load->n_bytes, load->n_messages,
	       busy_seconds / seconds);
}

int main(int argc, char **argv)
{
	Sluice__V1__SearchRequest request = SLUICE__V1__SEARCH_REQUEST__INIT;
	grpc_channel_credentials *credentials;
	struct load load = {0};
	struct arena arena;
	unsigned long in_flight;
	double cpu;
	int64_t start_ns;
	status read;

	if (argc != 7) {
		fputs("usage: load ADDRESS COLLECTION QUERIES.npy LIMIT IN_FLIGHT SECONDS\n",
		      stderr);
		return 2;
	}
	in_flight = strtoul(argv[5], NULL, 10);
	if (in_flight < 1 || in_flight > IN_FLIGHT_MAX)
		fail("IN_FLIGHT", "1 to 256");
	request.collection = argv[2];
	request._limit_case = SLUICE__V1__SEARCH_REQUEST___LIMIT_LIMIT;
	request.limit = strtoul(argv[4], NULL, 10);
	arena_init(&arena, (size_t)1 << 20);
	grpc_init();
	read = read_queries(&arena, argv[3], &load, &request);
	if (status_failed(read))
		fail(argv[3], read.detail);

	load.queue = grpc_completion_queue_create_for_next(NULL);
	credentials = grpc_insecure_credentials_create();
	load.channel = grpc_channel_create(argv[1], credentials, NULL);
	grpc_channel_credentials_release(credentials);
	cpu = cpu_seconds();
	start_ns = clock_ns();
	load.end_ns = start_ns + (int64_t)(strtod(argv[6], NULL) * 1e9);
	run(&load, in_flight);
	print(&load, (double)(clock_ns() - start_ns) * 1e-9, cpu_seconds() - cpu);
	/* What is left is the process's. */
	return 0;
}
