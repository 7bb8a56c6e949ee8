/* details - a status's Any messages, each by its type. */
#include "tests/e2e/details.h"

#include "service/rpc/protobuf_arena.h"

#include <criterion/criterion.h>

static const void *unpack(struct session *session, const ProtobufCMessageDescriptor *descriptor,
			  struct bytes bytes)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(&session->arena);
	const void *message =
		protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);

	cr_assert_not_null(message, "no %s", descriptor->name);
	return message;
}

static bool take(struct session *session, const Google__Protobuf__Any *any,
		 const ProtobufCMessageDescriptor *descriptor, const void **ret)
{
	char *type = arena_printf(&session->arena, "type.googleapis.com/%s", descriptor->name);

	if (strcmp(any->type_url, type) != 0)
		return false;
	cr_assert_null(*ret, "%s comes twice", type);
	*ret = unpack(session, descriptor, bytes_of(any->value.data, any->value.len));
	return true;
}

struct details details_of(struct session *session, struct answer answer)
{
	struct details details = {0};

	if (!answer.details.size)
		return details;
	details.status = unpack(session, &google__rpc__status__descriptor, answer.details);
	cr_assert_eq(details.status->code, answer.code);
	cr_assert_str_eq(details.status->message, answer.detail);
	for (size_t i = 0; i < details.status->n_details; i++) {
		const Google__Protobuf__Any *any = details.status->details[i];

		cr_assert(take(session, any, &google__rpc__bad_request__descriptor,
			       (const void **)&details.bad_request) ||
				  take(session, any, &google__rpc__error_info__descriptor,
				       (const void **)&details.info) ||
				  take(session, any, &google__rpc__resource_info__descriptor,
				       (const void **)&details.resource) ||
				  take(session, any, &google__rpc__retry_info__descriptor,
				       (const void **)&details.retry),
			  "%s", any->type_url);
	}
	cr_assert(!details.info || strcmp(details.info->domain, "sluice.v1") == 0);
	return details;
}

const char *details_value(const struct details *details, const char *key)
{
	for (size_t i = 0; details->info && i < details->info->n_metadata; i++)
		if (strcmp(details->info->metadata[i]->key, key) == 0)
			return details->info->metadata[i]->value;
	return "";
}

struct details want_reason_at(int line, struct session *session, struct answer answer,
			      const char *reason)
{
	struct details details = details_of(session, answer);

	cr_assert_not_null(details.info, "line %d: no reason: %d %s", line, answer.code,
			   answer.detail);
	cr_assert_str_eq(details.info->reason, reason, "line %d: %s: %s", line,
			 details.info->reason, answer.detail);
	return details;
}
