/* What is sealed comes back; deaths beside it; files that come and go. */
#include "tests/index/segment/sealed_fixture.h"

#include "index/segment/head.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct sealed_made_of small = {
	.metric = METRIC_COSINE, .dim = 40, .n = 1000, .head = 32, .rotated = true};

static void check_rows(const struct room *room, const struct sealed *sealed)
{
	float scratch[512];

	cr_assert_eq(sealed_length(sealed), room->n);
	for (uint32_t place = 0; place < room->n; place++) {
		const float *vector = sealed_vector(sealed, place, scratch);

		cr_assert_eq(sealed_row(sealed, place), room_row(place));
		cr_assert_arr_eq(vector, room_vector(room, place),
				 room->config.dim * sizeof *vector);
	}
}

Test(sealed, gives_back_every_row)
{
	static const struct sealed_made_of cases[] = {
		{METRIC_COSINE, ENCODING_FLOAT32, 1, 1, 0, false},
		{METRIC_L2, ENCODING_FLOAT32, 3, 17, 0, false},
		{METRIC_INNER_PRODUCT, ENCODING_UNSPECIFIED, 100, 16, 64, false},
		{METRIC_COSINE, ENCODING_FLOAT32, 384, 2000, 192, true},
		{METRIC_L2, ENCODING_FLOAT32, 100, 5000, 32, true},
		{METRIC_COSINE, ENCODING_FLOAT16, 129, 700, 96, true},
		{METRIC_L2, ENCODING_FLOAT16, 5, 15, 0, false},
		{METRIC_INNER_PRODUCT, ENCODING_FLOAT32, 8, 40000, 0, true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct room room;
		SCOPED(sealed) sealed = NULL;

		room_init(&room, &cases[i], 100 + i);
		room_write(&room, 1);
		sealed = room_open(&room, 1);
		check_rows(&room, sealed);
		cr_assert_eq(sealed_id(sealed), 1);
		cr_assert_eq(sealed_disk_bytes(sealed), room_file_bytes(&room, 1));
		cr_assert_eq(sealed_disk_bytes(sealed),
			     sealed_file_bytes(&room.config, room.n, &room.coding));
		room_finish(&room);
	}
}

Test(sealed, finds_rows_by_number)
{
	struct room room;
	SCOPED(sealed) sealed = NULL;
	uint32_t place = 77;

	room_init(&room, &small, 1);
	room_write(&room, 1);
	sealed = room_open(&room, 1);
	for (uint64_t row = 0; row < room_row(room.n) + 5; row++) {
		bool there = row >= 100 && (row - 100) % 3 == 0 && row < room_row(room.n);
		uint64_t seek = row < 100 ? 0 : (row - 100 + 2) / 3;

		place = sealed_seek(sealed, row);
		cr_assert_eq(place < room.n && sealed_row(sealed, place) == row, there, "row %lu",
			     row);
		if (there)
			cr_assert_eq(room_row(place), row);
		cr_assert_eq(place, seek < room.n ? seek : room.n);
	}
	room_finish(&room);
}

Test(sealed, a_row_is_seen_until_the_generation_of_its_death)
{
	struct room room;
	SCOPED(sealed) sealed = NULL;

	room_init(&room, &small, 2);
	room_write(&room, 1);
	sealed = room_open(&room, 1);
	cr_assert_eq(sealed_count(sealed, 1000, UINT64_MAX - 1), 1000);
	sealed_kill(sealed, 7, 30);
	sealed_kill(sealed, 900, 20);

	cr_assert(sealed_alive(sealed, 7, 29));
	cr_assert_not(sealed_alive(sealed, 7, 30));
	cr_assert(sealed_alive(sealed, 8, UINT64_MAX - 1));
	cr_assert_eq(sealed_count(sealed, 1000, 19), 1000);
	cr_assert_eq(sealed_count(sealed, 1000, 20), 999);
	cr_assert_eq(sealed_count(sealed, 900, 20), 900);
	cr_assert_eq(sealed_count(sealed, 1000, 30), 998);
	room_finish(&room);
}

static void check_range(const struct sealed *sealed, uint64_t generation, uint32_t place,
			uint32_t max)
{
	uint64_t bitmap[16] = {~(uint64_t)0};
	struct codes8_range range;
	bool any_dead = false;

	sealed_range(sealed, generation, 5000, place, max, bitmap, &range);
	cr_assert_eq(range.first, place);
	cr_assert_eq(range.row_base, 5000);
	cr_assert(range.n == max || place + range.n == sealed_length(sealed));
	for (uint32_t i = 0; i < range.n; i++) {
		bool visible = !range.visible || (range.visible[i / 64] >> (i % 64) & 1);

		cr_assert_eq(visible, sealed_alive(sealed, place + i, generation));
		any_dead = any_dead || !visible;
	}
	cr_assert_eq(range.visible != NULL, any_dead);
	if (range.visible && range.n % 64)
		cr_assert_eq(range.visible[range.n / 64] >> (range.n % 64), 0);
}

Test(sealed, ranges_show_what_each_generation_sees)
{
	struct room room;
	SCOPED(sealed) sealed = NULL;

	room_init(&room, &small, 3);
	room_write(&room, 1);
	sealed = room_open(&room, 1);
	for (uint32_t place = 300; place < 1000; place += 7)
		sealed_kill(sealed, place, 1 + place / 250);
	for (uint64_t generation = 0; generation < 6; generation++)
		for (uint32_t place = 0; place < 1000; place += 37)
			for (uint32_t max = 1; max < 1000; max += 97)
				check_range(sealed, generation, place, max);
	room_finish(&room);
}

Test(sealed, needs_memory_where_rows_have_died_only)
{
	struct room room;
	SCOPED(sealed) sealed = NULL;

	room_init(&room, &small, 4);
	room_write(&room, 1);
	sealed = room_open(&room, 1);
	cr_assert_leq(sealed_memory_bytes(sealed), 4096);
	sealed_kill(sealed, 0, 1);
	cr_assert_geq(sealed_memory_bytes(sealed), 1000 * sizeof(uint64_t));
	cr_assert_leq(sealed_memory_bytes(sealed), 1000 * sizeof(uint64_t) + 4096);
	room_finish(&room);
}

Test(sealed, says_which_segments_share_a_coded_query)
{
	struct room room;
	SCOPED(sealed) a = NULL;
	SCOPED(sealed) b = NULL;
	SCOPED(sealed) turned = NULL;
	SCOPED(sealed) plain = NULL;

	room_init(&room, &small, 5);
	room_write(&room, 1);
	room.n = 500;
	room_write(&room, 2);
	a = room_open(&room, 1);
	b = room_open(&room, 2);
	cr_assert(sealed_codes_alike(a, b));

	for (size_t i = 0; i < 40; i++)
		room.matrix[i] = -room.matrix[i];
	room_write(&room, 3);
	turned = room_open(&room, 3);
	cr_assert_not(sealed_codes_alike(a, turned));
	room.coding.rotation = NULL;
	room_write(&room, 4);
	plain = room_open(&room, 4);
	cr_assert_not(sealed_codes_alike(a, plain));
	cr_assert(sealed_codes_alike(plain, plain));
	room_finish(&room);
}

Test(sealed, a_new_file_takes_the_place_of_an_old_one_that_is_open)
{
	struct room room;
	SCOPED(sealed) old = NULL;
	SCOPED(sealed) new = NULL;

	room_init(&room, &small, 6);
	room_write(&room, 1);
	old = room_open(&room, 1);
	room.n = 10;
	room_write(&room, 1);
	new = room_open(&room, 1);
	cr_assert_eq(sealed_length(new), 10);
	check_rows(&room, new);
	room.n = 1000;
	check_rows(&room, old);
	room_finish(&room);
}

static bool is_there(struct room *room, const char *name)
{
	return access(arena_printf(&room->arena, "%s/%s", room->scratch.path, name), F_OK) == 0;
}

static void touch(struct room *room, const char *name)
{
	FILE *file = fopen(arena_printf(&room->arena, "%s/%s", room->scratch.path, name), "w");

	cr_assert(file);
	fclose(file);
}

Test(sealed, sweeps_away_what_is_not_named)
{
	static const uint64_t ids[] = {3, 0xabcdef};
	static const char *const stays[] = {"0000000000000003.segment",
					    "0000000000abcdef.segment",
					    "data.mdb",
					    "3.segment",
					    "000000000000000G.segment",
					    "0000000000000009.segments",
					    "0000000000000003.ann",
					    "0000000000000009.anno"};
	static const char *const goes[] = {
		"0000000000000001.segment", "0000000000000003.segment.new", "0000000000000001.ann",
		"0000000000000003.ann.new", "00000000000000ff.segment.new"};
	struct room room;

	room_init(&room, &small, 7);
	for (size_t i = 0; i < COUNT(stays); i++)
		touch(&room, stays[i]);
	for (size_t i = 0; i < COUNT(goes); i++)
		touch(&room, goes[i]);
	cr_assert(!status_failed(sealed_sweep(room.scratch.path, ids, COUNT(ids), &room.arena)));
	for (size_t i = 0; i < COUNT(stays); i++)
		cr_assert(is_there(&room, stays[i]), "%s", stays[i]);
	for (size_t i = 0; i < COUNT(goes); i++)
		cr_assert_not(is_there(&room, goes[i]), "%s", goes[i]);
	cr_assert_eq(sealed_sweep("/nowhere", NULL, 0, &room.arena).code, STATUS_INTERNAL);
	room_finish(&room);
}

Test(sealed, is_removed_while_it_is_read)
{
	struct room room;
	SCOPED(sealed) sealed = NULL;
	struct sealed_file file;

	room_init(&room, &small, 8);
	room_write(&room, 1);
	touch(&room, "0000000000000001.ann");
	touch(&room, "0000000000000001.ann.new");
	file = room_file(&room, 1);
	sealed = room_open(&room, 1);
	cr_assert(!status_failed(sealed_remove(&file, &room.arena)));
	cr_assert_not(is_there(&room, "0000000000000001.segment"));
	cr_assert_not(is_there(&room, "0000000000000001.ann"));
	cr_assert_not(is_there(&room, "0000000000000001.ann.new"));
	check_rows(&room, sealed);
	cr_assert(!status_failed(sealed_remove(&file, &room.arena)));
	room_finish(&room);
}

Test(sealed, a_write_that_is_not_wanted_any_more_leaves_nothing)
{
	static const struct sealed_made_of large = {
		.metric = METRIC_COSINE, .dim = 384, .n = 5000, .head = 192};
	struct room room;
	struct deadline deadline;
	struct sealed_file file;
	struct sealed_source source;

	room_init(&room, &large, 9);
	file = room_file(&room, 1);
	source = room_source(&room);
	deadline_init(&deadline, DEADLINE_NEVER);
	deadline_cancel(&deadline);
	cr_assert_eq(sealed_write(&file, &source, &room.coding, &deadline, &room.arena).code,
		     STATUS_CANCELLED);
	cr_assert_not(is_there(&room, "0000000000000001.segment"));
	cr_assert_not(is_there(&room, "0000000000000001.segment.new"));
	room_finish(&room);
}
