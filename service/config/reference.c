/* reference - a section for each message, breadth first would part what belongs together: depth first.
 */
#include "service/config/reference.h"

#include "service/config/config_load.h"
#include "service/config/scalar.h"
#include "service/schema/rules.h"

#include <string.h>

/* A comment in one line, so that it fits into a table; "|" would end its cell. */
static void print_comment(FILE *out, const char *comment)
{
	bool blank = true;

	for (; comment && *comment; comment++) {
		bool space = *comment == '\n' || *comment == ' ' || *comment == '\t';

		if (space && !blank)
			fputc(' ', out);
		else if (*comment == '|')
			fputs("\\|", out);
		else if (!space)
			fputc(*comment, out);
		blank = space;
	}
}

static const char *type_name(const struct schema_field *field)
{
	switch (field->type) {
	case SCHEMA_BOOL:
		return "true or false";
	case SCHEMA_STRING:
		return field->repeated ? "list of strings" : "string";
	case SCHEMA_ENUM:
		return "name";
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return "number";
	case SCHEMA_MESSAGE:
		return "duration";
	default:
		return strstr(field->name, "bytes") ? "size" : "whole number";
	}
}

static void print_names(FILE *out, const struct schema_enum *enumeration, struct arena *arena)
{
	const char *gap = "";

	for (size_t i = 0; i < enumeration->n_values; i++) {
		const struct schema_enum_value *value = &enumeration->values[i];

		if (scalar_is_unspecified(value))
			continue;
		fprintf(out, "%s%s", gap, scalar_enum_name(arena, enumeration, value->name));
		gap = ", ";
	}
}

/* What the rules allow; patterns can hold a "|". */
static void print_rules(FILE *out, const struct field_rules *rules, const char *of)
{
	for (size_t i = 0; rules && i < rules->n_rules; i++) {
		fprintf(out, "%s%s", i ? "; " : "", of);
		print_comment(out, rules->rules[i].text);
	}
}

static void print_range(FILE *out, const struct schema_field *field, struct arena *arena)
{
	const struct field_rules *rules = field->rules;

	if (field->type == SCHEMA_ENUM) {
		print_names(out, field->enumeration, arena);
		return;
	}
	print_rules(out, rules, "");
	if (rules && rules->items) {
		fputs(rules->n_rules ? "; " : "", out);
		print_rules(out, rules->items, "each ");
	}
}

static void print_default(FILE *out, const struct schema_field *field, struct arena *arena)
{
	size_t n;
	const char **texts = server_config_defaults_of(field, arena, &n);

	for (size_t i = 0; texts && i < n; i++)
		fprintf(out, "%s%s", i ? ", " : "", texts[i]);
}

static void print_enum(FILE *out, const struct schema_field *field, const char *path,
		       struct arena *arena)
{
	const struct schema_enum *enumeration = field->enumeration;

	fprintf(out, "\n`%s` is one of:\n\n", path);
	for (size_t i = 0; i < enumeration->n_values; i++) {
		const struct schema_enum_value *value = &enumeration->values[i];

		if (scalar_is_unspecified(value))
			continue;
		fprintf(out, "- `%s`", scalar_enum_name(arena, enumeration, value->name));
		if (value->comment)
			fputs(": ", out);
		print_comment(out, value->comment);
		fputc('\n', out);
	}
}

/* The keys that have values of their own. */
static void print_table(FILE *out, const struct schema_message *message, const char *prefix,
			struct arena *arena)
{
	fputs("| key | type | default | allowed | |\n|---|---|---|---|---|\n", out);
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct schema_field *field = &message->fields[i];

		if (!scalar_fits(field))
			continue;
		fprintf(out, "| `%s%s` | %s | `", prefix, field->name, type_name(field));
		print_default(out, field, arena);
		fputs("` | ", out);
		print_range(out, field, arena);
		fputs(" | ", out);
		print_comment(out, field->comment);
		fputs(" |\n", out);
	}
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct schema_field *field = &message->fields[i];

		if (field->type == SCHEMA_ENUM)
			print_enum(out, field, arena_printf(arena, "%s%s", prefix, field->name),
				   arena);
	}
}

/* A configuration's messages are a few levels deep and do not contain themselves. */
static void print_message(FILE *out, const struct schema_message *message, const char *prefix,
			  struct arena *arena)
{
	print_comment(out, message->comment);
	fputs(message->comment ? "\n\n" : "", out);
	print_table(out, message, prefix, arena);
	for (size_t i = 0; i < message->n_fields; i++) {
		const struct schema_field *field = &message->fields[i];

		if (scalar_fits(field))
			continue;
		fprintf(out, "\n## %s%s\n\n", prefix, field->name);
		print_comment(out, field->comment);
		fputs("\n\n", out);
		print_message(out, field->message,
			      arena_printf(arena, "%s%s.", prefix, field->name), arena);
	}
}

static void print_variables(FILE *out)
{
	fputs("\n## Environment\n\n"
	      "Defaults, then the file, then these variables, then flags: the last word holds.\n\n"
	      "| variable | key |\n|---|---|\n",
	      out);
	for (size_t i = 0; i < CONFIG_VARIABLES; i++) {
		const struct config_variable *variable = &config_variables[i];

		if (variable->path)
			fprintf(out, "| `%s` | `%s`%s |\n", variable->name, variable->path,
				variable->is_list ? ", parted by commas" : "");
		else
			fprintf(out, "| `%s` | the file, where --config names none |\n",
				variable->name);
	}
}

void reference_print(FILE *out, const struct schema_message *message, struct arena *arena)
{
	fputs("# The configuration of sluice serve\n\n", out);
	print_message(out, message, "", arena);
	print_variables(out);
}
