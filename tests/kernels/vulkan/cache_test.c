/* Compiled kernels in a file: read when it is right, replaced when it is not. */
#include "kernels/vulkan/scan.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/support/scratch.h"
#include "tests/support/skip.h"
#include "tests/support/test_gpu.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static struct arena arena;
static struct scratch scratch;
static const char *directory;
static char path[4096];

static void setup(void)
{
	arena_init(&arena, 1 << 16);
	scratch_open(&scratch);
	directory = scratch.path;
}

static void teardown(void)
{
	scratch_close(&scratch);
	arena_finish(&arena);
}

TestSuite(vulkan_cache, .init = setup, .fini = teardown);

static struct scanner *scanner_open(void)
{
	struct scanner *scanner = NULL;
	struct gpu_list list;
	struct gpu_options options = test_gpu();
	status opened;

	options.cache_directory = directory;
	opened = scanner_vulkan_open(&options, &arena, &list, &scanner);
	if (opened.code == STATUS_UNAVAILABLE)
		SKIP_LOUDLY("no software Vulkan device (package mesa-vulkan-drivers)");
	cr_assert_not(status_failed(opened));
	return scanner;
}

static bool was_read(struct scanner *scanner)
{
	return scanner_vulkan_runtime(scanner)->program.cache.was_read;
}

/* Makes it compile something. Gives whether the cache had been read. */
static bool scan_once(void)
{
	SCOPED(scanner) scanner = scanner_open();
	struct rows rows;
	bool read = was_read(scanner);

	rows_init(&rows, 16, 100, 1);
	rows_add(&rows, ROWS_PLAIN, 100);
	expect_bounds(&(struct expectation){
		.scanner = scanner,
		.metric = METRIC_L2,
		.rows = &rows,
		.range = {.block = &rows.block, .n = 100},
		.what = "cache",
	});
	scanner_forget(scanner, &rows.block);
	rows_finish(&rows);
	return read;
}

/* The only file of the directory, in path. Gives its size. */
static long file_find(void)
{
	DIR *open = opendir(directory);
	size_t n = 0;
	FILE *file;
	long size;

	cr_assert_not_null(open);
	for (struct dirent *entry; (entry = readdir(open));) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		cr_assert_eq(strncmp(entry->d_name, "gpu-", 4), 0, "%s", entry->d_name);
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
	}
	closedir(open);
	cr_assert_eq(n, 1, "%zu files", n);
	file = fopen(path, "rb");
	cr_assert_not_null(file);
	fseek(file, 0, SEEK_END);
	size = ftell(file);
	fclose(file);
	return size;
}

static void byte_flip(long at)
{
	FILE *file = fopen(path, "r+b");
	int byte;

	cr_assert_not_null(file);
	fseek(file, at, SEEK_SET);
	byte = fgetc(file);
	fseek(file, at, SEEK_SET);
	fputc(byte ^ 0x41, file);
	fclose(file);
}

Test(vulkan_cache, is_read_by_the_next_start)
{
	cr_assert_not(scan_once());
	cr_assert_gt(file_find(), 48);
	cr_assert(scan_once());
}

/* A file that is replaced is another one. */
Test(vulkan_cache, is_not_written_again_when_all_kernels_were_found_in_it)
{
	struct stat before, after;

	scan_once();
	file_find();
	cr_assert_eq(stat(path, &before), 0);
	cr_assert(scan_once());
	cr_assert_eq(stat(path, &after), 0);
	cr_assert_eq(after.st_ino, before.st_ino);
}

/* Every byte of the header is of a device, a driver or a sum; of the rest some. */
Test(vulkan_cache, that_is_damaged_or_foreign_is_ignored_and_replaced)
{
	long size;

	scan_once();
	size = file_find();
	for (long at = 0; at < size; at += at < 48 ? 5 : size / 7) {
		byte_flip(at);
		cr_assert_not(scan_once(), "byte %ld", at);
		cr_assert(scan_once(), "byte %ld", at);
	}
	file_find();
}

Test(vulkan_cache, that_is_cut_off_is_ignored_and_replaced)
{
	static const long sizes[] = {0, 1, 47, 48, 60};

	scan_once();
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		file_find();
		cr_assert_eq(truncate(path, sizes[i]), 0);
		cr_assert_not(scan_once(), "%ld bytes", sizes[i]);
		cr_assert(scan_once(), "%ld bytes", sizes[i]);
	}
}

Test(vulkan_cache, without_a_place_to_write_nothing_fails)
{
	directory = "/proc/nowhere";
	cr_assert_not(scan_once());
}
