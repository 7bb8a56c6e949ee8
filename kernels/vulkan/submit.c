/* submit - the life of a slot: acquired, filled, run, released or left to the reaper. */
#include "kernels/vulkan/submit.h"

#include "kernels/base/gauge.h"
#include "kernels/vulkan/copy.h"

#define SLOT_BUFFER_BYTES_MIN 4096

status runtime_wait(struct vulkan_runtime *runtime, const struct deadline *deadline)
{
	int64_t until_ns = clock_ns() + WAIT_STEP_NS;

	TRY(deadline_check(deadline));
	TRY(device_check(runtime->device));
	monotonic_wait(&runtime->changed, &runtime->lock, until_ns);
	return deadline_check(deadline);
}

struct vulkan_slot *slot_find(struct vulkan_runtime *runtime, enum slot_state state)
{
	for (size_t i = 0; i < SLOTS; i++) {
		if (runtime->slots[i].state == state)
			return &runtime->slots[i];
	}
	return NULL;
}

status slot_acquire(struct vulkan_runtime *runtime, struct vulkan_copy *copy,
		    const struct deadline *deadline, struct vulkan_slot **ret)
{
	struct vulkan_slot *slot;
	status waited = status_ok();

	pthread_mutex_lock(&runtime->lock);
	while (!(slot = slot_find(runtime, SLOT_FREE)) && !status_failed(waited))
		waited = runtime_wait(runtime, deadline);
	if (!status_failed(waited)) {
		slot->state = SLOT_HELD;
		slot->copy = copy;
		slot->grown_to = 0;
		slot->in_flight = slot->done = false;
		copy->references++;
		gauge_add(GAUGE_GPU_OBJECTS, 1);
		*ret = slot;
	}
	pthread_mutex_unlock(&runtime->lock);
	return waited;
}

void slot_free(struct vulkan_slot *slot)
{
	struct vulkan_runtime *runtime = slot->runtime;
	struct vulkan_copy *copy = slot->copy;

	if (slot->grown_to) {
		if (slot->done)
			copy->rows = slot->grown_to;
		copy->growing = false;
	}
	slot->copy = NULL;
	slot->state = SLOT_FREE;
	copy_release_locked(copy);
	/* Last: at zero everything has been given back. */
	gauge_add(GAUGE_GPU_OBJECTS, -1);
	pthread_cond_broadcast(&runtime->changed);
}

void slot_release(struct vulkan_slot *slot)
{
	if (!slot)
		return;
	pthread_mutex_lock(&slot->runtime->lock);
	if (slot->in_flight) {
		slot->state = SLOT_LEFT;
		pthread_cond_signal(&slot->runtime->left);
	} else {
		slot_free(slot);
	}
	pthread_mutex_unlock(&slot->runtime->lock);
}

static status slot_buffer(struct vulkan_slot *slot, enum memory_kind kind, uint64_t size_bytes,
			  struct vulkan_buffer *buffer)
{
	uint64_t size = SLOT_BUFFER_BYTES_MIN;

	if (buffer->size_bytes && buffer->size_bytes >= size_bytes)
		return status_ok();
	while (size < size_bytes)
		size *= 2;
	slot->is_bound = false;
	buffer_close(slot->runtime->device, buffer);
	return buffer_init(slot->runtime->device, kind, size, buffer);
}

status slot_reserve(struct vulkan_slot *slot, const struct slot_sizes *sizes)
{
	VkDescriptorBufferInfo buffers[4];

	TRY(slot_buffer(slot, MEMORY_UPLOAD, sizes->input_bytes, &slot->input));
	TRY(slot_buffer(slot, MEMORY_READBACK, sizes->output_bytes, &slot->output));
	TRY(slot_buffer(slot, MEMORY_DEVICE, sizes->scratch_bytes, &slot->scratch));
	if (slot->is_bound)
		return status_ok();

	for (size_t i = 0; i < 4; i++)
		buffers[i] = (VkDescriptorBufferInfo){.range = VK_WHOLE_SIZE};
	/* The query and the bitmap lie in the same buffer. */
	buffers[0].buffer = buffers[1].buffer = slot->input.buffer;
	buffers[2].buffer = slot->output.buffer;
	buffers[3].buffer = slot->scratch.buffer;
	program_set_bind(&slot->runtime->program, slot->set, 4, buffers);
	slot->is_bound = true;
	return status_ok();
}

status slot_begin(struct vulkan_slot *slot)
{
	struct vulkan_device *device = slot->runtime->device;
	const VkCommandBufferBeginInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT,
	};

	TRY(device_status(device, device->vk.vkResetCommandPool(device->device, slot->pool, 0)));
	return device_status(device, device->vk.vkBeginCommandBuffer(slot->commands, &info));
}

void slot_barrier(struct vulkan_slot *slot, const struct slot_order *order)
{
	const VkMemoryBarrier memory = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER,
		.srcAccessMask = order->wrote,
		.dstAccessMask = order->next,
	};

	slot->runtime->device->vk.vkCmdPipelineBarrier(slot->commands, order->from, order->to, 0, 1,
						       &memory, 0, NULL, 0, NULL);
}

static status slot_submit(struct vulkan_slot *slot)
{
	struct vulkan_device *device = slot->runtime->device;
	const VkSubmitInfo info = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &slot->commands,
	};
	VkResult result;

	TRY(device_check(device));
	TRY(device_status(device, device->vk.vkEndCommandBuffer(slot->commands)));
	TRY(device_status(device, device->vk.vkResetFences(device->device, 1, &slot->fence)));
	pthread_mutex_lock(&device->queue_lock);
	result = device->vk.vkQueueSubmit(device->queue, 1, &info, slot->fence);
	pthread_mutex_unlock(&device->queue_lock);
	slot->in_flight = result == VK_SUCCESS;
	return device_status(device, result);
}

bool slot_settles(struct vulkan_slot *slot, int64_t step_ns)
{
	struct vulkan_device *device = slot->runtime->device;
	VkResult result = device->vk.vkWaitForFences(device->device, 1, &slot->fence, VK_TRUE,
						     step_ns > 0 ? (uint64_t)step_ns : 0);

	/* Without memory for the wait itself nothing is known about the work. */
	if (result != VK_SUCCESS && result != VK_ERROR_DEVICE_LOST)
		return false;
	slot->done = !status_failed(device_status(device, result));
	slot->in_flight = false;
	return true;
}

status slot_run(struct vulkan_slot *slot, const struct deadline *deadline)
{
	struct vulkan_device *device = slot->runtime->device;
	int64_t hangs_at_ns = clock_ns() + SUBMIT_HANG_NS;

	TRY(slot_submit(slot));
	for (;;) {
		int64_t step_ns = WAIT_STEP_NS, now_ns;

		if (deadline && deadline->at_ns != DEADLINE_NEVER) {
			int64_t left_ns = deadline->at_ns - clock_ns();

			step_ns = left_ns < step_ns ? left_ns : step_ns;
		}
		if (slot_settles(slot, step_ns))
			return slot->done ? status_ok() : device_check(device);
		TRY(deadline_check(deadline));
		now_ns = clock_ns();
		if (now_ns > hangs_at_ns)
			return device_status(device, VK_ERROR_DEVICE_LOST);
	}
}
