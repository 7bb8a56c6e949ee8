/* fields - one table of names; a collection has few. */
#include "service/cli/fields.h"

#include <stdbool.h>
#include <string.h>

static Sluice__V1__FieldType type_of(const Sluice__V1__MetadataValue *value)
{
	/* The numbers of FieldType are the field numbers of the oneof. */
	return (Sluice__V1__FieldType)value->kind_case;
}

static bool is_number(Sluice__V1__FieldType type)
{
	return type == SLUICE__V1__FIELD_TYPE__FIELD_TYPE_INT ||
	       type == SLUICE__V1__FIELD_TYPE__FIELD_TYPE_DOUBLE;
}

static void field_meet(struct field *field, Sluice__V1__FieldType type)
{
	if (field->type == type)
		return;
	if (is_number(field->type) && is_number(type))
		field->type = SLUICE__V1__FIELD_TYPE__FIELD_TYPE_DOUBLE;
	else
		field->mixed = true;
}

status fields_see(struct fields *fields, struct arena *arena, const Sluice__V1__Chunk *chunk)
{
	for (size_t i = 0; i < chunk->n_metadata; i++) {
		const Sluice__V1__Chunk__MetadataEntry *entry = chunk->metadata[i];
		size_t at = 0;

		while (at < fields->n && strcmp(fields->seen[at].name, entry->key) != 0)
			at++;
		if (at < fields->n) {
			field_meet(&fields->seen[at], type_of(entry->value));
		} else if (at < sizeof fields->seen / sizeof *fields->seen) {
			const char *name = arena_copy(arena, entry->key, strlen(entry->key));

			if (!name)
				return status_make(STATUS_RESOURCE_EXHAUSTED,
						   "memory for metadata fields");
			fields->seen[fields->n++] =
				(struct field){.name = name, .type = type_of(entry->value)};
		}
	}
	return status_ok();
}

/* [a-z][a-z0-9_]{0,62} */
static bool is_field_name(const char *name)
{
	size_t size = strlen(name);

	return size >= 1 && size <= 63 && name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == size;
}

status fields_declare(const struct fields *fields, struct arena *arena,
		      Sluice__V1__Collection *collection)
{
	Sluice__V1__FieldSchema **list = ARENA_ARRAY(arena, Sluice__V1__FieldSchema *, FIELDS_MAX);
	Sluice__V1__FieldSchema *items = ARENA_ARRAY(arena, Sluice__V1__FieldSchema, FIELDS_MAX);
	size_t n = 0;

	if (!list || !items)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for metadata fields");
	for (size_t i = 0; i < fields->n && n < FIELDS_MAX; i++) {
		if (fields->seen[i].mixed || !is_field_name(fields->seen[i].name))
			continue;
		sluice__v1__field_schema__init(&items[n]);
		items[n].name = (char *)(uintptr_t)fields->seen[i].name;
		items[n].type = fields->seen[i].type;
		list[n] = &items[n];
		n++;
	}
	collection->fields = list;
	collection->n_fields = n;
	return status_ok();
}
