/* A lack of memory is a status, wherever it strikes. */
#include "service/schema/rules.h"
#include "tests/kernels/failing_malloc.h"
#include "tests/service/schema/described_set.h"
#include "tests/service/schema/rules_set.h"

#include <criterion/criterion.h>

Test(schema_memory, every_failed_allocation_is_told)
{
	bool struck = true;

	for (long nth = 0; struck; nth++) {
		SCOPED(schema) schema = NULL;
		status s;

		failing_malloc_set(nth);
		s = schema_open(bytes_of(described_set, described_set_size), NULL, &schema);
		struck = failing_malloc_struck();
		failing_malloc_set(-1);
		cr_assert_eq(s.code, struck ? STATUS_RESOURCE_EXHAUSTED : STATUS_OK, "%ld", nth);
	}
}

/* One message of each kind of rules, so that the caps meet each allocation. */
Test(schema_memory, rules_past_the_cap_are_told)
{
	static const char *const names[] = {"cases.Strings", "cases.Int32",      "cases.Formats",
					    "cases.Maps",    "cases.Timestamps", "cases.AtMostOne",
					    "cases.Choice",  "cases.Masks"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		status s = status_make(STATUS_RESOURCE_EXHAUSTED, NULL);

		for (size_t more = 0; s.code == STATUS_RESOURCE_EXHAUSTED; more += 16) {
			SCOPED(schema) schema = NULL;
			struct arena *arena;

			s = schema_open(bytes_of(rules_set, rules_set_size), NULL, &schema);
			cr_assert_not(status_failed(s));
			arena = schema_arena(schema);
			arena->cap_bytes = arena->used_bytes + more;
			s = schema_compile(schema, schema_message(schema, names[i]), NULL);
			more += more / 256 * 16;
		}
		cr_expect_not(status_failed(s), "%s: %s", names[i], status_code_name(s.code));
	}
}
