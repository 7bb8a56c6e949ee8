/* document_build - frames. */
#include "service/config/document_build.h"

#include "service/schema/wire.h"

#include <string.h>

void builder_init(struct builder *builder, const struct schema_message *message,
		  struct problems *problems, struct document *document)
{
	builder->arena = problems->arena;
	builder->problems = problems;
	builder->document = document;
	builder->message = message;
	builder->n_frames = builder->skipped = builder->n_values = 0;
}

void builder_finish(struct builder *builder)
{
	while (builder->n_frames > 0)
		buffer_finish(&builder->frames[--builder->n_frames].bytes);
}

bool builder_stop(struct builder *builder, struct place place, const char *rule, const char *why)
{
	problems_note(builder->problems, place, "", rule, "%s", why);
	return false;
}

bool builder_out_of_memory(struct builder *builder, struct place place)
{
	return builder_stop(builder, place, "yaml.size", "the document takes too much memory");
}

struct frame *builder_top(struct builder *builder)
{
	return builder->n_frames ? &builder->frames[builder->n_frames - 1] : NULL;
}

/* Where the encoding of a value of the top frame goes: a list has none of its own. */
static struct buffer *top_bytes(struct builder *builder)
{
	struct frame *frame = builder_top(builder);

	return frame->kind == FRAME_LIST ? &frame[-1].bytes : &frame->bytes;
}

static void append_message(struct buffer *to, uint32_t number, const struct buffer *message)
{
	buffer_append_varint(to, (uint64_t)number << 3 | WIRE_LENGTH);
	buffer_append_varint(to, message->size);
	buffer_append(to, message->data, message->size);
	to->failed |= message->failed;
}

/* What the value that comes is of, its path noted with its place. */
struct target {
	const struct schema_field *field;
	const char *path;
	bool is_item; /* of a list */
};

static bool target_take(struct builder *builder, struct place place, struct target *ret)
{
	struct frame *frame = builder_top(builder);
	struct spot *spot = ARENA_NEW(builder->arena, struct spot);

	*ret = (struct target){frame->awaited, frame->awaited_path, false};
	if (frame->kind == FRAME_LIST)
		*ret = (struct target){frame->field,
				       arena_printf(builder->arena, "%s[%llu]", frame->path,
						    (unsigned long long)frame->n),
				       true};
	if (!spot || !ret->path)
		return builder_out_of_memory(builder, place);
	*spot = (struct spot){builder->document->spots, ret->path, place};
	builder->document->spots = spot;
	return true;
}

static const char *wanted(const struct target *target)
{
	const struct schema_field *field = target->field;

	if (field->repeated && !field->map && !target->is_item)
		return "a list, such as [a, b]";
	if (field->map || (field->type == SCHEMA_MESSAGE && !scalar_fits(field) &&
			   field->message->well_known == WELL_KNOWN_NONE))
		return "keys with values";
	return scalar_fits(field) ? "a single value" : "left out: it cannot be written in YAML";
}

/* The value of the top frame is over. kept: it was written; else nothing of it was. */
static void value_over(struct builder *builder, bool kept)
{
	struct frame *frame = builder_top(builder);

	if (!frame)
		return;
	frame->awaits = AWAITS_KEY;
	frame->n++;
	if (frame->kind == FRAME_MAP && kept)
		append_message(&frame[-1].bytes, frame->field->number, &frame->bytes);
}

static bool is_null(struct scalar scalar)
{
	return !scalar.quoted &&
	       (scalar.text.size == 0 || bytes_equal(scalar.text, bytes_of_string("~")) ||
		bytes_equal(scalar.text, bytes_of_string("null")));
}

static bool take_value(struct builder *builder, struct scalar scalar, struct place place)
{
	struct target target;
	const char *sentence, *rule;

	if (!target_take(builder, place, &target))
		return false;
	if (!scalar_fits(target.field) || (target.field->repeated && !target.is_item)) {
		if (!is_null(scalar))
			problems_note(builder->problems, place, target.path, "yaml.type",
				      "must be %s, found %s", wanted(&target),
				      problem_quote(builder->arena, scalar.text));
		value_over(builder, false);
		return true;
	}
	rule = scalar_encode(target.field, scalar, builder->arena, top_bytes(builder), &sentence);
	if (rule)
		problems_note(builder->problems, place, target.path, rule, "%s", sentence);
	value_over(builder, !rule);
	return true;
}

static bool value_counts(struct builder *builder, struct place place)
{
	if (builder->n_values++ < DOCUMENT_VALUES_MAX)
		return true;
	return builder_stop(builder, place, "yaml.size",
			    "the document has more than 10,000 values");
}

bool builder_scalar(struct builder *builder, struct scalar scalar, struct place place)
{
	struct frame *frame = builder_top(builder);

	if (!value_counts(builder, place))
		return false;
	if (builder->skipped)
		return true;
	if (!frame) {
		if (!is_null(scalar))
			problems_note(builder->problems, place, "", "yaml.type",
				      "must be keys with values, found %s",
				      problem_quote(builder->arena, scalar.text));
		return true;
	}
	if (frame->kind != FRAME_LIST && frame->awaits == AWAITS_KEY)
		return frame->kind == FRAME_MAP ? builder_map_key(builder, scalar, place)
						: builder_field_key(builder, scalar, place);
	if (frame->kind != FRAME_LIST && frame->awaits == AWAITS_IGNORED) {
		frame->awaits = AWAITS_KEY;
		return true;
	}
	return take_value(builder, scalar, place);
}

/* --- mappings and sequences --- */

static bool frame_push(struct builder *builder, struct frame frame, struct place place)
{
	if (builder->n_frames == DOCUMENT_DEPTH_MAX)
		return builder_stop(builder, place, "yaml.size",
				    "the document is deeper than 32 levels");
	if (frame.kind == FRAME_MESSAGE) {
		frame.seen = ARENA_ARRAY(builder->arena, struct place, frame.message->n_fields);
		if (!frame.seen)
			return builder_out_of_memory(builder, place);
	}
	builder->frames[builder->n_frames++] = frame;
	return true;
}

static bool refuse_node(struct builder *builder, const struct target *target, enum node node,
			struct place place)
{
	problems_note(builder->problems, place, target->path, "yaml.type", "must be %s, found %s",
		      wanted(target), node == NODE_MAPPING ? "keys with values" : "a list");
	builder->skipped = 1;
	return true;
}

static bool begin_value(struct builder *builder, enum node node, struct place place)
{
	const struct schema_field *field;
	struct target target;
	bool is_list, is_map, is_message;

	if (!target_take(builder, place, &target))
		return false;
	field = target.field;
	is_list = field->repeated && !field->map && !target.is_item;
	is_map = field->map && !target.is_item;
	is_message = !is_list && !is_map && field->type == SCHEMA_MESSAGE &&
		     field->message->well_known == WELL_KNOWN_NONE;
	if (node == NODE_SEQUENCE ? !is_list : !is_map && !is_message)
		return refuse_node(builder, &target, node, place);
	return frame_push(builder,
			  (struct frame){
				  .kind = is_list  ? FRAME_LIST
					  : is_map ? FRAME_MAP
						   : FRAME_MESSAGE,
				  .message = is_list ? NULL : field->message,
				  .field = field,
				  .path = target.path,
			  },
			  place);
}

bool builder_begin(struct builder *builder, enum node node, struct place place)
{
	struct frame *frame = builder_top(builder);

	if (!value_counts(builder, place))
		return false;
	if (builder->skipped ||
	    (frame && frame->kind != FRAME_LIST && frame->awaits == AWAITS_IGNORED)) {
		builder->skipped++;
		return true;
	}
	if (frame && frame->kind != FRAME_LIST && frame->awaits == AWAITS_KEY)
		return builder_stop(builder, place, "yaml.type", "a key must be a name");
	if (frame)
		return begin_value(builder, node, place);
	if (node == NODE_MAPPING)
		return frame_push(builder, (struct frame){.message = builder->message, .path = ""},
				  place);
	problems_note(builder->problems, place, "", "yaml.type",
		      "must be keys with values, found a list");
	builder->skipped = 1;
	return true;
}

bool builder_end(struct builder *builder)
{
	struct frame *frame = builder_top(builder);
	struct buffer bytes;

	if (builder->skipped) {
		if (--builder->skipped == 0)
			value_over(builder, false);
		return true;
	}
	bytes = frame->bytes;
	builder->n_frames--;
	if (!builder_top(builder)) {
		builder->document->message = bytes;
		return true;
	}
	if (frame->kind == FRAME_MESSAGE)
		append_message(top_bytes(builder), frame->field->number, &bytes);
	buffer_finish(&bytes);
	value_over(builder, true);
	return true;
}
