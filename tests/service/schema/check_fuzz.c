/* Any bytes as any request. What the check accepts under the server's limits has to unpack, or to be
 * too much for its arena; and what was unpacked, packed again, has to be accepted again.
 *
 * The first byte chooses the request's type.
 */
#include "google/protobuf/field_mask.pb-c.h"
#include "service/rpc/protobuf_arena.h"
#include "service/schema/check.h"
#include "service/schema/contract.h"
#include "sluice/v1/admin_service.pb-c.h"
#include "sluice/v1/collection_service.pb-c.h"
#include "sluice/v1/ingest_service.pb-c.h"
#include "sluice/v1/retrieval_service.pb-c.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const ProtobufCServiceDescriptor *const services[] = {
	&sluice__v1__admin_service__descriptor,
	&sluice__v1__collection_service__descriptor,
	&sluice__v1__ingest_service__descriptor,
	&sluice__v1__retrieval_service__descriptor,
};

/* The request's type by a number. */
static const ProtobufCMessageDescriptor *request_of(unsigned chosen)
{
	unsigned n = 0;

	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		n += services[i]->n_methods;
	chosen %= n;
	for (size_t i = 0;; i++) {
		if (chosen < services[i]->n_methods)
			return services[i]->methods[chosen].input;
		chosen -= services[i]->n_methods;
	}
}

struct found {
	size_t n;
};

static bool note(void *context, const struct violation *violation)
{
	struct found *found = (struct found *)context;
	char path[64];

	/* Cut as it may be, it is a string. */
	if (check_path_print(violation->path, path, sizeof path) >= sizeof path &&
	    strlen(path) != sizeof path - 1)
		abort();
	found->n += strlen(violation->message) > 0 && strlen(violation->rule_id) > 0;
	return found->n < 1000;
}

/* Whether a message breaks nothing. */
static bool accepted_so(const char *name, struct bytes bytes, const struct check_limits *limits,
			struct arena *arena, bool without_quick_look)
{
	struct found found = {0};
	const struct check_options options = {
		.limits = limits,
		.report = note,
		.context = &found,
		.now_ns = 1,
		.without_quick_look = without_quick_look,
	};
	status checked = check_message(contract_message(name), bytes, &options, arena);

	return !status_failed(checked) && found.n == 0;
}

/* The same, asked twice: the quick look changes no answer. */
static bool accepted(const char *name, struct bytes bytes, const struct check_limits *limits,
		     struct arena *arena)
{
	bool accepts = accepted_so(name, bytes, limits, arena, false);

	if (accepts != accepted_so(name, bytes, limits, arena, true))
		abort();
	return accepts;
}

static void unpack_and_pack(const ProtobufCMessageDescriptor *request, struct bytes bytes,
			    struct arena *arena)
{
	ProtobufCAllocator allocator = protobuf_arena_allocator(arena);
	ProtobufCMessage *message =
		protobuf_c_message_unpack(request, &allocator, bytes.size, bytes.data);
	SCOPED(buffer) packed = &(struct buffer){0};

	if (!message) {
		if (!arena->exhausted)
			abort();
		return;
	}
	buffer_pack(packed, message);
	if (!accepted(request->name, bytes_of(packed->data, packed->size), &check_limits_strict,
		      arena))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	const ProtobufCMessageDescriptor *request;
	struct bytes bytes;
	bool strictly;

	arena_init(arena, (size_t)16 << 20);
	if (size == 0)
		return 0;
	if (status_failed(contract_init(arena)))
		abort();
	request = request_of(data[0]);
	bytes = bytes_of(data + 1, size - 1);
	strictly = accepted(request->name, bytes, &check_limits_strict, arena);
	/* The server takes nothing that the rules alone would refuse. */
	if (!accepted(request->name, bytes, &check_limits_lenient, arena) && strictly)
		abort();
	if (strictly)
		unpack_and_pack(request, bytes, arena);
	return 0;
}
