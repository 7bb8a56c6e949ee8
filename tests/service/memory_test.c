/* memory - what a group allows, and what the process has. */
#include "service/memory.h"

#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

static void write_max(const struct scratch *scratch, const char *folder, const char *text)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof path, "%s%s", scratch->path, folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s%s/memory.max", scratch->path, folder);
	out = fopen(path, "we");
	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
}

static const struct {
	const char *path;
	uint64_t bytes;
} groups[] = {
	{"/outer/inner", 1000},
	{"/outer", 1000},
	{"/", 0},
	{"", 0},
	{"/free", 0},
	{"/broken", 0},
	{"/none/at/all", 0},
	{"/large", UINT64_C(1) << 40},
};

Test(memory, takes_the_least_on_the_way_up)
{
	struct scratch scratch;

	scratch_open(&scratch);
	write_max(&scratch, "/outer", "1000\n");
	write_max(&scratch, "/outer/inner", "4000\n");
	write_max(&scratch, "/free", "max\n");
	write_max(&scratch, "/broken", "");
	write_max(&scratch, "/large", "1099511627776\n");
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		cr_assert_eq(memory_of_group(scratch.path, groups[i].path), groups[i].bytes, "%s",
			     groups[i].path);
	scratch_close(&scratch);
}

Test(memory, knows_what_the_process_has_without_files)
{
	const size_t size = (size_t)64 << 20;
	uint64_t before = memory_used(), after;
	void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_gt(before, 0);
	cr_assert(block != MAP_FAILED);
	memset(block, 1, size);
	after = memory_used();
	munmap(block, size);
	/* The kernel counts in batches. */
	cr_assert_geq(after, before + size - (8 << 20));
	cr_assert_lt(memory_used(), after - size / 2);
}
