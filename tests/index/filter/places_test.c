/* places - a set of bits, against an array of bools. */
#include "index/filter/places.h"

#include <criterion/criterion.h>

#include <string.h>

#define N_MAX 300

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct places *draw(uint64_t n, bool *ret_want, uint64_t *state)
{
	struct places *places = NULL;

	cr_assert(!status_failed(places_open(n, &places)));
	for (uint64_t i = 0; i < n; i++) {
		ret_want[i] = next_random(state) % 3 == 0;
		if (ret_want[i])
			places_add(places, i);
	}
	places_count(places);
	return places;
}

static void check(struct places *places, const bool *want)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < places->n; i++) {
		cr_assert_eq(places_have(places, i), want[i], "%lu", (unsigned long)i);
		count += want[i];
	}
	cr_assert_eq(places_count(places), count);
}

static const uint64_t sizes[] = {0, 1, 63, 64, 65, 128, 200, N_MAX};

#define N_SIZES (sizeof sizes / sizeof *sizes)

Test(places, unite_intersect_and_subtract)
{
	uint64_t state = 3;

	for (size_t s = 0; s < N_SIZES; s++) {
		bool a[N_MAX], b[N_MAX], want[N_MAX];
		SCOPED(places) x = draw(sizes[s], a, &state);
		SCOPED(places) y = draw(sizes[s], b, &state);

		places_unite(x, y);
		for (size_t i = 0; i < sizes[s]; i++)
			want[i] = a[i] || b[i];
		check(x, want);
		places_subtract(x, y);
		for (size_t i = 0; i < sizes[s]; i++)
			want[i] = a[i] && !b[i];
		check(x, want);
		places_fill(x);
		places_intersect(x, y);
		check(x, b);
		places_clear(x);
		cr_assert_eq(places_count(x), 0);
	}
}

Test(places, fill_no_further_than_there_are)
{
	for (size_t s = 0; s < N_SIZES; s++) {
		SCOPED(places) places = NULL;

		cr_assert(!status_failed(places_open(sizes[s], &places)));
		places_fill(places);
		cr_assert_eq(places_count(places), sizes[s]);
	}
}

Test(places, copy_any_range)
{
	bool want[N_MAX];
	uint64_t state = 5, bits[(N_MAX + 63) / 64];
	SCOPED(places) places = draw(N_MAX, want, &state);

	for (uint64_t first = 0; first < N_MAX; first += 7)
		for (uint64_t n = 1; first + n <= N_MAX; n += 13) {
			uint64_t count = 0;

			memset(bits, 0xFF, sizeof bits);
			cr_assert_geq(places_copy(places, first, n, bits), 0);
			for (uint64_t i = 0; i < (n + 63) / 64 * 64; i++) {
				bool is = bits[i / 64] >> i % 64 & 1;

				cr_assert_eq(is, i < n && want[first + i]);
				count += is;
			}
			cr_assert_eq(places_copy(places, first, n, bits), count);
		}
}

Test(places, come_one_after_the_other)
{
	bool want[N_MAX];
	uint64_t state = 11, at = 0;
	SCOPED(places) places = draw(N_MAX, want, &state);

	for (uint64_t i = 0; i < N_MAX; i++) {
		if (!want[i])
			continue;
		cr_assert(places_next(places, at, &at));
		cr_assert_eq(at, i);
		at++;
	}
	cr_assert_not(places_next(places, at, &at));
	cr_assert_not(places_next(places, N_MAX, &at));
}

Test(places, are_narrowed_a_range_at_a_time)
{
	const uint64_t words[] = {0x5555555555555555, 0xF};
	SCOPED(places) places = NULL;

	cr_assert(!status_failed(places_open(200, &places)));
	places_fill(places);
	places_and(places, 64, words, 70);

	cr_assert_eq(places_count(places), 64 + 32 + 4 + (200 - 134));
	cr_assert_not(places_have(places, 65));
	cr_assert(places_have(places, 134));
}

Test(places, are_narrowed_from_any_place_on)
{
	bool want[N_MAX];
	uint64_t state = 13;

	for (uint64_t first = 0; first < N_MAX; first += 7) {
		for (uint64_t n = 1; first + n <= N_MAX; n += 13) {
			SCOPED(places) places = draw(N_MAX, want, &state);
			uint64_t words[(N_MAX + 63) / 64];

			for (size_t i = 0; i < sizeof words / sizeof *words; i++)
				words[i] = next_random(&state);
			places_and(places, first, words, n);
			for (uint64_t i = 0; i < N_MAX; i++) {
				uint64_t at = i - first;
				bool in = i >= first && at < n;

				cr_assert_eq(places_have(places, i),
					     want[i] && (!in || words[at / 64] >> at % 64 & 1));
			}
		}
	}
}

Test(places, take_bits_from_anywhere_to_anywhere)
{
	uint64_t state = 17, words[(2 * N_MAX + 63) / 64];

	for (uint64_t first = 0; first < N_MAX; first += 11) {
		for (uint64_t n = 0; first + n <= N_MAX; n += 17) {
			bool want[N_MAX];
			SCOPED(places) places = draw(N_MAX, want, &state);
			uint64_t from = next_random(&state) % N_MAX;

			for (size_t i = 0; i < sizeof words / sizeof *words; i++)
				words[i] = next_random(&state);
			places_add_bits(places, first, words, from, n);
			for (uint64_t i = 0; i < n; i++)
				want[first + i] |= words[(from + i) / 64] >> (from + i) % 64 & 1;
			check(places, want);
		}
	}
}

Test(places, are_counted_between_any_two)
{
	bool want[N_MAX];
	uint64_t state = 19;
	SCOPED(places) places = draw(N_MAX, want, &state);

	for (uint64_t i = 32; i < 96; i++) {
		places_remove(places, i);
		want[i] = false;
	}
	for (uint64_t first = 0; first < N_MAX; first += 7) {
		for (uint64_t end = first; end <= N_MAX; end += 13) {
			uint64_t count = 0, groups = 0, found = 0, last = UINT64_MAX;

			for (uint64_t i = first; i < end; i++) {
				count += want[i];
				groups += want[i] && i / 16 != last;
				last = want[i] ? i / 16 : last;
			}
			cr_assert_eq(places_count_between(places, first, end, &found), count);
			cr_assert_eq(found, groups);
			cr_assert_eq(places_count_between(places, first, end, NULL), count);
		}
	}
}
