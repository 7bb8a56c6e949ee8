/* churn - thousands of streams, hundreds at a time, opened and ended at random in every way there is;
 * and what one that is cut still does. */
#include "tests/e2e/http2.h"
#include "tests/e2e/iterating.h"
#include "tests/e2e/random.h"

#include <stdio.h>

TestSuite(churn, .init = world_open, .fini = world_close, .timeout = 280);

#define CONNECTIONS 8
#define SLOTS 200
#define STREAMS_A_SOCKET 20

enum ending {
	IS_DROPPED, /* the client cancels */
	CLOSES,
	HALF_CLOSES,
	IS_CANCELLED, /* by CancelCursor */
	READS_ALL,
	EXPIRES,
	SEARCHES, /* a Search that is dropped, read or not */
	ENDINGS
};

/* slot - one stream at a time. */
struct slot {
	struct grpc_stream *stream; /* NULL: none */
	struct session *session;
	enum ending ending;
	char id[32]; /* of the cursor; empty: it was not looked whether it is open */
	size_t owed; /* hits, which were granted and not read */
	size_t n_granted;
};

/* One whose pages are made by a poller, and one whose pages are made by workers. */
static struct rows few = {.collection = "few",
			  .dim = 8,
			  .n = 400,
			  .text_bytes = 200,
			  .metric = SLUICE__V1__METRIC__METRIC_COSINE};
static struct rows many = {.collection = "many",
			   .dim = 8,
			   .n = 4000,
			   .text_bytes = 200,
			   .metric = SLUICE__V1__METRIC__METRIC_L2};

static struct churn {
	struct session sessions[CONNECTIONS];
	struct slot slots[SLOTS];
	struct random random;
	size_t n_opened, n_at_once_max, n_by[ENDINGS], n_by_sockets;
} churn;

static Sluice__V1__SearchRequest draw_search(uint64_t limit)
{
	const struct rows *rows = random_below(&churn.random, 2) ? &few : &many;

	return search_request(rows, query_make(rows->dim, random_bits(&churn.random)), limit);
}

static void begin(struct slot *slot)
{
	size_t below = random_below(&churn.random, 60);
	Sluice__V1__SearchRequest wanted;

	*slot = (struct slot){.session = &churn.sessions[random_below(&churn.random, CONNECTIONS)]};
	slot->ending = (enum ending)random_below(&churn.random, ENDINGS);
	churn.n_opened++;
	if (slot->ending == SEARCHES) {
		wanted = draw_search(1 + below * below);
		slot->stream = session_stream(slot->session, &search, &wanted.base);
		return;
	}
	slot->stream = grpc_stream_open(slot->session->client, iterate.path,
					slot->ending == EXPIRES ? 0.001 * (1 + (double)below)
								: CALL_SECONDS);
	wanted = draw_search(0);
	iterate_open(slot->stream, &wanted);
	if (below % 3 && slot->ending != EXPIRES)
		snprintf(slot->id, sizeof slot->id, "%s",
			 iterate_await_opened(slot->session, slot->stream));
}

static void grant(struct slot *slot)
{
	uint32_t hits = 1 + (uint32_t)random_below(&churn.random, 60);

	if (slot->ending == SEARCHES || slot->n_granted + hits >= few.n)
		return;
	iterate_credit(slot->stream, hits);
	slot->n_granted += hits;
	slot->owed += hits;
}

static void read_some(struct slot *slot)
{
	if (slot->ending == SEARCHES)
		session_next(slot->session, &search, slot->stream, NULL);
	if (slot->ending == SEARCHES || slot->ending == EXPIRES || !slot->owed)
		return;
	if (!slot->id[0])
		snprintf(slot->id, sizeof slot->id, "%s",
			 iterate_await_opened(slot->session, slot->stream));
	iterate_await_hits(slot->session, slot->stream, slot->owed);
	slot->owed = 0;
}

static void end(struct slot *slot)
{
	Sluice__V1__StopReason stop = SLUICE__V1__STOP_REASON__STOP_REASON_UNSPECIFIED;
	struct session *session = slot->session;
	struct grpc_stream *stream = slot->stream;

	switch (slot->ending) {
	case CLOSES:
		iterate_close(stream);
		WANT(iterate_read_all(session, stream, &stop), GRPC_STATUS_OK, "");
		cr_assert_eq(stop, SLUICE__V1__STOP_REASON__STOP_REASON_CLOSED);
		break;
	case HALF_CLOSES:
		grpc_stream_half_close(stream);
		WANT(iterate_read_all(session, stream, &stop), GRPC_STATUS_OK, "");
		cr_assert_eq(stop, SLUICE__V1__STOP_REASON__STOP_REASON_CLOSED);
		break;
	case IS_CANCELLED:
		if (!slot->id[0])
			snprintf(slot->id, sizeof slot->id, "%s",
				 iterate_await_opened(session, stream));
		WANT(iterate_cancel(slot->id), GRPC_STATUS_OK, "");
		WANT(iterate_read_all(session, stream, NULL), GRPC_STATUS_ABORTED, "CancelCursor");
		break;
	case READS_ALL:
		iterate_credit(stream, 65536);
		WANT(iterate_read_all(session, stream, &stop), GRPC_STATUS_OK, "");
		cr_assert_eq(stop, SLUICE__V1__STOP_REASON__STOP_REASON_EXHAUSTED);
		break;
	case EXPIRES:
		WANT(session_finish(session, stream), GRPC_STATUS_DEADLINE_EXCEEDED, "");
		break;
	default:
		/* The scope cancels it. */
		break;
	}
	grpc_stream_close(TAKE(slot->stream));
	churn.n_by[slot->ending]++;
}

/* --- sockets that are killed with all that goes over them --- */

/* A message with gRPC's five bytes before it. */
static void send_message(struct http2 *http2, uint32_t stream,
			 const Sluice__V1__IterateRequest *request)
{
	SCOPED(buffer) payload = &(struct buffer){0};
	size_t size = sluice__v1__iterate_request__get_packed_size(request);

	buffer_append_u8(payload, 0);
	for (int shift = 24; shift >= 0; shift -= 8)
		buffer_append_u8(payload, (uint8_t)(size >> shift));
	sluice__v1__iterate_request__pack(request, buffer_reserve(payload, size));
	payload->size += size;
	http2_frame(http2, HTTP2_DATA, 0, stream, bytes_of(payload->data, payload->size));
}

static void open_by_hand(struct http2 *http2, uint32_t stream)
{
	Sluice__V1__IterateRequest request = SLUICE__V1__ITERATE_REQUEST__INIT;
	Sluice__V1__SearchRequest wanted = draw_search(0);
	Sluice__V1__Credit credit = SLUICE__V1__CREDIT__INIT;

	http2_call(http2, stream, iterate.path, "");
	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_OPEN;
	request.open = &wanted;
	send_message(http2, stream, &request);
	/* More than the windows let out: it is sent as far as that, or being computed. */
	credit.hits = 1 + (uint32_t)random_below(&churn.random, 2000);
	request.action_case = SLUICE__V1__ITERATE_REQUEST__ACTION_CREDIT;
	request.credit = &credit;
	if (random_below(&churn.random, 4))
		send_message(http2, stream, &request);
}

static void kill_a_socket(void)
{
	struct http2 http2;

	cr_assert(http2_open(&http2, world.server.address));
	for (uint32_t i = 0; i < STREAMS_A_SOCKET; i++)
		open_by_hand(&http2, 2 * i + 1);
	/* Its answer shows that the server has read all of it; or it is reset before. */
	if (random_below(&churn.random, 2)) {
		http2_frame(&http2, HTTP2_PING, 0, 0, bytes_of("12345678", 8));
		cr_assert(http2_await(&http2, "12345678", 60));
	}
	http2_reset(&http2);
	churn.n_opened += STREAMS_A_SOCKET;
	churn.n_by_sockets += STREAMS_A_SOCKET;
}

/* --- all together --- */

static void step(void)
{
	struct slot *slot = &churn.slots[random_below(&churn.random, SLOTS)];
	size_t what = random_below(&churn.random, 10);

	if (!slot->stream)
		begin(slot);
	else if (what < 4)
		end(slot);
	else if (what < 8)
		grant(slot);
	else
		read_some(slot);
	if (random_below(&churn.random, 250) == 0)
		kill_a_socket();
	/* Nothing that came is kept. */
	arena_reset(&world.session.arena);
	arena_reset(&slot->session->arena);
}

static void note_how_many(void)
{
	size_t n = 0;

	for (size_t i = 0; i < SLOTS; i++)
		n += churn.slots[i].stream != NULL;
	if (n > churn.n_at_once_max)
		churn.n_at_once_max = n;
}

static void open_and_end(size_t n)
{
	for (size_t until = churn.n_opened + n; churn.n_opened < until;) {
		step();
		note_how_many();
	}
}

static void end_all(void)
{
	for (size_t i = 0; i < SLOTS; i++)
		if (churn.slots[i].stream)
			end(&churn.slots[i]);
	want_idle();
}

static void start(void)
{
	churn = (struct churn){.random = {23}};
	world_restart_with(&(struct server_options){0},
			   "threads: {inline_scan_bytes_max: 64KiB}\n");
	rows_create(&few, 1);
	rows_create(&many, 2);
	for (size_t i = 0; i < CONNECTIONS; i++)
		session_open(&churn.sessions[i], world.server.address);
}

/* Those that are open when the server drains; another one takes its place. */
static void drain(void)
{
	size_t n_told = 0;

	for (size_t i = 0; i < SLOTS; i++)
		if (!churn.slots[i].stream)
			begin(&churn.slots[i]);
	server_terminate(&world.server);
	for (size_t i = 0; i < SLOTS; i++) {
		Sluice__V1__StopReason stop = SLUICE__V1__STOP_REASON__STOP_REASON_UNSPECIFIED;
		struct slot *slot = &churn.slots[i];

		if (slot->id[0]) {
			WANT(iterate_read_all(slot->session, slot->stream, &stop),
			     GRPC_STATUS_UNAVAILABLE, "drain");
			cr_assert_eq(stop, SLUICE__V1__STOP_REASON__STOP_REASON_DRAINING);
			n_told++;
		}
		grpc_stream_close(TAKE(slot->stream));
	}
	cr_assert_gt(n_told, SLOTS / 4);
	cr_assert_eq(server_await(&world.server, 60), 0);
	cr_assert(
		server_start(&world.server, &(struct server_options){.data = world.scratch.path}));
}

/* Thread by thread, a sanitizer for races is slow. */
#if defined(__SANITIZE_THREAD__)
#define STREAMS 3000
#else
#define STREAMS 10000
#endif

Test(churn, ten_thousand_streams_that_end_in_every_way_leave_nothing)
{
	size_t files, bytes;

	start();
	open_and_end(STREAMS / 5);
	end_all();
	files = server_entries("fd");
	bytes = server_own_bytes(&world.server);

	open_and_end(STREAMS - STREAMS / 5);
	end_all();
	cr_assert_leq(server_entries("fd"), files + 2);
	if (!SANITIZED)
		cr_assert_lt(server_own_bytes(&world.server), bytes + ((size_t)24 << 20));
	cr_assert_gt(churn.n_at_once_max, SLOTS / 2);
	cr_assert_gt(churn.n_by_sockets, STREAMS / 20);
	for (size_t i = 0; i < ENDINGS; i++)
		cr_assert_gt(churn.n_by[i], STREAMS / 20, "%zu streams of kind %zu", churn.n_by[i],
			     i);

	drain();
	for (size_t i = 0; i < CONNECTIONS; i++)
		session_close(&churn.sessions[i]);
}
