/* choice - the rules, one reason each. */
#include "kernels/vulkan/choice.h"

#include "kernels/vulkan/matrix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the kernels use: see kernels/shaders. */
#define WORKGROUP_THREADS 256
#define WORKGROUP_SHARED_BYTES 16384
#define SETS 2
#define BINDINGS 6
#define PUSH_BYTES 128
#define WORKGROUPS 65535
#define BUFFER_BYTES ((uint32_t)1 << 27)

struct extensions {
	bool driver, budget, timeline, dot, subgroup;
	int matrix; /* of MATRIX_EXTENSIONS */
};

static void extensions_read(VkPhysicalDevice physical, struct extensions *ret)
{
	uint32_t n = 0;
	VkExtensionProperties *all;

	*ret = (struct extensions){0};
	if (vkEnumerateDeviceExtensionProperties(physical, NULL, &n, NULL) != VK_SUCCESS)
		return;
	all = calloc(n + 1, sizeof *all);
	if (!all)
		return;
	if (vkEnumerateDeviceExtensionProperties(physical, NULL, &n, all) < 0)
		n = 0;
	for (uint32_t i = 0; i < n; i++) {
		const char *name = all[i].extensionName;

		ret->driver |= strcmp(name, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME) == 0;
		ret->budget |= strcmp(name, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME) == 0;
		ret->timeline |= strcmp(name, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME) == 0;
		ret->dot |= strcmp(name, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME) == 0;
		ret->matrix += matrix_is_extension(name);
		ret->subgroup |= strcmp(name, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME) == 0;
	}
	free(all);
}

/* What a queue for copies may be able to do besides: queues that decode video copy as well, and are not
 * made for it. */
#define TRANSFER_FLAGS                                                                             \
	(VK_QUEUE_TRANSFER_BIT | VK_QUEUE_SPARSE_BINDING_BIT | VK_QUEUE_PROTECTED_BIT)

void choice_families(const VkQueueFamilyProperties *families, uint32_t n, struct choice_facts *ret)
{
	ret->has_queue = ret->has_transfer = false;
	for (uint32_t i = n; i-- > 0;) {
		VkQueueFlags flags = families[i].queueCount ? families[i].queueFlags : 0;

		if (flags & VK_QUEUE_COMPUTE_BIT) {
			ret->has_queue = true;
			ret->family = i;
		} else if (flags & VK_QUEUE_TRANSFER_BIT &&
			   !(flags & ~(VkQueueFlags)TRANSFER_FLAGS)) {
			ret->has_transfer = true;
			ret->transfer_family = i;
		}
	}
}

static void families_read(VkPhysicalDevice physical, struct choice_facts *ret)
{
	VkQueueFamilyProperties families[32];
	uint32_t n = sizeof families / sizeof *families;

	vkGetPhysicalDeviceQueueFamilyProperties(physical, &n, families);
	choice_families(families, n, ret);
}

/* As dot_feature. */
static bool timeline_feature(VkPhysicalDevice physical)
{
	VkPhysicalDeviceTimelineSemaphoreFeatures timeline = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
	};
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = &timeline,
	};

	vkGetPhysicalDeviceFeatures2(physical, &features);
	return timeline.timelineSemaphore;
}

/* The extension is there; whether the feature is, too. Only for a device of Vulkan 1.1. */
static bool dot_feature(VkPhysicalDevice physical)
{
	VkPhysicalDeviceShaderIntegerDotProductFeaturesKHR dot = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES_KHR,
	};
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = &dot,
	};

	vkGetPhysicalDeviceFeatures2(physical, &features);
	return dot.shaderIntegerDotProduct;
}

/* As dot_feature. Sizes with which a workgroup of ours has too many subgroups are left out. */
static void subgroup_sizes(VkPhysicalDevice physical, struct choice_facts *ret)
{
	VkPhysicalDeviceSubgroupSizeControlFeaturesEXT control = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES_EXT,
	};
	VkPhysicalDeviceFeatures2 features = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
		.pNext = &control,
	};
	VkPhysicalDeviceSubgroupSizeControlPropertiesEXT sizes = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES_EXT,
	};
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
		.pNext = &sizes,
	};

	vkGetPhysicalDeviceFeatures2(physical, &features);
	vkGetPhysicalDeviceProperties2(physical, &properties);
	if (!control.subgroupSizeControl ||
	    !(sizes.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT))
		return;
	ret->subgroup_min = sizes.minSubgroupSize;
	ret->subgroup_max = sizes.maxSubgroupSize;
	while (ret->subgroup_min < ret->subgroup_max &&
	       ret->subgroup_min * sizes.maxComputeWorkgroupSubgroups < WORKGROUP_THREADS)
		ret->subgroup_min *= 2;
}

static uint64_t device_memory_bytes(VkPhysicalDevice physical)
{
	VkPhysicalDeviceMemoryProperties memory;
	uint64_t most = 0;

	vkGetPhysicalDeviceMemoryProperties(physical, &memory);
	for (uint32_t i = 0; i < memory.memoryHeapCount; i++) {
		if (memory.memoryHeaps[i].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT &&
		    memory.memoryHeaps[i].size > most)
			most = memory.memoryHeaps[i].size;
	}
	return most;
}

int choice_rank(const struct choice_facts *facts)
{
	switch (facts->properties.deviceType) {
	case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
		return 4;
	case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
		return 3;
	case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
		return 2;
	default:
		return 1;
	}
}

static const char *limits_reason(const VkPhysicalDeviceLimits *limits)
{
	if (limits->maxComputeWorkGroupInvocations < WORKGROUP_THREADS ||
	    limits->maxComputeWorkGroupSize[0] < WORKGROUP_THREADS)
		return "its workgroups have less than 256 threads";
	if (limits->maxComputeSharedMemorySize < WORKGROUP_SHARED_BYTES)
		return "its workgroups share less than 16 KiB";
	if (limits->maxComputeWorkGroupCount[0] < WORKGROUPS)
		return "it takes less than 65,535 workgroups";
	if (limits->maxBoundDescriptorSets < SETS)
		return "it binds less than 2 sets";
	if (limits->maxPerStageDescriptorStorageBuffers < BINDINGS)
		return "it binds less than 6 buffers";
	if (limits->maxPushConstantsSize < PUSH_BYTES)
		return "it takes less than 128 bytes of push constants";
	if (limits->maxStorageBufferRange < BUFFER_BYTES)
		return "its buffers hold less than 128 MiB";
	return NULL;
}

const char *choice_reason(const struct choice_facts *facts, enum gpu_mode mode)
{
	bool is_software = facts->properties.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU;
	const char *reason;

	if (is_software && mode != GPU_SOFTWARE)
		return "it is a processor, not a GPU";
	if (!is_software && mode == GPU_SOFTWARE)
		return "it is a GPU, and a software device is asked for";
	if (facts->properties.apiVersion < VK_API_VERSION_1_1)
		return "its Vulkan is older than 1.1";
	reason = limits_reason(&facts->properties.limits);
	if (!reason && !facts->has_timeline)
		reason = "it has no timeline semaphores";
	if (!reason && !facts->has_queue)
		reason = "it has no queue that computes";
	return reason;
}

/* ret_driver  left as it is where the device does not tell. */
static void facts_read(VkInstance instance, VkPhysicalDevice physical, struct choice_facts *ret,
		       VkPhysicalDeviceDriverProperties *ret_driver)
{
	VkPhysicalDeviceProperties2 properties = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2,
	};
	struct extensions extensions;

	*ret = (struct choice_facts){0};
	extensions_read(physical, &extensions);
	vkGetPhysicalDeviceProperties(physical, &ret->properties);
	if (ret->properties.apiVersion >= VK_API_VERSION_1_1) {
		properties.pNext = extensions.driver ? ret_driver : NULL;
		vkGetPhysicalDeviceProperties2(physical, &properties);
		ret->has_timeline = extensions.timeline && timeline_feature(physical);
		ret->has_dot = extensions.dot && dot_feature(physical);
		ret->has_matrix = matrix_is_built() && extensions.matrix == MATRIX_EXTENSIONS &&
				  matrix_is_there(instance, physical);
		if (extensions.subgroup)
			subgroup_sizes(physical, ret);
	}
	ret->has_budget = extensions.budget;
	families_read(physical, ret);
}

static void choice_judge(VkInstance instance, VkPhysicalDevice physical, enum gpu_mode mode,
			 struct choice *ret, struct gpu_device *ret_device)
{
	VkPhysicalDeviceDriverProperties driver = {
		.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES,
	};
	const char *reason;

	*ret = (struct choice){.physical = physical};
	*ret_device = (struct gpu_device){.memory_bytes = device_memory_bytes(physical)};
	facts_read(instance, physical, &ret->facts, &driver);
	reason = choice_reason(&ret->facts, mode);
	if (!reason)
		ret->rank = choice_rank(&ret->facts);

	snprintf(ret_device->name, sizeof ret_device->name, "%s", ret->facts.properties.deviceName);
	if (driver.driverName[0])
		snprintf(ret_device->driver, sizeof ret_device->driver, "%.120s %.120s",
			 driver.driverName, driver.driverInfo);
	else
		snprintf(ret_device->driver, sizeof ret_device->driver, "version %08x",
			 ret->facts.properties.driverVersion);
	snprintf(ret_device->reason, sizeof ret_device->reason, "%s", reason ? reason : "");
}

void choices_find(VkInstance instance, enum gpu_mode mode, struct choices *ret,
		  struct gpu_list *ret_list)
{
	VkPhysicalDevice physical[GPU_DEVICES_MAX];
	uint32_t n = GPU_DEVICES_MAX;

	/* VK_INCOMPLETE, more devices than places, is positive. */
	if (vkEnumeratePhysicalDevices(instance, &n, physical) < 0)
		n = 0;
	ret->n = ret_list->n = n;
	for (uint32_t i = 0; i < n; i++)
		choice_judge(instance, physical[i], mode, &ret->all[i], &ret_list->devices[i]);
}

size_t choices_best(const struct choices *choices)
{
	size_t best = choices->n;

	for (size_t i = 0; i < choices->n; i++) {
		int to_beat = best < choices->n ? choices->all[best].rank : 0;

		if (choices->all[i].rank > to_beat)
			best = i;
	}
	return best;
}

void choices_taken(const struct choices *choices, size_t taken, struct gpu_list *list)
{
	for (size_t i = 0; i < choices->n; i++) {
		struct gpu_device *device = &list->devices[i];

		device->in_use = i == taken;
		if (choices->all[i].rank && i != taken)
			snprintf(device->reason, sizeof device->reason, "%.80s is used instead",
				 list->devices[taken].name);
	}
}
