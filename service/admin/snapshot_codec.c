/* snapshot_codec - field by field. */
#include "service/admin/snapshot_codec.h"

static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text; /* protobuf-c takes no const */
}

void snapshot_to_message(const struct backup *backup, struct snapshot_message *ret)
{
	sluice__v1__snapshot__init(&ret->message);
	ret->message.collection = borrow(backup->collection);
	ret->message.snapshot_id = borrow(backup->id);
	if (backup->damage) {
		ret->message.damage = borrow(backup->damage);
		return;
	}
	google__protobuf__timestamp__init(&ret->create_time);
	ret->create_time.seconds = backup->create_time_ns / 1000000000;
	ret->create_time.nanos = (int32_t)(backup->create_time_ns % 1000000000);
	ret->message.create_time = &ret->create_time;
	ret->message.size_bytes = backup->bytes;
	ret->message.generation = backup->generation;
	ret->message.chunk_count = backup->chunks;
	ret->message.server_version = borrow(backup->version);
	ret->message.format_version = backup->format;
}
