/* program - from embedded SPIR-V to pipelines. */
#include "kernels/vulkan/program.h"

#include "kernels/shaders/bounds1.spv.h"
#include "kernels/shaders/bounds8.spv.h"
#include "kernels/shaders/bounds8_dot.spv.h"
#include "kernels/shaders/collect8.spv.h"
#include "kernels/shaders/collect8_dot.spv.h"
#include "kernels/shaders/histogram8.spv.h"
#include "kernels/shaders/merge.spv.h"
#include "kernels/shaders/scan.spv.h"
#include "kernels/shaders/scan1.spv.h"
#include "kernels/shaders/scan8.spv.h"
#include "kernels/shaders/scan8_dot.spv.h"
#include "kernels/shaders/scan_half.spv.h"
#include "kernels/shaders/scan_keys.spv.h"
#include "kernels/shaders/scan_keys_half.spv.h"
#include "kernels/shaders/scan_matrix.spv.h"
#include "kernels/shaders/scan_top.spv.h"
#include "kernels/shaders/scan_top_half.spv.h"

#define BINDINGS_MAX 4

static const uint32_t set_bindings[PROGRAM_SET_N] = {
	[PROGRAM_SET_SUBMISSION] = 4,
	[PROGRAM_SET_CHUNK] = 2,
};

static status layout_make(struct vulkan_program *program, uint32_t n, VkDescriptorSetLayout *ret)
{
	struct vulkan_device *device = program->device;
	VkDescriptorSetLayoutBinding bindings[BINDINGS_MAX];
	const VkDescriptorSetLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = n,
		.pBindings = bindings,
	};
	VkResult result;

	for (uint32_t i = 0; i < n; i++) {
		bindings[i] = (VkDescriptorSetLayoutBinding){
			.binding = i,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.descriptorCount = 1,
			.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		};
	}
	result = device->vk.vkCreateDescriptorSetLayout(device->device, &info, NULL, ret);
	if (result != VK_SUCCESS)
		*ret = VK_NULL_HANDLE;
	return device_status(device, result);
}

status program_init(struct vulkan_program *ret, struct vulkan_device *device,
		    const char *cache_directory)
{
	const VkPushConstantRange plan = {
		.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT,
		.size = PLAN_BYTES_MAX,
	};
	const VkPipelineLayoutCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
		.setLayoutCount = PROGRAM_SET_N,
		.pSetLayouts = ret->sets,
		.pushConstantRangeCount = 1,
		.pPushConstantRanges = &plan,
	};
	VkResult result;

	ret->device = device;
	pthread_mutex_init(&ret->lock, NULL);
	cache_open(device, cache_directory, &ret->cache);
	for (size_t kind = 0; kind < PROGRAM_SET_N; kind++)
		TRY(layout_make(ret, set_bindings[kind], &ret->sets[kind]));
	result = device->vk.vkCreatePipelineLayout(device->device, &info, NULL, &ret->layout);
	if (result != VK_SUCCESS)
		ret->layout = VK_NULL_HANDLE;
	return device_status(device, result);
}

void program_finish(struct vulkan_program *program)
{
	struct vulkan_device *device = program->device;

	if (!device)
		return;
	for (size_t kernel = 0; kernel < KERNEL_N; kernel++) {
		for (size_t width = 0; width < PROGRAM_WIDTHS; width++)
			device->vk.vkDestroyPipeline(device->device,
						     program->pipelines[kernel][width], NULL);
	}
	device->vk.vkDestroyPipelineLayout(device->device, program->layout, NULL);
	for (size_t kind = 0; kind < PROGRAM_SET_N; kind++)
		device->vk.vkDestroyDescriptorSetLayout(device->device, program->sets[kind], NULL);
	cache_close(&program->cache);
	pthread_mutex_destroy(&program->lock);
	*program = (struct vulkan_program){0};
}

status program_set_open(struct vulkan_program *program, enum program_set kind,
			VkDescriptorPool *ret_pool, VkDescriptorSet *ret)
{
	struct vulkan_device *device = program->device;
	const VkDescriptorPoolSize size = {
		.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
		.descriptorCount = set_bindings[kind],
	};
	const VkDescriptorPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
		.maxSets = 1,
		.poolSizeCount = 1,
		.pPoolSizes = &size,
	};
	VkDescriptorSetAllocateInfo set = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
		.descriptorSetCount = 1,
		.pSetLayouts = &program->sets[kind],
	};
	VkResult result = device->vk.vkCreateDescriptorPool(device->device, &pool, NULL, ret_pool);

	if (result != VK_SUCCESS) {
		*ret_pool = VK_NULL_HANDLE;
		return device_status(device, result);
	}
	set.descriptorPool = *ret_pool;
	return device_status(device,
			     device->vk.vkAllocateDescriptorSets(device->device, &set, ret));
}

void program_set_bind(struct vulkan_program *program, VkDescriptorSet set, uint32_t n,
		      const VkDescriptorBufferInfo *buffers)
{
	struct vulkan_device *device = program->device;
	VkWriteDescriptorSet writes[BINDINGS_MAX];

	for (uint32_t i = 0; i < n; i++) {
		writes[i] = (VkWriteDescriptorSet){
			.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
			.dstSet = set,
			.dstBinding = i,
			.descriptorCount = 1,
			.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
			.pBufferInfo = &buffers[i],
		};
	}
	device->vk.vkUpdateDescriptorSets(device->device, n, writes, 0, NULL);
}

uint32_t program_width(uint32_t stride)
{
	uint32_t width = 0;

	while (width + 1 < PROGRAM_TEAMS && program_lanes(width + 1) <= stride)
		width++;
	return width;
}

uint32_t program_lanes(uint32_t width)
{
	return 4U << width;
}

uint32_t program_keys_width(uint32_t stride, uint32_t queries)
{
	return 2 * queries + (stride >= program_lanes(1));
}

uint32_t program_keys_lanes(uint32_t width)
{
	return program_lanes(width % 2);
}

/* has_dot: the device multiplies bytes four at a time. */
static VkShaderModuleCreateInfo kernel_code(enum kernel kernel, bool has_dot)
{
#define CODE(name) {name##_spv, name##_spv_size}
	const struct {
		const uint32_t *words;
		size_t size_bytes;
	} codes[KERNEL_N][2] = {
		[KERNEL_SCAN] = {CODE(scan), CODE(scan)},
		[KERNEL_SCAN_HALF] = {CODE(scan_half), CODE(scan_half)},
		[KERNEL_SCAN_TOP] = {CODE(scan_top), CODE(scan_top)},
		[KERNEL_SCAN_TOP_HALF] = {CODE(scan_top_half), CODE(scan_top_half)},
		[KERNEL_SCAN_KEYS] = {CODE(scan_keys), CODE(scan_keys)},
		[KERNEL_SCAN_KEYS_HALF] = {CODE(scan_keys_half), CODE(scan_keys_half)},
		[KERNEL_SCAN_MATRIX] = {CODE(scan_matrix), CODE(scan_matrix)},
		[KERNEL_MERGE] = {CODE(merge), CODE(merge)},
		[KERNEL_SCAN8] = {CODE(scan8), CODE(scan8_dot)},
		[KERNEL_BOUNDS8] = {CODE(bounds8), CODE(bounds8_dot)},
		[KERNEL_SCAN1] = {CODE(scan1), CODE(scan1)},
		[KERNEL_BOUNDS1] = {CODE(bounds1), CODE(bounds1)},
		[KERNEL_HISTOGRAM8] = {CODE(histogram8), CODE(histogram8)},
		[KERNEL_COLLECT8] = {CODE(collect8), CODE(collect8_dot)},
	};
#undef CODE

	return (VkShaderModuleCreateInfo){
		.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
		.pCode = codes[kernel][has_dot].words,
		.codeSize = codes[kernel][has_dot].size_bytes,
	};
}

/* What the kernel is made for: its constants 0 and 1. */
struct constants {
	uint32_t first, second;
};

static struct constants kernel_constants(enum kernel kernel, uint32_t width)
{
	switch (kernel) {
	case KERNEL_SCAN:
	case KERNEL_SCAN_HALF:
	case KERNEL_SCAN_TOP:
	case KERNEL_SCAN_TOP_HALF:
		return (struct constants){.first = program_lanes(width)};
	case KERNEL_SCAN_KEYS:
	case KERNEL_SCAN_KEYS_HALF:
		return (struct constants){program_keys_lanes(width), 1U << width / 2};
	case KERNEL_SCAN8:
	case KERNEL_BOUNDS8:
	case KERNEL_SCAN1:
	case KERNEL_BOUNDS1:
		return (struct constants){.first = 1U << width};
	default:
		return (struct constants){.first = width};
	}
}

static VkResult pipeline_make(struct vulkan_program *program, enum kernel kernel, uint32_t width,
			      VkPipeline *ret)
{
	struct vulkan_device *device = program->device;
	const VkShaderModuleCreateInfo code = kernel_code(kernel, device->has_dot);
	const struct constants values = kernel_constants(kernel, width);
	static const VkSpecializationMapEntry entries[] = {
		{.constantID = 0, .size = sizeof(uint32_t)},
		{.constantID = 1, .offset = sizeof(uint32_t), .size = sizeof(uint32_t)},
	};
	const VkSpecializationInfo constants = {
		.mapEntryCount = 2, /* a kernel without one ignores it */
		.pMapEntries = entries,
		.dataSize = sizeof values,
		.pData = &values,
	};
	const VkPipelineShaderStageRequiredSubgroupSizeCreateInfoEXT size = {
		.sType =
			VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO_EXT,
		.requiredSubgroupSize = device->subgroup_size,
	};
	VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage =
			{
				.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
				.pNext = device->subgroup_size ? &size : NULL,
				.stage = VK_SHADER_STAGE_COMPUTE_BIT,
				.pName = "main",
				.pSpecializationInfo = &constants,
			},
		.layout = program->layout,
	};
	VkResult result;

	result = device->vk.vkCreateShaderModule(device->device, &code, NULL, &info.stage.module);
	if (result != VK_SUCCESS)
		return result;
	result = device->vk.vkCreateComputePipelines(device->device, program->cache.cache, 1, &info,
						     NULL, ret);
	device->vk.vkDestroyShaderModule(device->device, info.stage.module, NULL);
	return result;
}

status program_pipeline(struct vulkan_program *program, enum kernel kernel, uint32_t width,
			VkPipeline *ret)
{
	VkPipeline *place = &program->pipelines[kernel][width];
	VkPipeline made = VK_NULL_HANDLE;
	VkResult result = VK_SUCCESS;

	pthread_mutex_lock(&program->lock);
	if (*place == VK_NULL_HANDLE) {
		result = pipeline_make(program, kernel, width, &made);
		if (result == VK_SUCCESS) {
			*place = made;
			cache_save(&program->cache);
		}
	}
	*ret = *place;
	pthread_mutex_unlock(&program->lock);
	return device_status(program->device, result);
}
