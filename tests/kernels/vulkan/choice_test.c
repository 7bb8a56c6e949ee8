#include "tests/kernels/vulkan/software.h"

#include "kernels/base/gauge.h"

static struct arena arena;
static struct gpu_list list;

static void setup(void)
{
	arena_init(&arena, 1 << 16);
	list.n = 0;
}

static void teardown(void)
{
	arena_finish(&arena);
}

TestSuite(scanner_vulkan_open, .init = setup, .fini = teardown);

/* What is on this machine decides what AUTO and REQUIRED may find. */
static bool have_real_gpu(void)
{
	struct scanner *scanner = NULL;

	cr_assert(!status_failed(scanner_vulkan_open(&(struct gpu_options){.mode = GPU_AUTO},
						     &arena, &list, &scanner)));
	scanner_close(scanner);
	return scanner != NULL;
}

Test(scanner_vulkan_open, off_opens_nothing)
{
	struct scanner *scanner = (struct scanner *)&arena;

	cr_assert(!status_failed(scanner_vulkan_open(&(struct gpu_options){.mode = GPU_OFF}, &arena,
						     &list, &scanner)));

	cr_assert_null(scanner);
}

Test(scanner_vulkan_open, auto_does_not_take_a_software_device)
{
	if (have_real_gpu())
		SKIP_LOUDLY("a machine without a real GPU");

	for (size_t i = 0; i < list.n; i++) {
		cr_assert(!list.devices[i].in_use);
		cr_assert_neq(list.devices[i].reason[0], '\0');
	}
}

Test(scanner_vulkan_open, required_says_why_each_device_was_passed_over)
{
	struct scanner *scanner = NULL;
	status opened;

	scanner_close(software_open());
	if (have_real_gpu())
		SKIP_LOUDLY("a machine without a real GPU");
	opened = scanner_vulkan_open(&(struct gpu_options){.mode = GPU_REQUIRED}, &arena, &list,
				     &scanner);

	cr_assert_eq(opened.code, STATUS_UNAVAILABLE);
	cr_assert_geq(list.n, 1);
	for (size_t i = 0; i < list.n; i++) {
		cr_assert_not_null(strstr(opened.detail, list.devices[i].name));
		cr_assert_not_null(strstr(opened.detail, list.devices[i].reason));
	}
}

Test(scanner_vulkan_open, software_takes_one_and_tells_about_it)
{
	struct gpu_options options = test_gpu();
	struct scanner *scanner = NULL;
	size_t in_use = 0;

	scanner_close(software_open());
	cr_assert(!status_failed(scanner_vulkan_open(&options, &arena, &list, &scanner)));

	for (size_t i = 0; i < list.n; i++) {
		in_use += list.devices[i].in_use;
		cr_assert_eq(list.devices[i].in_use, list.devices[i].reason[0] == '\0');
		cr_assert_neq(list.devices[i].driver[0], '\0');
		cr_assert_gt(list.devices[i].memory_bytes, 0);
	}
	cr_assert_eq(in_use, 1);
	cr_assert_eq(strncmp(scanner->name, "vulkan:", 7), 0);
	cr_assert_null(strchr(scanner->name, '('));
	scanner_close(scanner);
}

Test(scanner_vulkan_open, opens_and_closes_many_times_and_two_at_once)
{
	SCOPED(scanner) first = software_open();

	for (size_t i = 0; i < 20; i++) {
		SCOPED(scanner) second = software_open();

		cr_assert_neq(first, second);
		cr_assert_eq(scanner_vulkan_used_bytes(second), 0);
	}
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
}

Test(scanner_vulkan_open, opens_again_after_the_last_was_closed)
{
	for (size_t i = 0; i < 5; i++)
		scanner_close(software_open());
}
