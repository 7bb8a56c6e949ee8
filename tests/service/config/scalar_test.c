/* scalar - texts to wire values, by the type of the field. */
#include "service/config/scalar.h"

#include <criterion/criterion.h>
#include <string.h>

static struct arena arena;

static void setup(void)
{
	arena_init(&arena, 1 << 20);
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(scalar, .init = setup, .fini = teardown);

static struct schema_enum_value values[] = {
	{"COLOUR_MODE_UNSPECIFIED", 0, NULL},
	{"COLOUR_MODE_RED", 1, NULL},
	{"COLOUR_MODE_DARK_RED", -2, NULL},
};
static const struct schema_enum colours = {.full_name = "Colour", .values = values, .n_values = 3};
static const struct schema_message duration = {.well_known = WELL_KNOWN_DURATION};

/* Field 1 of a type; for sizes its name has "bytes" in it. */
static struct schema_field field_of(enum schema_type type, const char *name)
{
	return (struct schema_field){
		.name = name,
		.number = 1,
		.type = type,
		.enumeration = type == SCHEMA_ENUM ? &colours : NULL,
		.message = type == SCHEMA_MESSAGE ? &duration : NULL,
	};
}

static const char *hex(struct bytes bytes)
{
	const char *text = "";

	for (size_t i = 0; i < bytes.size; i++)
		text = arena_printf(&arena, "%s%02x", text, bytes.data[i]);
	return text;
}

static const struct {
	enum schema_type type;
	const char *name, *text;
	const char *encoded; /* hex, the tag first; NULL: refused */
} cases[] = {
	{SCHEMA_BOOL, "b", "true", "0801"},
	{SCHEMA_BOOL, "b", "false", "0800"},
	{SCHEMA_BOOL, "b", "True", NULL},
	{SCHEMA_BOOL, "b", "1", NULL},
	{SCHEMA_UINT32, "n", "4294967295", "08ffffffff0f"},
	{SCHEMA_UINT32, "n", "4294967296", NULL},
	{SCHEMA_UINT32, "n", "-0", "0800"},
	{SCHEMA_UINT32, "n", "-1", NULL},
	{SCHEMA_UINT32, "n", "+1", NULL},
	{SCHEMA_UINT32, "n", " 1", NULL},
	{SCHEMA_UINT32, "n", "1 ", NULL},
	{SCHEMA_UINT32, "n", "0x10", NULL},
	{SCHEMA_UINT32, "n", "1.0", NULL},
	{SCHEMA_UINT32, "n", "1e3", NULL},
	{SCHEMA_UINT32, "n", "1_000", "08e807"},
	{SCHEMA_UINT32, "n", "_1", NULL},
	{SCHEMA_UINT32, "n", "1_", NULL},
	{SCHEMA_UINT32, "n", "1__0", NULL},
	{SCHEMA_UINT32, "n", "", NULL},
	{SCHEMA_UINT64, "n", "18446744073709551615", "08ffffffffffffffffff01"},
	{SCHEMA_UINT64, "n", "18446744073709551616", NULL},
	{SCHEMA_UINT64, "n", "1KiB", NULL},
	{SCHEMA_UINT64, "bytes_max", "1KiB", "088008"},
	{SCHEMA_UINT64, "bytes_max", "1kB", "08e807"},
	{SCHEMA_UINT64, "bytes_max", "1KB", "08e807"},
	{SCHEMA_UINT64, "bytes_max", "1B", "0801"},
	{SCHEMA_UINT64, "bytes_max", "4MiB", "0880808002"},
	{SCHEMA_UINT64, "bytes_max", "1GB", "088094ebdc03"},
	{SCHEMA_UINT64, "bytes_max", "1 KiB", NULL},
	{SCHEMA_UINT64, "bytes_max", "1.5KiB", NULL},
	{SCHEMA_UINT64, "bytes_max", "1kib", NULL},
	{SCHEMA_UINT64, "bytes_max", "16777215TiB", "088080808080e0ffffff01"},
	{SCHEMA_UINT64, "bytes_max", "16777216TiB", NULL},
	{SCHEMA_FIXED32, "n", "1", "0d01000000"},
	{SCHEMA_FIXED64, "n", "1", "090100000000000000"},
	{SCHEMA_INT32, "n", "2147483647", "08ffffffff07"},
	{SCHEMA_INT32, "n", "-2147483648", "0880808080f8ffffffff01"},
	{SCHEMA_INT32, "n", "2147483648", NULL},
	{SCHEMA_INT32, "n", "-2147483649", NULL},
	{SCHEMA_INT64, "n", "-9223372036854775808", "0880808080808080808001"},
	{SCHEMA_INT64, "n", "9223372036854775808", NULL},
	{SCHEMA_SINT32, "n", "-1", "0801"},
	{SCHEMA_SINT64, "n", "1", "0802"},
	{SCHEMA_SFIXED32, "n", "-1", "0dffffffff"},
	{SCHEMA_SFIXED64, "n", "-1", "09ffffffffffffffff"},
	{SCHEMA_FLOAT, "x", "1", "0d0000803f"},
	{SCHEMA_FLOAT, "x", "-2.5e-1", "0d000080be"},
	{SCHEMA_FLOAT, "x", "1e39", NULL},
	{SCHEMA_DOUBLE, "x", "0.5", "09000000000000e03f"},
	{SCHEMA_DOUBLE, "x", "1e999", NULL},
	{SCHEMA_DOUBLE, "x", "nan", NULL},
	{SCHEMA_DOUBLE, "x", ".inf", NULL},
	{SCHEMA_DOUBLE, "x", "0x1p3", NULL},
	{SCHEMA_DOUBLE, "x", "e", NULL},
	{SCHEMA_STRING, "s", "a b", "0a03612062"},
	{SCHEMA_STRING, "s", "12", "0a023132"},
	{SCHEMA_STRING, "s", "null", NULL},
	{SCHEMA_STRING, "s", "", NULL},
	{SCHEMA_BYTES, "s", "ab", "0a026162"},
	{SCHEMA_ENUM, "c", "red", "0801"},
	{SCHEMA_ENUM, "c", "dark_red", "08feffffffffffffffff01"},
	{SCHEMA_ENUM, "c", "COLOUR_MODE_RED", "0801"},
	{SCHEMA_ENUM, "c", "RED", NULL},
	{SCHEMA_ENUM, "c", "1", NULL},
	{SCHEMA_ENUM, "c", "unspecified", NULL},
	{SCHEMA_MESSAGE, "d", "20s", "0a0408141000"},
	{SCHEMA_MESSAGE, "d", "500ms", "0a0808001080cab5ee01"},
	{SCHEMA_MESSAGE, "d", "1m30s", "0a04085a1000"},
	{SCHEMA_MESSAGE, "d", "1h0m1s", "0a0508911c1000"},
	{SCHEMA_MESSAGE, "d", "1.5h", "0a0508982a1000"},
	{SCHEMA_MESSAGE, "d", "3us", "0a05080010b817"},
	{SCHEMA_MESSAGE, "d", "1ns", "0a0408001001"},
	{SCHEMA_MESSAGE, "d", "20", NULL},
	{SCHEMA_MESSAGE, "d", "0", NULL},
	{SCHEMA_MESSAGE, "d", "s", NULL},
	{SCHEMA_MESSAGE, "d", "-1s", NULL},
	{SCHEMA_MESSAGE, "d", "1 s", NULL},
	{SCHEMA_MESSAGE, "d", "1.s", NULL},
	{SCHEMA_MESSAGE, "d", ".5s", NULL},
	{SCHEMA_MESSAGE, "d", "1s1s", NULL},
	{SCHEMA_MESSAGE, "d", "1s1m", NULL},
	{SCHEMA_MESSAGE, "d", "1day", NULL},
	{SCHEMA_MESSAGE, "d", "315576000000s", "0a090880bcaece97091000"},
	{SCHEMA_MESSAGE, "d", "315576000001s", NULL},
	{SCHEMA_MESSAGE, "d", "99999999999999999999999999999999999h", NULL},
};

Test(scalar, encodes_by_the_type_of_the_field)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct schema_field field = field_of(cases[i].type, cases[i].name);
		struct buffer owned = {0};
		SCOPED(buffer) encoded = &owned;
		const char *sentence = NULL;
		const char *rule = scalar_encode(
			&field, (struct scalar){.text = bytes_of_string(cases[i].text)}, &arena,
			encoded, &sentence);
		const char *found = hex(bytes_of(owned.data, owned.size));

		if (cases[i].encoded) {
			cr_expect_null(rule, "%s: %s", cases[i].text, sentence);
			cr_expect_str_eq(found, cases[i].encoded, "%s: %s", cases[i].text, found);
		} else {
			cr_expect_not_null(rule, "%d %s", cases[i].type, cases[i].text);
			cr_expect_not_null(sentence);
			cr_expect_eq(owned.size, 0);
		}
	}
}

/* In quotes a word is a text, which numbers and truth are not. */
Test(scalar, knows_a_quoted_text)
{
	static const struct {
		enum schema_type type;
		const char *text;
		bool taken;
	} quoted[] = {
		{SCHEMA_BOOL, "true", false},  {SCHEMA_UINT32, "1", false},
		{SCHEMA_DOUBLE, "1", false},   {SCHEMA_STRING, "", true},
		{SCHEMA_STRING, "null", true}, {SCHEMA_ENUM, "red", true},
		{SCHEMA_MESSAGE, "1s", true},
	};

	for (size_t i = 0; i < sizeof quoted / sizeof *quoted; i++) {
		struct schema_field field = field_of(quoted[i].type, "x");
		struct buffer owned = {0};
		SCOPED(buffer) encoded = &owned;
		const char *sentence;
		const char *rule = scalar_encode(
			&field, (struct scalar){bytes_of_string(quoted[i].text), true}, &arena,
			encoded, &sentence);

		cr_expect_eq(rule == NULL, quoted[i].taken, "%d %s", quoted[i].type,
			     quoted[i].text);
	}
}

Test(scalar, lists_the_names_of_an_enum)
{
	struct schema_field field = field_of(SCHEMA_ENUM, "c");
	struct buffer owned = {0};
	SCOPED(buffer) encoded = &owned;
	const char *sentence = NULL;

	scalar_encode(&field, (struct scalar){.text = bytes_of_string("bl\x1bue")}, &arena, encoded,
		      &sentence);
	cr_assert_str_eq(sentence, "must be red or dark_red, found \"bl\\x1bue\"");
}
