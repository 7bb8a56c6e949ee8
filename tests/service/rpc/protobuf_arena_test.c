#include "grpc/health/v1/health.pb-c.h"
#include "service/rpc/protobuf_arena.h"

#include <criterion/criterion.h>

typedef Grpc__Health__V1__HealthCheckRequest check_request;

Test(protobuf_arena, unpacks_into_the_arena_and_frees_with_it)
{
	struct arena arena;
	SCOPED(arena) owned = &arena;
	ProtobufCAllocator allocator = protobuf_arena_allocator(owned);
	check_request *request;

	arena_init(owned, 4096);
	request = grpc__health__v1__health_check_request__unpack(&allocator, 5,
								 (const uint8_t *)"\x0A\x03"
										  "abc");
	cr_assert_not_null(request);
	cr_assert_str_eq(request->service, "abc");
	cr_assert_gt(owned->used_bytes, sizeof *request);
}

Test(protobuf_arena, tells_too_much_from_nonsense)
{
	static const struct {
		size_t cap;
		const char *bytes;
		int code;
		const char *says;
	} cases[] = {
		{4096,
		 "\x0A\x7F"
		 "abc",
		 STATUS_INVALID_ARGUMENT, "bytes do not parse as some.Message"},
		{16,
		 "\x0A\x03"
		 "abc",
		 STATUS_RESOURCE_EXHAUSTED, "some.Message"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena arena, other;
		SCOPED(arena) owned = &arena;
		SCOPED(arena) owned_other = &other;
		ProtobufCAllocator allocator = protobuf_arena_allocator(owned);
		status why;

		arena_init(owned, cases[i].cap);
		arena_init(owned_other, 4096);
		cr_assert_null(grpc__health__v1__health_check_request__unpack(
			&allocator, strlen(cases[i].bytes), (const uint8_t *)cases[i].bytes));
		why = protobuf_status(owned, "some.Message", owned_other);
		cr_assert_eq((int)why.code, cases[i].code);
		cr_assert_not_null(strstr(why.detail, cases[i].says), "%s", why.detail);
	}
}

Test(protobuf_arena, packs_a_message_and_a_field)
{
	check_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct buffer buffer = {0};
	char name[] = "abc";

	request.service = name;
	buffer_pack(&buffer, &request.base);
	cr_assert(bytes_equal(bytes_of(buffer.data, buffer.size), bytes_of("\x0A\x03"
									   "abc",
									   5)));
	/* Field 300: its tag takes two bytes. */
	buffer_append_message(&buffer, 300, &request.base);
	cr_assert(bytes_equal(bytes_of(buffer.data, buffer.size), bytes_of("\x0A\x03"
									   "abc"
									   "\xE2\x12\x05\x0A\x03"
									   "abc",
									   13)));
	buffer_finish(&buffer);
}

Test(protobuf_arena, appends_an_empty_message)
{
	check_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
	struct buffer buffer = {0};

	buffer_pack(&buffer, &request.base);
	cr_assert_eq(buffer.size, 0);
	buffer_append_message(&buffer, 1, &request.base);
	cr_assert(bytes_equal(bytes_of(buffer.data, buffer.size), bytes_of("\x0A\x00", 2)));
	cr_assert_not(buffer.failed);
	buffer_finish(&buffer);
}
