#include "kernels/base/bytes.h"

#include "tests/kernels/failing_malloc.h"

#include <criterion/criterion.h>

static int sign(int order)
{
	return (order > 0) - (order < 0);
}

Test(bytes, compares_as_memcmp_with_prefixes_first)
{
	static const struct {
		const char *a, *b;
		int order;
	} cases[] = {
		{"", "", 0},      {"", "a", -1},  {"a", "a", 0},
		{"a", "b", -1},   {"ab", "a", 1}, {"a\xFF", "b", -1},
		{"\x80", "a", 1}, {NULL, "", 0},  {NULL, "a", -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes a = bytes_of_string(cases[i].a), b = bytes_of_string(cases[i].b);

		cr_assert_eq(sign(bytes_compare(a, b)), cases[i].order, "case %zu", i);
		cr_assert_eq(sign(bytes_compare(b, a)), -cases[i].order, "case %zu", i);
		cr_assert_eq(bytes_equal(a, b), cases[i].order == 0, "case %zu", i);
	}
}

/* A decoder of another shape than ours: takes the value, then asks whether it is in order. */
static bool oracle_is_utf8(const uint8_t *data, size_t size)
{
	size_t i = 0;

	while (i < size) {
		static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
		size_t more = data[i] < 0x80       ? 0
			      : data[i] >> 5 == 6  ? 1
			      : data[i] >> 4 == 14 ? 2
						   : 3;
		uint32_t value = data[i];

		if (more == 3 && data[i] >> 3 != 30)
			return false;
		if (more)
			value &= 0x3FU >> more;
		if (size - i <= more)
			return false;
		for (size_t j = 1; j <= more; j++) {
			if (data[i + j] >> 6 != 2)
				return false;
			value = value << 6 | (data[i + j] & 0x3FU);
		}
		if (value < least[more] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
			return false;
		i += more + 1;
	}
	return true;
}

Test(bytes, knows_strict_utf8)
{
	static const uint8_t ends[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90,
				       0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
	const size_t n = sizeof ends;

	for (unsigned first = 0; first < 256; first++) {
		for (size_t i = 0; i < n * n * n; i++) {
			uint8_t text[12] = "abcdefgh";

			text[8] = (uint8_t)first;
			text[9] = ends[i % n];
			text[10] = ends[i / n % n];
			text[11] = ends[i / n / n];
			for (size_t size = 9; size <= 12; size++)
				cr_assert_eq(bytes_is_utf8(bytes_of(text, size)),
					     oracle_is_utf8(text, size), "%02x %02x %02x %02x, %zu",
					     text[8], text[9], text[10], text[11], size);
		}
	}
	cr_assert(bytes_is_utf8(bytes_of(NULL, 0)));
}

Test(bytes, reads_back_what_was_appended)
{
	static const uint64_t values[] = {
		0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX >> 1, INT64_MAX, UINT64_MAX};
	struct buffer memory = {0};
	SCOPED(buffer) buffer = &memory;
	struct reader reader;

	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		buffer_append_u8(buffer, (uint8_t)values[i]);
		buffer_append_u32(buffer, (uint32_t)values[i]);
		buffer_append_u64(buffer, values[i]);
		buffer_append_varint(buffer, values[i]);
		buffer_append(buffer, "run", 3);
	}
	cr_assert(!buffer->failed);

	reader = reader_of(bytes_of(buffer->data, buffer->size));
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		cr_assert_eq(reader_u8(&reader), (uint8_t)values[i]);
		cr_assert_eq(reader_u32(&reader), (uint32_t)values[i]);
		cr_assert_eq(reader_u64(&reader), values[i]);
		cr_assert_eq(reader_varint(&reader), values[i]);
		cr_assert(bytes_equal(reader_take(&reader, 3), bytes_of_string("run")));
	}
	cr_assert(!reader.failed);
	cr_assert(reader.at == reader.end);
	cr_assert_eq(reader_u8(&reader), 0);
	cr_assert(reader.failed);
}

Test(bytes, reader_fails_past_the_end_and_stays_so)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5};
	struct reader reader = reader_of(bytes_of(data, sizeof data));
	struct reader empty = reader_of(bytes_of(NULL, 0));

	cr_assert_eq(reader_u64(&reader), 0);
	cr_assert(reader.failed);
	cr_assert_eq(reader_u8(&reader), 0, "what is left is not given either");
	cr_assert_eq(reader_take(&reader, 0).size, 0);
	cr_assert_eq(reader_take(&empty, 0).size, 0);
	cr_assert(!empty.failed);
	cr_assert_eq(reader_take(&empty, SIZE_MAX).size, 0);
	cr_assert(empty.failed);
}

Test(bytes, reader_refuses_varints_beyond_64_bits)
{
	static const struct {
		uint8_t data[11];
		bool good;
	} cases[] = {
		{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}, true},
		{{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02}, false},
		{{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, false},
		{{0x80, 0x00}, true},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reader reader = reader_of(bytes_of(cases[i].data, sizeof cases[i].data));

		reader_varint(&reader);
		cr_assert_eq(reader.failed, !cases[i].good, "case %zu", i);
	}
}

Test(bytes, loads_and_stores_at_any_alignment)
{
	uint8_t place[32] = {0};

	for (size_t at = 0; at < 16; at++) {
		store_u64(place + at, UINT64_C(0x0102030405060708));
		cr_assert_eq(place[at], 8);
		cr_assert_eq(load_u64(place + at), UINT64_C(0x0102030405060708));
		store_u64_be(place + at, UINT64_C(0x0102030405060708));
		cr_assert_eq(place[at], 1);
		cr_assert_eq(load_u64_be(place + at), UINT64_C(0x0102030405060708));
		store_u32(place + at, 0xA1B2C3D4U);
		cr_assert_eq(load_u32(place + at), 0xA1B2C3D4U);
	}
}

Test(bytes, buffer_remembers_that_an_append_failed)
{
	for (long nth = 0;; nth++) {
		struct buffer memory = {0};
		SCOPED(buffer) buffer = &memory;
		bool struck;

		failing_malloc_set(nth);
		for (int i = 0; i < 1000; i++)
			buffer_append_u32(buffer, 7);
		struck = failing_malloc_struck();
		failing_malloc_set(-1);

		cr_assert_eq(buffer->failed, struck, "allocation %ld", nth);
		if (!struck) {
			cr_assert_eq(buffer->size, 4000);
			cr_assert_null(buffer_reserve(buffer, SIZE_MAX / 2));
			cr_assert(buffer->failed);
			break;
		}
	}
}
