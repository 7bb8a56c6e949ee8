/* opened - see opened.h. */
#include "tests/index/store/opened.h"

#include <criterion/criterion.h>

struct opened opened;

static void make(const struct collection_config *config)
{
	opened = (struct opened){.directory = fixture_directory()};
	arena_init(opened.arena, FIXTURE_ARENA_BYTES);
	cr_assert(!status_failed(store_create(opened.directory, config, opened.arena)));
	opened_reopen();
}

void opened_begin(void)
{
	struct collection_config config = fixture_config();

	make(&config);
}

void opened_end(void)
{
	store_close(TAKE(opened.store));
	arena_finish(opened.arena);
	fixture_remove();
}

void opened_anew(const struct collection_config *config)
{
	opened_end();
	make(config);
}

void opened_reopen(void)
{
	cr_assert(!status_failed(store_open(opened.directory, opened.arena, &opened.store)));
}

void opened_again(void)
{
	store_close(TAKE(opened.store));
	opened_reopen();
}

void opened_put(uint64_t number, uint64_t version)
{
	struct chunk chunk = fixture_chunk(opened.arena, number, version);

	cr_assert(!status_failed(fixture_put(opened.store, opened.arena, opened.state.next_row,
					     &chunk, &opened.state)));
}
