/* failure - BadRequest and ErrorInfo, read back. The other details say nothing that the sentence
 * does not. */
#include "service/cli/failure.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "service/rpc/protobuf_arena.h"

#include <stdlib.h>

static const void *unpack(struct arena *arena, const ProtobufCMessageDescriptor *descriptor,
			  struct bytes bytes)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(arena);

	return protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);
}

/* NULL where no detail is of that type. */
static const void *find(struct arena *arena, const Google__Rpc__Status *message,
			const ProtobufCMessageDescriptor *descriptor)
{
	for (size_t i = 0; i < message->n_details; i++) {
		const Google__Protobuf__Any *any = message->details[i];
		const char *type = strrchr(any->type_url, '/');

		if (type && strcmp(type + 1, descriptor->name) == 0)
			return unpack(arena, descriptor, bytes_of(any->value.data, any->value.len));
	}
	return NULL;
}

static size_t count_left_out(const Google__Rpc__ErrorInfo *info)
{
	for (size_t i = 0; info && i < info->n_metadata; i++)
		if (strcmp(info->metadata[i]->key, "violations_left_out") == 0)
			return strtoul(info->metadata[i]->value, NULL, 10);
	return 0;
}

const struct error_info *failure_decode(struct arena *arena, struct bytes status_message)
{
	const Google__Rpc__Status *message =
		unpack(arena, &google__rpc__status__descriptor, status_message);
	const Google__Rpc__BadRequest *bad =
		message ? find(arena, message, &google__rpc__bad_request__descriptor) : NULL;
	struct error_info *info = bad ? ARENA_NEW(arena, struct error_info) : NULL;
	struct error_violation *violations;

	if (!info)
		return NULL;
	violations = ARENA_ARRAY(arena, struct error_violation, bad->n_field_violations);
	if (!violations)
		return NULL;
	for (size_t i = 0; i < bad->n_field_violations; i++)
		violations[i] = (struct error_violation){
			.field = bad->field_violations[i]->field,
			.rule_id = bad->field_violations[i]->reason,
			.description = bad->field_violations[i]->description,
		};
	info->violations = violations;
	info->n_violations = bad->n_field_violations;
	info->n_more = count_left_out(find(arena, message, &google__rpc__error_info__descriptor));
	return info;
}

void failure_print_text(FILE *to, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < 0x20 || *text == 0x7f ? ' ' : *text, to);
}

static void print_violation(FILE *to, const struct error_violation *violation)
{
	fputs("  ", to);
	failure_print_text(to, violation->field);
	fputs(violation->field[0] ? ": " : "", to);
	failure_print_text(to, violation->description);
	fputs(" [", to);
	failure_print_text(to, violation->rule_id);
	fputs("]\n", to);
}

void failure_print(FILE *to, const struct error_info *info)
{
	if (!info || info->n_violations + info->n_more < 2)
		return;
	for (size_t i = 0; i < info->n_violations; i++)
		print_violation(to, &info->violations[i]);
	if (info->n_more)
		fprintf(to, "  and %zu more\n", info->n_more);
}
