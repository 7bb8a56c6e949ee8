/* tracing - which calls are recorded, and that neither a dead collector nor a full queue keeps anybody. */
#include "service/telemetry/tracing.h"

#include "kernels/base/deadline.h"
#include "kernels/base/meter.h"
#include "service/telemetry/otlp_exporter.h"
#include "service/telemetry/trace_context.h"
#include "tests/service/telemetry/collector.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define PATH "/sluice.v1.RetrievalService/Search"

/* What was counted before the test: under ThreadSanitizer all of them are one process. */
static uint64_t before[METER_N];

static void read_meters(void)
{
	for (enum meter meter = 0; meter < METER_N; meter++)
		before[meter] = meter_read(meter);
}

static uint64_t counted(enum meter meter)
{
	return meter_read(meter) - before[meter];
}

TestSuite(tracing, .init = read_meters, .timeout = 120);

/* Sends to the collector at once; to nobody where that is NULL. */
static struct otlp_options options_for(const struct collector *collector)
{
	static char target[100];

	snprintf(target, sizeof target, "dns:///%s",
		 collector ? collector_address(collector) : "127.0.0.1:1");
	return (struct otlp_options){
		.takes_up = true,
		.sends = true,
		.peer = {.target = target},
		.timeout_ns = 5000000000,
		.asks_parent = true,
		.ratio = 1,
		.delay_ns = 1000000,
		.queue_max = 2048,
		.batch_max = 512,
		.attributes = {{"service.name", "test"}},
		.n_attributes = 1,
	};
}

static struct otlp_exporter *exporter_open(const struct otlp_options *options)
{
	struct otlp_exporter *exporter = NULL;
	status opened = otlp_exporter_open(options, &exporter);

	cr_assert(!status_failed(opened), "%s", opened.detail);
	return exporter;
}

/* Spans of a call with so many stages. */
static void export_one(struct otlp_exporter *exporter, size_t n_stages)
{
	SCOPED(buffer) spans = &(struct buffer){0};
	struct rpc_stage stages[RPC_STAGES_MAX];
	struct rpc_trace trace = {.known = true, .recorded = true, .stages = stages};
	const struct rpc_handled handled = {.path = PATH, .trace = &trace};

	otlp_random_id(trace.trace_id, sizeof trace.trace_id);
	otlp_random_id(trace.span_id, sizeof trace.span_id);
	for (; trace.n_stages < n_stages; trace.n_stages++)
		stages[trace.n_stages] = (struct rpc_stage){.name = "scan"};
	otlp_exporter_add(exporter, spans,
			  otlp_span_append(&handled, "ipv4:127.0.0.1:7", 0, spans));
}

static bool reaches(enum meter meter, uint64_t wanted)
{
	int64_t until = clock_ns() + INT64_C(20000000000);

	while (counted(meter) < wanted) {
		if (clock_ns() > until)
			return false;
		sched_yield();
	}
	return counted(meter) == wanted;
}

/* --- who is recorded --- */

#define NO_PARENT ""
#define WITH(flags) "00-" TRACE "-" PARENT "-" flags

static const struct {
	enum otlp_sampler sampler;
	bool asks_parent;
	double ratio;
	const char *path, *traceparent;
	bool recorded, in_trace;
} choices[] = {
	{SAMPLE_ALL, true, 1, PATH, NO_PARENT, true, false},
	{SAMPLE_ALL, true, 1, PATH, WITH("01"), true, true},
	{SAMPLE_ALL, true, 1, PATH, WITH("00"), false, true},
	{SAMPLE_ALL, true, 1, PATH, "nonsense", true, false},
	{SAMPLE_ALL, true, 1, NULL, NO_PARENT, true, false},
	{SAMPLE_ALL, true, 1, "/grpc.health.v1.Health/Check", NO_PARENT, false, false},
	{SAMPLE_ALL, false, 1, PATH, WITH("00"), true, true},
	{SAMPLE_NONE, true, 1, PATH, NO_PARENT, false, false},
	{SAMPLE_NONE, true, 1, PATH, WITH("01"), true, true},
	{SAMPLE_NONE, false, 1, PATH, WITH("01"), false, true},
	{SAMPLE_RATIO, true, 0, PATH, NO_PARENT, false, false},
	{SAMPLE_RATIO, true, 0, PATH, WITH("01"), true, true},
	{SAMPLE_RATIO, true, 1, PATH, NO_PARENT, true, false},
	/* The trace's last 8 bytes are 0.5176 of what they can be. */
	{SAMPLE_RATIO, false, 0.52, PATH, WITH("00"), true, true},
	{SAMPLE_RATIO, false, 0.51, PATH, WITH("01"), false, true},
};

Test(tracing, records_what_the_sampler_and_the_parent_say)
{
	char trace_id[2 * TRACE_ID_BYTES + 1], parent_id[2 * SPAN_ID_BYTES + 1];

	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
		struct otlp_options options = options_for(NULL);
		struct rpc_trace trace = {0};
		struct tracing *tracing = NULL;
		const struct rpc_tracer *tracer;

		options.sampler = choices[i].sampler;
		options.asks_parent = choices[i].asks_parent;
		options.ratio = choices[i].ratio;
		cr_assert(!status_failed(tracing_open(&options, &tracing)));
		tracer = tracing_tracer(tracing);
		tracer->begin(tracer->context, choices[i].path,
			      *choices[i].traceparent ? bytes_of_string(choices[i].traceparent)
						      : (struct bytes){NULL, 0},
			      &trace);
		cr_assert_eq(trace.recorded, choices[i].recorded, "%zu", i);
		cr_assert_eq(trace.has_parent, choices[i].in_trace, "%zu", i);
		cr_assert_eq(trace.known, choices[i].recorded || choices[i].in_trace, "%zu", i);
		hex_print(trace_id, trace.trace_id, TRACE_ID_BYTES);
		hex_print(parent_id, trace.parent_id, SPAN_ID_BYTES);
		if (choices[i].in_trace) {
			cr_assert_str_eq(trace_id, TRACE);
			cr_assert_str_eq(parent_id, PARENT);
		}
		cr_assert_eq(choices[i].in_trace &&
				     memcmp(trace.span_id, trace.parent_id, SPAN_ID_BYTES) == 0,
			     choices[i].in_trace && !choices[i].recorded, "%zu", i);
		cr_assert_eq(trace.flags & TRACE_SAMPLED,
			     (unsigned)(choices[i].recorded ||
					strcmp(choices[i].traceparent, WITH("01")) == 0));
		tracing_close(tracing);
	}
}

Test(tracing, takes_traces_up_without_a_collector)
{
	const struct otlp_options options = {.takes_up = true};
	struct rpc_trace trace = {0};
	struct tracing *tracing = NULL;
	const struct rpc_tracer *tracer;

	cr_assert(!status_failed(tracing_open(&options, &tracing)));
	tracer = tracing_tracer(tracing);
	tracer->begin(tracer->context, PATH, bytes_of_string(WITH("01")), &trace);
	cr_assert(trace.known);
	cr_assert_not(trace.recorded);
	tracing_close(tracing);
}

/* --- what becomes of spans --- */

Test(tracing, sends_spans_with_their_resource)
{
	struct collector *collector = collector_open();
	struct otlp_options options = options_for(collector);
	const struct peer_header headers[] = {{"authorization", "Bearer x"}, {"b\n", "c"}};
	struct otlp_exporter *exporter;

	options.peer.headers = headers;
	options.peer.n_headers = 2; /* one of which cannot be sent */
	exporter = exporter_open(&options);
	export_one(exporter, 2);

	cr_assert_eq(collector_await(collector, 3), 3);
	cr_assert(reaches(METER_SPANS_SENT, 3));
	cr_assert_str_eq(resource_text(collector_resource(collector, 0), "service.name"), "test");
	cr_assert_str_eq(collector_span(collector, 0)->name, &PATH[1]);
	cr_assert_str_eq(collector_span(collector, 1)->name, "scan");
	cr_assert_str_eq(collector_authorization(collector), "Bearer x");
	cr_assert_eq(counted(METER_SPANS_CROWDED) + counted(METER_SPANS_REFUSED), 0);
	otlp_exporter_close(exporter);
	collector_close(collector);
}

Test(tracing, sends_whole_calls_in_batches_of_the_size_asked_for)
{
	struct collector *collector = collector_open();
	struct otlp_options options = options_for(collector);
	struct otlp_exporter *exporter;

	options.batch_max = 10;
	options.delay_ns = 60000000000; /* full batches alone, and the end */
	exporter = exporter_open(&options);
	for (size_t i = 0; i < 9; i++)
		export_one(exporter, 3);
	cr_assert_geq(collector_await(collector, 32), 32);
	otlp_exporter_close(exporter);

	cr_assert_eq(collector_await(collector, 36), 36);
	for (size_t i = 0; i < 36; i++)
		cr_assert_leq(collector_batch(collector, i), 8);
	cr_assert_eq(counted(METER_SPANS_SENT), 36);
	collector_close(collector);
}

/* A call of more spans than a batch is a batch. */
Test(tracing, sends_a_call_that_is_larger_than_a_batch)
{
	struct collector *collector = collector_open();
	struct otlp_options options = options_for(collector);
	struct otlp_exporter *exporter;

	options.batch_max = 4;
	exporter = exporter_open(&options);
	export_one(exporter, RPC_STAGES_MAX);
	cr_assert_eq(collector_await(collector, 1 + RPC_STAGES_MAX), 1 + RPC_STAGES_MAX);
	otlp_exporter_close(exporter);
	collector_close(collector);
}

/* The clock of the calls below is not looked at: none of them waits for the collector, which answers
 * nothing until the end of the test. */
Test(tracing, drops_what_has_no_room_and_counts_it)
{
	struct collector *collector = collector_open();
	struct otlp_options options = options_for(collector);
	struct otlp_exporter *exporter;

	options.queue_max = options.batch_max = 20;
	collector_stall(collector);
	exporter = exporter_open(&options);
	for (size_t i = 0; i < 1000; i++)
		export_one(exporter, 0);

	/* At most one batch is on its way, and one waits. */
	cr_assert_geq(counted(METER_SPANS_CROWDED), 1000 - 2 * 20);
	cr_assert_eq(counted(METER_SPANS_SENT), 0);
	cr_assert_eq(collector_await_calls(collector, 1), 1);
	cr_assert(otlp_exporter_is_full(exporter) || counted(METER_SPANS_CROWDED) < 1000);
	otlp_exporter_close(exporter);
	cr_assert_eq(counted(METER_SPANS_CROWDED) + counted(METER_SPANS_REFUSED), 1000);
	collector_close(collector);
}

Test(tracing, counts_what_nobody_takes)
{
	struct otlp_options options = options_for(NULL);
	struct otlp_exporter *exporter;

	options.timeout_ns = 300000000;
	exporter = exporter_open(&options);
	for (size_t i = 0; i < 10; i++)
		export_one(exporter, 1);
	cr_assert(reaches(METER_SPANS_REFUSED, 20));
	otlp_exporter_close(exporter);
	cr_assert_eq(counted(METER_SPANS_SENT) + counted(METER_SPANS_CROWDED), 0);
}

/* How a collector ends a call, and whether it is asked again about the same batch. */
static const struct {
	enum status_code code;
	bool again;
} refusals[] = {
	{STATUS_UNAVAILABLE, true},       {STATUS_ABORTED, true},
	{STATUS_INVALID_ARGUMENT, false}, {STATUS_UNIMPLEMENTED, false},
	{STATUS_UNAUTHENTICATED, false},  {STATUS_RESOURCE_EXHAUSTED, false},
};

Test(tracing, tries_again_where_that_may_help)
{
	for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
		struct collector *collector = collector_open();
		struct otlp_options options = options_for(collector);
		struct otlp_exporter *exporter = exporter_open(&options);

		read_meters();
		collector_answer(collector, refusals[i].code);
		export_one(exporter, 0);
		cr_assert_geq(collector_await_calls(collector, 1), 1);
		if (refusals[i].again) {
			collector_answer(collector, STATUS_OK);
			cr_assert_eq(collector_await(collector, 1), 1);
			cr_assert(reaches(METER_SPANS_SENT, 1));
			cr_assert_eq(counted(METER_SPANS_REFUSED), 0);
		} else {
			cr_assert(reaches(METER_SPANS_REFUSED, 1));
			cr_assert_eq(collector_await_calls(collector, 1), 1);
		}
		otlp_exporter_close(exporter);
		collector_close(collector);
	}
}

Test(tracing, counts_what_a_collector_takes_in_part)
{
	struct collector *collector = collector_open();
	struct otlp_options options = options_for(collector);
	struct otlp_exporter *exporter = exporter_open(&options);

	collector_reject(collector, 3);
	export_one(exporter, 9);
	cr_assert(reaches(METER_SPANS_SENT, 7));
	cr_assert_eq(counted(METER_SPANS_REFUSED), 3);
	otlp_exporter_close(exporter);
	collector_close(collector);
}

struct flood {
	pthread_t thread;
	struct otlp_exporter *exporter;
};

static void *flood_run(void *arg)
{
	const struct flood *flood = arg;

	for (size_t i = 0; i < 500; i++)
		export_one(flood->exporter, 3);
	return NULL;
}

Test(tracing, loses_no_count_among_threads)
{
	struct collector *collector = collector_open();
	struct otlp_options options = options_for(collector);
	struct flood floods[4];
	uint64_t sent;

	options.queue_max = 500;
	options.batch_max = 50;
	floods[0].exporter = exporter_open(&options);
	for (size_t i = 0; i < 4; i++) {
		floods[i].exporter = floods[0].exporter;
		cr_assert_eq(pthread_create(&floods[i].thread, NULL, flood_run, &floods[i]), 0);
	}
	for (size_t i = 0; i < 4; i++)
		pthread_join(floods[i].thread, NULL);
	otlp_exporter_close(floods[0].exporter);

	sent = counted(METER_SPANS_SENT);
	cr_assert_gt(sent, 0);
	cr_assert_eq(collector_await(collector, sent), sent);
	cr_assert_eq(sent + counted(METER_SPANS_CROWDED) + counted(METER_SPANS_REFUSED),
		     4 * 500 * 4);
	collector_close(collector);
}
