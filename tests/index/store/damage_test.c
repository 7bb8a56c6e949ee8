#include "index/store/value.h"
#include "tests/index/store/fixture.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Chunks 0 to 9 in rows 0 to 9, the first then replaced by row 10. */
#define ROWS 11

static struct arena arena[1];
static struct store_state state;
static const char *directory;

static void fill_store(void)
{
	SCOPED(store) store = NULL;
	struct collection_config config = fixture_config();

	directory = fixture_directory();
	state = (struct store_state){0};
	arena_init(arena, FIXTURE_ARENA_BYTES);
	cr_assert(!status_failed(store_create(directory, &config, arena)));
	cr_assert(!status_failed(store_open(directory, arena, &store)));
	for (uint64_t i = 0; i < ROWS; i++) {
		struct chunk chunk = fixture_chunk(arena, i % 10, i / 10);

		cr_assert(!status_failed(fixture_put(store, arena, i, &chunk, &state)));
	}
}

static void remove_store(void)
{
	arena_finish(arena);
	fixture_remove();
}

TestSuite(damage, .init = fill_store, .fini = remove_store);

/* Opens the store and reads all that is in it, by every way. */
static status read_all(void)
{
	SCOPED(store) store = NULL;
	struct store_state loaded;
	uint64_t count = 0;

	TRY(store_open(directory, arena, &store));
	for (uint64_t row = 0; row < ROWS; row++) {
		struct bytes id = fixture_chunk(arena, row % 10, 0).id;
		struct chunk chunk;
		float *vector;
		bool found;
		uint64_t named;

		TRY(store_fetch_record(store, row, arena, &chunk));
		TRY(store_fetch_vector(store, row, arena, &vector));
		TRY(store_find(store, id, arena, &found, &named));
	}
	return store_load(store, arena, &loaded, fixture_count_visit, &count);
}

static void check_data_loss(const char *words)
{
	status read = read_all();

	cr_assert_eq(read.code, STATUS_DATA_LOSS, "%s: %s %s", words, status_code_name(read.code),
		     read.detail ? read.detail : "");
	cr_assert_not_null(strstr(read.detail, words), "\"%s\" does not say \"%s\"", read.detail,
			   words);
	cr_assert_not_null(strstr(read.detail, "docs") ? "" : strstr(read.detail, directory),
			   "\"%s\" names nothing", read.detail);
}

Test(damage, is_not_seen_where_there_is_none)
{
	status read = read_all();

	cr_assert_eq(read.code, STATUS_OK, "%s", read.detail);
}

static void flip_first(uint8_t *value, size_t size)
{
	(void)size;
	value[0] ^= 0x10;
}

static void flip_last(uint8_t *value, size_t size)
{
	value[size - 1] ^= 1;
}

static const uint8_t row_five[8] = {0, 0, 0, 0, 0, 0, 0, 5};
/* Row 0 died in generation 11. */
static const uint8_t dead_zero[16] = {0, 0, 0, 0, 0, 0, 0, 11};

static const struct {
	const char *table, *key;
	size_t key_size;
	const char *words;
} values[] = {
	{"config", "config", 6, "table config: the checksum"},
	{"state", "state", 5, "table state: the checksum"},
	{"ids", "chunk 3", 7, "table ids: the checksum"},
	{"records", (const char *)row_five, 8, "table records, row 5: the checksum"},
	{"vectors", (const char *)row_five, 8, "table vectors, row 5: the checksum"},
	{"dead", (const char *)dead_zero, 16, "table dead, row 0: the checksum"},
};

Test(damage, of_a_byte_is_named_in_every_table)
{
	for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
		struct bytes key = bytes_of(values[i].key, values[i].key_size);

		fixture_edit(values[i].table, key, flip_first, false);
		check_data_loss(values[i].words);
		fixture_edit(values[i].table, key, flip_first, false);
		fixture_edit(values[i].table, key, flip_last, false);
		check_data_loss(values[i].words);
		fixture_edit(values[i].table, key, flip_last, false);
		cr_assert_eq(read_all().code, STATUS_OK);
	}
}

/* A value that went to another key is whole in itself. */
Test(damage, is_seen_in_a_value_under_the_wrong_key)
{
	uint8_t from_row_five[64];
	struct bytes key = bytes_of(row_five, 8), payload;

	{
		SCOPED(store) store = NULL;
		SCOPED(transaction) t = &(struct transaction){.arena = arena};
		bool found;

		cr_assert(!status_failed(store_open(directory, arena, &store)));
		t->store = store;
		cr_assert(!status_failed(transaction_read(t)));
		cr_assert(!status_failed(value_get(t, TABLE_VECTORS, key, &found, &payload)));
		memcpy(from_row_five, payload.data, payload.size + VALUE_CHECKSUM_BYTES);
		transaction_end(t);
	}
	{
		SCOPED(store) store = NULL;
		struct transaction t = {.arena = arena};
		struct row_key six = row_key_of(6);
		MDB_val k = {8, six.bytes};
		MDB_val v = {FIXTURE_DIM * sizeof(float) + VALUE_CHECKSUM_BYTES, from_row_five};

		cr_assert(!status_failed(store_open(directory, arena, &store)));
		t.store = store;
		cr_assert(!status_failed(transaction_write(&t)));
		cr_assert_eq(mdb_put(t.handle, store->tables[TABLE_VECTORS], &k, &v, 0), 0);
		cr_assert(!status_failed(transaction_commit(&t)));
	}
	check_data_loss("table vectors, row 6: the checksum");
}

/* As a writer with another idea of the dimension would leave it. */
Test(damage, is_a_vector_of_another_size)
{
	{
		SCOPED(store) store = NULL;
		struct transaction t = {.arena = arena};
		static const float longer[FIXTURE_DIM + 1];

		cr_assert(!status_failed(store_open(directory, arena, &store)));
		t.store = store;
		cr_assert(!status_failed(transaction_write(&t)));
		cr_assert(!status_failed(value_put(&t, TABLE_VECTORS, bytes_of(row_five, 8),
						   bytes_of(longer, sizeof longer))));
		cr_assert(!status_failed(transaction_commit(&t)));
	}
	check_data_loss("table vectors, row 5: a value of the wrong size");
}

static void next_version(uint8_t *value, size_t size)
{
	(void)size;
	store_u32(value, STORE_FORMAT + 1);
}

Test(damage, is_a_format_of_another_version)
{
	fixture_edit("config", bytes_of_string("config"), next_version, true);
	check_data_loss("version 4, this program reads version 3");
}

static void no_dimension(uint8_t *value, size_t size)
{
	(void)size;
	store_u32(value + 4 + 1 + strlen("docs"), 0);
}

Test(damage, is_a_config_that_cannot_be)
{
	fixture_edit("config", bytes_of_string("config"), no_dimension, true);
	check_data_loss("table config: the config cannot be read");
}

static void spoil_id_size(uint8_t *value, size_t size)
{
	(void)size;
	value[0] = 0x7F;
}

Test(damage, is_a_record_that_cannot_be)
{
	fixture_edit("records", bytes_of(row_five, 8), spoil_id_size, true);
	check_data_loss("table records, row 5: the record cannot be read");
}

static const struct {
	const char *table, *key;
	size_t key_size;
	const char *words;
} absences[] = {
	{"config", "config", 6, "the config is not there"},
	{"state", "state", 5, "the state is not there"},
	{"ids", "chunk 3", 7, "with 9 ids, 11 records, 11 vectors"},
};

Test(damage, is_a_value_that_went_away)
{
	for (size_t i = 0; i < sizeof absences / sizeof *absences; i++) {
		fixture_edit(absences[i].table, bytes_of(absences[i].key, absences[i].key_size),
			     NULL, false);
		check_data_loss(absences[i].words);
		remove_store();
		fill_store();
	}
}

static void one_more(uint8_t *value, size_t size)
{
	(void)size;
	store_u64(value + 16, load_u64(value + 16) + 1);
}

static void fewer_rows(uint8_t *value, size_t size)
{
	(void)size;
	store_u64(value, 5);
}

Test(damage, is_a_state_that_does_not_fit_the_rows)
{
	fixture_edit("state", bytes_of_string("state"), one_more, true);
	check_data_loss("11 rows should be live, and there are 10");
	fixture_edit("state", bytes_of_string("state"), fewer_rows, true);
	check_data_loss("table vectors, row 5: the row was never given out");
}

static int open_file(const char *name, int flags)
{
	char path[600];
	int fd;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	fd = open(path, flags);
	cr_assert_geq(fd, 0);
	return fd;
}

/* Flips bits of the byte that lies offset bytes from some bytes, wherever the file has those; LMDB
 * knows nothing of it. Gives the number of places. */
static int flip_in_file(struct bytes near, int offset, uint8_t bits)
{
	int fd = open_file("data.mdb", O_RDWR), flipped = 0;
	struct stat file;
	uint8_t *bytes, *at;

	cr_assert_eq(fstat(fd, &file), 0);
	bytes = arena_alloc(arena, (size_t)file.st_size);
	cr_assert_eq(pread(fd, bytes, (size_t)file.st_size, 0), file.st_size);
	for (at = bytes;
	     (at = memmem(at, (size_t)(bytes + file.st_size - at), near.data, near.size));
	     at++, flipped++) {
		at[offset] ^= bits;
		cr_assert_eq(pwrite(fd, at + offset, 1, at + offset - bytes), 1);
	}
	close(fd);
	return flipped;
}

Test(damage, of_a_byte_in_the_file_is_named)
{
	cr_assert_gt(flip_in_file(bytes_of_string("text of chunk 7, version 0"), 3, 0x20), 0);
	check_data_loss("table records, row 7: the checksum");
}

/* A node is size (u32), flags (u16), key size (u16), key, data; a record begins with its id. */
static const char record_seven[] = "\0\0\0\0\0\0\0\7\7chunk 7";

Test(damage, of_a_size_is_not_followed_out_of_the_file)
{
	struct bytes key_and_id = bytes_of(record_seven, sizeof record_seven - 1);

	cr_assert_gt(flip_in_file(key_and_id, -8 + 2, 0x20), 0); /* 2 MiB more */
	check_data_loss("table records, row 7: a value of the wrong size");
}

Test(damage, of_an_id_is_seen_at_loading)
{
	SCOPED(store) store = NULL;
	struct store_state loaded;
	uint64_t count = 0;
	struct bytes key_and_row = bytes_of("chunk 7\7\0\0\0\0\0\0\0", 15);

	cr_assert_gt(flip_in_file(key_and_row, 6, 0x40), 0);
	cr_assert(!status_failed(store_open(directory, arena, &store)));
	cr_assert_eq(store_load(store, arena, &loaded, fixture_count_visit, &count).code,
		     STATUS_DATA_LOSS);
}

Test(damage, is_a_file_cut_off_at_any_page)
{
	struct stat file;
	int fd = open_file("data.mdb", O_RDONLY);
	off_t page = 4096, size;
	uint8_t *bytes;

	cr_assert_eq(fstat(fd, &file), 0);
	bytes = arena_alloc(arena, (size_t)file.st_size);
	cr_assert_eq(pread(fd, bytes, (size_t)file.st_size, 0), file.st_size);
	close(fd);

	for (size = file.st_size - page; size >= 0; size -= page) {
		status opened;

		fd = open_file("data.mdb", O_RDWR);
		cr_assert_eq(pwrite(fd, bytes, (size_t)file.st_size, 0), file.st_size);
		cr_assert_eq(ftruncate(fd, size), 0);
		close(fd);
		opened = read_all();
		/* The last pages may be free ones, and then nothing is lost. */
		cr_assert(opened.code == STATUS_DATA_LOSS ||
				  (opened.code == STATUS_OK && size > file.st_size / 2),
			  "%lld of %lld bytes: %s", (long long)size, (long long)file.st_size,
			  status_code_name(opened.code));
	}
}

/* Puts rows and deletes them again, latest first or not, within one transaction: LMDB never writes
 * pages that it took and gave back so. */
static void put_and_delete(struct store *store, uint64_t n, uint64_t *seed)
{
	struct transaction t = {.store = store, .arena = arena};
	static const uint8_t payload[1500];

	cr_assert(!status_failed(transaction_write(&t)));
	for (uint64_t row = 0; row < n; row++) {
		struct row_key key = row_key_of(1000 + row);
		size_t size = 1 + fixture_random(seed) % sizeof payload;

		cr_assert(!status_failed(value_append(&t, TABLE_RECORDS, bytes_of(key.bytes, 8),
						      bytes_of(payload, size))));
	}
	bool latest_first = fixture_random(seed) % 2;

	for (uint64_t row = 0; row < n; row++) {
		struct row_key key = row_key_of(1000 + (latest_first ? n - 1 - row : row));

		cr_assert(!status_failed(value_delete(&t, TABLE_RECORDS, bytes_of(key.bytes, 8))));
	}
	cr_assert(!status_failed(transaction_commit(&t)));
}

/* Until the file is shorter than LMDB thinks. */
static bool leave_unwritten_pages(void)
{
	SCOPED(store) store = NULL;
	uint64_t seed = 5;

	cr_assert(!status_failed(store_open(directory, arena, &store)));
	for (int round = 0; round < 200; round++) {
		MDB_envinfo info;
		MDB_stat stat;

		put_and_delete(store, 1 + fixture_random(&seed) % 300, &seed);
		mdb_env_info(store->env, &info);
		mdb_env_stat(store->env, &stat);
		if (store_disk_bytes(store) < (info.me_last_pgno + 1) * stat.ms_psize)
			return true;
	}
	return false;
}

Test(damage, is_not_a_file_that_lacks_free_pages_alone)
{
	status read;

	cr_assert(leave_unwritten_pages());
	read = read_all();
	cr_assert_eq(read.code, STATUS_OK, "%s", read.detail);
	read = read_all();
	cr_assert_eq(read.code, STATUS_OK, "%s", read.detail);
}

Test(damage, is_a_file_that_is_no_database)
{
	int fd = open_file("data.mdb", O_WRONLY);
	static const uint8_t zeros[8192];

	cr_assert_eq(pwrite(fd, zeros, sizeof zeros, 0), (ssize_t)sizeof zeros);
	close(fd);
	check_data_loss("open the environment");
}

Test(damage, is_a_file_that_is_not_there)
{
	char path[512];

	snprintf(path, sizeof path, "%s/data.mdb", directory);
	cr_assert_eq(unlink(path), 0);
	check_data_loss("data.mdb is not there or is empty");
}
