#include "tests/service/schema/opened.h"

#include "tests/service/schema/described_set.h"
#include "tests/service/schema/editions_set.h"
#include "tests/service/schema/rules_set.h"

#include <criterion/criterion.h>

/* One to a test, which is a process of its own. */
struct arena *opened_detail(void)
{
	static struct arena arena;

	arena_finish(&arena);
	arena_init(&arena, 1 << 20);
	return &arena;
}

void opened_must(status s)
{
	cr_assert_not(status_failed(s), "%s: %s", status_code_name(s.code),
		      s.detail ? s.detail : "");
}

static struct schema *open_set(const uint8_t *set, size_t size)
{
	struct schema *schema = NULL;

	opened_must(schema_open(bytes_of(set, size), opened_detail(), &schema));
	return schema;
}

struct schema *opened_rules(void)
{
	return open_set(rules_set, rules_set_size);
}

struct schema *opened_described(void)
{
	return open_set(described_set, described_set_size);
}

struct schema *opened_editions(void)
{
	return open_set(editions_set, editions_set_size);
}

struct schema_message *opened_message(const struct schema *schema, const char *full_name)
{
	struct schema_message *message = schema_message(schema, full_name);

	cr_assert_not_null(message, "no message %s", full_name);
	return message;
}

struct schema_field *opened_field(const struct schema *schema, const char *message,
				  const char *field)
{
	struct schema_message *in = opened_message(schema, message);
	const struct schema_field *found = schema_field_by_name(in, field);

	cr_assert_not_null(found, "no field %s.%s", message, field);
	return &in->fields[found->index];
}
