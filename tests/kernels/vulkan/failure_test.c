/* The nth call to the driver fails, for every n. */
#include "kernels/base/gauge.h"
#include "kernels/vulkan/scan.h"
#include "tests/kernels/vulkan/fixture.h"
#include "tests/kernels/vulkan/software.h"

#include <stdlib.h>

static struct {
	struct VolkDeviceTable vk; /* the real functions */
	int calls_left;            /* before the one that fails; negative: none */
	VkResult failure;
} fault;

static bool fails(void)
{
	return fault.calls_left >= 0 && fault.calls_left-- == 0;
}

#define FAULTY(function, parameters, arguments)                                                    \
	static VKAPI_ATTR VkResult VKAPI_CALL faulty_##function parameters                         \
	{                                                                                          \
		return fails() ? fault.failure : fault.vk.function arguments;                      \
	}

FAULTY(vkAllocateMemory,
       (VkDevice d, const VkMemoryAllocateInfo *i, const VkAllocationCallbacks *a,
	VkDeviceMemory *ret),
       (d, i, a, ret))
FAULTY(vkBindBufferMemory, (VkDevice d, VkBuffer b, VkDeviceMemory m, VkDeviceSize at),
       (d, b, m, at))
FAULTY(vkMapMemory,
       (VkDevice d, VkDeviceMemory m, VkDeviceSize at, VkDeviceSize n, VkMemoryMapFlags f,
	void **ret),
       (d, m, at, n, f, ret))
FAULTY(vkCreateBuffer,
       (VkDevice d, const VkBufferCreateInfo *i, const VkAllocationCallbacks *a, VkBuffer *ret),
       (d, i, a, ret))
FAULTY(vkCreateDescriptorPool,
       (VkDevice d, const VkDescriptorPoolCreateInfo *i, const VkAllocationCallbacks *a,
	VkDescriptorPool *ret),
       (d, i, a, ret))
FAULTY(vkAllocateDescriptorSets,
       (VkDevice d, const VkDescriptorSetAllocateInfo *i, VkDescriptorSet *ret), (d, i, ret))
FAULTY(vkCreateShaderModule,
       (VkDevice d, const VkShaderModuleCreateInfo *i, const VkAllocationCallbacks *a,
	VkShaderModule *ret),
       (d, i, a, ret))
FAULTY(vkCreateComputePipelines,
       (VkDevice d, VkPipelineCache c, uint32_t n, const VkComputePipelineCreateInfo *i,
	const VkAllocationCallbacks *a, VkPipeline *ret),
       (d, c, n, i, a, ret))
FAULTY(vkResetCommandPool, (VkDevice d, VkCommandPool p, VkCommandPoolResetFlags f), (d, p, f))
FAULTY(vkBeginCommandBuffer, (VkCommandBuffer c, const VkCommandBufferBeginInfo *i), (c, i))
FAULTY(vkEndCommandBuffer, (VkCommandBuffer c), (c))
FAULTY(vkResetFences, (VkDevice d, uint32_t n, const VkFence *f), (d, n, f))
FAULTY(vkQueueSubmit, (VkQueue q, uint32_t n, const VkSubmitInfo *i, VkFence f), (q, n, i, f))

/* A device that is lost for show still works: its work is awaited before it says so. */
static VKAPI_ATTR VkResult VKAPI_CALL faulty_vkWaitForFences(VkDevice d, uint32_t n,
							     const VkFence *fences, VkBool32 all,
							     uint64_t timeout_ns)
{
	bool failing = fails();
	VkResult result =
		fault.vk.vkWaitForFences(d, n, fences, all, failing ? UINT64_MAX : timeout_ns);

	return failing ? fault.failure : result;
}

static void faults_install(struct scanner *scanner)
{
	struct VolkDeviceTable *vk = &scanner_vulkan_runtime(scanner)->device->vk;

	fault.calls_left = -1;
	fault.vk = *vk;
	vk->vkAllocateMemory = faulty_vkAllocateMemory;
	vk->vkBindBufferMemory = faulty_vkBindBufferMemory;
	vk->vkMapMemory = faulty_vkMapMemory;
	vk->vkCreateBuffer = faulty_vkCreateBuffer;
	vk->vkCreateDescriptorPool = faulty_vkCreateDescriptorPool;
	vk->vkAllocateDescriptorSets = faulty_vkAllocateDescriptorSets;
	vk->vkCreateShaderModule = faulty_vkCreateShaderModule;
	vk->vkCreateComputePipelines = faulty_vkCreateComputePipelines;
	vk->vkResetCommandPool = faulty_vkResetCommandPool;
	vk->vkBeginCommandBuffer = faulty_vkBeginCommandBuffer;
	vk->vkEndCommandBuffer = faulty_vkEndCommandBuffer;
	vk->vkResetFences = faulty_vkResetFences;
	vk->vkQueueSubmit = faulty_vkQueueSubmit;
	vk->vkWaitForFences = faulty_vkWaitForFences;
}

struct stage {
	struct scanner *scanner;
	struct arena arena;
	struct rows rows;
	struct scan_query query;
	struct scan_range range;
	struct window window;
};

static void stage_init(struct stage *stage)
{
	stage->scanner = software_open();
	faults_install(stage->scanner);
	arena_init(&stage->arena, 1 << 20);
	rows_init(&stage->rows, 16, 3000, 1);
	rows_add(&stage->rows, ROWS_PLAIN, 3000);
	stage->range = (struct scan_range){.block = &stage->rows.block, .n = 3000};
	cr_assert(!status_failed(scan_query_init(&stage->query, &stage->arena, METRIC_L2,
						 stage->rows.query, stage->rows.dim)));
	cr_assert(!status_failed(window_init(&stage->window, 100)));
}

static void stage_finish(struct stage *stage)
{
	window_finish(&stage->window);
	scanner_forget(stage->scanner, &stage->rows.block);
	cr_assert_eq(scanner_vulkan_used_bytes(stage->scanner), 0);
	scanner_close(stage->scanner);
	rows_finish(&stage->rows);
	arena_finish(&stage->arena);
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
}

static status stage_propose(struct stage *stage, size_t width)
{
	cr_assert(!status_failed(window_clear(&stage->window, width)));
	return scanner_propose(stage->scanner, &stage->query, &stage->range, NULL, &stage->window);
}

static const size_t widths[] = {10, 1000};

/* Fails the nth call and hands the status to check; until there are no n calls. */
static void each_call_fails(VkResult failure, void (*check)(struct stage *, status, int n))
{
	for (size_t w = 0; w < 2; w++) {
		bool all = false;

		for (int n = 0; !all; n++) {
			struct stage stage;
			status done;

			cr_assert_lt(n, 500);
			stage_init(&stage);
			fault.failure = failure;
			fault.calls_left = n;
			done = stage_propose(&stage, widths[w]);
			all = fault.calls_left >= 0;
			fault.calls_left = -1;
			cr_assert(gauge_settles(), "call %d", n);
			if (!all)
				check(&stage, done, n);
			stage_finish(&stage);
		}
	}
}

static void expect_lost(struct stage *stage, status done, int n)
{
	cr_assert_eq(done.code, STATUS_UNAVAILABLE, "call %d: %s", n, done.detail);
	cr_assert_eq(stage_propose(stage, 10).code, STATUS_UNAVAILABLE, "call %d", n);
}

Test(scanner_vulkan_failure, a_lost_device_is_unavailable_from_then_on)
{
	each_call_fails(VK_ERROR_DEVICE_LOST, expect_lost);
}

static void expect_again(struct stage *stage, status done, int n)
{
	/* A wait that fails for want of memory is only repeated. */
	cr_assert(done.code == STATUS_OK || done.code == STATUS_RESOURCE_EXHAUSTED, "call %d: %s",
		  n, done.detail);
	cr_assert_eq(stage_propose(stage, 10).code, STATUS_OK, "call %d", n);
	cr_assert_eq(stage->window.n, 10);
}

Test(scanner_vulkan_failure, without_host_memory_only_the_one_call_fails)
{
	each_call_fails(VK_ERROR_OUT_OF_HOST_MEMORY, expect_again);
}

static void expect_other_scanner(struct stage *stage, status done, int n)
{
	status again;

	cr_assert(done.code == STATUS_OK || done.code == STATUS_UNAVAILABLE, "call %d: %s", n,
		  done.detail);
	/* Either the block was refused for good, or it works. */
	again = stage_propose(stage, 10);
	cr_assert(again.code == STATUS_UNAVAILABLE || stage->window.n == 10, "call %d", n);
	/* Another copy of the block has its chance. */
	scanner_forget(stage->scanner, &stage->rows.block);
	cr_assert_eq(stage_propose(stage, 10).code, STATUS_OK, "call %d", n);
}

Test(scanner_vulkan_failure, without_device_memory_another_scanner_is_asked)
{
	each_call_fails(VK_ERROR_OUT_OF_DEVICE_MEMORY, expect_other_scanner);
}

Test(scanner_vulkan_failure, a_block_beyond_the_budget_is_refused_before_anything_is_uploaded)
{
	struct stage stage;
	struct vulkan_device *device;

	stage_init(&stage);
	device = scanner_vulkan_runtime(stage.scanner)->device;
	device->has_budget = false;
	/* As if other blocks had taken nearly all. */
	atomic_fetch_add(&device->used_bytes, UINT64_MAX / 2);
	cr_assert_eq(stage_propose(&stage, 10).code, STATUS_UNAVAILABLE);
	cr_assert_eq(gauge_read(GAUGE_GPU_OBJECTS), 0);
	atomic_fetch_sub(&device->used_bytes, UINT64_MAX / 2);
	cr_assert_eq(scanner_vulkan_used_bytes(stage.scanner), 0);
	stage_finish(&stage);
}
