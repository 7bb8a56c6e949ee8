/* faiss_file - what FAISS wrote comes back; what it did not write is refused, whatever it is. */
#include "kernels/base/bytes.h"
#include "service/cli/faiss_file.h"
#include "tests/kernels/random.h"
#include "tests/support/faiss_index.h"
#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { dim = 4, n_rows = 24, n_more = 80 };

static struct world {
	struct scratch scratch;
	struct arena arena;
	char path[512];
	float rows[n_more][dim];
	int64_t ids[n_rows]; /* neither small nor in order */
} world;

static void open_world(void)
{
	struct random random = {11};

	scratch_open(&world.scratch);
	arena_init(&world.arena, (size_t)1 << 20);
	snprintf(world.path, sizeof world.path, "%s/some.faiss", world.scratch.path);
	for (size_t i = 0; i < (size_t)n_more * dim; i++)
		world.rows[i / dim][i % dim] = random_signed(&random);
	for (int64_t i = 0; i < n_rows; i++)
		world.ids[i] = (INT64_C(1) << 40) + i * 1009 % 37 * (i % 2 ? 1 : -1);
}

static void close_world(void)
{
	arena_finish(&world.arena);
	scratch_close(&world.scratch);
}

TestSuite(faiss_file, .init = open_world, .fini = close_world, .timeout = 120);

/* --- what FAISS wrote --- */

static const struct kind {
	const char *factory;
	bool own_ids, by_id, lossy;
	uint32_t n_trained;
} kinds[] = {
	{"Flat", .n_trained = 24},
	{"IDMap,Flat", .own_ids = true, .n_trained = 24},
	{"IDMap2,Flat", .own_ids = true, .n_trained = 24},
	{"IVF4,Flat", .n_trained = 24},
	{"IVF4,Flat", .own_ids = true, .by_id = true, .n_trained = 24},
	/* Most lists are empty: their sizes are written in another form. */
	{"IVF78,Flat", .own_ids = true, .by_id = true, .n_trained = n_more},
	{"IVF4_HNSW4,Flat", .own_ids = true, .by_id = true, .n_trained = n_more},
	{"IDMap,IVF4,Flat", .own_ids = true, .n_trained = 24},
	{"HNSW4,Flat", .n_trained = 24},
	{"IDMap,HNSW4,Flat", .own_ids = true, .n_trained = 24},
	{"SQ8", .lossy = true, .n_trained = n_more},
	{"SQfp16", .lossy = true, .n_trained = n_more},
	{"IDMap,SQ8", .own_ids = true, .n_trained = 24, .lossy = true},
};

#define N_KINDS (sizeof kinds / sizeof *kinds)

static void write_kind(const struct kind *kind, bool inner_product, float *ret_decoded)
{
	struct faiss_index index = {
		.factory = kind->factory,
		.inner_product = inner_product,
		.dim = dim,
		.n = n_rows,
		.n_trained = kind->n_trained,
		.rows = world.rows[0],
		.ids = kind->own_ids ? world.ids : NULL,
	};

	cr_assert(faiss_index_write(&index, world.path, ret_decoded));
}

static int compare_by_id(const void *a, const void *b)
{
	int64_t x = world.ids[*(const size_t *)a], y = world.ids[*(const size_t *)b];

	return x < y ? -1 : x > y;
}

/* Every row and id, in order; tolerance  for numbers. */
static void want_rows(const struct kind *kind, const float *rows, float tolerance)
{
	SCOPED(faiss_file) file = NULL;
	status opened = faiss_file_open(&world.arena, world.path, &file);
	size_t order[n_rows];

	cr_assert_eq(opened.code, STATUS_OK, "%s: %s", kind->factory, opened.detail);
	cr_assert_eq(faiss_file_shape(file)->rows, n_rows);
	cr_assert_eq(faiss_file_shape(file)->dimension, dim);
	for (size_t i = 0; i < n_rows; i++)
		order[i] = i;
	if (kind->by_id)
		qsort(order, n_rows, sizeof *order, compare_by_id);
	for (size_t i = 0; i < n_rows; i++) {
		const float *want = rows + order[i] * dim;
		float got[dim];
		int64_t id;

		cr_assert_eq(faiss_file_read(file, i, &id, got).code, STATUS_OK);
		cr_assert_eq(id, kind->own_ids ? world.ids[order[i]] : (int64_t)i, "%s, row %zu",
			     kind->factory, i);
		for (size_t k = 0; k < dim; k++)
			cr_assert(fabsf(got[k] - want[k]) <= tolerance, "%s, row %zu: %a, not %a",
				  kind->factory, i, (double)got[k], (double)want[k]);
	}
}

Test(faiss_file, gives_vectors_and_ids_of_every_kind)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		if (kinds[i].lossy)
			continue;
		write_kind(&kinds[i], false, NULL);
		want_rows(&kinds[i], world.rows[0], 0);
	}
}

/* FAISS may be built with or without fused products: the last bit is its own. */
Test(faiss_file, decodes_as_FAISS_does)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		float decoded[n_rows][dim];
		struct kind plain = kinds[i];

		if (!plain.lossy)
			continue;
		/* An IDMap does not decode by number, but its codes are the same. */
		if (plain.own_ids)
			plain = (struct kind){"SQ8", .lossy = true, .n_trained = plain.n_trained};
		write_kind(&plain, false, decoded[0]);
		write_kind(&kinds[i], false, NULL);
		want_rows(&kinds[i], decoded[0], 2e-7F);
	}
}

Test(faiss_file, knows_the_metric)
{
	for (size_t i = 0; i < 2 * N_KINDS; i++) {
		SCOPED(faiss_file) file = NULL;

		write_kind(&kinds[i / 2], i % 2, NULL);
		cr_assert_eq(faiss_file_open(&world.arena, world.path, &file).code, STATUS_OK);
		cr_assert_eq(faiss_file_shape(file)->inner_product, i % 2, "%s",
			     kinds[i / 2].factory);
	}
}

/* --- what it did not write --- */

struct content {
	uint8_t *data;
	size_t size;
};

static struct content content_read(void)
{
	struct content content = {malloc(1 << 16), 0};
	FILE *in = fopen(world.path, "rbe");

	cr_assert(in && content.data);
	content.size = fread(content.data, 1, 1 << 16, in);
	cr_assert(content.size > 0 && content.size < 1 << 16);
	fclose(in);
	return content;
}

/* Some bytes of the file that is there. */
static void content_patch(size_t at, const void *data, size_t size)
{
	FILE *file = fopen(world.path, "r+be");

	cr_assert(file && fseek(file, (long)at, SEEK_SET) == 0);
	cr_assert_eq(fwrite(data, 1, size, file), size);
	cr_assert_eq(fclose(file), 0);
}

static void content_write(const uint8_t *data, size_t size)
{
	FILE *out = fopen(world.path, "wbe");

	cr_assert_not_null(out);
	cr_assert_eq(fwrite(data, 1, size, out), size);
	cr_assert_eq(fclose(out), 0);
}

/* INVALID_ARGUMENT, in one line that names the file. */
static void want_refused(const char *word)
{
	SCOPED(faiss_file) file = NULL;
	status opened = faiss_file_open(&world.arena, world.path, &file);

	cr_assert_eq(opened.code, STATUS_INVALID_ARGUMENT, "%s", opened.detail);
	cr_assert(strstr(opened.detail, world.path), "%s", opened.detail);
	cr_assert(strstr(opened.detail, word), "%s", opened.detail);
	cr_assert_null(strchr(opened.detail, '\n'));
	arena_reset(&world.arena);
}

/* It opens and gives every row, or it is refused; under AddressSanitizer that says much. */
static bool opens_or_is_refused(void)
{
	SCOPED(faiss_file) file = NULL;
	status opened = faiss_file_open(&world.arena, world.path, &file);
	const struct faiss_shape *shape;
	float *row;

	if (status_failed(opened)) {
		cr_assert_eq(opened.code, STATUS_INVALID_ARGUMENT, "%s", opened.detail);
		arena_reset(&world.arena);
		return false;
	}
	shape = faiss_file_shape(file);
	row = calloc(shape->dimension, sizeof *row);
	for (uint64_t i = 0; i < shape->rows; i++) {
		int64_t id;

		cr_assert_eq(faiss_file_read(file, i, &id, row).code, STATUS_OK);
	}
	free(row);
	return true;
}

Test(faiss_file, refuses_every_beginning_of_an_index)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		struct content whole;

		write_kind(&kinds[i], false, NULL);
		whole = content_read();
		for (size_t size = whole.size; size-- > 0;) {
			cr_assert_eq(truncate(world.path, (off_t)size), 0);
			want_refused("");
		}
		free(whole.data);
	}
}

Test(faiss_file, refuses_what_follows_an_index)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		struct content whole;

		write_kind(&kinds[i], false, NULL);
		whole = content_read();
		content_write(whole.data, whole.size + 1);
		want_refused("more follows");
		free(whole.data);
	}
}

Test(faiss_file, survives_any_flipped_bit)
{
	for (size_t i = 0; i < N_KINDS; i++) {
		struct content whole;
		size_t n_refused = 0;

		write_kind(&kinds[i], false, NULL);
		whole = content_read();
		for (size_t at = 0; at < whole.size; at++) {
			uint8_t flipped = whole.data[at] ^ (uint8_t)(1 << at * 5 % 8);

			content_patch(at, &flipped, 1);
			n_refused += !opens_or_is_refused();
			content_patch(at, &whole.data[at], 1);
		}
		/* At least what is in the header and is a length. */
		cr_assert_gt(n_refused, 20, "%s: %zu", kinds[i].factory, n_refused);
		free(whole.data);
	}
}

/* Numbers that are as large as they can be, at every place. */
Test(faiss_file, survives_numbers_out_of_range)
{
	static const uint64_t numbers[] = {UINT64_MAX, UINT64_C(1) << 61, 0};

	for (size_t i = 0; i < N_KINDS; i++) {
		struct content whole;

		write_kind(&kinds[i], false, NULL);
		whole = content_read();
		for (size_t at = 0; at + 8 <= whole.size; at++) {
			content_patch(at, &numbers[at % 3], 8);
			opens_or_is_refused();
			content_patch(at, whole.data + at, 8);
		}
		free(whole.data);
	}
}

Test(faiss_file, says_what_it_does_not_read)
{
	static const struct kind lsh = {"LSH", .n_trained = 24}, sq4 = {"SQ4", .n_trained = 24};
	struct content flat;

	write_kind(&lsh, false, NULL);
	want_refused("kind IxHe");
	write_kind(&sq4, false, NULL);
	want_refused("scalar quantizer of FAISS's type 1");
	write_kind(&kinds[0], false, NULL);
	flat = content_read();
	flat.data[33] = 2;
	content_write(flat.data, flat.size);
	want_refused("metric 2");
	content_write((const uint8_t *)"{\"id\": \"a\"}\n", 12);
	want_refused("no index of FAISS");
	free(flat.data);
}

Test(faiss_file, refuses_an_empty_index)
{
	static const char *const factories[] = {"Flat", "IVF4,Flat", "HNSW4,Flat", "IDMap,Flat"};

	for (size_t i = 0; i < sizeof factories / sizeof *factories; i++) {
		struct faiss_index index = {.factory = factories[i],
					    .dim = dim,
					    .n_trained = n_more,
					    .rows = world.rows[0]};

		cr_assert(faiss_index_write(&index, world.path, NULL));
		want_refused("holds no vector");
	}
}

Test(faiss_file, refuses_what_is_no_regular_file)
{
	SCOPED(faiss_file) file = NULL;

	cr_assert_eq(faiss_file_open(&world.arena, "/dev/null", &file).code,
		     STATUS_INVALID_ARGUMENT);
	cr_assert_eq(faiss_file_open(&world.arena, world.scratch.path, &file).code,
		     STATUS_INVALID_ARGUMENT);
	cr_assert_eq(faiss_file_open(&world.arena, world.path, &file).code, STATUS_UNAVAILABLE);
}
