/* executor - answers one TestConformanceRequest: messages of a FileDescriptorSet, each with what
 * protovalidate's rules have to say of it.
 *
 * The request comes on standard input, the response goes to standard output, both as plain bytes of the
 * message. The rules are read from the descriptors of the request, by the tables and the checker that
 * the server uses; only what is stricter in Sluice is off (check_limits_lenient). Rules in CEL are a
 * compilation error, except for the calls of CEL's string formats that library.c knows.
 */
#include "service/schema/check.h"
#include "service/schema/wire.h"
#include "tests/conformance/library.h"
#include "tests/conformance/results.h"

#include <stdio.h>
#include <stdlib.h>

#define DETAIL_BYTES ((size_t)1 << 20)

static bool stdin_read(struct buffer *to)
{
	for (;;) {
		void *room = buffer_reserve(to, 1 << 16);
		size_t n;

		if (!room)
			return false;
		n = fread(room, 1, 1 << 16, stdin);
		if (n == 0)
			return !ferror(stdin);
		to->size += n;
	}
}

/* The value of a length-delimited field; the last one of that number. */
static struct bytes field_of(struct bytes message, uint32_t number)
{
	struct wire wire = wire_of(message);
	struct bytes found = {NULL, 0};

	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);
		struct bytes value;

		if (tag.type != WIRE_LENGTH)
			break;
		value = wire_length_delimited(&wire);
		if (tag.number == number)
			found = value;
	}
	return found;
}

static bool note_violation(void *context, const struct violation *violation)
{
	violation_encode((struct buffer *)context, violation);
	return true;
}

static void case_check(struct schema_message *message, struct bytes value, struct arena *arena,
		       struct buffer *ret)
{
	SCOPED(buffer) violations = &(struct buffer){0};
	const struct check_options options = {
		.limits = &check_limits_lenient,
		.report = note_violation,
		.context = violations,
	};
	struct library_call call;
	status checked;

	if (library_find(message, &call)) {
		if (!library_holds(&call, value))
			library_encode(violations, &call);
	} else {
		checked = schema_compile(message->schema, message, arena);
		if (status_failed(checked)) {
			result_encode_text(ret, RESULT_COMPILATION_ERROR, checked.detail);
			return;
		}
		checked = check_message(message, value, &options, arena);
		if (status_failed(checked)) {
			result_encode_text(ret, RESULT_RUNTIME_ERROR, checked.detail);
			return;
		}
	}
	if (violations->size > 0)
		result_encode(ret, RESULT_VALIDATION_ERROR,
			      bytes_of(violations->data, violations->size));
	else
		result_encode_success(ret);
}

/* One of the request's cases: a name, and an Any. */
static void case_run(struct schema *schema, struct bytes entry, struct buffer *response)
{
	SCOPED(arena) arena = &(struct arena){0};
	SCOPED(buffer) result = &(struct buffer){0};
	struct bytes name = field_of(entry, 1), any = field_of(entry, 2);
	struct bytes url = field_of(any, 1);
	struct schema_message *message;
	const char *full_name;

	arena_init(arena, DETAIL_BYTES);
	while (url.size > 0 && memchr(url.data, '/', url.size)) {
		url.data++;
		url.size--;
	}
	full_name = arena_copy(arena, url.data, url.size);
	message = full_name ? schema_message(schema, full_name) : NULL;
	if (message)
		case_check(message, field_of(any, 2), arena, result);
	else
		result_encode_text(result, RESULT_UNEXPECTED_ERROR, "no such message in the set");
	response_append(response, name, bytes_of(result->data, result->size));
}

static status run(struct bytes request, struct arena *arena, struct buffer *response)
{
	SCOPED(schema) schema = NULL;
	struct wire wire = wire_of(request);

	TRY(schema_open(field_of(request, 2), arena, &schema));
	while (wire_more(&wire)) {
		struct wire_tag tag = wire_tag(&wire);

		if (tag.type != WIRE_LENGTH)
			return status_make(STATUS_INVALID_ARGUMENT, "not a TestConformanceRequest");
		if (tag.number == 3)
			case_run(schema, wire_length_delimited(&wire), response);
		else
			wire_length_delimited(&wire);
	}
	return wire.failed ? status_make(STATUS_INVALID_ARGUMENT, wire.failed) : status_ok();
}

int main(void)
{
	SCOPED(buffer) request = &(struct buffer){0};
	SCOPED(buffer) response = &(struct buffer){0};
	SCOPED(arena) arena = &(struct arena){0};
	status ran;

	arena_init(arena, DETAIL_BYTES);
	if (!stdin_read(request)) {
		fputs("executor: cannot read the request\n", stderr);
		return 1;
	}
	ran = run(bytes_of(request->data, request->size), arena, response);
	if (status_failed(ran) || response->failed) {
		fprintf(stderr, "executor: %s\n", response->failed ? "no memory" : ran.detail);
		return 1;
	}
	return fwrite(response->data, 1, response->size, stdout) == response->size ? 0 : 1;
}
