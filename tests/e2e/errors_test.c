/* errors - messages that are none, or worse: a clear status, and a server that goes on. */
#include "tests/e2e/random.h"
#include "tests/e2e/rows.h"

#include "service/rpc/protobuf_arena.h"

TestSuite(errors, .init = world_open, .fini = world_close, .timeout = 200);

static const struct method *const methods[] = {
	&create_collection, &get_collection, &list_collections, &delete_collection,
	&upsert_chunks,     &delete_chunks,  &search,           &get_chunks,
	&list_chunks,       &count_chunks,   &get_server_info,
};

#define N_METHODS (sizeof methods / sizeof *methods)

/* --- messages --- */

#define BYTES(text) {(const uint8_t *)(text), sizeof(text) - 1}

/* Not a message of any type. */
static const struct bytes broken[] = {
	BYTES("\x80"),     /* a tag that does not end */
	BYTES("\x02\x00"), /* field 0 */
	BYTES("\x0F"),     /* a wire type that there is not */
	BYTES("\x0A\x05"
	      "a"),                        /* shorter than it says */
	BYTES("\x0A\xFF\xFF\xFF\xFF\x0F"), /* 4 GiB long */
	BYTES("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
	BYTES("\x0D\x01\x02"),         /* half of four bytes */
	BYTES("\x09\x01\x02\x03\x04"), /* half of eight */
	BYTES("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
};

Test(errors, bytes_that_are_no_message_are_refused_by_every_method)
{
	for (size_t i = 0; i < N_METHODS; i++) {
		for (size_t j = 0; j < sizeof broken / sizeof *broken; j++) {
			struct answer answer =
				session_call_bytes(&world.session, methods[i], broken[j]);

			cr_assert_eq(answer.code, GRPC_STATUS_INVALID_ARGUMENT,
				     "%s, bytes %zu: %d %s", methods[i]->path, j, answer.code,
				     answer.detail);
			cr_assert(strstr(answer.detail, ", at byte "), "%s", answer.detail);
		}
	}
	want_idle();
}

/* Ends that are the server's own fault, or its end. */
static bool is_fault(int code)
{
	return code == GRPC_STATUS_INTERNAL || code == GRPC_STATUS_UNKNOWN ||
	       code == GRPC_STATUS_UNAVAILABLE || code == GRPC_STATUS_DATA_LOSS ||
	       code == GRPC_STATUS_DEADLINE_EXCEEDED;
}

/* n times the piece, in front of it head. */
static struct bytes repeated(struct bytes head, struct bytes piece, size_t n)
{
	size_t size = head.size + n * piece.size;
	uint8_t *bytes = arena_alloc(&world.session.arena, size);

	cr_assert_not_null(bytes);
	memcpy(bytes, head.data, head.size);
	for (size_t i = 0; i < n; i++)
		memcpy(bytes + head.size + i * piece.size, piece.data, piece.size);
	return bytes_of(bytes, size);
}

/* Small on the wire, large once unpacked. */
static const struct {
	const struct method *method;
	struct bytes piece;
	size_t n;
} swelling[] = {
	{&upsert_chunks, BYTES("\x1A\x00"), 2000000},             /* empty chunks */
	{&upsert_chunks, BYTES("\x1A\x02\x32\x00"), 1000000},     /* each with metadata */
	{&get_chunks, BYTES("\x12\x00"), 2000000},                /* empty ids */
	{&get_chunks, BYTES("\x1A\x02\x0A\x00"), 1000000},        /* masks that merge */
	{&delete_chunks, BYTES("\x12\x02\x0A\x00"), 1000000},     /* lists that merge */
	{&search, BYTES("\x12\x05\x0D\x00\x00\x80\x3F"), 500000}, /* vectors that merge */
	{&search, BYTES("\x62\x02\x0A\x00"), 1000000},
	{&create_collection, BYTES("\x0A\x02\x2A\x00"), 1000000}, /* fields without names */
	{&list_chunks, BYTES("\xF8\x07\x00"), 1000000},           /* unknown fields */
};

Test(errors, messages_that_swell_cost_no_more_than_their_bound)
{
	static const struct bytes name = BYTES("\x0A\x04"
					       "docs");
	size_t before, after;

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_L2);
	before = server_own_bytes(&world.server);
	for (size_t i = 0; i < sizeof swelling / sizeof *swelling; i++) {
		struct answer answer =
			session_call_bytes(&world.session, swelling[i].method,
					   repeated(name, swelling[i].piece, swelling[i].n));

		cr_assert(answer.code == GRPC_STATUS_INVALID_ARGUMENT ||
				  answer.code == GRPC_STATUS_RESOURCE_EXHAUSTED,
			  "case %zu: %d %s", i, answer.code, answer.detail);
	}
	after = server_own_bytes(&world.server);
	cr_assert_lt(after, before + ((size_t)(SANITIZED ? 1024 : 256) << 20), "%zu MB more",
		     (after - before) >> 20);
	cr_assert_eq(count_of("docs"), 0);
	want_idle();
}

static const ProtobufCMessage *valid_request(size_t i)
{
	static float values[3] = {1, 2, 3};
	static struct rows rows = {.collection = "docs", .dim = 3};
	static Sluice__V1__SearchRequest near;
	static Sluice__V1__GetChunksRequest get;
	static Sluice__V1__DeleteChunksRequest delete;
	static Sluice__V1__ChunkIds list;
	static char *ids[2];
	const struct batch_shape shape = {"docs", 1, 3, 3};

	ids[0] = text_of("s1-0");
	ids[1] = text_of("s1-1");
	switch (i) {
	case 0:
		near = search_request(&rows, values, 5);
		return &near.base;
	case 1:
		sluice__v1__get_chunks_request__init(&get);
		get.collection = text_of("docs");
		get.ids = ids;
		get.n_ids = 2;
		return &get.base;
	case 2:
		sluice__v1__delete_chunks_request__init(&delete);
		sluice__v1__chunk_ids__init(&list);
		list.ids = ids;
		list.n_ids = 2;
		delete.collection = text_of("docs");
		delete.selector_case = SLUICE__V1__DELETE_CHUNKS_REQUEST__SELECTOR_IDS;
		delete.ids = &list;
		return &delete.base;
	default:
		return &batch_make(&world.session.arena, &shape)->base;
	}
}

/* Good messages with a few bytes changed: most are refused, some mean something else, none hurts.
 */
Test(errors, messages_with_wrong_bytes_do_no_harm)
{
	static const struct method *const targets[] = {&search, &get_chunks, &delete_chunks,
						       &upsert_chunks};
	const size_t rounds = SANITIZED ? 200 : 1500;
	struct random random = {20260701};

	make_collection("docs", 3, SLUICE__V1__METRIC__METRIC_L2);
	for (size_t i = 0; i < rounds; i++) {
		SCOPED(buffer) bytes = &(struct buffer){0};
		size_t target = i % 4;
		struct answer answer;

		buffer_pack(bytes, valid_request(target));
		for (size_t n = 1 + random_below(&random, 4); n; n--)
			bytes->data[random_below(&random, bytes->size)] =
				(uint8_t)random_bits(&random);
		answer = session_call_bytes(
			&world.session, targets[target],
			bytes_of(bytes->data, bytes->size - random_below(&random, 3)));
		cr_assert(!is_fault(answer.code), "round %zu, %s: %d %s", i, targets[target]->path,
			  answer.code, answer.detail);
	}
	want_idle();
}

/* --- compression --- */

Test(errors, a_compressed_message_is_unimplemented)
{
	const struct grpc_client_options options = {.gzip = true};
	SCOPED(grpc_client) client = grpc_client_open(world.server.address, &options);
	SCOPED(buffer) bytes = &(struct buffer){0};
	struct grpc_reply reply;

	buffer_append_u8(bytes, 0x0A);
	buffer_append_varint(bytes, 50000);
	for (size_t i = 0; i < 50000; i++)
		buffer_append_u8(bytes, 'a');
	grpc_client_unary(client, count_chunks.path, bytes_of(bytes->data, bytes->size), 60,
			  &reply);
	cr_assert_eq(reply.code, GRPC_STATUS_UNIMPLEMENTED, "%d %s", reply.code, reply.detail);
	grpc_reply_finish(&reply);
	want_idle();
}
