/* memory - the choice of memory types, and the budget. */
#include "kernels/vulkan/memory.h"

#include <string.h>

#define NO_TYPE UINT32_MAX

#define HOST_FLAGS (VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT)

/* In order of preference. The second of each is there on every device. What the host writes is read
 * by every workgroup, so it is best on the device's side of the bus. */
static const VkMemoryPropertyFlags kinds[][2] = {
	[MEMORY_DEVICE] = {VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, 0},
	[MEMORY_UPLOAD] = {HOST_FLAGS | VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT, HOST_FLAGS},
	[MEMORY_READBACK] = {HOST_FLAGS | VK_MEMORY_PROPERTY_HOST_CACHED_BIT, HOST_FLAGS},
};

/* From this choice on. */
static uint32_t type_find(const struct vulkan_device *device, enum memory_kind kind, size_t choice,
			  uint32_t allowed)
{
	for (; choice < 2; choice++) {
		VkMemoryPropertyFlags wanted = kinds[kind][choice];

		for (uint32_t i = 0; i < device->memory.memoryTypeCount; i++) {
			VkMemoryPropertyFlags flags = device->memory.memoryTypes[i].propertyFlags;

			if (allowed >> i & 1 && (flags & wanted) == wanted)
				return i;
		}
	}
	return NO_TYPE;
}

static VkResult memory_bind(struct vulkan_device *device, enum memory_kind kind,
			    struct vulkan_buffer *buffer)
{
	VkMemoryRequirements needs;
	VkMemoryAllocateInfo info = {.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO};
	VkResult result;

	device->vk.vkGetBufferMemoryRequirements(device->device, buffer->buffer, &needs);
	info.allocationSize = needs.size;
	info.memoryTypeIndex = type_find(device, kind, 0, needs.memoryTypeBits);
	if (info.memoryTypeIndex == NO_TYPE)
		return VK_ERROR_FEATURE_NOT_PRESENT;
	if (kind == MEMORY_DEVICE) {
		result = slab_take(device, info.memoryTypeIndex, &needs, &buffer->piece);
		if (result != VK_SUCCESS)
			return result;
		return device->vk.vkBindBufferMemory(device->device, buffer->buffer,
						     buffer->piece->slab->memory,
						     buffer->piece->at);
	}
	result = device->vk.vkAllocateMemory(device->device, &info, NULL, &buffer->memory);
	if (result == VK_ERROR_OUT_OF_DEVICE_MEMORY) {
		/* What the host can reach of the device may be a small window. */
		info.memoryTypeIndex = type_find(device, kind, 1, needs.memoryTypeBits);
		result = device->vk.vkAllocateMemory(device->device, &info, NULL, &buffer->memory);
	}
	if (result != VK_SUCCESS) {
		buffer->memory = VK_NULL_HANDLE;
		return result;
	}
	result = device->vk.vkBindBufferMemory(device->device, buffer->buffer, buffer->memory, 0);
	if (result != VK_SUCCESS)
		return result;
	result = device->vk.vkMapMemory(device->device, buffer->memory, 0, VK_WHOLE_SIZE, 0,
					&buffer->mapped);
	if (result != VK_SUCCESS)
		buffer->mapped = NULL;
	return result;
}

status buffer_init(struct vulkan_device *device, enum memory_kind kind, uint64_t size_bytes,
		   struct vulkan_buffer *ret)
{
	const uint32_t families[] = {device->compute.family, device->transfer.family};
	bool is_shared =
		kind == MEMORY_DEVICE && device->transfer.device && families[0] != families[1];
	const VkBufferCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO,
		.size = size_bytes,
		.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
			 VK_BUFFER_USAGE_TRANSFER_DST_BIT,
		/* What one queue copies to another one's kernels read, while more is copied. */
		.sharingMode = is_shared ? VK_SHARING_MODE_CONCURRENT : VK_SHARING_MODE_EXCLUSIVE,
		.queueFamilyIndexCount = is_shared ? 2 : 0,
		.pQueueFamilyIndices = families,
	};
	VkResult result = device->vk.vkCreateBuffer(device->device, &info, NULL, &ret->buffer);

	if (result != VK_SUCCESS) {
		ret->buffer = VK_NULL_HANDLE;
		return device_status(device, result);
	}
	result = memory_bind(device, kind, ret);
	if (result != VK_SUCCESS) {
		buffer_close(device, ret);
		return device_status(device, result);
	}
	ret->size_bytes = size_bytes;
	return status_ok();
}

void buffer_close(struct vulkan_device *device, struct vulkan_buffer *buffer)
{
	/* Freeing unmaps. */
	device->vk.vkDestroyBuffer(device->device, buffer->buffer, NULL);
	device->vk.vkFreeMemory(device->device, buffer->memory, NULL);
	slab_give(device, buffer->piece);
	*buffer = (struct vulkan_buffer){0};
}

bool memory_fits(const struct vulkan_device *device, uint64_t size_bytes)
{
	VkPhysicalDeviceMemoryBudgetPropertiesEXT budget = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT,
	};
	VkPhysicalDeviceMemoryProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2,
		.pNext = device->has_budget ? &budget : NULL,
	};
	uint32_t type = type_find(device, MEMORY_DEVICE, 0, UINT32_MAX);
	uint32_t heap = type == NO_TYPE ? 0 : device->memory.memoryTypes[type].heapIndex;
	uint64_t total, used;

	vkGetPhysicalDeviceMemoryProperties2(device->physical, &properties);
	if (device->has_budget) {
		total = budget.heapBudget[heap];
		used = budget.heapUsage[heap];
	} else {
		total = properties.memoryProperties.memoryHeaps[heap].size;
		used = atomic_load(&device->used_bytes);
	}
	total = total / 100 * 85;
	if (device->memory_bytes_max) {
		uint64_t ours = atomic_load(&device->used_bytes);

		if (ours > device->memory_bytes_max || size_bytes > device->memory_bytes_max - ours)
			return false;
	}
	return used <= total && size_bytes <= total - used;
}
