/* json_schema_choice - oneofs: of the message, and of its rules. */
#include "service/schema/json_schema_maker.h"

bool json_keeps(const struct json_selection *selection, const struct schema_field *field)
{
	if (!selection->fields)
		return true;
	for (size_t i = 0; i < selection->n_fields; i++)
		if (strcmp(selection->fields[i], field->name) == 0)
			return true;
	return false;
}

const struct schema_oneof *json_chosen_oneof(const struct json_maker *maker,
					     const struct schema_message *message,
					     const struct json_selection *selection)
{
	if (maker->traits->compose || selection->root)
		return NULL;
	for (size_t i = 0; i < message->n_oneofs; i++)
		if (message->oneofs[i].required)
			return &message->oneofs[i];
	return NULL;
}

/* {"required": ["name"]}; where zero counts as unset, it is excluded too. */
static json_t *is_set(struct json_maker *maker, const struct schema_field *field)
{
	json_t *schema = json_object(), *names = json_array(), *properties, *not, *wrong;

	json_add(maker, names, json_text(maker, field->json_name));
	json_put(maker, schema, "required", names);
	if (field->presence)
		return schema;
	wrong = json_object();
	if (field->repeated)
		json_put(maker, wrong, field->map ? "maxProperties" : "maxItems", json_integer(0));
	else
		json_put(maker, wrong, "enum", json_zero(maker, field));
	not = json_object();
	json_put(maker, not, "not", wrong);
	properties = json_object();
	json_put(maker, properties, field->json_name, not);
	json_put(maker, schema, "properties", properties);
	return schema;
}

struct choice {
	const struct schema_field **fields;
	size_t n;
	bool required;
};

static void choice_note(const struct choice *choice, struct json_notes *notes)
{
	struct buffer names = {0};

	for (size_t i = 0; i < choice->n; i++) {
		const char *name = choice->fields[i]->json_name;
		const char *between = i == 0 ? "" : i + 1 < choice->n ? ", " : " and ";

		buffer_append(&names, between, strlen(between));
		buffer_append(&names, name, strlen(name));
	}
	if (!names.failed)
		json_note(notes, "%s one of %.*s.", choice->required ? "Exactly" : "At most",
			  (int)names.size, (const char *)names.data);
	notes->text.failed |= names.failed;
	buffer_finish(&names);
}

static void choice_put(struct json_maker *maker, const struct choice *choice, json_t *schema)
{
	json_t *list = json_array(), *none, *any, *not;

	for (size_t i = 0; i < choice->n; i++)
		json_add(maker, list, is_set(maker, choice->fields[i]));
	if (!choice->required) {
		any = json_object();
		json_put(maker, any, "anyOf", json_deep_copy(list));
		not = json_object();
		json_put(maker, not, "not", any);
		none = not;
		json_add(maker, list, none);
	}
	json_also(maker, schema, "oneOf", list);
}

static void choice_say(struct json_maker *maker, const struct choice *choice,
		       const struct json_selection *selection, json_t *schema,
		       struct json_notes *notes)
{
	bool compose = selection->root ? maker->traits->root_compose : maker->traits->compose;

	if (choice->n == 0 || (choice->n == 1 && !choice->required))
		return;
	if (compose)
		choice_put(maker, choice, schema);
	else
		choice_note(choice, notes);
}

/* The members that are kept. In the arena. */
static struct choice choice_of(struct json_maker *maker, const struct schema_field *const *fields,
			       size_t n, const struct json_selection *selection)
{
	struct choice ret = {.fields = arena_alloc(maker->arena, n * sizeof(*fields))};

	maker->failed |= !ret.fields;
	for (size_t i = 0; ret.fields && i < n; i++)
		if (json_keeps(selection, fields[i]))
			ret.fields[ret.n++] = fields[i];
	return ret;
}

void json_choices(struct json_maker *maker, const struct schema_message *message,
		  const struct json_selection *selection, json_t *schema, struct json_notes *notes)
{
	const struct schema_oneof *chosen = json_chosen_oneof(maker, message, selection);
	const struct message_rules *rules = message->rules;
	struct choice choice;

	for (size_t i = 0; i < message->n_oneofs; i++) {
		const struct schema_oneof *oneof = &message->oneofs[i];

		if (oneof == chosen)
			continue;
		choice = choice_of(maker, oneof->fields, oneof->n_fields, selection);
		choice.required = oneof->required;
		choice_say(maker, &choice, selection, schema, notes);
	}
	for (size_t i = 0; rules && i < rules->n_oneofs; i++) {
		choice = choice_of(maker, rules->oneofs[i].fields, rules->oneofs[i].n_fields,
				   selection);
		choice.required = rules->oneofs[i].required;
		choice_say(maker, &choice, selection, schema, notes);
	}
}
