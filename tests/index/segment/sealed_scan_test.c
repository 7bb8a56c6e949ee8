/* The codes of a file, scanned: bounds hold, and what is left out is behind the horizon. */
#include "tests/index/segment/sealed_fixture.h"

#include "kernels/score.h"
#include "tests/kernels/random.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#define ROWS_MAX 3000

/* A query against one segment. */
struct asked {
	struct arena arena;
	float vector[400];
	struct codes8_query query;
};

static void ask(struct asked *asked, const struct room *room, const struct sealed *sealed,
		struct random *random)
{
	uint32_t dim = room->config.dim;

	arena_init(&asked->arena, 1 << 20);
	for (uint32_t i = 0; i < dim; i++)
		asked->vector[i] = random_signed(random);
	if (room->config.metric == METRIC_COSINE)
		vector_normalise(asked->vector, dim);
	cr_assert(!status_failed(
		sealed_query_init(sealed, &asked->arena, asked->vector, &asked->query)));
}

static float exact_score(const struct room *room, const struct asked *asked, uint32_t place)
{
	return score_exact(room->config.metric, asked->vector, room_vector(room, place),
			   room->config.dim);
}

static void check_bounds(const struct room *room, const struct sealed *sealed,
			 const struct asked *asked, const struct codes8_kernel *scanner)
{
	static float upper[ROWS_MAX], lower[ROWS_MAX];
	struct codes8_range range;

	sealed_range(sealed, 1, 0, 0, room->n, NULL, &range);
	cr_assert(!status_failed(codes8_bounds(scanner, &asked->query, &range, NULL,
					       (struct codes8_bounds_out){upper, lower})));
	for (uint32_t place = 0; place < room->n; place++) {
		float exact = exact_score(room, asked, place);

		cr_assert_leq(lower[place], exact);
		cr_assert_geq(upper[place], exact);
		cr_assert_lt(upper[place] - lower[place], 0.5F * (1 + fabsf(exact)));
	}
}

/* Every row is in the window, is dead, or comes after the horizon by its true key. */
static void check_window(const struct room *room, const struct sealed *sealed,
			 const struct asked *asked, const struct window *window,
			 uint64_t generation)
{
	static bool seen[ROWS_MAX];

	memset(seen, 0, sizeof seen);
	for (size_t i = 0; i < window->n; i++) {
		uint64_t place = window->keys[i].row - 7000;

		cr_assert(place < room->n && !seen[place]);
		cr_assert(sealed_alive(sealed, (uint32_t)place, generation));
		seen[place] = true;
	}
	for (uint32_t place = 0; place < room->n; place++) {
		struct key key = {exact_score(room, asked, place), 7000 + place};

		if (!seen[place] && sealed_alive(sealed, place, generation))
			cr_assert_not(key_before(key, window->horizon));
	}
}

static void check_propose(const struct room *room, const struct sealed *sealed,
			  const struct asked *asked, const struct codes8_kernel *scanner)
{
	for (uint64_t generation = 1; generation < 4; generation++) {
		SCOPED(window) window = &(struct window){0};
		struct codes8_probe probe = {&asked->query, window, 0};

		cr_assert(!status_failed(window_init(window, 40)));
		for (uint32_t place = 0; place < room->n;) {
			uint64_t bitmap[8];
			struct codes8_range range;

			sealed_range(sealed, generation, 7000, place, 500, bitmap, &range);
			cr_assert(!status_failed(codes8_propose(scanner, &probe, 1, &range, NULL)));
			place += range.n;
		}
		window_seal(window);
		cr_assert_eq(window->n, room->n < 40 ? room->n : 40);
		check_window(room, sealed, asked, window, generation);
	}
}

Test(sealed_scan, proposes_what_may_be_nearest_and_nothing_dead)
{
	static const struct sealed_made_of cases[] = {
		{METRIC_COSINE, ENCODING_FLOAT32, 384, 3000, 192, true},
		{METRIC_L2, ENCODING_FLOAT32, 100, 1000, 64, true},
		{METRIC_INNER_PRODUCT, ENCODING_FLOAT32, 65, 999, 32, false},
		{METRIC_COSINE, ENCODING_FLOAT16, 129, 700, 96, true},
		{METRIC_L2, ENCODING_FLOAT16, 5, 300, 0, false},
	};
	struct random random = {17};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct room room;
		SCOPED(sealed) sealed = NULL;

		room_init(&room, &cases[i], 50 + i);
		room_write(&room, 1);
		sealed = room_open(&room, 1);
		for (uint32_t place = 1; place < room.n; place += 2 + place % 5)
			sealed_kill(sealed, place, 2 + place % 2);
		for (int isa = CODES8_BEST; isa <= CODES8_VNNI; isa++) {
			const struct codes8_kernel *scanner = codes8_scanner((enum codes8_isa)isa);
			struct asked asked;

			if (!scanner) {
				fprintf(stderr, "SKIPPED kernel %d: this processor lacks it\n",
					isa);
				continue;
			}
			ask(&asked, &room, sealed, &random);
			check_bounds(&room, sealed, &asked, scanner);
			check_propose(&room, sealed, &asked, scanner);
			arena_finish(&asked.arena);
		}
		room_finish(&room);
	}
}
