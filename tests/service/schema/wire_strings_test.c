#include "service/schema/wire_strings.h"

#include "sluice/v1/ingest_service.pb-c.h"

#include <criterion/criterion.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 16);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(wire_strings, .init = setup, .fini = teardown);

#define BYTES(literal) {(const uint8_t *)(literal), sizeof(literal) - 1}

/* An UpsertChunksRequest: collection is field 1, chunks 3; of a chunk id is 1, text 4, metadata 6,
 * and of its entry the key is 1. */
static status check(struct bytes message)
{
	return wire_check_strings(&arena, &sluice__v1__upsert_chunks_request__descriptor, message);
}

static const struct {
	struct bytes message;
	const char *says; /* NULL: nothing is wrong */
} cases[] = {
	{BYTES(""), NULL},
	{BYTES("\x0a\x04"
	       "docs"),
	 NULL},
	{BYTES("\x0a\x03"
	       "a\0b"),
	 "collection: a NUL"},
	{BYTES("\x0a\x04"
	       "docs\x1a\x05\x0a\x03k\0x"),
	 "chunks[0].id: a NUL"},
	{BYTES("\x1a\x04\x22\x02\xc3\x28"), "chunks[0].text: not UTF-8"},
	{BYTES("\x1a\x04\x22\x02\xc3\xa9"), NULL},
	{BYTES("\x1a\x00\x1a\x00\x1a\x04\x22\x02\xc3\x28"), "chunks[2].text: not UTF-8"},
	{BYTES("\x1a\x06\x32\x04\x0a\x02k\0"), "chunks[0].metadata[0].key: a NUL"},
	/* The last of a field given twice is what counts, and each is looked at. */
	{BYTES("\x0a\x01\0\x0a\x01x"), "collection: a NUL"},
	/* Bytes and unknown fields may hold anything. */
	{BYTES("\xfa\x01\x02\0\xff"), NULL},
	/* What does not parse is another's business. */
	{BYTES("\x0a\x7f"
	       "cut"),
	 NULL},
	{BYTES("\x0a"), NULL},
	{BYTES("\x0b\x0c"), NULL},
	{BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), NULL},
};

Test(wire_strings, names_the_field_that_holds_what_no_string_may)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		status checked = check(cases[i].message);

		cr_assert_eq(status_failed(checked), cases[i].says != NULL, "case %zu", i);
		if (!cases[i].says)
			continue;
		cr_assert_eq(checked.code, STATUS_INVALID_ARGUMENT, "case %zu", i);
		cr_assert_eq(strncmp(checked.detail, cases[i].says, strlen(cases[i].says)), 0,
			     "case %zu: %s", i, checked.detail);
	}
}

Test(wire_strings, takes_any_bytes)
{
	uint64_t state = 88172645463325252U;
	uint8_t bytes[64];

	for (int round = 0; round < 200000; round++) {
		size_t n = (size_t)round % sizeof bytes;

		for (size_t i = 0; i < n; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			/* Mostly tags and small lengths, so that it gets inside. */
			bytes[i] = (uint8_t)(state % 3 ? state >> 8 & 0x3f : state >> 8);
		}
		(void)!check(bytes_of(bytes, n)).code;
		arena_reset(&arena);
	}
}
