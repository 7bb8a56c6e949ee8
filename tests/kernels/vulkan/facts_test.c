/* Which devices may be used, over devices that are made up. */
#include "kernels/vulkan/choice.h"

#include <criterion/criterion.h>
#include <string.h>

/* What Vulkan 1.1 asks of every device, or more. */
static struct choice_facts facts_good(void)
{
	return (struct choice_facts){
		.properties =
			{
				.apiVersion = VK_API_VERSION_1_1,
				.deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU,
				.limits =
					{
						.maxComputeWorkGroupInvocations = 256,
						.maxComputeWorkGroupSize = {256, 256, 64},
						.maxComputeWorkGroupCount = {65535, 65535, 65535},
						.maxComputeSharedMemorySize = 16384,
						.maxBoundDescriptorSets = 4,
						.maxPerStageDescriptorStorageBuffers = 6,
						.maxPushConstantsSize = 128,
						.maxStorageBufferRange = 1U << 27,
					},
			},
		.has_queue = true,
		.has_timeline = true,
	};
}

static void no_threads(struct choice_facts *facts)
{
	facts->properties.limits.maxComputeWorkGroupInvocations = 128;
}

static void no_width(struct choice_facts *facts)
{
	facts->properties.limits.maxComputeWorkGroupSize[0] = 128;
}

static void no_shared(struct choice_facts *facts)
{
	facts->properties.limits.maxComputeSharedMemorySize = 16383;
}

static void no_groups(struct choice_facts *facts)
{
	facts->properties.limits.maxComputeWorkGroupCount[0] = 65534;
}

static void no_sets(struct choice_facts *facts)
{
	facts->properties.limits.maxBoundDescriptorSets = 1;
}

static void no_buffers(struct choice_facts *facts)
{
	facts->properties.limits.maxPerStageDescriptorStorageBuffers = 5;
}

static void no_constants(struct choice_facts *facts)
{
	facts->properties.limits.maxPushConstantsSize = 127;
}

static void no_range(struct choice_facts *facts)
{
	facts->properties.limits.maxStorageBufferRange = (1U << 27) - 1;
}

static void no_queue(struct choice_facts *facts)
{
	facts->has_queue = false;
}

static void no_timeline(struct choice_facts *facts)
{
	facts->has_timeline = false;
}

static void no_version(struct choice_facts *facts)
{
	facts->properties.apiVersion = VK_API_VERSION_1_0;
}

static void is_processor(struct choice_facts *facts)
{
	facts->properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_CPU;
}

Test(vulkan_facts, each_thing_that_is_missing_is_a_reason)
{
	static const struct {
		void (*spoil)(struct choice_facts *facts);
		const char *reason;
	} cases[] = {
		{no_threads, "256 threads"},
		{no_width, "256 threads"},
		{no_shared, "16 KiB"},
		{no_groups, "65,535 workgroups"},
		{no_sets, "2 sets"},
		{no_buffers, "6 buffers"},
		{no_constants, "128 bytes of push constants"},
		{no_range, "128 MiB"},
		{no_queue, "no queue"},
		{no_timeline, "no timeline semaphores"},
		{no_version, "older than 1.1"},
		{is_processor, "a processor"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct choice_facts facts = facts_good();
		const char *reason;

		cr_assert_null(choice_reason(&facts, GPU_AUTO));
		cases[i].spoil(&facts);
		reason = choice_reason(&facts, GPU_AUTO);
		cr_assert_not_null(reason, "case %zu", i);
		cr_assert_not_null(strstr(reason, cases[i].reason), "%s", reason);
		cr_assert_not_null(choice_reason(&facts, GPU_REQUIRED));
	}
}

Test(vulkan_facts, a_processor_is_used_only_as_software_and_a_gpu_never_is)
{
	static const enum gpu_mode modes[] = {GPU_AUTO, GPU_REQUIRED, GPU_SOFTWARE};

	for (int type = VK_PHYSICAL_DEVICE_TYPE_OTHER; type <= VK_PHYSICAL_DEVICE_TYPE_CPU;
	     type++) {
		for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
			struct choice_facts facts = facts_good();
			bool software = type == VK_PHYSICAL_DEVICE_TYPE_CPU;

			facts.properties.deviceType = (VkPhysicalDeviceType)type;
			cr_assert_eq(!choice_reason(&facts, modes[m]),
				     software == (modes[m] == GPU_SOFTWARE));
		}
	}
}

Test(vulkan_facts, a_card_of_its_own_comes_first)
{
	static const VkPhysicalDeviceType order[] = {
		VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU,
		VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU,
		VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU,
		VK_PHYSICAL_DEVICE_TYPE_OTHER,
	};
	int before = 100;

	for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
		struct choice_facts facts = facts_good();

		facts.properties.deviceType = order[i];
		cr_assert_lt(choice_rank(&facts), before);
		before = choice_rank(&facts);
	}
	cr_assert_gt(before, 0);
}

#define GRAPHICS VK_QUEUE_GRAPHICS_BIT
#define COMPUTE VK_QUEUE_COMPUTE_BIT
#define TRANSFER VK_QUEUE_TRANSFER_BIT
#define SPARSE VK_QUEUE_SPARSE_BINDING_BIT
#define DECODE 0x20

Test(vulkan_facts, queues_are_of_the_first_families_that_serve)
{
	static const struct {
		VkQueueFlags flags[4]; /* 0: no queue of it */
		int compute, transfer; /* negative: none */
	} cases[] = {
		/* As lavapipe, and as cards with engines for copies alone. */
		{{GRAPHICS | COMPUTE | TRANSFER}, 0, -1},
		{{GRAPHICS | COMPUTE | TRANSFER | SPARSE, TRANSFER | SPARSE, COMPUTE | TRANSFER},
		 0,
		 1},
		{{TRANSFER, COMPUTE}, 1, 0},
		{{GRAPHICS | COMPUTE, COMPUTE | TRANSFER, 0, TRANSFER}, 0, 3},
		{{TRANSFER, TRANSFER, GRAPHICS | COMPUTE}, 2, 0},
		/* What decodes video is left to that, and what draws to drawing. */
		{{COMPUTE, TRANSFER | DECODE, GRAPHICS | TRANSFER}, 0, -1},
		{{GRAPHICS | TRANSFER, TRANSFER}, -1, 1},
		{{0}, -1, -1},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		VkQueueFamilyProperties families[4] = {{0}};
		struct choice_facts facts = {0};

		for (size_t f = 0; f < 4; f++)
			families[f] = (VkQueueFamilyProperties){
				.queueFlags = cases[i].flags[f],
				.queueCount = cases[i].flags[f] ? 1 : 0,
			};
		choice_families(families, 4, &facts);
		cr_assert_eq(facts.has_queue, cases[i].compute >= 0, "case %zu", i);
		cr_assert_eq(facts.has_transfer, cases[i].transfer >= 0, "case %zu", i);
		cr_assert(!facts.has_queue || facts.family == (uint32_t)cases[i].compute);
		cr_assert(!facts.has_transfer ||
			  facts.transfer_family == (uint32_t)cases[i].transfer);
	}
}
