/* document - libyaml's events to the builder, then the check. */
#include "service/config/document.h"

#include "service/config/document_build.h"
#include "service/schema/check.h"

#include <string.h>
#include <yaml.h>

#define PATH_MAX_BYTES 1024
#define DETAIL_ARENA_BYTES ((size_t)64 << 10)

static struct place place_of(yaml_mark_t mark)
{
	return (struct place){(uint32_t)mark.line + 1, (uint32_t)mark.column + 1};
}

/* A byte's place: the reader of libyaml knows no lines. */
static struct place place_at(struct bytes text, size_t offset)
{
	struct place place = {1, 1};

	for (size_t i = 0; i < offset && i < text.size; i++) {
		if (text.data[i] == '\n')
			place = (struct place){place.line + 1, 1};
		else if ((text.data[i] & 0xC0) != 0x80)
			place.column++;
	}
	return place;
}

/* --- events --- */

static bool refuse_machinery(struct builder *builder, const yaml_event_t *event,
			     const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		return builder_stop(builder, place_of(event->start_mark), "yaml.anchor",
				    "anchors (&name) are not taken: write the value where it is "
				    "meant");
	return !tag || builder_stop(builder, place_of(event->start_mark), "yaml.tag",
				    "tags (!name) are not taken: a key's type is known");
}

static bool take_scalar(struct builder *builder, const yaml_event_t *event)
{
	const struct scalar scalar = {
		.text = bytes_of(event->data.scalar.value, event->data.scalar.length),
		.quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE,
	};

	return refuse_machinery(builder, event, event->data.scalar.anchor,
				event->data.scalar.tag) &&
	       builder_scalar(builder, scalar, place_of(event->start_mark));
}

static bool take_document(struct builder *builder, const yaml_event_t *event, size_t *n_documents)
{
	struct place place = place_of(event->start_mark);

	if ((*n_documents)++ > 0)
		return builder_stop(builder, place, "yaml.documents",
				    "a second document begins here, and one is allowed");
	return event->data.document_start.tag_directives.start ==
		       event->data.document_start.tag_directives.end ||
	       builder_stop(builder, place, "yaml.tag", "directives of tags are not taken");
}

static bool take_event(struct builder *builder, const yaml_event_t *event, size_t *n_documents)
{
	struct place place = place_of(event->start_mark);

	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return take_document(builder, event, n_documents);
	case YAML_ALIAS_EVENT:
		return builder_stop(builder, place, "yaml.anchor",
				    "aliases (*name) are not taken: write the value itself");
	case YAML_SCALAR_EVENT:
		return take_scalar(builder, event);
	case YAML_SEQUENCE_START_EVENT:
		return refuse_machinery(builder, event, event->data.sequence_start.anchor,
					event->data.sequence_start.tag) &&
		       builder_begin(builder, NODE_SEQUENCE, place);
	case YAML_MAPPING_START_EVENT:
		return refuse_machinery(builder, event, event->data.mapping_start.anchor,
					event->data.mapping_start.tag) &&
		       builder_begin(builder, NODE_MAPPING, place);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return builder_end(builder);
	default:
		return true;
	}
}

static void note_syntax(struct builder *builder, const yaml_parser_t *parser, struct bytes text)
{
	struct place place = place_of(parser->problem_mark);
	const char *problem = parser->problem ? parser->problem : "it cannot be read";

	if (parser->error == YAML_MEMORY_ERROR)
		problem = "memory is missing";
	if (parser->error == YAML_READER_ERROR)
		place = place_at(text, parser->problem_offset);
	if (parser->error != YAML_READER_ERROR && parser->context)
		problems_note(builder->problems, place, "", "yaml.syntax", "not YAML: %s, %s",
			      parser->context, problem);
	else
		problems_note(builder->problems, place, "", "yaml.syntax", "not YAML: %s", problem);
}

/* Whether the document was read to its end. */
static bool parse(struct builder *builder, struct bytes text)
{
	size_t n_documents = 0;
	yaml_parser_t parser;
	bool more = true, ended = false;

	if (!yaml_parser_initialize(&parser))
		return builder_stop(builder, (struct place){1, 1}, "yaml.size",
				    "memory is missing");
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, text.data, text.size);
	while (more) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			note_syntax(builder, &parser, text);
			break;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		more = !ended && take_event(builder, &event, &n_documents);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return ended;
}

/* --- the check --- */

struct place document_place(const struct document *document, const char *path)
{
	char within[PATH_MAX_BYTES];
	size_t n = strlen(path);

	if (n >= sizeof within)
		n = sizeof within - 1;
	memcpy(within, path, n);
	while (n > 0) {
		within[n] = 0;
		for (const struct spot *spot = document->spots; spot; spot = spot->next)
			if (strcmp(spot->path, within) == 0)
				return spot->place;
		do
			n--;
		while (n > 0 && within[n] != '.' && within[n] != '[');
	}
	return (struct place){1, 1};
}

struct checking {
	struct problems *problems;
	const struct document *document;
	size_t n_before; /* problems of reading */
};

/* Whether the value of the path was left out of the message, since nothing could be made of it. */
static bool is_left_out(const struct checking *checking, const char *path)
{
	for (size_t i = 0; i < checking->n_before; i++) {
		const struct problem *problem = &checking->problems->list[i];

		if (strcmp(problem->path, path) == 0 && strcmp(problem->rule, "yaml.unknown_key") &&
		    strcmp(problem->rule, "yaml.doubled_key"))
			return true;
	}
	return false;
}

static bool note_violation(void *context, const struct violation *violation)
{
	const struct checking *checking = context;
	struct problems *problems = checking->problems;
	char path[PATH_MAX_BYTES];
	const char *kept;

	check_path_print(violation->path, path, sizeof path);
	if (is_left_out(checking, path))
		return true;
	kept = arena_copy(problems->arena, path, strlen(path));
	problems_note(problems, document_place(checking->document, path), kept, violation->rule_id,
		      "%s", violation->message);
	return problems->n_dropped == 0;
}

static void check(const struct schema_message *message, struct problems *problems,
		  const struct document *document)
{
	struct checking checking = {problems, document, problems->n};
	const struct check_options options = {
		.limits = &check_limits_strict,
		.report = note_violation,
		.context = &checking,
	};
	struct arena memory;
	SCOPED(arena) details = &memory;
	struct place start = {1, 1};
	status checked;

	arena_init(details, DETAIL_ARENA_BYTES);
	checked = check_message(message, bytes_of(document->message.data, document->message.size),
				&options, details);
	if (status_failed(checked))
		problems_note(problems, start, "", "wire", "%s", checked.detail);
}

bool document_read(struct bytes text, const struct schema_message *message,
		   struct problems *problems, struct document *ret)
{
	struct builder *builder;
	bool ended;

	if (text.size > DOCUMENT_BYTES_MAX) {
		problems_note(problems, (struct place){1, 1}, "", "yaml.size",
			      "the document is above 1 MiB");
		return false;
	}
	/* libyaml asserts that there is a text. */
	if (!text.data)
		text = bytes_of("", 0);
	/* An editor's mark, which is no part of the text. */
	if (text.size >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
		text = bytes_of(text.data + 3, text.size - 3);
	builder = ARENA_NEW(problems->arena, struct builder);
	if (!builder) {
		problems_note(problems, (struct place){1, 1}, "", "yaml.size", "memory is missing");
		return false;
	}
	builder_init(builder, message, problems, ret);
	ended = parse(builder, text);
	builder_finish(builder);
	if (ret->message.failed)
		problems_note(problems, (struct place){1, 1}, "", "yaml.size", "memory is missing");
	else if (ended)
		check(message, problems, ret);
	problems_sort(problems);
	return problems->n == 0 && problems->n_dropped == 0;
}

void document_finish(struct document *document)
{
	if (document)
		buffer_finish(&document->message);
}
