/* error_details - the info of a status, message by message, and what of it fits into a trailer.
 *
 * Each detail is packed into the Status as it is made, without a tree of messages: a field here is
 * its tag, its length and its bytes.
 */
#include "service/rpc/error_details.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "service/rpc/protobuf_arena.h"
#include "service/rpc/status.h"

#define TYPE_PREFIX "type.googleapis.com/"
/* Of google.rpc.Status, and of BadRequest. */
#define FIELD_DETAILS 3
#define FIELD_VIOLATIONS 1

#define LEFT_OUT "violations_left_out"

/* How much of the info is told. */
struct told {
	const struct error_info *info;
	size_t n_violations, n_pairs;
	bool resource;
};

static char *borrow(const char *text)
{
	return (char *)(text ? text : ""); /* protobuf-c takes no const */
}

static void append_any(struct buffer *ret, const char *type, const struct buffer *value)
{
	Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

	any.type_url = borrow(type);
	any.value.data = value->data;
	any.value.len = value->size;
	buffer_append_message(ret, FIELD_DETAILS, &any.base);
	ret->failed |= value->failed;
}

static void append_bad_request(struct buffer *ret, const struct told *told)
{
	SCOPED(buffer) value = &(struct buffer){0};

	for (size_t i = 0; i < told->n_violations; i++) {
		const struct error_violation *violation = &told->info->violations[i];
		Google__Rpc__BadRequest__FieldViolation message =
			GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;

		message.field = borrow(violation->field);
		message.reason = borrow(violation->rule_id);
		message.description = borrow(violation->description);
		buffer_append_message(value, FIELD_VIOLATIONS, &message.base);
	}
	append_any(ret, TYPE_PREFIX "google.rpc.BadRequest", value);
}

static void append_error_info(struct buffer *ret, const struct told *told)
{
	SCOPED(buffer) value = &(struct buffer){0};
	Google__Rpc__ErrorInfo message = GOOGLE__RPC__ERROR_INFO__INIT;
	Google__Rpc__ErrorInfo__MetadataEntry entries[ERROR_PAIRS_MAX + 1];
	Google__Rpc__ErrorInfo__MetadataEntry *pointers[ERROR_PAIRS_MAX + 1];
	size_t left_out = told->info->n_more + told->info->n_violations - told->n_violations;
	char number[ERROR_TEXT_BYTES];

	message.reason = borrow(error_reason_name(told->info->reason));
	message.domain = borrow(ERROR_DOMAIN);
	message.metadata = pointers;
	for (size_t i = 0; i < told->n_pairs + (left_out > 0); i++) {
		google__rpc__error_info__metadata_entry__init(&entries[i]);
		pointers[message.n_metadata++] = &entries[i];
	}
	for (size_t i = 0; i < told->n_pairs; i++) {
		entries[i].key = borrow(told->info->metadata[i].key);
		entries[i].value = borrow(told->info->metadata[i].value);
	}
	if (left_out) {
		entries[told->n_pairs].key = borrow(LEFT_OUT);
		entries[told->n_pairs].value = borrow(error_number_text(number, left_out));
	}
	buffer_pack(value, &message.base);
	append_any(ret, TYPE_PREFIX "google.rpc.ErrorInfo", value);
}

static void append_resource(struct buffer *ret, const struct error_info *info)
{
	SCOPED(buffer) value = &(struct buffer){0};
	Google__Rpc__ResourceInfo message = GOOGLE__RPC__RESOURCE_INFO__INIT;

	message.resource_type = borrow(info->resource_type);
	message.resource_name = borrow(info->resource_name);
	buffer_pack(value, &message.base);
	append_any(ret, TYPE_PREFIX "google.rpc.ResourceInfo", value);
}

static void append_retry(struct buffer *ret, const struct error_info *info)
{
	SCOPED(buffer) value = &(struct buffer){0};
	Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
	Google__Rpc__RetryInfo message = GOOGLE__RPC__RETRY_INFO__INIT;

	delay.seconds = info->retry_ms / 1000;
	delay.nanos = (int32_t)(info->retry_ms % 1000) * 1000000;
	message.retry_delay = &delay;
	buffer_pack(value, &message.base);
	append_any(ret, TYPE_PREFIX "google.rpc.RetryInfo", value);
}

static void append_status(struct buffer *ret, enum status_code code, const char *sentence,
			  const struct told *told)
{
	Google__Rpc__Status message = GOOGLE__RPC__STATUS__INIT;

	message.code = (int32_t)status_to_grpc(code);
	message.message = borrow(sentence);
	buffer_pack(ret, &message.base);
	if (told->n_violations)
		append_bad_request(ret, told);
	append_error_info(ret, told);
	if (told->resource)
		append_resource(ret, told->info);
	if (told->info->retry_ms)
		append_retry(ret, told->info);
}

/* As gRPC writes it into a header: what is not printable ASCII, and %, takes three bytes. */
static size_t percent_encoded_size(struct bytes text)
{
	size_t size = text.size;

	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < 0x20 || text.data[i] > 0x7E || text.data[i] == '%')
			size += 2;
	return size;
}

/* Tells a little less; false where only the reason is left. */
static bool tell_less(struct told *told)
{
	if (told->n_violations)
		told->n_violations--;
	else if (told->n_pairs)
		told->n_pairs--;
	else if (told->resource)
		told->resource = false;
	else
		return false;
	return true;
}

static struct told tell_all(const struct error_info *info)
{
	struct told told = {
		.info = info,
		.n_violations = info->n_violations,
		.resource = info->resource_type,
	};

	while (told.n_pairs < ERROR_PAIRS_MAX && info->metadata[told.n_pairs].key)
		told.n_pairs++;
	return told;
}

void error_details_encode(status failure, struct buffer *ret)
{
	const struct error_info *info =
		failure.info ? failure.info : error_info_of(error_reason_of_code(failure.code));
	struct told told = tell_all(info);
	struct bytes detail = status_detail(failure);
	size_t size_max = (ERROR_TRAILER_MAX - percent_encoded_size(detail)) / 4 * 3;
	char sentence[STATUS_DETAIL_MAX + 1];
	size_t start = ret->size;

	if (info->reason == REASON_UNSPECIFIED)
		return;
	memcpy(sentence, detail.data, detail.size);
	sentence[detail.size] = 0;
	append_status(ret, failure.code, sentence, &told);
	while (ret->size - start > size_max && tell_less(&told)) {
		ret->size = start;
		append_status(ret, failure.code, sentence, &told);
	}
	if (ret->failed)
		ret->size = start;
}
