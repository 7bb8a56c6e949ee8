/* Vulkan - volk finds a driver, and a shader of ours does its sums on whatever device is there. */
#include "tests/deps/scale.spv.h"
#include "tests/support/skip.h"

#include <criterion/criterion.h>
#include <volk.h>

#include <stdint.h>

enum { n_values = 1000, group = 64 };

struct gpu {
	VkInstance instance;
	VkPhysicalDevice physical;
	VkDevice device;
	VkQueue queue;
	uint32_t family;
	VkBuffer buffer;
	VkDeviceMemory memory;
	VkDescriptorSetLayout set_layout;
	VkDescriptorPool pool;
	VkDescriptorSet set;
	VkPipelineLayout layout;
	VkPipeline pipeline;
	VkCommandPool commands;
};

static void must(VkResult result, const char *what)
{
	cr_assert_eq(result, VK_SUCCESS, "%s gives %d", what, (int)result);
}

static void instance_open(struct gpu *gpu)
{
	VkApplicationInfo application = {.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
					 .apiVersion = VK_API_VERSION_1_1};
	VkInstanceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
				     .pApplicationInfo = &application};
	uint32_t n = 1;

	if (volkInitialize() != VK_SUCCESS)
		SKIP_LOUDLY("no Vulkan loader");
	if (vkCreateInstance(&info, NULL, &gpu->instance) != VK_SUCCESS)
		SKIP_LOUDLY("no Vulkan driver");
	volkLoadInstance(gpu->instance);
	vkEnumeratePhysicalDevices(gpu->instance, &n, &gpu->physical);
	if (n == 0)
		SKIP_LOUDLY("no Vulkan device");
}

static void device_open(struct gpu *gpu)
{
	VkQueueFamilyProperties families[16];
	float priority = 1.0F;
	VkDeviceQueueCreateInfo queue = {.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
					 .queueCount = 1,
					 .pQueuePriorities = &priority};
	VkDeviceCreateInfo info = {.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
				   .queueCreateInfoCount = 1,
				   .pQueueCreateInfos = &queue};
	uint32_t n = 16;

	vkGetPhysicalDeviceQueueFamilyProperties(gpu->physical, &n, families);
	while (gpu->family < n && !(families[gpu->family].queueFlags & VK_QUEUE_COMPUTE_BIT))
		gpu->family++;
	cr_assert_lt(gpu->family, n, "a queue for compute");
	queue.queueFamilyIndex = gpu->family;
	must(vkCreateDevice(gpu->physical, &info, NULL, &gpu->device), "vkCreateDevice");
	volkLoadDevice(gpu->device);
	vkGetDeviceQueue(gpu->device, gpu->family, 0, &gpu->queue);
}

static uint32_t *buffer_map(struct gpu *gpu)
{
	const VkMemoryPropertyFlags wanted =
		VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	VkBufferCreateInfo info = {.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
				   .size = n_values * sizeof(uint32_t),
				   .usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT};
	VkMemoryAllocateInfo allocation = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
	VkPhysicalDeviceMemoryProperties properties;
	VkMemoryRequirements needs;
	void *mapped = NULL;
	uint32_t type = 0;

	must(vkCreateBuffer(gpu->device, &info, NULL, &gpu->buffer), "vkCreateBuffer");
	vkGetBufferMemoryRequirements(gpu->device, gpu->buffer, &needs);
	vkGetPhysicalDeviceMemoryProperties(gpu->physical, &properties);
	while (type < properties.memoryTypeCount &&
	       !((needs.memoryTypeBits >> type & 1) &&
		 (properties.memoryTypes[type].propertyFlags & wanted) == wanted))
		type++;
	cr_assert_lt(type, properties.memoryTypeCount, "memory that the host sees");
	allocation.allocationSize = needs.size;
	allocation.memoryTypeIndex = type;
	must(vkAllocateMemory(gpu->device, &allocation, NULL, &gpu->memory), "vkAllocateMemory");
	must(vkBindBufferMemory(gpu->device, gpu->buffer, gpu->memory, 0), "vkBindBufferMemory");
	must(vkMapMemory(gpu->device, gpu->memory, 0, VK_WHOLE_SIZE, 0, &mapped), "vkMapMemory");
	return mapped;
}

static void descriptors_make(struct gpu *gpu)
{
	VkDescriptorSetLayoutBinding binding = {.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
						.descriptorCount = 1,
						.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT};
	VkDescriptorSetLayoutCreateInfo layout = {
		.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
		.bindingCount = 1,
		.pBindings = &binding};
	VkDescriptorPoolSize size = {VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1};
	VkDescriptorPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO,
					   .maxSets = 1,
					   .poolSizeCount = 1,
					   .pPoolSizes = &size};
	VkDescriptorSetAllocateInfo set = {.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO,
					   .descriptorSetCount = 1,
					   .pSetLayouts = &gpu->set_layout};
	VkDescriptorBufferInfo range = {gpu->buffer, 0, VK_WHOLE_SIZE};
	VkWriteDescriptorSet write = {.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET,
				      .descriptorCount = 1,
				      .descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER,
				      .pBufferInfo = &range};

	must(vkCreateDescriptorSetLayout(gpu->device, &layout, NULL, &gpu->set_layout), "layout");
	must(vkCreateDescriptorPool(gpu->device, &pool, NULL, &gpu->pool), "pool");
	set.descriptorPool = gpu->pool;
	must(vkAllocateDescriptorSets(gpu->device, &set, &gpu->set), "set");
	write.dstSet = gpu->set;
	vkUpdateDescriptorSets(gpu->device, 1, &write, 0, NULL);
}

static void pipeline_make(struct gpu *gpu)
{
	VkShaderModuleCreateInfo code = {.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
					 .codeSize = scale_spv_size,
					 .pCode = scale_spv};
	VkPipelineLayoutCreateInfo layout = {.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
					     .setLayoutCount = 1,
					     .pSetLayouts = &gpu->set_layout};
	VkComputePipelineCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
		.stage = {.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
			  .stage = VK_SHADER_STAGE_COMPUTE_BIT,
			  .pName = "main"}};

	must(vkCreateShaderModule(gpu->device, &code, NULL, &info.stage.module), "shader");
	must(vkCreatePipelineLayout(gpu->device, &layout, NULL, &gpu->layout), "layout");
	info.layout = gpu->layout;
	must(vkCreateComputePipelines(gpu->device, VK_NULL_HANDLE, 1, &info, NULL, &gpu->pipeline),
	     "pipeline");
	vkDestroyShaderModule(gpu->device, info.stage.module, NULL);
}

static void dispatch(struct gpu *gpu)
{
	VkCommandPoolCreateInfo pool = {.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
					.queueFamilyIndex = gpu->family};
	VkCommandBufferAllocateInfo allocation = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO, .commandBufferCount = 1};
	VkCommandBufferBeginInfo begin = {.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO};
	VkMemoryBarrier barrier = {.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
				   .srcAccessMask = VK_ACCESS_SHADER_WRITE_BIT,
				   .dstAccessMask = VK_ACCESS_HOST_READ_BIT};
	VkCommandBuffer command = VK_NULL_HANDLE;
	VkSubmitInfo submit = {.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
			       .commandBufferCount = 1,
			       .pCommandBuffers = &command};

	must(vkCreateCommandPool(gpu->device, &pool, NULL, &gpu->commands), "commands");
	allocation.commandPool = gpu->commands;
	must(vkAllocateCommandBuffers(gpu->device, &allocation, &command), "command");
	must(vkBeginCommandBuffer(command, &begin), "begin");
	vkCmdBindPipeline(command, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->pipeline);
	vkCmdBindDescriptorSets(command, VK_PIPELINE_BIND_POINT_COMPUTE, gpu->layout, 0, 1,
				&gpu->set, 0, NULL);
	vkCmdDispatch(command, (n_values + group - 1) / group, 1, 1);
	vkCmdPipelineBarrier(command, VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
			     VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier, 0, NULL, 0, NULL);
	must(vkEndCommandBuffer(command), "end");
	must(vkQueueSubmit(gpu->queue, 1, &submit, VK_NULL_HANDLE), "submit");
	must(vkQueueWaitIdle(gpu->queue), "wait");
}

static void gpu_close(struct gpu *gpu)
{
	vkDestroyCommandPool(gpu->device, gpu->commands, NULL);
	vkDestroyPipeline(gpu->device, gpu->pipeline, NULL);
	vkDestroyPipelineLayout(gpu->device, gpu->layout, NULL);
	vkDestroyDescriptorPool(gpu->device, gpu->pool, NULL);
	vkDestroyDescriptorSetLayout(gpu->device, gpu->set_layout, NULL);
	vkDestroyBuffer(gpu->device, gpu->buffer, NULL);
	vkFreeMemory(gpu->device, gpu->memory, NULL);
	vkDestroyDevice(gpu->device, NULL);
	vkDestroyInstance(gpu->instance, NULL);
}

Test(vulkan, runs_a_shader_on_a_buffer)
{
	struct gpu gpu = {0};
	uint32_t *values;

	instance_open(&gpu);
	device_open(&gpu);
	values = buffer_map(&gpu);
	for (uint32_t i = 0; i < n_values; i++)
		values[i] = i;
	descriptors_make(&gpu);
	pipeline_make(&gpu);
	dispatch(&gpu);

	for (uint32_t i = 0; i < n_values; i++)
		cr_assert_eq(values[i], 3 * i, "value %u", i);
	gpu_close(&gpu);
}
