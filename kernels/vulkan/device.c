/* device - see choice.c for which; here it is opened, watched and closed. */
#include "kernels/vulkan/device.h"

#include "kernels/base/log.h"
#include "kernels/vulkan/choice.h"
#include "kernels/vulkan/instance.h"
#include "kernels/vulkan/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bindings and copies beyond this would gain nothing. */
#define BUFFER_BYTES_MAX ((uint64_t)1 << 30)

/* A thread that sleeps is back some tens of microseconds after it is woken. */
#define SPIN_NS 50000

/* A device that takes longer for one submission hangs. A software device compiles a kernel when it is first
 * submitted, and shares its processor with whatever else there is. */
#define HANG_NS ((int64_t)30 * 1000000000)
#define HANG_SOFTWARE_NS (20 * HANG_NS)

#define EXTENSIONS_MAX (3 + MATRIX_EXTENSIONS)

void (*device_watch)(struct VolkDeviceTable *vk);
bool device_transfer_forced;

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void limits_read(struct vulkan_device *device, const struct choice *choice)
{
	VkPhysicalDeviceMaintenance3Properties allocation = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES,
	};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
		.pNext = &allocation,
	};
	const VkPhysicalDeviceLimits *limits = &properties.properties.limits;
	bool is_software;

	vkGetPhysicalDeviceProperties2(device->physical, &properties);
	is_software = properties.properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
	vkGetPhysicalDeviceMemoryProperties(device->physical, &device->memory);
	device->has_budget = choice->facts.has_budget;
	/* What would look is also what a software device computes on. */
	device->spin_ns = is_software ? 0 : SPIN_NS;
	device->hang_ns = is_software ? HANG_SOFTWARE_NS : HANG_NS;
	device->buffer_bytes = least(BUFFER_BYTES_MAX, limits->maxStorageBufferRange);
	device->buffer_bytes = least(device->buffer_bytes, allocation.maxMemoryAllocationSize / 2);
	device->align_bytes = limits->minStorageBufferOffsetAlignment;
	if (device->align_bytes < 64)
		device->align_bytes = 64;
	/* "llvmpipe (LLVM 15.0.6, 256 bits)" is llvmpipe. */
	snprintf(device->name, sizeof device->name, "%.*s",
		 (int)strcspn(properties.properties.deviceName, "("),
		 properties.properties.deviceName);
	for (size_t n = strlen(device->name); n > 0 && device->name[n - 1] == ' '; n--)
		device->name[n - 1] = '\0';
}

static VkResult queues_make(struct vulkan_device *device, const struct choice_facts *facts)
{
	VkResult result = queue_init(device, facts->family, NULL, &device->compute);

	if (result == VK_SUCCESS && facts->has_transfer)
		result = queue_init(device, facts->transfer_family, NULL, &device->transfer);
	else if (result == VK_SUCCESS && device_transfer_forced)
		result = queue_init(device, facts->family, &device->compute, &device->transfer);
	return result;
}

static void device_unmake(struct vulkan_device *device)
{
	/* All work is done, or the device is lost; a driver may still be at what comes behind work. */
	if (device->device)
		(void)device->vk.vkDeviceWaitIdle(device->device);
	queue_finish(&device->transfer);
	queue_finish(&device->compute);
	if (device->device)
		device->vk.vkDestroyDevice(device->device, NULL);
	device->device = VK_NULL_HANDLE;
}

/* Extensions to be enabled, and the features that they bring. */
struct wishes {
	const char *extensions[EXTENSIONS_MAX];
	uint32_t n;
	VkPhysicalDeviceTimelineSemaphoreFeatures timeline;
	VkPhysicalDeviceShaderIntegerDotProductFeaturesKHR dot;
	VkPhysicalDeviceSubgroupSizeControlFeaturesEXT control;
	struct matrix_features matrix;
};

/* Gives the chain of features, which lies in ret. */
static const void *wishes_make(const struct choice_facts *facts, struct wishes *ret)
{
	const void *next;

	*ret = (struct wishes){.n = 1, .extensions = {VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME}};
	ret->timeline = (VkPhysicalDeviceTimelineSemaphoreFeatures){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
		.timelineSemaphore = VK_TRUE,
	};
	ret->dot = (VkPhysicalDeviceShaderIntegerDotProductFeaturesKHR){
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES_KHR,
		.pNext = &ret->timeline,
		.shaderIntegerDotProduct = VK_TRUE,
	};
	next = &ret->timeline;
	if (facts->has_dot) {
		ret->extensions[ret->n++] = VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME;
		next = &ret->dot;
	}
	if (facts->subgroup_max) {
		ret->extensions[ret->n++] = VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME;
		ret->control = (VkPhysicalDeviceSubgroupSizeControlFeaturesEXT){
			.sType =
				VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT,
			.pNext = (void *)(uintptr_t)next,
			.subgroupSizeControl = VK_TRUE,
		};
		next = &ret->control;
	}
	if (facts->has_matrix) {
		matrix_enable(&ret->matrix, ret->extensions + ret->n, &next);
		ret->n += MATRIX_EXTENSIONS;
	}
	return next;
}

static VkResult device_make(struct vulkan_device *device, const struct choice *choice)
{
	const float priority = 1.0F;
	const VkDeviceQueueCreateInfo queues[] = {
		{
			.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
			.queueFamilyIndex = choice->facts.family,
			.queueCount = 1,
			.pQueuePriorities = &priority,
		},
		{
			.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
			.queueFamilyIndex = choice->facts.transfer_family,
			.queueCount = 1,
			.pQueuePriorities = &priority,
		},
	};
	struct wishes wishes;
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.pNext = wishes_make(&choice->facts, &wishes),
		.enabledExtensionCount = wishes.n,
		.ppEnabledExtensionNames = wishes.extensions,
		.queueCreateInfoCount = choice->facts.has_transfer ? 2 : 1,
		.pQueueCreateInfos = queues,
	};
	VkResult result;

	device->physical = choice->physical;
	device->has_dot = choice->facts.has_dot;
	device->subgroup_min = choice->facts.subgroup_min;
	device->subgroup_max = choice->facts.subgroup_max;
	device->has_matrix = choice->facts.has_matrix;
	result = vkCreateDevice(device->physical, &info, NULL, &device->device);
	if (result != VK_SUCCESS) {
		device->device = VK_NULL_HANDLE;
		return result;
	}
	volkLoadDeviceTable(&device->vk, device->device);
	if (device_watch)
		device_watch(&device->vk);
	limits_read(device, choice);
	result = queues_make(device, &choice->facts);
	if (result != VK_SUCCESS)
		device_unmake(device);
	return result;
}

/* Takes the best that can be opened; one that cannot is passed over, with its reason. */
static bool device_take(struct vulkan_device *device, struct choices *choices,
			struct gpu_list *list)
{
	for (;;) {
		size_t best = choices_best(choices);
		VkResult result;

		if (best == choices->n)
			return false;
		result = device_make(device, &choices->all[best]);
		if (result == VK_SUCCESS) {
			choices_taken(choices, best, list);
			return true;
		}
		choices->all[best].rank = 0;
		snprintf(list->devices[best].reason, sizeof list->devices[best].reason,
			 "it cannot be opened: VkResult %d", (int)result);
	}
}

static status none_found(enum gpu_mode mode, struct arena *arena, const struct gpu_list *list)
{
	const char *wanted = mode == GPU_SOFTWARE ? "software device" : "GPU";
	const char *reasons = "";

	if (mode == GPU_AUTO)
		return status_ok();
	for (size_t i = 0; i < list->n; i++) {
		const char *longer = arena_printf(arena, "%s%s%s: %s", reasons, i ? "; " : "",
						  list->devices[i].name, list->devices[i].reason);
		if (longer)
			reasons = longer;
	}
	if (list->n == 0)
		reasons = "there is no Vulkan device at all";
	return status_format(arena, STATUS_UNAVAILABLE, "no %s can be used: %s", wanted, reasons);
}

status device_open(enum gpu_mode mode, struct arena *arena, struct gpu_list *list,
		   struct vulkan_device **ret)
{
	struct vulkan_device *device;
	struct choices choices;
	VkInstance instance;
	status acquired = instance_acquire(&instance);

	list->n = 0;
	*ret = NULL;
	if (acquired.code == STATUS_UNAVAILABLE && mode == GPU_AUTO)
		return status_ok();
	TRY(acquired);
	device = calloc(1, sizeof *device);
	if (!device) {
		instance_release();
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a GPU");
	}
	slabs_init(&device->slabs);
	choices_find(instance, mode, &choices, list);
	if (!device_take(device, &choices, list)) {
		device_close(device);
		return none_found(mode, arena, list);
	}
	*ret = device;
	return status_ok();
}

void device_close(struct vulkan_device *device)
{
	if (!device)
		return;
	device_unmake(device);
	slabs_finish(&device->slabs);
	free(device);
	instance_release();
}

status device_status(struct vulkan_device *device, VkResult result)
{
	switch (result) {
	case VK_SUCCESS:
		return status_ok();
	case VK_ERROR_OUT_OF_HOST_MEMORY:
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for the GPU's driver");
	case VK_ERROR_OUT_OF_DEVICE_MEMORY:
	case VK_ERROR_OUT_OF_POOL_MEMORY:
	case VK_ERROR_FRAGMENTED_POOL:
	case VK_ERROR_TOO_MANY_OBJECTS:
		return status_make(STATUS_UNAVAILABLE, "the GPU's memory is full");
	case VK_ERROR_DEVICE_LOST:
		if (!atomic_exchange(&device->lost, true))
			log_write(LOG_ERROR, "GPU %s is lost, scans go to the processor",
				  device->name);
		return status_make(STATUS_UNAVAILABLE, "the GPU is lost");
	default:
		return status_make(STATUS_UNAVAILABLE, "the GPU's driver failed");
	}
}

status device_check(const struct vulkan_device *device)
{
	if (atomic_load_explicit(&device->lost, memory_order_acquire))
		return status_make(STATUS_UNAVAILABLE, "the GPU is lost");
	return status_ok();
}
