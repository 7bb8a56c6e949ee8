/* otlp_exporter - a list that grows at its end, and a thread that takes from its beginning. */
#include "service/telemetry/otlp_exporter.h"

#include "kernels/base/deadline.h"
#include "kernels/base/log.h"
#include "kernels/base/meter.h"
#include "kernels/base/thread.h"
#include "service/rpc/protobuf_arena.h"
#include "service/telemetry/opentelemetry.pb-c.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define EXPORT_PATH "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
/* Of what is sent at the end. */
#define FAREWELL_NS ((int64_t)2 * 1000000000)
/* Between two tries: twice as long each time. */
#define PAUSE_FIRST_NS ((int64_t)500 * 1000000)

/* The spans of a call. */
struct parcel {
	struct parcel *next;
	struct buffer spans;
	size_t n;
};

struct otlp_exporter {
	struct peer *peer;
	struct buffer resource;
	int64_t timeout_ns, delay_ns;
	size_t queue_max, batch_max;
	bool silent; /* the thread's: the collector did not take the last batch */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t changed; /* on CLOCK_MONOTONIC */
	/* Under the lock. */
	struct parcel *first, *last;
	size_t n_waiting;   /* spans */
	int64_t waiting_ns; /* since when the first of them waits */
	bool closing, ended;
};

/* --- handing over --- */

bool otlp_exporter_is_full(struct otlp_exporter *exporter)
{
	bool is_full;

	pthread_mutex_lock(&exporter->lock);
	is_full = exporter->n_waiting >= exporter->queue_max;
	pthread_mutex_unlock(&exporter->lock);
	return is_full;
}

void otlp_exporter_drop(size_t n_spans)
{
	meter_add(METER_SPANS_CROWDED, n_spans);
}

static void parcel_free(struct parcel *parcel)
{
	buffer_finish(&parcel->spans);
	free(parcel);
}

/* False: there is no room. */
static bool append(struct otlp_exporter *exporter, struct parcel *parcel)
{
	bool has_room;

	pthread_mutex_lock(&exporter->lock);
	has_room = exporter->n_waiting + parcel->n <= exporter->queue_max;
	if (has_room) {
		if (exporter->last)
			exporter->last->next = parcel;
		else
			exporter->first = parcel;
		exporter->last = parcel;
		if (exporter->n_waiting == 0)
			exporter->waiting_ns = clock_ns();
		exporter->n_waiting += parcel->n;
		/* The thread wakes for the first, which begins its delay, and for a whole batch. */
		if (exporter->n_waiting == parcel->n || exporter->n_waiting >= exporter->batch_max)
			pthread_cond_signal(&exporter->changed);
	}
	pthread_mutex_unlock(&exporter->lock);
	return has_room;
}

void otlp_exporter_add(struct otlp_exporter *exporter, struct buffer *spans, size_t n_spans)
{
	struct parcel *parcel = spans->failed ? NULL : calloc(1, sizeof *parcel);

	if (!parcel) {
		otlp_exporter_drop(n_spans);
		return;
	}
	parcel->spans = *spans;
	parcel->n = n_spans;
	*spans = (struct buffer){0};
	if (append(exporter, parcel))
		return;
	otlp_exporter_drop(n_spans);
	parcel_free(parcel);
}

/* --- the thread --- */

static struct timespec timespec_of(int64_t ns)
{
	return (struct timespec){ns / 1000000000, ns % 1000000000};
}

/* Under the lock: until a batch is due. False: it is closing, and nothing is left. */
static bool await_batch(struct otlp_exporter *exporter)
{
	for (;;) {
		int64_t due_ns = exporter->waiting_ns + exporter->delay_ns;
		struct timespec due = timespec_of(due_ns);

		if (exporter->closing)
			return exporter->n_waiting > 0;
		if (exporter->n_waiting >= exporter->batch_max)
			return true;
		if (exporter->n_waiting == 0)
			pthread_cond_wait(&exporter->changed, &exporter->lock);
		else if (clock_ns() >= due_ns)
			return true;
		else
			pthread_cond_timedwait(&exporter->changed, &exporter->lock, &due);
	}
}

/* Under the lock: whole calls, as many as a batch may have, at least one. */
static struct parcel *take_batch(struct otlp_exporter *exporter, size_t *ret_n)
{
	struct parcel *batch = exporter->first, *end = batch;
	size_t n = batch->n;

	while (end->next && n + end->next->n <= exporter->batch_max) {
		end = end->next;
		n += end->n;
	}
	exporter->first = end->next;
	if (!exporter->first)
		exporter->last = NULL;
	end->next = NULL;
	exporter->n_waiting -= n;
	exporter->waiting_ns = clock_ns();
	*ret_n = n;
	return batch;
}

/* The request, of parcels that are freed. */
static void pack(const struct otlp_exporter *exporter, struct parcel *batch, struct buffer *ret)
{
	SCOPED(buffer) spans = &(struct buffer){0};

	while (batch) {
		struct parcel *next = batch->next;

		buffer_append(spans, batch->spans.data, batch->spans.size);
		parcel_free(batch);
		batch = next;
	}
	otlp_request_append(bytes_of(exporter->resource.data, exporter->resource.size),
			    bytes_of(spans->data, spans->size), ret);
	ret->failed |= spans->failed;
}

/* Whether the same batch may be taken later, by OTLP's rules. */
static bool is_passing(enum status_code code)
{
	switch (code) {
	case STATUS_CANCELLED:
	case STATUS_DEADLINE_EXCEEDED:
	case STATUS_ABORTED:
	case STATUS_OUT_OF_RANGE:
	case STATUS_UNAVAILABLE:
	case STATUS_DATA_LOSS:
		return true;
	default:
		return false;
	}
}

/* False: it is closing. */
static bool pause_for(struct otlp_exporter *exporter, int64_t ns)
{
	int64_t end_ns = clock_ns() + ns;
	const struct timespec end = timespec_of(end_ns);
	bool closing;

	pthread_mutex_lock(&exporter->lock);
	while (!exporter->closing && clock_ns() < end_ns)
		pthread_cond_timedwait(&exporter->changed, &exporter->lock, &end);
	closing = exporter->closing;
	pthread_mutex_unlock(&exporter->lock);
	return !closing;
}

/* Until it is taken, cannot be, or its time is over. request  is kept for the next try. */
static status send_batch(struct otlp_exporter *exporter, const struct buffer *request,
			 struct buffer *answer)
{
	int64_t end_ns = clock_ns() + exporter->timeout_ns, pause_ns = PAUSE_FIRST_NS;

	for (;;) {
		SCOPED(buffer) copy = &(struct buffer){0};
		int64_t left_ns = end_ns - clock_ns();
		status sent;

		buffer_append(copy, request->data, request->size);
		if (copy->failed)
			return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a batch");
		sent = peer_call(exporter->peer, EXPORT_PATH, copy, left_ns > 0 ? left_ns : 0,
				 answer);
		if (!status_failed(sent) || !is_passing(sent.code) ||
		    clock_ns() + pause_ns >= end_ns || !pause_for(exporter, pause_ns))
			return sent;
		pause_ns *= 2;
	}
}

/* Of a batch that was taken, how many spans were not. */
static size_t rejected_of(const struct buffer *answer, size_t n)
{
	Opentelemetry__Proto__Trace__V1__ExportTraceServiceResponse *response =
		opentelemetry__proto__trace__v1__export_trace_service_response__unpack(
			NULL, answer->size, answer->data);
	int64_t rejected = response && response->partial_success
				   ? response->partial_success->rejected_spans
				   : 0;

	if (response)
		opentelemetry__proto__trace__v1__export_trace_service_response__free_unpacked(
			response, NULL);
	if (rejected < 0)
		return 0;
	return (uint64_t)rejected < n ? (size_t)rejected : n;
}

static void note(struct otlp_exporter *exporter, status sent)
{
	bool silent = status_failed(sent);

	if (silent && !exporter->silent)
		log_write(LOG_WARNING, "traces: the collector takes no spans: %s; they are dropped",
			  sent.detail);
	else if (!silent && exporter->silent)
		log_write(LOG_INFO, "traces: the collector takes spans again");
	exporter->silent = silent;
}

static void export(struct otlp_exporter *exporter, struct parcel *batch, size_t n)
{
	SCOPED(buffer) request = &(struct buffer){0};
	SCOPED(buffer) answer = &(struct buffer){0};
	size_t rejected;
	status sent;

	pack(exporter, batch, request);
	sent = request->failed ? status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a batch")
			       : send_batch(exporter, request, answer);
	rejected = status_failed(sent) ? n : rejected_of(answer, n);
	meter_add(METER_SPANS_REFUSED, rejected);
	meter_add(METER_SPANS_SENT, n - rejected);
	note(exporter, sent);
}

static void *export_all(void *arg)
{
	struct otlp_exporter *exporter = arg;

	pthread_mutex_lock(&exporter->lock);
	while (await_batch(exporter)) {
		size_t n;
		struct parcel *batch = take_batch(exporter, &n);

		pthread_mutex_unlock(&exporter->lock);
		export(exporter, batch, n);
		pthread_mutex_lock(&exporter->lock);
	}
	exporter->ended = true;
	pthread_cond_broadcast(&exporter->changed);
	pthread_mutex_unlock(&exporter->lock);
	return NULL;
}

/* --- life --- */

static void init_sync(struct otlp_exporter *exporter)
{
	pthread_condattr_t attributes;

	/* None of these fails with these attributes on Linux. */
	pthread_mutex_init(&exporter->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&exporter->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static bool start_thread(struct otlp_exporter *exporter)
{
	exporter->has_thread = !status_failed(
		thread_start(export_all, exporter, "a thread for traces", &exporter->thread));
	if (exporter->has_thread)
		pthread_setname_np(exporter->thread, "traces");
	return exporter->has_thread;
}

status otlp_exporter_open(const struct otlp_options *options, struct otlp_exporter **ret)
{
	SCOPED(otlp_exporter) exporter = calloc(1, sizeof *exporter);

	if (!exporter)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for traces");
	init_sync(exporter);
	exporter->timeout_ns = options->timeout_ns;
	exporter->delay_ns = options->delay_ns;
	exporter->queue_max = options->queue_max;
	exporter->batch_max = options->batch_max;
	otlp_resource_append(options->attributes, options->n_attributes, &exporter->resource);
	TRY(peer_open(&options->peer, &exporter->peer));
	if (exporter->resource.failed || !start_thread(exporter))
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory, or a thread, for traces");
	*ret = TAKE(exporter);
	return status_ok();
}

/* What is sent still is what can be in a moment. */
static void end_thread(struct otlp_exporter *exporter)
{
	int64_t end_ns = clock_ns() + FAREWELL_NS;
	const struct timespec end = timespec_of(end_ns);

	pthread_mutex_lock(&exporter->lock);
	exporter->closing = true;
	pthread_cond_broadcast(&exporter->changed);
	while (!exporter->ended && clock_ns() < end_ns)
		pthread_cond_timedwait(&exporter->changed, &exporter->lock, &end);
	pthread_mutex_unlock(&exporter->lock);
	peer_give_up(exporter->peer);
	pthread_join(exporter->thread, NULL);
}

void otlp_exporter_close(struct otlp_exporter *exporter)
{
	if (!exporter)
		return;
	if (exporter->has_thread)
		end_thread(exporter);
	peer_close(exporter->peer);
	buffer_finish(&exporter->resource);
	pthread_cond_destroy(&exporter->changed);
	pthread_mutex_destroy(&exporter->lock);
	free(exporter);
}
