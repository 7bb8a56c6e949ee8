/* queue - submissions with numbers. */
#include "kernels/vulkan/queue.h"

#include "kernels/vulkan/device.h"

VkResult queue_init(struct vulkan_device *device, uint32_t family, struct vulkan_queue *same_as,
		    struct vulkan_queue *ret)
{
	const VkSemaphoreTypeCreateInfo counts = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO,
		.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE,
	};
	const VkSemaphoreCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO,
		.pNext = &counts,
	};
	VkResult made;

	ret->device = device;
	ret->family = family;
	pthread_mutex_init(&ret->own_lock, NULL);
	ret->lock = same_as ? same_as->lock : &ret->own_lock;
	device->vk.vkGetDeviceQueue(device->device, family, 0, &ret->queue);
	made = device->vk.vkCreateSemaphore(device->device, &info, NULL, &ret->timeline);
	if (made != VK_SUCCESS)
		ret->timeline = VK_NULL_HANDLE;
	return made;
}

void queue_finish(struct vulkan_queue *queue)
{
	if (!queue->device)
		return;
	queue->device->vk.vkDestroySemaphore(queue->device->device, queue->timeline, NULL);
	pthread_mutex_destroy(&queue->own_lock);
	*queue = (struct vulkan_queue){0};
}

VkResult queue_submit(struct vulkan_queue *queue, VkCommandBuffer commands,
		      const struct queue_after *after, uint64_t *ret_number)
{
	const VkPipelineStageFlags all = VK_PIPELINE_STAGE_ALL_COMMANDS_BIT;
	uint64_t number;
	const VkTimelineSemaphoreSubmitInfo numbers = {
		.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO,
		.waitSemaphoreValueCount = after ? 1 : 0,
		.pWaitSemaphoreValues = after ? &after->number : NULL,
		.signalSemaphoreValueCount = 1,
		.pSignalSemaphoreValues = &number,
	};
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.pNext = &numbers,
		.waitSemaphoreCount = after ? 1 : 0,
		.pWaitSemaphores = after ? &after->queue->timeline : NULL,
		.pWaitDstStageMask = &all,
		.commandBufferCount = commands ? 1 : 0,
		.pCommandBuffers = &commands,
		.signalSemaphoreCount = 1,
		.pSignalSemaphores = &queue->timeline,
	};
	VkResult result;

	pthread_mutex_lock(queue->lock);
	number = queue->submitted + 1;
	result = queue->device->vk.vkQueueSubmit(queue->queue, 1, &info, VK_NULL_HANDLE);
	if (result == VK_SUCCESS)
		*ret_number = queue->submitted = number;
	pthread_mutex_unlock(queue->lock);
	return result;
}

VkResult queue_wait(const struct vulkan_queue *queue, uint64_t number, int64_t at_most_ns)
{
	const VkSemaphoreWaitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO,
		.semaphoreCount = 1,
		.pSemaphores = &queue->timeline,
		.pValues = &number,
	};
	struct vulkan_device *device = queue->device;

	return device->vk.vkWaitSemaphoresKHR(device->device, &info,
					      at_most_ns > 0 ? (uint64_t)at_most_ns : 0);
}
