/* document_keys - which field, or which entry of a map, the next value is of. */
#include "service/config/document_build.h"
#include "service/nearest.h"

#include <string.h>

static void ignore_value(struct frame *frame)
{
	frame->awaits = AWAITS_IGNORED;
}

static const char *path_within(struct builder *builder, const char *path, const char *name)
{
	return *path ? arena_printf(builder->arena, "%s.%s", path, name) : name;
}

static void refuse_unknown(struct builder *builder, struct bytes text, struct place place)
{
	const struct frame *frame = builder_top(builder);
	struct nearest nearest = nearest_to(text);
	const char *quoted = problem_quote(builder->arena, text);

	for (size_t i = 0; i < frame->message->n_fields; i++)
		nearest_offer(&nearest, frame->message->fields[i].name);
	if (nearest.name)
		problems_note(builder->problems, place, frame->path, "yaml.unknown_key",
			      "%s is no key here; did you mean \"%s\"?", quoted, nearest.name);
	else
		problems_note(builder->problems, place, frame->path, "yaml.unknown_key",
			      "%s is no key here", quoted);
}

/* Whether the key may have a value, for all that was seen before it. */
static bool key_is_free(struct builder *builder, const struct schema_field *field, const char *path,
			struct place place)
{
	struct frame *frame = builder_top(builder);
	struct place first = frame->seen[field->index];

	if (first.line) {
		problems_note(builder->problems, place, path, "yaml.doubled_key",
			      "comes twice, first in line %u", first.line);
		return false;
	}
	frame->seen[field->index] = place;
	for (size_t i = 0; field->oneof && i < field->oneof->n_fields; i++) {
		const struct schema_field *other = field->oneof->fields[i];

		if (other == field || !frame->seen[other->index].line)
			continue;
		problems_note(builder->problems, place, path, "yaml.oneof",
			      "excludes \"%s\", which is in line %u", other->name,
			      frame->seen[other->index].line);
		return false;
	}
	return true;
}

bool builder_field_key(struct builder *builder, struct scalar key, struct place place)
{
	struct frame *frame = builder_top(builder);
	const char *name = arena_copy(builder->arena, key.text.data, key.text.size);
	const struct schema_field *field = NULL;

	if (!name)
		return builder_out_of_memory(builder, place);
	if (strlen(name) == key.text.size)
		field = schema_field_by_name(frame->message, name);
	if (!field) {
		refuse_unknown(builder, key.text, place);
		ignore_value(frame);
		return true;
	}
	frame->awaited = field;
	frame->awaited_path = path_within(builder, frame->path, name);
	if (!frame->awaited_path)
		return builder_out_of_memory(builder, place);
	frame->awaits = AWAITS_VALUE;
	if (!key_is_free(builder, field, frame->awaited_path, place))
		ignore_value(frame);
	return true;
}

static bool map_has(const struct frame *frame, struct bytes encoded)
{
	for (const struct map_key *key = frame->keys; key; key = key->next)
		if (bytes_equal(key->encoded, encoded))
			return true;
	return false;
}

bool builder_map_key(struct builder *builder, struct scalar key, struct place place)
{
	struct frame *frame = builder_top(builder);
	struct map_key *noted = ARENA_NEW(builder->arena, struct map_key);
	const char *sentence, *rule;

	frame->awaited = &frame->message->fields[1];
	frame->awaited_path = arena_printf(builder->arena, "%s[%s]", frame->path,
					   problem_quote(builder->arena, key.text));
	frame->bytes.size = 0;
	if (!noted || !frame->awaited_path)
		return builder_out_of_memory(builder, place);
	frame->awaits = AWAITS_VALUE;
	rule = scalar_encode(&frame->message->fields[0], key, builder->arena, &frame->bytes,
			     &sentence);
	noted->encoded = bytes_of(frame->bytes.data, frame->bytes.size);
	if (rule) {
		problems_note(builder->problems, place, frame->awaited_path, rule, "the key %s",
			      sentence);
		ignore_value(frame);
		return true;
	}
	if (map_has(frame, noted->encoded)) {
		problems_note(builder->problems, place, frame->awaited_path, "yaml.doubled_key",
			      "comes twice");
		ignore_value(frame);
		return true;
	}
	noted->encoded.data = arena_copy(builder->arena, frame->bytes.data, frame->bytes.size);
	noted->next = frame->keys;
	frame->keys = noted;
	return noted->encoded.data || builder_out_of_memory(builder, place);
}
