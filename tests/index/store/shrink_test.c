/* A data file that is mostly free pages: it becomes a small one at the next open, whatever comes
 * in between.
 */
#include "index/store/copy.h"
#include "index/store/shrink.h"
#include "kernels/base/log.h"
#include "tests/index/store/fixture.h"

#include <criterion/criterion.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIM 4096
#define ROWS 1600
#define ROWS_A_WRITE 100
#define SEALED (ROWS - 8)
#define DIED 9

static struct arena arena[1];
static struct store *store;
static const char *directory;

/* The process dies in the place of the one with this number; 0: in none. */
static int fsync_dies;
/* So many more go well, and those behind fail; below 0: none fails. */
static int fsync_left = -1;

/* In the place of libc's. LMDB syncs its file with fdatasync. */
int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");

	if (fsync_dies && --fsync_dies == 0)
		_exit(DIED);
	if (fsync_left == 0) {
		errno = EIO;
		return -1;
	}
	fsync_left -= fsync_left > 0;
	return real(fd);
}

static struct chunk chunk_of(uint64_t row)
{
	struct chunk chunk = fixture_chunk(arena, row, 1);

	chunk.vector = ARENA_ARRAY(arena, float, DIM);
	cr_assert_not_null(chunk.vector);
	for (uint32_t i = 0; i < DIM; i++)
		chunk.vector[i] = (float)(row * 3 + i);
	return chunk;
}

static void put(struct store_state *state, size_t n)
{
	SCOPED(store_write) write = NULL;
	bool replaced;
	uint64_t old;

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	state->generation++;
	for (size_t i = 0; i < n; i++) {
		struct chunk chunk = chunk_of(state->next_row);

		cr_assert(!status_failed(store_write_put(write, state->next_row, state->generation,
							 &chunk, &replaced, &old)));
		state->next_row++;
		state->live_rows++;
	}
	cr_assert(!status_failed(store_write_state(write, state)));
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
	arena_reset(arena);
}

static void close_store(void)
{
	store_close(TAKE(store));
	arena_finish(arena);
	fixture_remove();
}

/* Rows whose vectors are there. */
static void open_full(void)
{
	struct collection_config config = fixture_config();
	struct store_state state = {0};

	config.dim = DIM;
	directory = fixture_directory();
	arena_init(arena, FIXTURE_ARENA_BYTES);
	cr_assert(!status_failed(store_create(directory, &config, arena)));
	cr_assert(!status_failed(store_open_sized(directory, (size_t)256 << 20, arena, &store)));
	for (uint64_t row = 0; row < ROWS; row += ROWS_A_WRITE)
		put(&state, ROWS_A_WRITE);
}

/* Most of them go to a segment. */
static void forget(void)
{
	const struct store_segment segment = {7, SEALED, 0, SEALED - 1};
	SCOPED(store_write) write = NULL;
	size_t n = 0;

	cr_assert(!status_failed(store_write_begin(store, arena, &write)));
	cr_assert(!status_failed(store_write_segments(write, &segment, 1)));
	cr_assert(!status_failed(store_write_forget(write, SEALED, SEALED, &n)));
	cr_assert_eq(n, SEALED);
	cr_assert(!status_failed(store_write_commit(TAKE(write))));
}

static void open_sparse(void)
{
	open_full();
	forget();
	store_close(TAKE(store));
}

TestSuite(shrink, .init = open_sparse, .fini = close_store, .timeout = 60);

static const char *path_of(const char *name)
{
	return arena_printf(arena, "%s/%s", directory, name);
}

static uint64_t size_of(const char *name)
{
	struct stat info;

	return stat(path_of(name), &info) ? 0 : (uint64_t)info.st_size;
}

static void make_leftover(void)
{
	FILE *file = fopen(path_of("data.mdb.new"), "w");

	cr_assert_not_null(file);
	for (int i = 0; i < 100000; i++)
		fputs("half of a copy ", file);
	fclose(file);
}

static void open_store(void)
{
	status s = store_open(directory, arena, &store);

	cr_assert(!status_failed(s), "%s", s.detail);
}

/* All is there, and it can be written. */
static void check_rows(void)
{
	struct store_state state;
	uint64_t n = 0;

	cr_assert(!status_failed(store_load(store, arena, &state, fixture_count_visit, &n)));
	cr_assert_eq(n, ROWS);
	for (uint64_t row = 0; row < ROWS; row += row < SEALED ? 97 : 1) {
		struct chunk want = chunk_of(row), got;
		float *vector;

		cr_assert(!status_failed(store_fetch_record(store, row, arena, &got)));
		cr_assert(fixture_same(&want, &got));
		cr_assert_eq(store_fetch_vector(store, row, arena, &vector).code,
			     row < SEALED ? STATUS_NOT_FOUND : STATUS_OK);
		cr_assert(row < SEALED || vector[DIM - 1] == want.vector[DIM - 1]);
	}
	arena_reset(arena);
	put(&state, 1);
}

Test(shrink, happens_at_the_next_open_and_loses_nothing)
{
	uint64_t before = size_of("data.mdb"), after;

	cr_assert_gt(before, SHRINK_BYTES);
	open_store();
	after = size_of("data.mdb");
	cr_assert_lt(after, before - SHRINK_BYTES);
	cr_assert_eq(size_of("data.mdb.new"), 0);
	check_rows();
	/* It is done with that. */
	store_close(TAKE(store));
	open_store();
	cr_assert_lt(size_of("data.mdb"), before - SHRINK_BYTES);
}

TestSuite(shrink_of_full, .init = open_full, .fini = close_store, .timeout = 60);

Test(shrink_of_full, is_not_due)
{
	bool due = true;
	uint64_t before = size_of("data.mdb");

	cr_assert(!status_failed(shrink_is_due(store, arena, &due)));
	cr_assert_not(due);
	store_close(TAKE(store));
	make_leftover();
	open_store();
	cr_assert_eq(size_of("data.mdb"), before);
	cr_assert_eq(size_of("data.mdb.new"), 0);
}

Test(shrink, makes_nothing_of_an_unfinished_copy)
{
	make_leftover();
	open_store();
	cr_assert_lt(size_of("data.mdb"), SHRINK_BYTES);
	cr_assert_eq(size_of("data.mdb.new"), 0);
	check_rows();
}

Test(shrink, that_fails_leaves_the_file_as_it_is)
{
	uint64_t before = size_of("data.mdb");

	log_set_level(LOG_ERROR);
	cr_assert_eq(mkdir(path_of("data.mdb.new"), 0700), 0);
	open_store();
	cr_assert_eq(size_of("data.mdb"), before);
	check_rows();
	store_close(TAKE(store));
	cr_assert_eq(rmdir(path_of("data.mdb.new")), 0);
	open_store();
	cr_assert_lt(size_of("data.mdb"), before - SHRINK_BYTES);
}

/* Written to the file that lost its name, or before the name lasts, it would be lost. */
Test(shrink, whose_name_is_not_sure_is_not_written_until_it_is)
{
	struct store_state written;

	log_set_level(LOG_ERROR);
	/* The copy's goes well, the directory's does not; nor does it at the second attempt. */
	for (int left = 1; left >= 0; left--) {
		fsync_left = left;
		cr_assert_eq(store_open(directory, arena, &store).code, STATUS_INTERNAL);
		cr_assert_null(store);
	}
	fsync_left = -1;
	open_store();
	cr_assert_lt(size_of("data.mdb"), SHRINK_BYTES);
	cr_assert_neq(access(path_of("data.mdb.moved"), F_OK), 0);
	check_rows();
	store_close(TAKE(store));
	open_store();
	cr_assert_not(status_failed(store_read_state(store, arena, &written)));
	cr_assert_eq(written.next_row, ROWS + 1);
}

/* With the copy written and not synced; with it in the place of the other. */
Test(shrink, may_be_ended_by_a_crash_anywhere)
{
	for (int nth = 1; nth <= 2; nth++) {
		pid_t child;
		int how = 0;

		if (nth > 1) {
			close_store();
			open_sparse();
		}
		child = fork();
		if (child == 0) {
			fsync_dies = nth;
			(void)!status_failed(store_open(directory, arena, &store));
			_exit(0);
		}
		cr_assert_eq(waitpid(child, &how, 0), child);
		cr_assert(WIFEXITED(how) && WEXITSTATUS(how) == DIED);
		cr_assert_eq(size_of("data.mdb.new") > 0, nth == 1);
		open_store();
		cr_assert_lt(size_of("data.mdb"), SHRINK_BYTES);
		cr_assert_eq(size_of("data.mdb.new"), 0);
		check_rows();
		store_close(TAKE(store));
	}
}
