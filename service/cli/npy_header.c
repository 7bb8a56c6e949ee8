/* npy_header - the header of a .npy file: a Python dictionary of three entries.
 *
 * Only what numpy writes is understood: quoted keys, a quoted type, True or False, and a tuple of
 * decimal numbers, in any order and with any blanks. Everything else is refused.
 */
#include "service/cli/npy.h"

#include <stdlib.h>

/* The text of the dictionary, walked from left to right. Failing is sticky. */
struct scanner {
	const char *at, *end;
	bool failed;
};

static void skip_blanks(struct scanner *scanner)
{
	while (scanner->at < scanner->end && strchr(" \t\n\r", *scanner->at) && *scanner->at)
		scanner->at++;
}

/* Whether c comes next; then it is taken. */
static bool take(struct scanner *scanner, char c)
{
	skip_blanks(scanner);
	if (scanner->failed || scanner->at == scanner->end || *scanner->at != c)
		return false;
	scanner->at++;
	return true;
}

static void expect(struct scanner *scanner, char c)
{
	if (!take(scanner, c))
		scanner->failed = true;
}

static struct bytes take_string(struct scanner *scanner)
{
	char quote = take(scanner, '\'') ? '\'' : '"';
	const char *start, *stop;

	if (quote == '"')
		expect(scanner, '"');
	if (scanner->failed)
		return (struct bytes){0};
	start = scanner->at;
	stop = memchr(start, quote, (size_t)(scanner->end - start));
	if (!stop) {
		scanner->failed = true;
		return (struct bytes){0};
	}
	scanner->at = stop + 1;
	return bytes_of(start, (size_t)(stop - start));
}

static struct bytes take_word(struct scanner *scanner)
{
	const char *start;

	skip_blanks(scanner);
	start = scanner->at;
	while (scanner->at < scanner->end && ((*scanner->at >= 'a' && *scanner->at <= 'z') ||
					      (*scanner->at >= 'A' && *scanner->at <= 'Z')))
		scanner->at++;
	return bytes_of(start, (size_t)(scanner->at - start));
}

static uint64_t take_number(struct scanner *scanner)
{
	uint64_t number = 0;
	const char *start;

	skip_blanks(scanner);
	start = scanner->at;
	while (scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9') {
		uint64_t digit = (uint64_t)(*scanner->at++ - '0');

		if (__builtin_mul_overflow(number, 10, &number) ||
		    __builtin_add_overflow(number, digit, &number))
			scanner->failed = true;
	}
	if (scanner->at == start)
		scanner->failed = true;
	return number;
}

#define SHAPE_MAX 8

/* What the dictionary says. */
struct entries {
	struct bytes type;
	bool has_type, has_order, has_shape, fortran;
	uint64_t shape[SHAPE_MAX];
	size_t n_shape;
};

static void take_shape(struct scanner *scanner, struct entries *entries)
{
	entries->n_shape = 0;
	expect(scanner, '(');
	while (!scanner->failed && !take(scanner, ')')) {
		if (entries->n_shape == SHAPE_MAX) {
			scanner->failed = true;
			return;
		}
		entries->shape[entries->n_shape++] = take_number(scanner);
		if (!take(scanner, ',')) {
			expect(scanner, ')');
			return;
		}
	}
}

static void take_entry(struct scanner *scanner, struct entries *entries)
{
	struct bytes key = take_string(scanner);

	expect(scanner, ':');
	if (bytes_equal(key, bytes_of_string("descr"))) {
		entries->type = take_string(scanner);
		entries->has_type = true;
	} else if (bytes_equal(key, bytes_of_string("fortran_order"))) {
		struct bytes word = take_word(scanner);

		entries->fortran = bytes_equal(word, bytes_of_string("True"));
		entries->has_order = true;
		if (!entries->fortran && !bytes_equal(word, bytes_of_string("False")))
			scanner->failed = true;
	} else if (bytes_equal(key, bytes_of_string("shape"))) {
		take_shape(scanner, entries);
		entries->has_shape = true;
	} else {
		scanner->failed = true;
	}
}

static status entries_parse(struct bytes text, struct entries *ret)
{
	struct scanner scanner = {.at = (const char *)text.data,
				  .end = (const char *)text.data + text.size};

	expect(&scanner, '{');
	while (!scanner.failed && !take(&scanner, '}')) {
		take_entry(&scanner, ret);
		if (!take(&scanner, ',')) {
			expect(&scanner, '}');
			break;
		}
	}
	skip_blanks(&scanner);
	if (scanner.failed || scanner.at != scanner.end || !ret->has_type || !ret->has_order ||
	    !ret->has_shape)
		return status_make(STATUS_INVALID_ARGUMENT, "a damaged .npy header");
	return status_ok();
}

static const struct {
	const char *name;
	enum npy_type type;
	uint32_t size_bytes;
} types[] = {
	{"<f4", NPY_FLOAT32, 4},
	{"<f2", NPY_FLOAT16, 2},
	{"<i4", NPY_INT32, 4},
};

#define N_TYPES (sizeof types / sizeof *types)

static status type_refuse(struct arena *arena, struct bytes type, enum npy_use use)
{
	return status_format(arena, STATUS_INVALID_ARGUMENT,
			     "numbers of type '%.*s'; %s, little-endian",
			     (int)(type.size < 32 ? type.size : 32), (const char *)type.data,
			     use == NPY_VECTORS ? "vectors must be float32 or float16"
						: "it must be float32, float16 or int32");
}

static status header_check(struct arena *arena, const struct entries *entries, uint64_t file_bytes,
			   enum npy_use use, struct npy_header *header)
{
	uint64_t columns, data_bytes;
	size_t i = 0;

	while (i < N_TYPES && !bytes_equal(entries->type, bytes_of_string(types[i].name)))
		i++;
	if (i == N_TYPES || (use == NPY_VECTORS && types[i].type == NPY_INT32))
		return type_refuse(arena, entries->type, use);
	header->type = types[i].type;
	if (entries->fortran)
		return status_make(STATUS_INVALID_ARGUMENT,
				   "the matrix is in Fortran order; it must be in C order");
	if (entries->n_shape != 1 && entries->n_shape != 2)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "an array of %zu dimensions; it must be of 1 or 2",
				     entries->n_shape);
	columns = entries->shape[entries->n_shape - 1];
	header->rows = entries->n_shape == 2 ? entries->shape[0] : 1;
	if (columns == 0 || columns > NPY_COLUMNS_MAX)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "%llu columns; there must be 1 to %u",
				     (unsigned long long)columns, NPY_COLUMNS_MAX);
	header->columns = (uint32_t)columns;
	if (__builtin_mul_overflow(header->rows, columns * types[i].size_bytes, &data_bytes) ||
	    data_bytes != file_bytes - header->data_at)
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     "%llu rows of %llu do not match %llu bytes of numbers",
				     (unsigned long long)header->rows, (unsigned long long)columns,
				     (unsigned long long)(file_bytes - header->data_at));
	return status_ok();
}

status npy_header_parse(struct arena *arena, struct bytes start, uint64_t file_bytes,
			enum npy_use use, struct npy_header *ret)
{
	static const uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
	struct reader reader = reader_of(start);
	struct bytes found = reader_take(&reader, sizeof magic), text;
	struct npy_header header = {0};
	struct entries entries = {0};
	uint32_t text_bytes;
	uint8_t major;

	if (reader.failed || memcmp(found.data, magic, sizeof magic) != 0)
		return status_make(STATUS_INVALID_ARGUMENT, "not a .npy file");
	major = reader_u8(&reader);
	reader_u8(&reader);
	if (!reader.failed && (major < 1 || major > 3))
		return status_format(arena, STATUS_INVALID_ARGUMENT,
				     ".npy version %u; known are 1 to 3", major);
	text_bytes = reader_u8(&reader);
	text_bytes |= (uint32_t)reader_u8(&reader) << 8;
	if (major > 1) {
		text_bytes |= (uint32_t)reader_u8(&reader) << 16;
		text_bytes |= (uint32_t)reader_u8(&reader) << 24;
	}
	text = reader_take(&reader, text_bytes);
	if (reader.failed)
		return status_make(STATUS_INVALID_ARGUMENT, "a damaged .npy header");
	TRY(entries_parse(text, &entries));
	header.data_at = (uint64_t)(reader.at - start.data);
	TRY(header_check(arena, &entries, file_bytes, use, &header));
	*ret = header;
	return status_ok();
}
