/* What a scan puts into a window, against scores of all rows by their codes; in every kernel. */
#include "tests/kernels/cpu/codes4_fixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 300

/* What is scanned: rows, and tables that no vector need have given. */
struct world {
	uint8_t *codes; /* [n][groups] */
	unsigned char *blocks;
	uint32_t n;
	_Alignas(32) uint8_t tables[CODES4_GROUPS_MAX * 16];
	struct codes4_query query;
};

/* levels  the number of them: few make ties. */
static void world_init(struct world *world, struct random *random, uint32_t groups, uint32_t n,
		       uint32_t levels)
{
	struct codes4_model model = {.groups = groups};

	world->n = n;
	world->codes = malloc((size_t)n * groups + 1);
	cr_assert(world->codes);
	world->blocks = packed_draw(random, &model, n, world->codes);
	for (size_t i = 0; i < sizeof world->tables; i++)
		world->tables[i] = (uint8_t)random_below(random, levels);
	world->query = (struct codes4_query){
		.groups = groups,
		.tables = world->tables,
		.scale = 0x1p-9F * (1 + random_signed(random) / 2),
		.bias = random_signed(random),
	};
}

static void world_finish(struct world *world)
{
	free(world->codes);
	free(world->blocks);
}

static float score_of(const struct world *world, float base, uint32_t row)
{
	float shift = base + world->query.bias, product;
	unsigned sum = 0;

	for (size_t g = 0; g < world->query.groups; g++)
		sum += world->tables[g * 16 + world->codes[row * world->query.groups + g]];
	product = world->query.scale * (float)sum;
	return shift + product;
}

/* asked - rows about which a scan asked, and what it was told. */
struct asked {
	uint32_t modulus;
	float base, least; /* the threshold there was at first */
	const struct world *world;
};

static bool is_visible(const void *context, uint32_t row)
{
	const struct asked *asked = context;

	cr_assert_geq(score_of(asked->world, asked->base, row), asked->least);
	return row % asked->modulus != 0;
}

static void check_found(const char *name, const struct window *found, const struct window *want)
{
	cr_assert_eq(found->n, want->n, "%s: %zu of %zu", name, found->n, want->n);
	for (size_t i = 0; i < want->n; i++) {
		cr_assert_eq(found->keys[i].row, want->keys[i].row);
		cr_assert_eq(found->keys[i].score, want->keys[i].score);
	}
	cr_assert_eq(found->horizon.row, want->horizon.row);
}

/* The same rows, by sums that were made before. */
static void check_scan_sums(const struct codes4_kernel *kernel, const struct world *world,
			    const struct codes4_range *range, struct key threshold,
			    const struct window *want)
{
	_Alignas(32) uint16_t sums[ROWS_MAX + CODES4_ROWS];
	struct window found;

	codes4_sums(kernel, &world->query, world->blocks, world->n, sums);
	cr_assert(!status_failed(window_init(&found, want->width)));
	found.threshold = threshold;
	codes4_scan_sums(&world->query, range, sums, &found);
	window_seal(&found);
	check_found(codes4_scanner_name(kernel), &found, want);
	window_finish(&found);
}

/* A scan by each kernel and by hand, from the same window on. */
static void check_scan(const struct world *world, const struct codes4_range *range, size_t width,
		       struct key threshold)
{
	const struct asked *asked = range->context;
	const struct codes4_kernel *kernels[SCANNERS_MAX];
	size_t n = kernels_all(kernels);
	struct window want;

	cr_assert(!status_failed(window_init(&want, width)));
	want.threshold = threshold;
	for (uint32_t row = range->first; row < range->first + range->n; row++) {
		if (!range->visible || row % asked->modulus != 0)
			window_offer(&want, (struct key){score_of(world, range->base, row), row});
	}
	window_seal(&want);
	for (size_t k = 0; k < n; k++) {
		struct window found;

		cr_assert(!status_failed(window_init(&found, width)));
		found.threshold = threshold;
		codes4_scan(kernels[k], &world->query, range, &found);
		window_seal(&found);
		check_found(codes4_scanner_name(kernels[k]), &found, &want);
		window_finish(&found);
		check_scan_sums(kernels[k], world, range, threshold, &want);
	}
	window_finish(&want);
}

static int32_t sum_of(const struct world *world, uint32_t row, uint32_t n_groups)
{
	int32_t sum = 0;

	for (size_t g = 0; g < n_groups; g++)
		sum += world->tables[g * 16 + world->codes[row * world->query.groups + g]];
	return sum;
}

/* All rows, against a threshold between two sums: by each kernel, and by hand. */
static void check_first_pairs(const struct world *world, struct key threshold, size_t *offered,
			      size_t *left_out)
{
	const struct codes4_range range = {.codes = world->blocks, .n = world->n, .base = 0.5F};
	const struct codes4_kernel *kernels[SCANNERS_MAX];
	size_t n = kernels_all(kernels);
	int32_t least = (int32_t)ceilf((threshold.score - 0.5F) * 0x1p9F);
	bool is_tested = world->query.first > 0 && least - 1 - world->query.rest >= 0;

	for (size_t k = 0; k < n; k++) {
		struct window found;
		size_t at = 0;

		cr_assert(!status_failed(window_init(&found, ROWS_MAX)));
		found.threshold = threshold;
		codes4_scan(kernels[k], &world->query, &range, &found);
		window_seal(&found);
		for (uint32_t row = 0; row < world->n; row++) {
			int32_t first = sum_of(world, row, 2 * world->query.first);
			bool passes = !is_tested || first > least - 1 - world->query.rest;
			bool is_found = false;

			if (sum_of(world, row, world->query.groups) < least)
				continue;
			for (size_t i = 0; i < found.n; i++)
				is_found |= found.keys[i].row == row;
			cr_assert_eq(is_found, passes, "%s: row %u",
				     codes4_scanner_name(kernels[k]), row);
			at += passes;
			*left_out += !passes;
		}
		cr_assert_eq(found.n, at);
		*offered += at;
		window_finish(&found);
	}
}

/* A threshold at a row, beside one, or none. */
static struct key draw_threshold(struct random *random, const struct world *world, float base)
{
	uint32_t row = (uint32_t)random_below(random, world->n);
	float score = score_of(world, base, row);

	switch (random_below(random, 5)) {
	case 0:
		return KEY_LAST;
	case 1:
		return (struct key){nextafterf(score, INFINITY), row};
	case 2:
		return (struct key){nextafterf(score, -INFINITY), row};
	case 3:
		return random_below(random, 8) ? (struct key){score + 1, 0} : KEY_FIRST;
	default:
		return (struct key){score, row};
	}
}

Test(codes4_scan, offers_what_may_be_before_the_threshold)
{
	static const uint32_t groups[] = {2, 4, 6, 10, 48, 96, 254, 256};
	static const float bases[] = {0, 0.7F, -3e4F, 1e20F, -1e30F};
	struct random random = {31};

	for (size_t turn = 0; turn < 4000; turn++) {
		uint32_t n = 1 + (uint32_t)random_below(&random, ROWS_MAX), first;
		struct codes4_range range;
		struct asked asked;
		struct world world;

		world_init(&world, &random, groups[turn % COUNT(groups)], n,
			   turn % 3 ? CODES4_LEVELS : 2);
		if (turn % 50 == 0)
			world.query.scale = 0;
		for (int i = 0; i < 8; i++) {
			struct key threshold;

			first = (uint32_t)random_below(&random, n + 1U);
			range = (struct codes4_range){
				.codes = world.blocks,
				.first = first,
				.n = (uint32_t)random_below(
					&random, (n - first < 200 ? n - first : 200) + 1U),
				.base = bases[random_below(&random, COUNT(bases))],
				.context = &asked,
				.visible = random_below(&random, 3) ? NULL : is_visible,
			};
			threshold = draw_threshold(&random, &world, range.base);
			asked = (struct asked){1 + (uint32_t)random_below(&random, 3), range.base,
					       threshold.score, &world};
			check_scan(&world, &range, 1 + random_below(&random, 64), threshold);
		}
		world_finish(&world);
	}
}

/* Rows whose first pairs fall short of what the others may add are left out, whatever these add. The
 * window holds all, so that the threshold stays where it is. */
Test(codes4_scan, leaves_out_rows_by_their_first_pairs)
{
	static const uint32_t groups[] = {10, 46, 48, 96, 254};
	struct random random = {34};
	size_t left_out = 0, offered = 0;

	for (size_t turn = 0; turn < 400; turn++) {
		uint32_t n_groups = groups[turn % COUNT(groups)];
		struct key threshold;
		struct world world;

		world_init(&world, &random, n_groups, ROWS_MAX, CODES4_LEVELS);
		world.query.first = (1 + (uint32_t)random_below(&random, n_groups / 4)) * 2;
		world.query.rest =
			(int32_t)((n_groups - 2 * world.query.first) * random_below(&random, 50));
		threshold = draw_threshold(&random, &world, 0.5F);
		/* A whole number of levels, so that no rounding decides. */
		world.query.scale = 0x1p-9F;
		world.query.bias = 0;
		threshold.score =
			0.5F + 0x1p-9F * (float)(n_groups * random_below(&random, 44)) - 0x1p-10F;
		check_first_pairs(&world, threshold, &offered, &left_out);
		world_finish(&world);
	}
	cr_assert_gt(offered, 1000);
	cr_assert_gt(left_out, 1000);
}

Test(codes4_scan, goes_on_from_list_to_list)
{
	struct random random = {32};

	for (int turn = 0; turn < 50; turn++) {
		const struct codes4_kernel *kernels[SCANNERS_MAX];
		size_t n_kernels = kernels_all(kernels), width = 1 + random_below(&random, 64);
		struct window windows[SCANNERS_MAX];
		struct world world;

		world_init(&world, &random, 96, ROWS_MAX, CODES4_LEVELS);
		for (size_t k = 0; k < n_kernels; k++) {
			cr_assert(!status_failed(window_init(&windows[k], width)));
			for (uint32_t first = 0; first < ROWS_MAX; first += 37) {
				struct codes4_range range = {
					.codes = world.blocks,
					.first = first,
					.n = ROWS_MAX - first < 37 ? ROWS_MAX - first : 37,
					.base = (float)(first % 5) * 0.01F,
				};

				codes4_scan(kernels[k], &world.query, &range, &windows[k]);
			}
			window_seal(&windows[k]);
			cr_assert_eq(windows[k].n, width);
			for (size_t i = 0; i < width; i++) {
				uint32_t row = (uint32_t)windows[k].keys[i].row;

				cr_assert_eq(windows[k].keys[i].row, windows[0].keys[i].row);
				cr_assert_eq(
					windows[k].keys[i].score,
					score_of(&world, (float)(row / 37 * 37 % 5) * 0.01F, row));
			}
		}
		for (size_t k = 0; k < n_kernels; k++)
			window_finish(&windows[k]);
		world_finish(&world);
	}
}

Test(codes4_scan, sums_the_most_groups_at_the_highest_level)
{
	struct random random = {33};
	struct world world;

	world_init(&world, &random, CODES4_GROUPS_MAX, 65, 1);
	memset(world.tables, CODES4_LEVELS - 1, sizeof world.tables);
	world.query.scale = 1;
	world.query.bias = 0;
	for (uint32_t n = 0; n <= 65; n++) {
		struct codes4_range range = {.codes = world.blocks, .n = n};
		float most = (CODES4_LEVELS - 1) * CODES4_GROUPS_MAX;

		for (int up = -1; up <= 1; up++)
			check_scan(&world, &range, 64, (struct key){most + (float)up * 0.5F, 32});
	}
	world_finish(&world);
}

/* Of as many rows as there are and no more, also where the tables would let a scan leave most out. */
Test(codes4_scan, scores_all_rows_one_after_the_other)
{
	static const uint32_t lengths[] = {1, 31, 32, 33, 64, 65, 96, 200};
	const struct codes4_kernel *kernels[SCANNERS_MAX];
	size_t n_kernels = kernels_all(kernels);
	struct random random = {34};

	for (size_t i = 0; i < COUNT(lengths); i++) {
		uint32_t n = lengths[i], groups = 2 + 2 * (uint32_t)random_below(&random, 100);
		float scores[ROWS_MAX];
		struct world world;

		world_init(&world, &random, groups, n, CODES4_LEVELS);
		world.query.first = groups / 4 / 2 * 2;
		for (size_t k = 0; k < n_kernels; k++) {
			for (size_t row = 0; row < ROWS_MAX; row++)
				scores[row] = -1234;
			codes4_scores(kernels[k], &world.query, world.blocks, n, 0.25F, scores);
			for (uint32_t row = 0; row < n; row++)
				cr_assert_eq(scores[row], score_of(&world, 0.25F, row));
			for (uint32_t row = n; row < ROWS_MAX; row++)
				cr_assert_eq(scores[row], -1234);
		}
		world_finish(&world);
	}
}
