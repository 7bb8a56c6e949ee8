/* collection_codec - a collection's configuration between the wire and plain data. */
#include "google/protobuf/timestamp.pb-c.h"
#include "service/collections/collections.h"

static const status no_memory = {.code = STATUS_RESOURCE_EXHAUSTED,
				 .detail = "the call's memory is used up"};

static void copy_string(char *to, size_t size, const char *from)
{
	size_t n = strnlen(from, size - 1);

	memcpy(to, from, n);
	to[n] = 0;
}

void collection_decode(const Sluice__V1__Collection *message, struct collection_config *ret)
{
	const Sluice__V1__IndexOptions *index = message->index;

	*ret = (struct collection_config){
		.dim = message->dimension,
		.metric = (enum metric)message->metric,
		.n_fields = message->n_fields,
	};
	copy_string(ret->name, sizeof ret->name, message->name);
	if (index) {
		ret->index_kind = (enum index_kind)index->kind;
		ret->encoding = (enum vector_encoding)index->encoding;
		copy_string(ret->faiss_factory, sizeof ret->faiss_factory, index->faiss_factory);
		ret->lists = index->lists;
		ret->default_recall_target = index->default_recall_target;
	}
	for (size_t i = 0; i < message->n_fields; i++) {
		copy_string(ret->fields[i].name, sizeof ret->fields[i].name,
			    message->fields[i]->name);
		ret->fields[i].type = (enum value_kind)message->fields[i]->type;
		ret->fields[i].required = message->fields[i]->required;
	}
}

static char *borrow(const char *text)
{
	return (char *)text; /* protobuf-c takes no const */
}

static status fields_to_message(struct arena *arena, const struct collection_config *config,
				Sluice__V1__Collection *ret)
{
	Sluice__V1__FieldSchema *fields =
		ARENA_ARRAY(arena, Sluice__V1__FieldSchema, config->n_fields);

	ret->fields = ARENA_ARRAY(arena, Sluice__V1__FieldSchema *, config->n_fields);
	if (!fields || !ret->fields)
		return no_memory;
	ret->n_fields = config->n_fields;
	for (size_t i = 0; i < config->n_fields; i++) {
		sluice__v1__field_schema__init(&fields[i]);
		fields[i].name = borrow(config->fields[i].name);
		fields[i].type = (Sluice__V1__FieldType)config->fields[i].type;
		fields[i].required = config->fields[i].required;
		ret->fields[i] = &fields[i];
	}
	return status_ok();
}

status collection_to_message(struct arena *arena, const struct collection_config *config,
			     Sluice__V1__Collection **ret)
{
	Sluice__V1__Collection *message = ARENA_NEW(arena, Sluice__V1__Collection);
	Sluice__V1__IndexOptions *index = ARENA_NEW(arena, Sluice__V1__IndexOptions);

	if (!message || !index)
		return no_memory;
	sluice__v1__collection__init(message);
	sluice__v1__index_options__init(index);
	message->name = borrow(config->name);
	message->dimension = config->dim;
	message->metric = (Sluice__V1__Metric)config->metric;
	message->index = index;
	index->kind = (Sluice__V1__IndexKind)config->index_kind;
	index->encoding = (Sluice__V1__VectorEncoding)config->encoding;
	index->faiss_factory = borrow(config->faiss_factory);
	index->lists = config->lists;
	index->default_recall_target = config->default_recall_target;
	TRY(fields_to_message(arena, config, message));
	*ret = message;
	return status_ok();
}

status collection_status_to_message(struct arena *arena, struct collection *collection,
				    Sluice__V1__CollectionStatus **ret)
{
	Sluice__V1__CollectionStatus *message = ARENA_NEW(arena, Sluice__V1__CollectionStatus);
	Google__Protobuf__Timestamp *create_time = ARENA_NEW(arena, Google__Protobuf__Timestamp);
	struct collection_status now = {0};

	if (!message || !create_time)
		return no_memory;
	sluice__v1__collection_status__init(message);
	google__protobuf__timestamp__init(create_time);
	collection_status(collection, &now);
	create_time->seconds = now.create_time_ns / 1000000000;
	create_time->nanos = (int32_t)(now.create_time_ns % 1000000000);
	message->chunk_count = now.chunk_count;
	message->generation = now.generation;
	message->indexed_rows = now.indexed_rows;
	message->segment_count = now.segment_count;
	message->disk_bytes = now.disk_bytes;
	message->memory_bytes = now.memory_bytes;
	message->open_cursors = now.open_cursors;
	message->create_time = create_time;
	*ret = message;
	return status_ok();
}
