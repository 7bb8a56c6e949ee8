/* layer - one wrapper for each function that makes, ends, fails or moves something. */
#include "tests/kernels/vulkan/layer.h"

#include "kernels/vulkan/device.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

static struct VolkDeviceTable real; /* of the one driver */

static atomic_llong alive[LAYER_KINDS];
static atomic_llong calls, fails_at; /* negative: never */
static _Atomic(VkResult) failure;
static atomic_bool has_failed, is_stuck;
static atomic_ullong submits, dispatches, workgroups, copied, looks;

static bool fails(void)
{
	if (atomic_load(&fails_at) < 0 || atomic_fetch_add(&calls, 1) != atomic_load(&fails_at))
		return false;
	atomic_store(&has_failed, true);
	return true;
}

#define FALLIBLE(function, parameters, arguments)                                                  \
	static VKAPI_ATTR VkResult VKAPI_CALL our_##function parameters                            \
	{                                                                                          \
		return fails() ? atomic_load(&failure) : real.function arguments;                  \
	}

#define MAKES(kind, function, parameters, arguments)                                               \
	static VKAPI_ATTR VkResult VKAPI_CALL our_##function parameters                            \
	{                                                                                          \
		VkResult made = fails() ? atomic_load(&failure) : real.function arguments;         \
                                                                                                   \
		if (made == VK_SUCCESS)                                                            \
			atomic_fetch_add(&alive[kind], 1);                                         \
		return made;                                                                       \
	}

#define ENDS(kind, function, type)                                                                 \
	static VKAPI_ATTR void VKAPI_CALL our_##function(VkDevice d, type object,                  \
							 const VkAllocationCallbacks *a)           \
	{                                                                                          \
		if (object != VK_NULL_HANDLE)                                                      \
			atomic_fetch_sub(&alive[kind], 1);                                         \
		real.function(d, object, a);                                                       \
	}

#define MAKES_FROM(kind, function, info, type)                                                     \
	MAKES(kind, function,                                                                      \
	      (VkDevice d, const info *i, const VkAllocationCallbacks *a, type *ret),              \
	      (d, i, a, ret))

MAKES_FROM(LAYER_BUFFER, vkCreateBuffer, VkBufferCreateInfo, VkBuffer)
MAKES_FROM(LAYER_MEMORY, vkAllocateMemory, VkMemoryAllocateInfo, VkDeviceMemory)
MAKES_FROM(LAYER_DESCRIPTOR_POOL, vkCreateDescriptorPool, VkDescriptorPoolCreateInfo,
	   VkDescriptorPool)
MAKES_FROM(LAYER_SET_LAYOUT, vkCreateDescriptorSetLayout, VkDescriptorSetLayoutCreateInfo,
	   VkDescriptorSetLayout)
MAKES_FROM(LAYER_PIPELINE_LAYOUT, vkCreatePipelineLayout, VkPipelineLayoutCreateInfo,
	   VkPipelineLayout)
MAKES_FROM(LAYER_PIPELINE_CACHE, vkCreatePipelineCache, VkPipelineCacheCreateInfo, VkPipelineCache)
MAKES_FROM(LAYER_SHADER, vkCreateShaderModule, VkShaderModuleCreateInfo, VkShaderModule)
MAKES_FROM(LAYER_COMMAND_POOL, vkCreateCommandPool, VkCommandPoolCreateInfo, VkCommandPool)
MAKES_FROM(LAYER_SEMAPHORE, vkCreateSemaphore, VkSemaphoreCreateInfo, VkSemaphore)
MAKES(LAYER_PIPELINE, vkCreateComputePipelines,
      (VkDevice d, VkPipelineCache c, uint32_t n, const VkComputePipelineCreateInfo *i,
       const VkAllocationCallbacks *a, VkPipeline *ret),
      (d, c, n, i, a, ret))

ENDS(LAYER_BUFFER, vkDestroyBuffer, VkBuffer)
ENDS(LAYER_MEMORY, vkFreeMemory, VkDeviceMemory)
ENDS(LAYER_DESCRIPTOR_POOL, vkDestroyDescriptorPool, VkDescriptorPool)
ENDS(LAYER_SET_LAYOUT, vkDestroyDescriptorSetLayout, VkDescriptorSetLayout)
ENDS(LAYER_PIPELINE_LAYOUT, vkDestroyPipelineLayout, VkPipelineLayout)
ENDS(LAYER_PIPELINE_CACHE, vkDestroyPipelineCache, VkPipelineCache)
ENDS(LAYER_SHADER, vkDestroyShaderModule, VkShaderModule)
ENDS(LAYER_COMMAND_POOL, vkDestroyCommandPool, VkCommandPool)
ENDS(LAYER_SEMAPHORE, vkDestroySemaphore, VkSemaphore)
ENDS(LAYER_PIPELINE, vkDestroyPipeline, VkPipeline)

FALLIBLE(vkBindBufferMemory, (VkDevice d, VkBuffer b, VkDeviceMemory m, VkDeviceSize at),
	 (d, b, m, at))
FALLIBLE(vkMapMemory,
	 (VkDevice d, VkDeviceMemory m, VkDeviceSize at, VkDeviceSize n, VkMemoryMapFlags f,
	  void **ret),
	 (d, m, at, n, f, ret))
FALLIBLE(vkAllocateDescriptorSets,
	 (VkDevice d, const VkDescriptorSetAllocateInfo *i, VkDescriptorSet *ret), (d, i, ret))
FALLIBLE(vkAllocateCommandBuffers,
	 (VkDevice d, const VkCommandBufferAllocateInfo *i, VkCommandBuffer *ret), (d, i, ret))
FALLIBLE(vkGetPipelineCacheData, (VkDevice d, VkPipelineCache c, size_t *n, void *ret),
	 (d, c, n, ret))
FALLIBLE(vkResetCommandPool, (VkDevice d, VkCommandPool p, VkCommandPoolResetFlags f), (d, p, f))
FALLIBLE(vkBeginCommandBuffer, (VkCommandBuffer c, const VkCommandBufferBeginInfo *i), (c, i))
FALLIBLE(vkEndCommandBuffer, (VkCommandBuffer c), (c))

static VKAPI_ATTR VkResult VKAPI_CALL our_vkQueueSubmit(VkQueue q, uint32_t n,
							const VkSubmitInfo *i, VkFence f)
{
	if (fails())
		return atomic_load(&failure);
	atomic_fetch_add(&submits, 1);
	return real.vkQueueSubmit(q, n, i, f);
}

static VKAPI_ATTR VkResult VKAPI_CALL our_vkWaitSemaphoresKHR(VkDevice d,
							      const VkSemaphoreWaitInfo *i,
							      uint64_t timeout_ns)
{
	bool failing = fails();
	VkResult result;

	atomic_fetch_add(&looks, timeout_ns == 0);
	if (!failing && atomic_load(&is_stuck)) {
		sched_yield();
		return VK_TIMEOUT;
	}
	result = real.vkWaitSemaphoresKHR(d, i, failing ? UINT64_MAX : timeout_ns);

	return failing ? atomic_load(&failure) : result;
}

static VKAPI_ATTR void VKAPI_CALL our_vkCmdDispatch(VkCommandBuffer c, uint32_t x, uint32_t y,
						    uint32_t z)
{
	atomic_fetch_add(&dispatches, 1);
	atomic_fetch_add(&workgroups, (uint64_t)x * y * z);
	real.vkCmdDispatch(c, x, y, z);
}

static VKAPI_ATTR void VKAPI_CALL our_vkCmdCopyBuffer(VkCommandBuffer c, VkBuffer from, VkBuffer to,
						      uint32_t n, const VkBufferCopy *regions)
{
	for (uint32_t i = 0; i < n; i++)
		atomic_fetch_add(&copied, regions[i].size);
	real.vkCmdCopyBuffer(c, from, to, n, regions);
}

static VKAPI_ATTR void VKAPI_CALL our_vkDestroyDevice(VkDevice d, const VkAllocationCallbacks *a)
{
	atomic_fetch_sub(&alive[LAYER_DEVICE], 1);
	real.vkDestroyDevice(d, a);
}

static void watch(struct VolkDeviceTable *vk)
{
	real = *vk;
	atomic_fetch_add(&alive[LAYER_DEVICE], 1);
#define OURS(function) vk->function = our_##function
	OURS(vkCreateBuffer);
	OURS(vkAllocateMemory);
	OURS(vkCreateDescriptorPool);
	OURS(vkCreateDescriptorSetLayout);
	OURS(vkCreatePipelineLayout);
	OURS(vkCreatePipelineCache);
	OURS(vkCreateShaderModule);
	OURS(vkCreateCommandPool);
	OURS(vkCreateSemaphore);
	OURS(vkCreateComputePipelines);
	OURS(vkDestroyBuffer);
	OURS(vkFreeMemory);
	OURS(vkDestroyDescriptorPool);
	OURS(vkDestroyDescriptorSetLayout);
	OURS(vkDestroyPipelineLayout);
	OURS(vkDestroyPipelineCache);
	OURS(vkDestroyShaderModule);
	OURS(vkDestroyCommandPool);
	OURS(vkDestroySemaphore);
	OURS(vkDestroyPipeline);
	OURS(vkBindBufferMemory);
	OURS(vkMapMemory);
	OURS(vkAllocateDescriptorSets);
	OURS(vkAllocateCommandBuffers);
	OURS(vkGetPipelineCacheData);
	OURS(vkResetCommandPool);
	OURS(vkBeginCommandBuffer);
	OURS(vkEndCommandBuffer);
	OURS(vkQueueSubmit);
	OURS(vkWaitSemaphoresKHR);
	OURS(vkCmdDispatch);
	OURS(vkCmdCopyBuffer);
	OURS(vkDestroyDevice);
#undef OURS
}

void layer_install(void)
{
	layer_fail_never();
	layer_stick(false);
	layer_plan_clear();
	for (size_t kind = 0; kind < LAYER_KINDS; kind++)
		atomic_store(&alive[kind], 0);
	device_watch = watch;
}

void layer_fail(int64_t n, VkResult result)
{
	atomic_store(&failure, result);
	atomic_store(&has_failed, false);
	atomic_store(&calls, 0);
	atomic_store(&fails_at, n);
}

void layer_fail_never(void)
{
	atomic_store(&fails_at, -1);
}

bool layer_has_failed(void)
{
	return atomic_load(&has_failed);
}

void layer_stick(bool stuck)
{
	atomic_store(&is_stuck, stuck);
}

int64_t layer_alive(enum layer_kind kind)
{
	return atomic_load(&alive[kind]);
}

static const char *kind_name(enum layer_kind kind)
{
	static const char *const names[LAYER_KINDS] = {
		[LAYER_DEVICE] = "device",
		[LAYER_BUFFER] = "buffer",
		[LAYER_MEMORY] = "memory",
		[LAYER_DESCRIPTOR_POOL] = "descriptor pool",
		[LAYER_SET_LAYOUT] = "set layout",
		[LAYER_PIPELINE_LAYOUT] = "pipeline layout",
		[LAYER_PIPELINE_CACHE] = "pipeline cache",
		[LAYER_SHADER] = "shader",
		[LAYER_PIPELINE] = "pipeline",
		[LAYER_COMMAND_POOL] = "command pool",
		[LAYER_SEMAPHORE] = "semaphore",
	};

	return names[kind];
}

bool layer_is_empty(void)
{
	bool empty = true;

	for (int kind = 0; kind < LAYER_KINDS; kind++) {
		int64_t n = layer_alive((enum layer_kind)kind);

		if (n != 0)
			fprintf(stderr, "%lld too many: %s\n", (long long)n,
				kind_name((enum layer_kind)kind));
		empty = empty && n == 0;
	}
	return empty;
}

void layer_plan_clear(void)
{
	atomic_store(&submits, 0);
	atomic_store(&dispatches, 0);
	atomic_store(&workgroups, 0);
	atomic_store(&copied, 0);
	atomic_store(&looks, 0);
}

struct layer_plan layer_plan(void)
{
	return (struct layer_plan){
		.submits = atomic_load(&submits),
		.dispatches = atomic_load(&dispatches),
		.workgroups = atomic_load(&workgroups),
		.copied_bytes = atomic_load(&copied),
		.looks = atomic_load(&looks),
	};
}
