#include "tests/kernels/cpu/fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

void prepare(struct prepared *prepared, enum metric metric, const float *query, uint32_t dim)
{
	arena_init(&prepared->arena, 1 << 20);
	cr_assert(!status_failed(
		scan_query_init(&prepared->query, &prepared->arena, metric, query, dim)));
}

size_t scanners_open_all(struct scanner *ret[3])
{
	size_t n = 0;

	for (int kernel = CPU_KERNEL_PORTABLE; kernel <= CPU_KERNEL_AVX512; kernel++) {
		if (!scanner_cpu_supported((enum cpu_kernel)kernel))
			fprintf(stderr, "SKIPPED kernel %d: this processor lacks it\n", kernel);
		else
			cr_assert(!status_failed(
				scanner_cpu_open((enum cpu_kernel)kernel, &ret[n++])));
	}
	return n;
}

void scanners_close_all(struct scanner *scanners[3], size_t n)
{
	for (size_t i = 0; i < n; i++)
		scanner_close(scanners[i]);
}

void draw_whole(struct random *random, float *ret, uint32_t dim)
{
	for (size_t i = 0; i < dim; i++)
		ret[i] = (float)random_below(random, 3) - 1;
}

static int key_order(const void *a, const void *b)
{
	const struct key *left = a, *right = b;

	return key_before(*right, *left) - key_before(*left, *right);
}

bool is_visible(const struct scan_range *range, size_t i)
{
	return !range->visible || (range->visible[i / 64] >> i % 64 & 1);
}

size_t keys_by_bounds(struct scanner *scanner, const struct scan_query *query,
		      const struct scan_range *range, struct key *ret)
{
	static float upper[ROWS_MAX], lower[ROWS_MAX];
	size_t n = 0;

	cr_assert(!status_failed(scanner_bounds(scanner, query, range, NULL, upper, lower)));
	for (size_t i = 0; i < range->n; i++) {
		if (is_visible(range, i))
			ret[n++] = (struct key){upper[i], range->row_base + range->first + i};
	}
	return n;
}

void window_check(const struct window *window, struct key *keys, size_t n)
{
	size_t want = n < window->width ? n : window->width;

	qsort(keys, n, sizeof *keys, key_order);
	cr_assert_eq(window->n, want);
	for (size_t i = 0; i < want; i++) {
		cr_assert_eq(window->keys[i].row, keys[i].row, "key %zu of %zu", i, want);
		cr_assert_eq(window->keys[i].score, keys[i].score);
	}
	cr_assert(n <= want || key_before(window->horizon, keys[want]));
	cr_assert(n > want || window->horizon.row == KEY_LAST.row);
}
