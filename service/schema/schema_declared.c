/* schema_declared - the enums and services of a FileDescriptorSet. */
#include "service/schema/schema_private.h"

#include <stdlib.h>

static int numbers_compare(const void *a, const void *b)
{
	int32_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

static status enum_value_read(struct schema_reader *reader, struct bytes bytes, const char *scope,
			      struct schema_enum_value *ret)
{
	TRY(reader_check(reader, bytes, "an enum's value"));
	TRY(reader_name(reader, item_bytes(bytes, ENUM_VALUE_NAME), scope, &ret->name));
	ret->number = (int32_t)item_varint(bytes, ENUM_VALUE_NUMBER, 0);
	return reader_comment(reader, &ret->comment);
}

static status enum_read(struct schema_reader *reader, struct bytes bytes, const char *scope)
{
	struct schema *schema = reader->schema;
	struct schema_enum *self = ARENA_NEW(&schema->arena, struct schema_enum);
	struct wire wire = wire_of(bytes);
	size_t n = item_count(bytes, ENUM_VALUE, WIRE_LENGTH);
	struct item item;

	if (!self)
		return schema_no_memory;
	TRY(reader_check(reader, bytes, "an enum"));
	TRY(reader_full_name(reader, item_bytes(bytes, ENUM_NAME), scope, &self->full_name));
	TRY(reader_comment(reader, &self->comment));
	self->values = ARENA_ARRAY(&schema->arena, struct schema_enum_value, n);
	self->numbers = ARENA_ARRAY(&schema->arena, int32_t, n);
	if (!self->values || !self->numbers)
		return schema_no_memory;
	while (item_next(&wire, &item)) {
		size_t i = self->n_values;

		if (!item_is(&item, ENUM_VALUE, WIRE_LENGTH))
			continue;
		reader_path_push(reader, ENUM_VALUE, i);
		TRY(enum_value_read(reader, item.bytes, self->full_name, &self->values[i]));
		reader_path_pop(reader);
		self->numbers[i] = self->values[i].number;
		self->n_values++;
	}
	if (self->n_values > 1)
		qsort(self->numbers, self->n_values, sizeof *self->numbers, numbers_compare);
	schema->enums[schema->n_enums++] = self;
	return status_ok();
}

status enums_read(struct schema_reader *reader, struct bytes bytes, uint32_t number,
		  const char *scope)
{
	struct wire wire = wire_of(bytes);
	struct item item;
	size_t i = 0;

	while (item_next(&wire, &item)) {
		if (!item_is(&item, number, WIRE_LENGTH))
			continue;
		reader_path_push(reader, number, i++);
		TRY(enum_read(reader, item.bytes, scope));
		reader_path_pop(reader);
	}
	return status_ok();
}

static status method_read(struct schema_reader *reader, struct bytes bytes, const char *scope,
			  struct schema_method *ret)
{
	struct method_link *link = &reader->methods[reader->n_methods++];

	TRY(reader_check(reader, bytes, "a method"));
	TRY(reader_name(reader, item_bytes(bytes, METHOD_NAME), scope, &ret->name));
	ret->client_streams = item_varint(bytes, METHOD_CLIENT_STREAMS, 0) != 0;
	ret->server_streams = item_varint(bytes, METHOD_SERVER_STREAMS, 0) != 0;
	*link = (struct method_link){
		.method = ret,
		.input = item_bytes(bytes, METHOD_INPUT),
		.output = item_bytes(bytes, METHOD_OUTPUT),
		.file = reader->file,
	};
	return reader_comment(reader, &ret->comment);
}

static status service_read(struct schema_reader *reader, struct bytes bytes, const char *scope)
{
	struct schema *schema = reader->schema;
	struct schema_service *self = ARENA_NEW(&schema->arena, struct schema_service);
	struct wire wire = wire_of(bytes);
	struct item item;

	if (!self)
		return schema_no_memory;
	TRY(reader_check(reader, bytes, "a service"));
	TRY(reader_full_name(reader, item_bytes(bytes, SERVICE_NAME), scope, &self->full_name));
	TRY(reader_comment(reader, &self->comment));
	self->methods = ARENA_ARRAY(&schema->arena, struct schema_method,
				    item_count(bytes, SERVICE_METHOD, WIRE_LENGTH));
	if (!self->methods)
		return schema_no_memory;
	while (item_next(&wire, &item)) {
		size_t i = self->n_methods;

		if (!item_is(&item, SERVICE_METHOD, WIRE_LENGTH))
			continue;
		reader_path_push(reader, SERVICE_METHOD, i);
		TRY(method_read(reader, item.bytes, self->full_name, &self->methods[i]));
		reader_path_pop(reader);
		self->n_methods++;
	}
	schema->services[schema->n_services++] = self;
	return status_ok();
}

status services_read(struct schema_reader *reader, struct bytes bytes, const char *scope)
{
	struct wire wire = wire_of(bytes);
	struct item item;
	size_t i = 0;

	while (item_next(&wire, &item)) {
		if (!item_is(&item, FILE_SERVICE, WIRE_LENGTH))
			continue;
		reader_path_push(reader, FILE_SERVICE, i++);
		TRY(service_read(reader, item.bytes, scope));
		reader_path_pop(reader);
	}
	return status_ok();
}
