/* processors - quotas of cgroups. */
#include "service/processors.h"

#include "tests/support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/stat.h>

static const struct {
	const char *text;
	size_t n;
} quotas[] = {
	{"max 100000\n", 0},    {"100000 100000\n", 1},
	{"50000 100000\n", 1},  {"150000 100000\n", 2},
	{"200000 100000\n", 2}, {"200001 100000\n", 3},
	{"1000 100000\n", 1},   {"", 0},
	{"nonsense", 0},        {"100000 0\n", 0},
	{"0 100000\n", 0},      {"6400000 100000", 64},
};

Test(processors, rounds_a_quota_up)
{
	for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++)
		cr_assert_eq(processors_of_quota(quotas[i].text), quotas[i].n, "%s",
			     quotas[i].text);
}

static void write_quota(const struct scratch *scratch, const char *folder, const char *text)
{
	char path[512];
	FILE *out;

	snprintf(path, sizeof path, "%s%s", scratch->path, folder);
	mkdir(path, 0700);
	snprintf(path, sizeof path, "%s%s/cpu.max", scratch->path, folder);
	out = fopen(path, "we");
	cr_assert_not_null(out);
	fputs(text, out);
	fclose(out);
}

static const struct {
	const char *path;
	size_t n;
} groups[] = {
	{"/outer/inner", 2}, {"/outer", 2}, {"/", 0}, {"", 0}, {"/other", 1}, {"/none/at/all", 0},
};

Test(processors, takes_the_least_on_the_way_up)
{
	struct scratch scratch;

	scratch_open(&scratch);
	write_quota(&scratch, "/outer", "200000 100000\n");
	write_quota(&scratch, "/outer/inner", "400000 100000\n");
	write_quota(&scratch, "/other", "100000 100000\n");
	for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
		cr_assert_eq(processors_of_group(scratch.path, groups[i].path), groups[i].n, "%s",
			     groups[i].path);
	scratch_close(&scratch);
}

Test(processors, are_one_at_least)
{
	cr_assert_geq(processors_count(), 1);
}
