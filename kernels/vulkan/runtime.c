/* runtime - the slots are made at the start, what is left behind is awaited by a thread,
 * and another one brings codes. */
#include "kernels/base/log.h"
#include "kernels/vulkan/batch_codes.h"
#include "kernels/vulkan/copy.h"
#include "kernels/vulkan/submit.h"

#include <stdlib.h>

static status slot_open(struct vulkan_runtime *runtime, struct vulkan_queue *queue,
			struct vulkan_slot *slot)
{
	struct vulkan_device *device = runtime->device;
	const VkCommandPoolCreateInfo pool = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO,
		.flags = VK_COMMAND_POOL_CREATE_TRANSIENT_BIT,
		.queueFamilyIndex = queue->family,
	};
	VkCommandBufferAllocateInfo commands = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY,
		.commandBufferCount = 1,
	};
	VkResult result;

	slot->runtime = runtime;
	slot->queue = queue;
	result = device->vk.vkCreateCommandPool(device->device, &pool, NULL, &slot->pool);
	if (result != VK_SUCCESS) {
		slot->pool = VK_NULL_HANDLE;
		return device_status(device, result);
	}
	commands.commandPool = slot->pool;
	TRY(device_status(device, device->vk.vkAllocateCommandBuffers(device->device, &commands,
								      &slot->commands)));
	return program_set_open(&runtime->program, PROGRAM_SET_SUBMISSION, &slot->descriptors,
				&slot->set);
}

static void slot_close(struct vulkan_slot *slot)
{
	struct vulkan_device *device;

	if (!slot->runtime)
		return;
	device = slot->runtime->device;
	/* Pools take along what was allocated from them. */
	device->vk.vkDestroyCommandPool(device->device, slot->pool, NULL);
	device->vk.vkDestroyDescriptorPool(device->device, slot->descriptors, NULL);
	buffer_close(device, &slot->input);
	buffer_close(device, &slot->output);
	buffer_close(device, &slot->scratch);
}

/* The reaper's own wait is not for a caller: it ends with the work, or at close. */
static void *reaper_run(void *argument)
{
	struct vulkan_runtime *runtime = argument;
	int64_t gives_up_ns = INT64_MAX;

	pthread_mutex_lock(&runtime->lock);
	for (;;) {
		struct vulkan_slot *slot = slot_find(runtime, SLOT_LEFT);
		bool settled;

		if (!slot && runtime->closing)
			break;
		if (!slot) {
			pthread_cond_wait(&runtime->left, &runtime->lock);
			continue;
		}
		if (runtime->closing && gives_up_ns == INT64_MAX)
			gives_up_ns = clock_ns() + runtime->device->hang_ns;
		if (clock_ns() > gives_up_ns)
			break;
		pthread_mutex_unlock(&runtime->lock);
		settled = slot_settles(slot, WAIT_STEP_NS);
		pthread_mutex_lock(&runtime->lock);
		if (settled)
			slot_free(slot);
	}
	pthread_mutex_unlock(&runtime->lock);
	return NULL;
}

static void locks_init(struct vulkan_runtime *runtime)
{
	pthread_mutex_init(&runtime->lock, NULL);
	monotonic_init(&runtime->changed);
	pthread_cond_init(&runtime->left, NULL);
	pthread_cond_init(&runtime->queued, NULL);
	deadline_init(&runtime->uploading, DEADLINE_NEVER);
}

status runtime_open(struct vulkan_device *device, const char *cache_directory,
		    struct vulkan_runtime **ret)
{
	SCOPED(vulkan_device) taken = device;
	SCOPED(vulkan_runtime) runtime = calloc(1, sizeof *runtime);
	struct vulkan_queue *uploads =
		device->transfer.device ? &device->transfer : &device->compute;

	if (!runtime)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a GPU's runtime");
	locks_init(runtime);
	runtime->device = TAKE(taken);
	TRY(batch_codes_open(runtime, &runtime->batches));
	TRY(program_init(&runtime->program, device, cache_directory));
	for (size_t i = 0; i < SLOTS + UPLOADS; i++)
		TRY(slot_open(runtime, i < SLOTS ? &runtime->device->compute : uploads,
			      &runtime->slots[i]));
	TRY(thread_start(reaper_run, runtime, GPU_THREAD, &runtime->reaper));
	runtime->has_reaper = true;
	TRY(thread_start(copy_upload_run, runtime, GPU_THREAD, &runtime->uploader));
	runtime->has_uploader = true;
	*ret = TAKE(runtime);
	return status_ok();
}

void runtime_close(struct vulkan_runtime *runtime)
{
	if (!runtime)
		return;
	deadline_cancel(&runtime->uploading);
	pthread_mutex_lock(&runtime->lock);
	runtime->closing = true;
	pthread_cond_signal(&runtime->left);
	pthread_cond_signal(&runtime->queued);
	pthread_mutex_unlock(&runtime->lock);
	if (runtime->has_uploader)
		pthread_join(runtime->uploader, NULL);
	if (runtime->has_reaper)
		pthread_join(runtime->reaper, NULL);
	if (slot_find(runtime, SLOT_LEFT)) {
		/* What the device may still write to cannot be given back. */
		log_write(LOG_ERROR, "GPU %s hangs; its memory stays taken until the process ends",
			  runtime->device->name);
		return;
	}
	for (size_t i = 0; i < SLOTS + UPLOADS; i++)
		slot_close(&runtime->slots[i]);
	batch_codes_close(runtime->batches);
	program_finish(&runtime->program);
	device_close(runtime->device);
	pthread_cond_destroy(&runtime->queued);
	pthread_cond_destroy(&runtime->left);
	pthread_cond_destroy(&runtime->changed);
	pthread_mutex_destroy(&runtime->lock);
	free(runtime);
}
