/* npy - headers good and hostile, halves, rows, and what the writer leaves behind. */
#include "service/cli/npy.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A version 1 header around the dictionary; its size. */
static size_t header_make(uint8_t *ret, const char *dictionary)
{
	size_t size = strlen(dictionary);

	memcpy(ret, "\x93NUMPY\x01\x00", 8);
	ret[8] = (uint8_t)size;
	ret[9] = (uint8_t)(size >> 8);
	memcpy(ret + 10, dictionary, size);
	return 10 + size;
}

static status parse(struct arena *arena, const char *dictionary, uint64_t data_bytes,
		    struct npy_header *ret)
{
	uint8_t start[1024];
	size_t size = header_make(start, dictionary);

	return npy_header_parse(arena, bytes_of(start, size), size + data_bytes, NPY_ANYTHING, ret);
}

static const struct {
	const char *dictionary;
	uint64_t data_bytes;
	enum npy_type type;
	uint64_t rows;
	uint32_t columns;
} good[] = {
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  \n", 24, NPY_FLOAT32, 2, 3},
	{"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3)}", 12, NPY_FLOAT16, 2, 3},
	{"{'shape':(5,),'fortran_order':False,'descr':'<i4'}", 20, NPY_INT32, 1, 5},
	{"{\"descr\": \"<f4\", \"shape\": (0, 384), \"fortran_order\": False,}", 0, NPY_FLOAT32, 0,
	 384},
};

Test(npy, reads_the_headers_that_numpy_writes)
{
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct npy_header header;
		status parsed;

		arena_init(arena, 65536);
		parsed = parse(arena, good[i].dictionary, good[i].data_bytes, &header);

		cr_assert(!status_failed(parsed), "case %zu: %s", i, parsed.detail);
		cr_assert_eq(header.type, good[i].type);
		cr_assert_eq(header.rows, good[i].rows);
		cr_assert_eq(header.columns, good[i].columns);
	}
}

static const struct {
	const char *dictionary;
	uint64_t data_bytes;
} bad[] = {
	{"", 0},
	{"{", 0},
	{"{}", 0},
	{"{'descr': '<f4', 'fortran_order': False}", 24},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", 24},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", 24},
	{"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", 24},
	{"{'descr': '<f4', 'fortran_order': Perhaps, 'shape': (2, 3)}", 24},
	{"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}", 24},
	{"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}", 48},
	{"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", 24},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 4},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)}", 24},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0)}", 0},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}", 24},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 23},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", 25},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999)}", 399999996},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}", 0},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4)}", 0},
	{"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1)}", 4},
	{"{'descr: '<f4', 'fortran_order': False, 'shape': (2, 3)}", 24},
};

Test(npy, refuses_headers_that_are_damaged_or_lie)
{
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct npy_header header;
		status parsed;

		arena_init(arena, 65536);
		parsed = parse(arena, bad[i].dictionary, bad[i].data_bytes, &header);

		cr_assert_eq(parsed.code, STATUS_INVALID_ARGUMENT, "case %zu", i);
		cr_assert_not_null(parsed.detail);
	}
}

static const struct {
	const char *type;
	enum npy_use use;
	const char *want; /* NULL: taken */
} uses[] = {
	{"<f4", NPY_VECTORS, NULL},
	{"<f2", NPY_VECTORS, NULL},
	{"<i4", NPY_ANYTHING, NULL},
	{"<i4", NPY_VECTORS,
	 "numbers of type '<i4'; vectors must be float32 or float16, little-endian"},
	{"<f8", NPY_VECTORS,
	 "numbers of type '<f8'; vectors must be float32 or float16, little-endian"},
	{"<f8", NPY_ANYTHING,
	 "numbers of type '<f8'; it must be float32, float16 or int32, little-endian"},
};

Test(npy, takes_for_vectors_only_what_vectors_may_be)
{
	for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
		struct arena memory;
		SCOPED(arena) arena = &memory;
		struct npy_header header;
		char dictionary[128];
		uint8_t start[256];
		size_t size;
		status parsed;

		arena_init(arena, 65536);
		snprintf(dictionary, sizeof dictionary,
			 "{'descr': '%s', 'fortran_order': False, 'shape': (0, 3)}", uses[i].type);
		size = header_make(start, dictionary);
		parsed = npy_header_parse(arena, bytes_of(start, size), size, uses[i].use, &header);

		if (uses[i].want)
			cr_assert_str_eq(parsed.detail, uses[i].want);
		else
			cr_assert(!status_failed(parsed), "case %zu: %s", i, parsed.detail);
	}
}

Test(npy, refuses_every_header_that_is_cut)
{
	uint8_t start[256];
	size_t size =
		header_make(start, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");

	for (size_t cut = 0; cut < size; cut++) {
		struct npy_header header;

		cr_assert(status_failed(npy_header_parse(NULL, bytes_of(start, cut), cut + 24,
							 NPY_ANYTHING, &header)));
	}
}

Test(npy, reads_the_longer_length_of_version_two)
{
	static const char dictionary[] =
		"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1), }";
	uint8_t start[256] = "\x93NUMPY\x02";
	struct npy_header header;

	start[8] = sizeof dictionary - 1;
	memcpy(start + 12, dictionary, sizeof dictionary - 1);

	cr_assert(!status_failed(npy_header_parse(NULL, bytes_of(start, 12 + sizeof dictionary - 1),
						  12 + sizeof dictionary - 1 + 4, NPY_ANYTHING,
						  &header)));
	cr_assert_eq(header.data_at, 12 + sizeof dictionary - 1);
}

Test(npy, gives_every_half_its_exact_value)
{
	for (uint32_t half = 0; half < 65536; half++) {
		int exponent = (int)(half >> 10 & 31);
		double mantissa = half & 1023, sign = half >> 15 ? -1 : 1, want;
		float got = half_to_float((uint16_t)half);

		if (exponent == 31 && mantissa > 0) {
			cr_assert(isnan(got));
			continue;
		}
		want = exponent == 31  ? sign * HUGE_VAL
		       : exponent == 0 ? sign * ldexp(mantissa, -24)
				       : sign * ldexp(1024 + mantissa, exponent - 25);
		cr_assert((double)got == want, "half %04x", half);
		cr_assert_eq(signbit(got) != 0, half >> 15 != 0, "half %04x", half);
	}
}

/* A path that is free; the caller removes the file. */
static void path_make(char *ret, size_t size)
{
	const char *folder = getenv("TEST_TMPDIR");
	int fd;

	snprintf(ret, size, "%s/npy_XXXXXX", folder ? folder : "/tmp");
	fd = mkstemp(ret);
	cr_assert(fd >= 0);
	close(fd);
}

Test(npy, reads_back_what_it_has_written)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	SCOPED(npy_writer) writer = NULL;
	SCOPED(npy) npy = NULL;
	const float rows[3][2] = {{1, -2}, {0.1F, 3e38F}, {-0.0F, 1e-45F}};
	float row[2];
	char path[256];

	arena_init(arena, 1 << 20);
	path_make(path, sizeof path);
	cr_assert(!status_failed(npy_writer_open(arena, path, 2, &writer)));
	for (size_t i = 0; i < 3; i++)
		cr_assert(!status_failed(npy_writer_append(writer, rows[i])));
	cr_assert(!status_failed(npy_writer_finish(writer)));

	cr_assert(!status_failed(npy_open(arena, path, &npy)));
	cr_assert_eq(npy_header_of(npy)->rows, 3);
	cr_assert_eq(npy_header_of(npy)->columns, 2);
	for (size_t i = 3; i-- > 0;) {
		cr_assert(!status_failed(npy_read_floats(npy, i, row)));
		cr_assert_eq(memcmp(row, rows[i], sizeof row), 0, "row %zu", i);
	}
	unlink(path);
}

Test(npy, notices_that_a_file_has_shrunk)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	SCOPED(npy_writer) writer = NULL;
	SCOPED(npy) npy = NULL;
	float row[4] = {0};
	char path[256];

	arena_init(arena, 1 << 20);
	path_make(path, sizeof path);
	cr_assert(!status_failed(npy_writer_open(arena, path, 4, &writer)));
	cr_assert(!status_failed(npy_writer_append(writer, row)));
	cr_assert(!status_failed(npy_writer_finish(writer)));
	cr_assert(!status_failed(npy_open(arena, path, &npy)));
	cr_assert_eq(truncate(path, 130), 0);

	cr_assert_eq(npy_read_floats(npy, 0, row).code, STATUS_UNAVAILABLE);
	unlink(path);
}

Test(npy, says_why_a_file_cannot_be_opened)
{
	struct arena memory;
	SCOPED(arena) arena = &memory;
	SCOPED(npy) npy = NULL;
	status opened;

	arena_init(arena, 65536);
	opened = npy_open(arena, "/nowhere/vectors.npy", &npy);

	cr_assert_str_eq(opened.detail,
			 "cannot open /nowhere/vectors.npy: No such file or directory");
	cr_assert(status_failed(npy_open(arena, "/", &npy)));
}
