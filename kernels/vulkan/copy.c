/* copy - room for rows, and their way to the device through a slot's input buffer. */
#include "kernels/vulkan/copy.h"

#include "kernels/vulkan/halves.h"
#include "kernels/vulkan/number.h"

#include <stdlib.h>
#include <string.h>

/* What one submission uploads at most: a few milliseconds on a slow bus. */
#define UPLOAD_BYTES ((uint64_t)8 << 20)

/* The first chunk has room for so many rows, if the block has. */
#define CHUNK_ROWS_MIN 1024

struct side {
	float norm, square;
};

uint64_t copy_units(const struct vulkan_copy *copy, uint32_t n)
{
	return quotient_up(n, copy->unit);
}

static uint64_t unit_bytes(const struct vulkan_copy *copy)
{
	return copy->main_bytes + copy->side_bytes;
}

uint64_t copy_bytes(const struct vulkan_copy *copy, uint32_t n)
{
	return copy_units(copy, n) * unit_bytes(copy) + copy->runtime->device->align_bytes;
}

static void chunk_close(struct vulkan_runtime *runtime, struct vulkan_chunk *chunk)
{
	struct vulkan_device *device = runtime->device;

	atomic_fetch_sub(&device->used_bytes, chunk->buffer.size_bytes);
	buffer_close(device, &chunk->buffer);
	device->vk.vkDestroyDescriptorPool(device->device, chunk->descriptors, NULL);
	free(chunk);
}

/* A chunk of chunk->n rows: its buffer and the set that binds it. */
static status chunk_make(struct vulkan_copy *copy, struct vulkan_chunk *chunk)
{
	struct vulkan_runtime *runtime = copy->runtime;
	uint64_t align = runtime->device->align_bytes;
	uint64_t all = copy_units(copy, chunk->n) * copy->main_bytes;
	uint64_t sides = copy_units(copy, chunk->n) * copy->side_bytes;
	VkDescriptorBufferInfo buffers[2];

	chunk->sides_at = (all + align - 1) / align * align;
	TRY(buffer_init(runtime->device, MEMORY_DEVICE, chunk->sides_at + sides, &chunk->buffer));
	atomic_fetch_add(&runtime->device->used_bytes, chunk->buffer.size_bytes);
	TRY(program_set_open(&runtime->program, PROGRAM_SET_CHUNK, &chunk->descriptors,
			     &chunk->set));
	buffers[0] = buffers[1] =
		(VkDescriptorBufferInfo){.buffer = chunk->buffer.buffer, .range = all};
	if (sides)
		buffers[1] = (VkDescriptorBufferInfo){
			.buffer = chunk->buffer.buffer, .offset = chunk->sides_at, .range = sides};
	program_set_bind(&runtime->program, chunk->set, 2, buffers);
	return status_ok();
}

uint32_t copy_chunk_rows(const struct vulkan_copy *copy)
{
	const struct vulkan_device *device = copy->runtime->device;
	uint64_t most = (device->buffer_bytes - device->align_bytes) / unit_bytes(copy);

	return most < UINT32_MAX / copy->unit ? (uint32_t)most * copy->unit : UINT32_MAX;
}

/* How many rows the next chunk of a block shall have: what is missing for n, doubled room, but no
 * more than the block may ever have or a buffer can hold. */
static uint32_t chunk_rows(const struct vulkan_copy *copy, uint32_t n)
{
	uint32_t rows = copy->room ? copy->room : CHUNK_ROWS_MIN;

	if (rows < n - copy->room)
		rows = n - copy->room;
	rows = least(rows, copy->block->capacity - copy->room);
	return least(rows, copy_chunk_rows(copy));
}

status copy_add_chunk(struct vulkan_copy *copy, uint32_t n)
{
	struct vulkan_chunk *chunk = calloc(1, sizeof *chunk);
	status made;

	if (!chunk)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a chunk of rows");
	chunk->first = copy->room;
	chunk->n = n;
	made = chunk_make(copy, chunk);
	if (status_failed(made)) {
		chunk_close(copy->runtime, chunk);
		return made;
	}
	if (copy->last)
		copy->last->next = chunk;
	else
		copy->chunks = chunk;
	copy->last = chunk;
	copy->room += chunk->n;
	return status_ok();
}

/* Makes room for at least one row more. Only the grower is here. */
static status chunk_add(struct vulkan_copy *copy, uint32_t n)
{
	const struct vulkan_device *device = copy->runtime->device;
	uint32_t missing = n - copy->room, rows = chunk_rows(copy, n);

	/* Room for rows to come only where there is plenty. */
	if (!memory_fits(device, copy_bytes(copy, rows)))
		rows = least(rows, missing);
	if (!memory_fits(device, copy_bytes(copy, missing)))
		return status_make(STATUS_UNAVAILABLE, "the GPU has no memory left for the rows");
	return copy_add_chunk(copy, rows);
}

uint32_t copy_piece_rows(const struct vulkan_copy *copy, const struct vulkan_chunk *chunk,
			 uint32_t first, uint32_t end)
{
	uint32_t rows = least(end, chunk->first + chunk->n) - first;
	uint32_t units = (uint32_t)(UPLOAD_BYTES / unit_bytes(copy));

	return least(rows, (units ? units : 1) * copy->unit);
}

status copy_reserve_input(struct vulkan_slot *slot, uint32_t n)
{
	const struct slot_sizes sizes = {
		.input_bytes = copy_units(slot->copy, n) * unit_bytes(slot->copy),
	};

	return slot_reserve(slot, &sizes);
}

void copy_record(struct vulkan_slot *slot, const struct vulkan_chunk *chunk, uint32_t first,
		 uint32_t n)
{
	const struct vulkan_copy *copy = slot->copy;
	uint64_t at = (first - chunk->first) / copy->unit, units = copy_units(copy, n);
	const VkBufferCopy regions[2] = {
		{.dstOffset = at * copy->main_bytes, .size = units * copy->main_bytes},
		{.srcOffset = units * copy->main_bytes,
		 .dstOffset = chunk->sides_at + at * copy->side_bytes,
		 .size = units * copy->side_bytes},
	};

	slot->runtime->device->vk.vkCmdCopyBuffer(slot->commands, slot->input.buffer,
						  chunk->buffer.buffer, copy->side_bytes ? 2 : 1,
						  regions);
	/* A queue that only transfers knows no kernels: theirs waits for it in slot_join. */
	if (slot->queue == &slot->runtime->device->compute)
		slot_barrier(slot, &(struct slot_order){
					   .from = VK_PIPELINE_STAGE_TRANSFER_BIT,
					   .wrote = VK_ACCESS_TRANSFER_WRITE_BIT,
					   .to = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
					   .next = VK_ACCESS_SHADER_READ_BIT,
				   });
}

static void input_fill(struct vulkan_slot *slot, uint32_t first, uint32_t n)
{
	const struct scan_block *block = slot->copy->block;
	uint64_t bytes = n * slot->copy->main_bytes;
	struct side *sides = (struct side *)((char *)slot->input.mapped + bytes);
	uint16_t *halves = slot->input.mapped;

	if (!block->is_half)
		memcpy(slot->input.mapped, block->vectors + first * block->stride, bytes);
	for (uint32_t i = 0; i < n; i++) {
		float norm = block->norms[first + i];

		if (block->is_half) {
			double lost = halves_fill(block->vectors + (first + i) * block->stride,
						  block->stride, halves + i * block->stride);
			norm = scan_widen_norm(norm, lost, block->stride);
		}
		sides[i] = (struct side){norm, block->squares[first + i]};
	}
}

/* The next rows before n, as many as go at once. Growing is ours, and ends with the slot once there
 * is one: at the latest when the device is done, so that nobody else writes meanwhile. */
static status upload(struct vulkan_copy *copy, uint32_t n, const struct deadline *deadline,
		     bool *ret_ends_with_slot)
{
	SCOPED(vulkan_slot) slot = NULL;
	const struct vulkan_chunk *chunk = copy->last;
	uint32_t first = copy->rows, rows = copy_piece_rows(copy, chunk, first, n);

	TRY(slot_acquire(copy->runtime, copy, deadline, &slot));
	slot->grown_to = first + rows;
	*ret_ends_with_slot = true;
	TRY(copy_reserve_input(slot, rows));
	TRY(slot_begin(slot));
	input_fill(slot, first, rows);
	copy_record(slot, chunk, first, rows);
	return slot_run(slot, deadline);
}

/* Under the lock, which it leaves meanwhile: grows the copy by some rows. */
static status copy_grow(struct vulkan_copy *copy, uint32_t n, const struct deadline *deadline)
{
	struct vulkan_runtime *runtime = copy->runtime;
	bool ends_with_slot = false;
	status made = status_ok();
	bool refused = false;

	copy->growing = true;
	pthread_mutex_unlock(&runtime->lock);
	if (copy->room == copy->rows) {
		made = chunk_add(copy, n);
		refused = made.code == STATUS_UNAVAILABLE;
	}
	if (!status_failed(made))
		made = upload(copy, n, deadline, &ends_with_slot);
	pthread_mutex_lock(&runtime->lock);
	copy->is_refused |= refused;
	if (!ends_with_slot) {
		copy->growing = false;
		pthread_cond_broadcast(&runtime->changed);
	}
	return made;
}

/* Under the lock. */
struct vulkan_copy *copy_make(struct vulkan_runtime *runtime)
{
	struct vulkan_copy *copy = calloc(1, sizeof *copy);

	if (!copy)
		return NULL;
	copy->runtime = runtime;
	copy->references = 1;
	copy->next = runtime->copies;
	runtime->copies = copy;
	return copy;
}

/* Under the lock. */
static status copy_make_of(struct vulkan_runtime *runtime, struct scan_block *block)
{
	struct vulkan_copy *copy = copy_make(runtime);

	if (!copy)
		return status_make(STATUS_RESOURCE_EXHAUSTED, "memory for a copy of rows");
	copy->unit = 1;
	copy->main_bytes = block->stride * scan_value_bytes(block);
	copy->side_bytes = sizeof(struct side);
	copy->block = block;
	block->copy = copy;
	block->scanner = runtime->scanner;
	return status_ok();
}

status copy_acquire(struct vulkan_runtime *runtime, struct scan_block *block, uint32_t n,
		    const struct deadline *deadline, struct vulkan_copy **ret)
{
	struct vulkan_copy *copy;
	status made = status_ok();

	pthread_mutex_lock(&runtime->lock);
	if (!block->copy)
		made = copy_make_of(runtime, block);
	copy = block->copy;
	if (copy)
		copy->references++;
	while (!status_failed(made) && copy->rows < n) {
		if (copy->is_refused)
			made = status_make(STATUS_UNAVAILABLE, "the rows do not fit the GPU");
		else if (copy->growing)
			made = runtime_wait(runtime, deadline);
		else
			made = copy_grow(copy, n, deadline);
	}
	if (status_failed(made) && copy)
		copy_release_locked(copy);
	pthread_mutex_unlock(&runtime->lock);
	if (!status_failed(made))
		*ret = copy;
	return made;
}

void copy_drop_chunks(struct vulkan_copy *copy)
{
	while (copy->chunks) {
		struct vulkan_chunk *chunk = copy->chunks;

		copy->chunks = chunk->next;
		chunk_close(copy->runtime, chunk);
	}
	copy->last = NULL;
	copy->room = 0;
}

void copy_release_locked(struct vulkan_copy *copy)
{
	struct vulkan_runtime *runtime = copy->runtime;
	struct vulkan_copy **link = &runtime->copies;

	if (--copy->references > 0)
		return;
	while (*link != copy)
		link = &(*link)->next;
	*link = copy->next;
	copy_drop_chunks(copy);
	free(copy);
	/* There may be room for those that found none. */
	for (copy = runtime->copies; copy; copy = copy->next)
		copy->is_refused = copy->is_refused && !copy->codes;
}

void copy_refer(struct vulkan_copy *copy)
{
	pthread_mutex_lock(&copy->runtime->lock);
	copy->references++;
	pthread_mutex_unlock(&copy->runtime->lock);
}

void copy_release(struct vulkan_copy *copy)
{
	struct vulkan_runtime *runtime;

	if (!copy)
		return;
	runtime = copy->runtime;
	pthread_mutex_lock(&runtime->lock);
	copy_release_locked(copy);
	pthread_mutex_unlock(&runtime->lock);
}

/* Under the lock, which it leaves while codes are read. */
void copy_detach(struct vulkan_copy *copy)
{
	struct vulkan_runtime *runtime = copy->runtime;

	copy->codes = NULL;
	copy->is_queued = false;
	while (copy->is_uploading)
		pthread_cond_wait(&runtime->changed, &runtime->lock);
	if (copy->block) {
		copy->block->copy = NULL;
		copy->block->scanner = NULL;
	}
	/* Last: who sees no scanner lets the codes go. */
	if (copy->seat) {
		copy->seat->copy = NULL;
		copy->seat->scanner = NULL;
	}
	copy->block = NULL;
	copy->seat = NULL;
	copy_release_locked(copy);
}

void copy_forget(struct vulkan_runtime *runtime, struct scan_block *block)
{
	struct vulkan_copy *copy;

	pthread_mutex_lock(&runtime->lock);
	copy = block->copy;
	if (copy)
		copy_detach(copy);
	pthread_mutex_unlock(&runtime->lock);
}

void copy_forget_codes(struct vulkan_runtime *runtime, struct codes8_seat *seat)
{
	pthread_mutex_lock(&runtime->lock);
	if (seat->copy)
		copy_detach(seat->copy);
	pthread_mutex_unlock(&runtime->lock);
}

/* Under the lock. */
static struct vulkan_copy *copy_attached(const struct vulkan_runtime *runtime)
{
	struct vulkan_copy *copy = runtime->copies;

	while (copy && !copy->block && !copy->seat)
		copy = copy->next;
	return copy;
}

void copy_forget_all(struct vulkan_runtime *runtime)
{
	struct vulkan_copy *copy;

	pthread_mutex_lock(&runtime->lock);
	while ((copy = copy_attached(runtime)))
		copy_detach(copy);
	pthread_mutex_unlock(&runtime->lock);
}
