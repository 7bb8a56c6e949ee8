#include "service/rpc/error_details.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "service/rpc/protobuf_arena.h"
#include "service/rpc/status.h"
#include "sluice/v1/errors.pb-c.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena memory;

static void init(void)
{
	arena_init(&memory, 1 << 24);
}

static void finish(void)
{
	arena_finish(&memory);
}

TestSuite(error_details, .init = init, .fini = finish);

static const void *unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes bytes)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(&memory);
	const void *message =
		protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);

	cr_assert_not_null(message, "no %s", descriptor->name);
	return message;
}

static const Google__Rpc__Status *encoded(status failure, size_t *ret_size)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	error_details_encode(failure, bytes);
	cr_assert(!bytes->failed);
	if (ret_size)
		*ret_size = bytes->size;
	return unpack(&google__rpc__status__descriptor, bytes_of(bytes->data, bytes->size));
}

/* The i-th detail, which has to be of that type. */
static const void *detail(const Google__Rpc__Status *message, size_t i,
			  const ProtobufCMessageDescriptor *descriptor)
{
	const Google__Protobuf__Any *any;

	cr_assert_lt(i, message->n_details, "no detail %zu", i);
	any = message->details[i];
	cr_assert_eq(strncmp(any->type_url, "type.googleapis.com/", 20), 0);
	cr_assert_str_eq(any->type_url + 20, descriptor->name);
	return unpack(descriptor, bytes_of(any->value.data, any->value.len));
}

static const char *value_of(const Google__Rpc__ErrorInfo *info, const char *key)
{
	for (size_t i = 0; i < info->n_metadata; i++)
		if (strcmp(info->metadata[i]->key, key) == 0)
			return info->metadata[i]->value;
	return NULL;
}

Test(error_details, reasons_are_those_of_the_contract)
{
	const ProtobufCEnumDescriptor *contract = &sluice__v1__error_reason__descriptor;

	cr_assert_eq(contract->n_values, REASON_N);
	for (int reason = 0; reason < REASON_N; reason++) {
		const ProtobufCEnumValue *value =
			protobuf_c_enum_descriptor_get_value(contract, reason);

		cr_assert_not_null(value, "%d", reason);
		cr_assert_eq(strncmp(value->name, "ERROR_REASON_", 13), 0);
		cr_assert_str_eq(value->name + 13, error_reason_name((enum error_reason)reason));
	}
}

Test(error_details, tells_all_that_the_info_has)
{
	const struct error_violation violations[] = {{"chunks[3].id", "string.min_len", "short"},
						     {"limit", "uint64.gte", "at least 1"}};
	const struct error_info info = {
		.reason = REASON_SCHEMA_VIOLATION,
		.metadata = {{"field", "chunks[3].id"}, {"found", "\xC3\xBC"}},
		.violations = violations,
		.n_violations = 2,
		.n_more = 3,
		.resource_type = RESOURCE_COLLECTION,
		.resource_name = "docs",
		.retry_ms = 2500,
	};
	const Google__Rpc__Status *message = encoded(
		status_with(status_make(STATUS_INVALID_ARGUMENT, "two things"), &info), NULL);
	const Google__Rpc__BadRequest *bad;
	const Google__Rpc__ErrorInfo *told;
	const Google__Rpc__ResourceInfo *resource;
	const Google__Rpc__RetryInfo *retry;

	cr_assert_eq(message->code, STATUS_INVALID_ARGUMENT);
	cr_assert_str_eq(message->message, "two things");
	cr_assert_eq(message->n_details, 4);
	bad = detail(message, 0, &google__rpc__bad_request__descriptor);
	cr_assert_eq(bad->n_field_violations, 2);
	cr_assert_str_eq(bad->field_violations[0]->field, "chunks[3].id");
	cr_assert_str_eq(bad->field_violations[0]->reason, "string.min_len");
	cr_assert_str_eq(bad->field_violations[0]->description, "short");
	cr_assert_str_eq(bad->field_violations[1]->field, "limit");
	told = detail(message, 1, &google__rpc__error_info__descriptor);
	cr_assert_str_eq(told->reason, "SCHEMA_VIOLATION");
	cr_assert_str_eq(told->domain, "sluice.v1");
	cr_assert_eq(told->n_metadata, 3);
	cr_assert_str_eq(value_of(told, "found"), "\xC3\xBC");
	cr_assert_str_eq(value_of(told, "violations_left_out"), "3");
	resource = detail(message, 2, &google__rpc__resource_info__descriptor);
	cr_assert_str_eq(resource->resource_type, "sluice.v1.Collection");
	cr_assert_str_eq(resource->resource_name, "docs");
	retry = detail(message, 3, &google__rpc__retry_info__descriptor);
	cr_assert_eq(retry->retry_delay->seconds, 2);
	cr_assert_eq(retry->retry_delay->nanos, 500000000);
}

Test(error_details, gives_the_reason_of_a_code_that_came_alone)
{
	const Google__Rpc__Status *message = encoded(status_make(STATUS_DATA_LOSS, "broken"), NULL);
	const Google__Rpc__ErrorInfo *told =
		detail(message, 0, &google__rpc__error_info__descriptor);

	cr_assert_eq(message->n_details, 1);
	cr_assert_str_eq(told->reason, "DATA_CORRUPT");
	cr_assert_eq(told->n_metadata, 0);
}

Test(error_details, is_empty_where_there_is_no_reason)
{
	SCOPED(buffer) bytes = &(struct buffer){0};

	error_details_encode(status_make(STATUS_CANCELLED, "gone"), bytes);
	cr_assert_eq(bytes->size, 0);
}

/* As the trailer travels: the sentence percent-encoded, the details in base64. */
static size_t trailer_size(const char *sentence, size_t details)
{
	size_t size = (details + 2) / 3 * 4;

	for (const char *at = sentence; *at; at++)
		size += (unsigned char)*at > 0x7E || *at == '%' || *at < 0x20 ? 3 : 1;
	return size;
}

#define N_VIOLATIONS 100

Test(error_details, leaves_out_violations_that_do_not_fit)
{
	struct error_violation violations[N_VIOLATIONS];
	struct error_info info = {
		.reason = REASON_SCHEMA_VIOLATION,
		.violations = violations,
		.n_violations = N_VIOLATIONS,
		.n_more = 5,
	};
	static const char *const pieces[] = {"a", "%", "\xC3\xBC"};

	for (size_t i = 0; i < N_VIOLATIONS; i++)
		violations[i] = (struct error_violation){
			arena_printf(&memory, "field[%zu]", i), "string.max_len",
			"value length must be at most 20 characters, and is 21"};
	for (size_t piece = 0; piece < sizeof pieces / sizeof *pieces; piece++) {
		char sentence[4001] = "";
		const Google__Rpc__Status *message;
		const Google__Rpc__BadRequest *bad;
		size_t size, left_out;

		for (size_t at = 0; at < 4000; at += strlen(pieces[piece]))
			memcpy(sentence + at, pieces[piece], strlen(pieces[piece]));
		message = encoded(
			status_with(status_make(STATUS_INVALID_ARGUMENT, sentence), &info), &size);
		bad = detail(message, 0, &google__rpc__bad_request__descriptor);
		left_out = N_VIOLATIONS - bad->n_field_violations + 5;

		cr_assert_gt(bad->n_field_violations, 10, "%s: %zu", pieces[piece],
			     bad->n_field_violations);
		cr_assert_eq(strlen(message->message), STATUS_DETAIL_MAX);
		cr_assert_leq(trailer_size(message->message, size), ERROR_TRAILER_MAX);
		cr_assert_str_eq(value_of(detail(message, 1, &google__rpc__error_info__descriptor),
					  "violations_left_out"),
				 arena_printf(&memory, "%zu", left_out));
	}
}

Test(error_details, tells_the_reason_whatever_else_does_not_fit)
{
	char large[20000], sentence[3001];
	struct error_info info = {
		.reason = REASON_DISK_FULL,
		.metadata = {{"small", "1"}, {"large", large}},
		.resource_type = RESOURCE_COLLECTION,
		.resource_name = large,
	};
	const Google__Rpc__Status *message;
	const Google__Rpc__ErrorInfo *told;

	memset(large, 'x', sizeof large);
	large[sizeof large - 1] = 0;
	memset(sentence, '%', sizeof sentence);
	sentence[sizeof sentence - 1] = 0;
	message =
		encoded(status_with(status_make(STATUS_RESOURCE_EXHAUSTED, sentence), &info), NULL);

	cr_assert_eq(message->n_details, 1);
	told = detail(message, 0, &google__rpc__error_info__descriptor);
	cr_assert_str_eq(told->reason, "DISK_FULL");
}
