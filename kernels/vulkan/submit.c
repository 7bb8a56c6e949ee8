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
	for (size_t i = 0; i < SLOTS + UPLOADS; i++) {
		if (runtime->slots[i].state == state)
			return &runtime->slots[i];
	}
	return NULL;
}

static struct vulkan_slot *slot_free_of(struct vulkan_slot *slots, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (slots[i].state == SLOT_FREE)
			return &slots[i];
	}
	return NULL;
}

/* One of n slots. */
static status slot_take(struct vulkan_slot *slots, size_t n, struct vulkan_copy *copy,
			const struct deadline *deadline, struct vulkan_slot **ret)
{
	struct vulkan_runtime *runtime = slots->runtime;
	struct vulkan_slot *slot;
	status waited = status_ok();

	pthread_mutex_lock(&runtime->lock);
	while (!(slot = slot_free_of(slots, n)) && !status_failed(waited))
		waited = runtime_wait(runtime, deadline);
	if (!status_failed(waited)) {
		slot->state = SLOT_HELD;
		slot->copy = copy;
		slot->grown_to = 0;
		slot->guess = NULL;
		slot->in_flight = slot->done = false;
		copy->references++;
		gauge_add(GAUGE_GPU_OBJECTS, 1);
		*ret = slot;
	}
	pthread_mutex_unlock(&runtime->lock);
	return waited;
}

status slot_acquire(struct vulkan_runtime *runtime, struct vulkan_copy *copy,
		    const struct deadline *deadline, struct vulkan_slot **ret)
{
	return slot_take(runtime->slots, SLOTS, copy, deadline, ret);
}

status slot_acquire_upload(struct vulkan_runtime *runtime, struct vulkan_copy *copy,
			   const struct deadline *deadline, struct vulkan_slot **ret)
{
	return slot_take(runtime->slots + SLOTS, UPLOADS, copy, deadline, ret);
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

void slot_guess(struct vulkan_slot *slot, uint64_t key)
{
	slot->guess = &slot->runtime->guesses[key * UINT64_C(0x9E3779B97F4A7C15) >> 58];
}

status slot_send(struct vulkan_slot *slot)
{
	struct vulkan_device *device = slot->runtime->device;
	VkResult result;

	TRY(device_check(device));
	TRY(device_status(device, device->vk.vkEndCommandBuffer(slot->commands)));
	result = queue_submit(slot->queue, slot->commands, NULL, &slot->number);
	slot->waits_for = slot->queue;
	slot->in_flight = result == VK_SUCCESS;
	slot->sent_ns = clock_ns();
	return device_status(device, result);
}

status slot_join(struct vulkan_slot *slot)
{
	struct vulkan_device *device = slot->runtime->device;
	const struct queue_after after = {slot->queue, slot->number};
	VkResult result;

	if (slot->queue == &device->compute)
		return status_ok();
	TRY(device_check(device));
	result = queue_submit(&device->compute, VK_NULL_HANDLE, &after, &slot->number);
	if (result == VK_SUCCESS) {
		slot->waits_for = &device->compute;
		slot->sent_ns = clock_ns();
	}
	return device_status(device, result);
}

bool slot_settles(struct vulkan_slot *slot, int64_t step_ns)
{
	VkResult result = queue_wait(slot->waits_for, slot->number, step_ns);

	/* Without memory for the wait itself nothing is known about the work. */
	if (result != VK_SUCCESS && result != VK_ERROR_DEVICE_LOST)
		return false;
	slot->done = !status_failed(device_status(slot->runtime->device, result));
	slot->in_flight = false;
	return true;
}

/* How long to sleep for the device now. 0: not at all, since it is about to be done, or should be. */
static int64_t nap_ns(const struct vulkan_slot *slot, const struct deadline *deadline)
{
	int64_t spin_ns = slot->runtime->device->spin_ns, guess_ns = 0, nap_ns = WAIT_STEP_NS;
	int64_t now_ns = clock_ns(), looks_ns;

	if (deadline && deadline->at_ns != DEADLINE_NEVER && deadline->at_ns - now_ns < nap_ns)
		nap_ns = deadline->at_ns - now_ns;
	if (slot->guess && spin_ns > 0)
		guess_ns = atomic_load_explicit(slot->guess, memory_order_relaxed);
	/* Half of the looking is for those that take a little longer. */
	looks_ns = slot->sent_ns + guess_ns - spin_ns / 2;
	if (guess_ns == 0 || now_ns >= looks_ns + spin_ns)
		return nap_ns;
	if (now_ns >= looks_ns)
		return 0;
	return looks_ns - now_ns < nap_ns ? looks_ns - now_ns : nap_ns;
}

static void guess_learn(const struct vulkan_slot *slot)
{
	int64_t took_ns = clock_ns() - slot->sent_ns, guess_ns;

	if (!slot->guess)
		return;
	guess_ns = atomic_load_explicit(slot->guess, memory_order_relaxed);
	atomic_store_explicit(slot->guess, guess_ns ? guess_ns + (took_ns - guess_ns) / 4 : took_ns,
			      memory_order_relaxed);
}

status slot_wait(struct vulkan_slot *slot, const struct deadline *deadline)
{
	struct vulkan_device *device = slot->runtime->device;

	for (;;) {
		if (slot_settles(slot, nap_ns(slot, deadline))) {
			guess_learn(slot);
			return slot->done ? status_ok() : device_check(device);
		}
		TRY(deadline_check(deadline));
		if (clock_ns() > slot->sent_ns + device->hang_ns)
			return device_status(device, VK_ERROR_DEVICE_LOST);
	}
}

status slot_run(struct vulkan_slot *slot, const struct deadline *deadline)
{
	TRY(slot_send(slot));
	return slot_wait(slot, deadline);
}
