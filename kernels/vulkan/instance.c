/* instance - counted, under a lock; the loader stays open once it was found. */
#include "kernels/vulkan/instance.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static VkInstance shared;
static size_t users;
static bool have_loader;

static status instance_create(VkInstance *ret)
{
	const VkApplicationInfo application = {
		.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO,
		.pApplicationName = "sluice",
		.apiVersion = VK_API_VERSION_1_1,
	};
	const VkInstanceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO,
		.pApplicationInfo = &application,
	};
	VkResult result;

	if (!have_loader && volkInitialize() != VK_SUCCESS)
		return status_make(STATUS_UNAVAILABLE, "no Vulkan loader (libvulkan.so.1)");
	have_loader = true;
	if (volkGetInstanceVersion() < VK_API_VERSION_1_1)
		return status_make(STATUS_UNAVAILABLE, "the Vulkan loader is older than 1.1");
	result = vkCreateInstance(&info, NULL, ret);
	if (result == VK_ERROR_OUT_OF_HOST_MEMORY)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a Vulkan instance");
	if (result != VK_SUCCESS)
		return status_make(STATUS_UNAVAILABLE, "no Vulkan driver works");
	volkLoadInstanceOnly(*ret);
	return status_ok();
}

status instance_acquire(VkInstance *ret)
{
	status made = status_ok();

	pthread_mutex_lock(&lock);
	if (users == 0)
		made = instance_create(&shared);
	if (!status_failed(made)) {
		users++;
		*ret = shared;
	}
	pthread_mutex_unlock(&lock);
	return made;
}

void instance_release(void)
{
	pthread_mutex_lock(&lock);
	if (--users == 0)
		vkDestroyInstance(shared, NULL);
	pthread_mutex_unlock(&lock);
}
