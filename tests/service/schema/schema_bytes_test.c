/* A set with any byte wrong is a schema or a status: it never harms the process. */
#include "service/schema/rules.h"
#include "tests/service/schema/described_set.h"
#include "tests/service/schema/editions_set.h"
#include "tests/service/schema/rules_set.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static void open_and_compile(const uint8_t *set, size_t size)
{
	SCOPED(schema) schema = NULL;
	struct schema_message **messages;
	struct arena detail;
	size_t n;

	arena_init(&detail, 1 << 20);
	if (!status_failed(schema_open(bytes_of(set, size), &detail, &schema))) {
		messages = schema_messages(schema, &n);
		for (size_t i = 0; i < n; i++) {
			status s = schema_compile(schema, messages[i], &detail);

			cr_assert_neq(s.code, STATUS_RESOURCE_EXHAUSTED);
		}
	}
	arena_finish(&detail);
}

/* Each step-th byte, with each of its bits the other way round. The copy has no room behind it, so
 * that the address sanitizer sees what is read past the end. */
static void flip_bits(const uint8_t *set, size_t size, size_t step)
{
	uint8_t *copy = malloc(size);

	cr_assert_not_null(copy);
	memcpy(copy, set, size);
	for (size_t i = 0; i < size; i += step)
		for (unsigned bit = 0; bit < 8; bit++) {
			copy[i] ^= (uint8_t)(1U << bit);
			open_and_compile(copy, size);
			copy[i] ^= (uint8_t)(1U << bit);
		}
	free(copy);
}

Test(schema_bytes, flipped_bits_do_no_harm)
{
	flip_bits(editions_set, editions_set_size, 1);
	flip_bits(described_set, described_set_size, 211);
	flip_bits(rules_set, rules_set_size, 4999);
}

Test(schema_bytes, cut_sets_do_no_harm)
{
	for (size_t size = 0; size < editions_set_size; size++) {
		uint8_t *copy = malloc(size + 1);

		cr_assert_not_null(copy);
		memcpy(copy + 1, editions_set, size);
		open_and_compile(copy + 1, size);
		free(copy);
	}
}
