/* list_cursors - AdminService.ListCursors: the searches that are open, the oldest first. */
#include "google/protobuf/duration.pb-c.h"
#include "service/admin/admin.h"
#include "service/codec/message.h"
#include "service/cursors.h"
#include "service/rpc/protobuf_arena.h"
#include "sluice/v1/admin_service.pb-c.h"

#define FIELD_CURSORS 1
/* What is listed leaves room for one more, whatever its peer is called. */
#define LIST_BYTES_MAX ((size_t)RPC_MESSAGE_OUT_MAX - 4096)

struct list_cursors {
	const char *collection; /* empty: of every one */
};

struct listing {
	struct rpc_call *call;
	const char *collection;
	struct buffer *page;
	int64_t now_ns;
};

static status list_cursors_request(struct rpc_call *call, struct bytes message)
{
	struct list_cursors *list = rpc_state(call);
	ProtobufCMessage *unpacked = NULL;

	TRY(message_unpack(rpc_arena(call), &sluice__v1__list_cursors_request__descriptor, message,
			   &unpacked));
	list->collection = ((const Sluice__V1__ListCursorsRequest *)unpacked)->collection;
	return status_ok();
}

static Google__Protobuf__Duration duration_of(int64_t ns)
{
	Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;

	if (ns < 0)
		ns = 0;
	duration.seconds = ns / 1000000000;
	duration.nanos = (int32_t)(ns % 1000000000);
	return duration;
}

static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text; /* protobuf-c takes no const */
}

static bool append_cursor(void *context, const struct cursor_entry *entry)
{
	const struct listing *listing = context;
	Sluice__V1__CursorInfo info = SLUICE__V1__CURSOR_INFO__INIT;
	Google__Protobuf__Duration age = duration_of(listing->now_ns - entry->opened_ns);
	Google__Protobuf__Duration idle =
		duration_of(listing->now_ns - atomic_load(&entry->active_ns));

	if (listing->collection[0] && strcmp(listing->collection, entry->collection) != 0)
		return true;
	if (!rpc_allows(listing->call, bytes_of_string(entry->collection)))
		return true;
	info.cursor_id = borrow(entry->id);
	info.collection = borrow(entry->collection);
	info.method = borrow(entry->method);
	info.peer = borrow(entry->peer);
	info.generation = atomic_load(&entry->generation);
	info.returned = atomic_load(&entry->returned);
	info.scanned = atomic_load(&entry->scanned);
	info.memory_bytes = atomic_load(&entry->memory_bytes);
	info.age = &age;
	info.idle = &idle;
	buffer_append_message(listing->page, FIELD_CURSORS, &info.base);
	return listing->page->size < LIST_BYTES_MAX;
}

static enum rpc_step list_cursors_next(struct rpc_call *call, struct buffer *ret)
{
	const struct list_cursors *list = rpc_state(call);
	const struct services *services = rpc_context(call);
	struct listing listing = {call, list->collection, ret, clock_ns()};

	cursors_each(services->cursors, append_cursor, &listing);
	return RPC_LAST;
}

const struct rpc_method list_cursors_method = {
	.path = "/sluice.v1.AdminService/ListCursors",
	.state_size = sizeof(struct list_cursors),
	.request = list_cursors_request,
	.next = list_cursors_next,
};
